//! fast-agent.

use crate::clients::entry::Scope;
use crate::clients::location::{Client, Environment, Location, RemoteForm, Unset, VariableForm};
use crate::doc::Format;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "fast-agent",
    "fast-agent",
    &[Location::new(
        Scope::Project,
        &["{proj}/fastagent.config.yaml", "{proj}/fast-agent.yaml"],
        Format::Yaml,
        &["mcp/servers"],
    )],
)
.remote(RemoteForm::TYPED)
.gives(Environment::Only(&["HOME", "LOGNAME", "PATH", "SHELL", "TERM", "USER"]))
.expands(&[VariableForm::Braces], Unset::Kept)];
