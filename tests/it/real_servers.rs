//! Real servers, driven by real clients: what a client sees through the proxy is what it sees
//! without it.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::bed::{Bed, run, told};
use crate::endings::{beds, beds_with};
use crate::programs::{DEFENTER, DEFENTER_PROXY, file, npm, python, system};

/// A real server, and what clients do with it.
struct Real {
    name: &'static str,
    command: Vec<String>,
    plan: Value,
    /// The tools that the Inspector calls: name and arguments as `key=value`.
    inspected: Vec<(&'static str, Vec<String>)>,
}

/// The clients that carry out plans.
const DRIVERS: [Driver; 3] = [Driver::TypeScript, Driver::PythonAuto, Driver::PythonLegacy];

#[derive(Debug, Clone, Copy)]
enum Driver {
    /// The TypeScript SDK: opens with `initialize`.
    TypeScript,
    /// The Python SDK as it comes: opens with `server/discover`.
    PythonAuto,
    /// The Python SDK, held to the legacy era.
    PythonLegacy,
}

impl Driver {
    fn command(self, bed: &Bed, plan: &Value, server: &[String]) -> Command {
        let plan = plan.to_string();
        let (program, head) = match self {
            Self::TypeScript => (system("node"), vec![file("tests/servers/npm/client.mjs")]),
            Self::PythonAuto | Self::PythonLegacy => {
                let mode = if matches!(self, Self::PythonAuto) { "auto" } else { "legacy" };
                (python("python"), vec![file("tests/servers/python/client.py"), mode.to_owned()])
            }
        };
        let mut command = bed.command(program);
        command.args(head).arg(plan).args(server);
        command
    }

    fn drive(self, bed: &Bed, plan: &Value, server: &[String]) -> Value {
        let output = run(self.command(bed, plan, server), b"");
        assert!(output.status.success(), "{self:?} with {server:?}: {}", told(&output));
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{self:?} with {server:?}: {error}: {}", told(&output)))
    }
}

impl Real {
    fn everything() -> Self {
        let document = "demo://resource/static/document/architecture.md";
        let steps = json!({"duration": 0.2, "steps": 4});
        Self {
            name: "everything",
            command: vec![npm("mcp-server-everything")],
            plan: json!({
                "calls": [
                    {"name": "echo", "arguments": {"message": "grüße \u{1f600} \u{2028} \"q\""}},
                    {"name": "get-sum", "arguments": {"a": 1e300, "b": -0.5}},
                    {"name": "get-tiny-image", "arguments": {}},
                    {"name": "get-annotated-message",
                        "arguments": {"messageType": "error", "includeImage": true}},
                    {"name": "get-structured-content", "arguments": {"location": "Chicago"}},
                    {"name": "get-resource-links", "arguments": {"count": 3}},
                    {"name": "trigger-long-running-operation", "arguments": steps},
                    {"name": "no-such-tool", "arguments": {}},
                    {"name": "get-sum", "arguments": {"a": "not a number"}},
                ],
                "resources": [document, "demo://no/such/resource"],
                "prompts": [
                    {"name": "simple-prompt"},
                    {"name": "args-prompt", "arguments": {"city": "Zürich", "state": "ZH"}},
                ],
            }),
            inspected: vec![
                ("echo", vec!["message=hello there".into()]),
                ("get-tiny-image", vec![]),
            ],
        }
    }

    fn filesystem(bed: &Bed) -> Self {
        let folder = bed.home().join("work");
        let path = |name: &str| folder.join(name).display().to_string();
        Self {
            name: "filesystem",
            command: vec![npm("mcp-server-filesystem"), folder.display().to_string()],
            plan: json!({"calls": [
                {"name": "list_allowed_directories", "arguments": {}},
                {"name": "write_file", "arguments": {"path": path("a.txt"), "content": "one\ntwo\n"}},
                {"name": "read_text_file", "arguments": {"path": path("a.txt")}},
                {"name": "edit_file", "arguments": {
                    "path": path("a.txt"), "dryRun": true,
                    "edits": [{"oldText": "two", "newText": "three"}],
                }},
                {"name": "create_directory", "arguments": {"path": path("folder")}},
                {"name": "list_directory", "arguments": {"path": folder}},
                {"name": "directory_tree", "arguments": {"path": folder}},
                {"name": "search_files", "arguments": {"path": folder, "pattern": "*.txt"}},
                {"name": "read_text_file", "arguments": {"path": "/etc/hostname"}},
                {"name": "read_text_file", "arguments": {"path": path("missing")}},
            ]}),
            inspected: vec![("list_directory", vec![format!("path={}", folder.display())])],
        }
    }

    fn memory() -> Self {
        let entity = json!({"name": "Ada", "entityType": "person", "observations": ["counts"]});
        Self {
            name: "memory",
            command: vec![npm("mcp-server-memory")],
            plan: json!({"calls": [
                {"name": "create_entities", "arguments": {"entities": [entity]}},
                {"name": "add_observations", "arguments": {
                    "observations": [{"entityName": "Ada", "contents": ["writes"]}],
                }},
                {"name": "read_graph", "arguments": {}},
                {"name": "search_nodes", "arguments": {"query": "Ada"}},
                {"name": "open_nodes", "arguments": {"names": ["Ada", "Nobody"]}},
            ]}),
            inspected: vec![("read_graph", vec![])],
        }
    }

    fn git(bed: &Bed) -> Self {
        let folder = repository(bed);
        Self {
            name: "git",
            command: vec![python("mcp-server-git"), "--repository".into(), folder.clone()],
            plan: json!({"calls": [
                {"name": "git_status", "arguments": {"repo_path": folder}},
                {"name": "git_log", "arguments": {"repo_path": folder, "max_count": 5}},
                {"name": "git_show", "arguments": {"repo_path": folder, "revision": "HEAD"}},
                {"name": "git_diff_unstaged", "arguments": {"repo_path": folder}},
                {"name": "git_branch", "arguments": {"repo_path": folder, "branch_type": "local"}},
                {"name": "git_show", "arguments": {"repo_path": folder, "revision": "no-such"}},
                {"name": "git_status", "arguments": {"repo_path": "/nowhere"}},
            ]}),
            inspected: vec![("git_status", vec![format!("repo_path={folder}")])],
        }
    }

    fn time() -> Self {
        let convert = json!({
            "source_timezone": "Europe/Zurich", "time": "12:30", "target_timezone": "Asia/Tokyo",
        });
        Self {
            name: "time",
            command: vec![python("mcp-server-time"), "--local-timezone".into(), "UTC".into()],
            plan: json!({"calls": [
                {"name": "convert_time", "arguments": convert},
                {"name": "convert_time", "arguments": {"time": "25:61"}},
                {"name": "get_current_time", "arguments": {"timezone": "No/Where"}},
            ]}),
            inspected: vec![(
                "convert_time",
                ["source_timezone=Asia/Tokyo", "time=01:00", "target_timezone=UTC"]
                    .map(str::to_owned)
                    .to_vec(),
            )],
        }
    }

    /// The command that runs the server behind the proxy.
    fn wrapped(&self) -> Vec<String> {
        let head = [DEFENTER, "proxy", "--name", self.name, "--"].map(str::to_owned);
        [&head[..], &self.command[..]].concat()
    }

    /// Every driver sees the same, bare and wrapped.
    fn compare(&self, bed: &Bed) {
        for driver in DRIVERS {
            forget(bed);
            let bare = driver.drive(bed, &self.plan, &self.command);
            forget(bed);
            let wrapped = driver.drive(bed, &self.plan, &self.wrapped());
            assert_same(&bare, &wrapped, &format!("{} by {driver:?}", self.name));
            let calls = self.plan["calls"].as_array().expect("a plan has calls").len();
            assert!(bare["seen"].as_array().expect("steps").len() > calls, "{bare}");
        }
    }

    /// The Inspector sees the same, bare and wrapped.
    fn inspect(&self, bed: &Bed) {
        let entry = |command: Vec<String>| json!({"command": command[0], "args": command[1..]});
        let servers = json!({"mcpServers": {
            "bare": entry(self.command.clone()), "wrapped": entry(self.wrapped()),
        }});
        let config = bed.write("inspector.json", servers.to_string());
        let mut questions = vec![vec!["--method".to_owned(), "tools/list".to_owned()]];
        for (tool, arguments) in &self.inspected {
            let mut question =
                ["--method", "tools/call", "--tool-name", tool].map(str::to_owned).to_vec();
            for argument in arguments {
                question.extend(["--tool-arg".to_owned(), argument.clone()]);
            }
            questions.push(question);
        }
        for question in questions {
            let [bare, wrapped] = ["bare", "wrapped"].map(|server| {
                let mut command = bed.command(npm("mcp-inspector"));
                command
                    .env("MCP_INSPECTOR_SECRET_STORE", "memory")
                    .args(["--cli", "--config"])
                    .arg(&config)
                    .args(["--server", server])
                    .args(&question);
                let output = run(command, b"");
                assert!(output.status.success(), "{server} {question:?}: {}", told(&output));
                String::from_utf8(output.stdout).expect("text")
            });
            assert_eq!(bare, wrapped, "{} by the Inspector: {question:?}", self.name);
            assert!(!bare.trim().is_empty());
        }
    }
}

/// A bed in which the memory server writes its file below the home.
fn remembering(bed: Bed) -> Bed {
    let path = bed.home().join("memory.jsonl").display().to_string();
    bed.variable("MEMORY_FILE_PATH", path)
}

fn forget(bed: &Bed) {
    let _ = fs::remove_file(bed.home().join("memory.jsonl"));
}

/// A repository with one commit that is the same in every run, and a change that is not committed.
fn repository(bed: &Bed) -> String {
    let folder = bed.home().join("repository");
    fs::create_dir_all(&folder).expect("a writable home");
    let git = |args: &[&str]| {
        let mut command = bed.command(system("git"));
        let date = "2026-01-02T03:04:05Z";
        command.current_dir(&folder).args(["-c", "user.name=t", "-c", "user.email=t@localhost"]);
        command.args(args).env("GIT_AUTHOR_DATE", date).env("GIT_COMMITTER_DATE", date);
        let output = run(command, b"");
        assert!(output.status.success(), "git {args:?}: {}", told(&output));
    };
    git(&["init", "--quiet", "--initial-branch", "main"]);
    fs::write(folder.join("file"), "one\n").expect("a writable home");
    git(&["add", "file"]);
    git(&["commit", "--quiet", "--message", "first"]);
    fs::write(folder.join("file"), "two\n").expect("a writable home");
    folder.display().to_string()
}

/// Says which step differs, not only that one does.
fn assert_same(bare: &Value, wrapped: &Value, what: &str) {
    let steps = |side: &Value| side["seen"].as_array().cloned().unwrap_or_default();
    for (bare, wrapped) in steps(bare).iter().zip(steps(wrapped).iter()) {
        assert_eq!(bare, wrapped, "{what}: step {}", bare["step"]);
    }
    assert_eq!(steps(bare).len(), steps(wrapped).len(), "{what}");
    // The SDKs themselves drop a progress that comes with the answer, so only its order is sure.
    let reports = |side: &Value| side["progress"].as_array().cloned().unwrap_or_default();
    let (bare, wrapped) = (reports(bare), reports(wrapped));
    let both = bare.len().min(wrapped.len());
    assert_eq!(bare[..both], wrapped[..both], "{what}: progress");
    assert!(bare.len().abs_diff(wrapped.len()) <= 1, "{what}: {bare:?} and {wrapped:?}");
}

#[test]
fn everything_looks_the_same_to_the_sdks() {
    beds().for_each(|bed| Real::everything().compare(&bed));
}

#[test]
fn everything_looks_the_same_to_the_inspector() {
    beds().for_each(|bed| Real::everything().inspect(&bed));
}

#[test]
fn filesystem_looks_the_same() {
    for bed in beds() {
        let real = Real::filesystem(&bed);
        real.compare(&bed);
        real.inspect(&bed);
    }
}

#[test]
fn memory_looks_the_same() {
    for bed in beds().map(remembering) {
        let real = Real::memory();
        real.compare(&bed);
        real.inspect(&bed);
    }
}

#[test]
fn git_looks_the_same() {
    for bed in beds() {
        let real = Real::git(&bed);
        real.compare(&bed);
        real.inspect(&bed);
    }
}

#[test]
fn time_looks_the_same() {
    for bed in beds() {
        let real = Real::time();
        real.compare(&bed);
        real.inspect(&bed);
    }
}

#[test]
fn requests_of_a_real_server_reach_its_client() {
    for bed in beds_with(json!({"policy": {"preset": "observe"}})) {
        let real = Real {
            plan: json!({"calls": [
                {"name": "get-roots-list", "arguments": {}},
                {"name": "trigger-sampling-request", "arguments": {"prompt": "hi", "maxTokens": 5}},
            ]}),
            ..Real::everything()
        };
        let bare = Driver::TypeScript.drive(&bed, &real.plan, &real.command);
        let wrapped = Driver::TypeScript.drive(&bed, &real.plan, &real.wrapped());
        assert_same(&bare, &wrapped, "the server's own requests");
        assert!(bare.to_string().contains("sampled"), "{bare}");
    }
}

#[test]
fn the_old_name_and_the_old_flags_work() {
    let bed = Bed::new();
    let config = json!({"command": npm("mcp-server-memory"), "args": []}).to_string();
    let from_file = format!("@{}", bed.write("memory.json", &config).display());
    let nested = json!({"mcpServers": {"memory": {"command": npm("mcp-server-memory")}}});
    for (program, head) in [(DEFENTER_PROXY, None), (DEFENTER, Some("proxy"))] {
        for config in [&config, &from_file, &nested.to_string()] {
            let mut command: Vec<String> = vec![program.to_owned()];
            command.extend(head.map(str::to_owned));
            command.extend(["--name", "memory", "--wrapped-config", config].map(str::to_owned));
            let seen = Driver::TypeScript.drive(&bed, &json!({}), &command);
            assert_eq!(seen["seen"][0]["server"]["name"], "memory-server", "{seen}");
        }
    }
}
