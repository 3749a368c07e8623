//! What was done to which file, so that it can be undone.
//!
//! Owns: a folder with one record for each file, and copies of the files as they were.
//! Accepts: records; a folder that may hold anything.
//! Emits: records; a record that cannot be read is an error, not an empty journal.
//! Promises: a record is on the disk before the file it is about is changed; records and copies
//! are 0600 in a 0700 folder, written by rename; one process at a time writes.
//!
//! A record lists *states*: a hash that the file may have, and the copy that undoes it. While a
//! file is being changed there are two, the state before and the state after; whichever the file
//! turns out to be in after a crash, the record knows what to do with it.

mod folder;
mod record;

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::compute::is_wrapped;
use crate::clients::{Entry, read_bytes};
use crate::doc::{Doc, Format, MAX_FILE_BYTES, Step};

pub(crate) use folder::{FolderLock, hash, lock_folder, private_folder_of, sync_folder};
pub(super) use record::{FileState, Record, SavedEntry, SavedStep, server_hash};

/// The version of the record's form.
const VERSION: u32 = 1;
/// The most states that a record keeps.
const MAX_STATES: usize = 4;

/// How the names of half-written files start.
const TEMPORARY: &str = ".tmp-";

/// The folder with the records.
#[derive(Clone, Debug)]
pub struct Journal {
    folder: PathBuf,
}

/// An entry that was wrapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// The client's id.
    pub client: String,
    /// The scope.
    pub scope: String,
    /// The project.
    pub project: Option<String>,
    /// The server's name.
    pub name: String,
    /// The file.
    pub file: PathBuf,
    /// A hash of the server's command, arguments, working directory and names of variables, as
    /// they were when it was wrapped.
    pub server: String,
    /// Whether it was reached by address.
    pub(super) by_address: bool,
    pub(super) target: PathBuf,
    pub(super) format: Format,
    pub(super) steps: Vec<Step>,
}

/// Why the journal could not be used.
#[derive(Debug, Error)]
pub enum JournalError {
    /// It could not be read or written.
    #[error("failed to {action} the install journal at {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A record is not in its form.
    #[error(
        "the record {} of the install journal is damaged or of another version; \
         move it away, and entries are restored from themselves",
        path.display()
    )]
    Damaged {
        /// The record.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// Another process is writing.
    #[error("another `defenter` is changing the clients' files; wait for it to end")]
    Busy,
}

impl Journal {
    /// The journal in a folder, which is created when something is written
    /// ([`Paths::install_journal`](crate::Paths::install_journal)).
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Every entry that was wrapped and not yet given back.
    ///
    /// # Errors
    /// [`JournalError`] where a record cannot be read.
    pub fn saved(&self) -> Result<Vec<Saved>, JournalError> {
        let records = self.records()?;
        let valid = records.iter().filter(|record| !record.is_leftover());
        Ok(valid.flat_map(Record::saved).collect())
    }

    /// True where something was ever written.
    pub(super) fn exists(&self) -> bool {
        self.folder.is_dir()
    }

    /// Removes the records of files that a crash has left without anything to undo.
    pub(super) fn drop_leftovers(&self) -> Result<(), JournalError> {
        for record in self.records()?.iter().filter(|record| record.is_leftover()) {
            self.remove(&record.target)?;
        }
        self.sweep()
    }

    /// Forgets entries of a file of which nothing is left to undo.
    pub(super) fn forget(&self, entries: &[Saved]) -> Result<(), JournalError> {
        for target in entries.iter().map(|saved| &saved.target) {
            let Some(mut record) = self.record(target)? else { continue };
            let mut forgotten = entries.iter().filter(|saved| saved.target == *target);
            let before = record.entries.len();
            record.entries.retain(|entry| {
                !forgotten.clone().any(|saved| {
                    (&saved.client, &saved.scope, &saved.project, &saved.name)
                        == (&entry.client, &entry.scope, &entry.project, &entry.name)
                })
            });
            if record.entries.is_empty() {
                self.remove(target)?;
            } else if record.entries.len() < before && forgotten.next().is_some() {
                self.store(&record)?;
            }
        }
        Ok(())
    }

    /// Every record.
    pub(super) fn records(&self) -> Result<Vec<Record>, JournalError> {
        let names = match fs::read_dir(&self.folder) {
            Ok(names) => names,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(self.failed("list", &self.folder, source)),
        };
        let mut paths: Vec<PathBuf> = names
            .filter_map(|name| Some(name.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
            .collect();
        paths.sort();
        paths.iter().filter_map(|path| self.read(path).transpose()).collect()
    }

    /// The record of a file.
    pub(super) fn record(&self, target: &Path) -> Result<Option<Record>, JournalError> {
        self.read(&self.record_path(target))
    }

    fn read(&self, path: &Path) -> Result<Option<Record>, JournalError> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(self.failed("read", path, source)),
        };
        let damaged = |source| JournalError::Damaged { path: path.to_owned(), source };
        let record: Record = serde_json::from_slice(&bytes).map_err(damaged)?;
        if record.version == VERSION {
            Ok(Some(record))
        } else {
            Err(damaged(serde::de::Error::custom("another version")))
        }
    }

    /// Takes the right to write.
    pub(super) fn lock(&self) -> Result<FolderLock, JournalError> {
        lock_folder(&self.folder)
    }

    /// Writes a record.
    pub(super) fn store(&self, record: &Record) -> Result<(), JournalError> {
        let path = self.record_path(&record.target);
        let text = serde_json::to_vec_pretty(record)
            .map_err(|source| JournalError::Damaged { path: path.clone(), source })?;
        self.write(&path, &text)
    }

    /// Removes a record and the copies that nothing else needs.
    pub(super) fn remove(&self, target: &Path) -> Result<(), JournalError> {
        let path = self.record_path(target);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(self.failed("remove a record of", &path, error))
            }
            _ => self.sweep(),
        }
    }

    /// Keeps a copy; gives its hash.
    pub(super) fn keep(&self, bytes: &[u8]) -> Result<String, JournalError> {
        let hash = hash(bytes);
        let path = self.copy_path(&hash);
        // The name is the content's hash; a copy that is there is the same, unless it is damaged.
        if self.copy(&hash).is_none() {
            self.write(&path, bytes)?;
        }
        Ok(hash)
    }

    /// A copy, if it is there and undamaged.
    pub(super) fn copy(&self, copy: &str) -> Option<Vec<u8>> {
        let path = self.copy_path(copy);
        let fits = fs::metadata(&path).is_ok_and(|metadata| metadata.len() <= MAX_FILE_BYTES);
        let bytes = if fits { fs::read(path).ok()? } else { return None };
        (hash(&bytes) == copy).then_some(bytes)
    }

    /// Removes copies that no record needs, and what a crash has left half written. Only for the
    /// holder of the lock.
    pub(super) fn sweep(&self) -> Result<(), JournalError> {
        let records = self.records()?;
        let needed = |name: &str| {
            let mut states = records.iter().flat_map(|record| &record.states);
            states.any(|state| format!("{}.copy", state.copy) == name)
        };
        let names = fs::read_dir(&self.folder)
            .map_err(|source| self.failed("list", &self.folder, source))?;
        for name in names.filter_map(Result::ok) {
            let text = name.file_name().to_string_lossy().into_owned();
            let is_temporary = text.starts_with(TEMPORARY);
            if is_temporary || (text.ends_with(".copy") && !needed(&text)) {
                let path = name.path();
                fs::remove_file(&path)
                    .map_err(|source| self.failed("remove a copy of", &path, source))?;
            }
        }
        Ok(())
    }

    /// Marks temporary files as this journal's.
    pub(super) fn tag(&self) -> String {
        hash(self.folder.as_os_str().as_encoded_bytes())[..8].to_owned()
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), JournalError> {
        private_folder_of(&self.folder)?;
        let write = || -> io::Result<()> {
            // Temporary files are 0600.
            let mut builder = tempfile::Builder::new();
            let mut file = builder.prefix(TEMPORARY).tempfile_in(&self.folder)?;
            file.write_all(bytes)?;
            file.as_file().sync_all()?;
            file.persist(path)?;
            sync_folder(&self.folder)
        };
        write().map_err(|source| self.failed("write", path, source))
    }

    fn record_path(&self, target: &Path) -> PathBuf {
        let hash = hash(target.as_os_str().as_encoded_bytes());
        self.folder.join(format!("{}.json", &hash[..32]))
    }

    fn copy_path(&self, copy: &str) -> PathBuf {
        self.folder.join(format!("{copy}.copy"))
    }

    fn failed(&self, action: &'static str, path: &Path, source: io::Error) -> JournalError {
        JournalError::Io { action, path: path.to_owned(), source }
    }
}

impl Saved {
    /// True for the entry that was wrapped, wherever the client has moved it.
    pub fn is(&self, entry: &Entry) -> bool {
        self.client == entry.client.as_str()
            && self.name == entry.name
            && self.project == entry.project
    }

    /// True where the entry is still wrapped, in the place where it was.
    pub(super) fn is_wrapped(&self) -> bool {
        let doc =
            read_bytes(&self.target).ok().and_then(|bytes| Doc::parse(&bytes, self.format).ok());
        doc.is_some_and(|doc| is_wrapped(&doc, &self.steps, &self.name, &self.client))
    }

    /// True for the entry that was wrapped, in the place where it was.
    pub(super) fn is_exactly(&self, entry: &Entry) -> bool {
        self.is(entry) && self.scope == entry.scope.as_str() && self.file == entry.file
    }
}
