//! JetBrains Air, and GitHub Copilot in the editors of others.
//!
//! JetBrains AI Assistant keeps servers in its own storage, which nobody else writes.

use crate::clients::entry::Scope;
use crate::clients::location::{Client, Location, RemoteForm};
use crate::doc::Format;
use crate::host::Os;

pub(super) const CLIENTS: &[Client] = &[
    Client::new(
        "jetbrains-air",
        "JetBrains Air",
        &[Location::new(Scope::Project, &["{proj}/.air/mcp.json"], Format::Json, &["mcpServers"])],
    )
    .remote(RemoteForm::PLAIN),
    Client::new(
        "copilot-jetbrains",
        "GitHub Copilot for JetBrains",
        &[
            Location::new(
                Scope::User,
                &["~/.config/github-copilot/intellij/mcp.json"],
                Format::Jsonc,
                &["servers"],
            ),
            Location::new(
                Scope::User,
                &[
                    "{local}/github-copilot/intellij/mcp.json",
                    "{app}/github-copilot/intellij/mcp.json",
                ],
                Format::Jsonc,
                &["servers"],
            )
            .on(&[Os::Windows]),
        ],
    )
    .remote(RemoteForm::TYPED),
    Client::new(
        "copilot-eclipse",
        "GitHub Copilot for Eclipse",
        &[
            Location::new(
                Scope::User,
                &["~/.config/github-copilot/eclipse/mcp.json"],
                Format::Jsonc,
                &["servers"],
            ),
            Location::new(
                Scope::User,
                &[
                    "{local}/github-copilot/eclipse/mcp.json",
                    "{app}/github-copilot/eclipse/mcp.json",
                ],
                Format::Jsonc,
                &["servers"],
            )
            .on(&[Os::Windows]),
        ],
    )
    .remote(RemoteForm::TYPED),
    Client::new(
        "copilot-xcode",
        "GitHub Copilot for Xcode",
        &[
            Location::new(
                Scope::User,
                &["~/.config/github-copilot/xcode/mcp.json"],
                Format::Jsonc,
                &["servers"],
            ),
            Location::new(
                Scope::User,
                &["{local}/github-copilot/xcode/mcp.json", "{app}/github-copilot/xcode/mcp.json"],
                Format::Jsonc,
                &["servers"],
            )
            .on(&[Os::Windows]),
        ],
    )
    .remote(RemoteForm::TYPED),
];
