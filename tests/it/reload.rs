//! A changed config takes effect, and sessions of what did not change do not notice. (That it
//! does so within a second is tried on the watcher, where the time is the test's own.)

use std::fs;

use serde_json::{Value, json};

use crate::bed::Bed;
use crate::endings::echo;
use crate::patience::assert_eventually;
use crate::programs::misbehave;

fn config(names: &[&str]) -> String {
    let entry = |name: &&str| {
        ((*name).to_owned(), json!({"command": misbehave(), "args": ["serve"], "env": {"N": name}}))
    };
    let servers: serde_json::Map<String, Value> = names.iter().map(entry).collect();
    json!({"mcpServers": servers}).to_string()
}

/// The names of the servers that the supervisor knows.
fn known(bed: &Bed) -> Vec<String> {
    let status = bed.json(&["status", "--json"]);
    let servers = status["servers"].as_array().expect("servers").iter();
    let mut names: Vec<_> =
        servers.map(|server| server["name"].as_str().expect("a name").to_owned()).collect();
    names.sort();
    names
}

#[test]
fn added_and_removed_entries_take_effect_and_other_sessions_do_not_notice() {
    let bed = Bed::new();
    bed.write(".cursor/mcp.json", config(&["one", "two"]));
    let bed = bed.up();
    assert_eventually!(known(&bed) == ["one", "two"], "{:?}", known(&bed));
    let mut client = echo(&bed, &[]);
    let server = client.tool("whoami", json!({}));

    bed.write(".cursor/mcp.json", config(&["one", "three"]));
    let is_seen = || {
        let known = known(&bed);
        known.contains(&"three".to_owned()) && !known.contains(&"two".to_owned())
    };
    assert_eventually!(is_seen(), "{:?}", known(&bed));

    assert_eq!(client.tool("whoami", json!({})), server, "the same process answers");
    assert_eq!(client.tool("count", json!({})), "3");
}

#[test]
fn files_that_appear_vanish_or_are_replaced_are_seen() {
    let bed = Bed::new().up();
    assert_eventually!(known(&bed).is_empty(), "{:?}", known(&bed));
    // A folder and a file that were not there when the supervisor started.
    let path = bed.write(".cursor/mcp.json", config(&["fresh"]));
    assert_eventually!(known(&bed) == ["fresh"], "{:?}", known(&bed));
    // Editors write another file and rename it over the first.
    let beside = bed.write(".cursor/mcp.json.tmp", config(&["renamed"]));
    fs::rename(beside, &path).expect("a writable home");
    assert_eventually!(known(&bed) == ["renamed"], "{:?}", known(&bed));
    // A file that is broken for a moment loses nothing.
    fs::write(&path, "{ \"mcpServers\": {").expect("a writable home");
    fs::write(&path, config(&["renamed", "again"])).expect("a writable home");
    assert_eventually!(known(&bed) == ["again", "renamed"], "{:?}", known(&bed));
    fs::remove_file(&path).expect("a writable home");
    assert_eventually!(known(&bed).is_empty(), "{:?}", known(&bed));
}

#[test]
fn policies_that_cannot_be_used_are_told_and_the_last_good_ones_stay() {
    let bed = Bed::new();
    let rule = "@id(\"no-raw\")\n@reason(\"raw is not for us\")\nforbid (principal, action, resource)\n\
                when { context has tool && context.tool == \"raw\" };\n";
    bed.write(".defenter/policy.d/mine.cedar", rule);
    let bed = bed.up();
    let mut client = echo(&bed, &[]);
    bed.write(".defenter/policy.d/mine.cedar", "forbid (principal");
    let problems = || bed.json(&["status", "--json"])["problems"].to_string();
    assert_eventually!(problems().contains("mine.cedar"), "{}", problems());
    let id = client.ask_tool("raw", json!({}));
    assert_eq!(client.answer(id)["result"]["isError"], true);
    bed.write(".defenter/policy.d/mine.cedar", rule);
    assert_eventually!(problems() == "[]", "{}", problems());
}

#[test]
fn installing_while_the_supervisor_runs_is_no_change_of_what_it_guards() {
    let bed = Bed::new();
    bed.write(".cursor/mcp.json", config(&["one"]));
    let bed = bed.up();
    assert_eventually!(known(&bed) == ["one"], "{:?}", known(&bed));
    assert!(bed.run(&["install", "--yes"]).status.success());
    assert_eventually!(known(&bed) == ["one"], "{:?}", known(&bed));
    assert!(bed.run(&["uninstall", "--yes"]).status.success());
    assert_eventually!(known(&bed) == ["one"], "{:?}", known(&bed));
}
