//! Kimi.

use crate::clients::entry::Scope;
use crate::clients::location::{Client, Environment, Location, RemoteForm};
use crate::doc::Format;

pub(super) const CLIENTS: &[Client] = &[
    Client::new(
        "kimi",
        "Kimi CLI",
        &[Location::new(Scope::User, &["~/.kimi/mcp.json"], Format::Json, &["mcpServers"])],
    )
    .remote(RemoteForm::PLAIN)
    .gives(Environment::Only(&["HOME", "LOGNAME", "PATH", "SHELL", "TERM", "USER"])),
    Client::new(
        "kimi-code",
        "Kimi Code",
        &[Location::new(Scope::User, &["~/.kimi-code/mcp.json"], Format::Json, &["mcpServers"])],
    )
    .remote(RemoteForm::PLAIN)
    .gives(Environment::Only(&["HOME", "LOGNAME", "PATH", "SHELL", "TERM", "USER"])),
];
