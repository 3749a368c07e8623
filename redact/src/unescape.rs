//! Owns undoing backslash escapes, as in JSON and most languages' string literals.
//! Accepts any bytes; emits the text that is meant with a map back; promises one pass and that
//! what is no escape stays as it is.

use std::ops::Range;

use crate::json::hex4;
use crate::offsets::Derived;

/// Appends the text in `range` with its escapes undone.
pub(crate) fn unescape(text: &[u8], range: Range<usize>, out: &mut Derived) {
    out.reserve(range.len());
    let mut at = range.start;
    while at < range.end {
        at += out.copy_plain(&text[at..range.end], at);
        if at >= range.end {
            break;
        }
        let mut buffer = [0; 4];
        match escape(&text[at..range.end], &mut buffer) {
            Some((meant, length)) => {
                out.unit(meant, at, length);
                at += length;
            }
            None => {
                out.copy(&text[at..at + 1], at);
                at += 1;
            }
        }
    }
}

/// What the escape at the start of `text` means, and how long it is.
pub(crate) fn escape<'b>(text: &[u8], buffer: &'b mut [u8; 4]) -> Option<(&'b [u8], usize)> {
    let simple = match text.get(1)? {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 0x08,
        b'f' => 0x0C,
        byte @ (b'"' | b'\\' | b'/' | b'\'') => *byte,
        b'u' => return unicode(text, buffer),
        b'U' => return long(text, buffer),
        b'x' => {
            let digits = text.get(2..4)?;
            let byte = digits
                .iter()
                .try_fold(0, |sum, &digit| Some(sum * 16 + char::from(digit).to_digit(16)?))?;
            buffer[0] = u8::try_from(byte).ok().filter(u8::is_ascii)?;
            return Some((&buffer[..1], 4));
        }
        _ => return None,
    };
    buffer[0] = simple;
    Some((&buffer[..1], 2))
}

/// The character of `\U0001f600`, as C and Python write it.
fn long<'b>(text: &[u8], buffer: &'b mut [u8; 4]) -> Option<(&'b [u8], usize)> {
    let code = text.get(2..10)?.iter().try_fold(0_u32, |sum, &digit| {
        sum.checked_mul(16)?.checked_add(char::from(digit).to_digit(16)?)
    })?;
    Some((char::from_u32(code)?.encode_utf8(buffer).as_bytes(), 10))
}

fn unicode<'b>(text: &[u8], buffer: &'b mut [u8; 4]) -> Option<(&'b [u8], usize)> {
    let (code, length) = if text.get(2) == Some(&b'{') {
        let digits = text[3..].iter().take(7).take_while(|b| b.is_ascii_hexdigit()).count();
        if digits == 0 || digits > 6 || text.get(3 + digits) != Some(&b'}') {
            return None;
        }
        let code = text[3..3 + digits]
            .iter()
            .try_fold(0, |sum, &digit| Some(sum * 16 + char::from(digit).to_digit(16)?))?;
        (code, digits + 4)
    } else {
        let first = hex4(text, 2)?;
        let second = (text.get(6) == Some(&b'\\') && text.get(7) == Some(&b'u'))
            .then(|| hex4(text, 8))
            .flatten();
        match (first, second) {
            (0xD800..=0xDBFF, Some(low @ 0xDC00..=0xDFFF)) => {
                (0x1_0000 + ((first - 0xD800) << 10) + (low - 0xDC00), 12)
            }
            _ => (first, 6),
        }
    };
    let meant = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    Some((meant.encode_utf8(buffer).as_bytes(), length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, meant: &str) {
        let mut derived = Derived::default();
        unescape(text.as_bytes(), 0..text.len(), &mut derived);
        assert_eq!(String::from_utf8_lossy(&derived.text), meant, "{text}");
    }

    #[test]
    fn undoes_escapes() {
        check(r"a\nb\\c\/d", "a\nb\\c/d");
        check(r"\u0041\x42\u{43}", "ABC");
        check(r"\ud83d\ude00", "\u{1F600}");
        check(r"\ud83d x", "\u{FFFD} x");
        check(r"C:\dir\", r"C:\dir\");
        check(r"\u00", r"\u00");
    }
}
