//! What one event of a client's hooks costs, from the start of `defenter hook` to its end.
//!
//! Owns: a home with a supervisor, and one without.
//! Accepts: `cargo bench --bench hook [-- --quick]`.
//! Emits: medians and 99th percentiles, on standard output.
//! Promises: the ways are interleaved event by event, so that a noisy machine is noisy for all.

#![cfg(unix)]
#![expect(clippy::expect_used, clippy::panic, reason = "a bench that cannot go on has failed")]
#![expect(clippy::needless_pass_by_value, reason = "the bed takes JSON where it is said")]
#![expect(clippy::print_stdout, reason = "this is where the bench reports")]

#[expect(dead_code, reason = "the bench drives a few of the test bed's verbs")]
#[path = "../tests/it/bed.rs"]
mod bed;
#[expect(dead_code, reason = "the bench drives none of the client's verbs")]
#[path = "../tests/it/client.rs"]
mod client;
#[path = "../tests/it/http.rs"]
mod http;
#[path = "../tests/it/patience.rs"]
mod patience;
#[expect(dead_code, reason = "the bench runs one of the programs")]
#[path = "../tests/it/programs.rs"]
mod programs;

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::bed::Bed;

fn main() {
    let events = if std::env::args().any(|arg| arg == "--quick") { 40 } else { 400 };
    let (joined, alone) = (Bed::new().up(), Bed::new());
    let event = |tool: &str, input| {
        json!({"session_id": "s", "cwd": "/w", "hook_event_name": "PreToolUse",
            "tool_name": tool, "tool_input": input})
        .to_string()
    };
    let allowed = event("Bash", json!({"command": "cargo test --lib"}));
    let denied = event("Bash", json!({"command": "cat ~/.ssh/id_rsa"}));
    let version: &[&str] = &["--version"];
    let ways = [
        ("the program alone (--version)", &joined, version, ""),
        ("joined, allowed", &joined, &["hook"], allowed.as_str()),
        ("joined, denied", &joined, &["hook"], denied.as_str()),
        ("without a supervisor, allowed", &alone, &["hook"], allowed.as_str()),
    ];
    let mut took = ways.map(|_| Vec::with_capacity(events));
    for _ in 0..events {
        for ((_, bed, args, input), took) in ways.iter().zip(&mut took) {
            took.push(time(bed.defenter(args), input));
        }
    }
    println!("| one event of a hook | p50 | p99 |\n| --- | ---: | ---: |");
    for ((name, ..), took) in ways.iter().zip(&mut took) {
        took.sort_unstable();
        let at = |share: usize| took[(took.len() - 1) * share / 100].as_secs_f64() * 1e3;
        println!("| {name} | {:.2} ms | {:.2} ms |", at(50), at(99));
    }
}

/// From the start of a program to its end, its input and output included.
fn time(mut command: Command, input: &str) -> Duration {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let started = Instant::now();
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut stdin = child.stdin.take().expect("piped");
    // It is closed by a program that reads nothing.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().expect("it ends");
    started.elapsed()
}
