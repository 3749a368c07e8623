//! Reading a client's file.
//!
//! Promises: only a regular file is opened, through links, and at most [`MAX_FILE_BYTES`] are read.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::doc::MAX_FILE_BYTES;

/// Why a file's bytes could not be had.
#[derive(Debug, Error)]
pub(crate) enum ReadError {
    /// Nothing is there.
    #[error("it is not there")]
    Missing,
    /// A link leads nowhere.
    #[error("the link leads nowhere ({})", target.display())]
    BrokenLink {
        /// Where the link leads.
        target: PathBuf,
    },
    /// Something other than a file is there.
    #[error("it is not a file")]
    NotAFile,
    /// Reading failed.
    #[error("failed to read it")]
    Io(#[from] io::Error),
    /// It is too large.
    #[error("it is over the limit of {MAX_FILE_BYTES} bytes")]
    TooLarge,
}

/// Reads a regular file, through links, at most [`MAX_FILE_BYTES`].
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>, ReadError> {
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if is_missing(&error) => {
            return Err(match std::fs::read_link(path) {
                Ok(target) => ReadError::BrokenLink { target },
                Err(_) => ReadError::Missing,
            });
        }
        Err(error) => return Err(error.into()),
    };
    // A pipe or a device is never opened: it may block, or never end.
    if !metadata.is_file() {
        return Err(ReadError::NotAFile);
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(ReadError::TooLarge);
    }
    Ok(bytes)
}

fn is_missing(error: &io::Error) -> bool {
    // A file where a folder should be means that the file below it is not there either.
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
