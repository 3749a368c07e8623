//! End to end: the real programs, against real and misbehaving servers, driven by real clients.
//!
//! `./check` installs what these tests need. One binary, so that it links once; one module a
//! subject.

#![cfg(unix)]

mod bad_input;
mod bed;
mod client;
mod dialog;
mod endings;
mod house;
mod http;
mod installs;
mod metrics;
mod patience;
mod programs;
mod real_servers;
mod recovery;
mod reload;
mod transparency;
