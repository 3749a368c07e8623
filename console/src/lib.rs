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
    STATUS_TIMEOUT, bind, serve,
};

use std::future::Future;
use std::pin::Pin;

use defenter_actors::status::StatusView;
pub use metrics_exporter_prometheus::PrometheusHandle;

/// A status that is on its way; none where nobody knows it (while everything starts or stops).
pub type StatusFuture<'a> = Pin<Box<dyn Future<Output = Option<StatusView>> + Send + 'a>>;

/// Whoever knows what runs. It is asked once per request, and given [`STATUS_TIMEOUT`] to answer.
pub trait StatusSource: Send + Sync + 'static {
    /// What runs at this moment, redacted.
    fn status(&self) -> StatusFuture<'_>;
}

impl<F> StatusSource for F
where
    F: Fn() -> Option<StatusView> + Send + Sync + 'static,
{
    fn status(&self) -> StatusFuture<'_> {
        Box::pin(std::future::ready(self()))
    }
}
