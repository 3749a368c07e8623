//! The moving parts: who supervises whom, and the data path of a session.
pub mod dialog;
pub mod metrics;
pub mod status;
