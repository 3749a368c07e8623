//! Continue.

use crate::clients::entry::Scope;
use crate::clients::location::{Client, Environment, Location, RemoteForm};
use crate::doc::Format;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "continue",
    "Continue",
    &[
        Location::new(Scope::User, &["~/.continue/config.yaml"], Format::Yaml, &["mcpServers"]),
        Location::new(
            Scope::User,
            &["~/.continue/mcpServers/*.yaml", "~/.continue/mcpServers/*.yml"],
            Format::Yaml,
            &["mcpServers"],
        ),
        Location::new(
            Scope::User,
            &["~/.continue/mcpServers/*.json"],
            Format::Json,
            &["mcpServers", ""],
        ),
        Location::new(
            Scope::Project,
            &["{proj}/.continue/mcpServers/*.yaml", "{proj}/.continue/mcpServers/*.yml"],
            Format::Yaml,
            &["mcpServers"],
        ),
        Location::new(
            Scope::Project,
            &["{proj}/.continue/mcpServers/*.json"],
            Format::Json,
            &["mcpServers", ""],
        ),
        Location::new(
            Scope::UserLegacy,
            &["~/.continue/config.json"],
            Format::Json,
            &["experimental/modelContextProtocolServers"],
        ),
    ],
)
.remote(RemoteForm { headers: &["requestOptions", "headers"], ..RemoteForm::TYPED })
.gives(Environment::Full)];
