//! Hooks, written into the trees and taken out again.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

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
    carry_out(&plan, journal);
    plan.files.into_iter().map(|file| file.file).collect()
}

fn carry_out(plan: &HookPlan, journal: &HookJournal) {
    for outcome in plan.apply(journal).expect("the records are free") {
        outcome.result.expect("applied");
    }
}

fn installed(host: &Host) -> (usize, usize) {
    let status = hook_status(host, PROGRAM);
    let sum = |count: fn(&_) -> usize| status.iter().map(count).sum();
    (
        sum(|status: &defenter_config::hooks::HookStatus| status.installed),
        sum(|status| status.events),
    )
}

/// What the trees of clients with servers lack of clients with hooks.
fn add_clients(host: &Host) {
    for folder in ["Documents/Cline", ".gemini/config", ".config/kilo", ".config/opencode"] {
        fs::create_dir_all(host.real(&format!("{}/{folder}", host.home_text()))).expect("a folder");
    }
    for (file, text) in [
        (
            ".aws/amazonq/cli-agents/hooked.json",
            "{\"name\":\"hooked\",\"hooks\":{\"preToolUse\":[{\"command\":\"true\"}]}}",
        ),
        (".kiro/agents/plain.json", "{\n  \"name\": \"plain\"\n}\n"),
        (".config/crush/crush.json", "{\n\t\"mcp\": {}, // none\n}\n"),
    ] {
        let path = host.real(&format!("{}/{file}", host.home_text()));
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        if !path.exists() {
            fs::write(path, text).expect("written");
        }
    }
}

fn folders(root: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("a folder").flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                open.push(entry.path());
                found.insert(entry.path());
            }
        }
    }
    found
}

#[test]
fn hooks_are_written_for_the_clients_that_are_there_and_taken_out_to_the_byte() {
    let trees = Trees::new();
    for tree in trees.each() {
        let state = scratch();
        let journal = HookJournal::new(state.path().join("hooks"));
        let host = tree.host();
        add_clients(&host);
        let original = tree.snapshot();
        let folders = folders(&tree.root);
        assert_eq!(installed(&host).0, 0);

        let files = run(&host, &journal, true);
        let (there, events) = installed(&host);
        assert_eq!(there, events);
        let statuses = hook_status(&host, PROGRAM);
        let configs = files.iter().filter(|file| file.ends_with("config.toml")).count();
        assert_eq!(files.len(), statuses.len() + configs);
        assert!(statuses.iter().all(|status| status.trusted != Some(false)), "{statuses:?}");
        if tree.os == Os::Linux {
            let clients: BTreeSet<_> = statuses.iter().map(|status| status.client).collect();
            let all: BTreeSet<_> = systems().iter().map(|system| system.client).collect();
            assert_eq!((clients, configs), (all, 1), "{files:?}");
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
        assert_eq!(self::folders(&tree.root), folders, "a folder is left behind");
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
    let original = fs::read_to_string(&settings).expect("text");
    run(&host, &journal, true);
    let text = fs::read_to_string(&settings).expect("text");
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
    fs::write(&settings, &changed).expect("written");
    run(&host, &journal, false);
    let expected = original
        .replace("Bash(git status:*)", "Bash(ls:*)")
        .replace("\"matcher\": \"Bash\"", "\"matcher\": \"Bash|Edit\"");
    assert_eq!(fs::read_to_string(&settings).expect("text"), expected);
}

#[test]
fn hooks_are_taken_out_when_the_records_are_lost_and_moved_when_the_program_moves() {
    let trees = Trees::new();
    let tree = trees.tree(Os::Linux);
    let state = scratch();
    let journal = HookJournal::new(state.path().join("hooks"));
    let host = tree.host();
    add_clients(&host);
    run(&host, &journal, true);
    let moved = HookPlan::install(&host, &[], "/new/defenter", &journal).expect("a plan");
    carry_out(&moved, &journal);
    assert_eq!(installed(&host).0, 0);
    let status = hook_status(&host, PROGRAM);
    assert!(status.iter().all(|status| status.stale == status.events), "{status:?}");
    let status = hook_status(&host, "/new/defenter");
    assert!(status.iter().all(|status| (status.installed, status.stale) == (status.events, 0)));
    let cursor = tree.root.join("home/dev/.cursor/hooks.json");
    let text = fs::read_to_string(&cursor).expect("text");
    assert!(text.contains("audit.sh") && !text.contains("my defenter"));

    fs::remove_dir_all(state.path().join("hooks")).expect("the records are lost");
    run(&host, &journal, false);
    for (path, (bytes, _)) in tree.snapshot() {
        let text = String::from_utf8_lossy(&bytes);
        let path = path.display();
        assert!(!text.contains("defenter\\\" hook") && !text.contains("defenter hook"), "{path}");
        assert!(!text.contains("trusted_hash") && !text.contains("install --hooks"), "{path}");
    }
    assert!(fs::read_to_string(&cursor).expect("text").contains("audit.sh"));
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
        fs::write(&file, text).expect("written");
        let plan = plan(&host, &journal, true);
        let skipped: Vec<_> = plan.skipped.iter().map(|(client, _)| client.as_str()).collect();
        assert_eq!(skipped, ["cursor"], "{text}");
        assert_eq!(fs::read_to_string(&file).expect("text"), text);
    }
    let host = Host::new(Os::Linux, state.path(), host.env);
    assert!(plan(&host, &journal, true).is_empty(), "no client, no file");
}

#[cfg(unix)]
#[test]
fn a_script_of_ours_is_executable_and_one_of_somebody_else_stays() {
    use std::os::unix::fs::PermissionsExt as _;
    let trees = Trees::new();
    let tree = trees.tree(Os::Linux);
    let state = scratch();
    let journal = HookJournal::new(state.path().join("hooks"));
    let host = tree.host();
    add_clients(&host);
    let folder = tree.root.join("home/dev/Documents/Cline/Hooks");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("PreToolUse"), "#!/bin/sh\ntrue\n").expect("written");
    let plan = plan(&host, &journal, true);
    let [(client, reason)] = &plan.skipped[..] else { panic!("{:?}", plan.skipped) };
    assert!(client.as_str() == "cline" && reason.contains("PreToolUse"), "{reason}");
    assert!(plan.by_hand.iter().any(|note| note.contains("Enable Hooks")), "{:?}", plan.by_hand);
    carry_out(&plan, &journal);
    let script = folder.join("UserPromptSubmit");
    let text = fs::read_to_string(&script).expect("text");
    assert!(text.ends_with("\nexec '/opt/my defenter/defenter' hook cline\n"), "{text}");
    let mode = fs::metadata(&script).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);

    // What was changed since is not ours to take away.
    fs::write(&script, format!("{text}# mine\n")).expect("written");
    let plan = self::plan(&host, &journal, false);
    let [(client, reason)] = &plan.skipped[..] else { panic!("{:?}", plan.skipped) };
    assert!(client.as_str() == "cline" && reason.contains("UserPromptSubmit"), "{reason}");
    carry_out(&plan, &journal);
    let left: Vec<_> = fs::read_dir(&folder).expect("a folder").flatten().collect();
    let left: BTreeSet<_> = left.iter().map(fs::DirEntry::file_name).collect();
    assert_eq!(left, BTreeSet::from(["PreToolUse".into(), "UserPromptSubmit".into()]));
}

#[test]
fn a_client_whose_hooks_have_no_place_is_told() {
    let trees = Trees::new();
    let tree = trees.tree(Os::Linux);
    let state = scratch();
    let journal = HookJournal::new(state.path().join("hooks"));
    let host = tree.host();
    let home = host.home_text();
    fs::create_dir_all(host.real(&format!("{home}/.aws/amazonq"))).expect("a folder");
    let _ = fs::remove_dir_all(host.real(&format!("{home}/.aws/amazonq/cli-agents")));
    let plan = plan(&host, &journal, true);
    assert!(plan.skipped.iter().any(|(client, reason)| {
        client.as_str() == "amazon-q" && reason.contains("q agent create")
    }));
}

#[test]
fn trust_that_cannot_be_written_is_left_to_the_user() {
    let trees = Trees::new();
    let tree = trees.tree(Os::Linux);
    let state = scratch();
    let journal = HookJournal::new(state.path().join("hooks"));
    let host = tree.host();
    let config = tree.root.join("home/dev/.codex/config.toml");
    for text in ["hooks = { state = {} }\n", "broken = \n"] {
        fs::write(&config, text).expect("written");
        let plan = plan(&host, &journal, true);
        assert!(plan.by_hand.iter().any(|note| note.starts_with("Codex: trust")), "{text}");
        assert!(plan.files.iter().all(|file| file.file != config), "{text}");
        carry_out(&plan, &journal);
        assert_eq!(fs::read_to_string(&config).expect("text"), text);
        let status = hook_status(&host, PROGRAM);
        let codex = status.iter().find(|status| status.client.as_str() == "codex");
        assert_ne!(codex.expect("on the machine").trusted, Some(true));
        run(&host, &journal, false);
    }
}
