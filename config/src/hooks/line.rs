//! Our hook as a line for a shell.
//!
//! Owns: how a program's path is quoted, and how such a line is told again.

use crate::clients::is_defenter;
use crate::host::Os;

/// A command line for the system's shell.
pub(super) fn command_line<'w>(os: Os, words: impl Iterator<Item = &'w str>) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:\\".contains(c);
    let quoted = |word: &str| match os {
        Os::Windows if word.chars().all(plain) => word.to_owned(),
        // A path holds no quotation mark on Windows.
        Os::Windows => format!("\"{word}\""),
        _ if word.chars().all(|c| plain(c) && c != '\\') => word.to_owned(),
        _ => format!("'{}'", word.replace('\'', "'\\''")),
    };
    words.map(quoted).collect::<Vec<_>>().join(" ")
}

/// True for a command line that runs our hook: `…/defenter hook …`.
pub(super) fn is_our_line(line: &str) -> bool {
    let line = line.trim_start().trim_start_matches("& ").trim_start();
    let (program, rest) = match line.chars().next() {
        Some(quote @ ('"' | '\'')) => match line[1..].rsplit_once(quote) {
            Some((program, rest)) => (program, rest),
            None => return false,
        },
        _ => line.split_once(' ').unwrap_or((line, "")),
    };
    is_defenter(program) && rest.split_whitespace().next() == Some("hook")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_lines_are_told_whatever_is_in_the_path() {
        for program in ["/d/defenter", "/a b/defenter", "/it's/defenter"] {
            let line = command_line(Os::Linux, [program, "hook", "x"].into_iter());
            assert!(is_our_line(&line), "{line}");
        }
        let line = command_line(Os::Windows, ["C:\\a b\\defenter.exe", "hook"].into_iter());
        assert_eq!(line, "\"C:\\a b\\defenter.exe\" hook");
        assert!(is_our_line(&line) && is_our_line(&format!("& {line}")));
        for line in ["npx hook", "/d/defenter proxy hook", "hook", "", "\"", "'/d/defenter"] {
            assert!(!is_our_line(line), "{line}");
        }
    }
}
