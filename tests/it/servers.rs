//! `servers` lists what the clients' configs name, `doctor` says what is wrong with it, and
//! `install --except` leaves a server out.

use serde_json::{Value, json};

use crate::bed::{Bed, told};
use crate::patience::assert_eventually;
use crate::programs::{DEFENTER, misbehave};

/// Exit code: something is wrong.
const DRIFT: i32 = 7;

/// A secret that no list of known ones has; written in parts, so that no scanner takes this file
/// for a leak.
fn secret() -> String {
    ["x7Kq9Zr2", "Tf5Wm8Vb3Lc1"].concat()
}

/// A home with a server of each sort.
fn bed() -> Bed {
    let bed = Bed::new();
    let program = misbehave();
    let entries = json!({"mcpServers": {
        "good": {"command": program, "args": ["serve"]},
        "keyed": {
            "command": program,
            "args": ["serve", "--api-key", secret()],
            "env": {"SERVICE_PASSWORD": secret()},
        },
        "far": {
            "url": format!("https://me:{0}@localhost/mcp?key={0}", secret()),
            "headers": {"Authorization": format!("Bearer {}", secret())},
        },
        "off": {"command": program, "args": ["serve"], "disabled": true},
    }});
    bed.write(".cursor/mcp.json", entries.to_string());
    bed
}

/// The entry of that name in what `servers --json` says.
fn row(report: &Value, name: &str) -> Value {
    let rows = report["servers"].as_array().expect("servers");
    let row = rows.iter().find(|row| row["name"] == name);
    row.unwrap_or_else(|| panic!("no {name} in {report}")).clone()
}

fn cursor(bed: &Bed) -> Value {
    let text = std::fs::read(bed.home().join(".cursor/mcp.json")).expect("a config");
    serde_json::from_slice(&text).expect("it is JSON")
}

#[test]
fn every_server_is_listed_with_why_it_is_not_wrapped() {
    let bed = bed();
    assert!(bed.run(&["install", "--yes", "--server", "good"]).status.success());
    let report = bed.json(&["servers", "--json"]);
    let good = row(&report, "good");
    assert_eq!((&good["wrapped"], &good["client"]), (&json!(true), &json!("cursor")), "{good}");
    assert_eq!(good["scope"], "user");
    // The server's own command, not ours.
    assert_eq!(good["command"], format!("{} serve", misbehave()));
    assert!(good["why"].is_null() && good["state"].is_null(), "{good}");
    for (name, transport, why) in [
        ("keyed", "stdio", "defenter install"),
        ("far", "http", "address"),
        ("off", "stdio", "disabled"),
    ] {
        let row = row(&report, name);
        assert_eq!((&row["wrapped"], &row["transport"]), (&json!(false), &json!(transport)));
        assert!(row["why"].as_str().is_some_and(|it| it.contains(why)), "{row}");
    }
}

#[test]
fn no_secret_of_an_entry_is_shown() {
    let bed = bed();
    for args in [&["servers"][..], &["servers", "--json"], &["doctor"], &["doctor", "--json"]] {
        let text = told(&bed.run(args));
        assert!(text.contains("keyed"), "{args:?}: {text}");
        assert!(!text.contains(&secret()), "{args:?}: {text}");
    }
    let report = bed.json(&["servers", "--json"]);
    let far = row(&report, "far");
    assert!(far["url"].as_str().is_some_and(|url| url.contains("@localhost/mcp?key=")), "{far}");
    assert_eq!(far["sets"], json!(["Authorization"]));
    assert_eq!(row(&report, "keyed")["sets"], json!(["SERVICE_PASSWORD"]));
}

#[test]
fn a_running_supervisor_says_what_a_server_is_doing() {
    let bed = bed().up();
    let good = || row(&bed.json(&["servers", "--json"]), "good");
    assert_eventually!(good()["state"] == "idle", "{}", good());
    let args = ["proxy", "--name", "good", "--client", "cursor", "--", &misbehave(), "serve"];
    let mut client = crate::client::Client::start(bed.defenter(&args));
    client.handshake();
    assert_eventually!(good()["state"] == "ready" && good()["sessions"] == 1, "{}", good());
}

#[test]
fn install_leaves_out_whom_it_is_told_to() {
    let bed = bed();
    let output = bed.run(&["install", "--yes", "--except", "keyed", "--except", "other"]);
    assert!(output.status.success(), "{}", told(&output));
    let entries = cursor(&bed);
    assert_eq!(entries["mcpServers"]["good"]["command"], DEFENTER);
    assert_eq!(entries["mcpServers"]["keyed"]["command"], misbehave());
}

/// The findings of `doctor --json`, and whether it ended as one that found an error.
fn findings(bed: &Bed, more: &[&str]) -> (Vec<Value>, bool) {
    let output = bed.run(&[&["doctor", "--json"], more].concat());
    let code = output.status.code();
    assert!(matches!(code, Some(0 | DRIFT)), "{}", told(&output));
    let report: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    (report["findings"].as_array().expect("findings").clone(), code == Some(DRIFT))
}

/// The finding of a code, about a server where one is given.
fn finding(findings: &[Value], code: &str, server: Option<&str>) -> Value {
    let is_it = |it: &&Value| it["code"] == code && it["server"].as_str() == server;
    let found = findings.iter().find(is_it);
    found.unwrap_or_else(|| panic!("no {code} of {server:?} in {findings:?}")).clone()
}

#[test]
fn doctor_says_what_may_not_work_and_what_to_do() {
    let bed = bed();
    let missing = json!({"mcpServers": {"lost": {"command": "no-such-program-here"}}});
    bed.write(".gemini/settings.json", missing.to_string());
    let (found, failed) = findings(&bed, &[]);
    assert!(!failed, "{found:?}");
    for (code, server) in [
        ("supervisor", None),
        ("dialog", None),
        ("not-protected", Some("good")),
        ("program-not-found", Some("lost")),
    ] {
        let one = finding(&found, code, server);
        assert!(one["hint"].is_string(), "{one}");
    }
    let (of_gemini, _) = findings(&bed, &["--client", "gemini-cli"]);
    assert!(of_gemini.iter().all(|one| one["server"] != "good"), "{of_gemini:?}");
    assert!(told(&bed.run(&["doctor"])).contains("hint: run `defenter install`"));
}

#[test]
fn doctor_fails_where_an_entry_was_changed_back_or_a_file_is_broken() {
    let bed = bed();
    let original = std::fs::read(bed.home().join(".cursor/mcp.json")).expect("a config");
    assert!(bed.run(&["install", "--yes"]).status.success());
    assert!(!findings(&bed, &[]).1);
    bed.write(".cursor/mcp.json", original);
    let (found, failed) = findings(&bed, &[]);
    assert!(failed && finding(&found, "unwrapped", Some("good"))["severity"] == "error");
    bed.write(".cursor/mcp.json", "{");
    let (found, failed) = findings(&bed, &[]);
    assert!(failed && finding(&found, "file-problem", None)["client"] == "cursor");
}

#[test]
fn doctor_reads_settings_and_policies_as_the_supervisor_does() {
    let bed = Bed::new();
    bed.write(".defenter/policy.d/mine.cedar", "forbid (principal");
    let (found, failed) = findings(&bed, &[]);
    assert!(failed, "{found:?}");
    let one = finding(&found, "policy", None);
    assert!(one["message"].as_str().is_some_and(|it| it.contains("mine.cedar")), "{one}");
    let bed = bed.settings(json!({"proxy": {"max_line_byte": 1}}));
    let (found, failed) = findings(&bed, &[]);
    assert!(failed && finding(&found, "settings", None)["hint"].is_string(), "{found:?}");
}
