//! The other commands: what they print, and how they end.

use serde_json::{Value, json};

use crate::bed::{Bed, told};
use crate::endings::echo;
use crate::patience::assert_eventually;
use crate::programs::{misbehave, system};

/// Exit codes, as the documented table has them.
const USAGE: i32 = 2;
const CONFIG_INVALID: i32 = 5;
const NOT_RUNNING: i32 = 6;

#[test]
fn version_and_help_are_there() {
    let bed = Bed::new();
    for args in [&["--version"][..], &["--help"], &["proxy", "--help"], &["help", "install"]] {
        let output = bed.run(args);
        assert!(output.status.success(), "{args:?}: {}", told(&output));
        assert!(!output.stdout.is_empty() && output.stderr.is_empty(), "{}", told(&output));
    }
}

#[test]
fn a_wrong_command_line_is_said_to_be_one() {
    let bed = Bed::new();
    for args in [&[][..], &["frobnicate"], &["proxy", "--no-such-flag"], &["proxy", "--name", "x"]]
    {
        let output = bed.run(args);
        assert_eq!(output.status.code(), Some(USAGE), "{args:?}: {}", told(&output));
        assert!(!output.stderr.is_empty(), "{args:?}: {}", told(&output));
    }
}

#[test]
fn what_needs_a_supervisor_says_that_none_runs() {
    let bed = Bed::new();
    for args in [&["restart", "x"][..], &["logs", "x"], &["down"]] {
        let output = bed.run(args);
        assert_eq!(output.status.code(), Some(NOT_RUNNING), "{args:?}: {}", told(&output));
        assert!(told(&output).contains("defenter up"), "a hint: {}", told(&output));
    }
}

#[test]
fn redact_replaces_secrets_and_keeps_the_rest() {
    let bed = Bed::new();
    let secret = ["glp", "at-", "x7Kq9Zr2Tf5Wm8Vb3Lc1"].concat();
    let text = format!("{{\"b\": 1.50, \"note\": \"use {secret} now\", \"a\": [1e2]}}\n");
    let output = bed.run_with(&["redact"], text.as_bytes());
    let shown = String::from_utf8(output.stdout.clone()).expect("text");
    assert_eq!(shown, text.replace(&secret, "[REDACTED-SECRET]"), "{}", told(&output));
    let output = bed.run_with(&["redact", "--findings", "--json"], text.as_bytes());
    let shown = told(&output);
    assert!(!shown.contains(&secret), "{shown}");
    let first = String::from_utf8(output.stdout).expect("text");
    let first: Value =
        serde_json::from_str(first.lines().next().expect("a finding")).expect("JSON");
    assert!(first.is_object(), "{first}");
}

#[test]
fn settings_are_shown_explained_and_described() {
    let bed = Bed::new().settings(json!({"dialog": {"timeout_s": 77}}));
    let shown = told(&bed.run(&["config", "show"]));
    assert!(shown.contains("timeout_s") && shown.contains("77"), "{shown}");
    let explained = told(&bed.run(&["config", "explain", "dialog.timeout_s"]));
    assert!(explained.contains("77") && explained.contains("config.json"), "{explained}");
    let schema = bed.json(&["config", "schema"]);
    assert!(schema["properties"]["proxy"].is_object(), "{schema}");
    let bed = bed.variable("DEFENTER_DIALOG_TIMEOUT_S", "78");
    let explained = told(&bed.run(&["config", "explain", "dialog.timeout_s"]));
    assert!(
        explained.contains("78") && explained.contains("DEFENTER_DIALOG_TIMEOUT_S"),
        "{explained}"
    );
}

#[test]
fn a_wrong_setting_is_an_error_with_its_place_and_a_suggestion() {
    let bed = Bed::new().settings(json!({"proxy": {"max_line_byte": 70_000}}));
    for args in [&["config", "show"][..], &["up"]] {
        let output = bed.run(args);
        let shown = told(&output);
        assert_eq!(output.status.code(), Some(CONFIG_INVALID), "{args:?}: {shown}");
        for part in ["max_line_byte", "max_line_bytes", "config.json:1:"] {
            assert!(shown.contains(part), "{part} is not in {shown}");
        }
    }
    // The proxy does not run unguarded with settings that nobody can read.
    let mut client = bed.proxy("echo", &[&misbehave(), "serve"]);
    client.close_input();
    assert!(!client.wait().success());
    client.assert_stderr("max_line_byte");
}

#[test]
fn a_wrong_policy_is_an_error_with_its_place() {
    let bed = Bed::new();
    bed.write(".defenter/policy.d/mine.cedar", "forbid (principal, action, resource)\nwhen {");
    for args in [&["config", "show"][..], &["up"]] {
        let output = bed.run(args);
        let shown = told(&output);
        assert_eq!(output.status.code(), Some(CONFIG_INVALID), "{args:?}: {shown}");
        assert!(shown.contains("mine.cedar"), "{args:?}: {shown}");
    }
}

#[test]
fn a_policy_of_the_users_own_is_obeyed() {
    for join in [false, true] {
        let bed = Bed::new();
        bed.write(
            ".defenter/policy.d/mine.cedar",
            "@id(\"no-raw\")\n@reason(\"raw is not for us\")\nforbid (principal, action, resource)\nwhen { context has tool && context.tool == \"raw\" };\n",
        );
        let bed = if join { bed.up() } else { bed };
        let mut client = echo(&bed, &[]);
        let id = client.ask_tool("raw", json!({}));
        let answer = client.answer(id);
        assert_eq!(answer["result"]["isError"], true, "{answer}");
        assert!(answer.to_string().contains("raw is not for us"), "{answer}");
        assert_eq!(client.tool("echo", json!({"message": "allowed"})), "allowed");
    }
}

#[test]
fn a_server_can_be_restarted_and_its_last_words_read() {
    let bed = Bed::new().up();
    let mut client = echo(&bed, &[]);
    client.tool("stderr", json!({"text": "a last word\n"}));
    assert_eventually!(told(&bed.run(&["logs", "echo"])).contains("a last word"));
    let before = client.tool("whoami", json!({}));
    let output = bed.run(&["restart", "echo"]);
    assert!(output.status.success(), "{}", told(&output));
    assert_eventually!(client.tool("whoami", json!({})) != before);
    assert_eq!(client.tool("echo", json!({"message": "alive"})), "alive");
    let unknown = bed.run(&["restart", "no-such-server"]);
    assert!(!unknown.status.success(), "{}", told(&unknown));
}

#[test]
fn a_server_that_fails_too_often_is_put_in_quarantine_and_comes_out_of_it() {
    let settings = json!({
        "restart": {"backoff_initial_ms": 1, "backoff_max_ms": 5, "intensity": 2},
        "log": {"server_stderr_lines": 2},
    });
    let bed = Bed::new().settings(settings).up();
    let flag = bed.path("works");
    let script = format!(
        "test -e {} && exec {} serve; printf 'too far back\nit is broken\nfor good\n' >&2; exit 3",
        flag.display(),
        misbehave()
    );
    let server = ["/bin/sh", "-c", &script];
    for _ in 0..4 {
        let mut client = bed.proxy("flaky", &server);
        client.ask("initialize", json!({"protocolVersion": "2025-11-25"}));
        assert_eq!(client.wait().code(), Some(3), "{}", client.stderr());
    }
    let state = || {
        let status = bed.json(&["status", "--json"]);
        let servers = status["servers"].as_array().expect("servers").clone();
        servers.into_iter().find(|server| server["name"] == "flaky").unwrap_or_default()
    };
    assert_eventually!(
        state()["quarantined"].as_str().is_some_and(|why| why.contains("it is broken")),
        "{}",
        state()
    );
    assert!(!state().to_string().contains("too far back"), "two lines: {}", state());
    // A new client session tries again.
    std::fs::write(&flag, "").expect("a writable bed");
    let mut client = bed.proxy("flaky", &server);
    assert_eq!(client.handshake()["result"]["serverInfo"]["name"], "misbehave");
    assert_eventually!(state()["quarantined"].is_null(), "{}", state());
}

#[test]
fn completions_are_written_for_shells() {
    let bed = Bed::new();
    for shell in ["bash", "zsh", "fish"] {
        let output = bed.run(&["completions", shell]);
        assert!(output.status.success(), "{}", told(&output));
        assert!(String::from_utf8_lossy(&output.stdout).contains("uninstall"));
    }
    let script = bed.run(&["completions", "bash"]).stdout;
    let checked = crate::bed::run(
        {
            let mut command = bed.command(system("bash"));
            command.arg("-n");
            command
        },
        &script,
    );
    assert!(checked.status.success(), "{}", told(&checked));
}
