//! The handles that sessions, servers and queues keep.
//!
//! - Owns: recorder handles, made once and kept, since looking one up by its labels costs several
//!   times as much as using it.
//! - Accepts: events of the data path, from any thread.
//! - Promises: no allocation after the first event of its kind; never blocks on anything but a
//!   short lock of its own.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

use super::labels::{Decision, Direction, LabelPair, Queue, RestartReason};
use super::{
    ADDED, FORWARDED_BYTES, OPERATIONS, QUEUE_DEPTH, REDACTIONS, SERVER_RESTARTS, SESSIONS_OPENED,
    UPSTREAM,
};

/// What one session counts. Share it between the two pumps in an `Arc`.
pub struct SessionMetrics {
    labels: LabelPair,
    operations: Mutex<HashMap<(&'static str, Direction, Decision), Counter>>,
    redactions: Mutex<HashMap<&'static str, Counter>>,
    added: [Histogram; 2],
    bytes: [Counter; 2],
    upstream: Histogram,
}

/// What the actor of one wrapped server counts.
pub struct ServerMetrics {
    restarts: [Counter; RestartReason::ALL.len()],
}

/// The depth of one queue, over all sessions that have one of its kind.
#[derive(Clone)]
pub struct QueueDepth(Gauge);

/// One entry of a queue; it has left once this is dropped, however that comes about.
#[derive(Debug)]
#[must_use = "the entry leaves the queue when this is dropped"]
pub struct Entry(QueueDepth);

impl SessionMetrics {
    /// Handles for a session of `client` with `server`; counts the session as opened.
    #[must_use]
    pub fn new(server: &str, client: &str) -> Self {
        let labels = LabelPair::new(server, client);
        counter!(
            SESSIONS_OPENED,
            "server" => labels.server.clone(),
            "client" => labels.client.clone()
        )
        .increment(1);
        Self::of(labels)
    }

    /// Handles for operations that belong to no session.
    #[must_use]
    pub fn without_session(server: &str, client: &str) -> Self {
        Self::of(LabelPair::new(server, client))
    }

    fn of(labels: LabelPair) -> Self {
        Self {
            operations: Mutex::default(),
            redactions: Mutex::default(),
            added: Direction::ALL.map(|direction| {
                histogram!(
                    ADDED,
                    "server" => labels.server.clone(),
                    "client" => labels.client.clone(),
                    "direction" => direction.label()
                )
            }),
            bytes: Direction::ALL.map(|direction| {
                counter!(
                    FORWARDED_BYTES,
                    "server" => labels.server.clone(),
                    "client" => labels.client.clone(),
                    "direction" => direction.label()
                )
            }),
            upstream: histogram!(
                UPSTREAM,
                "server" => labels.server.clone(),
                "client" => labels.client.clone()
            ),
            labels,
        }
    }

    /// Counts one operation. `method` is a label of the catalogue, never text of the message: the
    /// lifetime is there to make that hard to get wrong.
    pub fn operation(&self, method: &'static str, direction: Direction, decision: Decision) {
        self.operations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry((method, direction, decision))
            .or_insert_with(|| {
                counter!(
                    OPERATIONS,
                    "server" => self.labels.server.clone(),
                    "client" => self.labels.client.clone(),
                    "method" => method,
                    "direction" => direction.label(),
                    "decision" => decision.label()
                )
            })
            .increment(1);
    }

    /// Counts `count` values of one kind that were redacted in the copy.
    pub fn redactions(&self, kind: &'static str, count: u64) {
        self.redactions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(kind)
            .or_insert_with(|| {
                counter!(
                    REDACTIONS,
                    "server" => self.labels.server.clone(),
                    "client" => self.labels.client.clone(),
                    "kind" => kind
                )
            })
            .increment(count);
    }

    /// Records what Defenter added to an operation, waiting for a person not included.
    pub fn added(&self, direction: Direction, time: Duration) {
        self.added[direction as usize].record(time);
    }

    /// Records how long the server took to answer a request.
    pub fn upstream(&self, time: Duration) {
        self.upstream.record(time);
    }

    /// Counts bytes of a message that was forwarded.
    pub fn forwarded(&self, direction: Direction, bytes: u64) {
        self.bytes[direction as usize].increment(bytes);
    }
}

impl ServerMetrics {
    /// Handles for one wrapped server. Whether it is up is not told here: a scrape takes that from
    /// the status, so that a server that is removed leaves nothing behind.
    #[must_use]
    pub fn new(server: &str, client: &str) -> Self {
        let labels = LabelPair::new(server, client);
        Self {
            restarts: RestartReason::ALL.map(|reason| {
                counter!(
                    SERVER_RESTARTS,
                    "server" => labels.server.clone(),
                    "client" => labels.client.clone(),
                    "reason" => reason.label()
                )
            }),
        }
    }

    /// Counts a start that is not the first.
    pub fn restarted(&self, reason: RestartReason) {
        self.restarts[reason as usize].increment(1);
    }
}

impl QueueDepth {
    /// The handle of `queue`.
    #[must_use]
    pub fn of(queue: Queue) -> Self {
        Self(gauge!(QUEUE_DEPTH, "queue" => queue.label()))
    }

    /// `count` entries came in.
    pub fn entered(&self, count: u32) {
        self.0.increment(count);
    }

    /// `count` entries left, or were thrown away with their queue.
    pub fn left(&self, count: u32) {
        self.0.decrement(count);
    }

    /// One entry comes in and leaves when what is returned is dropped, which an aborted task does
    /// too.
    pub fn occupy(&self) -> Entry {
        self.entered(1);
        Entry(self.clone())
    }

    /// Sets the depth, for a queue that exists once.
    pub fn set(&self, depth: u32) {
        self.0.set(depth);
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.0.left(1);
    }
}

impl std::fmt::Debug for SessionMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionMetrics").field("labels", &self.labels).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for ServerMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerMetrics").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for QueueDepth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QueueDepth").finish_non_exhaustive()
    }
}
