//! Mastra Code.

use crate::clients::entry::Scope;
use crate::clients::location::{Client, Location};
use crate::doc::Format;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "mastra",
    "Mastra Code",
    &[Location::new(Scope::User, &["~/.mastracode/mcp.json"], Format::Json, &["mcpServers"])],
)];
