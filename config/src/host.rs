//! The machine as this crate sees it: system, home and environment, all passed in.
//!
//! Owns: the three systems' folders for application data, and how a path written in a config file
//! maps to a file that can be opened.
//! Accepts: whatever the caller says; nothing is read from the process.
//! Emits: paths.
//! Promises: no clock, no environment, no global; all three systems can be looked at anywhere.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// The most users of a mounted system that are looked at.
const MAX_USERS: usize = 100;

/// An operating system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Os {
    /// Linux, and other Unix systems that follow the XDG rules.
    Linux,
    /// macOS.
    Macos,
    /// Windows.
    Windows,
}

impl Os {
    /// The system this program was built for.
    pub const fn current() -> Self {
        if cfg!(windows) {
            Self::Windows
        } else if cfg!(target_os = "macos") {
            Self::Macos
        } else {
            Self::Linux
        }
    }
}

impl fmt::Display for Os {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Linux => "linux",
            Self::Macos => "macos",
            Self::Windows => "windows",
        })
    }
}

/// A machine and a user on it.
#[derive(Clone)]
pub struct Host {
    /// Its system.
    pub os: Os,
    /// The user's home, as that system writes it.
    pub home: PathBuf,
    /// The user's environment. Only variables that move a client's files are read.
    pub env: BTreeMap<String, String>,
    /// Where the machine's file tree is mounted, for looking at another machine's files (a
    /// fixture tree, a WSL distribution seen from Windows). None for this machine.
    pub root: Option<PathBuf>,
    /// Where the file trees of Linux systems within this one are (`\\\\wsl.localhost\\NAME`); their
    /// users' clients are looked at too, and never changed.
    pub linux_within: Vec<PathBuf>,
}

impl fmt::Debug for Host {
    // The environment is full of secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("os", &self.os)
            .field("home", &self.home)
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}

impl Host {
    /// This machine.
    pub fn new(os: Os, home: impl Into<PathBuf>, env: BTreeMap<String, String>) -> Self {
        Self { os, home: home.into(), env, root: None, linux_within: Vec::new() }
    }

    /// The same machine with its file tree mounted elsewhere.
    #[must_use]
    pub fn mounted_at(mut self, root: impl Into<PathBuf>) -> Self {
        self.root = Some(root.into());
        self
    }

    /// The users of a Linux whose file tree is mounted at a folder: a WSL distribution seen from
    /// Windows (`\\\\wsl.localhost\\NAME`). Their environments are not known.
    pub fn linux_users_at(root: &Path) -> Vec<Self> {
        let homes = std::fs::read_dir(root.join("home")).into_iter().flatten();
        let mut names: Vec<String> = homes
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
                is_folder.then(|| entry.file_name().into_string().ok())?
            })
            .take(MAX_USERS)
            .collect();
        names.sort();
        let homes = names.into_iter().map(|name| format!("/home/{name}"));
        let homes = homes.chain(root.join("root").is_dir().then(|| "/root".to_owned()));
        homes.map(|home| Self::new(Os::Linux, home, BTreeMap::new()).mounted_at(root)).collect()
    }

    /// The value of a variable, unless it is empty.
    pub fn var(&self, name: &str) -> Option<&str> {
        self.env.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The home with forward slashes.
    pub fn home_text(&self) -> String {
        slashes(&self.home.to_string_lossy())
    }

    /// Applications' data: `$XDG_CONFIG_HOME` or `~/.config`, `~/Library/Application Support`,
    /// `%APPDATA%`.
    pub fn app_data(&self) -> String {
        match self.os {
            Os::Linux => self.xdg_config(),
            Os::Macos => format!("{}/Library/Application Support", self.home_text()),
            Os::Windows => self.folder("APPDATA", "AppData/Roaming"),
        }
    }

    /// `$XDG_CONFIG_HOME` or `~/.config`, on every system.
    pub fn xdg_config(&self) -> String {
        self.folder("XDG_CONFIG_HOME", ".config")
    }

    /// `%LOCALAPPDATA%`.
    pub fn local_app_data(&self) -> String {
        self.folder("LOCALAPPDATA", "AppData/Local")
    }

    /// `%ProgramData%`.
    pub fn program_data(&self) -> String {
        self.var("ProgramData").map_or_else(|| format!("{}/ProgramData", self.drive()), slashes)
    }

    /// `%ProgramFiles%`.
    pub fn program_files(&self) -> String {
        self.var("ProgramFiles").map_or_else(|| format!("{}/Program Files", self.drive()), slashes)
    }

    /// The file behind a path of this machine. Forward and backward slashes are the same on
    /// Windows, and a drive is part of the mounted tree.
    pub fn real(&self, path: &str) -> PathBuf {
        let Some(root) = &self.root else { return PathBuf::from(path) };
        let path = if self.os == Os::Windows { slashes(path) } else { path.to_owned() };
        let inside = match path.as_bytes() {
            [drive, b':', ..] if drive.is_ascii_alphabetic() && self.os == Os::Windows => {
                &path[2..]
            }
            _ => &path,
        };
        root.join(inside.trim_start_matches('/'))
    }

    /// True where a path of this machine is absolute.
    pub fn is_absolute(&self, path: &str) -> bool {
        match self.os {
            Os::Windows => {
                let bytes = path.as_bytes();
                path.starts_with("\\\\")
                    || matches!(bytes, [d, b':', b'/' | b'\\', ..] if d.is_ascii_alphabetic())
            }
            _ => Path::new(path).is_absolute() || path.starts_with('/'),
        }
    }

    fn folder(&self, variable: &str, below_home: &str) -> String {
        self.var(variable)
            .filter(|value| self.is_absolute(value))
            .map_or_else(|| format!("{}/{below_home}", self.home_text()), slashes)
    }

    fn drive(&self) -> String {
        let home = self.home_text();
        match home.as_bytes() {
            [drive, b':', ..] if drive.is_ascii_alphabetic() => home[..2].to_owned(),
            _ => "C:".to_owned(),
        }
    }
}

/// The names of the Linux systems in what `wsl.exe --list --quiet` prints: UTF-16, or UTF-8 where
/// `WSL_UTF8` is set; one a line. A name that could lead elsewhere is left out.
pub fn wsl_names(printed: &[u8]) -> Vec<String> {
    let text = if printed.contains(&0) {
        let units = printed.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
        char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect()
    } else {
        String::from_utf8_lossy(printed).into_owned()
    };
    let is_name = |name: &&str| {
        let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ');
        !name.is_empty() && !name.starts_with('.') && name.chars().all(is_plain)
    };
    let names = text.lines().map(|line| line.trim_matches(['\u{feff}', ' ', '\r'])).filter(is_name);
    names.take(MAX_USERS).map(str::to_owned).collect()
}

/// A path with forward slashes.
pub(crate) fn slashes(path: &str) -> String {
    path.replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(os: Os, home: &str, env: &[(&str, &str)]) -> Host {
        let env = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Host::new(os, home, env)
    }

    #[test]
    fn application_data_follows_each_system() {
        assert_eq!(host(Os::Linux, "/home/dev", &[]).app_data(), "/home/dev/.config");
        let moved = host(Os::Linux, "/home/dev", &[("XDG_CONFIG_HOME", "/cfg")]);
        assert_eq!(moved.app_data(), "/cfg");
        let relative = host(Os::Linux, "/home/dev", &[("XDG_CONFIG_HOME", "cfg")]);
        assert_eq!(relative.app_data(), "/home/dev/.config");
        assert_eq!(
            host(Os::Macos, "/Users/dev", &[]).app_data(),
            "/Users/dev/Library/Application Support"
        );
        let windows = host(Os::Windows, "C:\\Users\\dev", &[]);
        assert_eq!(windows.app_data(), "C:/Users/dev/AppData/Roaming");
        assert_eq!(windows.program_data(), "C:/ProgramData");
    }

    #[test]
    fn the_users_of_a_mounted_linux_are_found() {
        let root = tempfile::tempdir().expect("a folder");
        for folder in ["home/b", "home/a", "root", "etc"] {
            std::fs::create_dir_all(root.path().join(folder)).expect("a folder");
        }
        std::fs::write(root.path().join("home/file"), "").expect("a file");
        let users = Host::linux_users_at(root.path());
        let homes: Vec<String> = users.iter().map(Host::home_text).collect();
        assert_eq!(homes, ["/home/a", "/home/b", "/root"]);
        assert_eq!(users[0].real("/home/a/.x"), root.path().join("home/a/.x"));
        assert!(Host::linux_users_at(Path::new("/nonexistent")).is_empty());
    }

    #[test]
    fn the_names_of_linux_systems_are_read_in_both_encodings() {
        let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
        let text = "Ubuntu-24.04\r\nDebian\r\n\r\n";
        assert_eq!(wsl_names(&wide(text)), ["Ubuntu-24.04", "Debian"]);
        assert_eq!(wsl_names(&wide(&format!("\u{feff}{text}"))), ["Ubuntu-24.04", "Debian"]);
        assert_eq!(wsl_names(text.as_bytes()), ["Ubuntu-24.04", "Debian"]);
        assert_eq!(wsl_names(b"..\\..\\x\n../y\n.\n"), [""; 0]);
        assert_eq!(wsl_names(b""), [""; 0]);
    }

    #[test]
    fn a_mounted_tree_takes_absolute_paths_inside() {
        let linux = host(Os::Linux, "/home/dev", &[]).mounted_at("/tmp/tree");
        assert_eq!(linux.real("/home/dev/x"), PathBuf::from("/tmp/tree/home/dev/x"));
        let windows = host(Os::Windows, "C:\\Users\\dev", &[]).mounted_at("/tmp/tree");
        assert_eq!(windows.real("C:\\Users\\dev\\x"), PathBuf::from("/tmp/tree/Users/dev/x"));
        assert_eq!(windows.real("C:/Users/dev/x"), PathBuf::from("/tmp/tree/Users/dev/x"));
    }
}
