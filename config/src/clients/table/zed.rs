//! Zed.
//!
//! On macOS it reads `~/.config/zed` too, not Application Support. An entry with only `settings` is
//! started by an extension.

use crate::clients::entry::Scope;
use crate::clients::location::{Client, Environment, Location, RemoteForm};
use crate::doc::Format;
use crate::host::Os;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "zed",
    "Zed",
    &[
        Location::new(
            Scope::User,
            &["{cfg}/zed/settings.json"],
            Format::Jsonc,
            &["context_servers"],
        )
        .on(&[Os::Linux, Os::Macos]),
        Location::new(
            Scope::User,
            &["{app}/Zed/settings.json"],
            Format::Jsonc,
            &["context_servers"],
        )
        .on(&[Os::Windows]),
        Location::new(
            Scope::Project,
            &["{proj}/.zed/settings.json"],
            Format::Jsonc,
            &["context_servers"],
        ),
    ],
)
.remote(RemoteForm::PLAIN)
.gives(Environment::Full)];
