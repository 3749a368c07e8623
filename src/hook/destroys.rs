//! Whether a command does what cannot be undone.
//!
//! Owns: the few commands that no agent needs all day. Accepts: a command line for a shell.
//! Promises: linear; an aid that finds the blunt forms, and no sandbox: whoever wants to hide a
//! command from it can.

/// How deep `sh -c '…'` is followed.
const MAX_INNER: u32 = 3;

/// Commands that run the one after them.
const BEFORE: &[&str] = &[
    "sudo", "doas", "env", "nohup", "time", "exec", "command", "builtin", "xargs", "nice", "then",
    "do", "else", "!",
];
/// Shells that are given a command line.
const SHELLS: &[&str] = &["sh", "bash", "zsh", "dash", "ksh", "eval", "pwsh", "powershell", "cmd"];
/// Names of whole disks begin with these.
const DISKS: &[&str] = &["sd", "hd", "vd", "xvd", "nvme", "mmcblk", "disk", "rdisk"];

/// Looks at a command line.
pub(super) fn destroys(line: &str) -> bool {
    looks(line, 0)
}

fn looks(line: &str, depth: u32) -> bool {
    commands(line).iter().any(|words| is_destructive(words, depth))
}

/// The simple commands of a line, as words without their quotes.
fn commands(line: &str) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    let (mut words, mut word) = (Vec::new(), None::<String>);
    let mut quote = None;
    // How a substitution within double quotes began.
    let mut within = None;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        let inner = c == '`' || (c == '$' && chars.peek() == Some(&'('));
        match (quote, c) {
            (Some('\''), '\'') | (Some('"'), '"') => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            // Substitution runs a command, within double quotes too.
            (None, ')' | '`') if within == Some(if c == ')' { '$' } else { c }) => {
                end(&mut all, &mut words, &mut word);
                (quote, within) = (Some('"'), None);
            }
            (None | Some('"'), _) if inner => {
                end(&mut all, &mut words, &mut word);
                if quote.take().is_some() {
                    within = Some(c);
                }
            }
            (None | Some('"'), '\\') if quote.is_none() || chars.peek() == Some(&'"') => {
                let next = chars.next().unwrap_or(c);
                word.get_or_insert_default().push(next);
            }
            (None, ';' | '&' | '|' | '\n' | '(' | ')' | '{' | '}') if !is_variable(&word, c) => {
                end(&mut all, &mut words, &mut word);
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    end(&mut all, &mut words, &mut word);
    all
}

/// Whether a brace is that of `${NAME}`.
fn is_variable(word: &Option<String>, c: char) -> bool {
    let word = word.as_deref().unwrap_or_default();
    match c {
        '{' => word.ends_with('$'),
        '}' => word.contains("${"),
        _ => false,
    }
}

fn end(all: &mut Vec<Vec<String>>, words: &mut Vec<String>, word: &mut Option<String>) {
    words.extend(word.take());
    if !words.is_empty() {
        all.push(std::mem::take(words));
    }
}

fn is_destructive(words: &[String], depth: u32) -> bool {
    let is_set = |word: &&String| word.contains('=') && !word.starts_with(['-', '=', '/']);
    let is_before = |word: &&String| BEFORE.contains(&name(word).as_str());
    let start = words.iter().position(|word| !is_set(&word) && !is_before(&word));
    let Some((command, args)) = start.and_then(|start| words[start..].split_first()) else {
        return false;
    };
    // Options of `sudo` and the like.
    if command.starts_with('-') {
        return is_destructive(args, depth);
    }
    let has =
        |options: &[&str]| args.iter().any(|arg| options.contains(&arg.to_lowercase().as_str()));
    let has_short = |letter: char| {
        let short = |arg: &&String| arg.starts_with('-') && !arg.starts_with("--");
        args.iter().filter(short).any(|arg| arg.to_lowercase().contains(letter))
    };
    let is_wide = || args.iter().any(|arg| is_wide(arg));
    match name(command).as_str() {
        "rm" | "remove-item" | "ri" => {
            (has_short('r') || has(&["--recursive", "-recurse"])) && is_wide()
        }
        "chmod" | "chown" | "chgrp" => (has_short('r') || has(&["--recursive"])) && is_wide(),
        "find" => is_wide() && has(&["-delete", "rm"]),
        "rd" | "rmdir" | "del" => has(&["/s"]),
        "wipefs" | "shutdown" | "reboot" | "halt" | "poweroff" => true,
        "format" => args.iter().any(|arg| arg.ends_with(':')),
        "dd" => args.iter().any(|arg| arg.strip_prefix("of=").is_some_and(is_disk)),
        "git" => is_final_for_git(args),
        name if name.starts_with("mkfs") => true,
        name if SHELLS.contains(&name) && depth < MAX_INNER => {
            args.iter().any(|arg| arg.contains(' ') && looks(arg, depth + 1))
                || (name == "eval" && looks(&args.join(" "), depth + 1))
        }
        _ => writes_disk(args),
    }
}

/// What loses commits of others, or work that was never committed.
fn is_final_for_git(args: &[String]) -> bool {
    let has = |wanted: &str| args.iter().any(|arg| arg == wanted);
    let forced = || {
        args.iter().any(|arg| {
            matches!(arg.as_str(), "--force" | "-f" | "--mirror")
                || (arg.starts_with('+') && arg.len() > 1)
        })
    };
    let cleans =
        || args.iter().any(|arg| arg == "--force" || (arg.starts_with('-') && arg.contains('f')));
    (has("push") && forced()) || (has("reset") && has("--hard")) || (has("clean") && cleans())
}

fn writes_disk(args: &[String]) -> bool {
    let target = |pair: &[String]| pair[0].ends_with('>') && is_disk(&pair[1]);
    args.windows(2).any(target)
        || args.iter().any(|arg| arg.rsplit_once('>').is_some_and(|(_, to)| is_disk(to)))
}

fn is_disk(path: &str) -> bool {
    path.strip_prefix("/dev/").is_some_and(|disk| DISKS.iter().any(|name| disk.starts_with(name)))
}

/// Whether a path holds more than an agent has any business with: a root, a home, a system's folder,
/// all of the workspace.
fn is_wide(path: &str) -> bool {
    let path = path.replace('\\', "/").replace("${HOME}", "~").replace("$HOME", "~");
    let path = path.trim_end_matches(['/', '*', '.']);
    let is_drive = path.len() == 2 && path.ends_with(':');
    match path.strip_prefix('/') {
        Some(rest) => {
            let mut parts = rest.split('/').filter(|part| !part.is_empty());
            match (parts.next(), parts.next(), parts.next()) {
                (Some("tmp"), ..) => false,
                (_, None, _) => true,
                (Some("home" | "Users"), Some(_), None) => true,
                _ => false,
            }
        }
        None => is_drive || matches!(path, "" | "~" | ".git"),
    }
}

/// A command's name, without its folder.
fn name(word: &str) -> String {
    word.rsplit(['/', '\\']).next().unwrap_or(word).trim_end_matches(".exe").to_lowercase()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_cannot_be_undone_is_found() {
        for line in [
            "rm -rf /",
            "rm -r -f ~",
            "rm -rf \"$HOME\"",
            "rm -rf ${HOME}/*",
            "rm --recursive --force /*",
            "rm -rf *",
            "rm -fR ./",
            "rm -rf ..",
            "rm -rf /etc",
            "rm -rf /home/me",
            "rm -rf .git",
            "sudo rm -rf /usr",
            "sudo -n rm -rf /usr",
            "cd /x && /bin/rm -rf .",
            "FOO=1 rm -rf /",
            "bash -lc 'rm -rf ~'",
            "sh -c \"cd / && rm -rf *\"",
            "echo $(rm -rf ~)",
            "echo \"`rm -rf ~`\"",
            "if true; then rm -rf ~; fi",
            "\\rm -rf /",
            "r'm' -rf /",
            "find / -delete",
            "find ~ -name x -exec rm {} +",
            "chmod -R 777 /",
            "mkfs.ext4 /dev/sda1",
            "dd if=/dev/zero of=/dev/sda bs=1M",
            "cat x > /dev/nvme0n1",
            "cat x >/dev/sda",
            "git push --force",
            "git push -f origin main",
            "git push origin +main",
            "git reset --hard HEAD~3",
            "git clean -fdx",
            "sudo reboot",
            "Remove-Item -Recurse -Force C:\\",
            "rd /s /q build",
        ] {
            assert!(destroys(line), "{line}");
        }
    }

    #[test]
    fn what_agents_do_all_day_is_not() {
        for line in [
            "",
            "ls -la",
            "rm -rf target node_modules",
            "rm -rf ./build/*",
            "rm -rf /tmp/x",
            "rm -rf ~/.cache/thing",
            "rm *.o",
            "rm -f a.txt",
            "echo 'rm -rf /'",
            "git commit -m 'stop; rm -rf / from working'",
            "grep -rf patterns .",
            "find . -name '*.rs'",
            "find src -name '*.orig' -delete",
            "chmod +x run.sh",
            "dd if=a of=b",
            "make > /dev/null 2>&1",
            "git push --force-with-lease",
            "git push origin main",
            "git clean -n",
            "git reset HEAD a.txt",
            "cargo test --lib && git status",
            "docker run --rm -it x",
            "npm run format",
        ] {
            assert!(!destroys(line), "{line}");
        }
    }

    proptest! {
        #[test]
        fn any_line_is_looked_at_without_a_panic(line in "\\PC{0,60}") {
            let _ = destroys(&line);
        }
    }
}
