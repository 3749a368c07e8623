//! The id of a request, as the token that was written.
//!
//! Owns: what may be an id, and when two spellings mean the same. Accepts: raw JSON tokens.
//! Emits: the same tokens, so that an id is echoed as it came (`0`, `"1"`, `1.0`,
//! `12345678901234567890123`).
//! Promises: two ids are equal when their tokens are; [`Id::means`] is the wider comparison for peers
//! that parse an id and write it anew.

use crate::json::Scanner;
use crate::read;
use std::borrow::Borrow;
use std::fmt;

/// The longest id that is accepted, in bytes of its token.
pub const MAX_ID: usize = 1024;

/// A request's id: the raw token of a JSON string, number or `null`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Id<'a>(&'a str);

/// An [`Id`] that owns its token.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct OwnedId(Box<str>);

impl<'a> Id<'a> {
    /// The id that stands for "not known" in an error answer.
    pub const NULL: Id<'static> = Id("null");

    /// Reads a raw token; nothing where it cannot be an id (another type, or over [`MAX_ID`]).
    #[must_use]
    pub fn parse(token: &'a [u8]) -> Option<Self> {
        if token.len() > MAX_ID || !matches!(token.first()?, b'"' | b'-' | b'0'..=b'9' | b'n') {
            return None;
        }
        let mut scanner = Scanner::new(token);
        let whole = scanner.value(None).ok()?.len() == token.len();
        whole.then_some(())?;
        std::str::from_utf8(token).ok().map(Id)
    }

    /// The token as it was written.
    #[must_use]
    pub fn as_str(self) -> &'a str {
        self.0
    }

    /// Whether this is `null`, which the protocol does not allow for a request.
    #[must_use]
    pub fn is_null(self) -> bool {
        self.0 == "null"
    }

    /// Whether both stand for the same value: equal tokens, or equal numbers (`1` and `1.0`, and
    /// integers beyond 2^53 as a peer that keeps them as 64-bit floats writes them), or equal strings
    /// under different escapes. A string never means a number.
    #[must_use]
    pub fn means(self, other: Id<'_>) -> bool {
        if self.0 == other.0 {
            return true;
        }
        match (read::string(self.0.as_bytes()), read::string(other.0.as_bytes())) {
            (Some(a), Some(b)) => a == b,
            (None, None) => match (self.0.parse::<f64>(), other.0.parse::<f64>()) {
                (Ok(a), Ok(b)) => a.is_finite() && a == b,
                _ => false,
            },
            _ => false,
        }
    }

    /// A copy that owns its token.
    #[must_use]
    pub fn to_owned(self) -> OwnedId {
        OwnedId(self.0.into())
    }
}

impl OwnedId {
    /// An id of our own: the JSON string of `text`, of which only letters, digits and `._:-` are kept.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        let kept = |c: &char| c.is_ascii_alphanumeric() || "._:-".contains(*c);
        Self(format!("\"{}\"", text.chars().filter(kept).collect::<String>()).into())
    }

    /// The id, borrowed.
    #[must_use]
    pub fn as_id(&self) -> Id<'_> {
        Id(&self.0)
    }

    /// The token as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

// Equal and equally hashed, since both are the token alone.
impl Borrow<str> for OwnedId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Id<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Debug for OwnedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_strings_numbers_and_null_are_ids() {
        for token in ["0", "-1", "\"\"", "\"1\"", "1.0", "1e400", "null", "12345678901234567890123"]
        {
            assert_eq!(Id::parse(token.as_bytes()).map(Id::as_str), Some(token));
        }
        let long = format!("\"{}\"", "a".repeat(MAX_ID));
        for token in ["", "true", "{}", "[1]", "nul", "1 ", "1 2", "\"", "01", &long] {
            assert_eq!(Id::parse(token.as_bytes()), None, "{token}");
        }
    }

    #[test]
    fn meaning_is_wider_than_spelling() {
        for (a, b, same) in [
            ("1", "1.0", true),
            ("100", "1e2", true),
            ("12345678901234567890123", "1.2345678901234568e+22", true),
            ("\"a\"", "\"\\u0061\"", true),
            ("1", "\"1\"", false),
            ("1", "2", false),
            ("0", "-0", true),
            ("1e400", "1e401", false),
            ("null", "0", false),
            ("null", "\"null\"", false),
        ] {
            let (a, b) = (Id::parse(a.as_bytes()).unwrap(), Id::parse(b.as_bytes()).unwrap());
            assert_eq!(a.means(b), same, "{a:?} {b:?}");
        }
    }

    #[test]
    fn our_own_ids_are_plain_strings() {
        assert_eq!(OwnedId::of_text("a\"b\\c\n-1.2").as_str(), "\"abc-1.2\"");
    }
}
