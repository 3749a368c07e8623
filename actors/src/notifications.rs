//! Notifications on the desktop: what is amiss with the clients' configs reaches who is not looking
//! at a log.
//!
//! Owns: what is worth a notification, how many there may be, and how each system shows one.
//! Accepts: findings, redacted, and the settings.
//! Emits: at most one notification in each interval, shown by a helper process.
//! Promises: nobody waits for one; what comes too fast is gathered into one; no text of others is
//! ever part of a command, of a script or of markup.

pub(crate) mod actor;
mod digest;
mod notice;
mod show;

pub(crate) use digest::{Digest, News};
pub(crate) use notice::Notice;
