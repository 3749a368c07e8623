//! Warp.
//!
//! Accepts the servers under any of three keys, or as the file itself.

use crate::clients::entry::Scope;
use crate::clients::location::{Client, Location, RemoteForm};
use crate::doc::Format;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "warp",
    "Warp",
    &[Location::new(
        Scope::User,
        &["~/.warp/.mcp.json", "~/.agents/.mcp.json"],
        Format::Json,
        &["mcpServers", "servers", "mcp/servers", ""],
    )],
)
.remote(RemoteForm::PLAIN)];
