//! Looking into a raw piece of JSON: members, elements, strings, and where a piece stands.
//!
//! Owns: nothing. Accepts: the raw slices that [`crate::envelope::read`] gives out, and also any other
//! bytes, of which it reads as much as is JSON. Emits: sub-slices of them.
//! Promises: no allocation but for a string that has escapes, no recursion, no panic. In a message
//! that was read without error no policed object has a key twice, so the first match is the only one.

use crate::json::{Scanner, decode};
use std::borrow::Cow;
use std::ops::Range;

/// The members of an object, in order; see [`members`].
pub struct Members<'a> {
    scanner: Scanner<'a>,
    begun: bool,
}

/// The elements of an array, in order; see [`elements`].
pub struct Elements<'a> {
    scanner: Scanner<'a>,
    begun: bool,
}

/// The raw value of the member called `key` (compared decoded), if `object` is an object that has it.
///
/// A member that is `null` is there: its value is `null`.
#[must_use]
pub fn member<'a>(object: &'a [u8], key: &str) -> Option<&'a [u8]> {
    let mut members = members(object);
    loop {
        let (name, value) = members.next_raw()?;
        if name.is(key) {
            return Some(value);
        }
    }
}

/// The raw value at the end of a path of keys, each looked up with [`member`].
#[must_use]
pub fn member_at<'a>(object: &'a [u8], path: &[&str]) -> Option<&'a [u8]> {
    path.iter().try_fold(object, |inner, key| member(inner, key))
}

/// The keys (decoded) and raw values of an object, in order; nothing where it is not one.
#[must_use]
pub fn members(object: &[u8]) -> Members<'_> {
    Members { scanner: Scanner::new(object), begun: false }
}

/// The raw elements of an array, in order; nothing where it is not one.
#[must_use]
pub fn elements(array: &[u8]) -> Elements<'_> {
    Elements { scanner: Scanner::new(array), begun: false }
}

/// The text that a raw JSON string stands for, or nothing where it is not a string.
///
/// A lone surrogate (which JavaScript can send and Rust cannot hold) becomes U+FFFD.
#[must_use]
pub fn string(raw: &[u8]) -> Option<Cow<'_, str>> {
    let mut scanner = Scanner::new(raw);
    let text = scanner.text().ok()?;
    if !scanner.at_end() {
        return None;
    }
    if text.is_escaped() {
        String::from_utf8(decode(text.raw, true)).ok().map(Cow::Owned)
    } else {
        std::str::from_utf8(text.raw).ok().map(Cow::Borrowed)
    }
}

/// Where `inner` stands in `outer`, in bytes; nothing where it is no part of it.
#[must_use]
pub fn offset_in(outer: &[u8], inner: &[u8]) -> Option<Range<usize>> {
    let begin = inner.as_ptr().addr().checked_sub(outer.as_ptr().addr())?;
    let end = begin.checked_add(inner.len())?;
    (end <= outer.len()).then_some(begin..end)
}

/// A copy of `outer` with its part `inner` replaced, all else byte for byte; nothing where `inner` is
/// no part of it.
#[must_use]
pub fn splice(outer: &[u8], inner: &[u8], with: &[u8]) -> Option<Vec<u8>> {
    let Range { start, end } = offset_in(outer, inner)?;
    Some([&outer[..start], with, &outer[end..]].concat())
}

impl<'a> Members<'a> {
    fn next_raw(&mut self) -> Option<(crate::json::Text<'a>, &'a [u8])> {
        let opener = if self.begun { b',' } else { b'{' };
        self.begun = true;
        if !self.scanner.take(opener) || self.scanner.peek() == Some(b'}') {
            return None;
        }
        let key = self.scanner.key().ok()?;
        let value = self.scanner.value(None).ok()?;
        Some((key, value))
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = (Cow<'a, str>, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (key, value) = self.next_raw()?;
        let key = if key.is_escaped() {
            Cow::Owned(String::from_utf8_lossy(&decode(key.raw, true)).into_owned())
        } else {
            String::from_utf8_lossy(key.raw)
        };
        Some((key, value))
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<Self::Item> {
        let opener = if self.begun { b',' } else { b'[' };
        self.begun = true;
        if !self.scanner.take(opener) || self.scanner.peek() == Some(b']') {
            return None;
        }
        self.scanner.value(None).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_by_their_decoded_key() {
        let object = br#" { "a" : {"name":1}, "n\u0061me" : "x" , "null":null, "uri":[1] } "#;
        for (key, value) in [
            ("name", Some(r#""x""#)),
            ("a", Some(r#"{"name":1}"#)),
            ("null", Some("null")),
            ("uri", Some("[1]")),
            ("Name", None),
            ("", None),
        ] {
            assert_eq!(member(object, key), value.map(str::as_bytes), "{key}");
        }
        assert_eq!(member_at(object, &["a", "name"]), Some(&b"1"[..]));
        assert_eq!(member_at(object, &["uri", "name"]), None);
        assert_eq!(member(b"[1]", "a"), None);
        assert_eq!(member(b"{\"a\":1", "b"), None);
    }

    #[test]
    fn members_and_elements_come_in_order() {
        let found: Vec<_> = members(br#"{"b":1,"\u0061":[2,3]}"#).collect();
        assert_eq!(found, [("b".into(), &b"1"[..]), ("a".into(), &b"[2,3]"[..])]);
        assert_eq!(
            elements(b"[ 1 ,{\"a\":[]}, \"x\"]").collect::<Vec<_>>(),
            [&b"1"[..], b"{\"a\":[]}", b"\"x\""]
        );
        assert_eq!(elements(b"[]").count() + members(b"{}").count() + elements(b"{}").count(), 0);
    }

    #[test]
    fn strings_lose_only_lone_surrogates() {
        assert_eq!(string(br#""plain""#).as_deref(), Some("plain"));
        assert_eq!(string(br#""a\ud800\u0041""#).as_deref(), Some("a\u{FFFD}A"));
        assert_eq!(string(b"1"), None);
        assert_eq!(string(br#""a" "b""#), None);
        assert_eq!(string(b"\"\xff\""), None);
    }

    #[test]
    fn splicing_keeps_the_rest() {
        let frame = b"{\"id\": 0 ,\"a\":1e400}\n";
        let id = member(frame, "id").unwrap();
        assert_eq!(offset_in(frame, id), Some(7..8));
        assert_eq!(splice(frame, id, b"\"x\"").unwrap(), b"{\"id\": \"x\" ,\"a\":1e400}\n");
        assert_eq!(offset_in(id, frame), None);
    }
}
