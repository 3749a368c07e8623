//! The dialog helper, `defenter ask`, with a dialog program made of a few lines of shell: every way
//! for a dialog to end, and what it is taken for.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::patience::assert_eventually;
use crate::programs::DEFENTER;

/// A display that answers, and a `zenity` beside it.
struct Desk {
    folder: TempDir,
    _display: UnixListener,
}

impl Desk {
    /// A desk whose `zenity` tells its version when asked for it, and else does `script`.
    fn new(script: &str) -> Self {
        Self::with_zenity(&format!(
            "if [ \"$1\" = --version ]; then echo 3.44.0; exit; fi\n{script}"
        ))
    }

    fn with_zenity(script: &str) -> Self {
        let desk = Self::bare();
        let zenity = desk.path("zenity");
        fs::write(&zenity, format!("#!/bin/sh\ncd \"${{0%/*}}\"\n{script}\n")).expect("written");
        fs::set_permissions(&zenity, fs::Permissions::from_mode(0o755)).expect("executable");
        desk
    }

    fn bare() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let display = UnixListener::bind(folder.path().join("display")).expect("a display");
        Self { folder, _display: display }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(DEFENTER);
        command
            .arg("ask")
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", self.folder.path().display()))
            .env("WAYLAND_DISPLAY", self.path("display"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        command
    }

    fn ask(&self) -> Value {
        answer_to(self.command(), &question())
    }
}

fn question() -> String {
    let question = json!({
        "id": "q1", "client": "cursor", "server": "files", "identity": "files-server /tmp",
        "subject": "request", "method": "tools/call", "target": "delete_file",
        "reasons": [{"rule": "r1", "text": "it deletes"}],
        "payload": r#"{"path":"/tmp/\"a\"","text":"-- --extra-button=x\n<b>"}"#, "open_ms": 50_000,
    });
    format!("{question}\n")
}

/// A running helper and its standard input, which stays open as it does under a supervisor.
fn started(mut command: Command, line: &str) -> (Child, ChildStdin) {
    let mut child = command.spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(line.as_bytes()).expect("it reads");
    (child, stdin)
}

fn answer_to(command: Command, line: &str) -> Value {
    let (mut child, _stdin) = started(command, line);
    let mut answer = String::new();
    let mut output = BufReader::new(child.stdout.take().expect("piped"));
    output.read_line(&mut answer).expect("it answers");
    assert!(child.wait().expect("it ends").success());
    serde_json::from_str(&answer).expect("JSON")
}

#[track_caller]
fn check(script: &str, expected: &str) {
    assert_eq!(Desk::new(script).ask(), json!({"id": "q1", "answer": expected}), "{script}");
}

#[test]
fn only_the_allowing_button_allows() {
    check("echo 'Allow once'; exit 1", "allow");
    check("exit 0", "deny");
    for script in ["exit 1", "exit 5", "exit 255", "kill -9 $$", "echo trouble >&2; exit 1"] {
        check(script, "dismissed");
    }
}

#[test]
fn a_dialog_that_cannot_be_shown_is_unavailable_and_says_why() {
    for (desk, reason) in [
        (Desk::bare(), "zenity is not on PATH"),
        (Desk::with_zenity("echo 'Gtk-Message: hello'; echo 3.44.0"), "more than its version"),
        (Desk::with_zenity("echo 'Allow once'"), "more than its version"),
        (Desk::with_zenity("echo 'cannot open display' >&2; exit 1"), "exit status: 1"),
    ] {
        let mut command = desk.command();
        // Where the machine has a zenity of its own, it must not be found instead.
        command.env("PATH", format!("{}", desk.folder.path().display()));
        let answer = answer_to(command, &question());
        assert_eq!(answer["answer"], "unavailable", "{answer}");
        assert!(answer["detail"].as_str().is_some_and(|told| told.contains(reason)), "{answer}");
    }
}

#[test]
fn what_would_turn_noise_into_an_answer_is_refused() {
    let desk = Desk::new("echo 'debug: hello'; exit 1");
    let mut command = desk.command();
    command.env("G_MESSAGES_DEBUG", "all");
    let answer = answer_to(command, &question());
    assert_eq!(answer["answer"], "unavailable", "{answer}");
}

#[test]
fn no_display_is_unavailable() {
    let desk = Desk::new("echo 'Allow once'; exit 1");
    let mut command = desk.command();
    command.env_remove("WAYLAND_DISPLAY");
    assert_eq!(answer_to(command, &question())["answer"], "unavailable");
    let mut command = desk.command();
    command.env("WAYLAND_DISPLAY", desk.path("nobody"));
    assert_eq!(answer_to(command, &question())["answer"], "unavailable");
}

#[test]
fn the_buttons_are_laid_out_so_that_the_default_blocks() {
    let desk = Desk::new("for one in \"$@\"; do printf '%s\\0' \"$one\"; done > said; exit 1");
    assert_eq!(desk.ask()["answer"], "dismissed");
    let said = fs::read_to_string(desk.path("said")).expect("it was run");
    let said: Vec<&str> = said.split_terminator('\0').collect();
    let after = |flag: &str| {
        let place = said.iter().position(|it| *it == flag).expect("given");
        said.get(place + 1).copied()
    };
    assert!(said.starts_with(&["--no-markup", "--question"]), "{said:?}");
    assert_eq!(after("--ok-label"), Some("Block"));
    assert_eq!(after("--cancel-label"), Some("Not now (blocks)"));
    assert_eq!(after("--extra-button"), Some("Allow once"));
    // The marks that keep lines whole are the one thing that is added for the window.
    let text = after("--text").unwrap_or_default().replace('\u{2060}', "");
    assert!(
        text.starts_with("“cursor” wants to call the tool “delete_file” of “files”."),
        "{text}"
    );
    assert!(text.contains(r#"│   "text": "-- --extra-button=x\n<b>""#), "{text}");
}

#[test]
fn it_ends_with_its_dialog_when_nobody_waits_any_more() {
    // What the dialog holds open tells when the last process of the group is gone.
    let desk = Desk::new("echo here > running; exec sleep 600");
    let (mut child, stdin) = started(desk.command(), &question());
    assert_eventually!(desk.path("running").exists(), "the dialog opens");
    let mut output = child.stdout.take().expect("piped");
    let mut error = child.stderr.take().expect("piped");
    drop(stdin);
    let mut rest = String::new();
    output.read_to_string(&mut rest).expect("it closes");
    assert_eq!(rest, "", "no answer is given");
    error.read_to_string(&mut rest).expect("it closes in the dialog too");
    assert!(!child.wait().expect("it ends").success());
}

#[test]
fn what_is_no_question_is_an_error_and_no_answer() {
    for line in ["\n", "{}\n", "allow\n", "{\"id\":\"q1\"}\n"] {
        let (mut child, stdin) = started(Desk::bare().command(), line);
        drop(stdin);
        let (mut answer, mut told) = (String::new(), String::new());
        child.stdout.take().expect("piped").read_to_string(&mut answer).expect("text");
        child.stderr.take().expect("piped").read_to_string(&mut told).expect("text");
        assert_eq!(child.wait().expect("it ends").code(), Some(1), "{line}");
        assert!(answer.is_empty() && told.contains("hint: "), "{line}: {answer}{told}");
    }
}
