//! The file that a command's name means on Windows.
//!
//! Owns: the search that `cmd.exe` and Node's launchers do, and the system's own process creation
//! does not: `npx` is `npx.cmd` in some folder of `PATH`.
//! Accepts: a name, variables, and a way to look for files.
//! Emits: a path with its ending, or nothing, and then the name stands for itself.
//! Promises: the working directory is not searched for a bare name, unlike `cmd.exe` does: a project
//! must not bring the program that is started.

/// The endings that may be left out where `PATHEXT` does not say (Windows' own default begins so).
const ENDINGS: &str = ".COM;.EXE;.BAT;.CMD";
/// The most folders and the most endings that are looked at.
const MAX_LOOKED_AT: usize = 1000;

/// The file that a command means. `folder` is what a relative one is relative to.
pub(super) fn find(
    command: &str,
    folder: Option<&str>,
    variable: impl Fn(&str) -> Option<String>,
    is_file: impl Fn(&str) -> bool,
) -> Option<String> {
    if command.is_empty() {
        return None;
    }
    let endings = variable("PATHEXT").unwrap_or_else(|| ENDINGS.to_owned());
    let endings = || endings.split(';').map(str::trim).filter(|ending| ending.starts_with('.'));
    let has_ending = {
        let name = command.to_ascii_lowercase();
        endings().any(|ending| name.ends_with(&ending.to_ascii_lowercase()))
    };
    let in_folder = |start: &str| {
        let whole = |ending: &str| format!("{start}{command}{ending}");
        let itself = Some(whole("")).filter(|path| has_ending && is_file(path));
        let ended = || endings().take(MAX_LOOKED_AT).map(|it| whole(&it.to_ascii_lowercase()));
        itself.or_else(|| ended().find(|path| is_file(path)))
    };
    if command.contains(['/', '\\', ':']) {
        let is_absolute = command.starts_with(['/', '\\']) || command.contains(':');
        let start = folder.filter(|_| !is_absolute);
        return in_folder(&start.map_or_else(String::new, |folder| format!("{folder}\\")));
    }
    let path = variable("PATH")?;
    let mut folders = path.split(';').map(|folder| folder.trim().trim_matches('"'));
    let is_absolute = |folder: &&str| folder.starts_with(['/', '\\']) || folder.contains(':');
    let starts = folders.by_ref().filter(is_absolute).take(MAX_LOOKED_AT);
    let mut starts = starts.map(|folder| format!("{}\\", folder.trim_end_matches(['/', '\\'])));
    starts.find_map(|start| in_folder(&start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(command: &str, endings: Option<&str>, expected: Option<&str>) {
        let files = [
            r"C:\Program Files\nodejs\npx",
            r"C:\Program Files\nodejs\npx.cmd",
            r"C:\Program Files\nodejs\node.exe",
            r"C:\tools\uvx.exe",
            r"C:\work\srv.bat",
            r"C:\work\sub\srv.bat",
            r"C:\work\npx.exe",
        ];
        let variable = |name: &str| match name {
            "PATH" => Some(r#"relative;"C:\Program Files\nodejs\";C:\tools"#.to_owned()),
            "PATHEXT" => endings.map(str::to_owned),
            _ => None,
        };
        let found = find(command, Some(r"C:\work"), variable, |path| files.contains(&path));
        assert_eq!(found.as_deref(), expected, "{command}");
    }

    #[test]
    fn a_name_means_the_file_that_a_client_would_start() {
        check("npx", None, Some(r"C:\Program Files\nodejs\npx.cmd"));
        check("npx.cmd", None, Some(r"C:\Program Files\nodejs\npx.cmd"));
        check("NODE", None, None);
        check("node", Some(".JS;.EXE"), Some(r"C:\Program Files\nodejs\node.exe"));
        check("node", Some(".JS;nonsense"), None);
        check("uvx", Some(".EXE;.CMD"), Some(r"C:\tools\uvx.exe"));
        check(r"sub\srv", None, Some(r"C:\work\sub\srv.bat"));
        check("srv", None, None);
        check(r"C:\tools\uvx", None, Some(r"C:\tools\uvx.exe"));
        check(r"C:\tools\uvx.exe", None, Some(r"C:\tools\uvx.exe"));
        check("", None, None);
        check("gone", None, None);
    }
}
