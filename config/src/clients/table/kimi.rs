//! Kimi.

use crate::clients::entry::Scope;
use crate::clients::location::{Client, Environment, Location};
use crate::doc::Format;

pub(super) const CLIENTS: &[Client] = &[
    Client::new(
        "kimi",
        "Kimi CLI",
        &[Location::new(Scope::User, &["~/.kimi/mcp.json"], Format::Json, &["mcpServers"])],
    )
    .gives(Environment::Only(&["HOME", "LOGNAME", "PATH", "SHELL", "TERM", "USER"])),
    Client::new(
        "kimi-code",
        "Kimi Code",
        &[Location::new(Scope::User, &["~/.kimi-code/mcp.json"], Format::Json, &["mcpServers"])],
    )
    .gives(Environment::Only(&["HOME", "LOGNAME", "PATH", "SHELL", "TERM", "USER"])),
];
