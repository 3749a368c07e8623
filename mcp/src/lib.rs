//! The Model Context Protocol as bytes: frames, envelopes, the method catalogue, transports.

#[cfg(unix)]
pub mod local;
pub mod process;
#[cfg(unix)]
pub mod stdio;
