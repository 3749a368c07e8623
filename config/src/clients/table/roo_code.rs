//! Roo Code.

use crate::clients::entry::Scope;
use crate::clients::location::{Client, Environment, Location, RemoteForm, Unset, VariableForm};
use crate::doc::Format;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "roo-code",
    "Roo Code",
    &[
        Location::new(
            Scope::User,
            &[
                concat!(
                    "{app}/Code/User/globalStorage/rooveterinaryinc.roo-cline/",
                    "settings/mcp_settings.json"
                ),
                concat!(
                    "{app}/Code - Insiders/User/globalStorage/",
                    "rooveterinaryinc.roo-cline/settings/mcp_settings.json"
                ),
                concat!(
                    "{app}/VSCodium/User/globalStorage/",
                    "rooveterinaryinc.roo-cline/settings/mcp_settings.json"
                ),
            ],
            Format::JsonStrict,
            &["mcpServers"],
        ),
        Location::new(
            Scope::Project,
            &["{proj}/.roo/mcp.json"],
            Format::JsonStrict,
            &["mcpServers"],
        ),
    ],
)
.remote(RemoteForm::TYPED)
.gives(Environment::Full)
.expands(&[VariableForm::Env], Unset::Kept)];
