//! Gemini CLI.
//!
//! A byte-order mark or a trailing comma keeps the whole program from starting. (Seen with 0.61.0.)

use crate::clients::discover::Scan;
use crate::clients::entry::{Entry, Launch, Scope, Transport};
use crate::clients::location::{
    ADMINISTRATOR, Client, EXTENSION, Environment, Location, RemoteForm, Unset, VariableForm,
};
use crate::doc::{Format, Node};
use crate::host::Os;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "gemini-cli",
    "Gemini CLI",
    &[
        Location::new(
            Scope::User,
            &["~/.gemini/settings.json"],
            Format::JsonComments,
            &["mcpServers"],
        )
        .refined(refine),
        Location::new(
            Scope::Project,
            &["{proj}/.gemini/settings.json"],
            Format::JsonComments,
            &["mcpServers"],
        )
        .refined(refine),
        Location::new(
            Scope::System,
            &["/etc/gemini-cli/settings.json", "/etc/gemini-cli/system-defaults.json"],
            Format::JsonComments,
            &["mcpServers"],
        )
        .on(&[Os::Linux])
        .report_only(ADMINISTRATOR),
        Location::new(
            Scope::System,
            &[
                "/Library/Application Support/GeminiCli/settings.json",
                "/Library/Application Support/GeminiCli/system-defaults.json",
            ],
            Format::JsonComments,
            &["mcpServers"],
        )
        .on(&[Os::Macos])
        .report_only(ADMINISTRATOR),
        Location::new(
            Scope::System,
            &[
                "{programdata}/gemini-cli/settings.json",
                "{programdata}/gemini-cli/system-defaults.json",
            ],
            Format::JsonComments,
            &["mcpServers"],
        )
        .on(&[Os::Windows])
        .report_only(ADMINISTRATOR),
        Location::new(
            Scope::Plugin,
            &["~/.gemini/extensions/*/gemini-extension.json"],
            Format::Json,
            &["mcpServers"],
        )
        .report_only(EXTENSION),
    ],
)
.remote(RemoteForm::GEMINI)
.gives(Environment::WithoutSecrets)
.expands(&[VariableForm::Braces, VariableForm::Dollar], Unset::Kept)];

/// `url` is server-sent events and `httpUrl` is not. `mcp.excluded` turns servers off, and
/// `mcp.allowed` all others.
pub(super) fn refine(scan: &mut Scan<'_>, entry: &mut Entry) {
    if let Launch::Remote(remote) = &mut entry.launch
        && remote.url_key == "url"
    {
        remote.transport = Transport::Sse;
    }
    let Some(doc) = scan.open(&entry.file, Format::JsonComments) else { return };
    let Some(mcp) = doc.root().and_then(|root| root.get("mcp")) else { return };
    let names = |key: &str| mcp.get(key).filter(|list| list.is_seq());
    let has = |list: &Node| list.items().iter().any(|item| item.as_str() == Some(&entry.name));
    let is_off = names("excluded").is_some_and(has)
        || names("allowed").is_some_and(|list| !list.items().is_empty() && !has(list));
    entry.disabled |= is_off;
}
