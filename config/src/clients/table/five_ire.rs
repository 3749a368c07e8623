//! 5ire.

use crate::clients::entry::Scope;
use crate::clients::location::{Client, Location, RemoteForm};
use crate::doc::Format;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "5ire",
    "5ire",
    &[Location::new(Scope::User, &["{app}/5ire/mcp.json"], Format::JsonStrict, &["mcpServers"])],
)
.remote(RemoteForm::PLAIN)];
