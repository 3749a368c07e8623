//! Amazon Q.

use crate::clients::entry::Scope;
use crate::clients::location::{Approval, Client, Environment, Location, RemoteForm};
use crate::doc::Format;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "amazon-q",
    "Amazon Q",
    &[
        Location::new(
            Scope::UserLegacy,
            &["~/.aws/amazonq/mcp.json"],
            Format::Json,
            &["mcpServers"],
        ),
        Location::new(
            Scope::User,
            &["~/.aws/amazonq/default.json", "~/.aws/amazonq/agents/default.json"],
            Format::Json,
            &["mcpServers"],
        ),
        Location::new(
            Scope::Agent,
            &["~/.aws/amazonq/cli-agents/*.json"],
            Format::JsonStrict,
            &["mcpServers"],
        ),
        Location::new(
            Scope::Project,
            &["{proj}/.amazonq/cli-agents/*.json"],
            Format::JsonStrict,
            &["mcpServers"],
        ),
        Location::new(
            Scope::Project,
            &["{proj}/.amazonq/mcp.json", "{proj}/.amazonq/default.json"],
            Format::Json,
            &["mcpServers"],
        ),
    ],
)
.remote(RemoteForm::PLAIN)
.gives(Environment::Full)
.asks(Approval::Always("approve the server again when the Amazon Q extension asks"))];
