//! Which client's words an input is written in.

use super::heard::Members;

/// A way to speak with hooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Windsurf.
    Windsurf,
    /// Cursor.
    Cursor,
    /// Antigravity.
    Antigravity,
    /// Cline.
    Cline,
    /// VS Code.
    VsCode,
    /// Copilot CLI with its own event names.
    Copilot,
    /// Crush.
    Crush,
    /// Gemini CLI.
    Gemini,
    /// Claude Code, and everybody who follows it.
    Claude,
}

/// What the hook's command line says. It helps where the input leaves a choice, and is never
/// believed against it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Hint<'a> {
    /// The client's id.
    pub(crate) client: Option<&'a str>,
    /// The event, for a client that does not tell it.
    pub(crate) event: Option<&'a str>,
}

/// Clients that speak as Claude Code does.
const LIKE_CLAUDE: &[&str] = &[
    "claude-code",
    "codex",
    "qwen-code",
    "factory",
    "copilot-cli",
    "kiro",
    "amazon-q",
    "opencode",
    "kilo",
    "grok",
    "kimi",
    "codebuddy",
];
/// Clients that speak as Gemini CLI does.
const LIKE_GEMINI: &[&str] = &["gemini-cli", "tabnine", "iflow"];
/// Of those that speak as Claude Code does, who asks its user when told to.
const ASKS_LIKE_CLAUDE: &[&str] = &["claude-code", "qwen-code", "factory", "copilot-cli"];

impl Dialect {
    /// The dialect of an input. The order matters: what is tried first is found in no other.
    pub(super) fn of(members: &Members<'_>, hint: Hint<'_>) -> Option<Self> {
        let has = |key: &str| members.contains_key(key);
        Some(match () {
            () if has("agent_action_name") => Self::Windsurf,
            () if has("cursor_version") || has("conversation_id") => Self::Cursor,
            () if has("toolCall") => Self::Antigravity,
            // Copilot's permission requests have a `hookName` too.
            () if has("hookName") && !has("toolName") => Self::Cline,
            () if has("hookEventName") => Self::VsCode,
            () if has("toolName") => Self::Copilot,
            () if has("event") => Self::Crush,
            () if has("hook_event_name") => match members.string("hook_event_name")?.as_str() {
                event if event.starts_with("Before") || event.starts_with("After") => Self::Gemini,
                _ => Self::Claude,
            },
            // Copilot says only in the command line what its other events are.
            () if hint.event.is_some() => Self::Copilot,
            () => return None,
        })
    }

    /// The dialect that a client is known for, for an input that cannot be read.
    pub(crate) fn of_client(client: Option<&str>) -> Self {
        match client {
            Some("windsurf") => Self::Windsurf,
            Some("cursor") => Self::Cursor,
            Some("antigravity") => Self::Antigravity,
            Some("cline") => Self::Cline,
            Some("vscode") => Self::VsCode,
            Some("copilot-cli") => Self::Copilot,
            Some("crush") => Self::Crush,
            Some(client) if LIKE_GEMINI.contains(&client) => Self::Gemini,
            _ => Self::Claude,
        }
    }

    /// The id of the client that speaks.
    pub(super) fn client(self, hint: Hint<'_>) -> &str {
        let of = |known: &'static [&'static str], default: &'static str| {
            let hinted = known.iter().find(|known| hint.client == Some(known));
            hinted.copied().unwrap_or(default)
        };
        match self {
            Self::Windsurf => "windsurf",
            Self::Cursor => "cursor",
            Self::Antigravity => "antigravity",
            Self::Cline => "cline",
            Self::VsCode => "vscode",
            Self::Copilot => "copilot-cli",
            Self::Crush => "crush",
            Self::Gemini => of(LIKE_GEMINI, "gemini-cli"),
            Self::Claude => of(LIKE_CLAUDE, "claude-code"),
        }
    }

    /// Whether a client asks its user before a tool when told to.
    pub(super) fn asks(self, client: &str) -> bool {
        match self {
            Self::Cursor | Self::Antigravity | Self::VsCode | Self::Copilot | Self::Gemini => true,
            Self::Claude => ASKS_LIKE_CLAUDE.contains(&client),
            Self::Windsurf | Self::Cline | Self::Crush => false,
        }
    }
}
