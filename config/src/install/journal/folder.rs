//! A private folder that one process at a time writes into.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::JournalError;
use crate::paths::hex;

/// The right to write into a folder.
#[derive(Debug)]
pub(crate) struct FolderLock(File);

impl Drop for FolderLock {
    fn drop(&mut self) {
        // Closing the file is not enough: a child that another thread is just starting holds it
        // open until it runs its program. A failure ends with the process.
        let _ = self.0.unlock();
    }
}

/// Takes the right to write into a folder, which is created.
pub(crate) fn lock_folder(folder: &Path) -> Result<FolderLock, JournalError> {
    private_folder_of(folder)?;
    let path = folder.join("lock");
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let failed = |action, source| JournalError::Io { action, path: path.clone(), source };
    let file = options.open(&path).map_err(|source| failed("open", source))?;
    match file.try_lock() {
        Ok(()) => Ok(FolderLock(file)),
        Err(fs::TryLockError::WouldBlock) => Err(JournalError::Busy),
        Err(fs::TryLockError::Error(source)) => Err(failed("lock", source)),
    }
}

/// Creates a folder for this user alone.
pub(crate) fn private_folder_of(folder: &Path) -> Result<(), JournalError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|source| JournalError::Io {
        action: "create",
        path: folder.to_owned(),
        source,
    })
}

/// SHA-256, as hexadecimal.
pub(crate) fn hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Makes a folder's names durable.
#[cfg(unix)]
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Windows makes a rename durable by itself.
#[cfg(not(unix))]
pub(crate) fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}
