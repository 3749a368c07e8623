//! OpenClaw.

use crate::clients::entry::Scope;
use crate::clients::location::{Client, Location};
use crate::doc::Format;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "openclaw",
    "OpenClaw",
    &[Location::new(Scope::User, &["~/.openclaw/openclaw.json"], Format::Json5, &["mcp/servers"])],
)];
