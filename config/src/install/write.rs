//! Replacing a file by rename.
//!
//! Owns: the temporary file beside the target, with the target's mode and owner.
//! Accepts: a regular file behind all links, and its new bytes.
//! Emits: the file, or an error that says what was refused.
//! Promises: the file is the old one or the new one at every moment; its mode and owner stay; a
//! link stays a link, since the caller resolves it first.

use std::fs::{self, Metadata};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};
use thiserror::Error;

use super::journal::sync_folder;

/// Why a file is not replaced.
#[derive(Debug, Error)]
pub enum WriteError {
    /// It may not be written; the mode is the user's decision.
    #[error("{} is read-only; make it writable and try again", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// It has other names, which a rename would separate from it.
    #[error("{} has other hard links, which a change would separate from it", path.display())]
    HardLinks {
        /// The file.
        path: PathBuf,
    },
    /// It could not be written.
    #[error("failed to write {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Refuses a file that must not be replaced.
pub(super) fn check(target: &Path) -> Result<Metadata, WriteError> {
    let metadata = fs::metadata(target)
        .map_err(|source| WriteError::Io { path: target.to_owned(), source })?;
    if metadata.permissions().readonly() {
        return Err(WriteError::ReadOnly { path: target.to_owned() });
    }
    if has_other_names(&metadata) {
        return Err(WriteError::HardLinks { path: target.to_owned() });
    }
    Ok(metadata)
}

/// Writes the new bytes beside the target.
pub(super) fn prepare(target: &Path, bytes: &[u8], tag: &str) -> Result<NamedTempFile, WriteError> {
    let metadata = check(target)?;
    let prepare = || -> io::Result<NamedTempFile> {
        let folder = target.parent().unwrap_or(Path::new("."));
        let prefix = prefix(tag);
        let mut file = Builder::new().prefix(&prefix).suffix(".tmp").tempfile_in(folder)?;
        file.write_all(bytes)?;
        keep_owner(&file, &metadata)?;
        file.as_file().set_permissions(metadata.permissions())?;
        file.as_file().sync_all()?;
        Ok(file)
    };
    prepare().map_err(|source| WriteError::Io { path: target.to_owned(), source })
}

/// Puts the temporary file in the target's place.
pub(super) fn replace(file: NamedTempFile, target: &Path) -> Result<(), WriteError> {
    let replace = || -> io::Result<()> {
        file.persist(target)?;
        sync_folder(target.parent().unwrap_or(Path::new(".")))
    };
    replace().map_err(|source| WriteError::Io { path: target.to_owned(), source })
}

/// Replaces a file that nobody else is changing.
pub(crate) fn replace_file(target: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    replace(prepare(target, bytes, "hook")?, target)
}

/// Creates a file that is not there, and the folder it is in. It is the user's alone to read, and to
/// run where it is `executable`.
pub(crate) fn create_file(target: &Path, bytes: &[u8], executable: bool) -> Result<(), WriteError> {
    let create = || -> io::Result<()> {
        let folder = target.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut file = Builder::new().prefix(&prefix("hook")).suffix(".tmp").tempfile_in(folder)?;
        file.write_all(bytes)?;
        if executable {
            make_executable(&file)?;
        }
        file.as_file().sync_all()?;
        file.persist_noclobber(target)?;
        sync_folder(folder)
    };
    create().map_err(|source| WriteError::Io { path: target.to_owned(), source })
}

/// Removes what a crash has left beside the target. Only for the holder of the journal's lock.
pub(super) fn sweep(target: &Path, tag: &str) {
    let Some(folder) = target.parent() else { return };
    let Ok(names) = fs::read_dir(folder) else { return };
    let prefix = prefix(tag);
    for name in names.filter_map(Result::ok) {
        let text = name.file_name();
        let text = text.to_string_lossy();
        if text.starts_with(&prefix) && text.ends_with(".tmp") {
            // A file that stays is in nobody's way.
            let _ = fs::remove_file(name.path());
        }
    }
}

fn prefix(tag: &str) -> String {
    format!(".defenter-{tag}-")
}

#[cfg(unix)]
fn make_executable(file: &NamedTempFile) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.as_file().set_permissions(fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn make_executable(_file: &NamedTempFile) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn has_other_names(metadata: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(metadata) > 1
}

#[cfg(not(unix))]
fn has_other_names(_metadata: &Metadata) -> bool {
    false
}

#[cfg(unix)]
fn keep_owner(file: &NamedTempFile, metadata: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    let own = file.as_file().metadata()?;
    if (own.uid(), own.gid()) == (metadata.uid(), metadata.gid()) {
        return Ok(());
    }
    fchown(file.as_file(), Some(metadata.uid()), Some(metadata.gid()))
}

#[cfg(not(unix))]
fn keep_owner(_file: &NamedTempFile, _metadata: &Metadata) -> io::Result<()> {
    Ok(())
}
