//! The moving parts: who supervises whom, and the data path of a session.
//!
//! The only crate that knows ractor. Bytes never travel through mailboxes: actors carry lifecycle
//! and decisions, pump tasks carry bytes.

pub mod audit;
pub mod counted;
pub mod dialog;
pub mod entry;
pub mod findings;
mod gate;
pub mod hook;
pub mod house;
#[cfg(unix)]
pub mod listener;
pub mod metrics;
mod notifications;
mod operation_id;
mod policy;
pub mod redaction;
pub mod restart;
mod server;
mod servers;
pub mod service;
pub mod session;
mod shared;
mod slot;
pub mod status;
pub mod supervision;
mod supervisor;
mod warden;
mod watcher;
