//! Google Antigravity.
//!
//! Sources disagree on old and new folders; both are read.

use crate::clients::entry::Scope;
use crate::clients::location::{Client, Location, RemoteForm};
use crate::doc::Format;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "antigravity",
    "Google Antigravity",
    &[
        Location::new(
            Scope::User,
            &["~/.gemini/config/mcp_config.json"],
            Format::Json,
            &["mcpServers"],
        ),
        Location::new(
            Scope::UserLegacy,
            &["~/.gemini/antigravity/mcp_config.json"],
            Format::Json,
            &["mcpServers"],
        ),
        Location::new(
            Scope::User,
            &["~/.gemini/antigravity-cli/mcp_config.json"],
            Format::Json,
            &["mcpServers"],
        ),
        Location::new(
            Scope::Project,
            &["{proj}/.agents/mcp_config.json", "{proj}/.agent/mcp_config.json"],
            Format::Json,
            &["mcpServers"],
        ),
    ],
)
.remote(RemoteForm::PLAIN)];
