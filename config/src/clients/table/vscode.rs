//! VS Code.
//!
//! It moves `mcp.servers` of `settings.json` into `mcp.json` by itself on the next start. (Seen
//! with
//! 1.139.)

use crate::clients::entry::Scope;
use crate::clients::location::{
    AllowList, Approval, Client, ClientId, Environment, Location, RemoteForm, Unset, VariableForm,
};
use crate::doc::Format;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "vscode",
    "VS Code",
    &[
        Location::new(Scope::User, &["{app}/Code/User/mcp.json"], Format::Jsonc, &["servers"]),
        Location::new(
            Scope::User,
            &["{VSCODE_PORTABLE:}/user-data/User/mcp.json"],
            Format::Jsonc,
            &["servers"],
        ),
        Location::new(
            Scope::Profile,
            &["{app}/Code/User/profiles/*/mcp.json"],
            Format::Jsonc,
            &["servers"],
        ),
        Location::new(
            Scope::UserLegacy,
            &["{app}/Code/User/settings.json"],
            Format::Jsonc,
            &["mcp/servers"],
        ),
        Location::new(Scope::Project, &["{proj}/.vscode/mcp.json"], Format::Jsonc, &["servers"])
            .also(&[ClientId("visual-studio")]),
        Location::new(Scope::Workspace, &["{workspace}"], Format::Jsonc, &["settings/mcp/servers"]),
        Location::new(
            Scope::Elsewhere,
            &["{proj}/.devcontainer/devcontainer.json"],
            Format::Jsonc,
            &["customizations/vscode/mcp/servers"],
        )
        .report_only("it runs inside a container, where Defenter is not"),
        Location::new(
            Scope::User,
            &["~/.vscode-server/data/User/mcp.json"],
            Format::Jsonc,
            &["servers"],
        ),
    ],
)
.remote(RemoteForm::TYPED)
.gives(Environment::Full)
.expands(&[VariableForm::Env], Unset::Kept)
.asks(Approval::Projects("trust the server again when VS Code says that it was updated"))
.allow_lists(&[
    AllowList {
        paths: &["{app}/Code/User/settings.json"],
        format: Format::Jsonc,
        key: "chat.mcp.access",
    },
    AllowList {
        paths: &["{app}/Code/User/settings.json"],
        format: Format::Jsonc,
        key: "chat.mcp.allowedServers",
    },
])];
