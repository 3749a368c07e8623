//! Claude Code.
//!
//! It rewrites `~/.claude.json` on every run, under a lock folder, and approves the servers of a
//! project by name: a command that changes under a name is not asked about again. It ignores
//! `mcpServers` in `~/.claude/settings.json`. (Seen with 2.1.330.)

use crate::clients::discover::Scan;
use crate::clients::entry::{Entry, Scope};
use crate::clients::location::{
    ADMINISTRATOR, Client, ClientId, Environment, Location, PLUGIN, RemoteForm, Unset, VariableForm,
};
use crate::doc::{Format, Node};
use crate::host::Os;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "claude-code",
    "Claude Code",
    &[
        Location::new(
            Scope::User,
            &["{CLAUDE_CONFIG_DIR:~}/.claude.json"],
            Format::JsonStrict,
            &["mcpServers"],
        )
        .locked()
        .also(&[ClientId("warp"), ClientId("mcporter")]),
        Location::new(
            Scope::Local,
            &["{CLAUDE_CONFIG_DIR:~}/.claude.json"],
            Format::JsonStrict,
            &["projects/*/mcpServers"],
        )
        .locked(),
        Location::new(Scope::Project, &["{proj}/.mcp.json"], Format::JsonStrict, &["mcpServers"])
            .also(&[
                ClientId("cursor"),
                ClientId("windsurf"),
                ClientId("vscode"),
                ClientId("copilot-cli"),
                ClientId("qwen-code"),
                ClientId("warp"),
                ClientId("jetbrains-air"),
            ])
            .refined(disabled_in_project),
        Location::new(
            Scope::Plugin,
            &[
                "{CLAUDE_CONFIG_DIR:~/.claude}/plugins/cache/**/.mcp.json",
                "{CLAUDE_CONFIG_DIR:~/.claude}/plugins/repos/**/.mcp.json",
            ],
            Format::Json,
            &["mcpServers", ""],
        )
        .report_only(PLUGIN),
        Location::new(
            Scope::Plugin,
            &[
                "{CLAUDE_CONFIG_DIR:~/.claude}/plugins/cache/**/.claude-plugin/plugin.json",
                "{CLAUDE_CONFIG_DIR:~/.claude}/plugins/repos/**/.claude-plugin/plugin.json",
            ],
            Format::Json,
            &["mcpServers"],
        )
        .report_only(PLUGIN),
        Location::new(
            Scope::System,
            &["/etc/claude-code/managed-mcp.json"],
            Format::JsonStrict,
            &["mcpServers"],
        )
        .on(&[Os::Linux])
        .report_only(ADMINISTRATOR),
        Location::new(
            Scope::System,
            &["/Library/Application Support/ClaudeCode/managed-mcp.json"],
            Format::JsonStrict,
            &["mcpServers"],
        )
        .on(&[Os::Macos])
        .report_only(ADMINISTRATOR),
        Location::new(
            Scope::System,
            &["{programfiles}/ClaudeCode/managed-mcp.json"],
            Format::JsonStrict,
            &["mcpServers"],
        )
        .on(&[Os::Windows])
        .report_only(ADMINISTRATOR),
    ],
)
.remote(RemoteForm::TYPED)
.gives(Environment::Full)
.expands(&[VariableForm::Braces], Unset::Kept)];

/// A project's servers are off where the user's file says so for that project.
fn disabled_in_project(scan: &mut Scan<'_>, entry: &mut Entry) {
    let paths = find_user_file(scan);
    let Some(doc) = scan.quiet(&paths, Format::JsonStrict) else { return };
    let project = entry.project.as_deref().unwrap_or_default();
    let names = doc
        .root()
        .and_then(|root| root.get("projects")?.get(project)?.get("disabledMcpjsonServers"))
        .map(Node::items)
        .unwrap_or_default();
    entry.disabled |= names.iter().any(|name| name.as_str() == Some(&entry.name));
}

fn find_user_file(scan: &Scan<'_>) -> String {
    let host = scan.host();
    let moved = host.var("CLAUDE_CONFIG_DIR").filter(|folder| host.is_absolute(folder));
    format!("{}/.claude.json", moved.map_or_else(|| host.home_text(), str::to_owned))
}
