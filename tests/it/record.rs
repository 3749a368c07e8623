//! The record: every operation that was forwarded is in it, nobody can change it unseen, and no
//! secret is.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::bed::{Bed, told};
use crate::endings::{beds, echo};
use crate::patience::assert_eventually;

/// A token in a well-known format, put together so that no scanner takes this file for a leak.
fn token() -> String {
    ["glp", "at-", "x7Kq9Zr2Tf5Wm8Vb3Lc1"].concat()
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.flatten().map(|entry| entry.path());
    paths
        .flat_map(
            |path| if path.is_dir() && !path.is_symlink() { files(&path) } else { vec![path] },
        )
        .collect()
}

/// The records, as `audit tail` shows them.
fn records(bed: &Bed) -> Vec<Value> {
    let output = bed.run(&["audit", "tail", "--lines", "10000", "--json"]);
    assert!(output.status.success(), "{}", told(&output));
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().map(|line| serde_json::from_str(line).expect("a record a line")).collect()
}

fn records_with<'a>(records: &'a [Value], text: &str) -> Vec<&'a Value> {
    records.iter().filter(|record| record.to_string().contains(text)).collect()
}

#[test]
fn every_call_is_in_the_record_and_the_chain_holds() {
    for bed in beds() {
        let mut client = echo(&bed, &[]);
        for number in 0..25 {
            client.tool("echo", json!({"message": format!("call-{number}-end")}));
        }
        assert_eq!(client.finish(), Some(0));
        let records = records(&bed);
        for number in 0..25 {
            let found = records_with(&records, &format!("call-{number}-end"));
            assert!(!found.is_empty(), "call {number} is not in the record");
        }
        let verified = bed.run(&["audit", "verify"]);
        assert!(verified.status.success(), "{}", told(&verified));
    }
}

#[test]
fn no_secret_reaches_a_file_a_log_or_a_metric() {
    for bed in beds() {
        let secret = token();
        let mut client = echo(&bed, &[]);
        // In an argument, a key, a name, a method, a cursor; in a result, and on stderr.
        client.ask_tool("echo", json!({"message": format!("the token is {secret}")}));
        client.ask_tool("big", json!({"bytes": 1, secret.clone(): 1}));
        client.ask_tool(&secret, json!({}));
        client.request(&format!("vendor/{secret}"), json!({}));
        client.request("prompts/list", json!({"cursor": secret, "password": "hunter-2-hunter"}));
        let halves = json!([secret.split_at(7).0, secret.split_at(7).1]);
        assert_eq!(client.tool("echo", json!({"message": halves})), secret);
        client.tool("stderr", json!({"text": halves}));
        client.tool("echo", json!({"message": "done"}));
        let page =
            if bed.get("/healthz").0.is_empty() { String::new() } else { bed.get("/metrics").1 };
        assert!(!page.contains(&secret), "{page}");
        // The server's own words reach its client's log as they are, and nothing of ours does.
        client.assert_stderr(&secret);
        assert_eq!(client.stderr().matches(&secret).count(), 1, "{}", client.stderr());
        let logs = told(&bed.run(&["logs", "echo"]));
        assert!(!logs.contains(&secret), "{logs}");
        assert_eq!(client.finish(), Some(0));
        let tail = told(&bed.run(&["audit", "tail", "--lines", "10000", "--json"]));
        assert!(!tail.contains(&secret) && !tail.contains("hunter-2-hunter"), "{tail}");
        let mut looked = 0;
        for path in files(&bed.home().join(".defenter")) {
            let Ok(bytes) = fs::read(&path) else { continue };
            looked += 1;
            let text = String::from_utf8_lossy(&bytes);
            assert!(!text.contains(&secret), "{} holds it: {text}", path.display());
        }
        assert!(looked > 1, "the home has files of ours");
    }
}

#[test]
fn only_the_user_can_read_what_is_kept() {
    let bed = Bed::new().up();
    let mut client = echo(&bed, &[]);
    client.tool("echo", json!({"message": "x"}));
    let folder = bed.home().join(".defenter");
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o077;
    assert_eq!(mode(&folder), 0);
    for path in files(&folder).into_iter().filter(|path| !path.ends_with("config.json")) {
        assert_eq!(mode(&path), 0, "{} is open to others", path.display());
    }
}

#[test]
fn a_changed_record_is_found() {
    let bed = Bed::new();
    let mut client = echo(&bed, &[]);
    for word in ["first", "second", "third"] {
        client.tool("echo", json!({"message": word}));
    }
    assert_eq!(client.finish(), Some(0));
    let folder = bed.home().join(".defenter/audit");
    let file = files(&folder)
        .into_iter()
        .find(|path| fs::read_to_string(path).is_ok_and(|text| text.contains("second")))
        .expect("the record is in a file");
    let text = fs::read_to_string(&file).expect("it is text");
    let without: Vec<&str> = text.lines().filter(|line| !line.contains("second")).collect();
    for changed in [text.replacen("second", "2ndsec", 1), without.join("\n") + "\n"] {
        fs::write(&file, changed).expect("our file");
        let verified = bed.run(&["audit", "verify"]);
        assert!(!verified.status.success(), "{}", told(&verified));
    }
    fs::write(&file, text).expect("our file");
    let verified = bed.run(&["audit", "verify"]);
    assert!(verified.status.success(), "{}", told(&verified));
}

#[test]
fn a_killed_supervisor_loses_no_record_of_what_was_forwarded() {
    let mut bed = Bed::new().up();
    let mut client = echo(&bed, &[]);
    for number in 0..50 {
        client.tool("echo", json!({"message": format!("call-{number}-end")}));
    }
    bed.take_supervisor().signal(Signal::KILL);
    drop(client);
    let records = records(&bed);
    for number in 0..50 {
        let found = records_with(&records, &format!("call-{number}-end"));
        assert!(!found.is_empty(), "call {number} is not in the record");
    }
    let verified = bed.run(&["audit", "verify"]);
    assert!(verified.status.success(), "{}", told(&verified));
}

#[test]
fn a_refusal_can_be_explained() {
    for bed in beds() {
        let mut client = echo(&bed, &[]);
        let id = client.ask_tool("delete_everything", json!({"path": "/tmp/precious"}));
        let answer = client.answer(id);
        let told_id = operation_id(&answer["result"]["_meta"]);
        let told_id = told_id.unwrap_or_else(|| panic!("no operation id in {answer}"));
        assert_eventually!(bed.run(&["explain", &told_id]).status.success());
        let explained = told(&bed.run(&["explain", &told_id]));
        for part in ["delete_everything", "echo", "/tmp/precious"] {
            assert!(explained.contains(part), "{part} is not in {explained}");
        }
    }
    let unknown = Bed::new().run(&["explain", "no-such-operation"]);
    assert!(!unknown.status.success() && unknown.status.code().is_some(), "{}", told(&unknown));
}

/// The operation's id, wherever in `_meta` it lies.
fn operation_id(meta: &Value) -> Option<String> {
    match meta {
        Value::Object(members) => members.iter().find_map(|(key, value)| match value {
            Value::String(id) if key.to_lowercase().contains("operation") => Some(id.clone()),
            value => operation_id(value),
        }),
        _ => None,
    }
}
