//! Kiro.

use crate::clients::entry::Scope;
use crate::clients::location::{Client, Environment, Location, RemoteForm};
use crate::doc::Format;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "kiro",
    "Kiro",
    &[
        Location::new(
            Scope::User,
            &["~/.kiro/settings/mcp.json"],
            Format::Json,
            &["mcpServers", "powers/mcpServers"],
        ),
        Location::new(
            Scope::Project,
            &["{proj}/.kiro/settings/mcp.json"],
            Format::Json,
            &["mcpServers"],
        ),
        Location::new(
            Scope::Agent,
            &["~/.kiro/agents/*.json"],
            Format::JsonStrict,
            &["mcpServers"],
        ),
        Location::new(
            Scope::Project,
            &["{proj}/.kiro/agents/*.json"],
            Format::JsonStrict,
            &["mcpServers"],
        ),
    ],
)
.remote(RemoteForm::PLAIN)
.gives(Environment::Full)];
