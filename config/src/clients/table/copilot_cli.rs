//! GitHub Copilot CLI.

use crate::clients::entry::Scope;
use crate::clients::location::{
    Client, Environment, Location, PLUGIN, RemoteForm, Unset, VariableForm,
};
use crate::doc::Format;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "copilot-cli",
    "GitHub Copilot CLI",
    &[
        Location::new(
            Scope::User,
            &["{COPILOT_HOME:~/.copilot}/mcp-config.json"],
            Format::Jsonc,
            &["mcpServers"],
        ),
        Location::new(Scope::Project, &["{proj}/.github/mcp.json"], Format::Json, &["mcpServers"]),
        Location::new(
            Scope::Plugin,
            &[
                "{COPILOT_HOME:~/.copilot}/installed-plugins/**/.mcp.json",
                "{COPILOT_HOME:~/.copilot}/installed-plugins/**/mcp.json",
            ],
            Format::Json,
            &["mcpServers"],
        )
        .report_only(PLUGIN),
    ],
)
.remote(RemoteForm::TYPED)
.gives(Environment::Full)
.expands(&[VariableForm::Braces, VariableForm::Dollar], Unset::Kept)];
