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
