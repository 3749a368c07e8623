//! Qoder.
//!
//! Sources disagree on the path; all are read.

use crate::clients::entry::Scope;
use crate::clients::location::{Client, Location};
use crate::doc::Format;
use crate::host::Os;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "qoder",
    "Qoder",
    &[
        Location::new(
            Scope::User,
            &["~/.qoder/mcp.json", "~/.qoder.json"],
            Format::Json,
            &["mcpServers"],
        ),
        Location::new(
            Scope::User,
            &["{app}/Qoder/SharedClientCache/mcp.json"],
            Format::Json,
            &["mcpServers"],
        )
        .on(&[Os::Windows]),
    ],
)];
