//! Where Defenter keeps its own files.
//!
//! Owns: the layout of `~/.defenter`, and the name of the local socket.
//! Accepts: a [`Host`] and the user's id.
//! Emits: paths, and the folders themselves on [`Paths::create`].
//! Promises: folders are 0700 and the user's own; the socket's path follows from home and user id
//! alone, since clients strip the environment (`XDG_RUNTIME_DIR` first), and fits the system's
//! limit.

use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::host::{Host, Os};

/// The longest path a Unix socket may have, in bytes without the final NUL, on every supported
/// system (Linux: 107 of `sun_path[108]`; macOS: 103 of `sun_path[104]`).
pub const MAX_SOCKET_PATH: usize = 103;

/// Defenter's own files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// `~/.defenter`, or `$DEFENTER_HOME`.
    pub home: PathBuf,
    /// Sockets, process ids, tokens.
    pub run: PathBuf,
    /// Pins, grants, the install journal and its backups.
    pub state: PathBuf,
    /// The record.
    pub audit: PathBuf,
    /// The user's policies.
    pub policies: PathBuf,
    /// The settings file.
    pub settings: PathBuf,
    /// The settings file of Defenter 0.0.96 (`KEY=value`).
    pub legacy_settings: PathBuf,
    /// The organisation's settings file.
    pub organisation_settings: PathBuf,
    /// The organisation's policies.
    pub organisation_policies: PathBuf,
    /// The local socket; on Windows the name of the pipe.
    pub socket: PathBuf,
    /// The folder of the socket, where it is not [`Paths::run`].
    pub socket_folder: Option<PathBuf>,
}

/// Why a folder could not be made safe.
#[derive(Debug, Error)]
pub enum PathsError {
    /// It could not be created or looked at.
    #[error("failed to create the folder {}", path.display())]
    Create {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something else is in its place.
    #[error(
        "{} is not a folder of this user; remove it, or set DEFENTER_HOME to another place",
        path.display()
    )]
    NotOurs {
        /// The path.
        path: PathBuf,
    },
}

impl Paths {
    /// The paths of a user. `uid` is the Unix user id; it is ignored on Windows.
    pub fn new(host: &Host, uid: u32) -> Self {
        let home = match host.var("DEFENTER_HOME") {
            Some(moved) if host.is_absolute(moved) => host.real(moved),
            _ => host.real(&format!("{}/.defenter", host.home_text())),
        };
        let organisation = host.real(&match host.os {
            Os::Linux => "/etc/defenter".to_owned(),
            Os::Macos => "/Library/Application Support/Defenter".to_owned(),
            Os::Windows => format!("{}/Defenter", host.program_data()),
        });
        let (socket, socket_folder) = socket(host.os, &home, uid);
        Self {
            run: home.join("run"),
            state: home.join("state"),
            audit: home.join("audit"),
            policies: home.join("policy.d"),
            settings: home.join("config.json"),
            legacy_settings: home.join("config"),
            organisation_settings: organisation.join("config.json"),
            organisation_policies: organisation.join("policy.d"),
            home,
            socket,
            socket_folder,
        }
    }

    /// Where the install journal lies.
    pub fn install_journal(&self) -> PathBuf {
        self.state.join("install")
    }

    /// Creates the user's folders, each 0700. A folder that exists must be a real folder of
    /// `uid`; its mode is narrowed to 0700.
    ///
    /// # Errors
    /// [`PathsError`] where a folder cannot be created or is not the user's own.
    pub fn create(&self, uid: u32) -> Result<(), PathsError> {
        let folders = [&self.home, &self.run, &self.state, &self.audit, &self.policies];
        for folder in folders.into_iter().chain(&self.socket_folder) {
            private_folder(folder, uid)?;
        }
        Ok(())
    }
}

fn socket(os: Os, home: &Path, uid: u32) -> (PathBuf, Option<PathBuf>) {
    let hash = hex(&Sha256::digest(home.as_os_str().as_encoded_bytes())[..8]);
    if os == Os::Windows {
        return (PathBuf::from(format!("\\\\.\\pipe\\defenter-{hash}")), None);
    }
    let socket = home.join("run").join("defenter.sock");
    if socket.as_os_str().len() <= MAX_SOCKET_PATH {
        return (socket, None);
    }
    let folder = PathBuf::from(format!("/tmp/defenter-{uid}-{hash}"));
    (folder.join("defenter.sock"), Some(folder))
}

/// Creates one folder for this user alone.
#[cfg(unix)]
pub(crate) fn private_folder(path: &Path, uid: u32) -> Result<(), PathsError> {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};

    let failed = |source| PathsError::Create { path: path.to_owned(), source };
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(path).map_err(failed)?;
    let metadata = std::fs::symlink_metadata(path).map_err(failed)?;
    let metadata = match metadata.is_symlink() {
        // A home that is a link to another disk is the user's choice; a link that another user
        // may have planted is not.
        true if metadata.uid() == uid => std::fs::metadata(path).map_err(failed)?,
        _ => metadata,
    };
    if !metadata.is_dir() || metadata.uid() != uid {
        return Err(PathsError::NotOurs { path: path.to_owned() });
    }
    if metadata.mode() & 0o077 != 0 {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).map_err(failed)?;
    }
    Ok(())
}

/// Creates one folder. On Windows a profile folder is the user's own by inheritance.
#[cfg(not(unix))]
pub(crate) fn private_folder(path: &Path, _uid: u32) -> Result<(), PathsError> {
    std::fs::create_dir_all(path)
        .map_err(|source| PathsError::Create { path: path.to_owned(), source })?;
    if path.is_dir() { Ok(()) } else { Err(PathsError::NotOurs { path: path.to_owned() }) }
}

/// Bytes as lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn paths(home: &str, env: &[(&str, &str)]) -> Paths {
        let env: BTreeMap<String, String> =
            env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Paths::new(&Host::new(Os::Linux, home, env), 1000)
    }

    #[test]
    fn the_environment_moves_the_home() {
        assert_eq!(paths("/home/dev", &[]).home, PathBuf::from("/home/dev/.defenter"));
        let moved = paths("/home/dev", &[("DEFENTER_HOME", "/data/d")]);
        assert_eq!(moved.settings, PathBuf::from("/data/d/config.json"));
        let relative = paths("/home/dev", &[("DEFENTER_HOME", "d")]);
        assert_eq!(relative.home, PathBuf::from("/home/dev/.defenter"));
    }

    #[test]
    fn a_long_home_gets_a_short_socket() {
        assert_eq!(
            paths("/home/dev", &[]).socket,
            PathBuf::from("/home/dev/.defenter/run/defenter.sock")
        );
        let long = format!("/home/{}", "x".repeat(100));
        let far = paths(&long, &[]);
        assert!(far.socket.as_os_str().len() <= MAX_SOCKET_PATH);
        assert!(far.socket.starts_with("/tmp"));
        assert_eq!(far.socket.parent().map(Path::to_owned), far.socket_folder);
        assert_eq!(far.socket, paths(&long, &[("XDG_RUNTIME_DIR", "/run/user/1")]).socket);
        assert_ne!(far.socket, paths(&format!("{long}y"), &[]).socket);
    }

    #[cfg(unix)]
    #[test]
    fn folders_are_private_and_of_the_user() {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let place = tempfile::tempdir().expect("a folder");
        let uid = std::fs::metadata(place.path()).expect("metadata").uid();
        let paths = paths(&place.path().to_string_lossy(), &[]);
        std::fs::create_dir(&paths.home).expect("a folder");
        std::fs::set_permissions(&paths.home, PermissionsExt::from_mode(0o755)).expect("a mode");
        paths.create(uid).expect("created");
        for folder in [&paths.home, &paths.run, &paths.state] {
            assert_eq!(std::fs::metadata(folder).expect("metadata").mode() & 0o777, 0o700);
        }
        paths.create(uid).expect("again");
        assert!(matches!(paths.create(uid + 1), Err(PathsError::NotOurs { .. })));
        std::fs::remove_dir(&paths.run).expect("removed");
        std::fs::write(&paths.run, "").expect("a file");
        assert!(paths.create(uid).is_err());
    }
}
