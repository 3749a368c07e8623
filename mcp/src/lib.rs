//! The Model Context Protocol as bytes: frames, envelopes, the method catalogue, transports.
//!
//! This crate knows what is on the wire and nothing of policy. Both eras of the protocol are carried
//! side by side: *legacy* (revisions up to 2025-11-25: a handshake, a session, requests in both
//! directions) and *modern* (2026-07-28: stateless, questions inside results).
//!
//! A line becomes a [`frame::Frame`], a frame a borrowed [`envelope::Message`], whose method the
//! [`catalogue`] explains; [`refusal`] writes answers of our own. What is forwarded is always the
//! bytes that came, or those bytes with one part spliced ([`read::splice`]).

pub mod catalogue;
pub mod envelope;
pub mod era;
pub mod frame;
pub mod hook;
pub mod id;
mod json;
#[cfg(unix)]
pub mod kept;
#[cfg(not(unix))]
#[path = "kept/none.rs"]
pub mod kept;
#[cfg(unix)]
pub mod local;
pub mod process;
pub mod read;
pub mod recovery;
pub mod refusal;
pub mod sketch;
pub mod stdio;

pub use envelope::{EnvelopeError, Fault, Message, Outcome};
pub use era::Era;
pub use frame::{Frame, FrameReader};
pub use id::{Id, OwnedId};
pub use json::{MAX_DEPTH, MAX_OPEN_KEYS};
pub use recovery::Recovery;
pub use sketch::Sketch;
