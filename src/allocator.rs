//! Keeping memory flat.
//!
//! glibc learns from large blocks that are freed to keep such blocks for later, and gives every
//! thread an arena of its own. A supervisor sees a large message once in a while and has many
//! short-lived threads in its pool, so both would only make it look larger with age.

/// Large blocks go back to the system when they are freed, and threads share two arenas.
///
/// Called once, before there are threads.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn tame() {
    /// Blocks from this size on are mapped by themselves; glibc's own first choice (mallopt(3)),
    /// which it drops when it starts to learn.
    const LARGE: i32 = 128 << 10;
    const ARENAS: i32 = 2;
    // SAFETY: mallopt only sets numbers of the allocator, and takes any value.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
        libc::mallopt(libc::M_ARENA_MAX, ARENAS);
    }
}

/// Other allocators are left as they are.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn tame() {}
