//! Claude Desktop.
//!
//! On Windows the packaged app reads the second file and the classic one the first; only one is
//! live, and both are wrapped. Linux builds are unofficial and disagree on the folder's case.

use crate::clients::entry::Scope;
use crate::clients::location::{Client, EXTENSION, Environment, Location};
use crate::doc::Format;
use crate::host::Os;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "claude-desktop",
    "Claude Desktop",
    &[
        Location::new(
            Scope::User,
            &["{app}/Claude/claude_desktop_config.json"],
            Format::JsonStrict,
            &["mcpServers"],
        ),
        Location::new(
            Scope::User,
            &["{cfg}/claude/claude_desktop_config.json"],
            Format::JsonStrict,
            &["mcpServers"],
        )
        .on(&[Os::Linux]),
        Location::new(
            Scope::User,
            &[concat!(
                "{local}/Packages/Claude_pzs8sxrjxfjjc/LocalCache/Roaming/",
                "Claude/claude_desktop_config.json"
            )],
            Format::JsonStrict,
            &["mcpServers"],
        )
        .on(&[Os::Windows]),
        Location::new(
            Scope::Plugin,
            &["{app}/Claude/Claude Extensions/*/manifest.json"],
            Format::JsonStrict,
            &["server/mcp_config"],
        )
        .single()
        .report_only(EXTENSION),
    ],
)
.gives(Environment::Desktop)];
