//! A walk over the strings of a JSON text.
//!
//! Owns: finding keys and string values without building a tree.
//! Accepts: any bytes; what is not JSON is walked as well as it goes, never skipped.
//! Emits: one [`Event`] for each key and each string value, decoded.
//! Promises: time linear in the input, no recursion, memory bounded by [`MAX_DEPTH`] and the
//! longest string.

use std::borrow::Cow;

use memchr::memchr2;

/// Deepest nesting whose keys are remembered. Strings further down are still visited, under the
/// key that was known last.
const MAX_DEPTH: usize = 128;

/// Longest key that is remembered whole; every level of nesting may hold a copy.
const MAX_KEY: usize = 128;

/// Something met on the walk.
pub(crate) enum Event<'a> {
    /// The name of a member.
    Key(&'a str),
    /// A string value.
    Text {
        /// The name of the nearest member around it; empty where there is none.
        key: &'a str,
        /// The decoded value.
        text: &'a str,
    },
}

/// Visits the keys and string values of `raw` in order.
pub(crate) fn walk(raw: &[u8], visit: &mut impl FnMut(Event<'_>)) {
    let first = raw.iter().copied().find(|b| !b.is_ascii_whitespace());
    if !matches!(first, Some(b'{' | b'[' | b'"')) {
        visit(Event::Text { key: "", text: &String::from_utf8_lossy(raw) });
        return;
    }
    let mut keys: Vec<Cow<'_, str>> = Vec::with_capacity(8);
    let mut key: Cow<'_, str> = Cow::Borrowed("");
    let mut too_deep = 0usize;
    let mut at = 0;
    while let Some(&byte) = raw.get(at) {
        at += 1;
        match byte {
            b'"' => {
                let (end, escaped) = string_end(raw, at);
                let text = decode(&raw[at..end], escaped);
                at = end.saturating_add(1);
                if next_is_colon(raw, at) {
                    visit(Event::Key(&text));
                    key = shortened(text);
                } else {
                    visit(Event::Text { key: &key, text: &text });
                }
            }
            b'{' | b'[' if keys.len() < MAX_DEPTH => keys.push(key.clone()),
            b'{' | b'[' => too_deep += 1,
            b'}' | b']' if too_deep > 0 => too_deep -= 1,
            b'}' | b']' => key = keys.pop().unwrap_or(Cow::Borrowed("")),
            // In an object the next key replaces this one; in an array it goes on to hold.
            _ => {}
        }
    }
}

fn shortened(key: Cow<'_, str>) -> Cow<'_, str> {
    match key {
        Cow::Owned(mut key) if key.len() > MAX_KEY => {
            let end = (0..=MAX_KEY).rev().find(|at| key.is_char_boundary(*at)).unwrap_or_default();
            key.truncate(end);
            key.shrink_to_fit();
            Cow::Owned(key)
        }
        key => key,
    }
}

/// The position of the closing quote of a string that starts at `from` (or the end of the input),
/// and whether there is an escape in it.
fn string_end(raw: &[u8], from: usize) -> (usize, bool) {
    let (mut at, mut escaped) = (from, false);
    loop {
        let rest = raw.get(at..).unwrap_or_default();
        match memchr2(b'"', b'\\', rest) {
            Some(found) if rest[found] == b'"' => return (at + found, escaped),
            Some(found) => {
                escaped = true;
                at += found + 2;
            }
            None => return (raw.len(), escaped),
        }
    }
}

fn next_is_colon(raw: &[u8], from: usize) -> bool {
    let rest = raw.get(from..).unwrap_or_default();
    rest.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b':')
}

/// Decodes the inside of a JSON string. Broken escapes are kept as they are, broken UTF-8 and lone
/// surrogates become U+FFFD.
fn decode(raw: &[u8], escaped: bool) -> Cow<'_, str> {
    if !escaped {
        return String::from_utf8_lossy(raw);
    }
    let mut out = Vec::with_capacity(raw.len());
    let mut at = 0;
    while let Some(&byte) = raw.get(at) {
        if byte != b'\\' {
            out.push(byte);
            at += 1;
            continue;
        }
        let (c, length) = escape(&raw[at..]);
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        at += length;
    }
    match String::from_utf8(out) {
        Ok(text) => Cow::Owned(text),
        Err(error) => Cow::Owned(String::from_utf8_lossy(error.as_bytes()).into_owned()),
    }
}

/// The character that the escape at the start of `raw` stands for, and the escape's length.
pub(crate) fn escape(raw: &[u8]) -> (char, usize) {
    match raw.get(1) {
        Some(b'n') => ('\n', 2),
        Some(b't') => ('\t', 2),
        Some(b'r') => ('\r', 2),
        Some(b'b') => ('\u{8}', 2),
        Some(b'f') => ('\u{c}', 2),
        Some(&c @ (b'"' | b'\\' | b'/')) => (char::from(c), 2),
        Some(b'u') => unicode_escape(raw),
        _ => ('\\', 1),
    }
}

fn unicode_escape(raw: &[u8]) -> (char, usize) {
    let Some(unit) = hex4(raw, 2) else { return ('\\', 1) };
    if !(0xD800..0xDC00).contains(&unit) {
        return (char::from_u32(unit).unwrap_or('\u{FFFD}'), 6);
    }
    let low = if raw.get(6..8) == Some(b"\\u") { hex4(raw, 8) } else { None };
    match low {
        Some(low @ 0xDC00..0xE000) => {
            let code = 0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
            (char::from_u32(code).unwrap_or('\u{FFFD}'), 12)
        }
        _ => ('\u{FFFD}', 6),
    }
}

fn hex4(raw: &[u8], from: usize) -> Option<u32> {
    let digits = raw.get(from..from + 4)?;
    digits.iter().try_fold(0, |value, &digit| Some(value << 4 | char::from(digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn events(raw: &[u8]) -> Vec<(String, Option<String>)> {
        let mut seen = Vec::new();
        walk(raw, &mut |event| {
            seen.push(match event {
                Event::Key(key) => (key.to_owned(), None),
                Event::Text { key, text } => (key.to_owned(), Some(text.to_owned())),
            });
        });
        seen
    }

    fn texts(raw: &str) -> Vec<(String, String)> {
        events(raw.as_bytes()).into_iter().filter_map(|(k, t)| Some((k, t?))).collect()
    }

    fn pair(key: &str, text: &str) -> (String, String) {
        (key.to_owned(), text.to_owned())
    }

    #[test]
    fn values_come_with_the_nearest_key() {
        let raw = r#"{"a":"1","b":{"c":["2",{"d":"3"},"4"]},"e":"5"}"#;
        assert_eq!(
            texts(raw),
            [pair("a", "1"), pair("c", "2"), pair("d", "3"), pair("c", "4"), pair("e", "5")]
        );
    }

    #[test]
    fn escapes_are_decoded() {
        assert_eq!(
            texts(r#"{"m\u0065":"\u202e\ud83d\ude00\n\/\""}"#),
            [pair("me", "\u{202e}😀\n/\"")]
        );
        assert_eq!(texts(r#"["\ud83d","\ude00","\ud83d\u0041"]"#)[2], pair("", "\u{FFFD}A"));
    }

    #[test]
    fn what_is_not_json_is_one_text() {
        assert_eq!(texts("cat ~/.ssh/id_rsa"), [pair("", "cat ~/.ssh/id_rsa")]);
    }

    #[test]
    fn an_unterminated_string_is_visited() {
        assert_eq!(texts(r#"{"a":"~/.ssh/id_rsa"#), [pair("a", "~/.ssh/id_rsa")]);
        assert_eq!(texts(r#"{"a":"x\"#), [pair("a", "x\\")]);
    }

    #[test]
    fn strings_below_the_depth_limit_are_visited() {
        let raw = format!("{}\"deep\"{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(texts(&raw), [pair("", "deep")]);
    }

    #[test]
    fn a_long_key_is_not_copied_at_every_level() {
        let raw = format!("{{\"\\u0061{}\":{}\"x\"", "ü".repeat(100_000), "[".repeat(100));
        let seen = texts(&raw);
        assert!(seen[0].0.starts_with("aü") && seen[0].0.len() <= MAX_KEY);
    }

    fn strings_of(value: &Value, out: &mut Vec<String>) {
        match value {
            Value::String(text) => out.push(text.clone()),
            Value::Array(items) => items.iter().for_each(|item| strings_of(item, out)),
            Value::Object(members) => members.iter().for_each(|(key, value)| {
                out.push(key.clone());
                strings_of(value, out);
            }),
            _ => {}
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::vec((any::<String>(), inner), 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn sees_what_a_full_parser_sees(
            value in any_json().prop_filter("a text", |v| v.is_object() || v.is_array())
        ) {
            let mut wanted = Vec::new();
            strings_of(&value, &mut wanted);
            let seen: Vec<String> = events(value.to_string().as_bytes())
                .into_iter()
                .map(|(key, text)| text.unwrap_or(key))
                .collect();
            prop_assert_eq!(seen, wanted);
        }

        #[test]
        fn takes_any_bytes(raw in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = events(&raw);
        }
    }
}
