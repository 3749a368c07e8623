//! Qwen Code.
//!
//! Approvals in projects are bound to a hash of the entry. (Seen with 0.24.4.)

use crate::clients::entry::Scope;
use crate::clients::location::{Approval, Client, Environment, Location};
use crate::doc::Format;

pub(super) const CLIENTS: &[Client] = &[
    Client::new("qwen-code", "Qwen Code", &[
        Location::new(Scope::User, &["~/.qwen/settings.json"], Format::JsonComments, &["mcpServers"]),
        Location::new(Scope::Project, &["{proj}/.qwen/settings.json"], Format::JsonComments, &["mcpServers"]),
        Location::new(Scope::Plugin, &["~/.qwen/extensions/*/qwen-extension.json"], Format::Json, &["mcpServers"]).report_only("brought by an extension, whose files are replaced when it is updated"),
    ])
    .gives(Environment::Full)
    .asks(Approval::Projects("run `qwen mcp approve NAME`")),
];
