//! Owns reading JSON without building it: a walk over the raw bytes that tells each token's place.
//! Accepts any bytes; emits tokens in order, or says that this is not one JSON value (RFC 8259).
//! Promises linear time, one bit of memory per open bracket, and no recursion.

use std::ops::Range;

use crate::offsets::first_of_two;

/// A place in a JSON text. Spans of strings and keys are what stands between their quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// `{`
    ObjectStart,
    /// `[`
    ArrayStart,
    /// `}` or `]`
    End,
    /// An object's key.
    Key(Range<usize>),
    /// A string value.
    String(Range<usize>),
    /// A number.
    Number(Range<usize>),
    /// `true`, `false` or `null`.
    Word(Range<usize>),
}

/// The text is not one JSON value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotJson;

/// Where the walk stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    ValueOrClose,
    KeyOrClose,
    Key,
    CommaOrClose,
}

/// The brackets that are open, a bit each: set for an object.
#[derive(Default)]
struct Open {
    /// The last up to 64, the last one lowest.
    near: u64,
    count: usize,
    /// Those before them, 64 each.
    far: Vec<u64>,
}

impl Open {
    fn push(&mut self, is_object: bool) {
        if self.count > 0 && self.count.is_multiple_of(64) {
            self.far.push(self.near);
        }
        self.near = self.near << 1 | u64::from(is_object);
        self.count += 1;
    }

    fn pop(&mut self) {
        self.near >>= 1;
        self.count = self.count.saturating_sub(1);
        if self.count > 0 && self.count.is_multiple_of(64) {
            self.near = self.far.pop().unwrap_or(0);
        }
    }

    fn last(&self) -> Option<bool> {
        (self.count > 0).then_some(self.near & 1 == 1)
    }

    fn is_empty(&self) -> bool {
        self.count == 0
    }
}

/// Tells every token of `raw` to `sink`; `escaped` says whether a string holds a backslash.
pub(crate) fn walk(raw: &[u8], mut sink: impl FnMut(Token, bool)) -> Result<(), NotJson> {
    let mut open = Open::default();
    let mut at = 0;
    let mut expect = Expect::Value;
    loop {
        at = skip_space(raw, at);
        let Some(&byte) = raw.get(at) else {
            return Err(NotJson);
        };
        match (expect, byte) {
            (Expect::KeyOrClose, b'}') | (Expect::ValueOrClose, b']') => {
                sink(Token::End, false);
                open.pop();
                at += 1;
                expect = Expect::CommaOrClose;
            }
            (Expect::CommaOrClose, b',') => {
                at += 1;
                expect = if open.last() == Some(true) { Expect::Key } else { Expect::Value };
                continue;
            }
            (Expect::CommaOrClose, b'}') if open.last() == Some(true) => {
                sink(Token::End, false);
                open.pop();
                at += 1;
            }
            (Expect::CommaOrClose, b']') if open.last() == Some(false) => {
                sink(Token::End, false);
                open.pop();
                at += 1;
            }
            (Expect::Key | Expect::KeyOrClose, b'"') => {
                let (end, escaped) = string_end(raw, at + 1)?;
                sink(Token::Key(at + 1..end), escaped);
                at = skip_space(raw, end + 1);
                if raw.get(at) != Some(&b':') {
                    return Err(NotJson);
                }
                at += 1;
                expect = Expect::Value;
                continue;
            }
            (Expect::Value | Expect::ValueOrClose, b'"') => {
                let (end, escaped) = string_end(raw, at + 1)?;
                sink(Token::String(at + 1..end), escaped);
                at = end + 1;
                expect = Expect::CommaOrClose;
            }
            (Expect::Value | Expect::ValueOrClose, b'{') => {
                sink(Token::ObjectStart, false);
                open.push(true);
                at += 1;
                expect = Expect::KeyOrClose;
                continue;
            }
            (Expect::Value | Expect::ValueOrClose, b'[') => {
                sink(Token::ArrayStart, false);
                open.push(false);
                at += 1;
                expect = Expect::ValueOrClose;
                continue;
            }
            (Expect::Value | Expect::ValueOrClose, b'-' | b'0'..=b'9') => {
                let end = number_end(raw, at).ok_or(NotJson)?;
                sink(Token::Number(at..end), false);
                at = end;
                expect = Expect::CommaOrClose;
            }
            (Expect::Value | Expect::ValueOrClose, _) => {
                let end = word_end(raw, at).ok_or(NotJson)?;
                sink(Token::Word(at..end), false);
                at = end;
                expect = Expect::CommaOrClose;
            }
            _ => return Err(NotJson),
        }
        if open.is_empty() && expect == Expect::CommaOrClose {
            let rest = skip_space(raw, at);
            return if rest == raw.len() { Ok(()) } else { Err(NotJson) };
        }
    }
}

fn skip_space(raw: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = raw.get(at) {
        at += 1;
    }
    at
}

/// The place of the closing quote of the string whose interior starts at `at`.
pub(crate) fn string_end(raw: &[u8], mut at: usize) -> Result<(usize, bool), NotJson> {
    let mut escaped = false;
    loop {
        let rest = raw.get(at..).ok_or(NotJson)?;
        at += quote_or_backslash(rest).ok_or(NotJson)?;
        if raw[at] == b'"' {
            return Ok((at, escaped));
        }
        escaped = true;
        at += 2;
    }
}

/// Where the first quote or backslash is.
#[inline]
fn quote_or_backslash(rest: &[u8]) -> Option<usize> {
    // Eight bytes at a time, as keys are short and escapes often near each other.
    let near = &rest[..rest.len().min(32)];
    for (index, eight) in near.chunks_exact(8).enumerate() {
        let word = eight.try_into().map_or(0, u64::from_le_bytes);
        if let Some(at) = first_of_two(word, b'"', b'\\') {
            return Some(index * 8 + at);
        }
    }
    let seen = near.len() / 8 * 8;
    memchr::memchr2(b'"', b'\\', &rest[seen..]).map(|at| seen + at)
}

fn number_end(raw: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    let digits = |mut at: usize| {
        let from = at;
        while raw.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        (at > from).then_some(at)
    };
    if raw.get(at) == Some(&b'-') {
        at += 1;
    }
    at = digits(at)?;
    if raw.get(at) == Some(&b'.') {
        at = digits(at + 1)?;
    }
    if let Some(b'e' | b'E') = raw.get(at) {
        at += 1;
        if let Some(b'+' | b'-') = raw.get(at) {
            at += 1;
        }
        at = digits(at)?;
    }
    Some(at)
}

fn word_end(raw: &[u8], at: usize) -> Option<usize> {
    [&b"true"[..], b"false", b"null"]
        .iter()
        .find(|word| raw[at..].starts_with(word))
        .map(|word| at + word.len())
}

/// Length in bytes of the escape (or single byte) that starts at `at` inside a JSON string.
pub(crate) fn unit_len(raw: &[u8], at: usize) -> usize {
    match (raw.get(at), raw.get(at + 1)) {
        (Some(b'\\'), Some(b'u')) => {
            let first = hex4(raw, at + 2);
            let second = (raw.get(at + 6) == Some(&b'\\') && raw.get(at + 7) == Some(&b'u'))
                .then(|| hex4(raw, at + 8))
                .flatten();
            match (first, second) {
                (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 12,
                (Some(_), _) => 6,
                (None, _) => 2,
            }
        }
        (Some(b'\\'), Some(_)) => 2,
        _ => 1,
    }
}

/// Four hex digits at `at`.
pub(crate) fn hex4(raw: &[u8], at: usize) -> Option<u32> {
    let digits = raw.get(at..at + 4)?;
    digits.iter().try_fold(0, |sum, &digit| Some(sum * 16 + char::from(digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Result<Vec<String>, NotJson> {
        let mut out = Vec::new();
        walk(text.as_bytes(), |token, _| {
            out.push(match token {
                Token::ObjectStart => "{".to_owned(),
                Token::ArrayStart => "[".to_owned(),
                Token::End => "end".to_owned(),
                Token::Key(at) => format!("key {}", &text[at]),
                Token::String(at) => format!("string {}", &text[at]),
                Token::Number(at) => format!("number {}", &text[at]),
                Token::Word(at) => text[at].to_owned(),
            });
        })?;
        Ok(out)
    }

    #[test]
    fn tells_the_tokens() {
        assert_eq!(
            tokens(r#" {"a":[1,-2.5e+3,"x\"y",true],"b":{},"c":[]} "#).unwrap(),
            [
                "{",
                "key a",
                "[",
                "number 1",
                "number -2.5e+3",
                "string x\\\"y",
                "true",
                "end",
                "key b",
                "{",
                "end",
                "key c",
                "[",
                "end",
                "end"
            ]
        );
        assert_eq!(tokens("null").unwrap(), ["null"]);
    }

    #[test]
    fn refuses_what_is_not_json() {
        for text in [
            "",
            "{",
            "[1",
            "{\"a\"}",
            "{\"a\":}",
            "[1,]",
            "{,}",
            "nul",
            "1 2",
            "\"a",
            "{]",
            "[}",
            "{\"a\":1,}",
            "-",
            "1.",
            "1e",
            "\"\\",
            "]",
            "}",
            "a",
        ] {
            assert_eq!(tokens(text), Err(NotJson), "{text}");
        }
    }

    #[test]
    fn brackets_close_in_order_at_any_depth() {
        for depth in [1, 63, 64, 65, 128, 129, 200] {
            let open: String =
                (0..depth).map(|at| if at % 3 == 0 { "{\"a\":" } else { "[" }).collect();
            let close: String =
                (0..depth).rev().map(|at| if at % 3 == 0 { '}' } else { ']' }).collect();
            assert_eq!(walk(format!("{open}1{close}").as_bytes(), |_, _| ()), Ok(()), "{depth}");
            let wrong = close.replacen('}', "]", 1);
            assert_eq!(
                walk(format!("{open}1{wrong}").as_bytes(), |_, _| ()),
                Err(NotJson),
                "{depth}"
            );
        }
    }

    #[test]
    fn depth_costs_memory_not_stack() {
        let deep = "[".repeat(200_000) + &"]".repeat(200_000);
        assert_eq!(walk(deep.as_bytes(), |_, _| ()), Ok(()));
    }

    #[test]
    fn units_are_whole_escapes() {
        assert_eq!(unit_len(br"\u0041x", 0), 6);
        assert_eq!(unit_len(br"\ud83d\ude00", 0), 12);
        assert_eq!(unit_len(br"\n", 0), 2);
        assert_eq!(unit_len(b"x", 0), 1);
    }
}
