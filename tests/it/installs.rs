//! `install` puts the program before every server that a client names, and `uninstall` gives back
//! the very bytes.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use crate::bed::{Bed, told};
use crate::client::Client;
use crate::programs::{DEFENTER, misbehave};

/// Exit code: there was nothing to do.
const NOTHING_TO_DO: i32 = 3;

/// The config files of one home, with what makes each of them hard to keep as it is.
struct Homes {
    bed: Bed,
    files: BTreeMap<PathBuf, Vec<u8>>,
}

/// A client's file, where an entry of it lies, and the client's id.
const ENTRIES: [(&str, &str, &str); 6] = [
    (".config/Claude/claude_desktop_config.json", "/mcpServers/desktop", "claude-desktop"),
    (".claude.json", "/mcpServers/user", "claude-code"),
    (".cursor/mcp.json", "/mcpServers/tabs", "cursor"),
    (".config/Code/User/mcp.json", "/servers/code", "vscode"),
    (".gemini/settings.json", "/mcpServers/gem", "gemini-cli"),
    ("project/.mcp.json", "/mcpServers/shared", "claude-code"),
];

/// A file that a project's people share gets the program's name; one of the user's own, its path.
fn command_in(file: &str) -> &'static str {
    if file.starts_with("project/") { "defenter" } else { DEFENTER }
}

impl Homes {
    fn new() -> Self {
        let bed = Bed::new();
        let program = misbehave();
        let project = bed.home().join("project");
        let files = [
            (
                // Strict JSON with carriage returns.
                ".config/Claude/claude_desktop_config.json",
                format!(
                    "{{\r\n  \"mcpServers\": {{\r\n    \"desktop\": {{\r\n      \"command\": \"{program}\",\r\n      \"args\": [\"serve\"],\r\n      \"env\": {{\"A\": \"1.50\"}}\r\n    }}\r\n  }},\r\n  \"other\": 1.50\r\n}}\r\n"
                ),
            ),
            (
                // A file that its client rewrites, with servers of two scopes.
                ".claude.json",
                format!(
                    "{{\n    \"numStartups\": 12,\n    \"mcpServers\": {{\n        \"user\": {{ \"type\": \"stdio\", \"command\": \"{program}\", \"args\": [ \"serve\", \"${{X:-d}}\" ] }},\n        \"remote\": {{ \"type\": \"http\", \"url\": \"https://localhost/mcp\" }}\n    }},\n    \"projects\": {{\n        \"{0}\": {{ \"mcpServers\": {{ \"local\": {{ \"command\": \"{program}\", \"args\": [\"serve\"] }} }} }}\n    }}\n}}\n",
                    project.display()
                ),
            ),
            (
                // Tabs, an odd order of keys, and no last newline.
                ".cursor/mcp.json",
                format!(
                    "{{\"mcpServers\":{{\n\t\"tabs\":{{\"args\":[\"serve\"],\"command\":\"{program}\"}},\n\t\"bare\":{{\"command\":\"{program}\"}}}}}}"
                ),
            ),
            (
                // A byte order mark, comments and commas that strict parsers refuse.
                ".config/Code/User/mcp.json",
                format!(
                    "\u{feff}// servers\n{{\n  /* one */ \"servers\": {{\n    \"code\": {{\n      \"command\": \"{program}\", // a comment\n      \"args\": [\"serve\",],\n    }},\n  }},\n  \"inputs\": [],\n}}\n"
                ),
            ),
            (
                ".gemini/settings.json",
                format!(
                    "{{\n  // theme\n  \"theme\": \"x\",\n  \"mcpServers\": {{ \"gem\": {{ \"command\": \"{program}\", \"args\": [\"serve\"], \"trust\": false }} }}\n}}\n"
                ),
            ),
            (
                "project/.mcp.json",
                format!(
                    "{{\"mcpServers\": {{\"shared\": {{\"command\": \"{program}\", \"args\": [\"serve\"]}}}}}}\n"
                ),
            ),
            (
                ".codex/config.toml",
                format!(
                    "# my settings\nmodel = \"x\"\n\n[mcp_servers.codex] # the one\ncommand = \"{program}\"\nargs = [\n  \"serve\", # a comment\n]\nenv = {{ A = \"1\" }}\n\n[mcp_servers.far]\nurl = \"https://localhost/mcp\"\n"
                ),
            ),
        ];
        let files = files
            .into_iter()
            .map(|(path, text)| (bed.write(path, &text), text.into_bytes()))
            .collect();
        Self { bed, files }
    }

    fn install(&self, more: &[&str]) -> std::process::Output {
        let project = self.bed.home().join("project").display().to_string();
        self.bed.run(&[&["install", "--yes", "--project", &project], more].concat())
    }

    fn uninstall(&self) -> std::process::Output {
        let project = self.bed.home().join("project").display().to_string();
        self.bed.run(&["uninstall", "--yes", "--project", &project])
    }

    fn assert_untouched(&self) {
        for (path, bytes) in &self.files {
            assert_same_bytes(path, bytes);
        }
    }

    fn entry(&self, file: &str, pointer: &str) -> Value {
        let text = fs::read_to_string(self.bed.home().join(file)).expect("a config");
        let entry = parse_loose(&text).pointer(pointer).cloned();
        entry.unwrap_or_else(|| panic!("no {pointer} in {text}"))
    }
}

#[test]
fn install_wraps_every_local_server_and_uninstall_gives_back_the_bytes() {
    let homes = Homes::new();
    let output = homes.install(&[]);
    assert!(output.status.success(), "{}", told(&output));
    for (file, pointer, client) in ENTRIES {
        let entry = homes.entry(file, pointer);
        let name = pointer.rsplit('/').next().expect("a name");
        assert_eq!(entry["command"], command_in(file), "{entry}");
        let args: Vec<&str> =
            entry["args"].as_array().expect("args").iter().filter_map(Value::as_str).collect();
        let head = ["proxy", "--name", name, "--client", client, "--", &misbehave(), "serve"];
        assert_eq!(args[..head.len()], head, "{entry}");
    }
    let claude = homes.entry(".claude.json", "/mcpServers");
    assert_eq!(claude["remote"], json!({"type": "http", "url": "https://localhost/mcp"}));
    assert_eq!(claude["user"]["args"].as_array().expect("args").last(), Some(&"${X:-d}".into()));
    let codex = fs::read_to_string(homes.bed.home().join(".codex/config.toml")).expect("a config");
    let codex: toml_edit::DocumentMut = codex.parse().expect("it is TOML");
    assert_eq!(codex["mcp_servers"]["codex"]["command"].as_str(), Some(DEFENTER));
    assert_eq!(codex["mcp_servers"]["far"]["url"].as_str(), Some("https://localhost/mcp"));

    let output = homes.uninstall();
    assert!(output.status.success(), "{}", told(&output));
    homes.assert_untouched();
}

#[test]
fn install_and_uninstall_do_nothing_twice() {
    let homes = Homes::new();
    assert!(homes.install(&[]).status.success());
    let after: Vec<_> = homes.files.keys().map(|path| fs::read(path).expect("a config")).collect();
    let again = homes.install(&[]);
    assert_eq!(again.status.code(), Some(NOTHING_TO_DO), "{}", told(&again));
    for (path, bytes) in homes.files.keys().zip(&after) {
        assert_same_bytes(path, bytes);
    }
    assert!(homes.uninstall().status.success());
    let again = homes.uninstall();
    assert_eq!(again.status.code(), Some(NOTHING_TO_DO), "{}", told(&again));
    homes.assert_untouched();
}

#[test]
fn a_dry_run_shows_a_diff_and_touches_nothing() {
    let homes = Homes::new();
    let output = homes.bed.run(&["install", "--dry-run"]);
    assert!(output.status.success(), "{}", told(&output));
    let text = String::from_utf8(output.stdout).expect("text");
    for part in ["--- ", "+++ ", "@@ ", DEFENTER, ".codex/config.toml", ".cursor/mcp.json"] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    homes.assert_untouched();
}

#[test]
fn install_can_be_held_to_one_client_or_server() {
    let homes = Homes::new();
    assert!(homes.install(&["--client", "cursor", "--server", "tabs"]).status.success());
    assert_eq!(homes.entry(".cursor/mcp.json", "/mcpServers/tabs")["command"], DEFENTER);
    assert_eq!(homes.entry(".cursor/mcp.json", "/mcpServers/bare")["command"], misbehave());
    for (path, bytes) in homes.files.iter().filter(|(path, _)| !path.ends_with(".cursor/mcp.json"))
    {
        assert_same_bytes(path, bytes);
    }
    assert!(homes.uninstall().status.success());
    homes.assert_untouched();
}

#[test]
fn what_a_client_wrote_since_is_kept() {
    let homes = Homes::new();
    assert!(homes.install(&[]).status.success());
    // The client reads, changes something of its own, and writes everything anew.
    let path = homes.bed.home().join(".claude.json");
    let mut value: Value =
        serde_json::from_slice(&fs::read(&path).expect("a config")).expect("it is JSON");
    value["numStartups"] = json!(13);
    value["mcpServers"]["added"] = json!({"command": "later", "args": []});
    fs::write(&path, serde_json::to_vec_pretty(&value).expect("JSON")).expect("a writable home");
    assert!(homes.uninstall().status.success());
    let after = homes.entry(".claude.json", "");
    let original: Value = serde_json::from_slice(&homes.files[&path]).expect("it is JSON");
    assert_eq!(after["numStartups"], 13);
    assert_eq!(after["mcpServers"]["added"], json!({"command": "later", "args": []}));
    assert_eq!(after["mcpServers"]["user"], original["mcpServers"]["user"]);
    assert_eq!(after["projects"], original["projects"]);
}

#[test]
fn links_and_modes_are_kept() {
    let homes = Homes::new();
    let link = homes.bed.home().join(".cursor/mcp.json");
    let target = homes.bed.home().join("dotfiles-mcp.json");
    fs::rename(&link, &target).expect("a writable home");
    symlink("../dotfiles-mcp.json", &link).expect("a writable home");
    fs::set_permissions(&target, fs::Permissions::from_mode(0o640)).expect("our file");
    let still = |text: &str| {
        assert!(fs::symlink_metadata(&link).expect("it is there").is_symlink(), "{text}");
        let mode = fs::metadata(&target).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o640, "{text}");
    };
    assert!(homes.install(&[]).status.success());
    assert_eq!(homes.entry("dotfiles-mcp.json", "/mcpServers/tabs")["command"], DEFENTER);
    still("after install");
    assert!(homes.uninstall().status.success());
    assert_same_bytes(&target, &homes.files[&link]);
    still("after uninstall");
}

#[test]
fn a_wrapped_entry_runs_as_its_client_runs_it() {
    let homes = Homes::new();
    assert!(homes.install(&[]).status.success());
    for (file, pointer, _) in ENTRIES {
        let entry = homes.entry(file, pointer);
        assert_eq!(entry["command"], command_in(file));
        let mut command: Command = homes.bed.command(DEFENTER);
        let args = entry["args"].as_array().expect("args").iter().filter_map(Value::as_str);
        // The odd last argument of one entry is for its client to expand.
        command.args(args.filter(|arg| !arg.contains('$')));
        let mut client = Client::start(command);
        assert_eq!(client.handshake()["result"]["serverInfo"]["name"], "misbehave");
        assert_eq!(client.tool("echo", json!({"message": file})), file);
        assert_eq!(client.finish(), Some(0));
    }
}

#[test]
fn a_config_that_cannot_be_read_is_reported_and_never_touched() {
    let homes = Homes::new();
    let malformed = "{\n  \"mcpServers\": {\n    \"a\": { \"command\": }\n  }\n}\n";
    let cases: [(&str, &str, &[&str]); 3] = [
        (".cursor/mcp.json", malformed, &["mcp.json", "3"]),
        (".config/Claude/claude_desktop_config.json", "", &[]),
        (".gemini/settings.json", "[1, 2", &["settings.json", "1"]),
    ];
    for (file, text, _) in cases {
        homes.bed.write(file, text);
    }
    let folder = homes.bed.home().join(".config/Code/User/mcp.json");
    fs::remove_file(&folder).expect("a writable home");
    fs::create_dir(&folder).expect("a writable home");
    let link = homes.bed.home().join(".codex/config.toml");
    fs::remove_file(&link).expect("a writable home");
    symlink("nowhere", &link).expect("a writable home");

    let output = homes.install(&[]);
    let text = told(&output);
    for (file, bytes, said) in cases {
        assert_same_bytes(&homes.bed.home().join(file), bytes.as_bytes());
        assert!(said.iter().all(|part| text.contains(part)), "{file}: {text}");
    }
    assert!(fs::symlink_metadata(&link).expect("it is there").is_symlink());
    assert!(!link.exists(), "nothing was made behind the link");
    assert!(folder.is_dir());
    assert_eq!(homes.entry(".claude.json", "/mcpServers/user")["command"], DEFENTER, "{text}");
    homes.uninstall();
    assert_eq!(homes.entry(".claude.json", "/mcpServers/user")["command"], misbehave());
}

#[test]
fn a_name_that_stands_twice_in_a_config_leaves_no_way_round() {
    let homes = Homes::new();
    let program = misbehave();
    let text = format!(
        "{{\"mcpServers\": {{\"twice\": {{\"command\": \"first\"}}, \"twice\": {{\"command\": \"{program}\", \"args\": [\"serve\"], \"command\": \"{program}\"}}}}}}\n"
    );
    let path = homes.bed.write(".cursor/mcp.json", &text);
    let output = homes.install(&["--client", "cursor"]);
    let after = fs::read_to_string(&path).expect("a config");
    if after == text {
        assert!(told(&output).contains("twice"), "refused without a word: {}", told(&output));
    } else {
        // What every client reads is the last of the two.
        let last: Value = serde_json::from_str(&after).expect("it is JSON");
        assert_eq!(last["mcpServers"]["twice"]["command"], DEFENTER, "{after}");
    }
    homes.uninstall();
    assert_same_bytes(&path, text.as_bytes());
}

#[test]
fn status_tells_what_is_protected() {
    let homes = Homes::new();
    assert!(homes.install(&["--client", "cursor"]).status.success());
    let output = homes.bed.run(&["status"]);
    let text = told(&output);
    assert!(text.contains("tabs") && text.contains("cursor"), "{text}");
}

fn assert_same_bytes(path: &std::path::Path, bytes: &[u8]) {
    let found = fs::read(path).expect("a config");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert_eq!(text(&found), text(bytes), "{}", path.display());
}

/// Reads JSON as the most tolerant of the clients does.
fn parse_loose(text: &str) -> Value {
    let mut plain = String::new();
    let mut rest = text.trim_start_matches('\u{feff}');
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => string_length(rest),
            '/' if rest.starts_with("//") => {
                rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
                continue;
            }
            '/' if rest.starts_with("/*") => {
                rest = &rest[rest.find("*/").expect("a comment ends") + 2..];
                continue;
            }
            _ => first.len_utf8(),
        };
        if matches!(first, ']' | '}') {
            let kept = plain.trim_end().trim_end_matches(',').len();
            plain.truncate(kept);
        }
        plain.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    serde_json::from_str(&plain).unwrap_or_else(|error| panic!("{error} in {text}"))
}

fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (place, letter) in text.char_indices().skip(1) {
        match letter {
            '"' if !escaped => return place + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    panic!("a string does not end in {text}")
}

#[test]
fn the_loose_reader_reads_what_clients_read() {
    let text = "\u{feff}// c\n{ \"a\": [1, 2,], /* x */ \"b//\": \"\\\"/*\", }";
    assert_eq!(parse_loose(text), json!({"a": [1, 2], "b//": "\"/*"}));
}
