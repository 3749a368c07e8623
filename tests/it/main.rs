//! End to end: the real programs, against real and misbehaving servers, driven by real clients.
//!
//! `./check` installs what these tests need. One binary, so that it links once; one module a
//! subject.

#![cfg(unix)]
#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![expect(clippy::needless_pass_by_value, reason = "tests write their JSON where they say it")]

mod ask;
mod bad_input;
mod bed;
mod client;
mod commands;
mod dialog;
mod endings;
mod facts;
mod hooks;
mod house;
mod http;
mod installs;
mod metrics;
mod patience;
mod programs;
mod real_clients;
mod real_servers;
mod record;
mod recovery;
mod redact;
mod redaction;
mod reload;
mod servers;
mod service;
mod storm;
mod transparency;
mod watch;
