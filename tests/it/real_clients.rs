//! Real clients that read a user's configs: what they list and call through the entries that
//! `install` wrote is what they list and call without it, and `uninstall` leaves no trace.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::bed::{Bed, run, told};
use crate::endings::beds;
use crate::programs::{DEFENTER, npm};

/// A config in which mcporter finds a server, and the server's name.
struct Config {
    path: &'static str,
    name: &'static str,
    text: String,
}

/// A server in the config of each client that mcporter reads, in that client's shape.
fn configs() -> Vec<Config> {
    let server = npm("mcp-server-everything");
    let plain = json!({"command": server, "args": []});
    let in_map = |key: &str, name: &str, entry: &Value| {
        let config = json!({key: {name: entry}, "unrelated": [1.50, null]});
        serde_json::to_string_pretty(&config).expect("it is JSON")
    };
    vec![
        Config {
            path: ".cursor/mcp.json",
            name: "of-cursor",
            text: in_map("mcpServers", "of-cursor", &plain),
        },
        Config {
            path: ".claude.json",
            name: "of-claude",
            text: in_map("mcpServers", "of-claude", &plain),
        },
        Config {
            path: ".codeium/windsurf/mcp_config.json",
            name: "of-windsurf",
            text: in_map("mcpServers", "of-windsurf", &plain),
        },
        Config {
            path: ".codex/config.toml",
            name: "of-codex",
            text: format!("# mine\n[mcp_servers.of-codex]\ncommand = \"{server}\" # theirs\n"),
        },
        Config {
            path: ".config/opencode/opencode.json",
            name: "of-opencode",
            text: in_map("mcp", "of-opencode", &json!({"type": "local", "command": [server]})),
        },
        Config {
            path: ".config/Code/User/mcp.json",
            name: "of-vscode",
            text: in_map("servers", "of-vscode", &json!({"type": "stdio", "command": server})),
        },
    ]
}

fn mcporter(bed: &Bed, args: &[&str]) -> Value {
    let mut command = bed.command(npm("mcporter"));
    command.args(args);
    let output = run(command, b"");
    assert!(output.status.success(), "{args:?}: {}", told(&output));
    // Behind its answer it may show what the server wrote on its standard error.
    let mut values = serde_json::Deserializer::from_slice(&output.stdout).into_iter();
    match values.next() {
        Some(Ok(answer)) => answer,
        other => panic!("{args:?}: {other:?}: {}", told(&output)),
    }
}

/// What mcporter lists of each server: name, state and tools; and how it starts them.
fn listed(bed: &Bed) -> (Vec<Value>, Vec<String>) {
    let list = mcporter(bed, &["list", "--json"]);
    let servers = list["servers"].as_array().expect("servers");
    let seen = servers.iter().map(|server| {
        json!({"name": server["name"], "status": server["status"], "tools": server["tools"]})
    });
    let mut seen: Vec<Value> = seen.collect();
    seen.sort_by_key(|server| server["name"].to_string());
    (seen, servers.iter().map(|server| server["transport"].to_string()).collect())
}

fn called(bed: &Bed, server: &str) -> Value {
    let tool = format!("{server}.echo");
    mcporter(bed, &["call", &tool, "message=hello there", "--output", "json"])
}

#[test]
fn mcporter_lists_and_calls_through_the_entries_of_six_clients() {
    let configs = configs();
    for bed in beds() {
        let write = |config: &Config| bed.write(config.path, &config.text);
        let paths: Vec<PathBuf> = configs.iter().map(write).collect();
        let (bare, _) = listed(&bed);
        assert_eq!(bare.len(), configs.len(), "{bare:?}");
        assert!(bare.iter().all(|server| server["status"] == "ok"), "{bare:?}");
        let bare_call = called(&bed, "of-cursor");

        let output = bed.run(&["install", "--yes"]);
        assert!(output.status.success(), "{}", told(&output));
        let (wrapped, transports) = listed(&bed);
        assert_eq!(wrapped, bare);
        for transport in transports {
            assert!(transport.contains(DEFENTER), "{transport}");
        }
        for name in ["of-cursor", "of-codex", "of-opencode"] {
            assert_eq!(called(&bed, name), bare_call, "{name}");
        }
        let record = bed.run(&["audit", "tail", "--lines", "10000", "--json"]);
        for config in &configs {
            let server = format!("\"server\":\"{}\"", config.name);
            assert!(told(&record).contains(&server), "nothing of {} is recorded", config.name);
        }

        let output = bed.run(&["uninstall", "--yes"]);
        assert!(output.status.success(), "{}", told(&output));
        for (path, config) in paths.iter().zip(&configs) {
            let now = fs::read_to_string(path).expect("a config");
            assert_eq!(now, config.text, "{}", config.path);
        }
    }
}

/// What Gemini CLI says of its servers; it starts each and waits for its answer.
fn gemini(bed: &Bed) -> String {
    let mut command = bed.command(npm("gemini"));
    command.args(["mcp", "list"]);
    let output = run(command, b"");
    assert!(output.status.success(), "{}", told(&output));
    told(&output)
}

#[test]
fn gemini_cli_connects_through_its_entry() {
    let server = npm("mcp-server-everything");
    let text = format!(
        "{{\n  // mine\n  \"privacy\": {{\"usageStatisticsEnabled\": false}},\n  \
         \"mcpServers\": {{\"everything\": {{\"command\": \"{server}\", \"timeout\": 30000}}}}\n}}\n"
    );
    for bed in beds() {
        let path = bed.write(".gemini/settings.json", &text);
        // It starts no server in a folder that it was not told to trust.
        let trusted = json!({bed.home().join("work").display().to_string(): "TRUST_FOLDER"});
        bed.write(".gemini/trustedFolders.json", trusted.to_string());
        let said = gemini(&bed);
        assert!(said.contains(&format!("everything: {server}")), "{said}");
        assert!(said.contains("Connected"), "{said}");

        let output = bed.run(&["install", "--yes"]);
        assert!(output.status.success(), "{}", told(&output));
        let said = gemini(&bed);
        assert!(said.contains(&format!("everything: {DEFENTER} proxy")), "{said}");
        assert!(said.contains("Connected"), "{said}");
        let record = told(&bed.run(&["audit", "tail"]));
        assert!(record.contains("gemini-cli -> everything"), "{record}");

        let output = bed.run(&["uninstall", "--yes"]);
        assert!(output.status.success(), "{}", told(&output));
        assert_eq!(fs::read_to_string(path).expect("a config"), text);
    }
}
