//! Where the programs are that the tests run.
//!
//! Owns: nothing. Accepts: a name. Emits: a path. Promises: what is missing is said with how to get
//! it, never skipped.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// The program under test.
pub(crate) const DEFENTER: &str = env!("CARGO_BIN_EXE_defenter");

/// The old name of the proxy.
pub(crate) const DEFENTER_PROXY: &str = env!("CARGO_BIN_EXE_defenter-proxy");

/// Where cargo puts what it builds in the profile of this run.
static BUILT: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = Path::new(DEFENTER).parent().expect("a program lies in a folder").to_owned();
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") => "dev",
        Some(name) => name,
        None => panic!("{} has no profile", folder.display()),
    };
    // Cargo builds another package's programs for no test, so the tests ask for it.
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "--package", "defenter-fixtures"])
        .args(["--profile", profile, "--target-dir"])
        .arg(folder.parent().expect("a profile lies in the target folder"))
        .current_dir(ROOT)
        .status();
    assert!(built.is_ok_and(|status| status.success()), "the fixtures can be built");
    folder
});

/// The root of the workspace.
pub(crate) const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The server that misbehaves on demand.
pub(crate) fn misbehave() -> String {
    fixture("misbehave")
}

/// One of the small programs that the tests bring along.
pub(crate) fn fixture(name: &str) -> String {
    BUILT.join(name).display().to_string()
}

/// A program of the npm packages that the tests pin.
pub(crate) fn npm(name: &str) -> String {
    installed(&format!("tests/servers/npm/node_modules/.bin/{name}"))
}

/// A program of the Python packages that the tests pin.
pub(crate) fn python(name: &str) -> String {
    installed(&format!("target/check/venv/bin/{name}"))
}

/// A file of the tests, by its path in the repository.
pub(crate) fn file(path: &str) -> String {
    installed(path)
}

/// A program of the system.
pub(crate) fn system(name: &str) -> String {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|it| it.exists());
    let found = found.unwrap_or_else(|| panic!("{name} is not installed: run ./check once"));
    found.display().to_string()
}

fn installed(path: &str) -> String {
    let path = Path::new(ROOT).join(path);
    assert!(path.exists(), "{} is missing: run ./check once", path.display());
    path.display().to_string()
}
