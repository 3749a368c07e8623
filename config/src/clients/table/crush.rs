//! Crush.
//!
//! `crushrc` is a shell script; what it adds is shown and left alone.

use crate::clients::entry::Scope;
use crate::clients::location::{Client, Environment, Location, RemoteForm};
use crate::doc::Format;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "crush",
    "Crush",
    &[
        Location::new(Scope::User, &["{cfg}/crush/crushrc"], Format::Shell, &[]),
        Location::new(Scope::UserLegacy, &["{cfg}/crush/crush.json"], Format::Jsonc, &["mcp"]),
        Location::new(Scope::User, &["{CRUSH_GLOBAL_CONFIG:}/crush.json"], Format::Jsonc, &["mcp"]),
        Location::new(Scope::Project, &["{proj}/.crushrc", "{proj}/crushrc"], Format::Shell, &[]),
        Location::new(
            Scope::Project,
            &["{proj}/.crush.json", "{proj}/crush.json"],
            Format::Jsonc,
            &["mcp"],
        ),
    ],
)
.remote(RemoteForm::TYPED)
.gives(Environment::Full)];
