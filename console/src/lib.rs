//! The HTTP face: metrics, health, and a page that shows what runs.
//!
//! - Owns: one listener on a loopback address and the connections to it.
//! - Accepts: `GET` and `HEAD` of `/metrics`, `/healthz`, `/` and `/style.css`.
//! - Emits: what a [`StatusSource`] tells and what a recorder has counted, nothing else.
//! - Dies when: its `stop` future is ready, or its future is dropped; open connections go with it.
//! - Promises: bounded connections, request sizes and times; nothing for pages of other origins or
//!   for names that merely point here; every text escaped; no script.
//!
//! Deliberately absent: anything that changes state. What acts must prove that a person asked for
//! it, which takes more than a request from this machine.

mod exposition;
mod guard;
mod page;
mod recorder;
mod server;

pub use recorder::{RecorderError, install_recorder};
pub use server::{
    ConsoleError, HEADER_READ_TIMEOUT, MAX_CONNECTION_TIME, MAX_CONNECTIONS, MAX_HEADER_BYTES,
    bind, serve,
};

use defenter_actors::status::StatusView;

/// Whoever knows what runs. It is asked once per request, so it should answer from memory.
pub trait StatusSource: Send + Sync + 'static {
    /// What runs at this moment, redacted.
    fn status(&self) -> StatusView;
}

impl<F> StatusSource for F
where
    F: Fn() -> StatusView + Send + Sync + 'static,
{
    fn status(&self) -> StatusView {
        self()
    }
}
