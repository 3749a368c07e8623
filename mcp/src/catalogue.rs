//! Every method of the protocol, and what it means for a guard that stands between.
//!
//! Owns: one table over both eras (revisions 2024-11-05 to 2026-07-28 and their official extensions).
//! Accepts: a method's name. Emits: an [`Operation`]. Promises: a method that is not in the table gets
//! a generic operation that inspects everything, never a refusal; labels are of a bounded set.

/// What a method is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `initialize`, `server/discover`, `notifications/initialized`.
    Handshake,
    /// `ping`.
    Ping,
    /// The `*/list` methods.
    List,
    /// `tools/call`.
    ToolCall,
    /// `resources/read`.
    ResourceRead,
    /// `prompts/get`.
    PromptGet,
    /// `completion/complete`.
    Completion,
    /// `sampling/createMessage`: the server asks the client's model.
    Sampling,
    /// `elicitation/create`: the server asks the user.
    Elicitation,
    /// `roots/list`: the server asks for the client's folders.
    Roots,
    /// `logging/setLevel`.
    LogLevel,
    /// `resources/subscribe` and `unsubscribe`, `subscriptions/listen`.
    Subscription,
    /// `tasks/*`.
    Task,
    /// `notifications/progress`.
    Progress,
    /// `notifications/cancelled`.
    Cancelled,
    /// `notifications/message`: the server's log.
    Log,
    /// Notifications that something changed.
    Notice,
    /// Anything else.
    Other,
}

/// Which part of a message's value (`params`, `result` or `error`) holds text to inspect.
///
/// Members that [`is_opaque`] names are outside of every part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inspect {
    /// None of it.
    Nothing,
    /// Only these members, with all that is in them.
    Members(&'static [&'static str]),
    /// All of it.
    All,
}

/// In what form a refusal reaches the one who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalForm {
    /// A result with `isError`, so that the model reads why.
    ToolResult,
    /// A JSON-RPC error.
    Error,
    /// Nothing: a notification is dropped.
    Silence,
}

/// The word with which the texts that an agent sees begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Label {
    /// A tool call.
    Tool,
    /// A resource read or followed.
    Resource,
    /// A prompt fetched.
    Prompt,
    /// A question to the client's model.
    Sampling,
    /// A question to the user.
    Elicitation,
    /// Anything else.
    Operation,
}

/// Who sends a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// Only a client.
    Client,
    /// Only a server.
    Server,
    /// Either.
    Both,
}

/// What there is to know about a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The method's name; `other` for one that is not in the table. Fit for a metric label.
    pub label: &'static str,
    /// What it is about.
    pub kind: Kind,
    /// Who sends it.
    pub sender: Sender,
    /// Whether it is a notification.
    pub notification: bool,
    /// The text in `params`.
    pub params: Inspect,
    /// The text in the answer's `result`. An `error` is always inspected whole.
    pub result: Inspect,
    /// Whether a person may be asked before it goes on. Handshakes, lists and pings never wait for
    /// one: clients give them up after five to ten seconds.
    pub may_wait: bool,
    /// How it is refused.
    pub refusal: RefusalForm,
    /// How the text of a refusal begins.
    pub text: Label,
    /// Whether it may be sent again to a new server process after the old one died with it
    /// unanswered. Only what reads, or sets what is set again by sending it twice.
    pub safe_to_resend: bool,
    /// The member of `params` that names what is asked for.
    pub subject: Option<&'static str>,
}

impl Label {
    /// The word itself.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tool => "Tool",
            Self::Resource => "Resource",
            Self::Prompt => "Prompt",
            Self::Sampling => "Sampling",
            Self::Elicitation => "Elicitation",
            Self::Operation => "Operation",
        }
    }
}

/// The operation of a method; a generic one where it is not known.
#[must_use]
pub fn operation(method: &str) -> Operation {
    known(method).unwrap_or(if method.starts_with("notifications/") {
        notification("other", Kind::Other, Sender::Both, Inspect::All)
    } else {
        OTHER
    })
}

/// Whether a method is in the table.
#[must_use]
pub fn is_known(method: &str) -> bool {
    known(method).is_some()
}

/// The method's name where it is known, else `other`: one of a bounded set.
#[must_use]
pub fn label(method: &str) -> &'static str {
    known(method).map_or(OTHER.label, |operation| operation.label)
}

/// Whether a member of this name is a token of the protocol's that is handed back as it came, so that
/// it is neither inspected nor redacted: an altered `requestState` fails its server's signature.
#[must_use]
pub fn is_opaque(member: &str) -> bool {
    matches!(
        member,
        "requestState"
            | "cursor"
            | "nextCursor"
            | "progressToken"
            | "requestId"
            | "taskId"
            | "io.modelcontextprotocol/subscriptionId"
    )
}

/// The method whose notification tells of a change in a list, by the capability that announces it.
pub const LIST_CHANGED: [(&str, &str, &str); 3] = [
    ("tools", "toolsListChanged", "notifications/tools/list_changed"),
    ("prompts", "promptsListChanged", "notifications/prompts/list_changed"),
    ("resources", "resourcesListChanged", "notifications/resources/list_changed"),
];

const OTHER: Operation = Operation {
    label: "other",
    kind: Kind::Other,
    sender: Sender::Both,
    notification: false,
    params: Inspect::All,
    result: Inspect::All,
    may_wait: true,
    refusal: RefusalForm::Error,
    text: Label::Operation,
    safe_to_resend: false,
    subject: None,
};

/// What a retried request carries of the user's answers (2026-07-28), besides what the method has.
const ANSWERS: &str = "inputResponses";

/// A request that is answered from what the server knows, and never waits for a person.
const fn quick(label: &'static str, kind: Kind, params: Inspect, result: Inspect) -> Operation {
    Operation {
        label,
        kind,
        sender: Sender::Client,
        params,
        result,
        may_wait: false,
        safe_to_resend: true,
        ..OTHER
    }
}

/// A request of the client's about one named thing.
const fn about(
    label: &'static str,
    kind: Kind,
    text: Label,
    subject: &'static str,
    params: &'static [&'static str],
) -> Operation {
    Operation {
        label,
        kind,
        sender: Sender::Client,
        params: Inspect::Members(params),
        text,
        safe_to_resend: true,
        subject: Some(subject),
        ..OTHER
    }
}

/// A request of the server's.
const fn asked(label: &'static str, kind: Kind, text: Label) -> Operation {
    Operation { label, kind, sender: Sender::Server, text, ..OTHER }
}

const fn notification(
    label: &'static str,
    kind: Kind,
    sender: Sender,
    params: Inspect,
) -> Operation {
    Operation {
        label,
        kind,
        sender,
        notification: true,
        params,
        result: Inspect::Nothing,
        may_wait: false,
        refusal: RefusalForm::Silence,
        ..OTHER
    }
}

const fn task(label: &'static str, params: Inspect, safe_to_resend: bool) -> Operation {
    Operation { label, kind: Kind::Task, params, safe_to_resend, subject: Some("taskId"), ..OTHER }
}

/// The table.
#[rustfmt::skip]
fn known(method: &str) -> Option<Operation> {
    use Inspect::{All, Members, Nothing};
    use Sender::{Both, Client, Server};
    Some(match method {
        // What both sides say of themselves; `instructions` and descriptions are read by the model.
        "initialize" => quick("initialize", Kind::Handshake, Nothing, All),
        "server/discover" => quick("server/discover", Kind::Handshake, Nothing, All),
        "ping" => Operation { sender: Both, ..quick("ping", Kind::Ping, Nothing, Nothing) },

        "tools/list" => quick("tools/list", Kind::List, Nothing, Members(&["tools"])),
        "resources/list" => quick("resources/list", Kind::List, Nothing, Members(&["resources"])),
        "resources/templates/list" => quick("resources/templates/list", Kind::List, Nothing, Members(&["resourceTemplates"])),
        "prompts/list" => quick("prompts/list", Kind::List, Nothing, Members(&["prompts"])),

        "tools/call" => Operation {
            refusal: RefusalForm::ToolResult,
            safe_to_resend: false,
            ..about("tools/call", Kind::ToolCall, Label::Tool, "name", &["arguments", ANSWERS])
        },
        "resources/read" => about("resources/read", Kind::ResourceRead, Label::Resource, "uri", &["uri", ANSWERS]),
        "prompts/get" => about("prompts/get", Kind::PromptGet, Label::Prompt, "name", &["arguments", ANSWERS]),
        // A user waits at the keyboard for each of these, so none waits for a person.
        "completion/complete" => Operation {
            may_wait: false,
            ..about("completion/complete", Kind::Completion, Label::Operation, "ref", &["argument", "context"])
        },

        "logging/setLevel" => quick("logging/setLevel", Kind::LogLevel, Nothing, Nothing),
        "resources/subscribe" => about("resources/subscribe", Kind::Subscription, Label::Resource, "uri", &["uri"]),
        "resources/unsubscribe" => Operation {
            may_wait: false,
            ..about("resources/unsubscribe", Kind::Subscription, Label::Resource, "uri", &["uri"])
        },
        // Its answer comes when it ends, so it is never sent again by the rule for reads but by its own.
        "subscriptions/listen" => Operation {
            safe_to_resend: false,
            ..quick("subscriptions/listen", Kind::Subscription, Members(&["notifications"]), All)
        },

        "tasks/get" => Operation { sender: Both, ..task("tasks/get", Nothing, true) },
        "tasks/result" => Operation { sender: Both, ..task("tasks/result", Nothing, true) },
        "tasks/list" => Operation { sender: Both, may_wait: false, subject: None, ..task("tasks/list", Nothing, true) },
        "tasks/cancel" => Operation { sender: Both, may_wait: false, ..task("tasks/cancel", Nothing, false) },
        "tasks/update" => Operation { sender: Client, ..task("tasks/update", Members(&[ANSWERS]), false) },

        "roots/list" => Operation { may_wait: false, ..asked("roots/list", Kind::Roots, Label::Operation) },
        "sampling/createMessage" => asked("sampling/createMessage", Kind::Sampling, Label::Sampling),
        "elicitation/create" => asked("elicitation/create", Kind::Elicitation, Label::Elicitation),

        "notifications/initialized" => notification("notifications/initialized", Kind::Handshake, Client, Nothing),
        "notifications/roots/list_changed" => notification("notifications/roots/list_changed", Kind::Notice, Client, Nothing),
        "notifications/cancelled" => notification("notifications/cancelled", Kind::Cancelled, Both, Members(&["reason"])),
        "notifications/progress" => notification("notifications/progress", Kind::Progress, Both, Members(&["message"])),
        "notifications/message" => notification("notifications/message", Kind::Log, Server, All),
        "notifications/tools/list_changed" => notification("notifications/tools/list_changed", Kind::Notice, Server, Nothing),
        "notifications/prompts/list_changed" => notification("notifications/prompts/list_changed", Kind::Notice, Server, Nothing),
        "notifications/resources/list_changed" => notification("notifications/resources/list_changed", Kind::Notice, Server, Nothing),
        "notifications/resources/updated" => notification("notifications/resources/updated", Kind::Notice, Server, All),
        "notifications/elicitation/complete" => notification("notifications/elicitation/complete", Kind::Notice, Server, Nothing),
        "notifications/subscriptions/acknowledged" => notification("notifications/subscriptions/acknowledged", Kind::Subscription, Server, Members(&["notifications"])),
        // A task's status text, and in the extension its whole result.
        "notifications/tasks/status" => notification("notifications/tasks/status", Kind::Task, Both, All),
        "notifications/tasks" => notification("notifications/tasks", Kind::Task, Server, All),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: &[&str] = &[
        "initialize",
        "server/discover",
        "ping",
        "tools/list",
        "resources/list",
        "resources/templates/list",
        "prompts/list",
        "tools/call",
        "resources/read",
        "prompts/get",
        "completion/complete",
        "logging/setLevel",
        "resources/subscribe",
        "resources/unsubscribe",
        "subscriptions/listen",
        "tasks/get",
        "tasks/result",
        "tasks/list",
        "tasks/cancel",
        "tasks/update",
        "roots/list",
        "sampling/createMessage",
        "elicitation/create",
        "notifications/initialized",
        "notifications/roots/list_changed",
        "notifications/cancelled",
        "notifications/progress",
        "notifications/message",
        "notifications/tools/list_changed",
        "notifications/prompts/list_changed",
        "notifications/resources/list_changed",
        "notifications/resources/updated",
        "notifications/elicitation/complete",
        "notifications/subscriptions/acknowledged",
        "notifications/tasks/status",
        "notifications/tasks",
    ];

    #[test]
    fn every_method_is_labelled_by_its_name() {
        for method in ALL {
            let operation = operation(method);
            assert_eq!(operation.label, *method);
            assert!(is_known(method));
            assert_eq!(operation.notification, method.starts_with("notifications/"));
            assert_eq!(operation.notification, operation.refusal == RefusalForm::Silence);
        }
    }

    #[test]
    fn unknown_methods_are_inspected_whole() {
        for method in ["", "vendor/do", "tools/Call", "TOOLS/CALL", "notifications/vendor"] {
            let operation = operation(method);
            assert!(!is_known(method));
            assert_eq!((operation.label, label(method)), ("other", "other"));
            assert_eq!(operation.params, Inspect::All);
            assert!(!operation.safe_to_resend);
        }
    }

    #[test]
    fn handshakes_lists_and_pings_never_wait() {
        for method in ALL {
            let operation = operation(method);
            if matches!(operation.kind, Kind::Handshake | Kind::List | Kind::Ping | Kind::Roots) {
                assert!(!operation.may_wait, "{method}");
            }
        }
        assert!(operation("tools/call").may_wait);
    }

    #[test]
    fn what_acts_is_never_sent_again() {
        for method in [
            "tools/call",
            "tasks/cancel",
            "tasks/update",
            "sampling/createMessage",
            "elicitation/create",
            "subscriptions/listen",
        ] {
            assert!(!operation(method).safe_to_resend, "{method}");
        }
    }

    #[test]
    fn only_tool_calls_are_refused_as_results() {
        for method in ALL {
            let as_result = operation(method).refusal == RefusalForm::ToolResult;
            assert_eq!(as_result, *method == "tools/call");
        }
    }
}
