//! The answer to a hook in the words of its client.
//!
//! Accepts: a verdict. Emits: [`Said`]. Promises: a denial is said in every way that the client
//! understands, by exit code 2 with the reason on standard error and by JSON, but where one of them
//! would hide the other; an allow leaves the client's own approvals as they are.

use defenter_mcp::hook::HookVerdict;
use serde_json::{Value, json};

use super::{
    Dialect, Stage,
    event::{self, About},
};

/// The exit code by which a hook denies.
const DENIED: u8 = 2;

/// What the hook's process says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// On standard output.
    pub(crate) output: String,
    /// On standard error.
    pub(crate) error: String,
    /// As its exit code.
    pub(crate) code: u8,
}

/// Says a verdict on an event.
pub(crate) fn answer(dialect: Dialect, event: &str, verdict: &HookVerdict) -> Said {
    let words = match verdict {
        HookVerdict::Allow => allowed(dialect, event),
        HookVerdict::Ask { text } => Some(decided(dialect, event, "ask", text)),
        HookVerdict::Deny { text } => Some(decided(dialect, event, "deny", text)),
    };
    let output = words.map(|words| format!("{words}\n")).unwrap_or_default();
    match verdict {
        HookVerdict::Deny { text } => Said {
            output,
            error: format!("{text}\n"),
            code: if reads_json_only(dialect, event) { 0 } else { DENIED },
        },
        _ => Said { output, ..Said::default() },
    }
}

/// Where the client must read standard output to be stopped, which it does only after a success.
fn reads_json_only(dialect: Dialect, event: &str) -> bool {
    match dialect {
        Dialect::Antigravity | Dialect::Cline => true,
        Dialect::Cursor => event::meaning(event).1 == About::Prompt,
        _ => false,
    }
}

/// Where silence is no allow.
fn allowed(dialect: Dialect, event: &str) -> Option<Value> {
    match (dialect, event::meaning(event)) {
        (Dialect::Antigravity, (Stage::Before, _)) => Some(json!({ "decision": "allow" })),
        (Dialect::Cursor, (Stage::Before, About::Prompt)) => Some(json!({ "continue": true })),
        (Dialect::Cursor, (Stage::Before, _)) => Some(json!({ "permission": "allow" })),
        _ => None,
    }
}

fn decided(dialect: Dialect, event: &str, decision: &str, text: &str) -> Value {
    let (stage, about) = event::meaning(event);
    match dialect {
        Dialect::Cursor if about == About::Prompt => {
            json!({ "continue": false, "user_message": text })
        }
        // An input that could not be read may have been a prompt.
        Dialect::Cursor if stage == Stage::Tells => {
            json!({ "continue": false, "permission": decision, "user_message": text, "agent_message": text })
        }
        Dialect::Cursor => {
            json!({ "permission": decision, "user_message": text, "agent_message": text })
        }
        Dialect::Cline => json!({ "cancel": true, "errorMessage": text }),
        Dialect::Copilot => {
            json!({ "permissionDecision": decision, "permissionDecisionReason": text })
        }
        Dialect::Claude | Dialect::VsCode if (stage, about) == (Stage::Before, About::Tool) => {
            json!({ "hookSpecificOutput": {
                "hookEventName": event,
                "permissionDecision": decision,
                "permissionDecisionReason": text,
            } })
        }
        Dialect::Claude | Dialect::VsCode => json!({ "decision": "block", "reason": text }),
        Dialect::Antigravity | Dialect::Gemini | Dialect::Crush | Dialect::Windsurf => {
            json!({ "decision": decision, "reason": text })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHY: &str = "no";

    fn said(dialect: Dialect, event: &str, verdict: &HookVerdict) -> (Value, String, u8) {
        let Said { output, error, code } = answer(dialect, event, verdict);
        let words = if output.is_empty() { Value::Null } else { output.parse().unwrap() };
        (words, error, code)
    }

    #[track_caller]
    fn denied(dialect: Dialect, event: &str, wanted: &Value, code: u8) {
        let verdict = HookVerdict::Deny { text: WHY.into() };
        assert_eq!(said(dialect, event, &verdict), (wanted.clone(), "no\n".into(), code));
    }

    #[test]
    fn denials() {
        let specific = json!({"hookSpecificOutput": {"hookEventName": "PreToolUse",
            "permissionDecision": "deny", "permissionDecisionReason": WHY}});
        denied(Dialect::Claude, "PreToolUse", &specific, 2);
        denied(Dialect::VsCode, "PreToolUse", &specific, 2);
        let block = json!({"decision": "block", "reason": WHY});
        denied(Dialect::Claude, "UserPromptSubmit", &block, 2);
        denied(Dialect::Claude, "", &block, 2);
        let deny = json!({"decision": "deny", "reason": WHY});
        denied(Dialect::Gemini, "BeforeTool", &deny, 2);
        denied(Dialect::Crush, "PreToolUse", &deny, 2);
        denied(Dialect::Windsurf, "pre_run_command", &deny, 2);
        denied(Dialect::Antigravity, "PreToolUse", &deny, 0);
        denied(Dialect::Cline, "PreToolUse", &json!({"cancel": true, "errorMessage": WHY}), 0);
        let flat = json!({"permissionDecision": "deny", "permissionDecisionReason": WHY});
        denied(Dialect::Copilot, "preToolUse", &flat, 2);
        let cursor = json!({"permission": "deny", "user_message": WHY, "agent_message": WHY});
        denied(Dialect::Cursor, "beforeShellExecution", &cursor, 2);
        let prompt = json!({"continue": false, "user_message": WHY});
        denied(Dialect::Cursor, "beforeSubmitPrompt", &prompt, 0);
    }

    #[test]
    fn allows_are_silent_where_silence_allows() {
        let check = |dialect, event: &str, wanted: Value| {
            let got = said(dialect, event, &HookVerdict::Allow);
            assert_eq!(got, (wanted, String::new(), 0), "{dialect:?} {event}");
        };
        for dialect in [
            Dialect::Claude,
            Dialect::VsCode,
            Dialect::Gemini,
            Dialect::Copilot,
            Dialect::Crush,
            Dialect::Cline,
            Dialect::Windsurf,
        ] {
            check(dialect, "PreToolUse", Value::Null);
            check(dialect, "Stop", Value::Null);
        }
        check(Dialect::Antigravity, "PreToolUse", json!({"decision": "allow"}));
        check(Dialect::Cursor, "beforeMCPExecution", json!({"permission": "allow"}));
        check(Dialect::Cursor, "beforeSubmitPrompt", json!({"continue": true}));
        check(Dialect::Cursor, "afterFileEdit", Value::Null);
    }

    #[test]
    fn questions_are_left_to_the_client() {
        let ask = HookVerdict::Ask { text: WHY.into() };
        for (dialect, event, pointer) in [
            (Dialect::Claude, "PreToolUse", "/hookSpecificOutput/permissionDecision"),
            (Dialect::Gemini, "BeforeTool", "/decision"),
            (Dialect::Copilot, "preToolUse", "/permissionDecision"),
            (Dialect::Cursor, "beforeShellExecution", "/permission"),
            (Dialect::Antigravity, "PreToolUse", "/decision"),
        ] {
            let (words, error, code) = said(dialect, event, &ask);
            assert_eq!(words.pointer(pointer), Some(&json!("ask")), "{dialect:?}");
            assert_eq!((error.as_str(), code), ("", 0));
        }
    }
}
