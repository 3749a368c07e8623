//! The console as a client of it sees it, and the files in `examples/` as their programs see them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stderr, reason = "a check that was left out must not stay unseen")]

mod examples;
mod http;
mod promtool;
