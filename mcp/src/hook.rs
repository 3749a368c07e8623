//! What a client's hook asks, and what it is told, on their way over the local socket.
//!
//! Owns: the shape of both. Accepts and emits: plain data; what the operation carries travels beside
//! it as bytes.
//! Promises: nothing in an answer is text that was not redacted.

use serde::{Deserialize, Serialize};

/// An operation that a client tells its hook of, before it or after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookCall {
    /// The version of the local protocol that the hook speaks.
    pub version: u32,
    /// The client's id.
    pub client: String,
    /// What the client calls its conversation; empty where it does not say.
    pub session: String,
    /// The server in records and policies: an MCP server's name, or `hook:CLIENT`.
    pub server: String,
    /// Set for a call of an MCP server's tool: the server's name as the client spells it, or the
    /// name of server and tool in one where it does not keep them apart.
    pub mcp: Option<McpName>,
    /// The method that the operation is treated as.
    pub method: String,
    /// The tool, file or prompt that it is about.
    pub target: Option<String>,
    /// Where the client works.
    pub cwd: Option<String>,
    /// Whether it has happened already.
    pub happened: bool,
    /// Whether it is known to do what cannot be undone.
    pub destructive: bool,
    /// Whether the client asks its user itself when told to.
    pub client_asks: bool,
    /// Display variables of the client, for a question of ours.
    pub environment: Vec<(String, String)>,
}

/// How a client names an MCP server in a tool's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum McpName {
    /// The server's own name, but for characters that the client replaced.
    Server(String),
    /// The server's name, a separator, and the tool's name.
    Joined(String),
}

/// What a hook is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum HookVerdict {
    /// It may go on.
    Allow,
    /// The client shall ask its user.
    Ask {
        /// Why.
        text: String,
    },
    /// It may not go on.
    Deny {
        /// Why, as the agent reads it.
        text: String,
    },
}

impl McpName {
    /// Whether the server called `name` is meant. Clients replace what is no letter, digit, `-` or
    /// `_` in a name by `_`.
    #[must_use]
    pub fn is_of(&self, name: &str) -> bool {
        let plain = |text: &str| -> String {
            let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
            text.chars().map(plain).collect()
        };
        match self {
            Self::Server(server) => plain(server) == plain(name),
            Self::Joined(joined) => plain(joined)
                .strip_prefix(&plain(name))
                .is_some_and(|tool| tool.starts_with('_') && tool.len() > 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_told_by_its_name_whatever_the_client_made_of_it() {
        for (said, name, meant) in [
            (McpName::Server("files".into()), "files", true),
            (McpName::Server("my_files".into()), "my files", true),
            (McpName::Server("my-files".into()), "my.files", true),
            (McpName::Server("files2".into()), "files", false),
            (McpName::Joined("files-read".into()), "files", true),
            (McpName::Joined("files/read".into()), "files", true),
            (McpName::Joined("filesystem-read".into()), "files", false),
            (McpName::Joined("files".into()), "files", false),
            (McpName::Joined("files-".into()), "files", false),
        ] {
            assert_eq!(said.is_of(name), meant, "{said:?} {name}");
        }
    }
}
