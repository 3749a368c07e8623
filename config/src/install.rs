//! Wrapping entries, and giving them back.
//!
//! Owns: the transformation of an entry, the plan, the journal, and writing a client's file
//! without ever leaving it half written.
//! Accepts: what [`discover`](crate::clients::discover) found.
//! Emits: [`Plan`], [`Outcome`], [`Report`].
//! Promises: nothing outside an entry changes by a byte; a crash at any point leaves the old file
//! or the new one, and the journal knows what to do with either; whoever changed the file in
//! between keeps the change; a secret stays where it was (the entry, and a 0600 journal).

mod apply;
mod compute;
mod entry;
mod journal;
mod lock;
mod plan;
mod remote;
mod status;
mod write;

pub use apply::{ApplyError, Checkpoint, NoCheckpoint, Outcome, Stage, apply};
pub use entry::EntryError;
pub use journal::{Journal, JournalError, Saved};
pub use lock::{LockError, Patience, SystemPatience};
pub use plan::{
    Action, Change, Choice, FilePlan, Plan, Skipped, Wrapper, plan_install, plan_uninstall,
};
pub use remote::{
    RemoteChange, RemoteEntry, RemoteShape, RemoteVia, SavedRemote, change_remote, restore_remote,
};
pub use status::{Drift, Report, State, Status, status};
pub use write::WriteError;

pub(crate) use journal::{
    FolderLock, hash as content_hash, lock_folder, private_folder_of, sync_folder,
};
pub(crate) use write::{create_file, replace_file};
