//! Sema4.ai Studio.

use crate::clients::entry::Scope;
use crate::clients::location::{Client, Location};
use crate::doc::Format;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "sema4",
    "Sema4.ai Studio",
    &[Location::new(
        Scope::User,
        &["~/.sema4ai/sema4ai-studio/mcp_servers.json"],
        Format::Json,
        &["mcpServers", ""],
    )],
)];
