//! Relatives of VS Code with folders of their own.

use crate::clients::entry::Scope;
use crate::clients::location::{Client, Environment, Location, RemoteForm};
use crate::doc::Format;
use crate::host::Os;

pub(super) const CLIENTS: &[Client] = &[
    Client::new(
        "vscode-insiders",
        "VS Code Insiders",
        &[
            Location::new(
                Scope::User,
                &["{app}/Code - Insiders/User/mcp.json"],
                Format::Jsonc,
                &["servers"],
            ),
            Location::new(
                Scope::Profile,
                &["{app}/Code - Insiders/User/profiles/*/mcp.json"],
                Format::Jsonc,
                &["servers"],
            ),
            Location::new(
                Scope::UserLegacy,
                &["{app}/Code - Insiders/User/settings.json"],
                Format::Jsonc,
                &["mcp/servers"],
            ),
        ],
    )
    .remote(RemoteForm::TYPED)
    .gives(Environment::Full),
    Client::new(
        "vscodium",
        "VSCodium",
        &[
            Location::new(
                Scope::User,
                &["{app}/VSCodium/User/mcp.json"],
                Format::Jsonc,
                &["servers"],
            ),
            Location::new(
                Scope::Profile,
                &["{app}/VSCodium/User/profiles/*/mcp.json"],
                Format::Jsonc,
                &["servers"],
            ),
            Location::new(
                Scope::UserLegacy,
                &["{app}/VSCodium/User/settings.json"],
                Format::Jsonc,
                &["mcp/servers"],
            ),
        ],
    )
    .remote(RemoteForm::TYPED)
    .gives(Environment::Full),
    Client::new(
        "code-oss",
        "Code - OSS",
        &[Location::new(
            Scope::User,
            &["{app}/Code - OSS/User/mcp.json"],
            Format::Jsonc,
            &["servers"],
        )],
    )
    .remote(RemoteForm::TYPED)
    .gives(Environment::Full),
    Client::new(
        "code-server",
        "code-server",
        &[Location::new(
            Scope::User,
            &["~/.local/share/code-server/User/mcp.json"],
            Format::Jsonc,
            &["servers"],
        )
        .on(&[Os::Linux])],
    )
    .remote(RemoteForm::TYPED)
    .gives(Environment::Full),
];
