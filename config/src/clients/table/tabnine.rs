//! Tabnine.

use crate::clients::entry::Scope;
use crate::clients::location::{Client, Location};
use crate::doc::Format;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "tabnine",
    "Tabnine",
    &[Location::new(
        Scope::User,
        &["~/.tabnine/agent/settings.json"],
        Format::Json,
        &["mcpServers"],
    )],
)];
