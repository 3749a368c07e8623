//! One file per command.

pub mod ask;
pub(crate) mod audit;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod down;
pub(crate) mod explain;
#[cfg(unix)]
pub(crate) mod guard;
pub(crate) mod install;
pub(crate) mod logs;
pub(crate) mod proxy;
pub(crate) mod redact;
pub(crate) mod restart;
pub(crate) mod status;
pub(crate) mod uninstall;
pub(crate) mod up;
