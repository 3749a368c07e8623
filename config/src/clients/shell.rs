//! `mcp add` commands in a shell script (Crush's `crushrc`).
//!
//! Owns: splitting a script into words well enough to show what it adds.
//! Accepts: any text.
//! Emits: names, programs and addresses, to be shown; nothing here is ever rewritten, since only
//! a shell knows what a script does.

use super::entry::{Launch, Remote, Stdio, Transport};

/// The most servers that are read from one script.
const MAX_SERVERS: usize = 256;

/// The servers that a script may add, with the byte offset of the command.
pub(super) fn servers(text: &str) -> Vec<(String, usize, Launch)> {
    let mut found = Vec::new();
    let mut offset = 0;
    let mut line_start = 0;
    let mut logical = String::new();
    for line in text.split_inclusive('\n') {
        if logical.is_empty() {
            line_start = offset;
        }
        offset += line.len();
        let line = line.trim_end_matches(['\n', '\r']);
        match line.strip_suffix('\\') {
            Some(part) => {
                logical.push_str(part);
                continue;
            }
            None => logical.push_str(line),
        }
        if let Some((name, launch)) = server(&words(&logical)) {
            found.push((name, line_start, launch));
        }
        logical.clear();
        if found.len() >= MAX_SERVERS {
            break;
        }
    }
    found
}

fn server(words: &[String]) -> Option<(String, Launch)> {
    let [first, second, name, rest @ ..] = words else { return None };
    if first != "mcp" || second != "add" {
        return None;
    }
    let launch = match (values(rest, "--command").next(), values(rest, "--url").next()) {
        (Some(command), _) => Launch::Stdio(Stdio {
            command,
            args: values(rest, "--args").collect(),
            env: Vec::new(),
            env_file: None,
            cwd: None,
        }),
        (None, Some(url)) => Launch::Remote(Remote {
            url,
            url_key: "--url".to_owned(),
            transport: match values(rest, "--type").next().as_deref() {
                Some("sse") => Transport::Sse,
                _ => Transport::Http,
            },
            headers: Vec::new(),
        }),
        (None, None) => return None,
    };
    Some((name.clone(), launch))
}

fn values<'w>(words: &'w [String], flag: &'w str) -> impl Iterator<Item = String> + 'w {
    let pairs = words.iter().zip(words.iter().skip(1));
    pairs.filter(move |(word, _)| *word == flag).map(|(_, value)| value.clone())
}

/// Splits a line into words; quotes keep a word together, `#` starts a comment.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '\\') => word.get_or_insert_default().extend(chars.next()),
            (None, '#') if word.is_none() => break,
            (None, c) if c.is_whitespace() || c == ';' => words.extend(word.take()),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_a_script_adds() {
        let script = "#!/bin/sh\nmcp add gh --type http \\\n  --url \"https://x/\"\nif a; then\n  \
                      mcp add fs --command npx --args -y --args 'a b' # here\nfi\n# mcp add no --url x\n";
        let found = servers(script);
        let names: Vec<_> = found.iter().map(|(name, ..)| name.as_str()).collect();
        assert_eq!(names, ["gh", "fs"]);
        let Launch::Stdio(stdio) = &found[1].2 else { panic!("a program") };
        assert_eq!(
            (stdio.command.as_str(), stdio.args.as_slice()),
            ("npx", &["-y".to_owned(), "a b".to_owned()][..])
        );
        assert!(servers("mcp add x").is_empty());
    }
}
