//! opencode.
//!
//! Reads `mcp.NAME` and `mcp.servers.NAME`. An entry of `enabled` alone is an override and no
//! server.
//! (Seen with 1.18.33.)

use crate::clients::entry::Scope;
use crate::clients::location::{
    ADMINISTRATOR, Client, ClientId, Environment, Location, RemoteForm, Unset, VariableForm,
};
use crate::doc::Format;
use crate::host::Os;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "opencode",
    "opencode",
    &[
        Location::new(
            Scope::User,
            &[
                "{cfg}/opencode/opencode.json",
                "{cfg}/opencode/opencode.jsonc",
                "{cfg}/opencode/config.json",
            ],
            Format::Jsonc,
            &["mcp", "mcp/servers"],
        )
        .also(&[ClientId("mcporter")]),
        Location::new(
            Scope::User,
            &["~/.opencode/opencode.json", "~/.opencode/opencode.jsonc"],
            Format::Jsonc,
            &["mcp", "mcp/servers"],
        ),
        Location::new(
            Scope::User,
            &[
                "{OPENCODE_CONFIG:}",
                "{OPENCODE_CONFIG_DIR:}/opencode.json",
                "{OPENCODE_CONFIG_DIR:}/opencode.jsonc",
            ],
            Format::Jsonc,
            &["mcp", "mcp/servers"],
        ),
        Location::new(
            Scope::Project,
            &[
                "{proj}/opencode.json",
                "{proj}/opencode.jsonc",
                "{proj}/.opencode/opencode.json",
                "{proj}/.opencode/opencode.jsonc",
            ],
            Format::Jsonc,
            &["mcp", "mcp/servers"],
        ),
        Location::new(
            Scope::System,
            &["/etc/opencode/opencode.json", "/etc/opencode/opencode.jsonc"],
            Format::Jsonc,
            &["mcp", "mcp/servers"],
        )
        .on(&[Os::Linux])
        .report_only(ADMINISTRATOR),
        Location::new(
            Scope::System,
            &[
                "/Library/Application Support/opencode/opencode.json",
                "/Library/Application Support/opencode/opencode.jsonc",
            ],
            Format::Jsonc,
            &["mcp", "mcp/servers"],
        )
        .on(&[Os::Macos])
        .report_only(ADMINISTRATOR),
        Location::new(
            Scope::System,
            &["{programdata}/opencode/opencode.json", "{programdata}/opencode/opencode.jsonc"],
            Format::Jsonc,
            &["mcp", "mcp/servers"],
        )
        .on(&[Os::Windows])
        .report_only(ADMINISTRATOR),
    ],
)
.remote(RemoteForm::OPENCODE)
.gives(Environment::Full)
.expands(&[VariableForm::BareEnv], Unset::Kept)];
