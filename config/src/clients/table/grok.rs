//! Grok CLI.

use crate::clients::entry::Scope;
use crate::clients::location::{Client, Location, RemoteForm};
use crate::doc::Format;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "grok",
    "Grok CLI",
    &[Location::new(
        Scope::User,
        &["{GROK_HOME:~/.grok}/config.toml"],
        Format::Toml,
        &["mcp_servers"],
    )],
)
.remote(RemoteForm::PLAIN)];
