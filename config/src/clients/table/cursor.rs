//! Cursor.
//!
//! Approvals are bound to a hash of the entry, so it asks again after wrapping and after
//! unwrapping.

use crate::clients::entry::Scope;
use crate::clients::location::{
    Approval, Client, ClientId, Environment, Location, PLUGIN, RemoteForm, Unset, VariableForm,
};
use crate::doc::Format;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "cursor",
    "Cursor",
    &[
        Location::new(Scope::User, &["~/.cursor/mcp.json"], Format::Json, &["mcpServers"])
            .also(&[ClientId("vscode"), ClientId("mcporter")]),
        Location::new(Scope::Project, &["{proj}/.cursor/mcp.json"], Format::Json, &["mcpServers"])
            .also(&[ClientId("vscode"), ClientId("visual-studio")]),
        Location::new(
            Scope::Plugin,
            &["~/.cursor/plugins/cache/**/mcp.json", "~/.cursor/plugins/local/**/mcp.json"],
            Format::Json,
            &["mcpServers"],
        )
        .report_only(PLUGIN),
    ],
)
.remote(RemoteForm::TYPED)
.gives(Environment::Full)
.expands(&[VariableForm::Env], Unset::Kept)
.asks(Approval::Always("approve the server again when Cursor asks"))];
