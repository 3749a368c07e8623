//! Defenter's settings and every MCP client's config: find, read, rewrite, restore.
//!
//! A pure library: no runtime, no global state, no clock and no environment that is not passed in
//! with a [`Host`].
//!
//! - [`settings`]: Defenter's own settings, in layers that remember where a value came from.
//! - [`clients`]: which files of which client name MCP servers, and what they name.
//! - [`install`]: wrapping the entries, and giving them back byte for byte.
//! - [`hooks`]: our hooks in the clients' files.
//! - [`doctor`]: what is wrong, or may go wrong, with the servers of a machine.
//! - [`doc`]: JSON, TOML and YAML as trees over their text, edited without re-serialising.

pub mod clients;
pub mod doc;
pub mod doctor;
mod given;
pub mod hooks;
mod host;
pub mod install;
mod paths;
pub mod percent;
pub mod settings;

pub use given::{Given, GivenError};
pub use host::{Host, Os, wsl_names};
pub use paths::{MAX_SOCKET_PATH, Paths, PathsError};
