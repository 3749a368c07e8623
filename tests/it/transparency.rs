//! Neither side can tell the proxy from the other side: bytes out are bytes in.

use std::collections::BTreeMap;
use std::fs;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::bed::Bed;
use crate::client::Client;
use crate::endings::{beds, beds_with, echo};
use crate::programs::{misbehave, npm, python};

/// Ends a group of the script that `misbehave script` plays.
const GROUP_END: u8 = 0x1e;

/// How many dialogs are generated; each starts processes.
const CASES: u32 = 24;

/// A generated dialog: what each side says, and when.
#[derive(Debug, Clone)]
struct Dialog {
    /// The client's lines. The server says its group of the same place when it got the line.
    client: Vec<String>,
    groups: Vec<Vec<String>>,
    /// Client lines that may be sent only after so many lines of the server came.
    after: BTreeMap<usize, usize>,
}

/// One exchange: a client's request or notification, and what the server says to it.
#[derive(Debug, Clone)]
struct Exchange {
    method: String,
    id: Option<String>,
    params: Option<String>,
    answer: String,
    fails: bool,
    notes: Vec<(String, String)>,
    /// A request of the server's own: its method and parameters, and the client's answer.
    back: Option<(String, String, String)>,
    style: Style,
}

/// How a line is written down: all of them are the same message.
#[derive(Debug, Clone, Copy)]
enum Style {
    Plain,
    Reversed,
    Spaced,
    CarriageReturn,
}

#[test]
fn bytes_out_are_bytes_in() {
    // Regressions are kept as cases of their own below, not as seeds: a seed says nothing.
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    for bed in beds_with(json!({"policy": {"preset": "observe"}})) {
        let mut runner = TestRunner::new(config.clone());
        runner
            .run(&dialog(), |dialog| carry(&bed, &dialog))
            .unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn what_a_parser_would_change_passes_as_it_came() {
    let cases = [
        r#"{"big":12345678901234567890123,"exp":1e2,"neg":-0,"small":1e-400,"huge":1e400}"#,
        r#"{"z":1,"a":2,"m":{"y":[],"b":{}}}"#,
        r#"{"slash":"\/","separator":"\u2028","lone":"\ud800","raw":" "}"#,
        r#"{"same":1,"SAME":2,"Same":3}"#,
        r#"{"_meta":{"traceparent":"00-1-2-3","vendor.example/x":[null,true]}}"#,
        "{ \"spaces\" :\t[ 1 ,2 ] }",
        r#"{"":"","\u0000":"\u0000"}"#,
    ];
    for bed in beds() {
        let journal = bed.path("journal").display().to_string();
        let mut client = echo(&bed, &["--journal", &journal]);
        for (number, case) in cases.into_iter().enumerate() {
            let line = format!(
                r#"{{"method":"vendor/anything","params":{case},"jsonrpc":"2.0","id":"{number}"}}"#
            );
            client.send(&line);
            let answer = client.answer(number.to_string());
            assert_eq!(answer["error"]["code"], -32601, "{line} gave {answer}");
            let received = fs::read(&journal).expect("a journal");
            assert!(ends_with_line(&received, line.as_bytes()), "{line} came through changed");
        }
    }
}

#[test]
fn ids_come_back_as_they_went() {
    let ids = [
        "0",
        "-1",
        "\"1\"",
        "1",
        "9007199254740993",
        "12345678901234567890123",
        "\"\"",
        "\"\\u00e9\"",
        "1.5",
    ];
    for bed in beds() {
        let mut client = echo(&bed, &[]);
        for id in ids {
            client.send(format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#));
            let line = client.line().expect("an answer");
            let line = String::from_utf8(line).expect("text");
            assert_eq!(line, format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#));
        }
    }
}

#[test]
fn a_real_servers_bytes_are_the_same_bare_and_wrapped() {
    let lines = [
        r#"{"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"b","version":"1"}},"jsonrpc":"2.0","id":0}"#,
        r#"{"jsonrpc":"2.0","id":"list","method":"tools/list"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"no/such/method","params":{"a":[1e2]}}"#,
        r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"no-such-tool"}}"#,
        r#"{"jsonrpc":"2.0","id":3,"method":"ping"}"#,
    ];
    let talk = |mut client: Client| {
        let answers: Vec<_> = lines
            .map(|line| {
                client.send(line);
                client.line().expect("an answer")
            })
            .to_vec();
        client.close_input();
        client.wait();
        answers
    };
    for bed in beds() {
        for server in [npm("mcp-server-memory"), python("mcp-server-time")] {
            let bare = talk(bed.bare(&[&server]));
            assert_eq!(bare, talk(bed.proxy("real", &[&server])), "{server}");
        }
    }
}

#[test]
fn big_messages_pass_both_ways() {
    // Above the 10 MiB that the TypeScript SDK takes, far below our own default limit.
    const SIZE: usize = 12 << 20;
    for bed in beds() {
        let mut client = echo(&bed, &[]);
        let message = "0123456789abcdef".repeat(SIZE / 16);
        assert_eq!(client.tool("echo", json!({"message": message})), message);
        assert_eq!(client.tool("big", json!({"bytes": SIZE})).len(), SIZE);
    }
}

#[test]
fn the_servers_own_requests_are_answered_by_the_client() {
    for bed in beds() {
        let mut client = echo(&bed, &[]);
        // The ids of the two directions are the same and must not be mixed up.
        for id in 0..3 {
            let ours = client.ask_tool("ask", json!({"method": "roots/list"}));
            let theirs = client.find(|message| message["method"] == "roots/list");
            assert_eq!(theirs["id"], id);
            let answer = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"roots":[]}}}}"#);
            client.send(&answer);
            assert_eq!(client.answer(ours)["result"]["content"][0]["text"], answer.as_str());
        }
    }
}

#[test]
fn progress_comes_before_the_answer_and_in_order() {
    for bed in beds() {
        let mut client = echo(&bed, &[]);
        let params = json!({
            "name": "progress", "arguments": {"steps": 50}, "_meta": {"progressToken": 0},
        });
        let id = client.ask("tools/call", params);
        for step in 1..=50 {
            let message = client.message();
            assert_eq!(message["params"]["progress"], step, "{message}");
        }
        assert_eq!(client.message()["id"], id);
    }
}

/// Carries one dialog through the proxy and compares what came out with what went in.
fn carry(bed: &Bed, dialog: &Dialog) -> Result<(), TestCaseError> {
    let (script, journal) = (bed.path("script"), bed.path("played"));
    let mut bytes = Vec::new();
    for group in &dialog.groups {
        group.iter().for_each(|line| bytes.extend_from_slice(format!("{line}\n").as_bytes()));
        bytes.push(GROUP_END);
    }
    fs::write(&script, &bytes).expect("a script");
    let (script, played) = (script.display().to_string(), journal.display().to_string());
    let mut client = bed.proxy("script", &[&misbehave(), "script", &script, &played]);
    let came = talk(&mut client, dialog);
    let code = client.wait().code();
    let expected: Vec<String> = dialog.groups.concat();
    prop_assert_eq!(came, expected);
    prop_assert_eq!(code, Some(0));
    let sent: String = dialog.client.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
    let received = fs::read(&journal).expect("a journal");
    prop_assert_eq!(String::from_utf8_lossy(&received), sent);
    Ok(())
}

/// Says the client's part; gives the server's lines.
fn talk(client: &mut Client, dialog: &Dialog) -> Vec<String> {
    let mut came = Vec::new();
    let text = |line: Vec<u8>| String::from_utf8_lossy(&line).into_owned();
    for (place, line) in dialog.client.iter().enumerate() {
        let needed = dialog.after.get(&place).copied().unwrap_or_default();
        while came.len() < needed {
            let Some(line) = client.line() else { return came };
            came.push(text(line));
        }
        client.send(line);
    }
    client.close_input();
    came.extend(client.rest().into_iter().map(text));
    came
}

/// Dialogs that open as a client of the legacy era does.
fn dialog() -> impl Strategy<Value = Dialog> {
    vec(exchange(), 1..12).prop_map(|exchanges| {
        let mut dialog =
            Dialog { client: Vec::new(), groups: Vec::new(), after: BTreeMap::new() };
        dialog.say(
            r#"{"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"p","version":"1"}},"jsonrpc":"2.0","id":"hello"}"#,
            &[r#"{"jsonrpc":"2.0","id":"hello","result":{"protocolVersion":"2025-11-25","capabilities":{"x":1.0},"serverInfo":{"name":"s","version":"1"}}}"#],
        );
        dialog.after.insert(1, 1);
        dialog.say(r#"{"method":"notifications/initialized","jsonrpc":"2.0"}"#, &[]);
        exchanges.iter().enumerate().for_each(|(number, it)| dialog.exchange(number, it));
        dialog
    })
}

impl Dialog {
    fn say(&mut self, line: &str, group: &[&str]) {
        self.client.push(line.to_owned());
        self.groups.push(group.iter().map(|&line| line.to_owned()).collect());
    }

    fn exchange(&mut self, number: usize, exchange: &Exchange) {
        let id = exchange.id.as_ref().map(|id| id.replace('#', &number.to_string()));
        let members = [
            ("jsonrpc", Some("\"2.0\"".to_owned())),
            ("id", id.clone()),
            ("method", Some(quoted(&exchange.method))),
            ("params", exchange.params.clone()),
        ];
        let mut group: Vec<String> = exchange
            .notes
            .iter()
            .map(|(method, params)| {
                format!(r#"{{"method":{},"params":{params},"jsonrpc":"2.0"}}"#, quoted(method))
            })
            .collect();
        let back = exchange.back.as_ref().map(|(method, params, answer)| {
            let id = quoted(&format!("s{number}"));
            let method = quoted(method);
            group.push(format!(
                r#"{{"params":{params},"id":{id},"jsonrpc":"2.0","method":{method}}}"#
            ));
            (self.groups.concat().len() + group.len(), id, answer)
        });
        if let Some(id) = id {
            let (key, value) = match exchange.fails {
                true => {
                    ("error", format!(r#"{{"message":"m","code":-5,"data":{}}}"#, exchange.answer))
                }
                false => ("result", exchange.answer.clone()),
            };
            group.push(exchange.style.write(&[
                ("jsonrpc", Some("\"2.0\"".to_owned())),
                ("id", Some(id)),
                (key, Some(value)),
            ]));
        }
        self.client.push(exchange.style.write(&members));
        self.groups.push(group);
        if let Some((needed, id, answer)) = back {
            self.after.insert(self.client.len(), needed);
            self.say(&format!(r#"{{"result":{answer},"id":{id},"jsonrpc":"2.0"}}"#), &[]);
        }
    }
}

impl Style {
    fn write(self, members: &[(&str, Option<String>)]) -> String {
        let mut parts: Vec<String> = members
            .iter()
            .filter_map(|(key, value)| Some((key, value.as_ref()?)))
            .map(|(key, value)| match self {
                Self::Spaced => format!("\"{key}\" : {value} "),
                _ => format!("\"{key}\":{value}"),
            })
            .collect();
        if matches!(self, Self::Reversed) {
            parts.reverse();
        }
        let end = if matches!(self, Self::CarriageReturn) { "\r" } else { "" };
        format!("{{{}}}{end}", parts.join(","))
    }
}

fn exchange() -> impl Strategy<Value = Exchange> {
    let method = prop_oneof![
        Just("tools/list".to_owned()),
        Just("resources/templates/list".to_owned()),
        Just("completion/complete".to_owned()),
        Just("ping".to_owned()),
        "vendor/[a-z]{1,8}(/[a-z]{1,8})?",
    ];
    let note = prop_oneof![
        Just("notifications/message".to_owned()),
        Just("notifications/tools/list_changed".to_owned()),
        "notifications/vendor/[a-z]{1,8}",
    ];
    let id = prop_oneof![
        3 => Just(Some("#".to_owned())),
        2 => Just(Some("\"#\"".to_owned())),
        1 => Just(Some("90071992547409930#".to_owned())),
        1 => Just(None),
    ];
    let back =
        (prop_oneof![Just("roots/list".to_owned()), "vendor/[a-z]{1,8}"], object(), object());
    let style = prop_oneof![
        Just(Style::Plain),
        Just(Style::Reversed),
        Just(Style::Spaced),
        Just(Style::CarriageReturn)
    ];
    (
        method,
        id,
        prop::option::of(object()),
        object(),
        any::<bool>(),
        vec((note, object()), 0..3),
        prop::option::of(back),
        style,
    )
        .prop_map(|(method, id, params, answer, fails, notes, back, style)| Exchange {
            method: if id.is_none() { format!("notifications/{method}") } else { method },
            id,
            params,
            answer,
            fails,
            notes,
            back,
            style,
        })
}

/// JSON objects as text, with what a parser that re-serialises would change.
fn object() -> impl Strategy<Value = String> {
    let members = |value: BoxedStrategy<String>| {
        vec((text(), value), 0..4).prop_map(|members| {
            // Two spellings of one key are one key: what no two parsers read alike is refused.
            let decoded = |key: &str| serde_json::from_str::<String>(key).expect("a JSON string");
            let members: BTreeMap<_, _> =
                members.into_iter().map(|(key, value)| (decoded(&key), (key, value))).collect();
            let parts: Vec<_> =
                members.values().map(|(key, value)| format!("{key}:{value}")).collect();
            format!("{{{}}}", parts.join(","))
        })
    };
    members(
        value()
            .prop_recursive(3, 24, 4, move |inner| {
                let array =
                    vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(", ")));
                prop_oneof![array, members(inner.boxed())]
            })
            .boxed(),
    )
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        "-?(0|[1-9][0-9]{0,30})",
        "-?(0|[1-9][0-9]{0,3})\\.[0-9]{1,20}",
        "[1-9][eE][+-]?[0-9]{1,3}",
        text(),
    ]
}

/// JSON strings, escapes included. Keys get a first letter that no protocol member starts with.
fn text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => "[a-zA-Z0-9 _.:,;!?()-]{1,12}",
        1 => "[à-ÿĀ-ſ一-九😀-😎]{1,6}",
        1 => Just("\\u2028".to_owned()),
        1 => Just("\\/".to_owned()),
        1 => Just("\\ud83d\\ude00".to_owned()),
        1 => Just("\\\"\\\\\\n\\t".to_owned()),
        1 => Just("\u{2028}".to_owned()),
    ];
    vec(part, 0..4).prop_map(|parts| format!("\"~{}\"", parts.concat()))
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn ends_with_line(bytes: &[u8], line: &[u8]) -> bool {
    bytes.strip_suffix(b"\n").is_some_and(|bytes| {
        bytes.strip_suffix(line).is_some_and(|before| before.is_empty() || before.ends_with(b"\n"))
    })
}
