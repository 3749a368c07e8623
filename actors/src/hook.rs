//! What becomes of an operation that a client's hook tells of: the way of every other operation,
//! with an answer in place of a forwarded message.
//!
//! Owns: nothing. Accepts: [`HookCall`] and what the operation carries, both redacted before they
//! are kept or shown. Emits: [`HookVerdict`].
//! Promises: a call that the proxy sees is left to the proxy and counted there; what has happened
//! already is never asked about; what cannot be decided is denied.

use std::{future::Future, path::Path, sync::Arc, time::Duration};

use defenter_mcp::{
    catalogue,
    hook::{HookCall, HookVerdict},
};
use defenter_policy::{Direction, Phase};
use defenter_redact::Redactor;

use crate::{
    dialog::actor::Reply,
    gate::{self, Came, Doubt, Learned, Operation, Parties, Refused, Ruling, Settled, Why},
    metrics::{self, SessionMetrics},
    operation_id,
    shared::Shared,
    status::ServerView,
};

pub use crate::gate::DISPLAY_VARIABLES;

/// The longest that a question of ours holds a hook. Several clients give a hook up after 30 s, and
/// then go on as if it had allowed.
const HOLD: Duration = Duration::from_secs(25);
/// The longest name that is kept of what a client says of itself, in characters.
const MAX_NAME: usize = 128;
/// The longest folder that is kept, in characters.
const MAX_FOLDER: usize = 1024;

impl Shared {
    /// Decides on what a hook tells. `gone` resolves when nobody waits for the verdict any more.
    pub(crate) async fn judge(
        self: &Arc<Self>,
        call: &HookCall,
        payload: &[u8],
        gone: impl Future<Output = ()> + Send,
    ) -> HookVerdict {
        let came = Came::now(None);
        let limits = **self.limits.load();
        let parties = Arc::new(parties(call, self.redactors.load().plain(), self.home.as_deref()));
        let metrics = SessionMetrics::without_session("hook", &parties.client);
        let id = operation_id::new();
        let operation = operation(call, &id, payload);
        let ruling =
            self.rule(&parties, &metrics, &operation, limits.payload, limits.open, came).await;
        let direction = match operation.direction {
            Direction::ToServer => metrics::Direction::ToServer,
            Direction::ToClient => metrics::Direction::ToClient,
        };
        metrics.operation(operation.known.label, direction, ruling.metric());
        metrics.added(direction, came.at.elapsed());
        let settled = match ruling {
            Ruling::Settled(settled) => settled,
            Ruling::Ask(doubt) if call.client_asks => {
                let text = with_id(&doubt.reasons_text(), &id);
                match self.handed_over(*doubt).await {
                    Settled::Forward => return HookVerdict::Ask { text },
                    settled => settled,
                }
            }
            Ruling::Ask(doubt) => self.ask_about(&parties, &operation, *doubt, gone).await,
        };
        self.verdict(&parties, &operation, settled).await
    }

    /// Asks the user ourselves.
    async fn ask_about(
        self: &Arc<Self>,
        parties: &Parties,
        operation: &Operation<'_>,
        doubt: Doubt,
        gone: impl Future<Output = ()> + Send,
    ) -> Settled {
        let limits = **self.limits.load();
        if !limits.ask {
            return self.unasked(doubt).await;
        }
        let key = gate::question_key(&parties.session, operation);
        let (question, environment) = (doubt.question.clone(), parties.environment.clone());
        let asking = self.dialog.ask(key, question, environment, limits.hold.min(HOLD));
        let reply = tokio::select! {
            biased;
            reply = asking => reply,
            () = gone => {
                self.withdrawn(doubt).await;
                return Settled::Refuse(Refused { why: Why::Denied, reasons: Vec::new() });
            }
        };
        let answer = match reply {
            Reply::Answered(answer) => Some(answer),
            Reply::StillOpen => None,
        };
        self.answered(doubt, answer).await
    }

    async fn verdict(
        &self,
        parties: &Parties,
        operation: &Operation<'_>,
        settled: Settled,
    ) -> HookVerdict {
        let refused = match settled {
            Settled::Forward => return HookVerdict::Allow,
            Settled::Refuse(refused) => refused,
            // A hook is told of what goes on elsewhere, and cannot take anything out of it.
            Settled::Replace(_) => {
                let why = "a policy wants this redacted, which a hook cannot do";
                self.record_unaltered(parties, operation, why).await;
                Refused { why: Why::Blocked, reasons: vec![why.to_owned()] }
            }
        };
        let text = with_id(&refused.refusal(operation).text(), operation.id);
        HookVerdict::Deny { text }
    }
}

/// Whether the proxy sees the call itself: a session of the same client with that server is open.
#[cfg_attr(not(unix), expect(dead_code, reason = "only the local socket asks, which is Unix's"))]
pub(crate) fn is_proxied(call: &HookCall, servers: &[ServerView]) -> bool {
    let Some(name) = &call.mcp else { return false };
    // A server that somebody wrapped by hand does not say whose it is.
    let of_client =
        |server: &ServerView| server.client == call.client || server.client == "unknown";
    servers
        .iter()
        .any(|server| !server.sessions.is_empty() && of_client(server) && name.is_of(&server.name))
}

fn with_id(text: &str, id: &str) -> String {
    format!("{text} (operation {id})")
}

fn operation<'a>(call: &'a HookCall, id: &'a str, payload: &'a [u8]) -> Operation<'a> {
    let known = catalogue::operation(&call.method);
    Operation {
        id,
        direction: if call.happened { Direction::ToClient } else { Direction::ToServer },
        phase: if call.happened { Phase::Result } else { Phase::Request },
        method: &call.method,
        known: catalogue::Operation {
            may_wait: known.may_wait && !call.happened,
            // The words that users of Defenter 0.0.96 know from its hooks.
            text: catalogue::Label::Operation,
            ..known
        },
        target: call.target.as_deref(),
        payload,
    }
}

fn parties(call: &HookCall, redactor: &Redactor, home: Option<&Path>) -> Parties {
    let clean = |text: &str, most: usize| -> String {
        let short: String = text.chars().take(most).collect();
        String::from_utf8_lossy(&redactor.scan_text(short.as_bytes()).apply(short.as_bytes()))
            .into_owned()
    };
    let client = clean(&call.client, MAX_NAME);
    let session: String = clean(&call.session, MAX_NAME).chars().filter(|c| is_of_id(*c)).collect();
    let is_display = |(key, _): &&(String, String)| DISPLAY_VARIABLES.contains(&key.as_str());
    let environment = call.environment.iter().filter(is_display);
    Parties {
        session: session.as_str().into(),
        server: clean(&call.server, MAX_NAME).into(),
        identity: format!("a hook of {client}"),
        client: client.into(),
        workspace: call.cwd.as_deref().map(|cwd| clean(cwd, MAX_FOLDER)),
        environment: environment.map(|(key, value)| (key.into(), value.into())).collect(),
        destructive: call.destructive,
        learned: Arc::new(Learned::of(call.cwd.as_deref().map(Path::new), home)),
        numbers: Arc::default(),
    }
}

fn is_of_id(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '#' | '.')
}

#[cfg(test)]
mod tests {
    use defenter_mcp::hook::McpName;

    use super::*;
    use crate::status::{ServerState, SessionView};

    fn call(mcp: Option<McpName>) -> HookCall {
        HookCall {
            version: 1,
            client: "cursor".into(),
            session: "s 1\u{1b}[0m".into(),
            server: "hook:cursor".into(),
            mcp,
            method: "tools/call".into(),
            target: Some("shell".into()),
            cwd: Some("/w".into()),
            happened: false,
            client_asks: false,
            destructive: false,
            environment: vec![("DISPLAY".into(), ":0".into()), ("TOKEN".into(), "x".into())],
        }
    }

    fn server(client: &str, sessions: usize) -> ServerView {
        let session = SessionView {
            id: "1".into(),
            pid: None,
            started: String::new(),
            generation: 1,
            operations: 0,
            unresponsive_s: None,
        };
        ServerView {
            name: "files".into(),
            client: client.into(),
            scope: "user".into(),
            state: ServerState::Ready,
            sessions: vec![session; sessions],
            restarts: 0,
            last_exit: None,
            quarantined: None,
        }
    }

    #[test]
    fn only_an_open_session_of_the_same_client_is_seen_by_the_proxy() {
        let files = || Some(McpName::Server("files".into()));
        assert!(is_proxied(&call(files()), &[server("cursor", 1)]));
        assert!(is_proxied(&call(files()), &[server("unknown", 1)]));
        for (mcp, servers) in [
            (files(), vec![server("cursor", 0)]),
            (files(), vec![server("claude-code", 1)]),
            (files(), vec![]),
            (Some(McpName::Server("other".into())), vec![server("cursor", 1)]),
            (None, vec![server("cursor", 1)]),
        ] {
            assert!(!is_proxied(&call(mcp.clone()), &servers), "{mcp:?} {servers:?}");
        }
    }

    #[test]
    fn what_has_happened_is_never_asked_about() {
        let mut call = call(None);
        assert!(operation(&call, "1", b"{}").known.may_wait);
        call.happened = true;
        let operation = operation(&call, "1", b"{}");
        assert!(!operation.known.may_wait && operation.phase == Phase::Result);
    }

    #[test]
    fn nothing_but_display_variables_and_the_letters_of_ids_is_kept() {
        let parties = parties(&call(None), &Redactor::builtin(), None);
        assert_eq!(parties.environment, [("DISPLAY".into(), ":0".into())]);
        assert_eq!(&*parties.session, "s10m");
    }
}
