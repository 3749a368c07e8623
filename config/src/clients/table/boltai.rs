//! BoltAI.

use crate::clients::entry::Scope;
use crate::clients::location::{Client, Location};
use crate::doc::Format;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "boltai",
    "BoltAI",
    &[Location::new(Scope::User, &["~/.boltai/mcp.json"], Format::Json, &["mcpServers"])],
)];
