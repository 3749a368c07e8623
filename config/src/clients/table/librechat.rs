//! LibreChat.

use crate::clients::entry::Scope;
use crate::clients::location::{Client, Location, RemoteForm, Unset, VariableForm};
use crate::doc::Format;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "librechat",
    "LibreChat",
    &[
        Location::new(Scope::User, &["~/LibreChat/librechat.yaml"], Format::Yaml, &["mcpServers"]),
        Location::new(Scope::Project, &["{proj}/librechat.yaml"], Format::Yaml, &["mcpServers"]),
    ],
)
.remote(RemoteForm::TYPED)
.expands(&[VariableForm::Braces], Unset::Kept)];
