//! iFlow.

use crate::clients::entry::Scope;
use crate::clients::location::{Client, Location};
use crate::doc::Format;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "iflow",
    "iFlow",
    &[Location::new(Scope::User, &["~/.iflow/settings.json"], Format::Json, &["mcpServers"])],
)];
