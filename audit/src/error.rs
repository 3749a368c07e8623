//! What can go wrong with the record.

use std::io;
use std::path::{Path, PathBuf};

/// Why the record cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// A file or directory cannot be used.
    #[error("failed to {action} {}: {source}{}", path.display(), hint_of(source))]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A record is larger than any may be.
    #[error("the record of an operation is {size} bytes, at most {limit} are allowed")]
    TooLarge {
        /// Its size.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// A record cannot be written as JSON.
    #[error("failed to write a record as JSON: {0}")]
    Encode(serde_json::Error),
    /// No free name for a stream was found.
    #[error("failed to find a free name for a stream in {} (hint: remove old *.lock files)", .0.display())]
    NoStream(PathBuf),
}

impl AuditError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }

    /// Whether there is no room on the disk.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Io { source, .. } if is_full(source))
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

fn hint_of(error: &io::Error) -> &'static str {
    match error.kind() {
        _ if is_full(error) => {
            " (hint: free some space, or lower audit.max_total_bytes in the settings)"
        }
        io::ErrorKind::PermissionDenied => " (hint: the directory must belong to you)",
        _ => "",
    }
}
