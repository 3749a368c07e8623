//! Cline.
//!
//! Version 3 nests the transport and reads the flat shape too; the extension moves its old file
//! into
//! the new one.

use crate::clients::entry::Scope;
use crate::clients::location::{Client, Environment, Location, RemoteForm};
use crate::doc::Format;

pub(super) const CLIENTS: &[Client] = &[
    Client::new(
        "cline",
        "Cline",
        &[Location::new(
            Scope::User,
            &["{CLINE_DATA_DIR:~/.cline/data}/settings/cline_mcp_settings.json"],
            Format::JsonStrict,
            &["mcpServers"],
        )],
    )
    .remote(RemoteForm::TYPED)
    .gives(Environment::Full),
    Client::new(
        "cline-vscode",
        "Cline for VS Code",
        &[Location::new(
            Scope::UserLegacy,
            &[
                concat!(
                    "{app}/Code/User/globalStorage/saoudrizwan.claude-dev/",
                    "settings/cline_mcp_settings.json"
                ),
                concat!(
                    "{app}/Code - Insiders/User/globalStorage/",
                    "saoudrizwan.claude-dev/settings/cline_mcp_settings.json"
                ),
                concat!(
                    "{app}/VSCodium/User/globalStorage/saoudrizwan.claude-dev/",
                    "settings/cline_mcp_settings.json"
                ),
                concat!(
                    "{app}/Cursor/User/globalStorage/saoudrizwan.claude-dev/",
                    "settings/cline_mcp_settings.json"
                ),
                concat!(
                    "{app}/Windsurf/User/globalStorage/saoudrizwan.claude-dev/",
                    "settings/cline_mcp_settings.json"
                ),
            ],
            Format::JsonStrict,
            &["mcpServers"],
        )],
    )
    .remote(RemoteForm::TYPED)
    .gives(Environment::Full),
];
