//! The values that labels may take.
//!
//! - Owns: the closed enums of label values, and the bounded registry of (server, client) pairs.
//! - Promises: at most [`MAX_LABEL_PAIRS`] pairs are told apart, each part printable and at most
//!   [`MAX_LABEL_CHARS`] characters; what comes later is counted under [`OTHER`].

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};

use metrics::SharedString;

/// How many (server, client) pairs get series of their own. People configure tens; the limit is
/// there so that a config file that changes for ever cannot grow the supervisor.
pub const MAX_LABEL_PAIRS: usize = 200;
/// How many characters of a server's or client's name a label shows.
pub const MAX_LABEL_CHARS: usize = 64;
/// The label of everything beyond the limit.
pub const OTHER: &str = "other";

static PAIRS: LazyLock<Mutex<PairRegistry>> =
    LazyLock::new(|| Mutex::new(PairRegistry::new(MAX_LABEL_PAIRS)));
static GUARDED: AtomicBool = AtomicBool::new(false);

/// The `server` and `client` labels of one wrapped server, bounded.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LabelPair {
    /// The server's name, as the client's config has it.
    pub server: SharedString,
    /// The client's identifier, such as `cursor`.
    pub client: SharedString,
}

/// Which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the client to the server.
    ToServer,
    /// From the server to the client.
    ToClient,
}

/// What was decided about an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Decision {
    /// Forwarded as it came.
    Allow,
    /// Forwarded redacted.
    Redact,
    /// Put to the user; [`super::CONFIRMATIONS`] has the answers.
    Confirm,
    /// Sent back for more information.
    NeedInfo,
    /// Refused.
    Block,
}

/// Why a server was started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RestartReason {
    /// It ended with an exit code other than 0.
    Exit,
    /// A signal ended it.
    Signal,
    /// It could not be started at all.
    SpawnFailed,
    /// It did not answer within its deadline and was stopped.
    Hang,
    /// Somebody asked for it.
    Requested,
    /// Its entry in a config file changed.
    ConfigChanged,
}

/// A bounded queue. There is none of messages: where one side is slow, the other is not read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Queue {
    /// Operations that wait for a person.
    Parked,
    /// Questions that wait for the dialog.
    Questions,
    /// Big bodies that wait for a place in the pool, or are in it.
    Redaction,
}

/// Where a payload is looked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// Where it was read.
    Inline,
    /// In the pool for large ones.
    Pool,
}

/// Why something was not carried on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DropReason {
    /// A server wrote something on its standard output that is no message.
    Noise,
    /// A line was longer than the limit.
    Oversize,
    /// The last line had no end.
    Partial,
    /// A message could be read two ways, or not at all.
    Malformed,
    /// An answer to no open request.
    Unmatched,
    /// A limit on what may be in flight was reached.
    OverLimit,
    /// An event for watchers that did not keep up.
    Event,
}

/// Hands out label pairs, up to a limit.
#[derive(Debug)]
struct PairRegistry {
    limit: usize,
    known: HashMap<(String, String), LabelPair>,
}

/// From now on label values are kept within bounds. Before that nobody records them, and a shim
/// that works alone need not pay for it.
pub(super) fn guard_values() {
    GUARDED.store(true, Ordering::Release);
}

impl LabelPair {
    /// The labels of one wrapped server.
    #[must_use]
    pub fn new(server: &str, client: &str) -> Self {
        if !GUARDED.load(Ordering::Acquire) {
            return Self::other();
        }
        PAIRS.lock().unwrap_or_else(PoisonError::into_inner).pair(server, client)
    }

    fn other() -> Self {
        Self { server: SharedString::const_str(OTHER), client: SharedString::const_str(OTHER) }
    }
}

impl PairRegistry {
    fn new(limit: usize) -> Self {
        Self { limit, known: HashMap::new() }
    }

    fn pair(&mut self, server: &str, client: &str) -> LabelPair {
        let key = (printable(server), printable(client));
        if let Some(pair) = self.known.get(&key) {
            return pair.clone();
        }
        if self.known.len() >= self.limit {
            return LabelPair::other();
        }
        let pair = LabelPair {
            server: SharedString::from(key.0.clone()),
            client: SharedString::from(key.1.clone()),
        };
        self.known.insert(key, pair.clone());
        pair
    }
}

/// A name as a label may show it: shortened, without characters that a reader cannot see, and
/// without the two that the exposition format escapes and readers of it get wrong.
fn printable(name: &str) -> String {
    let mut label: String = name
        .chars()
        .take(MAX_LABEL_CHARS)
        .map(|c| match c {
            '\\' | '"' => '_',
            hidden if crate::dialog::is_hidden(hidden) => '\u{fffd}',
            plain => plain,
        })
        .collect();
    if label.is_empty() {
        label.push_str("unnamed");
    }
    label
}

impl Direction {
    /// Every direction.
    pub const ALL: [Self; 2] = [Self::ToServer, Self::ToClient];

    /// The label's value.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::ToServer => "to_server",
            Self::ToClient => "to_client",
        }
    }
}

impl Place {
    /// Every place.
    pub const ALL: [Self; 2] = [Self::Inline, Self::Pool];

    /// The label's value.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Inline => "inline",
            Self::Pool => "pool",
        }
    }
}

impl Decision {
    /// The label's value.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Redact => "redact",
            Self::Confirm => "confirm",
            Self::NeedInfo => "need_info",
            Self::Block => "block",
        }
    }
}

impl RestartReason {
    /// Every reason.
    pub const ALL: [Self; 6] = [
        Self::Exit,
        Self::Signal,
        Self::SpawnFailed,
        Self::Hang,
        Self::Requested,
        Self::ConfigChanged,
    ];

    /// The label's value.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Exit => "exit",
            Self::Signal => "signal",
            Self::SpawnFailed => "spawn_failed",
            Self::Hang => "hang",
            Self::Requested => "requested",
            Self::ConfigChanged => "config_changed",
        }
    }
}

impl Queue {
    /// Every queue.
    pub const ALL: [Self; 3] = [Self::Parked, Self::Questions, Self::Redaction];

    /// The label's value.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Parked => "parked",
            Self::Questions => "questions",
            Self::Redaction => "redaction",
        }
    }
}

impl DropReason {
    /// Every reason.
    pub const ALL: [Self; 7] = [
        Self::Noise,
        Self::Oversize,
        Self::Partial,
        Self::Malformed,
        Self::Unmatched,
        Self::OverLimit,
        Self::Event,
    ];

    /// The label's value.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Noise => "noise",
            Self::Oversize => "oversize",
            Self::Partial => "partial",
            Self::Malformed => "malformed",
            Self::Unmatched => "unmatched",
            Self::OverLimit => "over_limit",
            Self::Event => "event",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_beyond_the_limit_are_other() {
        let mut registry = PairRegistry::new(2);
        let first = registry.pair("a", "x");
        registry.pair("a", "y");
        assert_eq!(registry.pair("b", "x"), LabelPair::other());
        assert_eq!(registry.pair("a", "x"), first, "a known pair keeps its labels");
        assert_eq!(registry.known.len(), 2);
    }

    #[test]
    fn names_are_shortened_and_made_printable() {
        let mut registry = PairRegistry::new(10);
        let long = registry.pair(&"é".repeat(5_000), "c");
        assert_eq!(long.server.chars().count(), MAX_LABEL_CHARS);
        let hidden = registry.pair("a\nb\u{202e}c", "");
        assert_eq!(&*hidden.server, "a\u{fffd}b\u{fffd}c");
        assert_eq!(&*registry.pair(r#"a\"b"#, "c").server, "a__b");
        assert_eq!(&*hidden.client, "unnamed");
    }
}
