//! Prometheus' own checker, where it is installed.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs `promtool` in `folder` and says what it did not like. A machine without it is told
/// on standard error, since what it checks is then checked by our own reading alone.
pub(crate) fn run(arguments: &[&str], folder: &Path, input: &str) -> Result<(), String> {
    let started = Command::new("promtool")
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match started {
        Ok(child) => child,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("promtool is not installed; {arguments:?} was not run");
            return Ok(());
        }
        Err(error) => return Err(error.to_string()),
    };
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes()).map_err(|error| error.to_string())?;
    }
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(said.into_owned()) }
}
