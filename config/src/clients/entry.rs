//! What a client's file says about one server.
//!
//! Promises: `Debug` shows what kind of entry it is, and no argument, variable, header or
//! address, since any of them may be a secret.

use std::fmt;
use std::path::PathBuf;

use super::location::ClientId;
use super::wrapped::Wrapped;
use crate::doc::{Format, Place, Step};

/// One server, as one client's file names it.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The client.
    pub client: ClientId,
    /// Whose entry it is.
    pub scope: Scope,
    /// The project it belongs to, as the client writes its path.
    pub project: Option<String>,
    /// The server's name.
    pub name: String,
    /// The file, as the client names it (it may be a link).
    pub file: PathBuf,
    /// How the file is written.
    pub format: Format,
    /// Whether the client guards the file with a lock folder.
    pub locked: bool,
    /// The way to the entry in the file.
    pub steps: Vec<Step>,
    /// The entry's place in the file.
    pub place: Place,
    /// How the file says it is started or reached; of a wrapped entry, the wrapper.
    pub launch: Launch,
    /// Whether the client leaves it off.
    pub disabled: bool,
    /// Set where the entry already runs through Defenter.
    pub wrapped: Option<Wrapped>,
    /// Whether it can be wrapped, and why not.
    pub protection: Protection,
    /// Other clients that read the same entry.
    pub also_read_by: &'static [ClientId],
}

/// Whose entry it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// The user's, everywhere.
    User,
    /// The user's, in a file that newer versions of the client have left behind.
    UserLegacy,
    /// One of the user's profiles.
    Profile,
    /// One of the user's agents.
    Agent,
    /// The user's, for one project; not shared.
    Local,
    /// In a project's files, shared with whoever works on it.
    Project,
    /// In a workspace file.
    Workspace,
    /// The administrator's.
    System,
    /// Brought by a plugin or an extension.
    Plugin,
    /// For a machine that is not this one (a container, a remote host).
    Elsewhere,
}

/// How a server is started or reached.
#[derive(Clone, Debug, PartialEq)]
pub enum Launch {
    /// A program that speaks over its standard streams.
    Stdio(Stdio),
    /// An address.
    Remote(Remote),
    /// A program that an extension of the client knows.
    Extension,
}

/// A program to start.
#[derive(Clone, PartialEq)]
pub struct Stdio {
    /// The program, as written.
    pub command: String,
    /// Its arguments, as written.
    pub args: Vec<String>,
    /// Variables for it, as written.
    pub env: Vec<(String, String)>,
    /// A file with more variables.
    pub env_file: Option<String>,
    /// Its working directory.
    pub cwd: Option<String>,
}

/// An address to reach.
#[derive(Clone, PartialEq)]
pub struct Remote {
    /// The address, as written; it may hold a secret.
    pub url: String,
    /// The key it is written under, which for some clients says the transport.
    pub url_key: String,
    /// The transport, where the entry says one.
    pub transport: Transport,
    /// The headers, as written.
    pub headers: Vec<(String, String)>,
}

/// The transport of a remote server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Streamable HTTP, or not said.
    Http,
    /// Server-sent events, as before protocol 2025-03-26.
    Sse,
    /// WebSocket.
    WebSocket,
}

/// Whether an entry can be wrapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Protection {
    /// It can.
    Wrappable,
    /// It is reached by address, which Defenter leaves alone: not protected.
    Remote,
    /// It is shown and left alone; why.
    ReportOnly(&'static str),
}

impl Entry {
    /// How the server itself is started or reached, without the wrapper.
    pub fn server(&self) -> &Launch {
        self.wrapped.as_ref().and_then(|wrapped| wrapped.original.as_ref()).unwrap_or(&self.launch)
    }

    /// True where the file belongs to a project and is shared with others.
    pub fn is_shared(&self) -> bool {
        matches!(self.scope, Scope::Project | Scope::Workspace)
    }
}

impl Scope {
    const ALL: [Self; 10] = [
        Self::User,
        Self::UserLegacy,
        Self::Profile,
        Self::Agent,
        Self::Local,
        Self::Project,
        Self::Workspace,
        Self::System,
        Self::Plugin,
        Self::Elsewhere,
    ];

    /// The scope of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == word)
    }

    /// The scope as one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::UserLegacy => "user-legacy",
            Self::Profile => "profile",
            Self::Agent => "agent",
            Self::Local => "local",
            Self::Project => "project",
            Self::Workspace => "workspace",
            Self::System => "system",
            Self::Plugin => "plugin",
            Self::Elsewhere => "elsewhere",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Stdio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stdio")
            .field("args", &self.args.len())
            .field("env", &self.env.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote")
            .field("transport", &self.transport)
            .field("headers", &self.headers.len())
            .finish_non_exhaustive()
    }
}
