//! The record of what was decided: append, chain, rotate, read, verify.
//!
//! Owns: the form of a record on disk, the files that hold it, and the chain of hashes through
//! them. Accepts: records whose content was already redacted. Emits: lines of JSON, and what was
//! read back or found wrong.
//! Promises: a record that was appended is in the kernel when the call returns; a full disk is an
//! error and leaves no half line behind; what a crash left half is set aside, noted in the chain
//! and never keeps the log from starting; start-up reads one block of the newest file however long
//! the record is; files are 0600 in a directory that is 0700; several processes may write at once,
//! each to a stream of its own.
//!
//! # The form
//! A file `<stream>-<start, UTC>-<number>.jsonl` holds one JSON object a line:
//!
//! ```text
//! {"seq":41,"event":"start","time":"…","file":3,"prev":"<hash of line 40>","hash":"…"}
//! {"seq":42,"id":"…","time":"…",…,"payload":{…},"hash":"…"}
//! ```
//!
//! `hash` is the SHA-256 of the 32 bytes of the line before's hash, followed by the bytes of this
//! line up to `,"hash":`. `seq` grows by one from line to line, through all files of a stream.
//!
//! The chain shows what was changed, removed or moved by whoever did not also write everything
//! after it anew; it holds no secret, so it is no proof against somebody who owns the account. Nor
//! can it show that whole lines were cut off the end of the newest file:
//! [`StreamReport::last_hash`] is there to be noted elsewhere for that.

mod error;
mod files;
mod line;
mod log;
mod prune;
mod read;
mod record;
mod recover;
mod time;
mod verify;

pub use error::AuditError;
pub use log::{Appended, Log, Options};
pub use read::{Entry, Follower, MAX_TAIL, find, tail};
pub use record::{FindingSummary, Outcome, Payload, Record, RuleRef};
pub use time::{ParseTimestampError, Timestamp};
pub use verify::{Problem, Reason, Report, StreamReport, verify};
