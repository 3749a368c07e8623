//! Which folders to watch for changes.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::discover::{Options, Scan, files, projects, selected};
use super::find::{Context, expand};
use crate::host::Host;

/// The folders to watch, not recursively, for every change that [`super::discover()`] would see:
/// the folder of each file, of what it links to, and the nearest folder above where it does not
/// exist yet. Look again after each change, since a folder that appears is not watched before.
pub fn watch_paths(host: &Host, options: &Options) -> Vec<PathBuf> {
    let mut scan = Scan::new(host);
    let projects = projects(&mut scan, options);
    let mut folders = HashSet::new();
    for client in selected(options) {
        for location in client.locations.iter().filter(|location| location.is_on(host.os)) {
            for (path, _) in files(host, location, &projects) {
                watched(&host.real(&path), &mut folders);
            }
            for pattern in location.paths.iter().filter(|pattern| pattern.contains('*')) {
                let stem = pattern.split('*').next().unwrap_or_default();
                if stem.starts_with("{proj}") {
                    continue;
                }
                for path in expand(host, stem, Context::default()) {
                    watched(&host.real(path.trim_end_matches('/')).join("_"), &mut folders);
                }
            }
        }
    }
    let mut folders: Vec<PathBuf> = folders.into_iter().collect();
    folders.sort();
    folders
}

fn watched(file: &Path, folders: &mut HashSet<PathBuf>) {
    let mut folder = file.parent();
    while let Some(path) = folder {
        // The root of the machine is never watched.
        if path.is_dir() && path.parent().is_some() {
            folders.insert(path.to_owned());
            break;
        }
        folder = path.parent();
    }
    if let Ok(target) = std::fs::canonicalize(file) {
        folders.extend(target.parent().map(Path::to_owned));
    }
}
