//! What the state of a session says: about one message, and about the end of a server.
//!
//! Owns: the vocabulary between [`Recovery`](super::Recovery) and its caller, and the answers to what
//! is lost. Promises: `Debug` shows shapes only, since lines and contexts may hold secrets.

use std::fmt;

use thiserror::Error;

use crate::catalogue::{Label, Operation};
use crate::id::{Id, OwnedId};
use crate::refusal::{Cause, Phase, Refusal};

/// What to do with a message of the client's.
#[derive(PartialEq, Eq)]
#[must_use]
pub enum FromClient<T> {
    /// Send it as it came.
    Forward,
    /// Send these bytes in its place.
    Rewrite(Vec<u8>),
    /// Nothing: it was kept and comes back in [`Flow::to_server`] when there is a server.
    Held,
    /// Nothing yet: too much is held. Offer it again later, and read no more from the client.
    Full(T),
    /// Nothing, neither this nor the request it cancels, which no server has; that one's context.
    Cancelled(T),
    /// Refuse it.
    Refuse(Refused, T),
    /// Nothing: it means no one.
    Drop(Dropped),
}

/// What to do with a message of the server's.
#[derive(PartialEq, Eq)]
#[must_use]
pub enum FromServer<T> {
    /// Send it as it came; with the request that it answers, if it is an answer.
    Forward(Option<Answered<T>>),
    /// Send these bytes in its place.
    Rewrite(Vec<u8>),
    /// It answers something of our own: do this instead.
    Ours(Flow),
    /// It answers something of our own, and the session cannot go on.
    Failed(RecoveryError),
    /// Refuse it; it is a request.
    Refuse(Refused),
    /// Nothing: it means no one.
    Drop(Dropped),
}

/// A request that was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered<T> {
    /// What it was.
    pub operation: Operation,
    /// What the caller gave with it.
    pub context: T,
}

/// Bytes to send, each a whole line.
#[derive(Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct Flow {
    /// To the server, in order, before anything else.
    pub to_server: Vec<Vec<u8>>,
    /// To the client, in order.
    pub to_client: Vec<Vec<u8>>,
    /// Whether messages pass from now on.
    pub live: bool,
    /// Whether the new server says of itself what the first one did not.
    pub capabilities_changed: bool,
}

/// What a server's end leaves behind.
#[derive(PartialEq, Eq)]
#[must_use]
pub struct Gone<T> {
    /// The requests to answer in the server's place.
    pub lost: Vec<Lost<T>>,
    /// The contexts of requests that the client had cancelled, which get no answer.
    pub cancelled: Vec<T>,
    /// Lines for the client: cancellations of what the dead process had asked it.
    pub to_client: Vec<Vec<u8>>,
}

/// A request that no server will answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost<T> {
    /// Its id.
    pub id: OwnedId,
    /// What it was.
    pub operation: Operation,
    /// What the caller gave with it.
    pub context: T,
    /// Why.
    pub why: Loss,
}

/// Why a request gets no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Loss {
    /// A process had it and died; it may have been carried out.
    OutcomeUnknown,
    /// It only reads, and each process that got it died.
    DiedOnIt,
    /// No process had it, and none will.
    NoServer,
}

/// Why a message is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refused {
    /// [`Limits::in_flight`] or [`Limits::asked`] is reached.
    TooMany,
    /// The session was given up.
    NoServer,
}

/// Why a message is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dropped {
    /// An answer, or a word about a request, that nobody asked or that is answered already.
    Unasked,
    /// A message of a process that is gone, or about one.
    Dead,
}

/// Why a session cannot be taken up by a new server.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RecoveryError {
    /// The new process speaks another version than the client was promised.
    #[error(
        "the restarted server speaks protocol version \"{is}\" where \"{was}\" had been agreed on; restart the client to begin a new session"
    )]
    VersionChanged {
        /// The version agreed on.
        was: Box<str>,
        /// The version now.
        is: Box<str>,
    },
    /// The new process refused the handshake.
    #[error(
        "the restarted server refused the handshake that the first one had accepted; restart the client to begin a new session"
    )]
    HandshakeRefused,
    /// The handshake was over [`Limits::handshake_bytes`].
    #[error(
        "the client's handshake was too long to be kept for a restarted server; restart the client to begin a new session"
    )]
    HandshakeNotKept,
}

// What a line or a context carries may be secret, so only shapes are shown.

impl<T> fmt::Debug for FromClient<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forward => f.write_str("Forward"),
            Self::Rewrite(line) => write!(f, "Rewrite({} bytes)", line.len()),
            Self::Held => f.write_str("Held"),
            Self::Full(_) => f.write_str("Full"),
            Self::Cancelled(_) => f.write_str("Cancelled"),
            Self::Refuse(why, _) => write!(f, "Refuse({why:?})"),
            Self::Drop(why) => write!(f, "Drop({why:?})"),
        }
    }
}

impl<T> fmt::Debug for FromServer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forward(answered) => {
                write!(f, "Forward({:?})", answered.as_ref().map(|a| a.operation.label))
            }
            Self::Rewrite(line) => write!(f, "Rewrite({} bytes)", line.len()),
            Self::Ours(flow) => write!(f, "Ours({flow:?})"),
            Self::Failed(error) => write!(f, "Failed({error:?})"),
            Self::Refuse(why) => write!(f, "Refuse({why:?})"),
            Self::Drop(why) => write!(f, "Drop({why:?})"),
        }
    }
}

impl fmt::Debug for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flow")
            .field("to_server", &self.to_server.len())
            .field("to_client", &self.to_client.len())
            .field("live", &self.live)
            .field("capabilities_changed", &self.capabilities_changed)
            .finish()
    }
}

impl<T> fmt::Debug for Gone<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gone")
            .field("lost", &self.lost.len())
            .field("cancelled", &self.cancelled.len())
            .field("to_client", &self.to_client.len())
            .finish()
    }
}

impl<T> Lost<T> {
    /// The line that answers the request; `operation` is its id in the audit record.
    #[must_use]
    pub fn answer(&self, operation: Option<&str>) -> Vec<u8> {
        let cause = match self.why {
            Loss::OutcomeUnknown => Cause::OutcomeUnknown,
            Loss::DiedOnIt => Cause::Unavailable("the server ended each time it got the request"),
            Loss::NoServer => Cause::Unavailable("the server could not be started"),
        };
        let label = self.operation.text;
        let refusal = Refusal { operation, label, phase: Phase::Request, cause, reasons: &[] };
        refusal.error(self.id.as_id())
    }
}

impl Refused {
    /// The line that answers the request of this id.
    #[must_use]
    pub fn answer(self, id: Id<'_>, operation: Option<&str>, label: Label) -> Vec<u8> {
        let cause = match self {
            Self::TooMany => Cause::OverLimit("too many requests wait for an answer"),
            Self::NoServer => Cause::Unavailable("the server could not be started"),
        };
        Refusal { operation, label, phase: Phase::Request, cause, reasons: &[] }.error(id)
    }
}
