//! How processes end: codes, order, escalation, and that nobody is left behind.

use rustix::process::{Signal, kill_process};
use serde_json::{Value, json};

use crate::bed::{Bed, hasty, told};
use crate::client::Client;
use crate::patience::assert_eventually;
use crate::programs::misbehave;

/// A session that does its job alone, and one that joins a supervisor: both keep every promise.
pub(crate) fn beds() -> impl Iterator<Item = Bed> {
    beds_with(json!({}))
}

/// The same with settings of the test's own.
pub(crate) fn beds_with(settings: Value) -> impl Iterator<Item = Bed> {
    let make = move || Bed::new().settings(settings.clone());
    [false, true].into_iter().map(move |join| if join { make().up() } else { make() })
}

/// A client of the echo server, past its handshake.
pub(crate) fn echo(bed: &Bed, options: &[&str]) -> Client {
    let program = misbehave();
    let mut client = bed.proxy("echo", &[&[program.as_str(), "serve"], options].concat());
    let hello = client.handshake();
    assert_eq!(hello["result"]["serverInfo"]["name"], "misbehave", "{hello}");
    client
}

#[test]
fn the_exit_code_and_the_stderr_of_a_server_that_cannot_start_are_ours() {
    for bed in beds() {
        let mut client = bed.proxy("broken", &[&misbehave(), "exit", "7", "no such database\n"]);
        client.send(r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}"#);
        assert_eq!(client.wait().code(), Some(7), "{}", client.stderr());
        client.assert_stderr("no such database");
    }
}

#[test]
fn a_program_that_is_not_there_is_a_clear_error() {
    for bed in beds() {
        let mut client = bed.proxy("ghost", &["no-such-program-anywhere", "--flag"]);
        client.send(r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}"#);
        assert!(!client.wait().success());
        client.assert_stderr("no-such-program-anywhere");
    }
}

#[test]
fn the_code_of_a_server_that_ends_at_the_end_of_its_input_is_ours() {
    for bed in beds() {
        let client = bed.proxy("five", &["/bin/sh", "-c", "cat >/dev/null; exit 5"]);
        assert_eq!(client.finish(), Some(5));
    }
}

#[test]
fn what_was_asked_before_the_input_ended_is_answered() {
    for bed in beds() {
        let mut client = bed.proxy("echo", &[&misbehave(), "serve"]);
        client.ask("initialize", json!({"protocolVersion": "2025-11-25"}));
        for number in 0..20 {
            client.ask_tool("echo", json!({"message": format!("message {number}")}));
        }
        client.close_input();
        let lines = client.rest();
        let ids: Vec<Value> = lines.iter().map(|line| parse(line)["id"].clone()).collect();
        assert_eq!(ids, (0..=20).map(Value::from).collect::<Vec<_>>());
        assert_eq!(client.wait().code(), Some(0));
    }
}

#[test]
fn a_partial_last_line_is_no_message() {
    for bed in beds() {
        let journal = bed.path("journal");
        let mut client = echo(&bed, &["--journal", &journal.display().to_string()]);
        client.send_bytes(br#"{"jsonrpc":"2.0","id":9,"method":"ping"}"#);
        client.close_input();
        assert_eq!(client.rest(), Vec::<Vec<u8>>::new());
        assert_eq!(client.wait().code(), Some(0));
        let received = std::fs::read_to_string(&journal).expect("a journal");
        assert!(!received.contains("ping"), "{received}");
    }
}

#[test]
fn a_server_that_ignores_everything_is_killed() {
    for bed in beds_with(hasty()) {
        let client = echo(&bed, &["--ignore-eof", "--ignore-term"]);
        client.finish();
        bed_has_no_server(&bed);
    }
}

#[test]
fn a_server_that_ignores_the_end_of_its_input_gets_sigterm() {
    for bed in beds_with(hasty()) {
        let client = echo(&bed, &["--ignore-eof"]);
        client.finish();
        bed_has_no_server(&bed);
    }
}

#[test]
fn grandchildren_do_not_outlive_the_session() {
    for bed in beds_with(hasty()) {
        for stdio in ["null", "inherit"] {
            let mut client = echo(&bed, &[]);
            let pid = client.tool("grandchild", json!({"stdio": stdio}));
            assert_eventually!(!bed.processes_like("linger").is_empty(), "{pid} runs");
            client.finish();
            bed_has_no_server(&bed);
        }
    }
}

#[test]
fn a_killed_shim_takes_its_server_along_and_nobody_else() {
    for bed in beds_with(hasty()) {
        let mut other = echo(&bed, &[]);
        let mut victim = echo(&bed, &["--ignore-term"]);
        victim.tool("grandchild", json!({}));
        let servers = bed.processes_like("misbehave serve").len();
        victim.signal(Signal::KILL);
        victim.wait();
        assert_eventually!(
            bed.processes_like("misbehave serve").len() < servers
                && bed.processes_like("linger").is_empty(),
            "{:?}",
            bed.processes()
        );
        assert_eq!(other.tool("echo", json!({"message": "still here"})), "still here");
        assert_eq!(other.finish(), Some(0));
    }
}

#[test]
fn a_terminated_shim_takes_its_server_along() {
    for bed in beds_with(hasty()) {
        let mut client = echo(&bed, &["--ignore-eof"]);
        client.signal(Signal::TERM);
        client.wait();
        bed_has_no_server(&bed);
    }
}

#[test]
fn a_session_outlives_a_killed_supervisor() {
    let mut bed = Bed::new().up();
    let mut client = echo(&bed, &[]);
    assert_eq!(client.tool("echo", json!({"message": "before"})), "before");
    bed.take_supervisor().signal(Signal::KILL);
    assert_eq!(client.tool("echo", json!({"message": "after"})), "after");
    assert_eq!(client.finish(), Some(0));
    bed.assert_empty();
}

#[test]
fn nothing_is_left_when_the_supervisor_and_its_clients_are_killed() {
    let mut bed = Bed::new().up();
    let mut client = echo(&bed, &["--ignore-term"]);
    client.tool("grandchild", json!({}));
    let up = bed.take_supervisor();
    up.signal(Signal::KILL);
    client.signal(Signal::KILL);
    bed.assert_empty();
}

#[test]
fn the_supervisor_drains_on_sigterm() {
    let mut bed = Bed::new().up();
    let mut client = echo(&bed, &[]);
    let before = client.tool("echo", json!({"message": "before"}));
    assert_eq!(before, "before");
    assert_eq!(bed.down().code(), Some(0));
    assert_eq!(client.tool("echo", json!({"message": "after"})), "after");
    assert_eq!(client.finish(), Some(0));
}

#[test]
fn a_second_signal_hurries() {
    let slow = json!({"shutdown": {"eof_grace_ms": 600_000, "term_grace_ms": 600_000}});
    for signal in [Signal::TERM, Signal::INT] {
        let mut bed = Bed::new().settings(slow.clone()).up();
        let client = echo(&bed, &["--ignore-eof", "--ignore-term"]);
        let mut up = bed.take_supervisor();
        up.signal(signal);
        up.assert_stderr("a second signal hurries");
        assert!(!up.has_ended(), "it waits for its sessions");
        up.signal(signal);
        up.wait();
        client.signal(Signal::KILL);
        bed.assert_empty();
    }
}

#[test]
fn two_sessions_of_one_name_have_a_server_each() {
    for bed in beds() {
        let mut clients = [echo(&bed, &[]), echo(&bed, &[])];
        let [one, two] = clients.each_mut().map(|client| client.tool("whoami", json!({})));
        assert_ne!(one, two);
        let [first, mut second] = clients;
        assert_eq!(first.finish(), Some(0));
        assert_eq!(second.tool("whoami", json!({})), two, "the other does not notice");
    }
}

#[test]
fn a_second_supervisor_says_where_the_first_is() {
    let mut bed = Bed::new().up();
    let pid = bed.supervisor().pid().as_raw_nonzero().to_string();
    let second = bed.run(&["up"]);
    assert!(!second.status.success());
    let text = told(&second);
    assert!(text.contains(&pid), "{text}");
}

#[test]
fn the_server_gets_the_environment_folder_and_arguments_of_its_client() {
    for bed in beds() {
        let bed = bed.variable("BED_TOKEN", "only the client knows");
        let odd = ["--journal", "/dev/null", "--version", "a b\"c'$d\\e\n"];
        let mut client = bed.proxy("who", &[&[misbehave().as_str(), "serve"], &odd[..]].concat());
        client.handshake();
        let told: Value =
            serde_json::from_str(&client.tool("whoami", json!({}))).expect("it tells JSON");
        assert_eq!(told["env"]["BED_TOKEN"], "only the client knows");
        assert_eq!(told["cwd"], bed.home().join("work").display().to_string());
        let args = told["args"].as_array().expect("arguments").iter().skip(2);
        assert!(args.eq(odd.map(Value::from).iter()), "{told}");
        let names: Vec<_> = told["env"].as_object().expect("an object").keys().collect();
        let bare = ["BED_MARK", "BED_TOKEN", "HOME", "PATH", "PWD", "SHELL", "TERM", "USER"];
        assert!(names.iter().all(|name| bare.contains(&name.as_str())), "{names:?}");
    }
}

#[test]
fn the_servers_stderr_comes_through_live() {
    for bed in beds() {
        let mut client = echo(&bed, &[]);
        client.tool("stderr", json!({"text": "half a line, "}));
        client.assert_stderr("half a line, ");
        client.tool("stderr", json!({"text": "and the rest \u{1b}[31mred\u{1b}[0m\n"}));
        client.assert_stderr("half a line, and the rest \u{1b}[31mred\u{1b}[0m\n");
    }
}

#[test]
fn a_server_that_closes_its_output_but_lives_does_not_hang_its_client() {
    for bed in beds() {
        let mut client = bed.proxy("mute", &[&misbehave(), "mute"]);
        client.send(r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}"#);
        client.wait();
        bed_has_no_server(&bed);
    }
}

#[test]
fn a_server_that_closes_its_output_in_a_call_gives_one_answer_and_the_session_lives() {
    for bed in beds() {
        let mut client = echo(&bed, &[]);
        let id = client.ask_tool("close_stdout", json!({}));
        let answer = client.answer(id);
        assert!(answer.get("error").is_some() || answer["result"]["isError"] == true, "{answer}");
        assert_eq!(client.tool("echo", json!({"message": "again"})), "again");
    }
}

#[test]
fn the_server_is_in_no_group_that_its_clients_client_can_kill_by_accident() {
    let bed = Bed::new().up();
    let mut client = echo(&bed, &[]);
    let told: Value = serde_json::from_str(&client.tool("whoami", json!({}))).expect("JSON");
    let pid = i32::try_from(told["pid"].as_i64().expect("a pid")).expect("a small number");
    let pid = rustix::process::Pid::from_raw(pid).expect("a pid");
    let group = rustix::process::getpgid(Some(pid)).expect("it runs");
    assert_eq!(group, pid, "a group of its own");
    assert!(kill_process(pid, Signal::CONT).is_ok());
}

fn bed_has_no_server(bed: &Bed) {
    assert_eventually!(bed.processes_like("misbehave").is_empty(), "{:?}", bed.processes());
}

fn parse(line: &[u8]) -> Value {
    serde_json::from_slice(line).expect("a message")
}
