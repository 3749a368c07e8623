//! Abacus.

use crate::clients::entry::Scope;
use crate::clients::location::{Client, Location};
use crate::doc::Format;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "abacus",
    "Abacus",
    &[
        Location::new(Scope::User, &["~/.abacusai/mcp.json"], Format::Json, &["mcpServers"]),
        Location::new(
            Scope::Project,
            &["{proj}/.abacusai/mcp.json"],
            Format::Json,
            &["mcpServers"],
        ),
    ],
)];
