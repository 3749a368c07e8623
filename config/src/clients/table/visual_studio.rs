//! Visual Studio.
//!
//! Its `.mcp.json` has the name of Claude Code's and another key.

use crate::clients::entry::Scope;
use crate::clients::location::{Approval, Client, Location, RemoteForm};
use crate::doc::Format;
use crate::host::Os;

pub(super) const CLIENTS: &[Client] = &[Client::new(
    "visual-studio",
    "Visual Studio",
    &[
        Location::new(Scope::User, &["~/.mcp.json"], Format::Jsonc, &["servers"])
            .on(&[Os::Windows]),
        Location::new(
            Scope::Project,
            &["{proj}/.vs/mcp.json", "{proj}/.mcp.json"],
            Format::Jsonc,
            &["servers"],
        )
        .on(&[Os::Windows]),
    ],
)
.remote(RemoteForm::TYPED)
.asks(Approval::Always("allow the server again when Visual Studio asks"))];
