//! Trae.
//!
//! Its documentation says that a command may not contain a space.

use crate::clients::entry::Scope;
use crate::clients::location::{Client, Location, RemoteForm};
use crate::doc::Format;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "trae",
    "Trae",
    &[
        Location::new(
            Scope::User,
            &["{app}/Trae/User/mcp.json", "{app}/Trae CN/User/mcp.json"],
            Format::Json,
            &["mcpServers"],
        ),
        Location::new(Scope::Project, &["{proj}/.trae/mcp.json"], Format::Json, &["mcpServers"]),
    ],
)
.remote(RemoteForm::PLAIN)];
