//! Raycast.
//!
//! The path is that of a community extension.

use crate::clients::entry::Scope;
use crate::clients::location::{Client, Location};
use crate::doc::Format;
use crate::host::Os;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "raycast",
    "Raycast",
    &[Location::new(
        Scope::User,
        &["{app}/com.raycast.macos/mcp-config.json"],
        Format::Json,
        &["mcpServers"],
    )
    .on(&[Os::Macos])],
)];
