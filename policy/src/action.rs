//! The actions of the policy language: one for each method and phase.
//!
//! Owns: which methods have an action of their own, and the groups they belong to.
//! Promises: every operation has exactly one action; methods that are not known fall under `other`.

use crate::facts::Phase;

/// A method that has an action of its own.
struct Method {
    name: &'static str,
    /// A group of requests besides `requests`.
    group: Option<&'static str>,
    /// Whether its answer holds definitions that a model reads.
    defines: bool,
    /// Whether it may wait for a person. Clients give up on a handshake or a list after seconds.
    waits: bool,
}

const fn method(name: &'static str) -> Method {
    Method { name, group: None, defines: false, waits: true }
}

const fn handshake(name: &'static str, defines: bool) -> Method {
    Method { name, group: Some("handshakes"), defines, waits: false }
}

const fn list(name: &'static str, defines: bool) -> Method {
    Method { name, group: Some("lists"), defines, waits: false }
}

const fn of_server(name: &'static str) -> Method {
    Method { name, group: Some("server-requests"), defines: false, waits: true }
}

/// Methods of MCP 2024-11-05 to 2026-07-28.
const METHODS: &[Method] = &[
    method("tools/call"),
    handshake("initialize", true),
    handshake("server/discover", true),
    handshake("ping", false),
    list("tools/list", true),
    list("prompts/list", true),
    list("resources/list", true),
    list("resources/templates/list", true),
    list("tasks/list", false),
    method("resources/read"),
    method("resources/subscribe"),
    method("resources/unsubscribe"),
    method("subscriptions/listen"),
    method("prompts/get"),
    method("completion/complete"),
    Method { name: "logging/setLevel", group: None, defines: false, waits: false },
    method("tasks/get"),
    method("tasks/result"),
    method("tasks/update"),
    Method { name: "tasks/cancel", group: None, defines: false, waits: false },
    of_server("sampling/createMessage"),
    of_server("elicitation/create"),
    of_server("roots/list"),
    method("other"),
];

/// An action, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Action(usize);

/// How many actions there are: two for each method, and one for all notifications.
pub(crate) const COUNT: usize = METHODS.len() * 2 + 1;

/// Names of the groups.
pub(crate) const GROUPS: [&str; 7] = [
    "requests",
    "results",
    "notifications",
    "handshakes",
    "lists",
    "server-requests",
    "definitions",
];

impl Action {
    /// The action of an operation.
    pub(crate) fn of(method: &str, phase: Phase) -> Self {
        let row = METHODS.iter().position(|row| row.name == method).unwrap_or(METHODS.len() - 1);
        match phase {
            Phase::Request => Self(row),
            Phase::Result => Self(METHODS.len() + row),
            Phase::Notification => Self(COUNT - 1),
        }
    }

    /// All actions.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0..COUNT).map(Self)
    }

    /// The number, below [`COUNT`].
    pub(crate) fn index(self) -> usize {
        self.0
    }

    /// The id in policies.
    pub(crate) fn id(self) -> String {
        match self.row() {
            Some((row, Phase::Result)) => format!("{}.result", row.name),
            Some((row, _)) => row.name.to_owned(),
            None => "notification".to_owned(),
        }
    }

    /// The groups that it belongs to.
    pub(crate) fn groups(self) -> Vec<&'static str> {
        match self.row() {
            Some((row, Phase::Result)) if row.defines => vec!["results", "definitions"],
            Some((_, Phase::Result)) => vec!["results"],
            Some((row, _)) => ["requests"].into_iter().chain(row.group).collect(),
            None => vec!["notifications"],
        }
    }

    /// Whether its resource is a tool (otherwise the server).
    pub(crate) fn on_tool(self) -> bool {
        self.row().is_some_and(|(row, _)| row.name == "tools/call")
    }

    /// Whether it may wait for a person.
    pub(crate) fn waits(self) -> bool {
        self.row().is_some_and(|(row, _)| row.waits)
    }

    fn row(self) -> Option<(&'static Method, Phase)> {
        let phase = if self.0 < METHODS.len() { Phase::Request } else { Phase::Result };
        (self.0 < COUNT - 1).then(|| (&METHODS[self.0 % METHODS.len()], phase))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_an_action() {
        for (method, phase, wanted) in [
            ("tools/call", Phase::Request, "tools/call"),
            ("tools/call", Phase::Result, "tools/call.result"),
            ("no/such", Phase::Request, "other"),
            ("no/such", Phase::Result, "other.result"),
            ("notifications/progress", Phase::Notification, "notification"),
        ] {
            assert_eq!(Action::of(method, phase).id(), wanted);
        }
        let ids: std::collections::BTreeSet<_> = Action::all().map(Action::id).collect();
        assert_eq!(ids.len(), COUNT);
    }

    #[test]
    fn handshakes_lists_and_notifications_wait_for_nobody() {
        for action in Action::all() {
            let groups = action.groups();
            let quick = groups.contains(&"handshakes")
                || groups.contains(&"lists")
                || groups.contains(&"definitions")
                || groups.contains(&"notifications");
            assert!(!(quick && action.waits()), "{}", action.id());
        }
    }
}
