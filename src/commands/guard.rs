//! `defenter guard`: ends a killed supervisor's servers.
//!
//! The supervisor holds the other end of our standard input, and writes `+GROUP` for each process
//! group that it starts and `-GROUP` for each that has ended. When the input closes, what is left
//! is ended.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Read},
    process::ExitCode,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

use crate::Exit;

/// How long servers may take to end when asked.
const TERM: Duration = Duration::from_secs(2);
/// How often they are looked at meanwhile.
const LOOK: Duration = Duration::from_millis(20);
/// The longest line: a sign and a number.
const MAX_LINE: u64 = 32;
/// The most groups that are remembered.
const MAX_GROUPS: usize = 65_536;

pub(crate) fn run() -> ExitCode {
    end(&left(std::io::stdin()));
    Exit::Done.into()
}

fn left(input: impl Read) -> BTreeSet<i32> {
    let mut input = BufReader::new(input);
    let mut groups = BTreeSet::new();
    loop {
        let mut line = String::new();
        match input.by_ref().take(MAX_LINE).read_line(&mut line) {
            Ok(1..) => note(&mut groups, line.trim()),
            Ok(0) | Err(_) => return groups,
        }
    }
}

fn note(groups: &mut BTreeSet<i32>, line: &str) {
    let Some((sign, number)) = line.split_at_checked(1) else { return };
    let Some(group) = number.parse().ok().filter(|group| *group > 1) else { return };
    match sign {
        "+" if groups.len() < MAX_GROUPS => drop(groups.insert(group)),
        "-" => drop(groups.remove(&group)),
        _ => {}
    }
}

/// Asks the groups to end, waits, and makes them.
fn end(groups: &BTreeSet<i32>) {
    let groups: Vec<Pid> = groups.iter().filter_map(|group| Pid::from_raw(*group)).collect();
    for group in &groups {
        // It fails only where the group is gone already; so do those below.
        let _ = kill_process_group(*group, Signal::TERM);
    }
    let deadline = Instant::now() + TERM;
    let any = || groups.iter().any(|group| test_kill_process_group(*group).is_ok());
    while any() && Instant::now() < deadline {
        std::thread::park_timeout(LOOK);
    }
    for group in groups {
        let _ = kill_process_group(group, Signal::KILL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_started_and_has_not_ended_is_left() {
        let numbers = |text: &str| -> Vec<i32> { left(text.as_bytes()).into_iter().collect() };
        assert_eq!(numbers("+10\n+20\n-10\n"), [20]);
        assert!(numbers("+10\n-10\n").is_empty());
        assert!(numbers("junk\n+\n+0\n++1\n\n").is_empty());
        assert_eq!(numbers("+10\n+1\n+9"), [9, 10], "1 is never ours");
    }
}
