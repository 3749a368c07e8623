//! One file per command.

pub mod ask;
pub(crate) mod audit;
mod changes;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod doctor;
#[cfg(unix)]
pub(crate) mod down;
pub(crate) mod explain;
#[cfg(unix)]
pub(crate) mod guard;
pub(crate) mod hook;
mod hooks;
pub(crate) mod install;
#[cfg(unix)]
pub(crate) mod logs;
pub(crate) mod proxy;
pub(crate) mod redact;
#[cfg(unix)]
pub(crate) mod restart;
pub(crate) mod servers;
pub(crate) mod service;
pub(crate) mod status;
pub(crate) mod uninstall;
pub(crate) mod up;
