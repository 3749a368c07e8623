//! Augment.

use crate::clients::entry::Scope;
use crate::clients::location::{Client, Location, RemoteForm};
use crate::doc::Format;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "augment",
    "Augment",
    &[Location::new(Scope::User, &["~/.augment/settings.json"], Format::Jsonc, &["mcpServers"])],
)
.remote(RemoteForm::TYPED)];
