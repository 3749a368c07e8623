//! What can be told of a message that cannot be held or read: whose answer it waits for.
//!
//! Owns: a scanner that needs no more than a few hundred bytes however long the message is.
//! Accepts: the message in pieces. Emits: a [`Sketch`].
//! Promises: constant memory, one pass, no refusal: of what is not JSON it tells what it saw until
//! then. An id that occurs twice with different values is told as none.

use crate::id::{Id, MAX_ID, OwnedId};
use crate::read;

/// What was seen of a message at the top level of its object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sketch {
    /// The id, if there is exactly one.
    pub id: Option<OwnedId>,
    /// Whether there is a `method`, so that it is a request (with an id) or a notification.
    pub method: bool,
    /// Whether there is a `result` or an `error`, so that it is a response.
    pub outcome: bool,
}

/// Reads a message piece by piece and keeps a [`Sketch`] of it.
#[derive(Debug, Default)]
pub struct Sketcher {
    sketch: Sketch,
    ambiguous: bool,
    depth: u64,
    in_string: bool,
    escaped: bool,
    /// At the top level: whether the next string is a key.
    key_next: bool,
    /// What is being copied into `token`.
    copying: Copying,
    token: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Copying {
    #[default]
    Nothing,
    Key,
    Id,
}

/// The longest key that is compared; the protocol's longest here is `method`, each of whose
/// characters may be written in six bytes.
const MAX_KEY: usize = 64;

impl Sketch {
    /// What can be told of one whole message.
    #[must_use]
    pub fn of(message: &[u8]) -> Self {
        let mut sketcher = Sketcher::default();
        sketcher.feed(message);
        sketcher.finish()
    }

    /// The id to answer, if this is a request: it has a method and one id that is not null.
    #[must_use]
    pub fn request(&self) -> Option<Id<'_>> {
        if self.method && !self.outcome { self.valued_id() } else { None }
    }

    /// The id that is answered, if this is a response.
    #[must_use]
    pub fn response(&self) -> Option<Id<'_>> {
        if self.outcome && !self.method { self.valued_id() } else { None }
    }

    fn valued_id(&self) -> Option<Id<'_>> {
        self.id.as_ref().map(OwnedId::as_id).filter(|id| !id.is_null())
    }
}

impl Sketcher {
    /// Reads the next piece.
    pub fn feed(&mut self, mut piece: &[u8]) {
        while let Some((&byte, rest)) = piece.split_first() {
            if self.in_string && !self.escaped && self.copying == Copying::Nothing {
                // Most of a long message is inside strings that nobody asked for.
                let Some(stop) = memchr::memchr2(b'"', b'\\', piece) else { return };
                self.string_byte(piece[stop]);
                piece = &piece[stop + 1..];
                continue;
            }
            if self.in_string {
                self.string_byte(byte);
            } else {
                self.plain_byte(byte);
            }
            piece = rest;
        }
    }

    /// What was seen.
    #[must_use]
    pub fn finish(mut self) -> Sketch {
        if self.ambiguous {
            self.sketch.id = None;
        }
        self.sketch
    }

    fn string_byte(&mut self, byte: u8) {
        self.copy(byte);
        if self.escaped {
            self.escaped = false;
        } else if byte == b'\\' {
            self.escaped = true;
        } else if byte == b'"' {
            self.in_string = false;
        }
    }

    fn plain_byte(&mut self, byte: u8) {
        match byte {
            b'"' => {
                if self.depth == 1 && self.key_next {
                    self.key_next = false;
                    self.start(Copying::Key);
                }
                self.in_string = true;
                self.copy(byte);
            }
            b'{' | b'[' => {
                self.depth = self.depth.saturating_add(1);
                // Only an object's own members count; an array at the top is a batch.
                self.key_next = byte == b'{' && self.depth == 1;
                self.copy(byte);
            }
            b'}' | b']' => {
                if self.depth == 1 {
                    self.end_id();
                }
                self.depth = self.depth.saturating_sub(1);
            }
            b',' if self.depth == 1 => {
                self.end_id();
                self.key_next = true;
            }
            b':' if self.depth == 1 => self.end_key(),
            b' ' | b'\t' | b'\r' | b'\n' if self.token.is_empty() => {}
            other => self.copy(other),
        }
    }

    fn start(&mut self, what: Copying) {
        self.copying = what;
        self.token.clear();
    }

    fn copy(&mut self, byte: u8) {
        let most = match self.copying {
            Copying::Nothing => return,
            Copying::Key => MAX_KEY,
            Copying::Id => MAX_ID,
        };
        // One byte over the limit is kept, so that a cut token is not taken for a whole one.
        if self.token.len() <= most {
            self.token.push(byte);
        }
    }

    fn end_key(&mut self) {
        if self.copying != Copying::Key {
            return;
        }
        self.copying = Copying::Nothing;
        match read::string(&self.token).as_deref() {
            Some("id") => self.start(Copying::Id),
            Some("method") => self.sketch.method = true,
            Some("result" | "error") => self.sketch.outcome = true,
            _ => {}
        }
    }

    fn end_id(&mut self) {
        if self.copying != Copying::Id {
            return;
        }
        self.copying = Copying::Nothing;
        let id = Id::parse(self.token.trim_ascii_end()).map(Id::to_owned);
        self.ambiguous |=
            id.is_none() || self.sketch.id.as_ref().is_some_and(|had| Some(had) != id.as_ref());
        self.sketch.id = id;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_id_wherever_it_stands() {
        for (message, id, method, outcome) in [
            (r#"{"jsonrpc":"2.0","id":7,"method":"a","params":{}}"#, Some("7"), true, false),
            (
                r#"{"method":"a","params":{"id":1,"a":["}",{"id":2}]},"id":"x\"y"}"#,
                Some(r#""x\"y""#),
                true,
                false,
            ),
            (r#"{"id" : 0 , "result":{"method":"a"}}"#, Some("0"), false, true),
            (r#"{"i\u0064":5,"error":{}}"#, Some("5"), false, true),
            (r#"{"params":"{\"id\":9,\"method\":1}"}"#, None, false, false),
            (r#"{"id":1,"id":2,"method":"a"}"#, None, true, false),
            (r#"{"id":{"id":3},"method":"a"}"#, None, true, false),
            (r#"{"id":4,"method":"a","params":{"cut":"he"#, Some("4"), true, false),
            (r#"{"id":4"#, None, false, false),
            (r#"[{"id":1,"method":"a"}]"#, None, false, false),
            (r#"not json "id":1"#, None, false, false),
            ("", None, false, false),
        ] {
            let expected = Sketch {
                id: id.and_then(|t| Id::parse(t.as_bytes())).map(Id::to_owned),
                method,
                outcome,
            };
            assert_eq!(Sketch::of(message.as_bytes()), expected, "{message}");
            let mut sketcher = Sketcher::default();
            message.as_bytes().chunks(1).for_each(|piece| sketcher.feed(piece));
            assert_eq!(sketcher.finish(), expected, "bytewise: {message}");
        }
    }

    #[test]
    fn a_long_token_costs_nothing_and_is_no_id() {
        let mut sketcher = Sketcher::default();
        sketcher.feed(b"{\"method\":\"a\",\"id\":\"");
        for _ in 0..1000 {
            sketcher.feed(&[b'x'; 1000]);
        }
        assert!(sketcher.token.capacity() < 4 * MAX_ID);
        sketcher.feed(b"\"}");
        assert_eq!(sketcher.finish().id, None);
    }
}
