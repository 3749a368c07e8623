//! LM Studio.

use crate::clients::entry::Scope;
use crate::clients::location::{Client, Location, RemoteForm};
use crate::doc::Format;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "lm-studio",
    "LM Studio",
    &[
        Location::new(Scope::User, &["~/.lmstudio/mcp.json"], Format::Json, &["mcpServers"]),
        Location::new(
            Scope::UserLegacy,
            &["~/.cache/lm-studio/mcp.json"],
            Format::Json,
            &["mcpServers"],
        ),
    ],
)
.remote(RemoteForm::PLAIN)];
