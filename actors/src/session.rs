//! One client's connection to one wrapped server.
//!
//! The client's side lives as long as the client keeps it open; on the server's side one process
//! may follow another. Two pump tasks carry the bytes, a driver task decides on processes, and an
//! actor ties them to their server.

pub(crate) mod actor;
mod core;
mod decide;
pub(crate) mod driver;
mod from_client;
mod from_server;
mod journal;
mod pump;
mod to_client;
mod undelivered;
mod unsent;

use std::{
    fmt,
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
    time::Duration,
};

use defenter_mcp::{
    kept::Kept,
    process::{Grace, Launch},
    stdio::{ErrorStream, Stream},
};
use tokio::sync::{mpsc, oneshot};

use crate::status::SessionView;

/// A session's number within its supervisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(u64);

impl SessionId {
    /// The session of this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The client's three standard streams.
#[derive(Debug)]
pub struct Streams {
    /// What the client writes.
    pub input: Stream,
    /// What the client reads.
    pub output: Stream,
    /// Where the server's standard error goes.
    pub error: ErrorStream,
}

/// A client that wants a server: everything that its shim knows.
#[derive(Debug)]
pub struct Attachment {
    /// The session's id in records; a UUID.
    pub id: String,
    /// The server's name in the client's config.
    pub name: String,
    /// The client's id.
    pub client: Option<String>,
    /// What to start.
    pub launch: Launch,
    /// The client's streams.
    pub streams: Streams,
    /// Resolves when the client is gone.
    pub gone: oneshot::Receiver<()>,
    /// What outlives us, where whoever attaches can take the session over; what is in it already
    /// is taken up.
    pub kept: Option<Kept>,
    /// Where the shim is told of its session.
    pub events: mpsc::Sender<SessionEvent>,
}

/// What a shim is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEvent {
    /// The server runs in this process group.
    Serving {
        /// The group.
        group: u32,
    },
    /// The supervisor stops; the session may go on elsewhere.
    Released,
    /// The session is over.
    Ended {
        /// The code to exit with.
        code: i32,
    },
}

/// What a session keeps to; taken when it starts.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest line, in bytes.
    pub line: usize,
    /// The times of the stop sequence.
    pub grace: Grace,
    /// Whether the user is asked at all; else every question is answered that no dialog could be
    /// shown.
    pub ask: bool,
    /// How many operations may wait for the user at once.
    pub parked: usize,
    /// How long a request may be held for an answer of the user.
    pub hold: Duration,
    /// How long a question stays open in all.
    pub open: Duration,
    /// How much of a payload is recorded, in bytes.
    pub payload: usize,
    /// How long an ending session waits for requests in flight without hearing of any.
    pub drain: Duration,
    /// How long a server may owe an answer and say nothing before it is unresponsive.
    pub unresponsive_after: Duration,
    /// Whether an unresponsive server is killed, to be started again.
    pub kill_unresponsive: bool,
    /// How many lines of its server's standard error the report of a quarantine shows.
    pub stderr_lines: usize,
}

/// What of a session is shown; kept up to date by its tasks.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) id: String,
    pub(crate) started: String,
    pid: AtomicU32,
    generation: AtomicU64,
    operations: AtomicU64,
    /// For how many seconds the server has been unresponsive; zero where it is not.
    unresponsive: AtomicU64,
}

impl Figures {
    pub(crate) fn new(id: String, started: String) -> Self {
        Self {
            id,
            started,
            pid: AtomicU32::new(0),
            generation: AtomicU64::new(0),
            operations: AtomicU64::new(0),
            unresponsive: AtomicU64::new(0),
        }
    }

    pub(crate) fn process(&self, pid: Option<u32>, generation: u64) {
        self.pid.store(pid.unwrap_or(0), Ordering::Relaxed);
        self.generation.store(generation, Ordering::Relaxed);
    }

    pub(crate) fn operation(&self) {
        self.operations.fetch_add(1, Ordering::Relaxed);
    }

    /// How long the server has been silent, where that makes it unresponsive. Gives whether it
    /// has just become so.
    pub(crate) fn unresponsive(&self, silent: Option<Duration>) -> bool {
        let seconds = silent.map_or(0, |silent| silent.as_secs().max(1));
        self.unresponsive.swap(seconds, Ordering::Relaxed) == 0 && seconds > 0
    }

    pub(crate) fn view(&self) -> SessionView {
        let pid = self.pid.load(Ordering::Relaxed);
        SessionView {
            id: self.id.clone(),
            pid: (pid != 0).then_some(pid),
            started: self.started.clone(),
            generation: self.generation.load(Ordering::Relaxed),
            operations: self.operations.load(Ordering::Relaxed),
            unresponsive_s: Some(self.unresponsive.load(Ordering::Relaxed)).filter(|s| *s > 0),
        }
    }
}
