//! Amp.
//!
//! The key is one word with a dot in it.

use crate::clients::entry::Scope;
use crate::clients::location::{
    AllowList, Approval, Client, Location, RemoteForm, Unset, VariableForm,
};
use crate::doc::Format;
use crate::host::Os;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "amp",
    "Amp",
    &[
        Location::new(
            Scope::User,
            &["{cfg}/amp/settings.json"],
            Format::Jsonc,
            &["amp.mcpServers", "mcpServers"],
        ),
        Location::new(
            Scope::User,
            &["{app}/amp/settings.json"],
            Format::Jsonc,
            &["amp.mcpServers", "mcpServers"],
        )
        .on(&[Os::Windows]),
        Location::new(
            Scope::Project,
            &["{proj}/.amp/settings.json"],
            Format::Jsonc,
            &["amp.mcpServers", "mcpServers"],
        ),
    ],
)
.remote(RemoteForm::PLAIN)
.expands(&[VariableForm::Braces], Unset::Kept)
.allow_lists(&[AllowList {
    paths: &["{cfg}/amp/settings.json", "{app}/amp/settings.json"],
    format: Format::Jsonc,
    key: "amp.mcpPermissions",
}])
.asks(Approval::Projects("approve the server again when Amp asks"))];
