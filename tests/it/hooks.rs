//! The hooks of clients: the real program answers what clients say, with a supervisor and without.

use std::fs;
use std::io::Write;
use std::process::{Command, Output, Stdio};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::bed::{Bed, run, told};
use crate::client::Client;
use crate::dialog::{ALLOW, BLOCK, Display, on_displays};
use crate::endings::beds;
use crate::patience::{assert_eventually, eventually};
use crate::programs::{DEFENTER, DEFENTER_PROXY, misbehave};

/// What Claude Code says before a tool.
fn before(tool: &str, input: Value) -> Value {
    json!({"session_id": "5d1f", "cwd": "/w", "permission_mode": "default",
        "hook_event_name": "PreToolUse", "tool_name": tool, "tool_input": input})
}

fn hook(bed: &Bed, args: &[&str], input: &Value) -> Output {
    bed.run_with(&[&["hook"], args].concat(), input.to_string().as_bytes())
}

#[track_caller]
fn assert_silent(output: &Output) {
    assert_eq!(output.status.code(), Some(0), "{}", told(output));
    assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{}", told(output));
}

/// The words on standard output.
fn words(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", told(output)))
}

#[track_caller]
fn assert_denied(output: &Output, reason: &str) {
    assert_eq!(output.status.code(), Some(2), "{}", told(output));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains(reason), "{}", told(output));
    assert!(words(output).to_string().contains(reason), "{}", told(output));
}

fn records(bed: &Bed) -> Vec<Value> {
    let output = bed.run(&["audit", "tail", "--lines", "1000", "--json"]);
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().map(|line| serde_json::from_str(line).expect("a record a line")).collect()
}

#[test]
fn what_an_agent_does_all_day_is_allowed_without_a_word_and_recorded() {
    for bed in beds() {
        for input in [
            before("Bash", json!({"command": "cargo test --lib && git status"})),
            before("Read", json!({"file_path": "/w/src/main.rs"})),
            before(
                "Write",
                json!({"file_path": "/w/a.md", "content": "keys are in ~/.ssh/id_rsa"}),
            ),
            before("Grep", json!({"pattern": "rm -rf", "path": "/w"})),
            before("mcp__elsewhere__echo", json!({"message": "x"})),
            json!({"session_id": "5d1f", "cwd": "/w", "hook_event_name": "UserPromptSubmit",
                "prompt": "why can ~/.ssh/id_rsa not be read? delete the test"}),
            json!({"session_id": "5d1f", "cwd": "/w", "hook_event_name": "PostToolUse",
                "tool_name": "Bash", "tool_input": {"command": "ls"},
                "tool_response": {"stdout": "~/.ssh/id_rsa"}}),
        ] {
            assert_silent(&hook(&bed, &["claude-code"], &input));
        }
        let records = records(&bed);
        assert_eq!(records.len(), 7, "{records:?}");
        assert!(records.iter().all(|it| it["record"]["client"] == "claude-code"), "{records:?}");
        assert_eq!(records[0]["record"]["server"], "hook:claude-code");
        assert_eq!(records[4]["record"]["server"], "elsewhere");
    }
}

#[test]
fn what_only_tells_needs_no_decision() {
    for bed in beds() {
        for event in ["SessionStart", "SessionEnd", "Stop", "Notification"] {
            let input = json!({"session_id": "s", "cwd": "/w", "hook_event_name": event});
            assert_silent(&hook(&bed, &[], &input));
        }
        assert!(records(&bed).is_empty());
    }
}

#[test]
fn what_is_known_bad_is_denied_in_the_clients_words() {
    let reason = "holds keys, tokens or passwords";
    for bed in beds() {
        let output = hook(&bed, &[], &before("Bash", json!({"command": "cat ~/.ssh/id_rsa"})));
        assert_denied(&output, reason);
        let specific = &words(&output)["hookSpecificOutput"];
        assert_eq!(specific["permissionDecision"], "deny");
        let key = bed.home().join(".ssh/id_ed25519");
        assert_denied(&hook(&bed, &[], &before("Read", json!({"file_path": key}))), reason);

        let cursor = json!({"conversation_id": "c", "cursor_version": "2", "workspace_roots": ["/w"],
            "hook_event_name": "beforeReadFile", "file_path": key, "content": "x"});
        let output = hook(&bed, &["cursor"], &cursor);
        assert_denied(&output, reason);
        assert_eq!(words(&output)["permission"], "deny");

        let windsurf = json!({"agent_action_name": "pre_run_command", "trajectory_id": "t",
            "tool_info": {"command_line": "cat ~/.aws/credentials", "cwd": "/w"}});
        assert_denied(&hook(&bed, &["windsurf"], &windsurf), reason);

        let write =
            before("Edit", json!({"file_path": bed.home().join(".bashrc"), "new_string": "x"}));
        assert_denied(&hook(&bed, &["codex"], &write), "runs by itself");

        let q = json!({"hook_event_name": "preToolUse", "cwd": "/w", "tool_name": "fs_read",
            "tool_input": {"operations": [{"mode": "Line", "path": "/w/a"},
                {"mode": "Line", "path": "~/.ssh/id_rsa"}]}});
        assert_denied(&hook(&bed, &["amazon-q"], &q), reason);

        let crush = json!({"event": "PreToolUse", "session_id": "s", "cwd": "/w",
            "tool_name": "bash", "tool_input": {"command": "cat ~/.ssh/id_rsa"}});
        let output = hook(&bed, &["crush"], &crush);
        assert_denied(&output, reason);
        assert_eq!(words(&output)["decision"], "deny");

        let cline = json!({"hookName": "PreToolUse", "taskId": "t", "workspaceRoots": ["/w"],
            "preToolUse": {"toolName": "read_file", "parameters": {"path": "~/.ssh/id_rsa"}}});
        let output = hook(&bed, &["cline"], &cline);
        assert_eq!(output.status.code(), Some(0), "{}", told(&output));
        assert_eq!(words(&output)["cancel"], true);
    }
}

#[test]
fn a_client_that_can_ask_is_told_to_and_another_is_refused_where_nobody_can_be_asked() {
    let input = before("mcp__elsewhere__delete_file", json!({"path": "/w/a"}));
    for bed in beds() {
        let output = hook(&bed, &["claude-code"], &input);
        assert_eq!(output.status.code(), Some(0), "{}", told(&output));
        assert_eq!(words(&output)["hookSpecificOutput"]["permissionDecision"], "ask");
        assert_denied(&hook(&bed, &["codex"], &input), "cannot be undone");
        let records = records(&bed);
        assert_eq!(records[0]["record"]["answer"], "asked by the client");
        assert_eq!(records[1]["record"]["outcome"], "refused");
    }
}

#[test]
fn a_command_that_cannot_be_undone_is_asked_about() {
    for bed in beds() {
        for command in [json!("git status; rm -rf ~"), json!(["bash", "-lc", "rm -rf /"])] {
            let output = hook(&bed, &["claude-code"], &before("Bash", json!({"command": command})));
            let said = &words(&output)["hookSpecificOutput"];
            assert_eq!(said["permissionDecision"], "ask", "{}", told(&output));
        }
        let ordinary = before("Bash", json!({"command": "rm -rf target"}));
        assert_silent(&hook(&bed, &["claude-code"], &ordinary));
    }
}

#[test]
fn a_person_decides_where_the_client_does_not_ask() {
    let input = before("mcp__elsewhere__delete_file", json!({"path": "/w/a"}));
    on_displays(json!({}), |bed: &Bed, display: &Display| {
        for (button, code) in [(ALLOW, 0), (BLOCK, 2)] {
            let mut client = Client::start(bed.defenter(&["hook", "codex"]));
            client.send(input.to_string());
            let window = display.window();
            // A click is lost while the window is still being drawn.
            let ended = eventually(|| {
                if !client.has_ended() {
                    display.click(&window, button);
                }
                client.has_ended().then_some(())
            });
            assert!(ended.is_some(), "{}", client.stderr());
            assert_eq!(client.wait().code(), Some(code), "{}", client.stderr());
        }
    });
}

#[test]
fn what_is_no_hook_event_is_denied_with_the_reason() {
    for bed in beds() {
        for (input, reason) in [
            (&b""[..], "nothing was said"),
            (b"allow", "no JSON object"),
            (b"[]", "no JSON object"),
            (b"{\"hook_event_name\":\"PreToolUse\"", "ends before"),
            (b"{\"hook_event_name\":}", "not valid JSON"),
            (b"{\"a\":\"\xff\"}", "no JSON object"),
            (b"{\"hello\":1}", "known client"),
        ] {
            assert_denied(&bed.run_with(&["hook"], input), reason);
        }
        let big = before("Bash", json!({"command": "x".repeat(1 << 20)}));
        assert_denied(&hook(&bed, &["claude-code"], &big), "over the limit");
        let deep = format!("{{\"a\":{}", "[".repeat(1000));
        assert_denied(&bed.run_with(&["hook"], deep.as_bytes()), "nested too deeply");
    }
}

#[test]
fn an_input_that_is_never_closed_is_answered_and_one_that_never_ends_is_denied() {
    for bed in beds() {
        let mut client = Client::start(bed.defenter(&["hook"]));
        client.send(before("Bash", json!({"command": "cat ~/.ssh/id_rsa"})).to_string());
        assert_eq!(client.wait().code(), Some(2), "{}", client.stderr());
    }
    let bed = Bed::new();
    let mut client = Client::start(bed.defenter(&["hook"]));
    client.send(r#"{"hook_event_name":"#);
    assert_eq!(client.wait().code(), Some(2));
    assert!(client.stderr().contains("did not come within 5 s"), "{}", client.stderr());
}

#[test]
fn a_call_that_the_proxy_sees_is_left_to_it() {
    let bed = Bed::new().up();
    let server = misbehave();
    let proxy = ["proxy", "--name", "my files", "--client", "claude-code", "--", &server, "serve"];
    let mut client = Client::start(bed.defenter(&proxy));
    client.handshake();
    let calls = || records(&bed).iter().filter(|it| it["record"]["method"] == "tools/call").count();
    let call = |name: &str| before(&format!("mcp__{name}__delete_file"), json!({"path": "a"}));
    assert_silent(&hook(&bed, &["claude-code"], &call("my_files")));
    let after = json!({"hook_event_name": "PostToolUse", "session_id": "s", "tool_input": {},
        "tool_name": "mcp__my_files__delete_file", "tool_response": "done"});
    assert_silent(&hook(&bed, &["claude-code"], &after));
    assert_eq!(calls(), 0, "the proxy counts it");
    // Another server, and another client's server of the same name, nobody else sees.
    assert!(!hook(&bed, &["claude-code"], &call("files")).stdout.is_empty());
    assert!(!hook(&bed, &["qwen-code"], &call("my_files")).stdout.is_empty());
    assert_eq!(calls(), 2);
    assert_eq!(client.finish(), Some(0));
}

#[test]
fn settings_that_cannot_be_used_deny() {
    let bed = Bed::new().settings(json!({"no_such_key": 1}));
    assert_denied(&hook(&bed, &[], &before("Bash", json!({"command": "ls"}))), "no_such_key");
}

#[test]
fn no_secret_of_an_event_is_kept_or_said() {
    let token = ["glp", "at-", "x7Kq9Zr2Tf5Wm8Vb3Lc1"].concat();
    for bed in beds() {
        let input = json!({"session_id": token, "cwd": format!("/w/{token}"),
            "hook_event_name": "PreToolUse", "tool_name": format!("mcp__{token}__delete_{token}"),
            "tool_input": {"path": token}});
        let output = hook(&bed, &[], &input);
        assert!(!told(&output).contains(&token), "{}", told(&output));
        for entry in fs::read_dir(bed.home().join(".defenter/audit")).expect("a record").flatten() {
            let text = fs::read(entry.path()).unwrap_or_default();
            assert!(!String::from_utf8_lossy(&text).contains(&token), "{:?}", entry.path());
        }
    }
}

#[test]
fn the_old_way_to_be_called_is_understood() {
    for bed in beds() {
        let mut command = bed.command(DEFENTER_PROXY);
        command.args(["--ide-tool", "--ide", "cursor", "--context", "ide"]);
        let input = json!({"conversation_id": "c", "hook_event_name": "beforeSubmitPrompt",
            "prompt": "hello"});
        let output = run(command, input.to_string().as_bytes());
        assert_eq!(output.status.code(), Some(0), "{}", told(&output));
        assert_eq!(words(&output), json!({"continue": true}));
    }
}

#[test]
fn an_answer_that_nobody_reads_is_no_allow() {
    let bed = Bed::new();
    let input = json!({"conversation_id": "c", "hook_event_name": "beforeShellExecution",
        "command": "cat ~/.ssh/id_rsa", "cwd": "/w"});
    let mut command: Command = bed.defenter(&["hook"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("it starts");
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(input.to_string().as_bytes()).expect("it reads");
    assert_eq!(child.wait().expect("it ends").code(), Some(2));
}

#[test]
fn hooks_are_written_work_and_are_gone_again() {
    let settings = "{\n  // mine\n  \"model\": \"opus\",\n  \"hooks\": {\"Stop\": [{\"hooks\": [{\"type\": \"command\", \"command\": \"true\"}]}]}\n}\n";
    let bed = Bed::new();
    let claude = bed.write(".claude/settings.json", settings);
    let cursor = bed.home().join(".cursor/hooks.json");
    fs::create_dir_all(cursor.parent().expect("a folder")).expect("a client");
    let state = |bed: &Bed, client: &str| {
        let status = bed.json(&["status", "--json"]);
        let all = status["hooks"].as_array().expect("a list").clone();
        all.into_iter().find(|hook| hook["client"] == client).expect("a client on the machine")
    };
    assert_eq!(state(&bed, "claude-code")["installed"], 0);

    let shown = bed.run(&["install", "--hooks", "--dry-run"]);
    assert!(String::from_utf8_lossy(&shown.stdout).contains("PreToolUse"), "{}", told(&shown));
    assert_eq!(fs::read_to_string(&claude).expect("it is there"), settings);
    assert_eq!(bed.run(&["install", "--hooks"]).status.code(), Some(2), "nobody agreed");

    let done = bed.run(&["install", "--hooks", "--yes"]);
    assert_eq!(done.status.code(), Some(0), "{}", told(&done));
    assert_eq!(bed.run(&["install", "--hooks", "--yes"]).status.code(), Some(3));
    for client in ["claude-code", "cursor"] {
        let hooks = state(&bed, client);
        assert_eq!(hooks["installed"], hooks["events"], "{hooks}");
        assert_eq!(hooks["fails_closed"], true);
    }
    let text = fs::read_to_string(&claude).expect("it is there");
    assert!(text.contains("// mine") && text.contains("\"true\""), "{text}");
    let written: Value =
        serde_json::from_slice(&fs::read(&cursor).expect("it was written")).expect("JSON");
    let line = written["hooks"]["beforeShellExecution"][0]["command"].as_str().expect("a command");
    let mut command = bed.command("/bin/sh");
    command.args(["-c", line]);
    let input = json!({"conversation_id": "c", "hook_event_name": "beforeShellExecution",
        "command": "cat ~/.ssh/id_rsa", "cwd": "/w"});
    assert_denied(&run(command, input.to_string().as_bytes()), "holds keys");

    // To give the servers back is to give everything back.
    let gone = bed.run(&["uninstall", "--yes"]);
    assert_eq!(gone.status.code(), Some(0), "{}", told(&gone));
    assert_eq!(fs::read_to_string(&claude).expect("it is there"), settings);
    assert!(!cursor.exists());
    assert_eq!(bed.run(&["uninstall", "--hooks", "--yes"]).status.code(), Some(3));
}

#[test]
fn a_question_is_closed_when_its_hook_is_given_up() {
    let input = before("mcp__elsewhere__delete_file", json!({"path": "/w/a"}));
    on_displays(json!({}), |bed: &Bed, display: &Display| {
        let mut client = Client::start(bed.defenter(&["hook", "codex"]));
        client.send(input.to_string());
        display.window();
        client.signal(Signal::KILL);
        client.wait();
        assert_eventually!(!display.has_window());
    });
}

#[test]
fn a_server_that_cursor_starts_through_us_is_left_to_the_proxy() {
    let call = |command: &str| {
        json!({"conversation_id": "c", "hook_event_name": "beforeMCPExecution",
            "tool_name": "delete_file", "tool_input": "{\"path\":\"a\"}", "command": command})
    };
    for bed in beds() {
        let ours = format!("{DEFENTER} proxy --name files --client cursor -- files-server");
        let output = hook(&bed, &["cursor"], &call(&ours));
        assert_eq!(words(&output), json!({"permission": "allow"}));
        assert!(records(&bed).is_empty());
        for other in ["/tmp/defenter proxy -- x", &format!("{DEFENTER}2 proxy -- x"), "npx x"] {
            let output = hook(&bed, &["cursor"], &call(other));
            assert_eq!(words(&output)["permission"], "ask", "{other}");
        }
    }
}

/// The one JSON object that a command printed.
fn one_object(output: &Output) -> Value {
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 1, "{}", told(output));
    words(output)
}

#[test]
fn servers_and_hooks_are_changed_with_one_word_and_told_in_one_object() {
    let config = json!({"mcpServers": {"one": {"command": misbehave(), "args": ["serve"]}}});
    let bed = Bed::new();
    let servers = bed.write(".cursor/mcp.json", config.to_string());
    let hooks = bed.home().join(".cursor/hooks.json");
    bed.write(
        ".config/zed/settings.json",
        "{\"context_servers\": {\"z\": {\"command\": \"x\", \"args\": []}}}",
    );

    let shown = one_object(&bed.run(&["install", "--hooks", "--dry-run", "--json"]));
    let named = shown["planned"].to_string();
    assert!(named.contains("\"one\"") && named.contains("\"z\""), "{shown}");
    assert_eq!(shown["hooks"]["planned"][0]["client"], "cursor", "{shown}");
    assert_eq!(shown["applied"], json!([]), "{shown}");
    let left = &shown["hooks"]["skipped"][0];
    assert_eq!(left["client"], "zed", "{shown}");
    assert!(left["reason"].as_str().is_some_and(|why| why.starts_with("it has none")), "{shown}");
    assert!(!hooks.exists());

    let done = one_object(&bed.run(&["install", "--hooks", "--yes", "--json"]));
    assert!(done["applied"].to_string().contains("\"one\""), "{done}");
    assert_eq!(done["hooks"]["applied"], json!([{"client": "cursor", "file": hooks}]), "{done}");
    assert!(done["by_hand"].as_array().is_some_and(|notes| !notes.is_empty()), "{done}");

    let gone = one_object(&bed.run(&["uninstall", "--yes", "--json"]));
    assert!(gone["applied"].to_string().contains("\"one\""), "{gone}");
    assert_eq!(gone["hooks"]["applied"][0]["client"], "cursor", "{gone}");
    assert_eq!(fs::read_to_string(&servers).expect("it is there"), config.to_string());
    assert!(!hooks.exists());
    let nothing = bed.run(&["uninstall", "--yes", "--json"]);
    assert_eq!((nothing.status.code(), &one_object(&nothing)["planned"]), (Some(3), &json!([])));
}

#[test]
fn single_servers_are_given_back_and_hooks_alone() {
    let config = json!({"mcpServers": {"one": {"command": misbehave()}}}).to_string();
    let bed = Bed::new();
    let servers = bed.write(".cursor/mcp.json", &config);
    let hooks = bed.home().join(".cursor/hooks.json");
    assert!(bed.run(&["install", "--hooks", "--yes"]).status.success());
    let wrapped = fs::read_to_string(&servers).expect("it is there");
    assert!(bed.run(&["uninstall", "--hooks", "--yes"]).status.success());
    assert!(!hooks.exists());
    assert_eq!(fs::read_to_string(&servers).expect("it is there"), wrapped);
    assert!(bed.run(&["install", "--hooks", "--yes"]).status.success());
    assert!(bed.run(&["uninstall", "--server", "one", "--yes"]).status.success());
    assert_eq!(fs::read_to_string(&servers).expect("it is there"), config);
    assert!(hooks.exists());
}

#[test]
fn codex_is_told_to_trust_what_was_written() {
    let bed = Bed::new();
    let config = "model = \"x\"\n";
    let path = bed.write(".codex/config.toml", config);
    let done = bed.run(&["install", "--hooks", "--yes"]);
    assert!(done.status.success(), "{}", told(&done));
    assert!(told(&done).contains("config.toml (codex, so that it runs them)"), "{}", told(&done));
    let text = fs::read_to_string(&path).expect("it is there");
    let key = bed.home().join(".codex/hooks.json:user_prompt_submit:0:0");
    assert!(text.contains(&format!("[hooks.state.\"{}\"]", key.display())), "{text}");
    let page = told(&bed.run(&["status"]));
    assert!(!page.contains("not trusted"), "{page}");
    fs::write(&path, config).expect("written");
    let page = told(&bed.run(&["status"]));
    assert!(page.contains("3 of 3, not trusted"), "{page}");
    assert!(bed.run(&["install", "--hooks", "--yes"]).status.success());
    assert_eq!(fs::read_to_string(&path).expect("it is there"), text);
    assert!(bed.run(&["uninstall", "--yes"]).status.success());
    assert_eq!(fs::read_to_string(&path).expect("it is there"), config);
    assert!(!bed.home().join(".codex/hooks.json").exists());
}

#[test]
fn a_script_for_cline_answers_as_the_hook_does() {
    let bed = Bed::new();
    let folder = bed.home().join("Documents/Cline");
    fs::create_dir_all(&folder).expect("a folder");
    assert!(bed.run(&["install", "--hooks", "--yes"]).status.success());
    let input = json!({"hookName": "PreToolUse", "taskId": "t", "workspaceRoots": ["/w"],
        "preToolUse": {"toolName": "read_file", "parameters": {"path": "~/.ssh/id_rsa"}}});
    let output = run(bed.command(folder.join("Hooks/PreToolUse")), input.to_string().as_bytes());
    assert_eq!(words(&output)["cancel"], true, "{}", told(&output));
    assert!(bed.run(&["uninstall", "--yes"]).status.success());
    assert_eq!(fs::read_dir(&folder).expect("a folder").count(), 0);
}

#[test]
fn the_plugin_for_opencode_lets_through_what_is_allowed_and_throws_at_the_rest() {
    let bed = Bed::new();
    for client in ["opencode", "kilo"] {
        fs::create_dir_all(bed.home().join(format!(".config/{client}"))).expect("a folder");
    }
    assert!(bed.run(&["install", "--hooks", "--yes"]).status.success());
    for client in ["opencode", "kilo"] {
        let plugin = bed.home().join(format!(".config/{client}/plugins/defenter.js"));
        let call = bed.write(
            "call.mjs",
            format!(
                r#"import {{ readFileSync }} from "node:fs";
                   const text = readFileSync({plugin:?}, "utf8");
                   const module = await import("data:text/javascript," + encodeURIComponent(text));
                   const hooks = await module.Defenter({{ directory: "/w" }});
                   const tell = async (name, ...given) => {{
                     try {{ await hooks[name](...given); console.log("allowed"); }}
                     catch (error) {{ console.log("denied: " + JSON.stringify(error.message)); }}
                   }};
                   const input = (tool, args) => ({{ tool, sessionID: "s", callID: "c", args }});
                   await tell("tool.execute.before", input("bash"), {{ args: {{ command: "ls" }} }});
                   await tell("tool.execute.before", input("read"), {{ args: {{ filePath: "~/.ssh/id_rsa" }} }});
                   await tell("tool.execute.after", input("x_echo", {{}}), {{ content: [{{ type: "text", text: "hi" }}, {{ type: "image", data: "x".repeat(4e6) }}] }});
                   await tell("tool.execute.after", input("bash", {{}}), {{ title: "", output: "hi", metadata: {{}} }});
                "#
            ),
        );
        let mut command = bed.command(crate::programs::system("node"));
        command.arg(&call);
        let output = run(command, b"");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines.len(), 4, "{}", told(&output));
        assert!(lines[1].starts_with("denied: ") && lines[1].contains("holds keys"), "{lines:?}");
        assert_eq!([lines[0], lines[2], lines[3]], ["allowed"; 3], "{}", told(&output));
        assert!(records(&bed).iter().all(|it| it["record"]["client"] == client), "{client}");
        fs::remove_dir_all(bed.home().join(".defenter/audit")).expect("a record");
    }
    assert!(bed.run(&["uninstall", "--yes"]).status.success());
    assert!(!bed.home().join(".config/opencode/plugins").exists());
}

#[test]
fn servers_and_hooks_in_one_file_are_changed_together_and_given_back_to_the_byte() {
    let program = misbehave();
    let gemini = format!(
        "{{\n  // mine\n  \"mcpServers\": {{\n    \"one\": {{ \"command\": \"{program}\", \"args\": [\"serve\"] }}\n  }}\n}}"
    );
    let codex = format!("model = \"x\"\n\n[mcp_servers.one]\ncommand = \"{program}\" # why");
    let bed = Bed::new();
    let files = [
        (bed.write(".gemini/settings.json", &gemini), gemini),
        (bed.write(".codex/config.toml", &codex), codex),
    ];
    let done = one_object(&bed.run(&["install", "--hooks", "--yes", "--json"]));
    assert_eq!(done["applied"].as_array().map(Vec::len), Some(2), "{done}");
    assert_eq!(done["hooks"]["applied"].as_array().map(Vec::len), Some(3), "{done}");
    assert!(!done.to_string().contains("\"error\""), "{done}");
    for (path, _) in &files {
        let text = fs::read_to_string(path).expect("it is there");
        assert!(text.contains(DEFENTER), "{text}");
        assert!(text.contains("BeforeTool") || text.contains("trusted_hash"), "{text}");
    }
    assert_eq!(bed.run(&["install", "--hooks", "--yes"]).status.code(), Some(3));
    let gone = bed.run(&["uninstall", "--yes"]);
    assert_eq!(gone.status.code(), Some(0), "{}", told(&gone));
    for (path, text) in &files {
        assert_eq!(&fs::read_to_string(path).expect("it is there"), text);
    }
}
