//! What is to be in a client's file.
//!
//! Owns: the forms in which clients want their hooks, and a file that is ours alone.
//! Accepts: a system of the table, a [`Host`], the program's path.
//! Emits: JSON to be merged into a file, or the whole text of one.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::line::{command_line, is_our_line};
use super::systems::HookSystem;
use crate::clients::{is_defenter, paths_of};
use crate::host::{Host, Os};

/// How a hook is written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    /// `{"hooks": {EVENT: [{"matcher", "hooks": [{"type", "command", "timeout"}]}]}}`; the unit of
    /// the time-out in a second, whether the map is the file itself, and whether the client knows
    /// `onFailure`.
    Claude { per_second: u64, is_root: bool, on_failure: bool },
    /// `{"version": 1, "hooks": {EVENT: [{"command", "failClosed"}]}}`.
    Cursor,
    /// `{"hooks": {EVENT: [{"command", "show_output"}]}}`.
    Windsurf,
    /// `{"version": 1, "hooks": {EVENT: [{"type", "bash", "powershell", "timeoutSec"}]}}`.
    Copilot,
    /// `{"version": "v1", "hooks": [{"name", "trigger", "matcher", "action"}]}`.
    Kiro,
    /// `{"hooks": {EVENT: [{"matcher", "command", "timeout_ms"}]}}`, in each agent.
    Agent,
    /// `{NAME: {EVENT: [{"matcher", "hooks": [{"type", "command", "timeout"}]}]}}`.
    Antigravity,
    /// `{"hooks": {EVENT: [{"command", "timeout"}]}}`.
    Crush,
    /// A program for each event, called as the event is.
    Script,
    /// A module of JavaScript.
    Plugin,
}

/// One file of a system.
pub(super) struct Place {
    /// The file.
    pub(super) path: PathBuf,
    /// The events that are hooked in it.
    pub(super) events: &'static [&'static str],
    /// What is to be in it.
    pub(super) content: Content,
}

/// What is to be in a file.
pub(super) enum Content {
    /// Members of a JSON file that may hold others.
    Json(Value),
    /// A file that is ours alone.
    Whole(Whole),
}

/// The text of a file that is ours alone, in three parts, of which the middle one names the program.
pub(super) struct Whole {
    head: String,
    middle: String,
    tail: String,
    /// Whether the file is to be executable.
    pub(super) executable: bool,
}

/// How long a hook may take, in seconds. A question to the user is held for 50 s by default.
const TIMEOUT_S: u64 = 60;
/// The first words of a file that is ours alone.
const MARK: &str = "Written by `defenter install --hooks`; `defenter uninstall` takes it away.";
/// See [`Form::Plugin`].
const PLUGIN: &str = include_str!("plugin.js");

impl HookSystem {
    /// The files on a machine, with what is to be in them.
    pub(super) fn places(&'static self, host: &Host, program: &str) -> Vec<Place> {
        if matches!(self.form, Form::Script) {
            return self.scripts(host, program);
        }
        let content = || match self.form {
            Form::Plugin => Content::Whole(self.plugin(program)),
            _ => Content::Json(self.addition(host, program)),
        };
        let place = |path: String| Place {
            path: host.real(&path),
            events: self.events,
            content: content(),
        };
        paths_of(host, self.files).into_iter().map(place).collect()
    }

    fn scripts(&'static self, host: &Host, program: &str) -> Vec<Place> {
        let folder = paths_of(host, self.files).pop().unwrap_or_default();
        let end = if host.os == Os::Windows { ".ps1" } else { "" };
        let place = |(at, event): (usize, &&str)| Place {
            path: host.real(&format!("{folder}{event}{end}")),
            events: &self.events[at..=at],
            content: Content::Whole(self.script(host, program)),
        };
        self.events.iter().enumerate().map(place).collect()
    }

    fn script(&self, host: &Host, program: &str) -> Whole {
        let id = self.client.as_str();
        if host.os == Os::Windows {
            // Within single quotes, only those mean something to PowerShell.
            let middle = format!("'{}' hook {id}", program.replace('\'', "''"));
            let (head, tail) = (format!("# {MARK}\n& "), "\nexit $LASTEXITCODE\n".to_owned());
            return Whole { head, middle, tail, executable: false };
        }
        Whole {
            head: format!("#!/bin/sh\n# {MARK}\nexec "),
            middle: command_line(host.os, [program, "hook", id].into_iter()),
            tail: "\n".to_owned(),
            executable: true,
        }
    }

    fn plugin(&self, program: &str) -> Whole {
        let text = format!("// {MARK}\n{}", PLUGIN.replace("CLIENT_ID", self.client.as_str()));
        let (head, tail) = text.split_once("\"PROGRAM\"").unwrap_or((&text, ""));
        Whole {
            head: head.to_owned(),
            middle: json!(program).to_string(),
            tail: tail.to_owned(),
            executable: false,
        }
    }

    /// What is to be in a JSON file.
    fn addition(&self, host: &Host, program: &str) -> Value {
        let line = |event: Option<&str>| {
            let words = [program, "hook", self.client.as_str()].into_iter().chain(event);
            command_line(host.os, words)
        };
        match self.form {
            Form::Claude { per_second, is_root, on_failure } => {
                let map = self.per_event(|event| {
                    let timeout = TIMEOUT_S * per_second;
                    claude(event, &line(None), timeout, on_failure)
                });
                if is_root { map } else { json!({ "hooks": map }) }
            }
            Form::Antigravity => {
                let map = self.per_event(|event| claude(event, &line(None), TIMEOUT_S, false));
                json!({ "defenter": map })
            }
            Form::Cursor => {
                let hooks = self.per_event(|event| {
                    let mut hook = json!({ "command": line(None) });
                    if event.starts_with("before") {
                        hook["failClosed"] = true.into();
                    }
                    hook
                });
                json!({ "version": 1, "hooks": hooks })
            }
            Form::Windsurf => {
                let hook = json!({ "command": line(None), "show_output": false });
                json!({ "hooks": self.per_event(|_| hook.clone()) })
            }
            Form::Copilot => {
                let hooks = self.per_event(|event| {
                    // The input does not say the event.
                    json!({
                        "type": "command",
                        "bash": line(Some(event)),
                        "powershell": format!("& {}", line(Some(event))),
                        "timeoutSec": TIMEOUT_S,
                    })
                });
                json!({ "version": 1, "hooks": hooks })
            }
            Form::Kiro => {
                let hooks = self.events.iter().map(|event| {
                    json!({
                        "name": format!("defenter {event}"),
                        "trigger": event,
                        "matcher": "*",
                        "action": { "type": "command", "command": line(None) },
                    })
                });
                json!({ "version": "v1", "hooks": hooks.collect::<Vec<_>>() })
            }
            Form::Agent => {
                let hooks = self.per_event(|event| {
                    let mut hook = json!({ "command": line(None), "timeout_ms": TIMEOUT_S * 1000 });
                    if event.contains("Tool") {
                        hook["matcher"] = "*".into();
                    }
                    hook
                });
                json!({ "hooks": hooks })
            }
            Form::Crush => {
                let hook = json!({ "command": line(None), "timeout": TIMEOUT_S });
                json!({ "hooks": self.per_event(|_| hook.clone()) })
            }
            Form::Script | Form::Plugin => Value::Null,
        }
    }

    fn per_event(&self, hook: impl Fn(&str) -> Value) -> Value {
        let hooks = self.events.iter().map(|event| ((*event).to_owned(), json!([hook(event)])));
        Value::Object(hooks.collect())
    }
}

fn claude(event: &str, line: &str, timeout: u64, on_failure: bool) -> Value {
    let mut hook = json!({ "type": "command", "command": line, "timeout": timeout });
    if on_failure {
        hook["onFailure"] = "block".into();
    }
    // Only events of tools are matched against anything.
    if event.contains("Tool") {
        json!({ "matcher": "*", "hooks": [hook] })
    } else {
        json!({ "hooks": [hook] })
    }
}

impl Whole {
    /// The text.
    pub(super) fn text(&self) -> String {
        format!("{}{}{}", self.head, self.middle, self.tail)
    }

    /// Whether a text is this one, whichever defenter it names.
    pub(super) fn is_ours(&self, text: &str) -> bool {
        let middle = text.strip_prefix(self.head.as_str());
        let middle = middle.and_then(|rest| rest.strip_suffix(self.tail.as_str()));
        middle.is_some_and(|middle| match serde_json::from_str::<String>(middle) {
            Ok(program) => is_defenter(&program),
            Err(_) => !middle.contains(['\n', '\r']) && is_our_line(middle),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::systems::systems;
    use super::*;

    #[test]
    fn a_file_of_ours_is_told_whichever_program_it_names() {
        for (os, home) in [(Os::Linux, "/home/dev"), (Os::Windows, "C:\\Users\\dev")] {
            let host = Host::new(os, home, BTreeMap::new());
            let mut seen = 0;
            for system in systems() {
                for place in system.places(&host, "/opt/it's mine/defenter") {
                    let Content::Whole(whole) = place.content else { continue };
                    for program in ["/d/defenter", "/a b/defenter", "/it's \"x\"/defenter"] {
                        let other = system.places(&host, program).into_iter();
                        let other = other.filter(|other| other.path == place.path);
                        for Place { content, .. } in other {
                            let Content::Whole(other) = content else { continue };
                            assert!(whole.is_ours(&other.text()), "{}", other.text());
                            let changed = other.text().replace("Written", "Changed");
                            assert!(!whole.is_ours(&changed), "{changed}");
                            seen += 1;
                        }
                    }
                    assert!(!whole.is_ours(&whole.text().replace("/defenter", "/other")));
                }
            }
            assert!(seen >= 15, "{seen}");
        }
    }

    #[test]
    fn what_antigravity_would_refuse_a_whole_file_for_is_not_written() {
        // Strict JSON, no key that it does not know, and a whole number of seconds.
        let host = Host::new(Os::Linux, "/home/dev", BTreeMap::new());
        let system = systems().iter().find(|it| it.client.as_str() == "antigravity");
        let system = system.expect("in the table");
        let expected = json!({ "defenter": { "PreToolUse": [{ "matcher": "*", "hooks": [
            { "type": "command", "command": "/d/defenter hook antigravity", "timeout": 60 }
        ] }] } });
        assert_eq!(system.addition(&host, "/d/defenter"), expected);
    }
}
