//! This machine, this user and this program.

use std::{collections::BTreeMap, path::PathBuf};

use defenter_actors::house::{House, Rules};
use defenter_config::{Host, Os, Paths};

use crate::{
    Exit,
    failure::{Failure, OrFail},
};

#[cfg(target_os = "macos")]
const OS: Os = Os::Macos;
#[cfg(windows)]
const OS: Os = Os::Windows;
#[cfg(not(any(target_os = "macos", windows)))]
const OS: Os = Os::Linux;

#[cfg(unix)]
pub(crate) fn uid() -> u32 {
    rustix::process::getuid().as_raw()
}

#[cfg(not(unix))]
pub(crate) fn uid() -> u32 {
    0
}

/// The machine and the user, as the environment tells.
pub(crate) fn host() -> Result<Host, Failure> {
    let env: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let home = std::env::home_dir().filter(|home| home.is_absolute()).ok_or_else(|| {
        Failure::new(Exit::Failed, "the home directory is not known").hint("set HOME")
    })?;
    Ok(Host::new(OS, home, env))
}

/// Where everything is, with the Linux systems within this one, whose clients can be shown.
pub(crate) fn house_and_linux() -> Result<House, Failure> {
    let mut house = house(Vec::new())?;
    house.host.linux_within = linux_within();
    Ok(house)
}

/// The Linux systems that run within Windows (WSL). Looking into one that does not run would start
/// it.
#[cfg(windows)]
fn linux_within() -> Vec<PathBuf> {
    use std::process::{Command, Stdio};
    /// How long the list may take.
    const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);
    let Some(system) = std::env::var_os("SystemRoot") else { return Vec::new() };
    let program = PathBuf::from(system).join("System32").join("wsl.exe");
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let list = Command::new(program)
            .args(["--list", "--running", "--quiet"])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output();
        tell.send(list.map(|output| output.stdout))
    });
    // Most machines have no WSL, and then there is nothing to look into.
    let printed = told.recv_timeout(PATIENCE).ok().and_then(Result::ok).unwrap_or_default();
    let root = |name: &String| PathBuf::from(format!(r"\\wsl.localhost\{name}\"));
    defenter_config::wsl_names(&printed).iter().map(root).collect()
}

#[cfg(not(windows))]
fn linux_within() -> Vec<PathBuf> {
    Vec::new()
}

/// Where everything is.
pub(crate) fn house(flags: Vec<(String, String)>) -> Result<House, Failure> {
    let host = host()?;
    let paths = Paths::new(&host, uid());
    Ok(House { host, paths, flags })
}

/// Everything that is read from files, our own folders made first.
pub(crate) fn furnished(flags: Vec<(String, String)>) -> Result<(House, Rules), Failure> {
    let house = house(flags)?;
    house.paths.create(uid()).or_fail(Exit::Failed)?;
    // A key that cannot be made is told by whoever misses it: then findings have no fingerprints.
    let made = house.make_fingerprint_key();
    let mut rules = house.rules().or_fail(Exit::ConfigInvalid)?;
    if let Err(error) = made {
        rules.key_trouble = Some(format!("findings have no fingerprints: {error}"));
    }
    Ok((house, rules))
}

/// The file of the program that runs, as clients and helpers are to start it.
pub(crate) fn program() -> Result<PathBuf, Failure> {
    let running = std::env::current_exe().or_fail(Exit::Failed)?;
    // The shim's other name does not know the other commands.
    let sibling = running.with_file_name(if cfg!(windows) { "defenter.exe" } else { "defenter" });
    Ok(if sibling.is_file() { sibling } else { running })
}
