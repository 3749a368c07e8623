//! The directory of the record: names of files, modes, locks.
//!
//! Owns: how files are named and listed. Promises: directories are 0700, files 0600; a name that
//! is not ours is left alone.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::AuditError;
use crate::time::Timestamp;

/// The stream of whoever holds the lock.
pub(crate) const MAIN: &str = "main";
/// What the names of the other streams start with.
const SOLO: &str = "solo-";
/// Ending of a file of the record.
const ENDING: &str = ".jsonl";
/// Ending of a lock.
const LOCK: &str = ".lock";
/// How many names are tried for a stream of its own.
const ATTEMPTS: u32 = 64;

/// A file of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) path: PathBuf,
    pub(crate) stream: String,
    /// When it was begun, to the second.
    pub(crate) started: Timestamp,
    /// Its place among the files of its stream, from 1.
    pub(crate) number: u64,
}

/// The right to write to a stream, for as long as it lives.
#[derive(Debug)]
pub(crate) struct Claim {
    pub(crate) stream: String,
    path: PathBuf,
    pub(crate) lock: File,
}

impl Drop for Claim {
    fn drop(&mut self) {
        give_back(&self.lock);
        // The lock of `main` stays: removing it would let two processes lock two files of one
        // name. A stream of its own is never claimed twice.
        if self.stream != MAIN {
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Segment {
    pub(crate) fn new(dir: &Path, stream: &str, started: Timestamp, number: u64) -> Self {
        let name = format!("{stream}-{}-{number:08}{ENDING}", started.compact());
        Self { path: dir.join(name), stream: stream.to_owned(), started, number }
    }

    fn parse(path: PathBuf) -> Option<Self> {
        let name = path.file_name()?.to_str()?.strip_suffix(ENDING)?;
        let (rest, number) = name.rsplit_once('-')?;
        let (stream, started) = rest.rsplit_once('-')?;
        if stream != MAIN && !stream.starts_with(SOLO) {
            return None;
        }
        let number = number.parse().ok()?;
        let started = Timestamp::from_compact(started)?;
        Some(Self { stream: stream.to_owned(), started, number, path })
    }
}

/// All files of the record, by stream and then by number.
pub(crate) fn list(dir: &Path) -> Result<Vec<Segment>, AuditError> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(AuditError::io("read the directory", dir)(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(AuditError::io("read the directory", dir))?;
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        found.extend(is_file.then(|| Segment::parse(entry.path())).flatten());
    }
    found.sort_by(|a, b| (&a.stream, a.number).cmp(&(&b.stream, b.number)));
    Ok(found)
}

/// Makes the directory, or makes it private.
pub(crate) fn prepare(dir: &Path) -> Result<(), AuditError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir).map_err(AuditError::io("make the directory", dir))?;
    restrict(dir, 0o700)
}

/// Takes away what others may do with a path.
pub(crate) fn restrict(path: &Path, mode: u32) -> Result<(), AuditError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let metadata = fs::metadata(path).map_err(AuditError::io("look at", path))?;
        if metadata.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(path, fs::Permissions::from_mode(mode))
                .map_err(AuditError::io("make private", path))?;
        }
    }
    #[cfg(not(unix))]
    let _ = (path, mode);
    Ok(())
}

/// Creates a file that must not exist yet.
pub(crate) fn create(path: &Path) -> Result<File, AuditError> {
    let mut options = private();
    options.read(true).write(true).create_new(true);
    options.open(path).map_err(AuditError::io("create", path))
}

/// Opens a file to write anew.
pub(crate) fn overwrite(path: &Path) -> io::Result<File> {
    private().write(true).create(true).truncate(true).open(path)
}

/// Opens a file to write on. Not in append mode: on Windows such a handle cannot be cut back, and
/// the claim on the stream makes this the only writer.
pub(crate) fn reopen(path: &Path) -> Result<File, AuditError> {
    restrict(path, 0o600)?;
    private().read(true).write(true).open(path).map_err(AuditError::io("open", path))
}

#[cfg(unix)]
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// On Windows a file has the rights of its directory, which is the user's own.
#[cfg(not(unix))]
fn private() -> OpenOptions {
    OpenOptions::new()
}

/// Claims `main`, or a stream of its own where somebody else writes to that.
pub(crate) fn claim(dir: &Path, now: Timestamp) -> Result<Claim, AuditError> {
    if let Some(claim) = claim_stream(dir, MAIN)? {
        return Ok(claim);
    }
    let base = format!("{SOLO}{}-{:x}", std::process::id(), now.as_millis());
    for attempt in 0..ATTEMPTS {
        let stream = if attempt == 0 { base.clone() } else { format!("{base}.{attempt}") };
        if let Some(claim) = claim_stream(dir, &stream)? {
            return Ok(claim);
        }
    }
    Err(AuditError::NoStream(dir.to_owned()))
}

fn claim_stream(dir: &Path, stream: &str) -> Result<Option<Claim>, AuditError> {
    let path = lock_path(dir, stream);
    let mut options = private();
    options.read(true).write(true);
    if stream == MAIN {
        options.create(true);
    } else {
        options.create_new(true);
    }
    let lock = match options.open(&path) {
        Ok(lock) => lock,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
        Err(error) => return Err(AuditError::io("open the lock", &path)(error)),
    };
    match lock.try_lock() {
        Ok(()) => Ok(Some(Claim { stream: stream.to_owned(), path, lock })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(AuditError::io("lock", &path)(error)),
    }
}

/// Gives a lock back. Closing the file is not enough: a child that another thread is just starting
/// holds it open until it runs its program.
fn give_back(lock: &File) {
    // A failure ends with the process.
    let _ = lock.unlock();
}

/// Whether somebody writes to a stream. Where that cannot be told, somebody does.
pub(crate) fn is_claimed(dir: &Path, stream: &str) -> bool {
    match File::open(lock_path(dir, stream)) {
        Ok(lock) => {
            let is_claimed = lock.try_lock().is_err();
            give_back(&lock);
            is_claimed
        }
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

/// The path of a stream's lock.
pub(crate) fn lock_path(dir: &Path, stream: &str) -> PathBuf {
    dir.join(format!("{stream}{LOCK}"))
}
