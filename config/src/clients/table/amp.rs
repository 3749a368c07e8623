//! Amp.
//!
//! The key is one word with a dot in it.

use crate::clients::entry::Scope;
use crate::clients::location::{Approval, Client, Location};
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
.lists("amp.mcpPermissions, which matches command and arguments")
.asks(Approval::Projects("approve the server again when Amp asks"))];
