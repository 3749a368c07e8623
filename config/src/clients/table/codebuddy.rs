//! CodeBuddy.
//!
//! The file's name in its folder is not documented; both that were seen elsewhere are read.

use crate::clients::entry::Scope;
use crate::clients::location::{Client, Location};
use crate::doc::Format;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "codebuddy",
    "CodeBuddy",
    &[Location::new(
        Scope::User,
        &["~/.codebuddy/mcp.json", "~/.codebuddy.json"],
        Format::Json,
        &["mcpServers"],
    )],
)];
