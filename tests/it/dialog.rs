//! Questions to a person: a real window, real clicks, and every way to give no answer is a no.

use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::bed::{Bed, run, told};
use crate::client::Client;
use crate::endings::{beds, beds_with, echo};
use crate::patience::{assert_eventually, eventually};
use crate::programs::{ROOT, system};

/// The tool whose call the built-in rules ask about.
const ASKED: &str = "delete_everything";

/// Where the buttons are, in percent of the window's width.
pub(crate) const ALLOW: u32 = 29;
pub(crate) const BLOCK: u32 = 85;

/// A display that nobody sees, for one test.
pub(crate) struct Display {
    server: Child,
    name: String,
}

impl Display {
    fn new() -> Self {
        // The server picks a free number itself and tells it.
        let mut command = Command::new(system("Xvfb"));
        command.args(["-displayfd", "1", "-screen", "0", "1000x700x24", "-nolisten", "tcp"]);
        // Else it starts anew when its last client leaves, and turns the next one away meanwhile.
        command.arg("-noreset");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = command.spawn().expect("Xvfb starts");
        let output = server.stdout.take().expect("piped");
        let mut number = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut number)
            .expect("Xvfb tells its number");
        Self { server, name: format!(":{}", number.trim()) }
    }

    fn xdotool(&self, args: &[&str]) -> Option<String> {
        let mut command = Command::new(system("xdotool"));
        command.args(args).env("DISPLAY", &self.name);
        let output = run(command, b"");
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Waits for the one window of ours.
    pub(crate) fn window(&self) -> String {
        eventually(|| self.find_window()).expect("a window opens")
    }

    fn find_window(&self) -> Option<String> {
        let found = self.xdotool(&["search", "--onlyvisible", "--name", "Defenter"])?;
        found.lines().next().map(str::to_owned)
    }

    pub(crate) fn has_window(&self) -> bool {
        self.xdotool(&["search", "--onlyvisible", "--name", "Defenter"])
            .is_some_and(|found| !found.is_empty())
    }

    /// Clicks a button until the window is gone.
    fn press(&self, button: u32) {
        self.until_gone(|window| self.click(window, button));
    }

    /// Strikes a key until the window is gone.
    fn strike(&self, key: &str) {
        self.until_gone(|window| {
            self.xdotool(&["windowfocus", window]);
            self.xdotool(&["key", "--window", window, key]);
            self.xdotool(&["key", key]);
        });
    }

    /// Does something to the window until it is gone: one that is still being drawn misses it.
    fn until_gone(&self, act: impl Fn(&str)) {
        let gone = eventually(|| match self.find_window() {
            Some(window) => {
                act(&window);
                None
            }
            None => Some(()),
        });
        assert!(gone.is_some(), "the window stays");
    }

    /// Clicks the button in the row at the bottom, at a share of the window's width. A window that
    /// is gone is not clicked.
    pub(crate) fn click(&self, window: &str, percent: u32) {
        let Some(shape) = self.xdotool(&["getwindowgeometry", "--shell", window]) else { return };
        let figure = |key: &str| -> u32 {
            let line = shape.lines().find_map(|line| line.strip_prefix(key));
            line.and_then(|figure| figure.parse().ok()).expect("a figure")
        };
        let x = (figure("WIDTH=") * percent / 100).to_string();
        let y = (figure("HEIGHT=") - 18).to_string();
        self.xdotool(&["mousemove", "--window", window, &x, &y, "click", "1"]);
    }

    /// Takes a picture of the display, for a person to look at after the run.
    fn picture(&self) {
        let folder = format!("{ROOT}/target/check");
        std::fs::create_dir_all(&folder).expect("a target folder");
        let path = format!("{folder}/dialog.png");
        let mut command = Command::new(system("import"));
        command.args(["-window", "root", &path]).env("DISPLAY", &self.name);
        let output = run(command, b"");
        assert!(output.status.success(), "{}", told(&output));
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.server), Signal::TERM);
        let _ = self.server.wait();
    }
}

/// Runs a test body with and without a supervisor, each with a display of its own.
pub(crate) fn on_displays(settings: Value, body: impl Fn(&Bed, &Display)) {
    for join in [false, true] {
        let display = Display::new();
        let bed = Bed::new().settings(settings.clone()).variable("DISPLAY", &display.name);
        let bed = if join { bed.up() } else { bed };
        body(&bed, &display);
    }
}

fn ask(bed: &Bed) -> (Client, u64) {
    let mut client = echo(bed, &[]);
    let id = client.ask_tool(ASKED, json!({"path": "/tmp/precious"}));
    (client, id)
}

/// The answer of a call that was refused: readable for the model, and never carried out.
fn assert_refused(client: &mut Client, id: u64) -> Value {
    let answer = client.answer(id);
    assert_eq!(answer["result"]["isError"], true, "{answer}");
    let text = answer["result"]["content"][0]["text"].as_str().expect("a text");
    assert!(text.starts_with("Tool request blocked by security policy."), "{text}");
    assert_eq!(client.tool("echo", json!({"message": "alive"})), "alive");
    // The call before did not count: it never reached the server.
    assert_eq!(client.tool("count", json!({})), "2");
    answer
}

#[test]
fn a_click_on_allow_lets_the_call_through() {
    on_displays(json!({}), |bed, display| {
        let (mut client, id) = ask(bed);
        display.window();
        // Nobody but the client itself says what it is called.
        let asks = |it: &crate::bed::Process| {
            it.command.replace('\u{2060}', "").contains("“bed” wants to call")
        };
        assert!(all_zenities(&display.name).iter().any(asks), "{:?}", bed.processes());
        // Other traffic of the session goes on while the question is open.
        assert_eq!(client.tool("echo", json!({"message": "meanwhile"})), "meanwhile");
        display.picture();
        display.press(ALLOW);
        let answer = client.answer(id);
        let text = answer["result"]["content"][0]["text"].as_str();
        assert_eq!(text, Some("no tool delete_everything"), "the server answered: {answer}");
        assert_eventually!(!display.has_window());
    });
}

#[test]
fn a_click_on_block_refuses() {
    on_displays(json!({}), |bed, display| {
        let (mut client, id) = ask(bed);
        display.window();
        display.press(BLOCK);
        assert_refused(&mut client, id);
    });
}

#[test]
fn escape_and_return_refuse() {
    for key in ["Escape", "Return"] {
        on_displays(json!({}), |bed, display| {
            let (mut client, id) = ask(bed);
            display.window();
            display.strike(key);
            assert_refused(&mut client, id);
        });
    }
}

#[test]
fn a_window_that_is_killed_refuses() {
    on_displays(json!({}), |bed, display| {
        let (mut client, id) = ask(bed);
        display.window();
        for process in all_zenities(&display.name) {
            let _ = kill_process(process.pid, Signal::KILL);
        }
        assert_refused(&mut client, id);
    });
}

#[test]
fn a_question_that_nobody_answers_is_refused_in_time() {
    on_displays(json!({"dialog": {"timeout_s": 3, "keep_open_s": 0}}), |bed, display| {
        // On a loaded machine the window may not open within the time, which is no less an end.
        let (mut client, id) = ask(bed);
        let answer = client.answer(id);
        assert_eq!(answer["result"]["isError"], true, "{answer}");
        assert_eventually!(!display.has_window(), "the window closes");
        assert_eq!(client.tool("count", json!({})), "1");
    });
}

#[test]
fn a_late_yes_lets_exactly_that_call_pass_once() {
    on_displays(json!({"dialog": {"timeout_s": 1, "keep_open_s": 600}}), |bed, display| {
        let (mut client, id) = ask(bed);
        display.window();
        let answer = client.answer(id);
        assert_eq!(answer["result"]["isError"], true, "{answer}");
        assert!(answer.to_string().contains("retry"), "{answer}");
        assert!(display.has_window(), "the question stays open");
        display.press(ALLOW);
        assert_eventually!(!display.has_window());
        let mut call = |path: &str| {
            let id = client.ask_tool(ASKED, json!({"path": path}));
            client.answer(id)["result"]["isError"] == true
        };
        assert!(call("/tmp/other"), "another call is another question");
        assert!(!call("/tmp/precious"), "what was allowed passes");
        assert!(call("/tmp/precious"), "once");
    });
}

#[test]
fn a_question_is_closed_when_its_call_is_cancelled() {
    on_displays(json!({}), |bed, display| {
        let (mut client, id) = ask(bed);
        display.window();
        client.send(format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{id}}}}}"#
        ));
        assert_eventually!(!display.has_window(), "the window closes");
        assert_eq!(client.tool("count", json!({})), "1");
    });
}

#[test]
fn a_question_is_closed_when_its_client_goes_away() {
    on_displays(json!({}), |bed, display| {
        let (client, _) = ask(bed);
        display.window();
        drop(client);
        assert_eventually!(!display.has_window(), "the window closes");
    });
}

#[test]
fn nothing_is_asked_where_dialogs_are_off() {
    on_displays(json!({"dialog": {"enabled": false}}), |bed, display| {
        let (mut client, id) = ask(bed);
        let answer = assert_refused(&mut client, id);
        assert!(answer.to_string().contains("switched off (dialog.enabled)"), "{answer}");
        assert!(!display.has_window() && all_zenities(&display.name).is_empty());
    });
}

#[test]
fn more_operations_than_may_wait_are_refused_at_once() {
    on_displays(json!({"dialog": {"max_pending": 1}}), |bed, display| {
        let (mut client, first) = ask(bed);
        display.window();
        let second = client.ask_tool(ASKED, json!({"path": "/tmp/other"}));
        let answer = client.answer(second);
        assert_eq!(answer["result"]["isError"], true, "{answer}");
        assert!(answer.to_string().contains("dialog.max_pending"), "{answer}");
        assert_eq!(client.tool("count", json!({})), "1", "neither call reached the server");
        display.press(ALLOW);
        let answer = client.answer(first);
        let text = answer["result"]["content"][0]["text"].as_str();
        assert_eq!(text, Some("no tool delete_everything"), "the first still waited: {answer}");
    });
}

#[test]
fn no_display_refuses() {
    for bed in beds_with(json!({})) {
        let (mut client, id) = ask(&bed);
        assert_refused(&mut client, id);
    }
}

#[test]
fn a_display_that_is_not_there_refuses() {
    for join in [false, true] {
        let bed = Bed::new().variable("DISPLAY", ":4095");
        let bed = if join { bed.up() } else { bed };
        let (mut client, id) = ask(&bed);
        assert_refused(&mut client, id);
    }
}

#[test]
fn a_display_that_goes_away_refuses() {
    on_displays(json!({}), |bed, display| {
        let (mut client, id) = ask(bed);
        display.window();
        let _ = kill_process(Pid::from_child(&display.server), Signal::KILL);
        assert_refused(&mut client, id);
    });
}

#[test]
fn what_is_known_bad_is_blocked() {
    for bed in beds() {
        let mut client = echo(&bed, &[]);
        let id =
            client.ask_tool("echo", json!({"message": "http://169.254.169.254/latest/meta-data"}));
        let answer = assert_refused(&mut client, id);
        assert!(!answer["result"]["_meta"].is_null(), "{answer}");
    }
}

/// The dialog programs on one display.
fn all_zenities(display: &str) -> Vec<crate::bed::Process> {
    let variable = format!("DISPLAY={display}");
    let found = crate::bed::processes_with(variable.as_bytes());
    found.into_iter().filter(|it| it.command.contains("zenity")).collect()
}
