//! The lock that a client takes on its own file.
//!
//! Owns: the lock folder `FILE.lock` in the manner of npm's proper-lockfile, as Claude Code
//! takes it on `~/.claude.json`.
//! Accepts: a file and how to wait.
//! Emits: a guard that removes the folder when it is dropped.
//! Promises: waits at most [`MAX_WAIT`]; takes over only a folder that nobody has touched for
//! [`STALE_AFTER`], the age at which proper-lockfile itself takes over.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use thiserror::Error;

/// The age at which a lock counts as left behind (proper-lockfile's default).
const STALE_AFTER: Duration = Duration::from_secs(10);
/// The longest wait for a lock; a holder that is alive is done long before.
const MAX_WAIT: Duration = Duration::from_secs(12);
/// The wait between two tries.
const PAUSE: Duration = Duration::from_millis(50);

/// Time, passed in.
pub trait Patience {
    /// Now.
    fn now(&self) -> SystemTime;
    /// Waits.
    fn pause(&self, duration: Duration);
}

/// The system's time; it blocks the thread.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemPatience;

/// Why a lock could not be taken.
#[derive(Debug, Error)]
pub enum LockError {
    /// The client holds it.
    #[error("the client holds {} ; end it, or wait, and try again", path.display())]
    Busy {
        /// The lock folder.
        path: PathBuf,
    },
    /// The folder could not be created.
    #[error("failed to create the lock {}", path.display())]
    Io {
        /// The lock folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A lock that is held.
#[derive(Debug)]
pub(super) struct ClientLock {
    folder: PathBuf,
}

impl Patience for SystemPatience {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn pause(&self, duration: Duration) {
        // May end early, which only means another try.
        std::thread::park_timeout(duration);
    }
}

impl ClientLock {
    /// Takes the lock of a file.
    pub(super) fn take(file: &Path, patience: &dyn Patience) -> Result<Self, LockError> {
        let mut name = file.as_os_str().to_owned();
        name.push(".lock");
        let folder = PathBuf::from(name);
        let mut waited = Duration::ZERO;
        loop {
            match fs::create_dir(&folder) {
                Ok(()) => return Ok(Self { folder }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(source) => return Err(LockError::Io { path: folder, source }),
            }
            if is_stale(&folder, patience.now()) {
                // Whoever is faster has it; the next try tells.
                let _ = fs::remove_dir(&folder);
            } else if waited >= MAX_WAIT {
                return Err(LockError::Busy { path: folder });
            } else {
                patience.pause(PAUSE);
                waited += PAUSE;
            }
        }
    }
}

impl Drop for ClientLock {
    fn drop(&mut self) {
        // Nothing to be done about a failure: the lock goes stale by itself.
        let _ = fs::remove_dir(&self.folder);
    }
}

fn is_stale(folder: &Path, now: SystemTime) -> bool {
    let touched = fs::symlink_metadata(folder).and_then(|metadata| metadata.modified());
    touched.is_ok_and(|touched| now.duration_since(touched).is_ok_and(|age| age > STALE_AFTER))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// A clock that stands still but for pauses, and does something at one of them.
    struct Scripted<'a> {
        now: Cell<SystemTime>,
        pauses: Cell<u32>,
        then: (u32, &'a dyn Fn()),
    }

    impl Patience for Scripted<'_> {
        fn now(&self) -> SystemTime {
            self.now.get()
        }

        fn pause(&self, duration: Duration) {
            self.now.set(self.now.get() + duration);
            self.pauses.set(self.pauses.get() + 1);
            if self.pauses.get() == self.then.0 {
                (self.then.1)();
            }
        }
    }

    fn scripted(after: Duration, at: u32, then: &dyn Fn()) -> Scripted<'_> {
        Scripted {
            now: Cell::new(SystemTime::now() + after),
            pauses: Cell::new(0),
            then: (at, then),
        }
    }

    #[test]
    fn the_lock_is_a_folder_that_goes_when_it_is_dropped() {
        let place = tempfile::tempdir().expect("a folder");
        let file = place.path().join(".claude.json");
        let lock = place.path().join(".claude.json.lock");
        let held = ClientLock::take(&file, &SystemPatience).expect("the lock");
        assert!(lock.is_dir());
        drop(held);
        assert!(!lock.exists());
    }

    #[test]
    fn a_held_lock_is_waited_for() {
        let place = tempfile::tempdir().expect("a folder");
        let file = place.path().join("f");
        let lock = place.path().join("f.lock");
        fs::create_dir(&lock).expect("the client's lock");
        let release = || fs::remove_dir(&lock).expect("released");
        let patience = scripted(Duration::ZERO, 3, &release);
        let _held = ClientLock::take(&file, &patience).expect("the lock");
        assert_eq!(patience.pauses.get(), 3);
    }

    #[test]
    fn a_lock_that_was_left_behind_is_taken_over() {
        let place = tempfile::tempdir().expect("a folder");
        fs::create_dir(place.path().join("f.lock")).expect("an old lock");
        let patience = scripted(STALE_AFTER * 2, 0, &|| ());
        ClientLock::take(&place.path().join("f"), &patience).expect("the lock");
        assert_eq!(patience.pauses.get(), 0);
    }

    #[test]
    fn a_lock_that_is_kept_fresh_is_an_error_in_the_end() {
        let place = tempfile::tempdir().expect("a folder");
        let lock = place.path().join("f.lock");
        fs::create_dir(&lock).expect("the client's lock");
        // A clock in the past: nothing ever goes stale.
        let patience = Scripted {
            now: Cell::new(SystemTime::UNIX_EPOCH),
            pauses: Cell::new(0),
            then: (0, &|| ()),
        };
        let error = ClientLock::take(&place.path().join("f"), &patience).expect_err("busy");
        assert!(matches!(error, LockError::Busy { .. }));
        assert!(lock.is_dir());
    }
}
