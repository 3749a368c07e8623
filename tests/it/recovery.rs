//! A crash of a server: the client's connection lives, each request gets one answer, and nothing is
//! carried out twice.

use std::fs;
use std::path::PathBuf;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::{Value, json};

use crate::bed::Bed;
use crate::client::Client;
use crate::endings::{beds, beds_with};
use crate::patience::assert_eventually;
use crate::programs::misbehave;

/// The error of a call whose outcome nobody knows.
pub(crate) const OUTCOME_UNKNOWN: i64 = -31010;

/// A client of an echo server whose starts and input are written down.
pub(crate) struct Watched {
    pub(crate) client: Client,
    journal: PathBuf,
    starts: PathBuf,
}

impl Watched {
    fn start(bed: &Bed, options: &[&str]) -> Self {
        Self::start_beside(bed, "", options)
    }

    /// The same, under a name of its own beside others.
    pub(crate) fn start_beside(bed: &Bed, name: &str, options: &[&str]) -> Self {
        let (journal, starts) =
            (bed.path(&format!("journal{name}")), bed.path(&format!("starts{name}")));
        let (program, paths) =
            (misbehave(), [journal.display().to_string(), starts.display().to_string()]);
        let server = [program.as_str(), "serve", "--journal", &paths[0], "--starts", &paths[1]];
        let client = bed.proxy("echo", &[&server[..], options].concat());
        Self { client, journal, starts }
    }

    pub(crate) fn shaken_hands(bed: &Bed) -> Self {
        let mut watched = Self::start(bed, &[]);
        watched.client.handshake();
        watched
    }

    /// The process ids of all starts so far.
    fn pids(&self) -> Vec<i32> {
        let text = fs::read_to_string(&self.starts).unwrap_or_default();
        text.lines().map(|line| line.parse().expect("a pid")).collect()
    }

    /// All lines that the server's processes received, whole.
    pub(crate) fn received(&self) -> Vec<String> {
        let text = fs::read_to_string(&self.journal).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    pub(crate) fn received_with(&self, text: &str) -> Vec<String> {
        self.received().into_iter().filter(|line| line.contains(text)).collect()
    }

    /// The process that runs now.
    pub(crate) fn server(&self) -> Pid {
        let pid = *self.pids().last().expect("a server was started");
        Pid::from_raw(pid).expect("a pid")
    }

    /// Kills the server and waits until its end was noticed.
    fn kill_server(&self) {
        kill_process(self.server(), Signal::KILL).expect("it runs");
        self.await_end();
    }

    fn await_end(&self) {
        let server = self.server();
        assert_eventually!(test_kill_process(server).is_err(), "nobody collects {server:?}");
    }

    fn echo(&mut self, message: &str) {
        assert_eq!(self.client.tool("echo", json!({"message": message})), message);
    }
}

#[test]
fn a_server_killed_between_calls_is_started_again_and_the_next_call_is_answered() {
    for bed in beds() {
        let mut watched = Watched::shaken_hands(&bed);
        watched.echo("one");
        watched.kill_server();
        watched.echo("two");
        watched.kill_server();
        watched.echo("three");
        assert_eq!(watched.pids().len(), 3);
        assert_eq!(watched.client.finish(), Some(0));
    }
}

#[test]
fn a_server_that_crashes_after_an_answer_is_started_again() {
    for bed in beds() {
        let mut watched = Watched::shaken_hands(&bed);
        let id = watched.client.ask_tool("answer_then_crash", json!({}));
        assert!(watched.client.answer(id).get("result").is_some());
        watched.await_end();
        watched.echo("after");
        assert_eq!(watched.received_with("answer_then_crash").len(), 1);
    }
}

#[test]
fn a_call_that_meets_the_end_of_its_server_gets_one_answer() {
    for bed in beds_with(json!({"restart": {"intensity": 100, "backoff_max_ms": 50}})) {
        let mut watched = Watched::shaken_hands(&bed);
        for round in 0..10 {
            let message = format!("round-{round}-end");
            kill_process(watched.server(), Signal::KILL).expect("it runs");
            let id = watched.client.ask_tool("echo", json!({"message": message}));
            let answer = watched.client.answer(id);
            let carried_out = watched.received_with(&message).len();
            match answer["error"]["code"].as_i64() {
                Some(code) => assert_eq!((code, carried_out), (OUTCOME_UNKNOWN, 0), "{answer}"),
                None => assert_eq!(carried_out, 1, "{answer}"),
            }
            watched.echo("the next call is answered");
        }
    }
}

#[test]
fn the_handshake_is_replayed_with_the_clients_own_bytes() {
    for bed in beds() {
        let mut watched = Watched::start(&bed, &[]);
        let params = r#"{"clientInfo":{"version":"1","name":"bed"},"capabilities":{"x":1e2},"protocolVersion":"2025-11-25"}"#;
        watched
            .client
            .send(format!(r#"{{"method":"initialize","params":{params},"jsonrpc":"2.0","id":0}}"#));
        watched.client.answer(0);
        watched.client.send(r#"{"method":"notifications/initialized","jsonrpc":"2.0"}"#);
        watched.client.request("logging/setLevel", json!({"level": "debug"}));
        watched.client.request("resources/subscribe", json!({"uri": "test://one"}));
        watched.client.request("resources/subscribe", json!({"uri": "test://two"}));
        watched.client.request("resources/unsubscribe", json!({"uri": "test://two"}));
        let before = watched.received().len();
        watched.kill_server();
        watched.echo("after");
        let replayed = &watched.received()[before..];
        let methods: Vec<Value> =
            replayed.iter().map(|line| parse(line)["method"].clone()).collect();
        assert_eq!(
            methods,
            [
                "initialize",
                "notifications/initialized",
                "logging/setLevel",
                "resources/subscribe",
                "tools/call"
            ]
        );
        assert!(replayed[0].contains(params), "{}", replayed[0]);
        assert_eq!(parse(&replayed[3])["params"]["uri"], "test://one");
        // No answer to a replayed message reaches the client.
        let id = watched.client.ask("ping", json!({}));
        assert_eq!(watched.client.answer(id)["result"], json!({}));
        watched.client.close_input();
        let rest: Vec<_> = watched.client.rest().iter().map(|line| parse_bytes(line)).collect();
        assert!(rest.iter().all(|message| message.get("id").is_none()), "{rest:?}");
    }
}

#[test]
fn a_call_in_flight_is_answered_once_and_never_carried_out_twice() {
    for bed in beds() {
        let mut watched = Watched::shaken_hands(&bed);
        let held: Vec<u64> =
            (0..5).map(|number| watched.client.ask_tool("hold", json!({"n": number}))).collect();
        let crash = watched.client.ask_tool("crash", json!({}));
        for id in held.into_iter().chain([crash]) {
            let answer = watched.client.answer(id);
            assert_eq!(answer["error"]["code"], OUTCOME_UNKNOWN, "{answer}");
        }
        watched.echo("after");
        assert_eq!(watched.received_with("hold").len(), 5);
        assert_eq!(watched.received_with("\"crash\"").len(), 1);
        watched.client.close_input();
        let rest: Vec<_> = watched.client.rest().iter().map(|line| parse_bytes(line)).collect();
        assert!(rest.iter().all(|message| message.get("id").is_none()), "{rest:?}");
    }
}

#[test]
fn a_read_in_flight_is_sent_again() {
    for bed in beds() {
        let mut watched = Watched::shaken_hands(&bed);
        let crash = watched.client.ask_tool("crash", json!({}));
        let list = watched.client.ask("tools/list", json!({}));
        let read = watched.client.ask("resources/read", json!({"uri": "test://one"}));
        assert_eq!(watched.client.answer(crash)["error"]["code"], OUTCOME_UNKNOWN);
        assert!(watched.client.answer(list)["result"]["tools"].is_array());
        assert!(watched.client.answer(read)["result"]["contents"].is_array());
    }
}

#[test]
fn half_an_answer_is_no_answer() {
    for bed in beds() {
        let mut watched = Watched::shaken_hands(&bed);
        let id = watched.client.ask_tool("spew", json!({"kind": "partial-then-die"}));
        assert_eq!(watched.client.answer(id)["error"]["code"], OUTCOME_UNKNOWN);
        watched.echo("after");
    }
}

#[test]
fn a_crash_before_the_first_answer_is_retried() {
    for bed in beds() {
        let mut watched = Watched::start(&bed, &["--crash-starts", "1"]);
        let hello = watched.client.handshake();
        assert_eq!(hello["result"]["serverInfo"]["name"], "misbehave", "{hello}");
        assert_eq!(watched.pids().len(), 2);
        watched.echo("up");
    }
}

#[test]
fn a_server_that_never_answers_its_handshake_ends_as_a_bare_one() {
    for bed in beds_with(json!({"restart": {"backoff_initial_ms": 1, "backoff_max_ms": 5}})) {
        let mut watched = Watched::start(&bed, &["--crash-starts", "1000"]);
        watched.client.ask("initialize", json!({"protocolVersion": "2025-11-25"}));
        assert!(!watched.client.wait().success());
        let starts = watched.pids().len();
        assert!((2..=20).contains(&starts), "started {starts} times");
    }
}

#[test]
fn the_servers_own_ids_do_not_meet_those_of_its_former_life() {
    for bed in beds() {
        let mut watched = Watched::shaken_hands(&bed);
        // The first life leaves a question open, with id 0.
        watched.client.ask_tool("ask", json!({"method": "roots/list"}));
        let first = watched.client.find(|message| message["method"] == "roots/list");
        assert_eq!(first["id"], 0);
        watched.kill_server();
        let call = watched.client.ask_tool("ask", json!({"method": "roots/list"}));
        let second = watched.client.find(|message| message["method"] == "roots/list");
        assert_ne!(second["id"], 0, "{second}");
        // A late answer to the first is for nobody; the second's comes back under the server's id.
        watched.client.send(r#"{"jsonrpc":"2.0","id":0,"result":{"roots":["late"]}}"#);
        let answer = json!({"jsonrpc": "2.0", "id": second["id"], "result": {"roots": ["right"]}});
        watched.client.send(answer.to_string());
        let told = watched.client.answer(call);
        let told = told["result"]["content"][0]["text"].as_str().expect("a text");
        assert_eq!(parse(told), json!({"jsonrpc": "2.0", "id": 0, "result": {"roots": ["right"]}}));
    }
}

#[test]
fn a_crash_is_counted_and_shown() {
    let bed = Bed::new().up();
    let mut watched = Watched::shaken_hands(&bed);
    watched.kill_server();
    watched.echo("after");
    assert_eventually!(
        bed.json(&["status", "--json"])["servers"].as_array().is_some_and(|servers| {
            servers.iter().any(|server| server["name"] == "echo" && server["restarts"] == 1)
        }),
        "{}",
        bed.json(&["status", "--json"])
    );
    assert_eventually!(
        bed.get("/metrics").1.lines().any(|line| {
            line.starts_with("defenter_server_restarts_total{")
                && line.contains(r#"reason="signal""#)
                && line.ends_with(" 1")
        }),
        "{}",
        bed.get("/metrics").1
    );
}

/// The one session of the echo server, as `status` tells it.
fn session(bed: &Bed) -> Value {
    let status = bed.json(&["status", "--json"]);
    let servers = status["servers"].as_array().cloned().unwrap_or_default();
    let echo = servers.into_iter().find(|server| server["name"] == "echo").unwrap_or_default();
    echo["sessions"][0].clone()
}

#[test]
fn a_server_that_owes_an_answer_and_says_nothing_is_told() {
    let bed = Bed::new().settings(json!({"restart": {"unresponsive_after_ms": 1000}})).up();
    let mut watched = Watched::shaken_hands(&bed);
    let server = watched.server();
    watched.client.ask_tool("hold", json!({}));
    assert_eventually!(session(&bed)["unresponsive_s"].as_u64() >= Some(1), "{}", session(&bed));
    let (_, metrics) = bed.get("/metrics");
    let told = |line: &str| {
        line.starts_with("defenter_sessions_unresponsive{server=\"echo\"") && line.ends_with(" 1")
    };
    assert!(metrics.lines().any(told), "{metrics}");
    let (_, page) = bed.get("/");
    assert!(page.contains("unresponsive for "), "{page}");
    // It is not touched, and counts as well as soon as it says something.
    watched.echo("after");
    assert_eq!(watched.server(), server);
}

#[test]
fn an_unresponsive_server_is_replaced_where_the_settings_say_so() {
    let settings = json!({"restart": {"unresponsive_after_ms": 1000, "unresponsive": true, "backoff_max_ms": 50}});
    for bed in beds_with(settings) {
        let mut watched = Watched::shaken_hands(&bed);
        let server = watched.server();
        let id = watched.client.ask_tool("hold", json!({}));
        let answer = watched.client.answer(id);
        assert_eq!(answer["error"]["code"], OUTCOME_UNKNOWN, "{answer}");
        watched.echo("after");
        assert_ne!(watched.server(), server);
    }
}

fn parse(line: &str) -> Value {
    parse_bytes(line.as_bytes())
}

fn parse_bytes(line: &[u8]) -> Value {
    serde_json::from_slice(line).expect("a message")
}
