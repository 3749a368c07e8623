//! Witsy.

use crate::clients::entry::Scope;
use crate::clients::location::{Client, Location};
use crate::doc::Format;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "witsy",
    "Witsy",
    &[Location::new(Scope::User, &["{app}/Witsy/settings.json"], Format::Json, &["mcpServers"])],
)];
