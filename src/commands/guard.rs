//! `defenter guard`: ends a server's processes should the shim that works alone be killed.
//!
//! The shim holds the other end of our standard input and writes the number of each process group
//! that its server gets, and 0 when there is none. The end of the input without a last 0 means
//! that the shim is gone without having cleaned up.

use std::{
    io::{BufRead, BufReader},
    process::ExitCode,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

use crate::Exit;

/// How long the server may take to end when asked.
const TERM: Duration = Duration::from_secs(2);
/// How often it is looked at meanwhile.
const LOOK: Duration = Duration::from_millis(20);
/// The longest line: a number.
const MAX_LINE: u64 = 32;

pub(crate) fn run() -> ExitCode {
    if let Some(group) = last_group() {
        end(group);
    }
    Exit::Done.into()
}

fn last_group() -> Option<Pid> {
    use std::io::Read;
    let mut input = BufReader::new(std::io::stdin());
    let mut group = None;
    loop {
        let mut line = String::new();
        match input.by_ref().take(MAX_LINE).read_line(&mut line) {
            Ok(1..) => group = line.trim().parse().ok().and_then(Pid::from_raw),
            Ok(0) | Err(_) => return group,
        }
    }
}

/// Asks a group to end, waits, and makes it.
pub(super) fn end(group: Pid) {
    // Each fails only when the group is gone already.
    let _ = kill_process_group(group, Signal::TERM);
    let deadline = Instant::now() + TERM;
    while test_kill_process_group(group).is_ok() && Instant::now() < deadline {
        std::thread::park_timeout(LOOK);
    }
    let _ = kill_process_group(group, Signal::KILL);
}
