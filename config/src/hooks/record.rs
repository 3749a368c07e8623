//! What was written into which file.
//!
//! Owns: one small record for each file, with its text as it was.
//! Promises: 0600 in a 0700 folder; written by rename, before the file is changed.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::install::{
    FolderLock, JournalError, content_hash, lock_folder, private_folder_of, sync_folder,
};

/// The folder with the records.
#[derive(Clone, Debug)]
pub struct HookJournal {
    folder: PathBuf,
}

/// What was written into one file.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    /// The file behind the links.
    pub(super) target: PathBuf,
    /// Its text without our hooks; none where it was not there.
    pub(super) clean: Option<String>,
    /// The hash of the text with them.
    pub(super) written: String,
    /// The members that were not there before.
    pub(super) created: Vec<Vec<String>>,
    /// How many folders were made for it.
    #[serde(default)]
    pub(super) folders: usize,
}

impl HookJournal {
    /// The records in a folder, which is created when something is written.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Takes the right to write.
    pub(super) fn lock(&self) -> Result<FolderLock, JournalError> {
        lock_folder(&self.folder)
    }

    /// The record of a file.
    pub(super) fn record(&self, target: &Path) -> Result<Option<Record>, JournalError> {
        let path = self.path(target);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(JournalError::Io { action: "read", path, source }),
        };
        let record = serde_json::from_slice(&bytes);
        record.map(Some).map_err(|source| JournalError::Damaged { path, source })
    }

    /// Writes a record.
    pub(super) fn store(&self, record: &Record) -> Result<(), JournalError> {
        private_folder_of(&self.folder)?;
        let path = self.path(&record.target);
        let text = serde_json::to_vec_pretty(record)
            .map_err(|source| JournalError::Damaged { path: path.clone(), source })?;
        let write = || -> io::Result<()> {
            let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
            file.write_all(&text)?;
            file.as_file().sync_all()?;
            file.persist(&path)?;
            sync_folder(&self.folder)
        };
        write().map_err(|source| JournalError::Io { action: "write", path: path.clone(), source })
    }

    /// Removes a record.
    pub(super) fn remove(&self, target: &Path) -> Result<(), JournalError> {
        let path = self.path(target);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(JournalError::Io { action: "remove a record of", path, source: error })
            }
            _ => Ok(()),
        }
    }

    fn path(&self, target: &Path) -> PathBuf {
        let hash = content_hash(target.as_os_str().as_encoded_bytes());
        self.folder.join(format!("{}.json", &hash[..32]))
    }
}
