//! Home trees of Linux, macOS and Windows, and what is in them.
//!
//! `fixtures/gen.py` writes the trees byte for byte (modes, links and an empty file included, which
//! version control does not keep) and `fixtures/MANIFEST.json` says what a discovery must find.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use defenter_config::{Host, Os};
use serde_json::Value;
use tempfile::TempDir;

/// A folder of its own, in memory where the system has a place for that: these tests write
/// thousands of files, each synced to the disk.
pub(crate) fn scratch() -> TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    folder.or_else(|_| tempfile::tempdir()).expect("a folder")
}

/// The three trees in a folder of their own.
pub(crate) struct Trees {
    folder: TempDir,
    manifest: Value,
}

/// One of the trees.
pub(crate) struct Tree<'t> {
    pub(crate) os: Os,
    pub(crate) root: PathBuf,
    pub(crate) manifest: &'t Value,
}

impl Trees {
    /// Writes the trees.
    pub(crate) fn new() -> Self {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        let folder = scratch();
        let status = Command::new("python3")
            .arg(fixtures.join("gen.py"))
            .arg(folder.path())
            .stdout(std::process::Stdio::null())
            .status()
            .expect("python3 writes the fixture trees; install it");
        assert!(status.success());
        let text = std::fs::read_to_string(fixtures.join("MANIFEST.json")).expect("the manifest");
        Self { folder, manifest: serde_json::from_str(&text).expect("JSON") }
    }

    /// Each tree.
    pub(crate) fn each(&self) -> impl Iterator<Item = Tree<'_>> {
        [Os::Linux, Os::Macos, Os::Windows].into_iter().map(|os| self.tree(os))
    }

    /// One tree.
    pub(crate) fn tree(&self, os: Os) -> Tree<'_> {
        let manifest = &self.manifest["os"][os.to_string()];
        Tree { os, root: self.folder.path().join(os.to_string()), manifest }
    }
}

impl Tree<'_> {
    /// The machine the tree is of.
    pub(crate) fn host(&self) -> Host {
        let home = self.manifest["home"].as_str().expect("a home");
        Host::new(self.os, home, BTreeMap::new()).mounted_at(&self.root)
    }

    /// Projects that no client lists, but that were asked for.
    pub(crate) fn projects(&self) -> Vec<PathBuf> {
        match self.os {
            Os::Linux => vec![PathBuf::from("/home/dev/code/wrapped")],
            _ => Vec::new(),
        }
    }

    /// Everything in the tree: content and mode of files, targets of links.
    pub(crate) fn snapshot(&self) -> BTreeMap<PathBuf, (Vec<u8>, u32)> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                let metadata = std::fs::symlink_metadata(&path).expect("metadata");
                if metadata.is_symlink() {
                    let target = std::fs::read_link(&path).expect("a link");
                    found.insert(path, (target.into_os_string().into_encoded_bytes(), 0));
                } else if metadata.is_dir() {
                    folders.push(path);
                } else {
                    found.insert(
                        path.clone(),
                        (std::fs::read(path).expect("a file"), mode(&metadata)),
                    );
                }
            }
        }
        found
    }

    /// The servers of the tree.
    pub(crate) fn servers(&self) -> &[Value] {
        self.manifest["servers"].as_array().expect("servers")
    }
}

#[cfg(unix)]
fn mode(metadata: &std::fs::Metadata) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions())
}

#[cfg(not(unix))]
fn mode(metadata: &std::fs::Metadata) -> u32 {
    u32::from(metadata.permissions().readonly())
}
