//! Forge.

use crate::clients::entry::Scope;
use crate::clients::location::{Client, Location};
use crate::doc::Format;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "forge",
    "Forge",
    &[Location::new(Scope::User, &["~/.forge/.mcp.json"], Format::Json, &["mcpServers"])],
)];
