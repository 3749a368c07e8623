//! Windsurf.

use crate::clients::entry::Scope;
use crate::clients::location::{
    Client, ClientId, Environment, Location, RemoteForm, Unset, VariableForm,
};
use crate::doc::Format;

pub(super) const CLIENTS: &[Client] = &[
    Client::new(
        "windsurf",
        "Windsurf",
        &[
            Location::new(
                Scope::User,
                &[
                    "~/.codeium/windsurf/mcp_config.json",
                    "~/.codeium/windsurf-next/mcp_config.json",
                ],
                Format::Json,
                &["mcpServers"],
            )
            .also(&[ClientId("mcporter")]),
            Location::new(
                Scope::Project,
                &["{proj}/.windsurf/mcp_config.json"],
                Format::Json,
                &["mcpServers"],
            ),
        ],
    )
    .remote(RemoteForm::PLAIN)
    .gives(Environment::Full)
    .expands(&[VariableForm::Env], Unset::Kept),
    Client::new(
        "windsurf-jetbrains",
        "Windsurf for JetBrains",
        &[Location::new(
            Scope::User,
            &["~/.codeium/mcp_config.json"],
            Format::Json,
            &["mcpServers"],
        )],
    )
    .remote(RemoteForm::PLAIN)
    .gives(Environment::Full),
];
