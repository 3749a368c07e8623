//! What is recorded of one operation.
//!
//! Owns: the fields of a record and their limits. Accepts: redacted content. Emits: JSON.
//! Promises: a record is one line; no field that a peer can fill grows past its limit.

use std::fmt;
use std::sync::Arc;

use serde::ser::SerializeSeq;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::time::Timestamp;

/// Longest text of a field, in bytes; more is cut and marked with `…`.
const MAX_TEXT: usize = 1024;
/// Most rules, reasons or findings in a record.
const MAX_ITEMS: usize = 64;

/// What is recorded of one operation. A request and its result share the id.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Record {
    /// The operation's id.
    #[serde(serialize_with = "text")]
    pub id: Arc<str>,
    /// When it was decided.
    pub time: Timestamp,
    /// The session's id.
    #[serde(serialize_with = "text")]
    pub session: Arc<str>,
    /// The client's id.
    #[serde(serialize_with = "text")]
    pub client: Arc<str>,
    /// The server's name.
    #[serde(serialize_with = "text")]
    pub server: Arc<str>,
    /// The method, also for a result.
    #[serde(serialize_with = "text")]
    pub method: Arc<str>,
    /// `to-server` or `to-client`.
    #[serde(serialize_with = "text")]
    pub direction: Arc<str>,
    /// `request`, `result` or `notification`.
    #[serde(serialize_with = "text")]
    pub phase: Arc<str>,
    /// The tool, prompt or resource that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "optional_text")]
    pub tool: Option<Arc<str>>,
    /// What was decided: `allow`, `redact`, `confirm`, `need-info` or `block`.
    #[serde(serialize_with = "text")]
    pub decision: Arc<str>,
    /// What the rules asked for, where that was not enforced.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "optional_text")]
    pub wanted: Option<Arc<str>>,
    /// The rules that fired.
    #[serde(default, skip_serializing_if = "Vec::is_empty", serialize_with = "items")]
    pub rules: Vec<RuleRef>,
    /// The reasons, as they were given to the user and the agent.
    #[serde(default, skip_serializing_if = "Vec::is_empty", serialize_with = "texts")]
    pub reasons: Vec<Arc<str>>,
    /// What the redactor found, by kind.
    #[serde(default, skip_serializing_if = "Vec::is_empty", serialize_with = "items")]
    pub findings: Vec<FindingSummary>,
    /// Why something that the redactor found was left alone, for each exception that did so.
    #[serde(default, skip_serializing_if = "Vec::is_empty", serialize_with = "texts")]
    pub exceptions: Vec<Arc<str>>,
    /// What the user answered, if somebody was asked.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "optional_text")]
    pub answer: Option<Arc<str>>,
    /// What became of it.
    pub outcome: Outcome,
    /// Size of the payload as it came, in bytes.
    pub size: u64,
    /// The redacted payload, or the beginning of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Payload>,
}

/// A rule that fired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleRef {
    /// The rule's id.
    #[serde(serialize_with = "text")]
    pub id: Arc<str>,
    /// Where it comes from.
    #[serde(serialize_with = "text")]
    pub layer: Arc<str>,
    /// What this rule alone asked for.
    #[serde(serialize_with = "text")]
    pub effect: Arc<str>,
}

/// How often the redactor found something of a kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingSummary {
    /// The kind's label.
    #[serde(serialize_with = "text")]
    pub kind: Arc<str>,
    /// How often.
    pub count: u64,
}

/// What became of an operation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Outcome {
    /// Forwarded as it came.
    Forwarded,
    /// Forwarded as the redacted copy.
    Redacted,
    /// Refused.
    #[default]
    Refused,
    /// Given up before it was decided: the caller cancelled it or went away.
    Cancelled,
    /// Written by a newer version that knows more outcomes.
    #[serde(other)]
    Unknown,
}

/// A redacted payload: raw JSON, whole or cut.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Payload(Box<RawValue>);

/// What stands for a payload that is too long or no JSON.
#[derive(Serialize)]
struct Cut<'a> {
    truncated: bool,
    valid: bool,
    size: usize,
    head: &'a str,
}

impl Payload {
    /// Takes the redacted copy of a payload. One that is longer than `limit` bytes becomes
    /// `{"truncated":true,"valid":…,"size":…,"head":"…"}` with its first `limit` bytes as text; so
    /// does one that is not JSON (`"valid":false`). An empty one is `None`.
    pub fn new(redacted: &[u8], limit: usize) -> Option<Self> {
        if redacted.is_empty() {
            return None;
        }
        if redacted.len() <= limit
            && let Some(whole) = whole(redacted)
        {
            return Some(Self(whole));
        }
        let head = &redacted[..redacted.len().min(limit)];
        let cut = Cut {
            truncated: redacted.len() > limit,
            valid: redacted.len() > limit,
            size: redacted.len(),
            // Half a character at the end is left out.
            head: head.utf8_chunks().next().map_or("", |chunk| chunk.valid()),
        };
        serde_json::value::to_raw_value(&cut).ok().map(Self)
    }

    /// The payload as JSON text.
    pub fn get(&self) -> &str {
        self.0.get()
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.0.get().len())
    }
}

/// A payload that is JSON, on one line: a line break in JSON stands only between tokens.
fn whole(redacted: &[u8]) -> Option<Box<RawValue>> {
    let text = str::from_utf8(redacted).ok()?;
    let text = if memchr::memchr2(b'\n', b'\r', redacted).is_some() {
        text.replace(['\n', '\r'], " ")
    } else {
        text.to_owned()
    };
    RawValue::from_string(text).ok()
}

fn cut(value: &str) -> Option<String> {
    if value.len() <= MAX_TEXT {
        return None;
    }
    let mut end = MAX_TEXT;
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    Some(format!("{}…", &value[..end]))
}

fn text<S: Serializer>(value: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    match cut(value) {
        None => serializer.serialize_str(value),
        Some(cut) => serializer.serialize_str(&cut),
    }
}

fn optional_text<S: Serializer>(
    value: &Option<Arc<str>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        None => serializer.serialize_none(),
        Some(value) => text(value, serializer),
    }
}

fn texts<S: Serializer>(values: &[Arc<str>], serializer: S) -> Result<S::Ok, S::Error> {
    let mut seq = serializer.serialize_seq(None)?;
    for value in values.iter().take(MAX_ITEMS) {
        match cut(value) {
            None => seq.serialize_element(value)?,
            Some(cut) => seq.serialize_element(&cut)?,
        }
    }
    seq.end()
}

fn items<S: Serializer, T: Serialize>(values: &[T], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.iter().take(MAX_ITEMS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_kept_or_cut_with_a_mark() {
        for (raw, limit, wanted) in [
            (r#"{"a":1e400}"#, 100, r#"{"a":1e400}"#),
            ("{\n \"a\":\r\n 1}", 100, "{  \"a\":   1}"),
            (r#"{"a":"ü"}"#, 7, r#"{"truncated":true,"valid":true,"size":10,"head":"{\"a\":\""}"#),
            ("not json", 100, r#"{"truncated":false,"valid":false,"size":8,"head":"not json"}"#),
            ("[1]", 0, r#"{"truncated":true,"valid":true,"size":3,"head":""}"#),
        ] {
            let payload = Payload::new(raw.as_bytes(), limit).unwrap();
            assert_eq!(payload.get(), wanted);
            assert!(!payload.get().contains('\n'));
        }
        assert!(Payload::new(b"", 10).is_none());
        assert!(Payload::new(b"\xff\xfe", 10).unwrap().get().contains("\"head\":\"\""));
    }

    #[test]
    fn fields_do_not_grow_past_their_limits() {
        let long: Arc<str> = Arc::from("é".repeat(10_000));
        let record = Record {
            method: long.clone(),
            tool: Some(long.clone()),
            reasons: vec![long.clone(); 1000],
            rules: vec![RuleRef { id: long.clone(), layer: long.clone(), effect: long }; 1000],
            ..Record::default()
        };
        let line = serde_json::to_string(&record).unwrap();
        assert!(line.len() < 300_000, "{}", line.len());
        let back: Record = serde_json::from_str(&line).unwrap();
        assert!(back.method.ends_with("é…") && back.method.len() <= 1027);
        assert_eq!(back.reasons.len(), MAX_ITEMS);
    }

    #[test]
    fn a_newer_outcome_can_be_read() {
        let outcome: Outcome = serde_json::from_str("\"teleported\"").unwrap();
        assert_eq!(outcome, Outcome::Unknown);
    }

    #[test]
    fn debug_output_does_not_show_a_payload() {
        let payload = Payload::new(br#"{"a":"text"}"#, 100);
        assert_eq!(format!("{payload:?}"), "Some(Payload(12 bytes))");
    }
}
