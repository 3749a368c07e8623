//! Hermes.

use crate::clients::entry::Scope;
use crate::clients::location::{Client, Location};
use crate::doc::Format;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "hermes",
    "Hermes",
    &[Location::new(Scope::User, &["~/.hermes/config.yaml"], Format::Yaml, &["mcp_servers"])],
)];
