//! Answers of our own, to messages that are not carried on.
//!
//! Owns: our error codes and the texts that an agent reads. Accepts: what was refused, why, and the
//! id to answer. Emits: one line, ready to be sent. Promises: the id is echoed as its token came; the
//! line holds no newline but its last byte; texts from outside are cut to a bound.
//!
//! A `tools/call` is refused with a result whose `isError` is set and whose one text block the model
//! can read; everything else, and a call that was to run as a task, with a JSON-RPC error. Both carry
//! the same details: the operation's id, the reasons, and whether to try again. The wording of the
//! refusals by policy is that of Defenter 0.0.96, since agents and their users know it.

use crate::catalogue::{Label, Operation, RefusalForm};
use crate::id::Id;
use crate::read;
use serde_json::json;

/// JSON-RPC: the line is not one JSON text.
pub const PARSE_ERROR: i32 = -32700;
/// JSON-RPC: the line is JSON but no message that all parsers read the same way.
pub const INVALID_REQUEST: i32 = -32600;

// Our own codes lie outside -32768..-32000, which JSON-RPC and MCP keep for themselves.

/// Refused by policy.
pub const BLOCKED: i32 = -31001;
/// Refused by the user.
pub const DENIED: i32 = -31002;
/// Nobody has answered yet; the question stays open.
pub const APPROVAL_PENDING: i32 = -31003;
/// Refused until the agent says more.
pub const NEED_INFO: i32 = -31004;
/// The server died with the request unanswered, and it was not safe to send it again.
pub const OUTCOME_UNKNOWN: i32 = -31010;
/// There is no server to answer.
pub const UNAVAILABLE: i32 = -31011;
/// Something is larger or more than is allowed.
pub const OVER_LIMIT: i32 = -31012;

/// The member of a result's `_meta` that holds the details.
pub const META_KEY: &str = "ai.defenter/refusal";

/// The most reasons that are told, and the most characters of each.
const MAX_REASONS: usize = 16;
const MAX_REASON: usize = 1000;

/// What was refused: a request before it was carried out, or the response to one that was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// The request.
    Request,
    /// The response; what was asked for has happened.
    Response,
}

/// Why it was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause<'a> {
    /// Policy forbids it.
    Blocked,
    /// The user said no.
    Denied,
    /// The user has not answered yet.
    ApprovalPending,
    /// Policy must know more: these fields, one a line, as the agent is to fill them in.
    NeedInfo(&'a [String]),
    /// The server ended before it answered.
    OutcomeUnknown,
    /// There is no server: what happened to it.
    Unavailable(&'a str),
    /// A limit was hit: which one.
    OverLimit(&'a str),
    /// The message itself is at fault, with this code of JSON-RPC's.
    Malformed(i32, &'a str),
}

/// Whether it makes sense to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Retry {
    /// No: the answer will be the same, or trying again would do the thing twice.
    Never,
    /// Yes, the same request, a little later.
    Same,
    /// Yes, once the request is changed as the text says.
    Changed,
    /// Only after finding out whether it has happened.
    AfterCheck,
}

/// A refusal, in all that its answer says.
#[derive(Clone, Copy, Debug)]
pub struct Refusal<'a> {
    /// The operation's id in the audit record.
    pub operation: Option<&'a str>,
    /// What kind of thing was refused.
    pub label: Label,
    /// Before or after it was carried out.
    pub phase: Phase,
    /// Why.
    pub cause: Cause<'a>,
    /// What policy gave as reasons, redacted.
    pub reasons: &'a [String],
}

impl Retry {
    /// The word for it in the details.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Same => "same",
            Self::Changed => "changed",
            Self::AfterCheck => "after-check",
        }
    }
}

impl Cause<'_> {
    /// The JSON-RPC error code for it.
    #[must_use]
    pub fn code(self) -> i32 {
        match self {
            Self::Blocked => BLOCKED,
            Self::Denied => DENIED,
            Self::ApprovalPending => APPROVAL_PENDING,
            Self::NeedInfo(_) => NEED_INFO,
            Self::OutcomeUnknown => OUTCOME_UNKNOWN,
            Self::Unavailable(_) => UNAVAILABLE,
            Self::OverLimit(_) => OVER_LIMIT,
            Self::Malformed(code, _) => code,
        }
    }
}

impl Refusal<'_> {
    /// Whether it makes sense to try again.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match (self.cause, self.phase) {
            (Cause::OutcomeUnknown, _) => Retry::AfterCheck,
            // What was answered has happened, whatever became of the answer.
            (_, Phase::Response) => Retry::Never,
            (Cause::ApprovalPending | Cause::Unavailable(_), _) => Retry::Same,
            (Cause::NeedInfo(_), _) => Retry::Changed,
            (Cause::Blocked | Cause::Denied | Cause::OverLimit(_) | Cause::Malformed(..), _) => {
                Retry::Never
            }
        }
    }

    /// What the agent reads.
    #[must_use]
    pub fn text(&self) -> String {
        let label = self.label.as_str();
        let what = self.phase_word();
        let sentence = match self.cause {
            Cause::Blocked => format!("{label} {what} blocked by security policy."),
            Cause::Denied => {
                format!("{label} {what} blocked by security policy. User blocked the operation.")
            }
            Cause::ApprovalPending if self.phase == Phase::Request => {
                format!("{label} request is still waiting for approval. Retry the same call.")
            }
            Cause::ApprovalPending => format!(
                "{label} response is still waiting for approval. The operation has already run; do \
                 not repeat it."
            ),
            Cause::NeedInfo(fields) => return self.need_info(fields),
            Cause::OutcomeUnknown => format!(
                "{label} request got no answer: the server ended before it gave one and has been \
                 restarted. The outcome is unknown; find out whether it happened before trying again."
            ),
            Cause::Unavailable(why) => format!("{label} request failed: {}.", cut(why)),
            Cause::OverLimit(limit) => format!("{label} {what} refused: {}.", cut(limit)),
            Cause::Malformed(_, fault) => cut(fault).to_owned(),
        };
        let reasons = self.bounded_reasons();
        if reasons.is_empty() {
            return sentence;
        }
        format!("{sentence} Reasons: {}", reasons.join("; "))
    }

    /// The answer in the form that `form` says. A tool's result says `"resultType":"complete"` where
    /// the session is `modern` (2026-07-28).
    #[must_use]
    pub fn answer(&self, id: Id<'_>, form: RefusalForm, modern: bool) -> Vec<u8> {
        match form {
            RefusalForm::ToolResult => self.tool_result(id, modern),
            RefusalForm::Error | RefusalForm::Silence => self.error(id),
        }
    }

    /// The answer as a JSON-RPC error.
    #[must_use]
    pub fn error(&self, id: Id<'_>) -> Vec<u8> {
        let error =
            json!({"code": self.cause.code(), "message": self.text(), "data": self.details()});
        line(id, "error", &error)
    }

    fn tool_result(&self, id: Id<'_>, modern: bool) -> Vec<u8> {
        let mut result = json!({
            "content": [{"type": "text", "text": self.text()}],
            "isError": true,
            "_meta": {META_KEY: self.details()},
        });
        if modern && let Some(members) = result.as_object_mut() {
            members.insert("resultType".to_owned(), json!("complete"));
        }
        line(id, "result", &result)
    }

    fn details(&self) -> serde_json::Value {
        let mut details = json!({
            "code": self.cause.code(),
            "reasons": self.bounded_reasons(),
            "retry": self.retry().as_str(),
        });
        if let (Some(operation), Some(members)) = (self.operation, details.as_object_mut()) {
            members.insert("operation".to_owned(), json!(operation));
        }
        details
    }

    fn need_info(&self, fields: &[String]) -> String {
        let (subject, actions) = match self.phase {
            Phase::Request => (
                "CLIENT REQUEST",
                "1. Add/Edit ALL affected fields according to the required information\n\
                 2. Retry the tool call",
            ),
            Phase::Response => (
                "TOOL RESPONSE",
                "1. Do NOT repeat the tool call: it has already run, only its response was withheld\n\
                 2. Tell the user that the response was withheld, and why",
            ),
        };
        let fields: Vec<_> = fields.iter().take(MAX_REASONS).map(|field| cut(field)).collect();
        format!(
            "SECURITY POLICY NEEDS MORE INFORMATION FOR REVIEWING {subject}:\n{}\n\n\
             AFFECTED FIELDS:\n{}\n\nMANDATORY ACTIONS:\n{actions}",
            self.bounded_reasons().join("\n"),
            fields.join("\n"),
        )
    }

    fn phase_word(&self) -> &'static str {
        match self.phase {
            Phase::Request => "request",
            Phase::Response => "response",
        }
    }

    fn bounded_reasons(&self) -> Vec<&str> {
        self.reasons.iter().take(MAX_REASONS).map(|reason| cut(reason)).collect()
    }
}

/// The form in which an operation is refused: a tool call that was to run as a task has no result to
/// put an error in.
#[must_use]
pub fn form(operation: &Operation, params: Option<&[u8]>) -> RefusalForm {
    let task = params.is_some_and(|params| read::member(params, "task").is_some());
    match operation.refusal {
        RefusalForm::ToolResult if task => RefusalForm::Error,
        form => form,
    }
}

/// The first [`MAX_REASON`] characters.
fn cut(text: &str) -> &str {
    text.char_indices().nth(MAX_REASON).map_or(text, |(end, _)| &text[..end])
}

fn line(id: Id<'_>, member: &str, value: &serde_json::Value) -> Vec<u8> {
    format!("{{\"jsonrpc\":\"2.0\",\"id\":{},\"{member}\":{value}}}\n", id.as_str()).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::operation;
    use crate::envelope::{Message, Outcome, read as read_message};

    fn refusal<'a>(cause: Cause<'a>, phase: Phase, reasons: &'a [String]) -> Refusal<'a> {
        Refusal { operation: Some("op-1"), label: Label::Tool, phase, cause, reasons }
    }

    fn reasons(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn texts_are_the_ones_that_agents_know() {
        let given = reasons(&["a", "b"]);
        let text = |cause, phase| refusal(cause, phase, &given).text();
        assert_eq!(
            text(Cause::Blocked, Phase::Request),
            "Tool request blocked by security policy. Reasons: a; b"
        );
        assert_eq!(
            text(Cause::Blocked, Phase::Response),
            "Tool response blocked by security policy. Reasons: a; b"
        );
        assert_eq!(
            text(Cause::Denied, Phase::Request),
            "Tool request blocked by security policy. User blocked the operation. Reasons: a; b"
        );
        let fields = reasons(&["__wrapper_modelIntent", "__wrapper_modelPlan"]);
        assert_eq!(
            text(Cause::NeedInfo(&fields), Phase::Request),
            "SECURITY POLICY NEEDS MORE INFORMATION FOR REVIEWING CLIENT REQUEST:\na\nb\n\n\
             AFFECTED FIELDS:\n__wrapper_modelIntent\n__wrapper_modelPlan\n\nMANDATORY ACTIONS:\n\
             1. Add/Edit ALL affected fields according to the required information\n\
             2. Retry the tool call"
        );
        let response = text(Cause::NeedInfo(&fields), Phase::Response);
        assert!(response.contains("REVIEWING TOOL RESPONSE:\n"));
        assert!(response.contains("Do NOT repeat") && !response.contains("Retry the tool call"));
        assert_eq!(
            refusal(Cause::Blocked, Phase::Request, &[]).text(),
            "Tool request blocked by security policy."
        );
    }

    #[test]
    fn a_tool_call_is_refused_with_a_result() {
        let given = reasons(&["a \"quoted\"\nreason"]);
        let id = Id::parse(b"12345678901234567890123").unwrap();
        for modern in [false, true] {
            let refusal = refusal(Cause::Blocked, Phase::Request, &given);
            let line = refusal.answer(id, RefusalForm::ToolResult, modern);
            assert_eq!(memchr::memchr(b'\n', &line), Some(line.len() - 1));
            let Ok(Message::Response { id: Some(got), outcome: Outcome::Result(raw) }) =
                read_message(&line)
            else {
                panic!("no result: {line:?}");
            };
            assert_eq!(got, id);
            let mut expected = json!({
                "content": [{"type": "text", "text": refusal.text()}],
                "isError": true,
                "_meta": {"ai.defenter/refusal": {
                    "code": -31001, "reasons": given, "retry": "never", "operation": "op-1",
                }},
            });
            if modern {
                expected["resultType"] = json!("complete");
            }
            assert_eq!(serde_json::from_slice::<serde_json::Value>(raw).unwrap(), expected);
        }
    }

    #[test]
    fn everything_else_is_refused_with_an_error() {
        let refusal = Refusal {
            operation: None,
            label: Label::Resource,
            ..refusal(Cause::OutcomeUnknown, Phase::Request, &[])
        };
        let line = refusal.answer(Id::parse(b"\"a\\u0062\"").unwrap(), RefusalForm::Error, true);
        let expected = format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":\"a\\u0062\",\"error\":{{\"code\":-31010,\"message\":\"{}\",\
             \"data\":{{\"code\":-31010,\"reasons\":[],\"retry\":\"after-check\"}}}}}}\n",
            refusal.text()
        );
        assert_eq!(String::from_utf8(line).unwrap(), expected);
    }

    #[test]
    fn a_call_as_a_task_is_refused_with_an_error() {
        let call = operation("tools/call");
        assert_eq!(form(&call, Some(b"{\"name\":\"x\"}")), RefusalForm::ToolResult);
        assert_eq!(form(&call, Some(b"{\"name\":\"x\",\"task\":{}}")), RefusalForm::Error);
        assert_eq!(form(&operation("prompts/get"), None), RefusalForm::Error);
    }

    #[test]
    fn only_what_did_not_happen_may_be_tried_again() {
        let fields = reasons(&["x"]);
        for (cause, phase, retry) in [
            (Cause::Blocked, Phase::Request, Retry::Never),
            (Cause::Denied, Phase::Request, Retry::Never),
            (Cause::ApprovalPending, Phase::Request, Retry::Same),
            (Cause::ApprovalPending, Phase::Response, Retry::Never),
            (Cause::NeedInfo(&fields), Phase::Request, Retry::Changed),
            (Cause::NeedInfo(&fields), Phase::Response, Retry::Never),
            (Cause::OutcomeUnknown, Phase::Request, Retry::AfterCheck),
            (Cause::Unavailable("it is gone"), Phase::Request, Retry::Same),
            (Cause::OverLimit("too long"), Phase::Request, Retry::Never),
            (Cause::Malformed(INVALID_REQUEST, "bad"), Phase::Request, Retry::Never),
        ] {
            assert_eq!(refusal(cause, phase, &[]).retry(), retry, "{cause:?} {phase:?}");
        }
    }

    #[test]
    fn reasons_are_bounded() {
        let given: Vec<String> = (0..1000).map(|_| "é".repeat(100_000)).collect();
        let line = refusal(Cause::Blocked, Phase::Request, &given).error(Id::NULL);
        assert!(line.len() < 4 * 2 * MAX_REASONS * MAX_REASON);
    }
}
