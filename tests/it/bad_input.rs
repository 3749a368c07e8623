//! Hostile and broken input: refused with a clear error, counted, and the session lives.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::bed::{Bed, hasty};
use crate::client::{Client, clip};
use crate::endings::{beds, beds_with, echo};
use crate::patience::{assert_eventually, eventually};
use crate::programs::misbehave;

/// The error for a message that two parsers may read in two ways.
const AMBIGUOUS: i64 = -32600;
/// The error for a message over a limit.
const OVER_LIMIT: i64 = -31012;
/// The smallest limit of a line that the settings take.
const SMALL_LINE: usize = 65_536;

/// What a client does wrong, and what comes of it.
struct BadLine {
    line: Vec<u8>,
    /// The code of the error that answers it; nothing where any error will do.
    code: Option<i64>,
}

impl BadLine {
    fn new(line: impl Into<Vec<u8>>, code: impl Into<Option<i64>>) -> Self {
        Self { line: line.into(), code: code.into() }
    }
}

#[test]
fn a_bad_line_of_the_client_is_refused_and_the_session_lives() {
    let call = r#"{"jsonrpc":"2.0","id":70,"method":"tools/call","params":{"name":"echo"}}"#;
    let cases = [
        BadLine::new("this is no JSON", None),
        BadLine::new(r#"{"jsonrpc":"2.0","id":70,"method":"tools/call""#, None),
        BadLine::new(format!("{call}{call}"), None),
        BadLine::new(b"{\"jsonrpc\":\"2.0\",\"id\":70,\"method\":\"p\xff\xfe\"}", None),
        BadLine::new(r#"{"jsonrpc":"2.0","id":70,"method":"ping","method":"evil"}"#, AMBIGUOUS),
        BadLine::new(r#"{"jsonrpc":"2.0","id":70,"method":"ping","Method":"evil"}"#, AMBIGUOUS),
        BadLine::new(r#"{"jsonrpc":"2.0","id":70,"m\u0065thod":"a","method":"b"}"#, AMBIGUOUS),
        BadLine::new(r#"{"jsonrpc":"2.0","id":70,"method":"a","method\u0000":"b"}"#, AMBIGUOUS),
        BadLine::new(
            r#"{"jsonrpc":"2.0","id":70,"method":"tools/call","params":{"name":"echo","name":"evil"}}"#,
            AMBIGUOUS,
        ),
        BadLine::new(
            r#"{"jsonrpc":"2.0","id":70,"method":"tools/call","params":{"name":"echo","Arguments":{}}}"#,
            AMBIGUOUS,
        ),
    ];
    for bed in beds() {
        let journal = bed.path("journal");
        let mut client = echo(&bed, &["--journal", &journal.display().to_string()]);
        for case in &cases {
            let shown = clip(&String::from_utf8_lossy(&case.line));
            client.send(&case.line);
            let refusal = client.find(|message| message.get("error").is_some());
            if let Some(code) = case.code {
                assert_eq!(refusal["error"]["code"], code, "{shown} gave {refusal}");
            }
            assert!(refusal["id"] == 70 || refusal["id"].is_null(), "{shown} gave {refusal}");
            assert_eq!(client.tool("echo", json!({"message": "alive"})), "alive", "{shown}");
            let received = std::fs::read(&journal).expect("a journal");
            let came = received.windows(case.line.len()).any(|part| part == case.line);
            assert!(!came, "{shown} came through");
        }
    }
}

#[test]
fn a_bad_answer_to_a_servers_request_is_still_an_answer() {
    for bed in beds() {
        let mut client = echo(&bed, &[]);
        let call = client.ask_tool("ask", json!({"method": "roots/list"}));
        let question = client.find(|message| message["method"] == "roots/list");
        let id = &question["id"];
        client.send(format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"roots":[],"roots":1}}}}"#));
        let told = client.answer(call);
        let told = told["result"]["content"][0]["text"].as_str().expect("a text");
        let told: Value = serde_json::from_str(told).expect("the server got a message");
        assert_eq!(told["error"]["code"], AMBIGUOUS, "{told}");
    }
}

#[test]
fn blank_lines_and_carriage_returns_are_no_messages() {
    for bed in beds() {
        let mut client = echo(&bed, &[]);
        client.send_bytes(b"\n\r\n   \n\t\n");
        client.send("{\"jsonrpc\":\"2.0\",\"id\":71,\"method\":\"ping\"}\r");
        assert_eq!(client.message(), json!({"jsonrpc": "2.0", "id": 71, "result": {}}));
    }
}

#[test]
fn a_line_over_the_limit_is_refused_in_both_directions_and_the_session_lives() {
    for bed in beds_with(json!({"proxy": {"max_line_bytes": SMALL_LINE}})) {
        let journal = bed.path("journal");
        let mut client = echo(&bed, &["--journal", &journal.display().to_string()]);
        let id = client.ask_tool("echo", json!({"message": "x".repeat(SMALL_LINE)}));
        let refusal = client.find(|message| message.get("error").is_some());
        assert_eq!(refusal["error"]["code"], OVER_LIMIT, "{refusal}");
        assert!(refusal["id"] == id || refusal["id"].is_null(), "{refusal}");
        assert_eq!(client.tool("echo", json!({"message": "alive"})), "alive");
        // An answer that is too long: its request gets an error, not silence.
        let id = client.ask_tool("big", json!({"bytes": SMALL_LINE}));
        let refusal = client.answer(id);
        let told = refusal["error"]["code"] == OVER_LIMIT || refusal["result"]["isError"] == true;
        assert!(told, "{refusal}");
        assert_eq!(client.tool("echo", json!({"message": "alive"})), "alive");
        let received = std::fs::metadata(&journal).expect("a journal").len();
        assert!(
            received < u64::try_from(SMALL_LINE).expect("small"),
            "{received} bytes came through"
        );
    }
}

#[test]
fn a_depth_bomb_gets_one_answer_and_the_session_lives() {
    for bed in beds() {
        let mut client = echo(&bed, &[]);
        for depth in [100, 1_000, 200_000] {
            for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
                let inner = if open == "[" { "" } else { "0" };
                let bomb = format!("{}{inner}{}", open.repeat(depth), close.repeat(depth));
                client.send(format!(
                    r#"{{"jsonrpc":"2.0","id":"bomb","method":"tools/call","params":{{"name":"echo","arguments":{bomb}}}}}"#
                ));
                let id = client.ask("ping", json!({}));
                let mut seen = Vec::new();
                while seen.last().is_none_or(|last: &Value| last["id"] != id) {
                    seen.push(client.message());
                }
                let about = |message: &&Value| message["id"] == "bomb" || message["id"].is_null();
                assert_eq!(seen.iter().filter(about).count(), 1, "depth {depth}: {seen:?}");
            }
        }
    }
}

#[test]
fn what_a_server_prints_between_its_messages_stays_away_from_the_client() {
    for bed in beds() {
        let mut client = echo(&bed, &["--noise"]);
        for number in 0..10 {
            let message = format!("call {number}");
            let id = client.ask_tool("echo", json!({"message": message}));
            let answer = client.message();
            assert_eq!(answer["id"], id);
            assert_eq!(answer["result"]["content"][0]["text"], message.as_str());
        }
        client.close_input();
        assert_eq!(client.rest(), Vec::<Vec<u8>>::new());
    }
}

#[test]
fn bad_lines_of_a_server_stay_away_from_the_client_and_its_calls_are_answered() {
    let kinds = [
        ("not-json", 0),
        ("blank", 0),
        ("two-in-a-line", 0),
        ("invalid-utf8", 0),
        ("duplicate-key", 0),
        ("case-twin", 0),
        ("nul-twin", 0),
        ("deep", 200_000),
        ("oversized", 2 * SMALL_LINE),
    ];
    for bed in beds_with(json!({"proxy": {"max_line_bytes": SMALL_LINE}})) {
        let mut client = echo(&bed, &[]);
        for (kind, size) in kinds {
            let id = client.ask_tool("spew", json!({"kind": kind, "size": size}));
            let answer = client.message();
            assert_eq!(answer["id"], id, "{kind}: {answer}");
            assert_eq!(answer["result"]["content"][0]["text"], "spewed", "{kind}: {answer}");
        }
        assert_eq!(client.tool("echo", json!({"message": "alive"})), "alive");
    }
}

#[test]
fn a_second_answer_to_one_request_does_not_reach_the_client() {
    for bed in beds() {
        let mut client = echo(&bed, &[]);
        let id = client.ask_tool("spew", json!({"kind": "second-answer"}));
        assert_eq!(client.answer(id)["id"], id);
        let ping = client.ask("ping", json!({}));
        assert_eq!(client.message()["id"], ping);
    }
}

#[test]
fn noise_is_counted() {
    let bed = Bed::new().up();
    let mut client = echo(&bed, &["--noise"]);
    client.tool("echo", json!({"message": "x"}));
    assert_eventually!(
        bed.get("/metrics").1.lines().any(|line| {
            line.starts_with("defenter_")
                && line.contains(r#"reason="noise""#)
                && !line.ends_with(" 0")
        }),
        "{}",
        bed.get("/metrics").1
    );
}

#[test]
fn a_server_that_never_reads_pushes_back_on_its_client() {
    const CHUNK: usize = 1024;
    const OFFERED: usize = 256 << 20;
    let mut settings = hasty();
    settings["proxy"] = json!({"max_line_bytes": 1 << 20});
    for bed in beds_with(settings) {
        let mut command = bed.proxy_command("deaf", &[&misbehave(), "deaf"]);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the proxy starts");
        let mut input = child.stdin.take().expect("piped");
        let taken = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&taken);
        thread::spawn(move || {
            let padding = "x".repeat(CHUNK);
            let line =
                format!(r#"{{"jsonrpc":"2.0","method":"notifications/x","params":["{padding}"]}}"#);
            while count.load(Ordering::Relaxed) < OFFERED && writeln!(input, "{line}").is_ok() {
                count.fetch_add(line.len() + 1, Ordering::Relaxed);
            }
        });
        let held = settled(&taken);
        assert!(
            held > 0 && held < 16 << 20,
            "{held} bytes were taken for a server that never reads"
        );
        let memory = bed.peak_memory();
        assert!(memory < 192 << 20, "{memory} bytes of memory");
        child.kill().expect("it runs");
        child.wait().expect("it ends");
    }
}

#[test]
fn a_client_that_never_reads_pushes_back_on_its_server_and_loses_nothing() {
    const COUNT: usize = 20_000;
    const SIZE: usize = 4096;
    for bed in beds() {
        let (count, size) = (COUNT.to_string(), SIZE.to_string());
        let mut command = bed.proxy_command("flood", &[&misbehave(), "flood", &count, &size]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the proxy starts");
        let mut input = child.stdin.take().expect("piped");
        writeln!(input, r#"{{"jsonrpc":"2.0","id":0,"method":"initialize","params":{{}}}}"#)
            .expect("it reads");
        assert_eventually!(written(&bed) > 0);
        let held = eventually_settled(|| written(&bed));
        assert!(held < 16 << 20, "{held} bytes were taken for a client that never reads");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let mut lines = output.lines().map(|line| line.expect("text"));
        assert!(lines.next().expect("the handshake").contains("serverInfo"));
        for number in 0..COUNT {
            let line = lines.next().expect("a notification");
            assert!(line.contains(&format!(r#""data":[{number},""#)), "{}", clip(&line));
        }
        drop(input);
        assert!(lines.next().is_none());
        assert!(child.wait().expect("it ends").success());
    }
}

#[test]
fn a_flood_of_requests_is_answered_one_by_one() {
    const COUNT: u64 = 5_000;
    for bed in beds() {
        let mut client = echo(&bed, &[]);
        let lines: String = (0..COUNT)
            .map(|id| format!("{{\"jsonrpc\":\"2.0\",\"id\":\"f{id}\",\"method\":\"ping\"}}\n"))
            .collect();
        client.send_from_a_thread(lines.into_bytes());
        for id in 0..COUNT {
            assert_eq!(client.message()["id"], format!("f{id}"));
        }
    }
}

#[test]
fn a_slow_start_is_waited_for() {
    for bed in beds() {
        let mut client = bed.proxy("slow", &[&misbehave(), "serve", "--slow-start", "1500"]);
        let hello = client.handshake();
        assert_eq!(hello["result"]["serverInfo"]["name"], "misbehave");
    }
}

/// Waits until a count has stopped to grow, and gives it.
fn settled(count: &Arc<AtomicUsize>) -> usize {
    eventually_settled(|| count.load(Ordering::Relaxed))
}

/// Waits until a figure has stayed the same for a while, and gives it.
fn eventually_settled(mut figure: impl FnMut() -> usize) -> usize {
    const STILL: Duration = Duration::from_millis(700);
    let mut last = (figure(), Instant::now());
    eventually(|| {
        let now = figure();
        if now != last.0 {
            last = (now, Instant::now());
        }
        (now > 0 && last.1.elapsed() >= STILL).then_some(now)
    })
    .expect("it settles")
}

/// How many bytes the flooding server has written.
fn written(bed: &Bed) -> usize {
    let server = bed.processes_like("misbehave flood").into_iter().find(|process| {
        // The shim's own command line names the server too.
        !process.command.contains(" proxy ")
    });
    let Some(server) = server else { return 0 };
    let path = format!("/proc/{}/io", server.pid.as_raw_nonzero());
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let figure = text.lines().find_map(|line| line.strip_prefix("wchar: "));
    figure.and_then(|figure| figure.parse().ok()).unwrap_or_default()
}

#[test]
fn a_client_that_goes_away_in_the_middle_of_a_line_leaves_nothing_behind() {
    for bed in beds() {
        let mut client: Client = echo(&bed, &[]);
        client.send_bytes(br#"{"jsonrpc":"2.0","id":1,"#);
        drop(client);
        assert_eventually!(bed.processes_like("misbehave").is_empty(), "{:?}", bed.processes());
    }
}
