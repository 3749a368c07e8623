//! Whether a dialog can be shown at all, found out before one is tried.
//!
//! - Accepts: a way to look up environment variables.
//! - Promises: no dialog is tried where its failure could be taken for an answer.
//!
//! On Linux and the BSDs a message dialog is the program `zenity`, and everything that it prints is
//! taken for a click on the middle button, which is the one that allows. So it is run once to print
//! its version: a program that cannot open the display, or that prints anything else besides, is
//! not given the chance.

use std::ffi::OsString;

/// Looks an environment variable up.
pub(in crate::commands) type Lookup<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// Why no dialog can be shown.
#[derive(Debug, thiserror::Error)]
#[cfg_attr(
    any(target_os = "macos", windows),
    expect(dead_code, reason = "these systems always have a dialog")
)]
pub(in crate::commands) enum DisplayError {
    /// The environment names no display.
    #[error("neither DISPLAY nor WAYLAND_DISPLAY is set, so no dialog can be shown")]
    None,
    /// It names one that nobody serves.
    #[error("nobody serves the display that DISPLAY or WAYLAND_DISPLAY names")]
    Unreachable,
    /// The dialog program is not there.
    #[error("zenity is not on PATH; install it to be asked in a dialog")]
    NoProgram,
    /// The dialog program does not work.
    #[error("zenity does not work on this display: {0}")]
    Broken(String),
    /// The environment makes the dialog program print what would be taken for an answer.
    #[error("G_MESSAGES_DEBUG is set, which makes zenity print more than the answer; unset it")]
    Noisy,
}

/// The same text with an invisible mark between any two characters of a line that forbids to wrap
/// it there. The lines are short enough to fit. Wrapped at 60 letters, as GTK would, the second half
/// of a line could look like a line of ours, whatever mark the first half starts with.
#[cfg(not(any(target_os = "macos", windows)))]
pub(super) fn unbreakable(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 4);
    let mut inside = false;
    for c in text.chars() {
        if inside && c != '\n' {
            out.push('\u{2060}');
        }
        out.push(c);
        inside = c != '\n';
    }
    out
}

/// The same text: what these systems' dialogs do with such marks is not known.
#[cfg(any(target_os = "macos", windows))]
pub(super) fn unbreakable(text: &str) -> String {
    text.to_owned()
}

/// Checks what a dialog needs.
#[cfg(any(target_os = "macos", windows))]
pub(in crate::commands) fn check(_variable: Lookup<'_>) -> Result<(), DisplayError> {
    Ok(())
}

#[cfg(not(any(target_os = "macos", windows)))]
pub(in crate::commands) use unix::check;

#[cfg(not(any(target_os = "macos", windows)))]
mod unix {
    use std::ffi::OsStr;
    use std::io::Read as _;
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::net::UnixStream;
    use std::path::{Path, PathBuf};
    use std::process::{Command, Stdio};

    use super::{DisplayError, Lookup};

    /// The most of a version that is read.
    const MAX_VERSION_BYTES: u64 = 4096;

    /// Checks what a dialog needs: a display that answers, and a dialog program that works on it.
    pub(in crate::commands) fn check(variable: Lookup<'_>) -> Result<(), DisplayError> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        if set("G_MESSAGES_DEBUG").is_some() {
            return Err(DisplayError::Noisy);
        }
        let (wayland, x11) = (set("WAYLAND_DISPLAY"), set("DISPLAY"));
        if wayland.is_none() && x11.is_none() {
            return Err(DisplayError::None);
        }
        let runtime = set("XDG_RUNTIME_DIR");
        let served = wayland.is_some_and(|name| wayland_answers(&name, runtime.as_deref()))
            || x11.is_some_and(|name| x11_answers(&name));
        if !served {
            return Err(DisplayError::Unreachable);
        }
        let path = set("PATH").ok_or(DisplayError::NoProgram)?;
        works(&find(&path, "zenity").ok_or(DisplayError::NoProgram)?)
    }

    fn wayland_answers(name: &OsStr, runtime: Option<&OsStr>) -> bool {
        let name = Path::new(name);
        let socket = match (name.is_absolute(), runtime) {
            (true, _) => name.to_owned(),
            (false, Some(folder)) => Path::new(folder).join(name),
            (false, None) => return false,
        };
        UnixStream::connect(socket).is_ok()
    }

    /// Tries the local socket of `[host]:number[.screen]`. A display elsewhere (forwarded by ssh) is
    /// taken on trust, since looking up a host could take longer than the question is open.
    fn x11_answers(name: &OsStr) -> bool {
        let Some((host, number)) = name.to_str().and_then(|name| name.rsplit_once(':')) else {
            return false;
        };
        let number = number.split('.').next().unwrap_or_default();
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return false;
        }
        if !matches!(host, "" | "unix") {
            return true;
        }
        let socket = format!("/tmp/.X11-unix/X{number}");
        UnixStream::connect(&socket).is_ok() || abstract_answers(&socket)
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn abstract_answers(name: &str) -> bool {
        use std::os::linux::net::SocketAddrExt as _;
        std::os::unix::net::SocketAddr::from_abstract_name(name)
            .and_then(|address| UnixStream::connect_addr(&address))
            .is_ok()
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    fn abstract_answers(_name: &str) -> bool {
        false
    }

    fn find(path: &OsStr, program: &str) -> Option<PathBuf> {
        std::env::split_paths(path).map(|folder| folder.join(program)).find(|candidate| {
            candidate
                .metadata()
                .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
        })
    }

    /// Has the program print its version. The title is there because a program in a locale without
    /// UTF-8 takes no argument like it, nor like the text that is to be shown.
    fn works(program: &Path) -> Result<(), DisplayError> {
        let broken = |error: std::io::Error| DisplayError::Broken(error.to_string());
        let mut child = Command::new(program)
            .args(["--version", "--title", "“Defenter”"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(broken)?;
        let mut printed = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            stdout.take(MAX_VERSION_BYTES).read_to_end(&mut printed).map_err(broken)?;
        }
        let status = child.wait().map_err(broken)?;
        if !status.success() {
            return Err(DisplayError::Broken(format!(
                "asked for its version, it ended with {status}; it needs a display and a UTF-8 locale"
            )));
        }
        if !is_version(&printed) {
            return Err(DisplayError::Broken("it prints more than its version".to_owned()));
        }
        Ok(())
    }

    /// Whether `text` is one line of digits and full stops, and nothing else.
    fn is_version(text: &[u8]) -> bool {
        let line = text.strip_suffix(b"\n").unwrap_or(text);
        line.first().is_some_and(u8::is_ascii_digit)
            && line.len() < 32
            && line.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
    }

    #[cfg(test)]
    mod tests {
        use std::collections::HashMap;
        use std::os::unix::net::UnixListener;

        use super::*;

        /// A folder with a display that answers and a `zenity` made of a few lines of shell.
        fn desk(script: &str) -> tempfile::TempDir {
            let folder = tempfile::tempdir().unwrap();
            let program = folder.path().join("zenity");
            std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
            folder
        }

        fn outcome(folder: &tempfile::TempDir, change: &[(&str, Option<&str>)]) -> String {
            let socket = folder.path().join("wayland");
            let _listener = UnixListener::bind(&socket).unwrap();
            let mut variables: HashMap<&str, std::ffi::OsString> = HashMap::from([
                ("WAYLAND_DISPLAY", socket.clone().into_os_string()),
                ("PATH", folder.path().as_os_str().to_owned()),
            ]);
            for (name, value) in change {
                match value {
                    Some(value) => variables.insert(name, value.into()),
                    None => variables.remove(name),
                };
            }
            let result = check(&|name| variables.get(name).cloned());
            std::fs::remove_file(&socket).unwrap();
            result.map_or_else(|error| error.to_string(), |()| "fine".to_owned())
        }

        #[test]
        fn tells_what_is_missing() {
            let folder = desk("echo 3.44.0");
            for (change, expected) in [
                (&[][..], "fine"),
                (&[("WAYLAND_DISPLAY", None)], "neither DISPLAY nor"),
                (&[("WAYLAND_DISPLAY", Some(""))], "neither DISPLAY nor"),
                (&[("WAYLAND_DISPLAY", Some("/nonexistent"))], "nobody serves"),
                (&[("WAYLAND_DISPLAY", Some("wayland-0"))], "nobody serves"),
                (&[("WAYLAND_DISPLAY", None), ("DISPLAY", Some(":987654"))], "nobody serves"),
                (&[("WAYLAND_DISPLAY", None), ("DISPLAY", Some("nonsense"))], "nobody serves"),
                (&[("WAYLAND_DISPLAY", None), ("DISPLAY", Some("far:10.0"))], "fine"),
                (&[("PATH", None)], "zenity is not on PATH"),
                (&[("PATH", Some("/nonexistent"))], "zenity is not on PATH"),
                (&[("G_MESSAGES_DEBUG", Some("all"))], "G_MESSAGES_DEBUG is set"),
            ] {
                let told = outcome(&folder, change);
                assert!(told.starts_with(expected), "{change:?}: {told}");
            }
        }

        #[test]
        fn a_dialog_program_that_prints_more_than_asked_is_not_used() {
            for (script, expected) in [
                ("echo 4.0.1", "fine"),
                ("echo 'cannot open display' >&2; exit 1", "zenity does not work"),
                ("echo 'Gtk-Message: hello'; echo 3.44.0", "zenity does not work"),
                ("echo Allow once", "zenity does not work"),
                ("kill -9 $$", "zenity does not work"),
                ("true", "zenity does not work"),
                ("exec cat /dev/zero", "zenity does not work"),
            ] {
                let told = outcome(&desk(script), &[]);
                assert!(told.starts_with(expected), "{script}: {told}");
            }
        }
    }
}

#[cfg(test)]
#[cfg(not(any(target_os = "macos", windows)))]
mod tests {
    use super::unbreakable;

    #[test]
    fn no_line_can_be_wrapped() {
        assert_eq!(unbreakable("a b\n\nc"), "a\u{2060} \u{2060}b\n\nc");
        assert_eq!(unbreakable(""), "");
    }
}
