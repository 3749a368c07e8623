//! Goose.
//!
//! It writes the file anew on every change; invalid YAML makes it start from nothing.

use crate::clients::entry::Scope;
use crate::clients::location::{Client, Environment, Location, RemoteForm};
use crate::doc::Format;
use crate::host::Os;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "goose",
    "Goose",
    &[
        Location::new(Scope::User, &["~/.config/goose/config.yaml"], Format::Yaml, &["extensions"])
            .on(&[Os::Linux, Os::Macos]),
        Location::new(
            Scope::User,
            &["{app}/Block/goose/config/config.yaml"],
            Format::Yaml,
            &["extensions"],
        )
        .on(&[Os::Windows]),
    ],
)
.remote(RemoteForm { command: "cmd", env: "envs", ..RemoteForm::TYPED })
.gives(Environment::Full)];
