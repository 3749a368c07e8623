//! Everything a policy may look at about one operation.
//!
//! Owns: the closed vocabulary of facts. Accepts and emits nothing: plain data.
//! Promises: bounded size, no value of a secret, equal operations have equal facts (so that a
//! decision can be cached by them).

use std::collections::BTreeSet;
use std::sync::Arc;

use defenter_redact::Kind;
use serde::Serialize;

/// Version of the facts and of the Cedar schema that describes them. It grows when a fact is
/// removed or changes its meaning; a new fact does not change it.
pub const FACTS_VERSION: u32 = 1;

/// Most host names kept in [`Facts::hosts`]. The flags ([`Facts::metadata_host`],
/// [`Facts::private_hosts`]) are computed over all of them, kept or not.
pub const MAX_HOSTS: usize = 16;

/// Which way an operation goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// From the client to the server.
    ToServer,
    /// From the server to the client.
    ToClient,
}

impl Direction {
    /// The name used in policies, records and metric labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ToServer => "to-server",
            Self::ToClient => "to-client",
        }
    }
}

/// Which part of an exchange an operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// A message that expects an answer.
    Request,
    /// The answer to a request, an error included.
    Result,
    /// A message that expects no answer.
    Notification,
}

impl Phase {
    /// The name used in records and metric labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Result => "result",
            Self::Notification => "notification",
        }
    }
}

/// What a tool does, as far as its name tells. Annotations of a server are never trusted to make
/// it milder: only about 3 % of published tools carry any, and a hostile server writes its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ToolClass {
    /// Looks something up and changes nothing.
    Read,
    /// Changes something that can be changed back.
    Write,
    /// Deletes, pays, grants, or otherwise does what cannot be undone.
    Destructive,
    /// Runs code or commands that it is given.
    Execute,
    /// Carries data to the outside: sends, posts, fetches.
    Egress,
    /// The name says nothing.
    Unknown,
}

impl ToolClass {
    /// All classes.
    pub const ALL: [Self; 6] =
        [Self::Read, Self::Write, Self::Destructive, Self::Execute, Self::Egress, Self::Unknown];

    /// The name used in policies, records and metric labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Destructive => "destructive",
            Self::Execute => "execute",
            Self::Egress => "egress",
            Self::Unknown => "unknown",
        }
    }
}

/// Why a path named by an operation needs care.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProtectedPath {
    /// Holds keys, tokens or passwords: `~/.ssh/id_*`, `~/.aws/credentials`, key rings, …
    KeyMaterial,
    /// Our own settings, grants, pins and records.
    Defenter,
    /// A file from which an AI client learns which servers to start, or its hooks.
    ClientConfig,
    /// An editor's settings or tasks, which can switch confirmations off or run commands.
    EditorSettings,
    /// Run by a shell or a login: `.bashrc`, `.profile`, …
    ShellStartup,
    /// Run at login or by a schedule: launch agents, systemd units, cron tables, …
    Autostart,
    /// Run by git: hooks, and configuration that can name them.
    GitHook,
    /// An `.env` file: often holds secrets, and is ordinary to read.
    EnvFile,
}

impl ProtectedPath {
    /// All reasons.
    pub const ALL: [Self; 8] = [
        Self::KeyMaterial,
        Self::Defenter,
        Self::ClientConfig,
        Self::EditorSettings,
        Self::ShellStartup,
        Self::Autostart,
        Self::GitHook,
        Self::EnvFile,
    ];

    /// The name used in policies and records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::KeyMaterial => "key-material",
            Self::Defenter => "defenter",
            Self::ClientConfig => "client-config",
            Self::EditorSettings => "editor-settings",
            Self::ShellStartup => "shell-startup",
            Self::Autostart => "autostart",
            Self::GitHook => "git-hook",
            Self::EnvFile => "env-file",
        }
    }
}

/// What the history of an agent makes true of it; kept by whoever follows the session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize)]
pub struct SessionFlags {
    /// The model has read text that someone else wrote.
    pub untrusted_in: bool,
    /// The model has read secrets or personal data.
    pub sensitive_in: bool,
    /// The model has already sent data to the outside.
    pub egress_out: bool,
}

/// What the server's definition of a tool says about it (MCP's tool annotations), each only where
/// it is said outright. A hostile server writes what it likes here: reason to be careful, never
/// to be less so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize)]
pub struct ToolHints {
    /// `readOnlyHint`: it changes nothing.
    pub read_only: bool,
    /// `destructiveHint`: what it does may not be undone.
    pub destructive: bool,
    /// `idempotentHint`: doing it again changes nothing more.
    pub idempotent: bool,
    /// `openWorldHint`: it deals with the outside.
    pub open_world: bool,
}

/// Everything a policy may look at about one operation.
///
/// Built by [`build`](crate::build). No field holds a value out of the message except host names,
/// and those come out of its redacted copy.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Facts {
    /// Always [`FACTS_VERSION`].
    pub version: u32,
    /// The client's id, such as `claude-code`.
    pub client: Arc<str>,
    /// The server's name in the client's configuration.
    pub server: Arc<str>,
    /// The method as it was written, cut to 128 bytes.
    pub method: Arc<str>,
    /// Which way the operation goes.
    pub direction: Direction,
    /// Which part of an exchange it is.
    pub phase: Phase,
    /// The tool's name for `tools/call`, cut to 256 bytes.
    pub tool: Option<Arc<str>>,
    /// What the tool does, as far as its name tells; where the name says nothing, the server's word
    /// that it is destructive is taken.
    pub tool_class: ToolClass,
    /// What the server says about the tool.
    pub hints: ToolHints,
    /// What the redactor saw.
    pub finding_kinds: BTreeSet<Kind>,
    /// Whether one of the findings is a credential.
    pub has_secret: bool,
    /// Whether one of the findings is personal data.
    pub has_personal_data: bool,
    /// How many paths a request names, at most 1000.
    pub paths: u32,
    /// How many of them lie outside the roots of the workspace; 0 where no roots are known.
    pub paths_outside_roots: u32,
    /// Why the paths need care.
    pub protected_paths: BTreeSet<ProtectedPath>,
    /// Hosts that a request names, lower case, at most [`MAX_HOSTS`].
    pub hosts: BTreeSet<Arc<str>>,
    /// Whether a host is loopback, private or link-local.
    pub private_hosts: bool,
    /// Whether a host is the metadata service of a cloud.
    pub metadata_host: bool,
    /// Whether the text holds what a person cannot see: tag characters, bidi overrides, long runs
    /// of zero-width characters or of variation selectors.
    pub hidden_text: bool,
    /// Whether the text holds terminal escape sequences.
    pub terminal_escapes: bool,
    /// Whether the server asks the client's model for a completion.
    pub asks_sampling: bool,
    /// Whether the server asks the user to open an address.
    pub asks_url: bool,
    /// Whether the server asks the user for what looks like a secret.
    pub asks_secret: bool,
    /// Size of the payload in KiB, rounded up (so that near sizes share one decision).
    pub size_kib: u64,
    /// Whether the model has stated its intent. Only that it did is a fact; what it says is a
    /// claim of the model and never a reason to allow.
    pub intent: bool,
    /// What the agent's history makes true of it.
    pub session: SessionFlags,
}
