//! Qwen Code.
//!
//! It keeps servers as Gemini CLI does. Approvals in projects are bound to a hash of the entry.
//! (Seen with 0.24.4.)

use crate::clients::entry::Scope;
use crate::clients::location::{
    Approval, Client, EXTENSION, Environment, Location, RemoteForm, Unset, VariableForm,
};
use crate::doc::Format;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "qwen-code",
    "Qwen Code",
    &[
        Location::new(
            Scope::User,
            &["~/.qwen/settings.json"],
            Format::JsonComments,
            &["mcpServers"],
        )
        .refined(super::gemini_cli::refine),
        Location::new(
            Scope::Project,
            &["{proj}/.qwen/settings.json"],
            Format::JsonComments,
            &["mcpServers"],
        )
        .refined(super::gemini_cli::refine),
        Location::new(
            Scope::Plugin,
            &["~/.qwen/extensions/*/qwen-extension.json"],
            Format::Json,
            &["mcpServers"],
        )
        .report_only(EXTENSION),
    ],
)
.remote(RemoteForm::GEMINI)
.gives(Environment::Full)
.expands(&[VariableForm::Braces, VariableForm::Dollar], Unset::Kept)
.asks(Approval::Projects("run `qwen mcp approve NAME`"))];
