//! Everything at once: requests in flight while servers and supervisors are killed at random. Each
//! request gets one answer, and no call is carried out twice.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rustix::process::{Signal, kill_process};
use serde_json::{Value, json};

use crate::bed::Bed;
use crate::recovery::Watched;

/// What happens next.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// A call is sent, and not waited for.
    Call,
    /// A read is sent, and not waited for.
    Read,
    /// All that is in flight is waited for.
    Settle,
    /// The server is killed, in the middle of whatever it does.
    KillServer,
    /// The supervisor is killed, in the middle of whatever it does, and started again.
    KillSupervisor,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        30 => Just(Step::Call),
        10 => Just(Step::Read),
        4 => Just(Step::Settle),
        4 => Just(Step::KillServer),
        2 => Just(Step::KillSupervisor),
    ];
    proptest::collection::vec(step, 60..120)
}

#[test]
fn every_request_gets_one_answer_and_no_call_is_carried_out_twice() {
    let config =
        Config { cases: 4, max_shrink_iters: 4, failure_persistence: None, ..Config::default() };
    for join in [false, true] {
        let mut runner = TestRunner::new(config.clone());
        runner.run(&steps(), |steps| storm(&steps, join)).unwrap_or_else(|error| panic!("{error}"));
    }
}

fn storm(steps: &[Step], join: bool) -> Result<(), TestCaseError> {
    let settings = json!({"restart": {
        "intensity": 1000, "backoff_initial_ms": 1, "backoff_max_ms": 20, "window_ms": 60_000,
    }});
    let mut bed = Bed::new().settings(settings);
    if join {
        bed.start_up();
    }
    let mut watched = Watched::shaken_hands(&bed);
    let mut open = Vec::new();
    let mut answers = BTreeMap::new();
    for (number, step) in steps.iter().enumerate() {
        let message = format!("call-{number}-end");
        match step {
            Step::Call => {
                open.push((watched.client.ask_tool("echo", json!({"message": message})), message));
            }
            Step::Read => open.push((watched.client.ask("tools/list", json!({})), String::new())),
            Step::Settle => settle(&mut watched, &mut open, &mut answers),
            Step::KillServer => {
                let _ = kill_process(watched.server(), Signal::KILL);
            }
            Step::KillSupervisor if join => {
                let mut up = bed.take_supervisor();
                up.signal(Signal::KILL);
                up.wait();
                bed.start_up();
            }
            Step::KillSupervisor => {}
        }
    }
    settle(&mut watched, &mut open, &mut answers);
    let received = watched.received();
    for (message, answer) in answers.values() {
        let carried_out = received.iter().filter(|line| line.contains(message.as_str())).count();
        match (message.is_empty(), answer.get("result").is_some()) {
            (true, _) => {}
            (false, true) => prop_assert_eq!(carried_out, 1, "{}: {}", message, answer),
            (false, false) => prop_assert!(carried_out <= 1, "{}: {}", message, answer),
        }
    }
    // Whatever comes now must be no answer to anything.
    watched.client.close_input();
    for line in watched.client.rest() {
        let message = parse(&line);
        prop_assert!(message.get("method").is_some(), "a second answer: {}", message);
    }
    Ok(())
}

/// Requests that each client sends in one go.
const BURST: u64 = 80;

#[test]
fn a_supervisor_that_is_killed_in_a_burst_leaves_one_answer_to_each_request() {
    for answers_before in [0, 1, 17, 60] {
        let mut bed = Bed::new().up();
        let names = ["a", "b", "c"];
        let mut clients = names.map(|name| {
            let mut watched = Watched::start_beside(&bed, name, &[]);
            watched.client.handshake();
            watched.client.send_from_a_thread(burst(name));
            watched
        });
        let mut got = [const { Vec::new() }; 3];
        for _ in 0..answers_before {
            got[0].push(clients[0].client.message());
        }
        bed.take_supervisor().signal(Signal::KILL);
        for (place, watched) in clients.iter_mut().enumerate() {
            let rest = watched.client.rest();
            got[place].extend(rest.iter().map(|line| parse(line)));
            assert_one_answer_each(&got[place], watched, names[place]);
        }
    }
}

/// The lines of a burst: calls, reads and words that want no answer.
fn burst(name: &str) -> Vec<u8> {
    let mut lines = String::new();
    for id in 1..=BURST {
        let line = match id % 5 {
            0 => json!({"jsonrpc": "2.0", "id": id, "method": "tools/list"}),
            1 => json!({"jsonrpc": "2.0", "id": id, "method": "ping"}),
            _ => json!({"jsonrpc": "2.0", "id": id, "method": "tools/call",
                "params": {"name": "echo", "arguments": {"message": format!("{name}-{id}-end")}}}),
        };
        lines += &format!("{line}\n{}\n", json!({"jsonrpc": "2.0", "method": "notifications/x"}));
    }
    lines.into_bytes()
}

fn assert_one_answer_each(got: &[Value], watched: &Watched, name: &str) {
    let received = watched.received();
    for id in 1..=BURST {
        let answers: Vec<&Value> = got.iter().filter(|it| it["id"] == id).collect();
        assert_eq!(answers.len(), 1, "{name} {id}: {answers:?}");
        let message = format!("{name}-{id}-end");
        let carried_out = received.iter().filter(|line| line.contains(&message)).count();
        let is_call = !matches!(id % 5, 0 | 1);
        match answers[0].get("result") {
            Some(_) => assert_eq!(carried_out, usize::from(is_call), "{name} {id}: {answers:?}"),
            None => assert!(carried_out <= 1, "{name} {id}: {answers:?}"),
        }
    }
    let others = got.iter().filter(|it| it.get("method").is_none()).count();
    assert_eq!(others as u64, BURST, "{name}: {got:?}");
}

fn parse(line: &[u8]) -> Value {
    serde_json::from_slice(line).expect("a message")
}

/// Waits for the one answer of everything that is in flight.
fn settle(
    watched: &mut Watched,
    open: &mut Vec<(u64, String)>,
    answers: &mut BTreeMap<u64, (String, Value)>,
) {
    for (id, message) in open.drain(..) {
        let answer = watched.client.answer(id);
        answers.insert(id, (message, answer));
    }
}
