//! A row of the table: a client and where it keeps what.
//!
//! Owns: the vocabulary the rows are written in.
//!
//! A path is a pattern: `~` home, `{app}` application data, `{cfg}` `$XDG_CONFIG_HOME` or
//! `~/.config`, `{local}` `%LOCALAPPDATA%`, `{programdata}`, `{programfiles}`, `{proj}` each
//! project, `{workspace}` each workspace file, `{NAME:default}` a folder that a variable moves,
//! `*` anything within a name, `**` folders of any depth (bounded).
//!
//! A key is the way to the entries from the root of the file, with `/` between steps: `*` is any
//! key, and the empty key is the root itself, tried only where no other key is there.

use std::fmt;

use super::discover::Scan;
use super::entry::{Entry, Scope};
use crate::doc::Format;
use crate::host::Os;

/// Why an administrator's file is left alone.
pub(super) const ADMINISTRATOR: &str = "the administrator's file";
/// Why a plugin's file is left alone.
pub(super) const PLUGIN: &str = "brought by a plugin, whose files are replaced when it is updated";
/// Why an extension's file is left alone.
pub(super) const EXTENSION: &str =
    "brought by an extension, whose files are replaced when it is updated";

/// A client's id, as commands, policies and metrics name it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientId(pub(super) &'static str);

/// A program that starts MCP servers.
#[derive(Debug)]
pub struct Client {
    /// Its id.
    pub id: ClientId,
    /// Its name, for people.
    pub name: &'static str,
    /// Where it keeps servers.
    pub locations: &'static [Location],
    /// What environment a server gets from it.
    pub environment: Environment,
    /// Whether it asks again about an entry that was rewritten.
    pub approval: Approval,
    /// What it does with variables in commands, arguments and addresses.
    pub variables: Variables,
    /// Allow-lists of an organisation that look at commands and refuse a wrapped one.
    pub allow_lists: &'static [AllowList],
    /// How it writes remote entries, and programs in their place.
    pub remote: RemoteForm,
}

/// How a client writes remote entries, and programs in their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoteForm {
    /// The shape that is right for this client.
    pub best: BestRemote,
    /// The way to the headers, from the object that holds the address.
    pub headers: &'static [&'static str],
    /// The address's key that means server-sent events.
    pub sse_key: Option<&'static str>,
    /// What `type` or `transport` says of a program; none where the client wants it gone.
    pub kind: Option<&'static str>,
    /// A program's key.
    pub command: &'static str,
    /// True where the program's arguments are in one list with it.
    pub is_list: bool,
    /// The key of a program's variables.
    pub env: &'static str,
    /// The key of the names of variables that the client hands on, where it must be told.
    pub handed_on: Option<&'static str>,
}

/// The shape in which a remote entry runs through Defenter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BestRemote {
    /// It stays remote: the client is known to send an entry's headers, and nothing in the entry
    /// changes its kind.
    Local,
    /// It becomes a program, which every client can start: whether this one sends headers is not
    /// known.
    Stdio,
}

/// An allow-list that looks at commands.
#[derive(Debug)]
pub struct AllowList {
    /// Patterns of the files it may be in.
    pub paths: &'static [&'static str],
    /// How they are written.
    pub format: Format,
    /// The key that is there where the list is used.
    pub key: &'static str,
}

/// What a client does with variables in commands, arguments and addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variables {
    /// The forms it expands.
    pub forms: &'static [VariableForm],
    /// What it does with one that is not set.
    pub unset: Unset,
}

/// A way of writing a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VariableForm {
    /// `${NAME}`, `${NAME:-default}`.
    Braces,
    /// `$NAME`.
    Dollar,
    /// `${env:NAME}`.
    Env,
    /// `{env:NAME}`.
    BareEnv,
}

/// What a client does with a variable that is not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unset {
    /// It leaves the text as it is, or puts nothing in its place.
    Kept,
    /// It refuses the server.
    RefusesServer,
    /// It refuses the whole file.
    RefusesFile,
}

/// One place where a client keeps servers.
#[derive(Debug)]
pub struct Location {
    /// Whose servers these are.
    pub scope: Scope,
    /// Patterns of the files.
    pub paths: &'static [&'static str],
    /// The systems where the place exists; empty means all.
    pub systems: &'static [Os],
    /// How the files are written.
    pub format: Format,
    /// Where in the file the entries are.
    pub keys: &'static [&'static str],
    /// True where a key leads to one entry and not to a collection of them.
    pub single: bool,
    /// Why entries here are shown but never rewritten.
    pub report_only: Option<&'static str>,
    /// True where the client guards the file with a lock folder (`FILE.lock`).
    pub locked: bool,
    /// Other clients that read the same file.
    pub also: &'static [ClientId],
    /// What the client knows about an entry from elsewhere.
    pub(super) refine: Option<fn(&mut Scan<'_>, &mut Entry)>,
}

/// What environment a client gives a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// Its own, whole.
    Full,
    /// Its own, which for a program started from the desktop lacks what the shell adds.
    Desktop,
    /// Its own without names that look like secrets (`KEY`, `TOKEN`, `SECRET`, `AUTH`, `CERT`).
    WithoutSecrets,
    /// Only these variables, and those the entry names.
    Only(&'static [&'static str]),
    /// Not known.
    Unknown,
}

/// Whether a client asks again about an entry that was rewritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Approval {
    /// It does not.
    None,
    /// It does, in projects; what to do.
    Projects(&'static str),
    /// It does, always; what to do.
    Always(&'static str),
}

impl ClientId {
    /// The id of a client of the table.
    pub(crate) const fn of(id: &'static str) -> Self {
        Self(id)
    }

    /// The id as text.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Debug for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

impl Client {
    /// A row with nothing special about it.
    pub(super) const fn new(
        id: &'static str,
        name: &'static str,
        locations: &'static [Location],
    ) -> Self {
        Self {
            id: ClientId(id),
            name,
            locations,
            environment: Environment::Unknown,
            approval: Approval::None,
            variables: Variables { forms: &[], unset: Unset::Kept },
            allow_lists: &[],
            remote: RemoteForm::UNKNOWN,
        }
    }

    /// How it writes remote entries.
    pub(super) const fn remote(mut self, form: RemoteForm) -> Self {
        self.remote = form;
        self
    }

    /// What environment a server gets.
    pub(super) const fn gives(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// Whether it asks again.
    pub(super) const fn asks(mut self, approval: Approval) -> Self {
        self.approval = approval;
        self
    }

    /// Allow-lists that look at commands.
    pub(super) const fn allow_lists(mut self, allow_lists: &'static [AllowList]) -> Self {
        self.allow_lists = allow_lists;
        self
    }

    /// The variables it expands.
    pub(super) const fn expands(mut self, forms: &'static [VariableForm], unset: Unset) -> Self {
        self.variables = Variables { forms, unset };
        self
    }
}

impl RemoteForm {
    /// Of a client of which little is known.
    pub(super) const UNKNOWN: Self = Self {
        best: BestRemote::Stdio,
        headers: &["headers"],
        sse_key: None,
        kind: None,
        command: "command",
        is_list: false,
        env: "env",
        handed_on: None,
    };
    /// Of a client that tells the kind from the keys.
    pub(super) const PLAIN: Self = Self { best: BestRemote::Local, ..Self::UNKNOWN };
    /// Of a client that declares the kind, and calls a program's `stdio`.
    pub(super) const TYPED: Self = Self { kind: Some("stdio"), ..Self::PLAIN };
    /// Of Gemini CLI and its descendants, to which `url` means server-sent events.
    pub(super) const GEMINI: Self = Self { sse_key: Some("url"), ..Self::PLAIN };
    /// Of opencode and its descendants.
    pub(super) const OPENCODE: Self =
        Self { kind: Some("local"), is_list: true, env: "environment", ..Self::PLAIN };
}

impl Location {
    /// A place on every system whose entries may be rewritten.
    pub(super) const fn new(
        scope: Scope,
        paths: &'static [&'static str],
        format: Format,
        keys: &'static [&'static str],
    ) -> Self {
        Self {
            scope,
            paths,
            systems: &[],
            format,
            keys,
            single: false,
            report_only: None,
            locked: false,
            also: &[],
            refine: None,
        }
    }

    /// Only on these systems.
    pub(super) const fn on(mut self, systems: &'static [Os]) -> Self {
        self.systems = systems;
        self
    }

    /// Shown, never rewritten.
    pub(super) const fn report_only(mut self, reason: &'static str) -> Self {
        self.report_only = Some(reason);
        self
    }

    /// The key leads to one entry.
    pub(super) const fn single(mut self) -> Self {
        self.single = true;
        self
    }

    /// The client locks the file.
    pub(super) const fn locked(mut self) -> Self {
        self.locked = true;
        self
    }

    /// Others read it too.
    pub(super) const fn also(mut self, clients: &'static [ClientId]) -> Self {
        self.also = clients;
        self
    }

    /// What the client knows from elsewhere.
    pub(super) const fn refined(mut self, refine: fn(&mut Scan<'_>, &mut Entry)) -> Self {
        self.refine = Some(refine);
        self
    }

    /// True on this system.
    pub fn is_on(&self, os: Os) -> bool {
        self.systems.is_empty() || self.systems.contains(&os)
    }
}
