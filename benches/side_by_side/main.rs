//! What standing between a client and a server costs: bare, wrapped, and a program that only copies
//! bytes, measured side by side in one run.
//!
//! Owns: one home with a supervisor, and the sessions it measures.
//! Accepts: `cargo bench --bench side_by_side [-- --quick]`.
//! Emits: a table of medians and their ratios to bare, on standard output.
//! Promises: the ways are interleaved round by round, so that a noisy machine is noisy for all.

#![cfg(unix)]
#![expect(clippy::expect_used, clippy::panic, reason = "a bench that cannot go on has failed")]
#![expect(clippy::needless_pass_by_value, reason = "the bench writes its JSON where it says it")]

#[expect(dead_code, reason = "the bench drives a few of the test bed's verbs")]
#[path = "../../tests/it/bed.rs"]
mod bed;
#[expect(dead_code, reason = "the bench drives a few of the client's verbs")]
#[path = "../../tests/it/client.rs"]
mod client;
#[path = "../../tests/it/http.rs"]
mod http;
#[path = "../../tests/it/patience.rs"]
mod patience;
#[expect(dead_code, reason = "the bench runs a few of the programs")]
#[path = "../../tests/it/programs.rs"]
mod programs;

mod memory;
mod table;

use std::time::{Duration, Instant};

use serde_json::json;

use crate::bed::Bed;
use crate::client::Client;
use crate::memory::Memory;
use crate::table::Table;

/// How a client reaches the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// The server itself.
    Bare,
    /// Through a program that only copies: the floor.
    Copied,
    /// Through the proxy, which does its job alone.
    Alone,
    /// Through the proxy, which joined a running supervisor.
    Joined,
}

const WAYS: [Way; 4] = [Way::Bare, Way::Copied, Way::Alone, Way::Joined];

/// How much is measured.
struct Effort {
    /// How often everything is started anew.
    rounds: usize,
    /// Calls one after the other, in each round.
    calls: usize,
    /// Calls in all with [`IN_FLIGHT`] at a time, in each round.
    burst: usize,
}

/// Calls that are in flight at the same time.
const IN_FLIGHT: usize = 32;

/// The size of the big message, both ways.
const BIG: usize = 4 << 20;

/// What one round of one way took.
#[derive(Default)]
struct Measured {
    start: Vec<Duration>,
    calls: Vec<Duration>,
    per_second: Vec<f64>,
    big: Vec<Duration>,
    memory: Option<Memory>,
}

/// A server to measure with.
struct Subject {
    name: &'static str,
    command: Vec<String>,
}

fn main() {
    let quick = std::env::args().any(|arg| arg == "--quick");
    let effort = if quick {
        Effort { rounds: 2, calls: 100, burst: 320 }
    } else {
        Effort { rounds: 5, calls: 500, burst: 3200 }
    };
    let subjects = [
        Subject { name: "echo fixture", command: vec![programs::misbehave(), "serve".to_owned()] },
        Subject {
            name: "server-everything",
            command: vec![programs::npm("mcp-server-everything")],
        },
    ];
    for subject in subjects {
        measure(&subject, &effort);
    }
}

fn measure(subject: &Subject, effort: &Effort) {
    let joined = Bed::new().up();
    let alone = Bed::new();
    let mut measured = WAYS.map(|way| (way, Measured::default()));
    for _ in 0..effort.rounds {
        for (way, measured) in &mut measured {
            let bed = if *way == Way::Joined { &joined } else { &alone };
            measured.round(*way, bed, subject, effort);
        }
    }
    let mut table = Table::new(subject.name, WAYS.map(|way| format!("{way:?}").to_lowercase()));
    let [bare, copied, wrapped, joined] = measured.map(|(_, measured)| measured);
    let ways = [&bare, &copied, &wrapped, &joined];
    table.times("start to initialize reply", ways.map(|it| quantile(&it.start, 50)));
    table.times("tools/call p50", ways.map(|it| quantile(&it.calls, 50)));
    table.times("tools/call p99", ways.map(|it| quantile(&it.calls, 99)));
    table.rates("calls/s, 32 in flight", ways.map(|it| middle(&it.per_second)));
    table.times("4 MB there and back", ways.map(|it| quantile(&it.big, 50)));
    table.memory("shim or copier, private", ways.map(|it| it.memory.map(|it| it.shim_private)));
    table.memory("shim or copier, PSS", ways.map(|it| it.memory.map(|it| it.shim_pss)));
    table.memory("supervisor, private", ways.map(|it| it.memory.and_then(|it| it.up_private)));
    table.memory("supervisor, PSS", ways.map(|it| it.memory.and_then(|it| it.up_pss)));
    table.print();
}

impl Measured {
    fn round(&mut self, way: Way, bed: &Bed, subject: &Subject, effort: &Effort) {
        let started = Instant::now();
        let mut client = Client::start(way.command(bed, subject));
        let hello = client.ask(
            "initialize",
            json!({
                "protocolVersion": client::VERSION, "capabilities": {},
                "clientInfo": {"name": "bench", "version": "1"},
            }),
        );
        client.answer(hello);
        self.start.push(started.elapsed());
        client.send(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
        // The first calls warm up what is lazy in any of them.
        for _ in 0..20 {
            call(&mut client, "warm");
        }
        for _ in 0..effort.calls {
            let began = Instant::now();
            call(&mut client, "hello");
            self.calls.push(began.elapsed());
        }
        self.per_second.push(burst(&mut client, effort.burst));
        let big = "0123456789abcdef".repeat(BIG / 16);
        let began = Instant::now();
        call(&mut client, &big);
        self.big.push(began.elapsed());
        self.memory = Memory::of(way, bed, &client).or(self.memory);
        client.close_input();
        client.signal(rustix::process::Signal::TERM);
        client.wait();
    }
}

impl Way {
    fn command(self, bed: &Bed, subject: &Subject) -> std::process::Command {
        let server: Vec<&str> = subject.command.iter().map(String::as_str).collect();
        match self {
            Self::Bare => {
                let mut command = bed.command(server[0]);
                command.args(&server[1..]);
                command
            }
            Self::Copied => {
                let mut command = bed.command(programs::fixture("copier"));
                command.args(server);
                command
            }
            Self::Alone | Self::Joined => bed.proxy_command("bench", &server),
        }
    }
}

/// One call, to its answer; a server's notifications in between are read and left.
fn call(client: &mut Client, message: &str) {
    let id = client.ask_tool("echo", json!({"message": message}));
    while !answers(&client.line().expect("an answer"), id) {}
}

/// Whether a line answers a request: looked at without parsing, since the client's own work counts.
fn answers(line: &[u8], id: u64) -> bool {
    let head = &line[..line.len().min(200)];
    let tail = &line[line.len().saturating_sub(200)..];
    let wanted = format!("\"id\":{id}");
    [head, tail].iter().any(|part| String::from_utf8_lossy(part).contains(&wanted))
}

/// Whether a line is an answer to anybody.
fn is_answer(line: &[u8]) -> bool {
    let head = &line[..line.len().min(200)];
    !String::from_utf8_lossy(head).contains("\"method\":")
}

/// Calls per second with [`IN_FLIGHT`] of them at a time.
fn burst(client: &mut Client, count: usize) -> f64 {
    let began = Instant::now();
    let mut sent = 0;
    for done in 0..count {
        while sent < count && sent < done + IN_FLIGHT {
            client.ask_tool("echo", json!({"message": "hello"}));
            sent += 1;
        }
        while !is_answer(&client.line().expect("an answer")) {}
    }
    #[expect(clippy::cast_precision_loss, reason = "a few thousand calls")]
    let count = count as f64;
    count / began.elapsed().as_secs_f64()
}

/// The value below which so many percent of the values lie.
fn quantile(values: &[Duration], percent: usize) -> Duration {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted[(sorted.len() - 1) * percent / 100]
}

fn middle(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
