//! JSON as bytes: a scanner that checks and measures without building anything.
//!
//! Owns: the grammar of RFC 8259, the limit on depth, and the hunt for keys that occur twice.
//! Accepts: any bytes. Strings are expected to be UTF-8, which [`crate::envelope::read`] checks once
//! for the whole message.
//! Emits: sub-slices of what it was given, so that a caller can splice by position.
//! Promises: no recursion, no allocation but for the keys it was asked to compare, no panic. Numbers
//! are never converted, so `1e400` and integers of any length pass; neither are lone surrogates.

use std::borrow::Cow;

/// How deep containers may be nested in one message.
///
/// Above what real messages need and below what makes the recursive parsers of common runtimes fail
/// (CPython's stops near 1,000).
pub const MAX_DEPTH: usize = 512;

/// How many keys may be held for comparison at one time (all the objects that are open).
pub const MAX_OPEN_KEYS: usize = 1 << 18;

/// Why a scan stopped. Positions are bytes from the start of what was scanned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Not JSON, from here on.
    Syntax(usize),
    /// The container that opens here is nested deeper than [`MAX_DEPTH`].
    Depth(usize),
    /// An object that ends here has the same key twice.
    Duplicate(usize),
    /// More than [`MAX_OPEN_KEYS`] keys to compare.
    Keys(usize),
}

/// A string as it is written, without its quotes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Text<'a> {
    pub(crate) raw: &'a [u8],
    /// How many escapes there are. A whole word, since the padding after a flag would be copied
    /// piecemeal at every key, which costs a third of all the time.
    escapes: usize,
}

/// A place in a JSON text, and how deep it is.
pub(crate) struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: usize,
    /// One bit per level: set for an object, clear for an array.
    objects: [u64; MAX_DEPTH / 64],
}

/// The keys of the objects that are open, for finding the ones that occur twice.
pub(crate) struct Keys<'a> {
    seen: Vec<&'a [u8]>,
    open: Vec<Open>,
}

/// One open object.
struct Open {
    /// Where its keys begin among those seen.
    begin: usize,
    /// Whether one of them has an escape.
    escaped: bool,
    /// A bit for each kind of key seen: a key whose bit is clear is a new one.
    kinds: u64,
    twice: bool,
}

impl<'a> Text<'a> {
    pub(crate) fn is_escaped(self) -> bool {
        self.escapes > 0
    }

    /// The characters this string stands for; a lone surrogate is kept as three bytes.
    pub(crate) fn decoded(self) -> Cow<'a, [u8]> {
        if self.is_escaped() {
            Cow::Owned(decode(self.raw, false))
        } else {
            Cow::Borrowed(self.raw)
        }
    }

    /// Whether this string stands for `text`, whichever way it is spelled.
    pub(crate) fn is(self, text: &str) -> bool {
        if self.is_escaped() {
            *self.decoded() == *text.as_bytes()
        } else {
            self.raw == text.as_bytes()
        }
    }
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, depth: 0, objects: [0; MAX_DEPTH / 64] }
    }

    /// A scanner that starts after the byte order mark, if there is one.
    pub(crate) fn after_bom(bytes: &'a [u8]) -> Self {
        let at = if bytes.starts_with(BOM) { BOM.len() } else { 0 };
        Self { at, ..Self::new(bytes) }
    }

    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Goes past `byte` if it comes next, white space aside.
    pub(crate) fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    /// The next byte that is not white space, without taking it.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        self.space();
        self.byte()
    }

    /// Whether nothing but white space is left.
    pub(crate) fn at_end(&mut self) -> bool {
        self.peek().is_none()
    }

    /// Takes one value and gives its bytes. With `keys`, no object in it may have a key twice.
    pub(crate) fn value(&mut self, mut keys: Option<&mut Keys<'a>>) -> Result<&'a [u8], Flaw> {
        self.space();
        let (begin, floor) = (self.at, self.depth);
        loop {
            let opened = match self.byte() {
                Some(b'{') => self.open(true)?,
                Some(b'[') => self.open(false)?,
                _ => {
                    self.scalar()?;
                    false
                }
            };
            if opened {
                let object = self.in_object();
                if object && let Some(keys) = keys.as_deref_mut() {
                    keys.open();
                }
                if !self.closes(object) {
                    if object {
                        self.key_into(keys.as_deref_mut())?;
                    }
                    self.space();
                    continue;
                }
            }
            if self.climb(floor, keys.as_deref_mut())? {
                return Ok(&self.bytes[begin..self.at]);
            }
        }
    }

    /// Takes the object that begins here, member by member: `each` gets the key and must take the
    /// value. Gives the object's bytes.
    pub(crate) fn object<E: From<Flaw>>(
        &mut self,
        mut each: impl FnMut(&mut Self, Text<'a>) -> Result<(), E>,
    ) -> Result<&'a [u8], E> {
        self.space();
        let begin = self.at;
        if self.byte() != Some(b'{') {
            return Err(self.flaw().into());
        }
        self.open(true)?;
        if !self.closes(true) {
            loop {
                let key = self.key()?;
                each(self, key)?;
                self.space();
                match self.byte() {
                    Some(b',') => self.at += 1,
                    Some(b'}') => break,
                    _ => return Err(self.flaw().into()),
                }
            }
        }
        self.shut();
        Ok(&self.bytes[begin..self.at])
    }

    /// Takes one string.
    pub(crate) fn text(&mut self) -> Result<Text<'a>, Flaw> {
        self.space();
        if self.byte() != Some(b'"') {
            return Err(self.flaw());
        }
        self.at += 1;
        let begin = self.at;
        let mut escapes = 0;
        loop {
            self.plain();
            match self.byte() {
                Some(b'"') => {
                    let raw = &self.bytes[begin..self.at];
                    self.at += 1;
                    return Ok(Text { raw, escapes });
                }
                Some(b'\\') => {
                    escapes += 1;
                    self.escape()?;
                }
                _ => return Err(self.flaw()),
            }
        }
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn flaw(&self) -> Flaw {
        Flaw::Syntax(self.at)
    }

    #[inline]
    fn space(&mut self) {
        while let Some(byte) = self.byte() {
            if byte > b' ' || !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                return;
            }
            self.at += 1;
        }
    }

    /// Goes past the opening bracket here; always true.
    fn open(&mut self, object: bool) -> Result<bool, Flaw> {
        if self.depth == MAX_DEPTH {
            return Err(Flaw::Depth(self.at));
        }
        let bit = 1_u64 << (self.depth % 64);
        let word = &mut self.objects[self.depth / 64];
        *word = if object { *word | bit } else { *word & !bit };
        self.depth += 1;
        self.at += 1;
        Ok(true)
    }

    /// Goes past the closing bracket here.
    fn shut(&mut self) {
        self.depth -= 1;
        self.at += 1;
    }

    /// Whether the innermost open container is an object.
    fn in_object(&self) -> bool {
        let level = self.depth - 1;
        self.objects[level / 64] >> (level % 64) & 1 == 1
    }

    /// Whether the next thing closes the container that was just opened.
    fn closes(&mut self, object: bool) -> bool {
        self.peek() == Some(if object { b'}' } else { b']' })
    }

    /// After a value: leaves every container that ends here, and goes to the start of the next
    /// value. True when the container level `floor` is reached.
    fn climb(&mut self, floor: usize, mut keys: Option<&mut Keys<'a>>) -> Result<bool, Flaw> {
        loop {
            if self.depth == floor {
                return Ok(true);
            }
            self.space();
            match (self.byte(), self.in_object()) {
                (Some(b','), true) => {
                    self.at += 1;
                    self.key_into(keys)?;
                    self.space();
                    return Ok(false);
                }
                (Some(b','), false) => {
                    self.at += 1;
                    self.space();
                    return Ok(false);
                }
                (Some(b'}'), true) => {
                    if let Some(keys) = keys.as_deref_mut() {
                        keys.close(self.at)?;
                    }
                    self.shut();
                }
                (Some(b']'), false) => self.shut(),
                _ => return Err(self.flaw()),
            }
        }
    }

    /// Takes a key and the colon after it.
    pub(crate) fn key(&mut self) -> Result<Text<'a>, Flaw> {
        let key = self.text()?;
        self.space();
        if self.byte() != Some(b':') {
            return Err(self.flaw());
        }
        self.at += 1;
        Ok(key)
    }

    fn key_into(&mut self, keys: Option<&mut Keys<'a>>) -> Result<(), Flaw> {
        let at = self.at;
        let key = self.key()?;
        keys.map_or(Ok(()), |keys| keys.add(key, at))
    }

    fn scalar(&mut self) -> Result<(), Flaw> {
        match self.byte() {
            Some(b'"') => self.text().map(drop),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            _ => Err(self.flaw()),
        }
    }

    fn word(&mut self, word: &[u8]) -> Result<(), Flaw> {
        if !self.bytes[self.at..].starts_with(word) {
            return Err(self.flaw());
        }
        self.at += word.len();
        Ok(())
    }

    fn number(&mut self) -> Result<(), Flaw> {
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        if self.byte() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.byte() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.byte() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Flaw> {
        let begin = self.at;
        while let Some(b'0'..=b'9') = self.byte() {
            self.at += 1;
        }
        if self.at == begin { Err(self.flaw()) } else { Ok(()) }
    }

    /// Goes to the next byte that ends a string, begins an escape, or may not stand in one.
    fn plain(&mut self) {
        const ONES: u64 = u64::MAX / 255;
        const TOPS: u64 = ONES << 7;
        let rest = &self.bytes[self.at..];
        let mut done = 0;
        // Eight bytes at a time; a set top bit in a lane marks a byte to look at. The subtraction
        // may carry into higher lanes, so only the lowest mark is exact, and only it is used.
        for chunk in rest.chunks_exact(8) {
            let Ok(lanes) = <[u8; 8]>::try_from(chunk) else { break };
            let lanes = u64::from_le_bytes(lanes);
            let control = lanes.wrapping_sub(ONES * 0x20) & !lanes;
            let quote = lanes ^ (ONES * u64::from(b'"'));
            let quote = quote.wrapping_sub(ONES) & !quote;
            let slash = lanes ^ (ONES * u64::from(b'\\'));
            let slash = slash.wrapping_sub(ONES) & !slash;
            let marks = (control | quote | slash) & TOPS;
            if marks != 0 {
                self.at += done + (marks.trailing_zeros() / 8) as usize;
                return;
            }
            done += 8;
        }
        self.at += done;
        while let Some(byte) = self.byte() {
            if byte == b'"' || byte == b'\\' || byte < 0x20 {
                return;
            }
            self.at += 1;
        }
    }

    fn escape(&mut self) -> Result<(), Flaw> {
        self.at += 1;
        match self.byte() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => {
                self.at += 1;
                for _ in 0..4 {
                    if !self.byte().is_some_and(|b| b.is_ascii_hexdigit()) {
                        return Err(self.flaw());
                    }
                    self.at += 1;
                }
            }
            _ => return Err(self.flaw()),
        }
        Ok(())
    }
}

impl<'a> Keys<'a> {
    pub(crate) fn new() -> Self {
        Self { seen: Vec::new(), open: Vec::new() }
    }

    pub(crate) fn open(&mut self) {
        let begin = self.seen.len();
        self.open.push(Open { begin, escaped: false, kinds: 0, twice: false });
    }

    pub(crate) fn add(&mut self, key: Text<'a>, at: usize) -> Result<(), Flaw> {
        if self.seen.len() == MAX_OPEN_KEYS {
            return Err(Flaw::Keys(at));
        }
        if let Some(open) = self.open.last_mut() {
            open.escaped |= key.is_escaped();
            let kind = 1 << (kind(key.raw) % 64);
            // Only the first few are compared one by one, so that many cost no more than sorting.
            let few = &self.seen[open.begin..];
            if open.kinds & kind != 0 && few.len() < FEW {
                open.twice |= few.contains(&key.raw);
            }
            open.kinds |= kind;
        }
        self.seen.push(key.raw);
        Ok(())
    }

    /// Forgets the keys of the object that ends at `at`; fails if one was there twice.
    pub(crate) fn close(&mut self, at: usize) -> Result<(), Flaw> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let keys = self.seen.get_mut(open.begin..).unwrap_or_default();
        let twice = if open.escaped {
            has_twice(&mut keys.iter().map(|raw| decode(raw, false)).collect::<Vec<_>>())
        } else {
            open.twice || keys.len() > FEW && has_twice(keys)
        };
        self.seen.truncate(open.begin);
        if twice { Err(Flaw::Duplicate(at)) } else { Ok(()) }
    }
}

/// The byte order mark in UTF-8.
pub(crate) const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Up to how many keys comparing each with all is faster than sorting.
const FEW: usize = 16;

/// A number that differs for most keys that differ.
#[inline]
fn kind(key: &[u8]) -> usize {
    match key {
        [] => 0,
        [first, .., last] => {
            key.len() + usize::from(*first).wrapping_mul(7) + usize::from(*last).wrapping_mul(29)
        }
        [only] => usize::from(*only).wrapping_mul(7),
    }
}

fn has_twice<T: Ord>(keys: &mut [T]) -> bool {
    keys.sort_unstable();
    keys.windows(2).any(|pair| pair[0] == pair[1])
}

/// The characters that the inside of a string stands for. A lone surrogate becomes U+FFFD when
/// `lossy`, and otherwise three bytes of its own, so that two of them compare as what they are.
pub(crate) fn decode(raw: &[u8], lossy: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(plain) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..plain]);
        rest = &rest[plain + 1..];
        let Some((&kind, after)) = rest.split_first() else { return out };
        rest = after;
        match kind {
            b'b' => out.push(0x08),
            b'f' => out.push(0x0C),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'u' => rest = decode_unit(rest, lossy, &mut out),
            other => out.push(other),
        }
    }
    out.extend_from_slice(rest);
    out
}

/// Decodes what follows `\u`, with the second half of a pair if there is one; gives what is left.
fn decode_unit<'a>(rest: &'a [u8], lossy: bool, out: &mut Vec<u8>) -> &'a [u8] {
    let Some(first) = hex(rest) else { return rest };
    let rest = &rest[4..];
    if (0xD800..0xDC00).contains(&first)
        && let Some(low) = rest.strip_prefix(b"\\u").and_then(hex)
        && (0xDC00..0xE000).contains(&low)
    {
        push_char(0x10000 + ((first - 0xD800) << 10) + (low - 0xDC00), lossy, out);
        return &rest[6..];
    }
    push_char(first, lossy, out);
    rest
}

fn push_char(code: u32, lossy: bool, out: &mut Vec<u8>) {
    match char::from_u32(code) {
        Some(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        None if lossy => out.extend_from_slice("\u{FFFD}".as_bytes()),
        None => {
            let [_, _, high, low] = code.to_be_bytes();
            let middle = (high & 0x0F) << 2 | low >> 6;
            out.extend_from_slice(&[0xE0 | high >> 4, 0x80 | middle, 0x80 | (low & 0x3F)]);
        }
    }
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.get(..4)?.iter().try_fold(0, |sum, &d| Some(sum * 16 + char::from(d).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(text: &[u8], twice: bool) -> Result<&[u8], Flaw> {
        let mut scanner = Scanner::new(text);
        let mut keys = Keys::new();
        let value = scanner.value(twice.then_some(&mut keys))?;
        if scanner.at_end() { Ok(value) } else { Err(Flaw::Syntax(scanner.at())) }
    }

    #[test]
    fn takes_what_is_json() {
        for text in [
            "0",
            "-0",
            "1e400",
            "12345678901234567890123",
            "-1.5E+7",
            "true",
            "false",
            "null",
            r#""""#,
            r#""a\ud800b""#,
            r#""\u00e9\/\\\"\b\f\n\r\t""#,
            "[]",
            "{}",
            "[[],{},[{}]]",
            " \r\n\t[ 1 , 2 ] ",
            r#"{ "a" : [ { "b" : "c" } , 1 ] , "d" : null }"#,
            "\"\u{2028}\u{7f}é𝄞 a long string, so that more than one block of eight is seen\"",
        ] {
            assert_eq!(scan(text.as_bytes(), true), Ok(text.trim().as_bytes()), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not() {
        for text in [
            "",
            " ",
            "01",
            "1.",
            ".5",
            "+1",
            "-",
            "1e",
            "tru",
            "nul",
            "NaN",
            "'a'",
            "\"",
            "\"\\\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"\\u12",
            "\"a\nb\"",
            "\"12345678\u{1}\"",
            "[",
            "[1",
            "[1,",
            "[1,]",
            "[,1]",
            "[1 2]",
            "{",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":1",
            "{\"a\":1,",
            "{\"a\":1,}",
            "{a:1}",
            "{\"a\" 1}",
            "{1:1}",
            "]",
            "}",
            "[}",
            "{]",
            "[1}",
            "1 2",
            "{}{}",
            "\"a\"b",
        ] {
            assert!(matches!(scan(text.as_bytes(), false), Err(Flaw::Syntax(_))), "{text}");
        }
    }

    #[test]
    fn depth_ends_at_the_limit() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(scan(nested(MAX_DEPTH).as_bytes(), false).is_ok());
        assert_eq!(scan(nested(MAX_DEPTH + 1).as_bytes(), false), Err(Flaw::Depth(MAX_DEPTH)));
        let bomb = "{\"a\":".repeat(3_000_000);
        assert!(matches!(scan(bomb.as_bytes(), true), Err(Flaw::Depth(_))));
    }

    #[test]
    fn finds_keys_that_occur_twice() {
        for (text, twice) in [
            (r#"{"a":1,"a":2}"#, true),
            (r#"{"a":1,"\u0061":2}"#, true),
            (r#"{"a":1,"A":2}"#, false),
            (r#"{"a":{"a":1}}"#, false),
            (r#"[{"a":1},{"a":2}]"#, false),
            (r#"{"x":[{"b":1,"c":[{"d":1,"d":1}]}]}"#, true),
            (r#"{"\ud800":1,"\ud801":2}"#, false),
            (r#"{"\ud834\udd1e":1,"𝄞":2}"#, true),
            (r#"{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1}"#, false),
            (r#"{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"c":1}"#, true),
            (r#"{"a":1,"b":{"z":1},"a":2}"#, true),
        ] {
            assert_eq!(
                matches!(scan(text.as_bytes(), true), Err(Flaw::Duplicate(_))),
                twice,
                "{text}"
            );
            assert!(scan(text.as_bytes(), false).is_ok(), "{text}");
        }
    }

    #[test]
    fn keys_to_compare_are_bounded() {
        let many: String = (0..=MAX_OPEN_KEYS).map(|n| format!("\"{n}\":0,")).collect();
        let text = format!("{{{}}}", many.trim_end_matches(','));
        assert!(matches!(scan(text.as_bytes(), true), Err(Flaw::Keys(_))));
        assert!(scan(text.as_bytes(), false).is_ok());
    }

    #[test]
    fn strings_decode() {
        let decoded = |raw: &str| String::from_utf8(decode(raw.as_bytes(), true)).unwrap();
        assert_eq!(decoded(r"a\n\u00e9\ud834\udd1e\/"), "a\né𝄞/");
        assert_eq!(decoded(r"\ud800x\udc00\ud800\ud834\udd1e"), "\u{FFFD}x\u{FFFD}\u{FFFD}𝄞");
    }
}
