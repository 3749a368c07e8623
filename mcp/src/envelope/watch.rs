//! The keys that policy reads, and what could be taken for them.
//!
//! Owns: the lists of protocol keys. Accepts: the keys of one object. Emits: which protocol keys it
//! has, and which under another spelling. Promises: a key is compared decoded, and as the laxest
//! known parsers would: without regard to case, up to a NUL, or with NULs left out.

use super::Fault;
use crate::json::Text;

/// The keys of a message.
pub(super) const ENVELOPE_KEYS: &[&str] = &["jsonrpc", "id", "method", "params", "result", "error"];

/// The keys under `params` that policy or recovery reads, in either era, either direction.
pub(super) const PARAMS_KEYS: &[&str] = &[
    "name",
    "uri",
    "arguments",
    "_meta",
    "task",
    "taskId",
    "inputResponses",
    "requestState",
    "requestId",
    "progressToken",
    "ref",
    "argument",
    "context",
    "level",
    "protocolVersion",
    "capabilities",
    "clientInfo",
    "notifications",
    "messages",
    "message",
    "mode",
    "url",
    "requestedSchema",
    "systemPrompt",
    "tools",
];

/// The keys under `result` that policy or recovery reads.
pub(super) const RESULT_KEYS: &[&str] = &[
    "resultType",
    "inputRequests",
    "requestState",
    "isError",
    "content",
    "structuredContent",
    "contents",
    "messages",
    "tools",
    "prompts",
    "resources",
    "resourceTemplates",
    "instructions",
    "protocolVersion",
    "capabilities",
    "serverInfo",
    "_meta",
];

/// Of [`RESULT_KEYS`], those whose look-alike is refused even when the key itself is not there: they
/// turn a result into a question to the user.
pub(super) const RESULT_KEYS_ALONE: &[&str] = &["resultType", "inputRequests", "requestState"];

/// The keys under `_meta` that policy or recovery reads.
pub(super) const META_KEYS: &[&str] = &[
    "progressToken",
    "io.modelcontextprotocol/protocolVersion",
    "io.modelcontextprotocol/clientCapabilities",
    "io.modelcontextprotocol/clientInfo",
    "io.modelcontextprotocol/logLevel",
    "io.modelcontextprotocol/subscriptionId",
    "io.modelcontextprotocol/related-task",
];

/// The members of a result that policy looks into, so that no object in them may have a key twice.
/// What is not here may be a tool's own data (`structuredContent`) and is only searched for text.
pub(super) const RESULT_KEYS_DEEP: &[&str] = &[
    "inputRequests",
    "content",
    "contents",
    "messages",
    "tools",
    "prompts",
    "resources",
    "resourceTemplates",
    "capabilities",
    "serverInfo",
    "task",
];

/// Which protocol keys an object has, and which of them under another spelling.
pub(super) struct Watch {
    keys: &'static [&'static str],
    exact: u64,
    alike: u64,
}

/// What [`Watch::note`] found.
pub(super) enum Seen {
    /// A protocol key, for the first time.
    New(&'static str),
    /// A protocol key that was there before.
    Again,
    /// A look-alike, or no protocol key.
    Other,
}

impl Watch {
    pub(super) fn new(keys: &'static [&'static str]) -> Self {
        debug_assert!(keys.len() <= 64);
        Self { keys, exact: 0, alike: 0 }
    }

    pub(super) fn note(&mut self, key: Text<'_>) -> Seen {
        if !key.is_escaped() && key.raw.is_ascii() {
            return self.note_plain(key.raw);
        }
        let decoded = key.decoded();
        if let Some(n) = self.keys.iter().position(|k| k.as_bytes() == &*decoded) {
            return self.note_exact(n);
        }
        // Longer than any protocol key however it is disguised: not worth folding.
        let text = String::from_utf8_lossy(&decoded[..decoded.len().min(256)]);
        let without_nul: String = text.chars().filter(|&c| c != '\0').map(fold).collect();
        let until_nul: String = text.chars().take_while(|&c| c != '\0').map(fold).collect();
        for (n, known) in self.keys.iter().enumerate() {
            if known.eq_ignore_ascii_case(&without_nul) || known.eq_ignore_ascii_case(&until_nul) {
                self.alike |= 1 << n;
            }
        }
        Seen::Other
    }

    fn note_plain(&mut self, key: &[u8]) -> Seen {
        for (n, known) in self.keys.iter().enumerate() {
            if known.len() == key.len() && known.as_bytes().eq_ignore_ascii_case(key) {
                if known.as_bytes() == key {
                    return self.note_exact(n);
                }
                self.alike |= 1 << n;
                return Seen::Other;
            }
        }
        Seen::Other
    }

    fn note_exact(&mut self, n: usize) -> Seen {
        let before = self.exact;
        self.exact |= 1 << n;
        if before == self.exact { Seen::Again } else { Seen::New(self.keys[n]) }
    }

    /// The first protocol key that has a look-alike here.
    pub(super) fn alike(&self) -> Option<&'static str> {
        self.keys.get(self.alike.trailing_zeros() as usize).copied()
    }

    /// Refuses a look-alike that stands beside the key itself.
    pub(super) fn refuse_twins(&self) -> Result<(), Fault> {
        let twins = Self { alike: self.alike & self.exact, ..*self };
        twins.refuse_alike(|_| true)
    }

    /// Refuses a look-alike of a key that `matters`.
    pub(super) fn refuse_alike(&self, matters: impl Fn(&str) -> bool) -> Result<(), Fault> {
        let mut alike = self.keys.iter().enumerate().filter(|(n, _)| self.alike >> n & 1 == 1);
        match alike.find(|(_, key)| matters(key)) {
            Some((_, key)) => Err(Fault::LookAlikeKey { key }),
            None => Ok(()),
        }
    }
}

/// The two characters outside ASCII that simple case folding takes for ASCII letters.
fn fold(c: char) -> char {
    match c {
        '\u{212A}' => 'k',
        '\u{017F}' => 's',
        other => other,
    }
}
