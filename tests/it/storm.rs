//! Everything at once: requests in flight while servers and supervisors are killed at random. Each
//! request gets one answer, and no call is carried out twice.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rustix::process::{Signal, kill_process};
use serde_json::{Value, json};

use crate::bed::Bed;
use crate::patience::assert_eventually;
use crate::recovery::{OUTCOME_UNKNOWN, Watched};

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
    /// The supervisor is killed and started again.
    KillSupervisor,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        30 => Just(Step::Call),
        10 => Just(Step::Read),
        4 => Just(Step::Settle),
        4 => Just(Step::KillServer),
        1 => Just(Step::KillSupervisor),
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
                // What the supervisor has read and not handed on yet would be lost with it, so all
                // that is in flight is one call that the server holds.
                settle(&mut watched, &mut open, &mut answers);
                // What was killed last is gone when another answers, so the call is held for sure.
                watched.client.request("ping", json!({}));
                let held = watched.client.ask_tool("hold", json!({"message": message}));
                open.push((held, message.clone()));
                assert_eventually!(!watched.received_with(&message).is_empty());
                let mut up = bed.take_supervisor();
                up.signal(Signal::KILL);
                up.wait();
                bed.start_up();
                // A session that went on alone before does not notice, and its server still holds.
                let _ = kill_process(watched.server(), Signal::KILL);
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
    // Whatever comes now must be no answer to anything. One exception cannot be closed: an answer is
    // written to the client and then noted for the next supervisor, and one that is killed between
    // the two leaves a request that its successor must answer again, since a lost answer is worse.
    let killed = steps.iter().any(|step| matches!(step, Step::KillSupervisor)) && join;
    watched.client.close_input();
    for line in watched.client.rest() {
        let message: Value = serde_json::from_slice(&line).expect("a message");
        let again = killed && message["error"]["code"] == OUTCOME_UNKNOWN;
        let known = message["id"].as_u64().is_some_and(|id| answers.contains_key(&id));
        let fine = message.get("method").is_some() || (again && known);
        prop_assert!(fine, "a second answer: {}", message);
    }
    Ok(())
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
