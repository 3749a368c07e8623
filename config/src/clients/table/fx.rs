//! fx.

use crate::clients::entry::Scope;
use crate::clients::location::{Client, Location};
use crate::doc::Format;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "fx",
    "fx",
    &[Location::new(Scope::User, &["~/.fx/mcp.json"], Format::Json, &["mcp"])],
)];
