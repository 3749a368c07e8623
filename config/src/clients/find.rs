//! From a pattern of the table to the files it means on one machine.
//!
//! Owns: the tokens of a pattern, and bounded walks for `*` and `**`.
//! Accepts: patterns of the table (trusted), folders of the machine (hostile).
//! Emits: paths as the machine writes them, with forward slashes, in sorted order. A pattern
//! without `*` gives its path whether or not a file is there.
//! Promises: never enters `node_modules`, `.git` or a link to a folder, never more than
//! [`MAX_DEPTH`] folders deep, never more than [`MAX_FOUND`] results or [`MAX_LOOKED_AT`] names.

use crate::host::Host;

/// How deep `**` goes.
const MAX_DEPTH: usize = 6;
/// The most paths one pattern gives.
const MAX_FOUND: usize = 1000;
/// The most names one pattern looks at.
const MAX_LOOKED_AT: usize = 20_000;

/// What a pattern may refer to.
#[derive(Clone, Copy, Default)]
pub(super) struct Context<'a> {
    /// The project for `{proj}`.
    pub(super) project: Option<&'a str>,
    /// The workspace file for `{workspace}`.
    pub(super) workspace: Option<&'a str>,
}

/// The paths that a pattern means; none where a token has no value here.
pub(super) fn expand(host: &Host, pattern: &str, context: Context<'_>) -> Vec<String> {
    let Some(path) = tokens(host, pattern, context) else { return Vec::new() };
    if !pattern.contains('*') {
        return vec![path];
    }
    let mut walk = Walk { host, found: Vec::new(), looked_at: 0 };
    // A project's own path may hold a star; only the pattern's part after it is one.
    let literal = context.project.filter(|_| pattern.starts_with("{proj}"));
    let (base, rest) = match literal {
        Some(project) => (crate::host::slashes(project), path[project.len()..].to_owned()),
        None => (String::new(), path),
    };
    let parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
    let base = if rest.starts_with('/') && base.is_empty() { "/".to_owned() } else { base };
    walk.step(base, &parts, MAX_DEPTH);
    walk.found
}

/// The paths that a pattern of the user's own files means.
pub(crate) fn paths_of(host: &Host, pattern: &str) -> Vec<String> {
    expand(host, pattern, Context::default())
}

/// Replaces the tokens of a pattern.
fn tokens(host: &Host, pattern: &str, context: Context<'_>) -> Option<String> {
    if let Some(rest) = pattern.strip_prefix('~') {
        return Some(host.home_text() + rest);
    }
    let Some((token, rest)) = pattern.strip_prefix('{').and_then(closed) else {
        return Some(pattern.to_owned());
    };
    let base = match token {
        "app" => host.app_data(),
        "cfg" => host.xdg_config(),
        "local" => host.local_app_data(),
        "programdata" => host.program_data(),
        "programfiles" => host.program_files(),
        "proj" => context.project?.to_owned(),
        "workspace" => context.workspace?.to_owned(),
        variable => {
            let (name, default) = variable.split_once(':')?;
            match host.var(name).filter(|value| host.is_absolute(value)) {
                Some(value) => crate::host::slashes(value),
                None if default.is_empty() => return None,
                None => tokens(host, default, context)?,
            }
        }
    };
    Some(base + rest)
}

/// What stands before and after the brace that closes one that was opened before.
fn closed(text: &str) -> Option<(&str, &str)> {
    let mut depth = 0_u32;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => return Some((&text[..at], &text[at + 1..])),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

struct Walk<'h> {
    host: &'h Host,
    found: Vec<String>,
    looked_at: usize,
}

impl Walk<'_> {
    fn step(&mut self, base: String, parts: &[&str], depth: usize) {
        let [part, rest @ ..] = parts else {
            if self.found.len() < MAX_FOUND && !self.found.contains(&base) {
                self.found.push(base);
            }
            return;
        };
        if *part == "**" {
            self.step(base.clone(), rest, depth);
            if depth > 0 {
                for (name, is_folder) in self.names(&base) {
                    if is_folder && !matches!(name.as_str(), "node_modules" | ".git") {
                        self.step(join(&base, &name), parts, depth - 1);
                    }
                }
            }
        } else if part.contains('*') {
            for (name, _) in self.names(&base) {
                if matches(part, &name) {
                    self.step(join(&base, &name), rest, depth);
                }
            }
        } else {
            let path = join(&base, part);
            if !rest.is_empty() || std::fs::symlink_metadata(self.host.real(&path)).is_ok() {
                self.step(path, rest, depth);
            }
        }
    }

    fn names(&mut self, base: &str) -> Vec<(String, bool)> {
        let Ok(folder) = std::fs::read_dir(self.host.real(base)) else { return Vec::new() };
        let left = MAX_LOOKED_AT.saturating_sub(self.looked_at);
        let mut names: Vec<(String, bool)> = folder
            .take(left)
            .filter_map(Result::ok)
            .filter_map(|entry| {
                let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
                Some((entry.file_name().into_string().ok()?, is_folder))
            })
            .collect();
        self.looked_at += names.len();
        names.sort();
        names
    }
}

fn join(base: &str, name: &str) -> String {
    match base {
        "" => name.to_owned(),
        _ if base.ends_with('/') => format!("{base}{name}"),
        _ => format!("{base}/{name}"),
    }
}

/// Matches a name against a pattern in which `*` is anything.
fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::*;
    use crate::host::Os;

    #[test]
    fn stars_match_within_a_name() {
        for (pattern, name) in [("*", "x"), ("*.json", "a.json"), ("a*c*e", "abcde"), ("x", "x")] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("*.json", "a.json.bak"), ("a*", "b"), ("a*c*e", "aec")] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn walks_are_bounded_and_stay_out_of_dependencies() {
        let root = tempfile::tempdir().expect("a folder");
        let make = |path: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
            std::fs::write(path, "{}").expect("a file");
        };
        make("h/p/a/.mcp.json");
        make("h/p/a/node_modules/x/.mcp.json");
        make("h/p/b/c/.mcp.json");
        make(&format!("h/p/{}/.mcp.json", ["d"; MAX_DEPTH + 1].join("/")));
        let host = Host::new(Os::Linux, "/h", BTreeMap::new()).mounted_at(root.path());
        let find = |pattern: &str| expand(&host, pattern, Context::default());
        assert_eq!(find("~/p/**/.mcp.json"), ["/h/p/a/.mcp.json", "/h/p/b/c/.mcp.json"]);
        assert_eq!(find("~/p/*/.mcp.json"), ["/h/p/a/.mcp.json"]);
        assert_eq!(find("~/none/x.json"), ["/h/none/x.json"]);
        assert!(find("~/none/*.json").is_empty());
        assert!(find("{proj}/x").is_empty());
        assert!(Path::new(&find("{X_HOME:~/.x}/y")[0]).ends_with(".x/y"));
        assert_eq!(find("{X_HOME:{cfg}/x}/y"), ["/h/.config/x/y"]);
        assert!(find("{X_HOME:}/y").is_empty());
    }
}
