//! One message, read without copying: who asks what of whom.
//!
//! Owns: the rules on what may be read as a message. Accepts: one line from a peer, hostile until
//! read. Emits: a [`Message`] whose parts are sub-slices of the line, or an [`EnvelopeError`].
//! Promises: what two parsers may read differently is refused, never mended: a protocol key that
//! occurs twice or looks like another (`"Method"`, `"method\u0000"`), anywhere that policy reads. All
//! other JSON passes as it is: numbers of any size, lone surrogates, unknown members, `null`.
//!
//! The same goes for lines: where a raw carriage return stands between two parts of a message (JSON
//! takes it for white space), readers that end lines there (Python's text streams, Java's
//! `readLine`) see each part as a line of its own, so a part that is JSON by itself is refused.
//!
//! Keys are compared decoded, so `"m\u0065thod"` is `method`. Look-alikes matter since parsers exist
//! that match keys without regard to case (CVE-2026-27896 in the Go SDK, whose folding also takes
//! U+212A for `k` and U+017F for `s`) or up to a NUL (GHSA-q382-vc8q-7jhj).

mod watch;

use self::watch::{
    ENVELOPE_KEYS, META_KEYS, PARAMS_KEYS, RESULT_KEYS, RESULT_KEYS_ALONE, RESULT_KEYS_DEEP, Seen,
    Watch,
};
use crate::catalogue;
use crate::id::{Id, MAX_ID};
use crate::json::{Flaw, Keys, MAX_DEPTH, MAX_OPEN_KEYS, Scanner, Text};
use crate::read;
use crate::refusal::{INVALID_REQUEST, PARSE_ERROR};
use crate::sketch::Sketch;
use std::borrow::Cow;
use std::fmt;
use thiserror::Error;

/// One message. The byte slices are raw JSON and lie inside the line that was read, so
/// [`read::offset_in`] tells where.
#[derive(Clone, PartialEq, Eq)]
pub enum Message<'a> {
    /// A method and an id: wants one answer. An id of `null` is kept as it is.
    Request {
        /// The id.
        id: Id<'a>,
        /// The method, decoded.
        method: Cow<'a, str>,
        /// The value of `params`, if the member is there; `null` is kept as `null`.
        params: Option<&'a [u8]>,
    },
    /// A method without an id: wants no answer.
    Notification {
        /// The method, decoded.
        method: Cow<'a, str>,
        /// The value of `params`, if the member is there.
        params: Option<&'a [u8]>,
    },
    /// The answer to a request.
    Response {
        /// The id; nothing where an error answers a message whose id could not be read.
        id: Option<Id<'a>>,
        /// What came of it.
        outcome: Outcome<'a>,
    },
    /// An array of messages. Only revision 2025-03-26 has them, and no released server was seen to
    /// answer one over stdio, so what is in it is left unread.
    Batch,
}

/// How a request ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// The value of `result`.
    Result(&'a [u8]),
    /// The value of `error`.
    Error(&'a [u8]),
}

/// A line that is no message, and what can be told of it all the same.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("message refused: {fault}")]
pub struct EnvelopeError {
    fault: Fault,
    sketch: Sketch,
}

/// What is wrong with a line. Positions are bytes from its start; no text of the peer's is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// Not JSON, or not whole.
    #[error("not valid JSON from byte {at} on")]
    NotJson {
        /// Where.
        at: usize,
    },
    /// Not UTF-8.
    #[error("not valid UTF-8 from byte {at} on")]
    NotUtf8 {
        /// Where.
        at: usize,
    },
    /// A whole value, and then something else.
    #[error("more than one message in the line, from byte {at} on; send one message a line")]
    TrailingData {
        /// Where the second begins.
        at: usize,
    },
    /// Containers within containers beyond [`MAX_DEPTH`].
    #[error("nested deeper than {MAX_DEPTH} levels at byte {at}")]
    TooDeep {
        /// Where.
        at: usize,
    },
    /// More keys than can be compared.
    #[error("more than {MAX_OPEN_KEYS} keys in objects that may not have one twice, at byte {at}")]
    TooManyKeys {
        /// Where.
        at: usize,
    },
    /// The same key twice in an object that policy reads.
    #[error("a key occurs twice in the object that ends at byte {at}")]
    DuplicateKey {
        /// The end of the object.
        at: usize,
    },
    /// A key that some parsers would take for a protocol key.
    #[error("a key looks like the protocol key \"{key}\" but is spelled differently")]
    LookAlikeKey {
        /// The protocol key.
        key: &'static str,
    },
    /// A part between carriage returns that is a message to readers that end lines there.
    #[error("a carriage return at byte {at} sets apart what could be read as a message of its own")]
    HiddenMessage {
        /// Where the part begins.
        at: usize,
    },
    /// An id that is no string, number or null, or too long.
    #[error("the id is not a string or a number of at most {MAX_ID} bytes")]
    BadId,
    /// A method that is no string, or no text (a lone surrogate).
    #[error("the method is not a string")]
    BadMethod,
    /// A method together with a result or an error, or a result together with an error.
    #[error("neither clearly a request nor clearly a response")]
    Ambiguous,
    /// No method, no result with an id, no error; or no object at all.
    #[error("neither a request nor a response")]
    NeitherRequestNorResponse,
}

/// Reads one line; white space around it and a byte order mark before it are allowed.
///
/// # Errors
/// Where the line is not one message that every parser reads the same way.
pub fn read(line: &[u8]) -> Result<Message<'_>, EnvelopeError> {
    read_checked(line).map_err(|fault| EnvelopeError { fault, sketch: Sketch::of(line) })
}

/// The parts of a message as they were found.
#[derive(Default)]
struct Parts<'a> {
    id: Option<&'a [u8]>,
    method: Option<&'a [u8]>,
    params: Option<&'a [u8]>,
    result: Option<&'a [u8]>,
    error: Option<&'a [u8]>,
    /// Look-alikes under `params` that matter only where the method is known.
    params_alike: Option<&'static str>,
}

impl EnvelopeError {
    /// The JSON-RPC error code to answer with: -32700 where it is not one JSON text, else -32600.
    #[must_use]
    pub fn code(&self) -> i32 {
        match self.fault {
            Fault::NotJson { .. } | Fault::NotUtf8 { .. } | Fault::TrailingData { .. } => {
                PARSE_ERROR
            }
            _ => INVALID_REQUEST,
        }
    }

    /// What is wrong.
    #[must_use]
    pub fn fault(&self) -> Fault {
        self.fault
    }

    /// What can be told of the message all the same: its id, and whether it asks or answers.
    #[must_use]
    pub fn sketch(&self) -> &Sketch {
        &self.sketch
    }

    /// The id, if exactly one could be read.
    #[must_use]
    pub fn id(&self) -> Option<Id<'_>> {
        self.sketch.id.as_ref().map(crate::id::OwnedId::as_id)
    }

    /// Whether the line is not even JSON, so that nothing can read it as a message. A server's line of
    /// this kind is noise for its log; one that is JSON but refused is an attempt to be heard.
    #[must_use]
    pub fn is_noise(&self) -> bool {
        matches!(self.fault, Fault::NotJson { .. } | Fault::NotUtf8 { .. })
    }
}

impl From<Flaw> for Fault {
    fn from(flaw: Flaw) -> Self {
        match flaw {
            Flaw::Syntax(at) => Self::NotJson { at },
            Flaw::Depth(at) => Self::TooDeep { at },
            Flaw::Duplicate(at) => Self::DuplicateKey { at },
            Flaw::Keys(at) => Self::TooManyKeys { at },
        }
    }
}

impl<'a> Message<'a> {
    /// The method, if this is a request or a notification.
    #[must_use]
    pub fn method(&self) -> Option<&str> {
        match self {
            Self::Request { method, .. } | Self::Notification { method, .. } => Some(method),
            Self::Response { .. } | Self::Batch => None,
        }
    }

    /// The value of `params`, if this is a request or a notification that has it.
    #[must_use]
    pub fn params(&self) -> Option<&'a [u8]> {
        match self {
            Self::Request { params, .. } | Self::Notification { params, .. } => *params,
            Self::Response { .. } | Self::Batch => None,
        }
    }

    /// The id, if there is one.
    #[must_use]
    pub fn id(&self) -> Option<Id<'a>> {
        match self {
            Self::Request { id, .. } => Some(*id),
            Self::Response { id, .. } => *id,
            Self::Notification { .. } | Self::Batch => None,
        }
    }
}

impl<'a> Outcome<'a> {
    /// The raw value, whichever it is.
    #[must_use]
    pub fn raw(self) -> &'a [u8] {
        match self {
            Self::Result(raw) | Self::Error(raw) => raw,
        }
    }
}

// What a message carries may be secret, so only its shape is shown.
impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = |params: &Option<&[u8]>| params.map(<[u8]>::len);
        match self {
            Self::Request { id, method, params } => {
                write!(
                    f,
                    "Request({id:?}, {:?}, {:?} bytes)",
                    catalogue::label(method),
                    size(params)
                )
            }
            Self::Notification { method, params } => {
                write!(f, "Notification({:?}, {:?} bytes)", catalogue::label(method), size(params))
            }
            Self::Response { id, outcome } => write!(f, "Response({id:?}, {outcome:?})"),
            Self::Batch => f.write_str("Batch"),
        }
    }
}

impl fmt::Debug for Outcome<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Result(raw) => write!(f, "Result({} bytes)", raw.len()),
            Self::Error(raw) => write!(f, "Error({} bytes)", raw.len()),
        }
    }
}

fn read_checked(line: &[u8]) -> Result<Message<'_>, Fault> {
    // Most lines are ASCII, which is found out several times faster.
    if !line.is_ascii() {
        std::str::from_utf8(line).map_err(|e| Fault::NotUtf8 { at: e.valid_up_to() })?;
    }
    let mut scanner = Scanner::after_bom(line);
    match scanner.peek() {
        Some(b'{') => {
            let parts = parts(&mut scanner)?;
            ended(&mut scanner)?;
            refuse_hidden(line)?;
            message(&parts)
        }
        first => {
            scanner.value(None)?;
            ended(&mut scanner)?;
            let batch = first == Some(b'[');
            if batch { Ok(Message::Batch) } else { Err(Fault::NeitherRequestNorResponse) }
        }
    }
}

fn ended(scanner: &mut Scanner<'_>) -> Result<(), Fault> {
    if scanner.at_end() { Ok(()) } else { Err(Fault::TrailingData { at: scanner.at() }) }
}

/// Refuses a line that holds another between carriage returns.
fn refuse_hidden(line: &[u8]) -> Result<(), Fault> {
    let line = line.trim_ascii_end();
    if memchr::memchr(b'\r', line).is_none() {
        return Ok(());
    }
    let mut at = 0;
    for part in line.split(|&byte| byte == b'\r') {
        let mut scanner = Scanner::after_bom(part);
        let opens = matches!(scanner.peek(), Some(b'{' | b'[')) && part.contains(&b'{');
        // Where carriage returns only lead the line, the part is the line itself.
        let whole = part.len() == line.trim_ascii_start().len();
        if opens && !whole && scanner.value(None).is_ok() {
            return Err(Fault::HiddenMessage { at });
        }
        at += part.len() + 1;
    }
    Ok(())
}

/// Goes through the message once, to the end of its object.
fn parts<'a>(scanner: &mut Scanner<'a>) -> Result<Parts<'a>, Fault> {
    let mut parts = Parts::default();
    let mut keys = Keys::new();
    let mut watch = Watch::new(ENVELOPE_KEYS);
    scanner.object(|scanner, key| {
        let slot = match watch.note(key) {
            Seen::New("id") => &mut parts.id,
            Seen::New("method") => &mut parts.method,
            Seen::New("params") => {
                let (raw, alike) = params(scanner, &mut keys)?;
                parts.params = Some(raw);
                parts.params_alike = alike;
                return Ok(());
            }
            Seen::New("result") => {
                parts.result = Some(result(scanner, &mut keys)?);
                return Ok(());
            }
            Seen::New("error") => {
                parts.error = Some(shallow(scanner, &mut keys)?);
                return Ok(());
            }
            Seen::New(_) | Seen::Other => {
                return scanner.value(None).map(drop).map_err(Fault::from);
            }
            Seen::Again => return Err(Fault::DuplicateKey { at: scanner.at() }),
        };
        *slot = Some(scanner.value(None)?);
        Ok::<(), Fault>(())
    })?;
    watch.refuse_alike(|_| true)?;
    Ok(parts)
}

/// Takes the value of `params`: no object in it may have a key twice, at any depth.
fn params<'a>(
    scanner: &mut Scanner<'a>,
    keys: &mut Keys<'a>,
) -> Result<(&'a [u8], Option<&'static str>), Fault> {
    if scanner.peek() != Some(b'{') {
        return Ok((scanner.value(Some(keys))?, None));
    }
    let mut watch = Watch::new(PARAMS_KEYS);
    let raw = watched(scanner, keys, &mut watch, |scanner, keys, key| {
        if key.is("_meta") {
            meta(scanner, keys)
        } else {
            Ok(scanner.value(Some(keys)).map(drop)?)
        }
    })?;
    watch.refuse_twins()?;
    Ok((raw, watch.alike()))
}

/// Takes the value of `result`: its own keys may not occur twice, nor any in [`RESULT_KEYS_DEEP`].
fn result<'a>(scanner: &mut Scanner<'a>, keys: &mut Keys<'a>) -> Result<&'a [u8], Fault> {
    if scanner.peek() != Some(b'{') {
        return Ok(scanner.value(None)?);
    }
    let mut watch = Watch::new(RESULT_KEYS);
    let raw = watched(scanner, keys, &mut watch, |scanner, keys, key| {
        if key.is("_meta") {
            meta(scanner, keys)
        } else {
            let deep = RESULT_KEYS_DEEP.iter().any(|deep| key.is(deep));
            Ok(scanner.value(deep.then_some(keys)).map(drop)?)
        }
    })?;
    watch.refuse_twins()?;
    watch.refuse_alike(|key| RESULT_KEYS_ALONE.contains(&key))?;
    Ok(raw)
}

/// Takes a value whose own keys, if it is an object, may not occur twice.
fn shallow<'a>(scanner: &mut Scanner<'a>, keys: &mut Keys<'a>) -> Result<&'a [u8], Fault> {
    if scanner.peek() != Some(b'{') {
        return Ok(scanner.value(None)?);
    }
    watched(scanner, keys, &mut Watch::new(&[]), |scanner, _, _| {
        Ok(scanner.value(None).map(drop)?)
    })
}

fn meta<'a>(scanner: &mut Scanner<'a>, keys: &mut Keys<'a>) -> Result<(), Fault> {
    if scanner.peek() != Some(b'{') {
        return Ok(scanner.value(Some(keys)).map(drop)?);
    }
    let mut watch = Watch::new(META_KEYS);
    watched(scanner, keys, &mut watch, |scanner, keys, _| {
        Ok(scanner.value(Some(keys)).map(drop)?)
    })?;
    watch.refuse_alike(|_| true)
}

/// Takes an object whose keys are noted in `watch` and may not occur twice.
fn watched<'a>(
    scanner: &mut Scanner<'a>,
    keys: &mut Keys<'a>,
    watch: &mut Watch,
    mut each: impl FnMut(&mut Scanner<'a>, &mut Keys<'a>, Text<'a>) -> Result<(), Fault>,
) -> Result<&'a [u8], Fault> {
    keys.open();
    let raw = scanner.object(|scanner, key| {
        keys.add(key, scanner.at())?;
        watch.note(key);
        each(scanner, keys, key)
    })?;
    keys.close(scanner.at())?;
    Ok(raw)
}

fn message<'a>(parts: &Parts<'a>) -> Result<Message<'a>, Fault> {
    let id = parts.id.map(|token| Id::parse(token).ok_or(Fault::BadId)).transpose()?;
    let Some(method) = parts.method else {
        let outcome = outcome(parts)?;
        if id.is_none() && matches!(outcome, Outcome::Result(_)) {
            return Err(Fault::NeitherRequestNorResponse);
        }
        return Ok(Message::Response { id, outcome });
    };
    if parts.result.is_some() || parts.error.is_some() {
        return Err(Fault::Ambiguous);
    }
    let method = method_text(method)?;
    if let Some(key) = parts.params_alike
        && catalogue::is_known(&method)
    {
        return Err(Fault::LookAlikeKey { key });
    }
    let params = parts.params;
    Ok(match id {
        Some(id) => Message::Request { id, method, params },
        None => Message::Notification { method, params },
    })
}

/// A lone surrogate has no one reading (it is kept, replaced or refused), so it is no method.
fn method_text(raw: &[u8]) -> Result<Cow<'_, str>, Fault> {
    match read::string(raw) {
        Some(Cow::Owned(text)) if text.contains('\u{FFFD}') => Err(Fault::BadMethod),
        Some(text) => Ok(text),
        None => Err(Fault::BadMethod),
    }
}

/// A member that is `null` beside one that is not is how JSON-RPC 1.0 says "none".
fn outcome<'a>(parts: &Parts<'a>) -> Result<Outcome<'a>, Fault> {
    match (parts.result, parts.error) {
        (Some(result), None | Some(b"null")) => Ok(Outcome::Result(result)),
        (None | Some(b"null"), Some(error)) => Ok(Outcome::Error(error)),
        (Some(_), Some(_)) => Err(Fault::Ambiguous),
        (None, None) => Err(Fault::NeitherRequestNorResponse),
    }
}

#[cfg(test)]
mod tests;
