//! The key of the fingerprints: made once for an installation, so that a value has the same
//! fingerprint in every process of ours and none can be guessed from it elsewhere.
//!
//! Owns: the file. Accepts: its path. Emits: the key.
//! Promises: never half a key, also when several processes make one at once; a key that others
//! could have read or written is not used; there is no other key to fall back on.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

/// A key, in bytes.
pub(crate) type Key = [u8; 32];

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It cannot be read.
    #[error("failed to read the fingerprint key {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It cannot be made.
    #[error("failed to make the fingerprint key {path}: {source}")]
    Make {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Somebody else could have read or written it.
    #[error("the fingerprint key {path} is not this user's alone; remove it, and another is made")]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// It is something else.
    #[error("the fingerprint key {path} is not a file of 32 bytes; remove it, and another is made")]
    Form {
        /// The file.
        path: PathBuf,
    },
}

/// Reads the key; nothing where there is none yet.
///
/// # Errors
/// [`KeyError`] where it is there and cannot be used.
pub(crate) fn read(path: &Path) -> Result<Option<Key>, KeyError> {
    let failed = |source| KeyError::Read { path: path.to_owned(), source };
    // A pipe is never opened: it may block for ever.
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Err(KeyError::Form { path: path.to_owned() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    }
    let mut file = match for_reading().open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    if !is_private(&file).map_err(failed)? {
        return Err(KeyError::Exposed { path: path.to_owned() });
    }
    let mut key = [0; 33];
    let mut length = 0;
    while length < key.len() {
        match file.read(&mut key[length..]).map_err(failed)? {
            0 => break,
            read => length += read,
        }
    }
    match key[..length].try_into() {
        Ok(key) => Ok(Some(key)),
        Err(_) => Err(KeyError::Form { path: path.to_owned() }),
    }
}

/// Makes the key where there is none yet. Of several processes that do so at once, one does.
///
/// # Errors
/// [`KeyError::Make`] where it cannot be written.
pub(crate) fn make(path: &Path) -> Result<(), KeyError> {
    let failed = |source| KeyError::Make { path: path.to_owned(), source };
    if fs::symlink_metadata(path).is_ok() {
        return Ok(());
    }
    let mut key: Key = [0; 32];
    getrandom::fill(&mut key).map_err(|error| failed(error.into()))?;
    let draft = path.with_extension(format!("new-{}", uuid::Uuid::new_v4()));
    let made = write(&draft, &key).and_then(|()| match fs::hard_link(&draft, path) {
        // Somebody else was first, and theirs is the key.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    });
    let removed = fs::remove_file(&draft);
    made.and(removed).map_err(failed)
}

fn write(path: &Path, key: &Key) -> io::Result<()> {
    let mut file = for_making().open(path)?;
    file.write_all(key)?;
    file.sync_all()
}

#[cfg(unix)]
fn for_reading() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    options.read(true).custom_flags(flags.bits().cast_signed());
    options
}

#[cfg(unix)]
fn for_making() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options
}

/// Whether a file is this user's, who alone may read and write it.
#[cfg(unix)]
fn is_private(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let metadata = file.metadata()?;
    let own = metadata.uid() == rustix::process::geteuid().as_raw();
    Ok(metadata.is_file() && own && metadata.mode() & 0o077 == 0)
}

#[cfg(not(unix))]
fn for_reading() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true);
    options
}

#[cfg(not(unix))]
fn for_making() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    options
}

/// The folder of the state is the user's own, and so is what is in it.
#[cfg(not(unix))]
fn is_private(_file: &File) -> io::Result<bool> {
    Ok(true)
}

#[cfg(all(test, unix))]
mod tests {
    use std::{collections::BTreeSet, os::unix::fs::PermissionsExt, thread};

    use super::*;

    #[test]
    fn a_key_is_made_once_for_this_user_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fingerprint.key");
        assert_eq!(read(&path).unwrap(), None);
        make(&path).unwrap();
        let key = read(&path).unwrap().unwrap();
        assert_ne!(key, [0; 32]);
        make(&path).unwrap();
        assert_eq!(read(&path).unwrap(), Some(key), "it stays");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn processes_that_make_one_at_once_agree() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fingerprint.key");
        let keys: BTreeSet<Key> = thread::scope(|scope| {
            let makers: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        make(&path).unwrap();
                        read(&path).unwrap().unwrap()
                    })
                })
                .collect();
            makers.into_iter().map(|maker| maker.join().unwrap()).collect()
        });
        assert_eq!(keys.len(), 1);
    }

    #[test]
    fn a_key_that_is_not_one_is_not_used_and_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let check = |name: &str, content: &[u8], mode: u32, expected: &str| {
            let path = folder.path().join(name);
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = read(&path).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
            assert!(!format!("{error:?}").contains("115"), "{error:?}");
        };
        check("open", &[b's'; 32], 0o644, "not this user's alone");
        check("short", &[b's'; 31], 0o600, "not a file of 32 bytes");
        check("long", &[b's'; 33], 0o600, "not a file of 32 bytes");
        let real = folder.path().join("real");
        make(&real).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&real, &link).unwrap();
        assert!(matches!(read(&link), Err(KeyError::Form { .. })));
        make(&link).unwrap();
        assert!(matches!(read(folder.path()), Err(KeyError::Form { .. })));
    }
}
