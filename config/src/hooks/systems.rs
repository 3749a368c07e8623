//! The table of hook systems.
//!
//! Clients whose hooks are left out are in it with the reason; of all others, none are known.

use super::content::Form;
use crate::clients::ClientId;

/// One client's hooks.
#[derive(Debug)]
pub struct HookSystem {
    /// The client.
    pub client: ClientId,
    /// The pattern of the files, as the table of clients writes them. One with a `*` means the files
    /// that are there.
    pub(super) files: &'static str,
    /// How many folders above a file the client's own folder is; the file is written where it is
    /// there.
    pub(super) depth: usize,
    /// The events that are hooked.
    pub events: &'static [&'static str],
    /// How a hook is written.
    pub(super) form: Form,
    /// Whether the client stops what the hook is about when the hook fails.
    pub fails_closed: bool,
    /// What the user must do by hand.
    pub by_hand: Option<&'static str>,
    /// What is said where the client is there and none of the files is.
    pub(super) without_files: Option<&'static str>,
}

const CLAUDE_EVENTS: &[&str] = &["PreToolUse", "PostToolUse", "UserPromptSubmit"];
const AGENT_EVENTS: &[&str] = &["preToolUse", "postToolUse", "userPromptSubmit"];
const TOOL_EVENTS: &[&str] = &["PreToolUse", "PostToolUse"];

const SYSTEMS: &[HookSystem] = &[
    HookSystem {
        form: Form::Claude { per_second: 1, is_root: false, on_failure: true },
        fails_closed: true,
        ..HookSystem::like_claude("claude-code", "{CLAUDE_CONFIG_DIR:~/.claude}/settings.json")
    },
    HookSystem::like_claude("codex", "{CODEX_HOME:~/.codex}/hooks.json"),
    HookSystem {
        events: &["BeforeTool", "AfterTool", "BeforeAgent"],
        form: Form::Claude { per_second: 1000, is_root: false, on_failure: false },
        ..HookSystem::like_claude("gemini-cli", "~/.gemini/settings.json")
    },
    HookSystem::like_claude("qwen-code", "~/.qwen/settings.json"),
    HookSystem {
        form: Form::Claude { per_second: 1, is_root: true, on_failure: false },
        ..HookSystem::like_claude("factory", "~/.factory/hooks.json")
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
        ..HookSystem::like_claude("cursor", "~/.cursor/hooks.json")
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
        ..HookSystem::like_claude("windsurf", "~/.codeium/windsurf/hooks.json")
    },
    HookSystem {
        depth: 2,
        events: &["preToolUse", "postToolUse", "userPromptSubmitted"],
        form: Form::Copilot,
        fails_closed: true,
        ..HookSystem::like_claude("copilot-cli", "{COPILOT_HOME:~/.copilot}/hooks/defenter.json")
    },
    HookSystem {
        depth: 2,
        events: &["preToolUse", "postToolUse"],
        form: Form::Kiro,
        ..HookSystem::like_claude("kiro", "~/.kiro/hooks/defenter.json")
    },
    // Its command line up to version 2 keeps them in its agents, as Amazon Q does.
    HookSystem {
        events: AGENT_EVENTS,
        form: Form::Agent,
        ..HookSystem::like_claude("kiro", "~/.kiro/agents/*.json")
    },
    HookSystem {
        events: AGENT_EVENTS,
        form: Form::Agent,
        without_files: Some(
            "its hooks are part of an agent, and it has none of its own; `q agent create` makes one",
        ),
        ..HookSystem::like_claude("amazon-q", "~/.aws/amazonq/cli-agents/*.json")
    },
    HookSystem {
        events: &["PreToolUse"],
        form: Form::Antigravity,
        fails_closed: true,
        ..HookSystem::like_claude("antigravity", "~/.gemini/config/hooks.json")
    },
    HookSystem {
        events: &["PreToolUse"],
        form: Form::Crush,
        ..HookSystem::like_claude("crush", "{CRUSH_GLOBAL_CONFIG:{cfg}/crush}/crush.json")
    },
    HookSystem {
        depth: 2,
        events: CLAUDE_EVENTS,
        form: Form::Script,
        by_hand: Some("Cline: switch on “Enable Hooks” in its feature settings"),
        ..HookSystem::like_claude("cline", "~/Documents/Cline/Hooks/")
    },
    HookSystem {
        depth: 2,
        events: TOOL_EVENTS,
        form: Form::Plugin,
        fails_closed: true,
        ..HookSystem::like_claude("opencode", "{cfg}/opencode/plugins/defenter.js")
    },
    HookSystem {
        depth: 2,
        events: TOOL_EVENTS,
        form: Form::Plugin,
        fails_closed: true,
        ..HookSystem::like_claude("kilo", "{cfg}/kilo/plugins/defenter.js")
    },
];

/// The form of these is known from what others say only.
const UNSURE: &str = "what it wants of them is not known well enough to write them";

/// Clients that have hooks which are not written, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    ("vscode", "it runs those of Claude Code and Copilot CLI"),
    ("vscode-insiders", "it runs those of Claude Code and Copilot CLI"),
    ("grok", "it runs those of Claude Code; what it wants of its own is not known well enough"),
    ("kimi", UNSURE),
    ("kimi-code", UNSURE),
    ("tabnine", UNSURE),
    ("iflow", UNSURE),
    ("codebuddy", UNSURE),
];

/// Why no hooks are written for a client; none for one whose hooks are.
pub(super) fn why_left_out(client: ClientId) -> Option<&'static str> {
    if SYSTEMS.iter().any(|system| system.client == client) {
        return None;
    }
    let known = LEFT_OUT.iter().find(|(id, _)| *id == client.as_str());
    Some(known.map_or("it has none, as far as is known", |(_, why)| why))
}

/// Every hook system.
pub fn systems() -> &'static [HookSystem] {
    SYSTEMS
}

impl HookSystem {
    /// A system in the manner of Claude Code, which many follow.
    const fn like_claude(id: &'static str, files: &'static str) -> Self {
        Self {
            client: ClientId::of(id),
            files,
            depth: 1,
            events: CLAUDE_EVENTS,
            form: Form::Claude { per_second: 1, is_root: false, on_failure: false },
            fails_closed: false,
            by_hand: None,
            without_files: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_system_is_of_a_client_of_the_table() {
        for system in systems() {
            let id = system.client.as_str();
            assert!(crate::clients::by_id(id).is_some(), "{id}");
            assert!(!system.events.is_empty());
            assert_eq!(why_left_out(system.client), None, "{id}");
        }
    }

    #[test]
    fn of_every_other_client_it_is_said_why() {
        for (id, why) in LEFT_OUT {
            let client = crate::clients::by_id(id).unwrap_or_else(|| panic!("no client {id}"));
            assert_eq!(why_left_out(client.id), Some(*why));
        }
        assert!(
            why_left_out(ClientId::of("zed")).is_some_and(|why| why.starts_with("it has none"))
        );
    }
}
