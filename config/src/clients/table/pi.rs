//! Pi.

use crate::clients::entry::Scope;
use crate::clients::location::{Client, Location};
use crate::doc::Format;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "pi",
    "Pi",
    &[
        Location::new(
            Scope::User,
            &["~/.pi/agent/mcp.json", "{cfg}/mcp/mcp.json"],
            Format::Json,
            &["mcpServers"],
        ),
        Location::new(Scope::Project, &["{proj}/.pi/mcp.json"], Format::Json, &["mcpServers"]),
    ],
)];
