//! mcporter.
//!
//! It also reads the files of Cursor, Claude, Codex, Windsurf, opencode and VS Code.

use crate::clients::entry::Scope;
use crate::clients::location::{Client, Environment, Location, RemoteForm, Unset, VariableForm};
use crate::doc::Format;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "mcporter",
    "mcporter",
    &[
        Location::new(
            Scope::User,
            &["~/.mcporter/mcporter.json", "~/.mcporter/mcporter.jsonc"],
            Format::Jsonc,
            &["mcpServers"],
        ),
        Location::new(
            Scope::Project,
            &["{proj}/config/mcporter.json"],
            Format::Jsonc,
            &["mcpServers"],
        ),
    ],
)
.remote(RemoteForm::PLAIN)
.gives(Environment::Full)
.expands(&[VariableForm::Braces], Unset::RefusesFile)];
