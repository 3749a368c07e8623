//! Mistral Vibe.

use crate::clients::entry::Scope;
use crate::clients::location::{Client, Environment, Location, RemoteForm};
use crate::doc::Format;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "mistral-vibe",
    "Mistral Vibe",
    &[
        Location::new(
            Scope::User,
            &["{VIBE_HOME:~/.vibe}/config.toml"],
            Format::Toml,
            &["mcp_servers"],
        ),
        Location::new(
            Scope::Project,
            &["{proj}/.vibe/config.toml"],
            Format::Toml,
            &["mcp_servers"],
        ),
    ],
)
.remote(RemoteForm::TYPED)
.gives(Environment::Only(&["HOME", "PATH", "SHELL", "TERM"]))];
