//! The projects that clients themselves list.
//!
//! Owns: the indexes of Claude Code, Codex, Gemini CLI and the VS Code family.
//! Accepts: their files, hostile.
//! Emits: folders and workspace files as the machine writes them.
//! Promises: no search of the disk; at most [`MAX_PROJECTS`] projects.

use super::discover::Scan;
use super::find::{Context, expand};
use crate::doc::{Format, Node};
use crate::host::{Os, slashes};
use crate::percent;

/// The most projects that are looked into.
const MAX_PROJECTS: usize = 2000;

/// Where the VS Code family lists the folders and workspaces it has opened.
const STORAGES: &[&str] = &[
    "{app}/Code/User/workspaceStorage/*/workspace.json",
    "{app}/Code - Insiders/User/workspaceStorage/*/workspace.json",
    "{app}/VSCodium/User/workspaceStorage/*/workspace.json",
    "{app}/Code - OSS/User/workspaceStorage/*/workspace.json",
    "{app}/Cursor/User/workspaceStorage/*/workspace.json",
    "{app}/Windsurf/User/workspaceStorage/*/workspace.json",
    "{app}/Trae/User/workspaceStorage/*/workspace.json",
];

/// Files with a map whose keys are projects.
const KEYED: &[(&str, Format, &[&str])] = &[
    ("{CLAUDE_CONFIG_DIR:~}/.claude.json", Format::JsonStrict, &["projects"]),
    ("{CODEX_HOME:~/.codex}/config.toml", Format::Toml, &["projects"]),
    ("~/.gemini/trustedFolders.json", Format::JsonComments, &[]),
    ("~/.qwen/trustedFolders.json", Format::JsonComments, &[]),
];

/// Projects and workspace files.
#[derive(Debug, Default)]
pub(super) struct Projects {
    /// Folders.
    pub(super) folders: Vec<String>,
    /// Workspace files.
    pub(super) workspaces: Vec<String>,
}

/// Reads the indexes.
pub(super) fn listed(scan: &mut Scan<'_>) -> Projects {
    let mut projects = Projects::default();
    for (pattern, format, keys) in KEYED {
        for path in expand(scan.host(), pattern, Context::default()) {
            let Some(doc) = scan.quiet(&path, *format) else { continue };
            let map = keys.iter().try_fold(doc.root(), |node, key| Some(node?.get(key)));
            for member in map.flatten().map(Node::members).unwrap_or_default() {
                projects.add_folder(scan, &member.key);
            }
        }
    }
    for pattern in STORAGES {
        for path in expand(scan.host(), pattern, Context::default()) {
            let Some(doc) = scan.quiet(&path, Format::Json) else { continue };
            let Some(root) = doc.root() else { continue };
            let text = |key: &str| root.get(key).and_then(Node::as_str).and_then(file_path);
            if let Some(folder) = text("folder") {
                projects.add_folder(scan, &folder);
            }
            if let Some(workspace) = text("workspace") {
                projects.add_workspace(scan, &workspace);
            }
        }
    }
    projects
}

impl Projects {
    /// Adds a folder, once. The user's home may be one: clients are started there too, and what
    /// is the user's own in it is found first.
    pub(super) fn add_folder(&mut self, scan: &Scan<'_>, path: &str) {
        let path = clean(scan, path);
        let known = self.folders.contains(&path);
        if !known && scan.host().is_absolute(&path) && self.folders.len() < MAX_PROJECTS {
            self.folders.push(path);
        }
    }

    fn add_workspace(&mut self, scan: &Scan<'_>, path: &str) {
        let path = clean(scan, path);
        let fits = scan.host().is_absolute(&path) && path.ends_with(".code-workspace");
        if fits && !self.workspaces.contains(&path) && self.workspaces.len() < MAX_PROJECTS {
            self.workspaces.push(path);
        }
    }
}

fn clean(scan: &Scan<'_>, path: &str) -> String {
    let path = if scan.host().os == Os::Windows { slashes(path) } else { path.to_owned() };
    if path.len() > 1 { path.trim_end_matches('/').to_owned() } else { path }
}

/// The path of a `file:` URI of this machine.
fn file_path(uri: &str) -> Option<String> {
    let path = percent::decoded(uri.strip_prefix("file://")?)?;
    // `file:///c:/x` is `c:/x`.
    match path.as_bytes() {
        [b'/', drive, b':', ..] if drive.is_ascii_alphabetic() => Some(path[1..].to_owned()),
        [b'/', ..] => Some(path),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_addresses_become_paths() {
        let check = |uri: &str, path: Option<&str>| {
            assert_eq!(file_path(uri).as_deref(), path, "{uri}");
        };
        check("file:///home/dev/a%20b", Some("/home/dev/a b"));
        check("file:///c%3A/x", Some("c:/x"));
        check("file://server/share", None);
        check("vscode-remote://ssh/x", None);
        check("file:///%zz", None);
        check("file:///%", None);
        check("file:///%ff", None);
    }
}
