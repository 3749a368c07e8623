//! The table of hook systems.
//!
//! Left out, with reasons: VS Code reads the files of Claude Code and Copilot; opencode and Kilo
//! want a JavaScript plugin, Cline wants executables in a folder, Antigravity and Crush document
//! no form for a user's file.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::clients::ClientId;
use crate::host::{Host, Os};

/// One client's hooks.
#[derive(Debug)]
pub struct HookSystem {
    /// The client.
    pub client: ClientId,
    /// The file, below the home or below what a variable moves it to.
    file: &'static str,
    /// A variable that moves the file's folder, and the folder's name below the home.
    moved_by: Option<(&'static str, &'static str)>,
    /// How many folders above the file the client's own folder is.
    pub(super) depth: usize,
    /// The events that are hooked.
    pub events: &'static [&'static str],
    /// How a hook is written.
    form: Form,
    /// Whether the client stops what the hook is about when the hook fails.
    pub fails_closed: bool,
    /// What the user must do by hand.
    pub by_hand: Option<&'static str>,
}

/// How a hook is written.
#[derive(Clone, Copy, Debug)]
enum Form {
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
}

/// How long a hook may take, in seconds. A question to the user is held for 50 s by default.
const TIMEOUT_S: u64 = 60;

const CLAUDE_EVENTS: &[&str] = &["PreToolUse", "PostToolUse", "UserPromptSubmit"];

const SYSTEMS: &[HookSystem] = &[
    HookSystem {
        moved_by: Some(("CLAUDE_CONFIG_DIR", ".claude")),
        form: Form::Claude { per_second: 1, is_root: false, on_failure: true },
        fails_closed: true,
        ..HookSystem::like_claude("claude-code", "settings.json")
    },
    HookSystem {
        moved_by: Some(("CODEX_HOME", ".codex")),
        by_hand: Some("Codex: trust the new hooks when it asks; until then it does not run them"),
        ..HookSystem::like_claude("codex", "hooks.json")
    },
    HookSystem {
        events: &["BeforeTool", "AfterTool", "BeforeAgent"],
        form: Form::Claude { per_second: 1000, is_root: false, on_failure: false },
        ..HookSystem::like_claude("gemini-cli", ".gemini/settings.json")
    },
    HookSystem::like_claude("qwen-code", ".qwen/settings.json"),
    HookSystem {
        form: Form::Claude { per_second: 1, is_root: true, on_failure: false },
        ..HookSystem::like_claude("factory", ".factory/hooks.json")
    },
    HookSystem {
        events: &[
            "beforeMCPExecution",
            "beforeShellExecution",
            "beforeReadFile",
            "beforeSubmitPrompt",
            "afterFileEdit",
        ],
        form: Form::Cursor,
        fails_closed: true,
        ..HookSystem::like_claude("cursor", ".cursor/hooks.json")
    },
    HookSystem {
        events: &[
            "pre_mcp_tool_use",
            "pre_run_command",
            "pre_read_code",
            "pre_write_code",
            "pre_user_prompt",
        ],
        form: Form::Windsurf,
        ..HookSystem::like_claude("windsurf", ".codeium/windsurf/hooks.json")
    },
    HookSystem {
        moved_by: Some(("COPILOT_HOME", ".copilot")),
        depth: 2,
        events: &["preToolUse", "postToolUse", "userPromptSubmitted"],
        form: Form::Copilot,
        fails_closed: true,
        ..HookSystem::like_claude("copilot-cli", "hooks/defenter.json")
    },
    HookSystem {
        depth: 2,
        events: &["preToolUse", "postToolUse"],
        form: Form::Kiro,
        ..HookSystem::like_claude("kiro", ".kiro/hooks/defenter.json")
    },
];

/// Every hook system.
pub fn systems() -> &'static [HookSystem] {
    SYSTEMS
}

impl HookSystem {
    /// A system in the manner of Claude Code, which many follow.
    const fn like_claude(id: &'static str, file: &'static str) -> Self {
        Self {
            client: ClientId::of(id),
            file,
            moved_by: None,
            depth: 1,
            events: CLAUDE_EVENTS,
            form: Form::Claude { per_second: 1, is_root: false, on_failure: false },
            fails_closed: false,
            by_hand: None,
        }
    }

    /// The file on a machine.
    pub fn path(&self, host: &Host) -> PathBuf {
        let home = host.home_text();
        let path = match self.moved_by {
            None => format!("{home}/{}", self.file),
            Some((variable, folder)) => {
                let moved = host.var(variable).filter(|path| host.is_absolute(path));
                let folder = moved.map_or_else(|| format!("{home}/{folder}"), str::to_owned);
                format!("{folder}/{}", self.file)
            }
        };
        host.real(&path)
    }

    /// What is to be in the file.
    pub(super) fn addition(&self, host: &Host, program: &str) -> Value {
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

/// A command line for the system's shell.
fn command_line<'w>(os: Os, words: impl Iterator<Item = &'w str>) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:\\".contains(c);
    let quoted = |word: &str| match os {
        Os::Windows if word.chars().all(plain) => word.to_owned(),
        // A path holds no quotation mark on Windows.
        Os::Windows => format!("\"{word}\""),
        _ if word.chars().all(|c| plain(c) && c != '\\') => word.to_owned(),
        _ => format!("'{}'", word.replace('\'', "'\\''")),
    };
    words.map(quoted).collect::<Vec<_>>().join(" ")
}

/// True for a command line that runs our hook: `…/defenter hook …`.
pub(super) fn is_our_line(line: &str) -> bool {
    let line = line.trim_start().trim_start_matches("& ").trim_start();
    let (program, rest) = match line.chars().next() {
        Some(quote @ ('"' | '\'')) => match line[1..].rsplit_once(quote) {
            Some((program, rest)) => (program, rest),
            None => return false,
        },
        _ => line.split_once(' ').unwrap_or((line, "")),
    };
    crate::clients::is_defenter(program) && rest.split_whitespace().next() == Some("hook")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_lines_are_told_whatever_is_in_the_path() {
        for program in ["/d/defenter", "/a b/defenter", "/it's/defenter"] {
            let line = command_line(Os::Linux, [program, "hook", "x"].into_iter());
            assert!(is_our_line(&line), "{line}");
        }
        let line = command_line(Os::Windows, ["C:\\a b\\defenter.exe", "hook"].into_iter());
        assert_eq!(line, "\"C:\\a b\\defenter.exe\" hook");
        assert!(is_our_line(&line) && is_our_line(&format!("& {line}")));
        for line in ["npx hook", "/d/defenter proxy hook", "hook", "", "\"", "'/d/defenter"] {
            assert!(!is_our_line(line), "{line}");
        }
    }

    #[test]
    fn every_system_is_of_a_client_of_the_table() {
        for system in systems() {
            let id = system.client.as_str();
            assert!(crate::clients::by_id(id).is_some(), "{id}");
            assert!(!system.events.is_empty());
        }
    }
}
