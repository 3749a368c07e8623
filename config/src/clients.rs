//! MCP clients: which files name servers, and what they name.
//!
//! Owns: the table of clients (one small file each, under `clients/table/`), finding their files
//! on three systems, and reading entries of every shape.
//! Accepts: a [`Host`](crate::Host) and the projects to look into; files are hostile.
//! Emits: [`Discovery`]: entries, and problems with path, line and column.
//! Promises: nothing is written; a file that cannot be read or parsed is a problem, never a
//! panic and never a guess; every walk is bounded; secrets are kept out of `Debug`.

mod discover;
mod entry;
mod find;
mod location;
mod projects;
mod read;
mod shape;
mod shell;
mod table;
mod watch;
mod wrapped;

pub use discover::{Discovery, Options, Problem, ProblemKind, discover};
pub use entry::{Entry, Launch, Protection, Remote, Scope, Stdio, Transport};
pub use location::{
    AllowList, Approval, BestRemote, Client, ClientId, Environment, Location, RemoteForm, Unset,
    VariableForm, Variables,
};
pub use table::{all, by_id};
pub use watch::watch_paths;
pub use wrapped::{Form, Wrapped};

pub(crate) use discover::lists_in_use;
pub(crate) use find::paths_of;
pub(crate) use read::{ReadError, read_bytes};
pub(crate) use shape::{Shape, shape_of};
pub(crate) use wrapped::{is_defenter, local_path, unwrap, wrapped_in};
