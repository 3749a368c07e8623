//! The clients' files: found, wrapped and restored, on home trees of three systems.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod discovery;
#[cfg(unix)]
mod doctor;
mod edits;
mod hook_edits;
mod hooks;
#[cfg(unix)]
mod hostile;
mod install;
mod remote;
mod table;
mod trees;
