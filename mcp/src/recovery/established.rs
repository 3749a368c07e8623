//! What a legacy client has set up in its server, as the bytes with which it did.
//!
//! Owns: the handshake, the log level, the live subscriptions. Accepts: requests that succeeded.
//! Emits: the messages that set up a new server the same way. Promises: bounded memory; what does not
//! fit is said, not forgotten silently.

use std::collections::BTreeMap;

use super::Limits;
use crate::catalogue::LIST_CHANGED;
use crate::envelope::{Message, read as read_message};
use crate::id::OwnedId;
use crate::read;

/// What there is to replay.
#[derive(Default)]
pub(super) struct Established {
    handshake: Option<Handshake>,
    /// The client's `notifications/initialized`, if it was sent.
    initialized: Option<Box<[u8]>>,
    level: Option<Box<[u8]>>,
    /// By URI.
    subscriptions: BTreeMap<Box<str>, Box<[u8]>>,
    subscribed_bytes: usize,
}

/// The client's `initialize` and what the server answered.
struct Handshake {
    /// Nothing where it was too long to keep.
    frame: Option<Box<[u8]>>,
    version: Box<str>,
    capabilities: Box<[u8]>,
}

impl Established {
    /// Takes the result of the client's own handshake.
    pub(super) fn initialize(&mut self, frame: Option<Box<[u8]>>, result: &[u8], limits: &Limits) {
        let frame = frame.filter(|frame| frame.len() <= limits.handshake_bytes);
        let capabilities = capabilities(result).filter(|raw| raw.len() <= limits.handshake_bytes);
        *self = Self {
            handshake: Some(Handshake {
                frame,
                version: version(result),
                capabilities: capabilities.unwrap_or_default().into(),
            }),
            ..Self::default()
        };
    }

    pub(super) fn initialized(&mut self, frame: &[u8], limits: &Limits) {
        if frame.len() <= limits.handshake_bytes {
            self.initialized = Some(frame.into());
        }
    }

    pub(super) fn level(&mut self, frame: Box<[u8]>) {
        self.level = Some(frame);
    }

    pub(super) fn subscribe(&mut self, uri: Box<str>, frame: Box<[u8]>, limits: &Limits) {
        self.unsubscribe(&uri);
        let size = uri.len() + frame.len();
        let fits = self.subscribed_bytes + size <= limits.subscription_bytes;
        if fits && self.subscriptions.len() < limits.subscriptions {
            self.subscribed_bytes += size;
            self.subscriptions.insert(uri, frame);
        }
    }

    pub(super) fn unsubscribe(&mut self, uri: &str) {
        if let Some((uri, frame)) = self.subscriptions.remove_entry(uri) {
            self.subscribed_bytes -= uri.len() + frame.len();
        }
    }

    /// Whether there was a handshake.
    pub(super) fn any(&self) -> bool {
        self.handshake.is_some()
    }

    /// The client's `initialize` under another id, if it was kept.
    pub(super) fn handshake(&self, id: &OwnedId) -> Option<Vec<u8>> {
        with_id(self.handshake.as_ref()?.frame.as_ref()?, id)
    }

    /// The protocol version that was agreed on.
    pub(super) fn version(&self) -> &str {
        self.handshake.as_ref().map_or("", |handshake| &handshake.version)
    }

    /// Whether a new server says of itself what the first one did.
    pub(super) fn same_capabilities(&self, result: &[u8]) -> bool {
        let known = self.handshake.as_ref().map_or(&[][..], |handshake| &handshake.capabilities);
        known == capabilities(result).unwrap_or_default()
    }

    /// The client's `notifications/initialized`, if it was sent.
    pub(super) fn initialized_frame(&self) -> Option<Vec<u8>> {
        self.initialized.as_ref().map(|frame| frame.to_vec())
    }

    /// What follows the handshake, each under an id that `name` gives.
    pub(super) fn settings(&self, mut name: impl FnMut() -> OwnedId) -> Vec<Vec<u8>> {
        let frames = self.level.iter().chain(self.subscriptions.values());
        frames.filter_map(|frame| with_id(frame, &name())).collect()
    }

    /// What tells the client that anything may have changed: only what the first server announced,
    /// and only once the client was ready for notifications.
    pub(super) fn changes(&self) -> Vec<Vec<u8>> {
        let Some(handshake) = self.handshake.as_ref().filter(|_| self.initialized.is_some()) else {
            return Vec::new();
        };
        let announced = |kind| {
            read::member_at(&handshake.capabilities, &[kind, "listChanged"]) == Some(b"true")
        };
        let lists = LIST_CHANGED.iter().filter(|(kind, _, _)| announced(kind));
        let lists = lists.map(|(_, _, method)| notification(method, None));
        let updated = self.subscriptions.keys().map(|uri| {
            let params = serde_json::json!({"uri": uri}).to_string();
            notification("notifications/resources/updated", Some(&params))
        });
        lists.chain(updated).collect()
    }
}

/// The protocol version in the result of `initialize`; empty where it says none.
pub(super) fn version(result: &[u8]) -> Box<str> {
    // Versions are dates of ten characters; a longer text is cut, and so never equal by accident.
    let version =
        read::member(result, "protocolVersion").and_then(read::string).unwrap_or_default();
    version.chars().take(64).collect::<String>().into()
}

/// A notification to send.
pub(super) fn notification(method: &str, params: Option<&str>) -> Vec<u8> {
    let params = params.map(|params| format!(",\"params\":{params}")).unwrap_or_default();
    format!("{{\"jsonrpc\":\"2.0\",\"method\":\"{method}\"{params}}}\n").into_bytes()
}

/// A request under another id, all else byte for byte.
fn with_id(frame: &[u8], id: &OwnedId) -> Option<Vec<u8>> {
    let Ok(Message::Request { id: old, .. }) = read_message(frame) else { return None };
    read::splice(frame, old.as_str().as_bytes(), id.as_str().as_bytes())
}

fn capabilities(result: &[u8]) -> Option<&[u8]> {
    read::member(result, "capabilities")
}
