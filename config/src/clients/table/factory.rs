//! Factory droid.
//!
//! A byte-order mark or a trailing comma makes it silently find no servers. (Seen with 0.215.)

use crate::clients::entry::Scope;
use crate::clients::location::{Client, Environment, Location, RemoteForm, Unset, VariableForm};
use crate::doc::Format;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "factory",
    "Factory droid",
    &[
        Location::new(Scope::User, &["~/.factory/mcp.json"], Format::JsonComments, &["mcpServers"]),
        Location::new(
            Scope::Project,
            &["{proj}/.factory/mcp.json"],
            Format::JsonComments,
            &["mcpServers"],
        ),
    ],
)
.remote(RemoteForm::TYPED)
.gives(Environment::Full)
.expands(&[VariableForm::Braces], Unset::RefusesServer)];
