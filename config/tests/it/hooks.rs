//! Hooks, written into the trees and taken out again.

use std::path::PathBuf;

use defenter_config::hooks::{HookJournal, HookPlan, hook_status, systems};
use defenter_config::{Host, Os};
use serde_json::Value;

use crate::trees::{Trees, scratch};

const PROGRAM: &str = "/opt/my defenter/defenter";

fn plan(host: &Host, journal: &HookJournal, install: bool) -> HookPlan {
    let plan = if install {
        HookPlan::install(host, &[], PROGRAM, journal)
    } else {
        HookPlan::uninstall(host, &[], journal)
    };
    plan.expect("a plan")
}

fn run(host: &Host, journal: &HookJournal, install: bool) -> Vec<PathBuf> {
    let plan = plan(host, journal, install);
    assert!(plan.skipped.is_empty(), "{:?}", plan.skipped);
    plan.apply(journal).expect("applied");
    plan.files.into_iter().map(|file| file.file).collect()
}

fn installed(host: &Host) -> (usize, usize) {
    let status = hook_status(host, PROGRAM);
    let sum = |count: fn(&_) -> usize| status.iter().map(count).sum();
    (
        sum(|status: &defenter_config::hooks::HookStatus| status.installed),
        sum(|status| status.events),
    )
}

#[test]
fn hooks_are_written_for_the_clients_that_are_there_and_taken_out_to_the_byte() {
    let trees = Trees::new();
    for tree in trees.each() {
        let state = scratch();
        let journal = HookJournal::new(state.path().join("hooks"));
        let host = tree.host();
        let original = tree.snapshot();
        assert_eq!(installed(&host).0, 0);

        let files = run(&host, &journal, true);
        let (there, events) = installed(&host);
        assert_eq!(there, events);
        assert_eq!(files.len(), hook_status(&host, PROGRAM).len());
        if tree.os == Os::Linux {
            assert_eq!(files.len(), systems().len(), "{files:?}");
        }
        assert!(plan(&host, &journal, true).is_empty(), "the second time changes nothing");

        run(&host, &journal, false);
        assert_eq!(installed(&host).0, 0);
        let found = tree.snapshot();
        let paths = |snapshot: &std::collections::BTreeMap<PathBuf, _>| {
            snapshot.keys().cloned().collect::<Vec<_>>()
        };
        assert_eq!(paths(&original), paths(&found));
        assert!(original == found, "a file is not as it was");
        assert!(plan(&host, &journal, false).is_empty());
    }
}

#[test]
fn other_hooks_and_what_changed_since_are_kept() {
    let trees = Trees::new();
    let tree = trees.tree(Os::Linux);
    let state = scratch();
    let journal = HookJournal::new(state.path().join("hooks"));
    let host = tree.host();
    let settings = tree.root.join("home/dev/.claude/settings.json");
    let original = std::fs::read_to_string(&settings).expect("text");
    run(&host, &journal, true);
    let text = std::fs::read_to_string(&settings).expect("text");
    assert!(text.contains("my-own-guard.sh"));
    let value: Value = serde_json::from_str(&text).expect("strict JSON");
    let hooks = &value["hooks"]["PreToolUse"];
    assert_eq!(hooks.as_array().expect("hooks").len(), 2);
    assert_eq!(hooks[1]["hooks"][0]["command"], "'/opt/my defenter/defenter' hook claude-code");
    assert_eq!(hooks[1]["hooks"][0]["onFailure"], "block");

    // The user changes a permission and adds a hook after ours.
    let changed = text
        .replace("Bash(git status:*)", "Bash(ls:*)")
        .replace("\"matcher\": \"Bash\"", "\"matcher\": \"Bash|Edit\"");
    assert_ne!(changed, text);
    std::fs::write(&settings, &changed).expect("written");
    run(&host, &journal, false);
    let expected = original
        .replace("Bash(git status:*)", "Bash(ls:*)")
        .replace("\"matcher\": \"Bash\"", "\"matcher\": \"Bash|Edit\"");
    assert_eq!(std::fs::read_to_string(&settings).expect("text"), expected);
}

#[test]
fn hooks_are_taken_out_when_the_records_are_lost_and_moved_when_the_program_moves() {
    let trees = Trees::new();
    let tree = trees.tree(Os::Linux);
    let state = scratch();
    let journal = HookJournal::new(state.path().join("hooks"));
    let host = tree.host();
    run(&host, &journal, true);
    let moved = HookPlan::install(&host, &[], "/new/defenter", &journal).expect("a plan");
    moved.apply(&journal).expect("applied");
    assert_eq!(installed(&host).0, 0);
    let status = hook_status(&host, "/new/defenter");
    assert!(status.iter().all(|status| status.installed == status.events));
    let cursor = tree.root.join("home/dev/.cursor/hooks.json");
    let text = std::fs::read_to_string(&cursor).expect("text");
    assert!(text.contains("audit.sh") && !text.contains("my defenter"));

    std::fs::remove_dir_all(state.path().join("hooks")).expect("the records are lost");
    run(&host, &journal, false);
    for system in systems() {
        if let Ok(text) = std::fs::read_to_string(system.path(&host)) {
            assert!(
                !text.contains("defenter\\\" hook") && !text.contains("defenter hook"),
                "{text}"
            );
        }
    }
    assert!(std::fs::read_to_string(&cursor).expect("text").contains("audit.sh"));
}

#[test]
fn a_malformed_file_is_left_alone_and_told() {
    let trees = Trees::new();
    let tree = trees.tree(Os::Linux);
    let state = scratch();
    let journal = HookJournal::new(state.path().join("hooks"));
    let host = tree.host();
    let file = tree.root.join("home/dev/.cursor/hooks.json");
    for text in ["{ \"hooks\": ", "{ \"hooks\": [] }", "[]"] {
        std::fs::write(&file, text).expect("written");
        let plan = plan(&host, &journal, true);
        let skipped: Vec<_> = plan.skipped.iter().map(|(client, _)| client.as_str()).collect();
        assert_eq!(skipped, ["cursor"], "{text}");
        assert_eq!(std::fs::read_to_string(&file).expect("text"), text);
    }
    let host = Host::new(Os::Linux, state.path(), host.env);
    assert!(plan(&host, &journal, true).is_empty(), "no client, no file");
}
