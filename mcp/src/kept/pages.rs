//! Memory that is shared with whoever holds its file: the one place that maps it.
//!
//! Owns: the mapping. Emits: the words of its first page, which anybody may load and store, and
//! the bytes behind it, which one owner at a time reads and writes.

use std::{
    fs::File,
    io,
    ops::Range,
    os::fd::BorrowedFd,
    ptr::NonNull,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use rustix::mm::{MapFlags, ProtFlags};

use super::Word;

/// Bytes of the first part, which holds the words.
pub(super) const PAGE: usize = 4096;

/// A mapping; unmapped with its last owner.
struct Pages {
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: the mapping is memory like any other; `Words` and `Bytes` see to who may touch what.
unsafe impl Send for Pages {}
// SAFETY: through a shared reference only atomics are reached, see `Words`; `Bytes` has one owner.
unsafe impl Sync for Pages {}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: it was mapped with this length, and nobody who could reach into it is left.
        // It fails only for a range that was never mapped.
        let _ = unsafe { rustix::mm::munmap(self.start.as_ptr().cast(), self.length) };
    }
}

/// The words of the first page.
#[derive(Clone)]
pub(super) struct Words(Arc<Pages>);

/// The bytes behind the first page.
pub(super) struct Bytes(Arc<Pages>);

/// Maps the first `length` bytes of a file, which must be that long and stay so.
pub(super) fn map(file: &File, length: usize) -> io::Result<(Words, Bytes)> {
    let access = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: a mapping at a place of the system's choice overlaps nothing that is in use.
    let start = unsafe {
        rustix::mm::mmap(std::ptr::null_mut(), length, access, MapFlags::SHARED, file, 0)?
    };
    let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
    let pages = Arc::new(Pages { start, length });
    Ok((Words(pages.clone()), Bytes(pages)))
}

impl Words {
    fn word(&self, word: Word) -> &AtomicU64 {
        let at = word as usize * size_of::<AtomicU64>();
        // SAFETY: there are far fewer words than fit into the first page, which is mapped as long
        // as `self` lives, is aligned to more than a word, and is reached as atomics only.
        unsafe { AtomicU64::from_ptr(self.0.start.as_ptr().add(at).cast()) }
    }

    pub(super) fn get(&self, word: Word) -> u64 {
        self.word(word).load(Ordering::Acquire)
    }

    pub(super) fn set(&self, word: Word, value: u64) {
        self.word(word).store(value, Ordering::Release);
    }
}

impl Bytes {
    /// The bytes in a range.
    pub(super) fn get(&self, range: Range<usize>) -> &[u8] {
        let (start, length) = self.part(range);
        // SAFETY: `part` keeps to the mapping behind the words. Nobody writes to it meanwhile:
        // here it takes `&mut self`, and the only other process with the file waits for our end.
        unsafe { std::slice::from_raw_parts(start, length) }
    }

    /// The bytes in a range, to be written.
    pub(super) fn get_mut(&mut self, range: Range<usize>) -> &mut [u8] {
        let (start, length) = self.part(range);
        // SAFETY: as in `get`; that nobody else reads or writes is what `&mut self` says.
        unsafe { std::slice::from_raw_parts_mut(start, length) }
    }

    /// Reads from a descriptor into a range: one system call, so that what is taken is there.
    pub(super) fn read(&mut self, fd: BorrowedFd<'_>, range: Range<usize>) -> io::Result<usize> {
        Ok(rustix::io::read(fd, self.get_mut(range))?)
    }

    fn part(&self, range: Range<usize>) -> (*mut u8, usize) {
        let (start, end) = (range.start + PAGE, range.end + PAGE);
        assert!(start <= end && end <= self.0.length, "a range behind the mapping");
        // SAFETY: the range lies in the mapping, as was just asserted.
        (unsafe { self.0.start.as_ptr().add(start) }, end - start)
    }
}
