//! Codex.
//!
//! `codex mcp add` rewrites all of `mcp_servers` and loses comments there. (Seen with 0.169.0.)

use crate::clients::entry::Scope;
use crate::clients::location::{
    ADMINISTRATOR, AllowList, Client, ClientId, Environment, Location, PLUGIN, RemoteForm,
};
use crate::doc::Format;
use crate::host::Os;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "codex",
    "Codex",
    &[
        Location::new(
            Scope::User,
            &["{CODEX_HOME:~/.codex}/config.toml"],
            Format::Toml,
            &["mcp_servers"],
        )
        .also(&[ClientId("warp"), ClientId("mcporter")]),
        Location::new(
            Scope::Profile,
            &["{CODEX_HOME:~/.codex}/*.config.toml"],
            Format::Toml,
            &["mcp_servers"],
        ),
        Location::new(
            Scope::Project,
            &["{proj}/.codex/config.toml"],
            Format::Toml,
            &["mcp_servers"],
        ),
        Location::new(Scope::System, &["/etc/codex/config.toml"], Format::Toml, &["mcp_servers"])
            .on(&[Os::Linux, Os::Macos])
            .report_only(ADMINISTRATOR),
        Location::new(
            Scope::System,
            &["{programdata}/OpenAI/Codex/config.toml"],
            Format::Toml,
            &["mcp_servers"],
        )
        .on(&[Os::Windows])
        .report_only(ADMINISTRATOR),
        Location::new(
            Scope::Plugin,
            &["{CODEX_HOME:~/.codex}/plugins/cache/**/.mcp.json"],
            Format::Json,
            &["mcpServers", ""],
        )
        .report_only(PLUGIN),
    ],
)
.remote(RemoteForm { headers: &["http_headers"], handed_on: Some("env_vars"), ..RemoteForm::PLAIN })
.gives(Environment::Only(&[
    "HOME", "LOGNAME", "PATH", "SHELL", "USER", "LANG", "LC_ALL", "TERM", "TMPDIR", "TZ",
]))
.allow_lists(&[AllowList {
    paths: &["{CODEX_HOME:~/.codex}/requirements.toml", "/etc/codex/requirements.toml"],
    format: Format::Toml,
    key: "mcp_servers",
}])];
