//! AnythingLLM.
//!
//! `anythingllm.autoStart: false` does not turn a server off.

use crate::clients::entry::Scope;
use crate::clients::location::{Client, Location};
use crate::doc::Format;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "anythingllm",
    "AnythingLLM",
    &[Location::new(
        Scope::User,
        &["{app}/anythingllm-desktop/storage/plugins/anythingllm_mcp_servers.json"],
        Format::JsonStrict,
        &["mcpServers"],
    )],
)];
