//! Redaction in the product: what is left alone for whom and why, rules that change under way,
//! bodies that are large or hostile.

use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::{Value, json};

use crate::bed::{Bed, told};
use crate::client::Client;
use crate::endings::{beds, echo};
use crate::patience::assert_eventually;
use crate::programs::misbehave;

/// A policy that forwards redacted what holds personal data.
const REDACTS: &str = r#"
@id("no-people") @reason("people stay at home")
forbid (principal, action, resource)
when { context.has_personal_data }
unless { context.redacted };
"#;

const MAIL: &str = "jane.doe@corp-mail.net";

/// A server behind the proxy that echoes, under a name of its own.
fn named(bed: &Bed, name: &str) -> Client {
    let mut client = bed.proxy(name, &[&misbehave(), "serve"]);
    client.handshake();
    client
}

fn say(client: &mut Client, text: &str) -> String {
    client.tool("echo", json!({"message": text}))
}

fn redacting(bed: Bed) -> Bed {
    bed.write(".defenter/policy.d/redacts.cedar", REDACTS);
    bed
}

fn exception(servers: &[&str], reason: &str) -> Value {
    json!({"redaction": {"exceptions": [
        {"servers": servers, "kinds": ["email"], "values": [".*@corp-mail\\.net"], "reason": reason},
    ]}})
}

/// The last records that mention `text`.
fn records(bed: &Bed, text: &str) -> Vec<Value> {
    let output = bed.run(&["audit", "tail", "--lines", "1000", "--json"]);
    let lines = String::from_utf8(output.stdout).expect("text");
    let records = lines.lines().filter(|line| line.contains(text));
    let parse = |line: &str| serde_json::from_str::<Value>(line).expect("a record");
    records.map(|line| parse(line)["record"].take()).collect()
}

#[test]
fn an_exception_is_for_the_servers_that_it_names_and_is_told() {
    for join in [false, true] {
        let bed = redacting(Bed::new()).settings(exception(&["ours"], "our own addresses"));
        let bed = if join { bed.up() } else { bed };
        assert_eq!(say(&mut named(&bed, "ours"), MAIL), MAIL);
        assert_eq!(say(&mut named(&bed, "theirs"), MAIL), "[REDACTED-EMAIL]");
        let other = "john.roe@elsewhere.net";
        assert_eq!(say(&mut named(&bed, "ours"), other), "[REDACTED-EMAIL]");
        // The record tells what was let through, and explain tells why.
        let left = records(&bed, "our own addresses");
        assert_eq!(left.len(), 2, "request and result: {left:?}");
        assert!(left.iter().all(|one| one["server"] == "ours"), "{left:?}");
        let id = left[0]["id"].as_str().expect("an id");
        let explained = told(&bed.run(&["explain", id]));
        assert!(explained.contains("left alone, since: our own addresses"), "{explained}");
    }
}

#[test]
fn explain_tells_what_is_left_alone_for_a_server() {
    let bed = Bed::new().settings(exception(&["ours"], "our own addresses"));
    let bed = bed.settings(json!({"redaction": {"disabled_kinds": ["mac"]}}));
    let shown = told(&bed.run(&["explain", "--server", "ours"]));
    for part in ["email", "1 listed value", "our own addresses", "config.json:", "mac"] {
        assert!(shown.contains(part), "{part} is not in {shown}");
    }
    assert!(!shown.contains("corp-mail"), "{shown}");
    let shown = bed.json(&["explain", "--server", "theirs", "--json"]);
    assert_eq!(shown.as_array().map(Vec::len), Some(1), "{shown}");
    let both = bed.run(&["explain", "--server", "ours", "an-id"]);
    assert_eq!(both.status.code(), Some(2), "{}", told(&both));
}

#[test]
fn an_exception_for_nobody_is_told() {
    let bed = Bed::new().settings(exception(&["files", "flies", "hook:cursor"], "a slip"));
    let entry = json!({"mcpServers": {"files": {"command": misbehave(), "args": ["serve"]}}});
    bed.write(".cursor/mcp.json", entry.to_string());
    let told = told(&bed.run(&["doctor"]));
    assert!(told.contains("exceptions[0] is for the server `flies`"), "{told}");
    assert_eq!(told.matches("exceptions[0]").count(), 1, "{told}");
}

#[test]
fn a_changed_exception_applies_to_open_sessions() {
    let mut bed = redacting(Bed::new()).up();
    let mut client = named(&bed, "ours");
    assert_eq!(say(&mut client, MAIL), "[REDACTED-EMAIL]");
    bed = bed.settings(exception(&[], "our own addresses"));
    assert!(bed.run(&["config", "show"]).status.success());
    assert_eventually!(say(&mut client, MAIL) == MAIL);
}

#[test]
fn an_exception_that_cannot_be_used_is_an_error_with_its_place() {
    let check = |exceptions: Value, parts: &[&str]| {
        let bed = Bed::new().settings(json!({"redaction": {"exceptions": exceptions}}));
        for args in [&["config", "show"][..], &["up"]] {
            let output = bed.run(args);
            let shown = told(&output);
            assert_eq!(output.status.code(), Some(5), "{args:?}: {shown}");
            for part in parts {
                assert!(shown.contains(part), "{part} is not in {shown}");
            }
        }
    };
    check(json!([{"kinds": ["email"]}]), &["config.json:1:", "`reason`"]);
    check(json!([{"kinds": ["emial"], "reason": "x"}]), &["exceptions[0].kinds", "emial", "email"]);
    check(json!([{"rules": ["no-such-rule"], "reason": "x"}]), &["no-such-rule", "--rules"]);
    check(json!([{"reason": "nothing"}]), &["nothing", "rules, kinds or values"]);
    check(json!([{"kind": [], "reason": "x"}]), &["did you mean `kinds`?"]);
}

#[test]
fn a_wrong_rule_is_told_with_its_place_and_the_last_good_ones_stay() {
    let rule = |regex: &str| {
        format!(
            "[[rules]]\nid = \"house\"\nkind = \"email\"\nregex = '''{regex}'''\nkeywords = [\"house_\"]\n"
        )
    };
    let bed = redacting(Bed::new());
    let path = bed.write("rules/gitleaks.toml", rule("house_[a-z]{8}"));
    let bed = bed.settings(json!({"redaction": {"rules": [path]}})).up();
    let mut client = named(&bed, "any");
    assert_eq!(say(&mut client, "a house_abcdefgh"), "a [REDACTED-EMAIL]");
    bed.write("rules/gitleaks.toml", rule("house_[a-z"));
    let problems = || bed.json(&["status", "--json"])["problems"].to_string();
    assert_eventually!(problems().contains("rule house in"), "{}", problems());
    assert!(problems().contains("line 2"), "{}", problems());
    assert!(bed.get("/metrics").1.contains("defenter_redaction_load_successful 0"));
    assert_eq!(say(&mut client, "a house_abcdefgh"), "a [REDACTED-EMAIL]");
    let shown = bed.run(&["config", "show"]);
    assert_eq!(shown.status.code(), Some(5), "{}", told(&shown));
    assert!(told(&shown).contains("rule house in"), "{}", told(&shown));
    bed.write("rules/gitleaks.toml", rule("house_[0-9]{8}"));
    assert_eventually!(say(&mut client, "a house_abcdefgh") == "a house_abcdefgh");
    assert_eventually!(problems() == "[]", "{}", problems());
    assert!(bed.get("/metrics").1.contains("defenter_redaction_load_successful 1"));
}

#[test]
fn a_body_that_takes_too_much_work_is_withheld() {
    // More findings than one message may have.
    let hosts: String =
        (0..100_100).map(|n| format!("93.{}.{}.{} ", n >> 16, n >> 8 & 255, n & 255)).collect();
    for bed in beds() {
        let mut client = echo(&bed, &[]);
        let id = client.ask_tool("echo", json!({"message": hosts}));
        let answer = client.answer(id);
        assert_eq!(answer["result"]["isError"], true, "{}", &answer.to_string()[..200]);
        assert!(answer.to_string().contains("more work than"), "{answer}");
        assert!(!answer.to_string().contains("93.1.1.1"));
        assert_eq!(client.tool("count", json!({})), "1", "the server did not get it");
        let record = records(&bed, "more work than");
        assert_eq!(record.len(), 1, "{record:?}");
        assert_eq!(record[0]["outcome"], "refused");
        assert!(!record[0].to_string().contains("93.1.1.1"), "{}", record[0]);
        if !bed.get("/healthz").0.is_empty() {
            let page = bed.get("/metrics").1;
            assert!(page.contains("defenter_redaction_withheld_total 1"), "{page}");
        }
    }
}

#[test]
fn rules_change_under_load_and_no_operation_is_lost_or_let_through() {
    let bed = redacting(Bed::new());
    let rule = |id: &str| {
        format!(
            "[[rules]]\nid = \"{id}\"\nkind = \"email\"\nregex = '''key_[a-z]{{12}}'''\nkeywords = [\"key_\"]\n"
        )
    };
    let path = bed.write("rules/mine.toml", rule("first"));
    let bed = bed.settings(json!({"redaction": {"rules": [path]}})).up();
    // Beyond what is inspected where it is read, so that the pool takes its part.
    let filler = "lorem ipsum ".repeat(8_000);
    let stop = AtomicBool::new(false);
    let clients = ["one", "two", "three"].map(|name| named(&bed, name));
    thread::scope(|scope| {
        let talkers: Vec<_> = clients
            .map(|mut client| {
                let (filler, stop) = (&filler, &stop);
                scope.spawn(move || {
                    let mut said = 0;
                    while said < 10 || !stop.load(Ordering::Relaxed) {
                        let padding = if said % 2 == 0 { filler } else { "" };
                        let answer = say(&mut client, &format!("key_abcdefghijkl {padding}"));
                        assert!(answer.starts_with("[REDACTED-EMAIL] "), "{}", &answer[..40]);
                        said += 1;
                    }
                    said
                })
            })
            .into_iter()
            .collect();
        let loads = || bed.supervisor_log().matches("redaction rules loaded").count();
        for round in 0..5 {
            bed.write("rules/mine.toml", rule(&format!("round-{round}")));
            assert_eventually!(loads() > round, "{}", bed.supervisor_log());
        }
        stop.store(true, Ordering::Relaxed);
        let said: Vec<u32> =
            talkers.into_iter().map(|talker| talker.join().expect("no panic")).collect();
        assert!(said.iter().all(|&count| count >= 10), "{said:?}");
    });
    let page = bed.get("/metrics").1;
    for place in ["inline", "pool"] {
        let count = format!("defenter_redaction_scan_seconds_count{{place=\"{place}\"}} ");
        let count = page.lines().find_map(|line| line.strip_prefix(&count)).expect("a count");
        assert!(count.parse::<f64>().expect("a number") >= 10.0, "{place}: {count}");
    }
}

#[test]
fn an_installation_has_one_fingerprint_key_of_its_own() {
    for bed in beds() {
        let mut client = echo(&bed, &[]);
        say(&mut client, "hello");
        let path = bed.home().join(".defenter/state/fingerprint.key");
        let key = std::fs::read(&path).expect("the key");
        assert_eq!(key.len(), 32);
        let print = |text: &str| {
            let output = bed.run_with(&["redact", "--json"], text.as_bytes());
            let finding: Value = serde_json::from_slice(&output.stdout).expect("one finding");
            finding["fingerprint"].clone()
        };
        assert!(print(MAIL).is_string());
        assert_eq!(print(MAIL), print(&format!("to {MAIL}")));
        assert_ne!(print(MAIL), print("john.roe@elsewhere.net"));
        // Others could have read it.
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("ours");
        assert_eq!(print(MAIL), Value::Null);
        let shown = bed.run(&["config", "show"]);
        assert!(told(&shown).contains("not this user's alone"), "{}", told(&shown));
        assert!(shown.status.success(), "{}", told(&shown));
        assert_eq!(std::fs::read(&path).expect("the key"), key, "nobody made another");
    }
}

#[test]
fn equal_values_of_a_session_have_equal_numbers() {
    for join in [false, true] {
        let bed = redacting(Bed::new()).settings(json!({"redaction": {"numbered": true}}));
        let bed = if join { bed.up() } else { bed };
        let mut client = named(&bed, "any");
        let other = "john.roe@elsewhere.net";
        assert_eq!(
            say(&mut client, &format!("{MAIL} {other} {MAIL}")),
            "[REDACTED-EMAIL-1] [REDACTED-EMAIL-2] [REDACTED-EMAIL-1]"
        );
        assert_eq!(say(&mut client, other), "[REDACTED-EMAIL-2]");
        assert!(!records(&bed, "[REDACTED-EMAIL-2]").is_empty());
        let mut another = named(&bed, "any");
        assert_eq!(say(&mut another, other), "[REDACTED-EMAIL-1]");
    }
}
