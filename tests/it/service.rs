//! The supervisor in the background: `up --detach`, the one that a shim starts, and the service.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use rustix::process::{Pid, getpgid, getsid};
use serde_json::{Value, json};

use crate::bed::{Bed, told};
use crate::client::Client;
use crate::patience::{assert_eventually, eventually};
use crate::programs::{DEFENTER, misbehave, system};

/// Exit code: the settings are invalid.
const CONFIG_INVALID: i32 = 5;

/// The process of the supervisor that answers, where one does.
fn supervisor(bed: &Bed) -> Option<Pid> {
    let status: Value = serde_json::from_slice(&bed.run(&["status", "--json"]).stdout).ok()?;
    Pid::from_raw(i32::try_from(status["supervisor"]["pid"].as_i64()?).ok()?)
}

/// Stops the supervisor and asserts that nothing is left.
fn end(bed: &Bed) {
    let output = bed.run(&["down"]);
    assert!(output.status.success(), "{}", told(&output));
    bed.assert_empty();
}

/// An address on which somebody else listens.
fn taken() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    (listener, address)
}

/// How many sessions of the server that echoes the supervisor has.
fn sessions(bed: &Bed) -> usize {
    let status = bed.json(&["status", "--json"]);
    let servers = status["servers"].as_array().expect("servers").iter();
    let of_echo = servers.filter(|server| server["name"] == "echo");
    of_echo.map(|echo| echo["sessions"].as_array().map_or(0, Vec::len)).sum()
}

/// A client of the server that echoes, through the proxy.
fn echo(bed: &Bed) -> Client {
    bed.proxy("echo", &[&misbehave(), "serve"])
}

#[test]
fn a_detached_supervisor_answers_when_the_command_returns() {
    let bed = Bed::new();
    let output = bed.run(&["up", "--detach"]);
    assert!(output.status.success(), "{}", told(&output));
    let pid = supervisor(&bed).expect("it answers");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains(&format!("process {}", pid.as_raw_nonzero())), "{said}");
    assert_eq!(getsid(Some(pid)).expect("it runs"), pid, "a session of its own");
    let log = bed.home().join(".defenter/run/supervisor.log");
    assert!(fs::read_to_string(&log).expect("a log").contains("is up"));
    assert_eq!(fs::metadata(&log).expect("a log").permissions().mode() & 0o777, 0o600);

    let again = bed.run(&["up", "--detach"]);
    assert_eq!(again.status.code(), Some(1), "{}", told(&again));
    assert!(told(&again).contains("runs already"), "{}", told(&again));
    assert_eq!(supervisor(&bed), Some(pid));

    let mut client = echo(&bed);
    client.handshake();
    assert_eq!(client.finish(), Some(0));
    end(&bed);
}

#[test]
fn a_detached_supervisor_that_ends_says_why() {
    let bed = Bed::new().settings(json!({"proxy": {"max_line_byte": 1}}));
    let output = bed.run(&["up", "--detach"]);
    assert_eq!(output.status.code(), Some(CONFIG_INVALID), "{}", told(&output));
    assert!(told(&output).contains("max_line_byte"), "{}", told(&output));
    let (_listener, address) = taken();
    let bed = Bed::new().settings(json!({"console": {"listen": address}}));
    let output = bed.run(&["up", "--detach"]);
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    let told = told(&output);
    assert!(told.contains(&address) && told.contains("supervisor.log"), "{told}");
    bed.assert_empty();
}

#[test]
fn a_shim_starts_a_supervisor_where_it_is_told_to() {
    let bed = Bed::new()
        .settings(json!({"supervisor": {"autostart": true}}))
        .variable("DEFENTER_POLICY_PRESET", "observe");
    // On a loaded machine the first may be tired of waiting, and goes on alone.
    let mut first = echo(&bed);
    first.handshake();
    assert_eq!(first.tool("echo", json!({"message": "x"})), "x");
    let pid = eventually(|| supervisor(&bed)).expect("one was started");
    let group = |pid| getpgid(Some(pid)).expect("it runs");
    assert_ne!(group(pid), group(first.pid()), "a client ends its shim's group");
    let went_alone = first.stderr().contains("working without a supervisor");
    assert_eq!(sessions(&bed), if went_alone { 0 } else { 1 });
    assert_eq!(first.finish(), Some(0));
    // It outlives the one that started it, and serves the next.
    let mut client = echo(&bed);
    client.handshake();
    // What one client is told must not loosen the guard of all.
    let environment = format!("/proc/{}/environ", pid.as_raw_nonzero());
    let environment = fs::read(environment).expect("its environment");
    assert!(!String::from_utf8_lossy(&environment).contains("DEFENTER_POLICY_PRESET"));
    assert_eventually!(sessions(&bed) == 1);
    assert_eq!(supervisor(&bed), Some(pid));
    assert_eq!(client.finish(), Some(0));
    end(&bed);
}

#[test]
fn of_many_shims_at_once_one_starts_the_supervisor() {
    let bed = Bed::new().settings(json!({"supervisor": {"autostart": true}}));
    let mut clients: Vec<Client> = (0..4).map(|_| echo(&bed)).collect();
    for client in &mut clients {
        client.handshake();
    }
    // Some may have been tired of waiting, and gone on alone.
    assert_eventually!(supervisor(&bed).is_some());
    assert_eventually!(bed.processes_like("defenter up").len() == 1, "{:?}", bed.processes());
    for client in clients {
        assert_eq!(client.finish(), Some(0));
    }
    end(&bed);
}

#[test]
fn a_supervisor_that_cannot_be_started_leaves_the_shim_alone() {
    // The supervisor ends since it cannot have the port; the shim has no use for it.
    let (_listener, address) = taken();
    let settings = json!({"supervisor": {"autostart": true}, "console": {"listen": address}});
    let bed = Bed::new().settings(settings);
    let mut client = echo(&bed);
    client.handshake();
    assert_eq!(client.tool("echo", json!({"message": "x"})), "x");
    client.assert_stderr("working without a supervisor");
    assert_eq!(client.finish(), Some(0));
    bed.assert_empty();
}

#[test]
fn a_supervisor_that_was_stopped_on_purpose_stays_stopped() {
    let bed = Bed::new().settings(json!({"supervisor": {"autostart": true}}));
    let mut client = echo(&bed);
    client.handshake();
    assert_eventually!(supervisor(&bed).is_some());
    assert!(bed.run(&["down"]).status.success());
    assert_eventually!(supervisor(&bed).is_none());
    // The session goes on without one.
    assert_eq!(client.tool("echo", json!({"message": "x"})), "x");
    assert_eq!(supervisor(&bed), None);
    assert_eq!(client.finish(), Some(0));
    bed.assert_empty();
}

/// A bed whose service manager is a few lines of shell that write down what they are asked, and end
/// with `code`.
fn with_manager(code: i32) -> Bed {
    let bed = Bed::new();
    let asked = bed.path("asked").display().to_string();
    let script = format!("#!/bin/sh\necho \"$@\" >> '{asked}'\necho \"told: $2\"\nexit {code}\n");
    let folder = bed.path("bin");
    fs::create_dir(&folder).expect("a writable bed");
    let program = folder.join("systemctl");
    fs::write(&program, script).expect("a writable bed");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("our file");
    bed.variable("PATH", format!("{}:/usr/bin:/bin", folder.display()))
}

/// What the service manager was asked.
fn asked(bed: &Bed) -> Vec<String> {
    let text = fs::read_to_string(bed.path("asked")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[cfg(target_os = "linux")]
#[test]
fn a_service_is_installed_shown_and_removed() {
    let bed = with_manager(0);
    let unit = bed.home().join(".config/systemd/user/defenter.service");
    let shown = bed.run(&["service", "install", "--dry-run"]);
    assert!(shown.status.success() && told(&shown).contains("ExecStart="), "{}", told(&shown));
    assert!(!unit.exists() && asked(&bed).is_empty(), "a dry run does nothing");
    assert_eq!(bed.run(&["service", "uninstall"]).status.code(), Some(3), "nothing to do");
    assert_eq!(bed.json(&["service", "status", "--json"])["installed"], false);

    let output = bed.run(&["service", "install"]);
    assert!(output.status.success(), "{}", told(&output));
    let text = fs::read_to_string(&unit).expect("a unit");
    assert!(text.contains(&format!("ExecStart=\"{DEFENTER}\" up\n")), "{text}");
    let steps = ["--user daemon-reload", "--user enable defenter.service"];
    let after = asked(&bed);
    assert_eq!(after[after.len() - 3..][..2], steps, "{after:?}");
    assert_eq!(after.last().map(String::as_str), Some("--user restart defenter.service"));
    let status = bed.json(&["service", "status", "--json"]);
    assert_eq!(
        (&status["installed"], &status["current"]),
        (&json!(true), &json!(true)),
        "{status}"
    );
    assert_eq!(status["manager"][1]["said"], "told: is-active", "{status}");

    fs::write(&unit, text.replace("RestartSec=1", "RestartSec=2")).expect("a writable home");
    let status = bed.run(&["service", "status"]);
    assert_eq!(status.status.code(), Some(7), "{}", told(&status));

    let output = bed.run(&["service", "uninstall"]);
    assert!(output.status.success(), "{}", told(&output));
    assert!(!unit.exists());
    let after = asked(&bed);
    let steps = ["--user disable --now defenter.service", "--user daemon-reload"];
    assert_eq!(after[after.len() - 2..], steps, "{after:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_service_whose_manager_fails_is_written_and_said_to_need_more() {
    for bed in [with_manager(4), Bed::new().variable("PATH", "/nonexistent")] {
        let output = bed.run(&["service", "install"]);
        let said = told(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("systemctl --user enable defenter.service"), "{said}");
        assert!(bed.home().join(".config/systemd/user/defenter.service").exists());
        let output = bed.run(&["service", "uninstall"]);
        assert_eq!(output.status.code(), Some(1), "{}", told(&output));
        assert!(!bed.home().join(".config/systemd/user/defenter.service").exists());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_service_does_not_get_in_the_way_of_a_supervisor_that_runs() {
    let bed = with_manager(0).up();
    let output = bed.run(&["service", "install"]);
    let said = told(&output);
    assert!(output.status.success(), "{said}");
    let asked = asked(&bed);
    assert!(asked.iter().all(|it| !it.contains("restart")), "{asked:?}");
    for part in ["defenter down", "systemctl --user restart defenter.service"] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn systemd_accepts_the_unit() {
    let bed = with_manager(0).variable("DEFENTER_HOME", "/tmp/a b%h/$x");
    let shown = bed.json(&["service", "install", "--dry-run", "--json"]);
    let unit = bed.home().join("defenter.service");
    fs::write(&unit, shown["content"].as_str().expect("a unit")).expect("a writable home");
    let mut command = bed.command(system("systemd-analyze"));
    command.args(["verify", "--man=no", "--user"]).arg(&unit);
    let runtime = bed.path("runtime");
    fs::create_dir_all(&runtime).expect("a writable bed");
    command.env("XDG_RUNTIME_DIR", &runtime);
    let output = crate::bed::run(command, b"");
    let said = told(&output);
    assert!(!said.contains("defenter.service:"), "it complains about a line: {said}");
}
