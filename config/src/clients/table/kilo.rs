//! Kilo Code.

use crate::clients::entry::Scope;
use crate::clients::location::{Client, Environment, Location, RemoteForm, Unset, VariableForm};
use crate::doc::Format;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "kilo",
    "Kilo Code",
    &[
        Location::new(
            Scope::User,
            &[
                "{cfg}/kilo/kilo.json",
                "{cfg}/kilo/kilo.jsonc",
                "{cfg}/kilo/opencode.json",
                "{cfg}/kilo/opencode.jsonc",
            ],
            Format::Jsonc,
            &["mcp", "mcp/servers"],
        ),
        Location::new(
            Scope::Project,
            &[
                "{proj}/kilo.json",
                "{proj}/kilo.jsonc",
                "{proj}/.kilo/kilo.json",
                "{proj}/.kilo/kilo.jsonc",
            ],
            Format::Jsonc,
            &["mcp", "mcp/servers"],
        ),
        Location::new(
            Scope::UserLegacy,
            &[
                "{app}/Code/User/globalStorage/kilocode.kilo-code/settings/mcp_settings.json",
                concat!(
                    "{app}/Code - Insiders/User/globalStorage/kilocode.kilo-code/",
                    "settings/mcp_settings.json"
                ),
                concat!(
                    "{app}/VSCodium/User/globalStorage/kilocode.kilo-code/",
                    "settings/mcp_settings.json"
                ),
            ],
            Format::JsonStrict,
            &["mcpServers"],
        ),
        Location::new(
            Scope::Project,
            &["{proj}/.kilocode/mcp.json"],
            Format::JsonStrict,
            &["mcpServers"],
        ),
    ],
)
.remote(RemoteForm::OPENCODE)
.gives(Environment::Full)
.expands(&[VariableForm::BareEnv], Unset::Kept)];
