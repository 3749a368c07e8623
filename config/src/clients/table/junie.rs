//! JetBrains Junie.

use crate::clients::entry::Scope;
use crate::clients::location::{Client, Location, RemoteForm};
use crate::doc::Format;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "junie",
    "JetBrains Junie",
    &[
        Location::new(Scope::User, &["~/.junie/mcp/mcp.json"], Format::Json, &["mcpServers"]),
        Location::new(
            Scope::Project,
            &["{proj}/.junie/mcp/mcp.json"],
            Format::Json,
            &["mcpServers"],
        ),
    ],
)
.remote(RemoteForm::PLAIN)];
