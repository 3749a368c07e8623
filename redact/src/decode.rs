//! Owns what a text means beyond its bytes: escapes, entities, percent signs, look-alike and
//! invisible characters, and the runs of base64 or hex in it; also tokens broken over lines or
//! string literals.
//! Accepts a text and ranges of it; emits derived texts with a map back; promises that only the
//! neighbourhood of something encoded is derived, so that clean text costs one quick look.

use std::ops::Range;

use crate::offsets::Derived;
use crate::{blocks, unescape};

/// How far around something encoded the derived text reaches, in bytes.
const REACH: usize = 256;
/// Shortest run of base64 or hex that is decoded, in bytes.
const MIN_RUN: usize = 20;
/// Longest run that is decoded, in bytes; the rest is left.
const MAX_RUN: usize = 1 << 20;

/// The parts of `ranges` that hold something encoded, decoded one level.
pub(crate) fn meaning(text: &[u8], ranges: &[Range<usize>], escapes: bool) -> Derived {
    let mut out = Derived::default();
    for range in ranges {
        let mut region: Option<Range<usize>> = None;
        let mut at = range.start;
        while let Some(found) = next_trigger(text, at..range.end, escapes) {
            let start = found.saturating_sub(REACH).max(range.start);
            let end = (found + REACH).min(range.end);
            region = match region {
                Some(open) if start <= open.end => Some(open.start..end),
                Some(open) => {
                    derive(&mut out, text, open, escapes);
                    Some(start..end)
                }
                None => Some(start..end),
            };
            // What lies within reach anyway needs no further look, save the last bytes.
            at = (found + 1).max(end.saturating_sub(REACH / 2));
        }
        if let Some(open) = region {
            derive(&mut out, text, open, escapes);
        }
    }
    out
}

/// The next place in a range where something is encoded.
fn next_trigger(text: &[u8], range: Range<usize>, escapes: bool) -> Option<usize> {
    let mut at = range.start;
    while at < range.end {
        let part = &text[at..range.end];
        at += next_odd(part, escapes)?;
        let rest = &text[at..range.end];
        let triggers = match rest[0] {
            b'\\' => escapes && matches!(rest.get(1), Some(b'u' | b'x' | b'"' | b'/')),
            b'%' => hex_pair(rest).is_some(),
            b'&' => entity(rest).is_some(),
            // Dashes and quotes of prose are no reason to look again.
            _ => look_alike(rest)
                .is_some_and(|(meant, _)| meant.is_none_or(|b| b.is_ascii_alphanumeric())),
        };
        if triggers {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// The first byte that may start something encoded.
fn next_odd(text: &[u8], escapes: bool) -> Option<usize> {
    // In steps, so that a byte that is found early costs no look at the rest.
    let mut from = 0;
    while from < text.len() {
        let step = &text[from..text.len().min(from + 1024)];
        let sign = if escapes {
            memchr::memchr3(b'%', b'&', b'\\', step)
        } else {
            memchr::memchr2(b'%', b'&', step)
        };
        let before = &step[..sign.unwrap_or(step.len())];
        if !before.is_ascii() {
            return before.iter().position(|byte| !byte.is_ascii()).map(|at| from + at);
        }
        if let Some(sign) = sign {
            return Some(from + sign);
        }
        from += step.len();
    }
    None
}

/// Decodes one region, apart from the region before it.
fn derive(out: &mut Derived, text: &[u8], region: Range<usize>, escapes: bool) {
    if !out.is_empty() {
        out.unit(b"\n", region.start, 1);
    }
    let mut at = region.start;
    let mut plain = at;
    let mut buffer = [0; 4];
    while at < region.end {
        let rest = &text[at..region.end];
        let decoded: Option<(&[u8], usize)> = match rest[0] {
            b'\\' if escapes => unescape::escape(rest, &mut buffer),
            b'%' => hex_pair(rest).map(|byte| {
                buffer[0] = byte;
                (&buffer[..1], 3)
            }),
            b'&' => entity(rest).map(|(c, length)| (c.encode_utf8(&mut buffer).as_bytes(), length)),
            0x80.. => look_alike(rest).map(|(meant, length)| match meant {
                Some(byte) => {
                    buffer[0] = byte;
                    (&buffer[..1], length)
                }
                None => (&buffer[..0], length),
            }),
            _ => None,
        };
        if let Some((meant, length)) = decoded {
            out.copy(&text[plain..at], plain);
            out.unit(meant, at, length);
            at += length;
            plain = at;
        } else {
            at += 1;
        }
    }
    out.copy(&text[plain..region.end], plain);
}

/// The byte of `%41`.
fn hex_pair(text: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*text.get(at)?).to_digit(16);
    u8::try_from(digit(1)? * 16 + digit(2)?).ok()
}

/// The character of an HTML entity, and its length.
fn entity(text: &[u8]) -> Option<(char, usize)> {
    const NAMED: &[(&[u8], char)] = &[
        (b"&amp;", '&'),
        (b"&lt;", '<'),
        (b"&gt;", '>'),
        (b"&quot;", '"'),
        (b"&apos;", '\''),
        (b"&colon;", ':'),
        (b"&equals;", '='),
        (b"&lowbar;", '_'),
        (b"&period;", '.'),
        (b"&sol;", '/'),
        (b"&commat;", '@'),
    ];
    if text.get(1) != Some(&b'#') {
        let short = &text[..text.len().min(8)];
        memchr::memchr(b';', short)?;
        let (name, c) = NAMED.iter().find(|(name, _)| text.starts_with(name))?;
        return Some((*c, name.len()));
    }
    let (radix, start) = if matches!(text.get(2), Some(b'x' | b'X')) { (16, 3) } else { (10, 2) };
    let mut code = 0_u32;
    let mut at = start;
    while let Some(digit) = text.get(at).and_then(|byte| char::from(*byte).to_digit(radix)) {
        code = code.checked_mul(radix)?.checked_add(digit)?;
        at += 1;
        if at > start + 8 {
            return None;
        }
    }
    let closed = text.get(at) == Some(&b';');
    (at > start).then_some(())?;
    Some((char::from_u32(code)?, at + usize::from(closed)))
}

/// The ASCII byte that a character is taken for, or nothing for one that is not seen, and the
/// character's length. `None` for every other character.
fn look_alike(text: &[u8]) -> Option<(Option<u8>, usize)> {
    let length = match text[0] {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => return None,
    };
    let c = std::str::from_utf8(text.get(..length)?).ok()?.chars().next()?;
    if is_ignorable(c) {
        return Some((None, length));
    }
    ascii_of(c).map(|byte| (Some(byte), length))
}

/// Characters that are not shown: Unicode's `Default_Ignorable_Code_Point` (DerivedCoreProperties)
/// and the other format controls.
fn is_ignorable(c: char) -> bool {
    matches!(u32::from(c),
        0xAD | 0x034F | 0x061C | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F
        | 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x206F | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF
        | 0xFFA0 | 0xFFF0..=0xFFFB | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF)
}

/// The ASCII character that another one looks like: compatibility forms (Unicode NFKC) of letters
/// and digits, and the confusables (UTS #39) of Cyrillic, Greek, Armenian and Latin.
fn ascii_of(c: char) -> Option<u8> {
    const PAIRS: &[(&str, &str)] = &[
        ("АВЕЅІЈКМНОРСТУХҮԚԜаеѕіјорсухһԁԛԝкмнтв", "ABESIJKMHOPCTYXYQWaesijopcyxhdqwkmhtb"),
        ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧοικνυρα", "ABEZHIKMNOPTYXoikvupa"),
        ("ՍՕօսոհցզ", "UOounhgq"),
        ("ıɡɩʟℓƍ", "igilld"),
        ("‐‑‒–—―−﹘﹣", "---------"),
        ("․‚′‘’“”", "...''\"\""),
    ];
    let code = u32::from(c);
    let byte = match code {
        0xFF01..=0xFF5E => code - 0xFEE0,
        0x1D400..=0x1D6A3 => {
            // Mathematical alphabets: 26 capitals and 26 small letters, over and over.
            let index = (code - 0x1D400) % 52;
            if index < 26 { 0x41 + index } else { 0x61 + index - 26 }
        }
        0x1D7CE..=0x1D7FF => 0x30 + (code - 0x1D7CE) % 10,
        0x24B6..=0x24CF => 0x41 + code - 0x24B6,
        0x24D0..=0x24E9 => 0x61 + code - 0x24D0,
        0x1F130..=0x1F149 => 0x41 + code - 0x1F130,
        _ => {
            return PAIRS.iter().find_map(|(from, to)| {
                let at = from.chars().position(|known| known == c)?;
                to.as_bytes().get(at).copied()
            });
        }
    };
    u8::try_from(byte).ok()
}

/// Tells every run of base64, base64url or hex in a range that decodes to text, with the text.
pub(crate) fn runs(text: &[u8], range: Range<usize>, mut found: impl FnMut(Range<usize>, Vec<u8>)) {
    blocks::long_runs(text, range.start, range.end, |start| {
        let window = &text[start..range.end.min(start + MAX_RUN)];
        let end = start + window.iter().take_while(|b| blocks::is_run(**b)).count();
        if let Some(decoded) = decode_run(&text[start..end]) {
            let padding = text[end..range.end].iter().take(2).take_while(|b| **b == b'=').count();
            found(start..end + padding, decoded);
        }
    });
}

/// What a run encodes, where that is text.
fn decode_run(run: &[u8]) -> Option<Vec<u8>> {
    if run.len().is_multiple_of(2)
        && run.len() >= 2 * MIN_RUN
        && run.iter().all(u8::is_ascii_hexdigit)
    {
        let decoded: Option<Vec<u8>> =
            run.chunks(2).map(|pair| hex_pair(&[0, pair[0], pair[1]])).collect();
        return decoded.filter(|text| is_text(text));
    }
    // Four characters are enough to drop nearly everything that is no text.
    let head = crate::rule::base64_prefix(&run[..16]);
    if !is_text(&head) || run.len() % 4 == 1 && run.len() < 64 {
        return None;
    }
    Some(crate::rule::base64_prefix(run)).filter(|text| is_text(text))
}

/// Whether bytes are nearly all printable.
fn is_text(bytes: &[u8]) -> bool {
    let odd =
        bytes.iter().filter(|byte| !matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t')).count();
    !bytes.is_empty() && odd * 20 <= bytes.len()
}

/// Shortest first piece of a broken token, in bytes.
const MIN_PIECE: usize = 7;

/// Most blanks before a sign that joins literals.
const MAX_GLUE: usize = 16;

/// A token in pieces, put together: over a line break, or over quotes with a sign between them.
pub(crate) fn joins(text: &[u8], range: Range<usize>, mut found: impl FnMut(Derived)) {
    let mut at = range.start;
    for sign in memchr::memchr2_iter(b'\n', b'+', &text[range.clone()]) {
        let sign = range.start + sign;
        if sign < at {
            continue;
        }
        at = sign + 1;
        let last = sign.checked_sub(1).map_or(b'\n', |before| text[before]);
        if !is_piece(last) && !matches!(last, b'"' | b'\'' | b' ' | b'\\' | b'\r' | b'\t') {
            continue;
        }
        // The glue starts at the quote or the line break before the sign.
        let blanks = text[range.start..sign]
            .iter()
            .rev()
            .take(MAX_GLUE)
            .take_while(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\\'));
        let mut here = sign - blanks.count();
        match here.checked_sub(1).filter(|at| *at >= range.start).map(|at| text[at]) {
            Some(b'"' | b'\'') => here -= 1,
            Some(byte) if text[sign] == b'\n' && is_piece(byte) => {
                here = if text[sign - 1] == b'\r' { sign - 1 } else { sign };
            }
            _ => continue,
        }
        let Some(mut after) = glue_end(text, here, range.end) else { continue };
        let left = piece_before(text, range.start, here);
        if here - left < MIN_PIECE
            || !text[left..here]
                .iter()
                .any(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-'))
        {
            continue;
        }
        let mut joined = Derived::default();
        joined.copy(&text[left..here], left);
        // Up to 64 pieces: a long key is wrapped into many lines.
        for _ in 0..64 {
            let end = piece_after(text, after, range.end);
            joined.copy(&text[after..end], after);
            here = end;
            match glue_end(text, here, range.end) {
                Some(next) if end > after => after = next,
                _ => break,
            }
        }
        if joined.text.len() >= 18 {
            at = at.max(after.saturating_sub(1));
            found(joined);
        }
    }
}

/// Where the glue that starts at `at` ends: a line break with the indentation around it, or the
/// end of a literal, a sign, and the start of the next.
fn glue_end(text: &[u8], at: usize, limit: usize) -> Option<usize> {
    let blanks = |mut at: usize| {
        while at < limit && matches!(text[at], b' ' | b'\t') {
            at += 1;
        }
        at
    };
    let line_break = |at: usize| match text.get(at..limit)? {
        [b'\r', b'\n', ..] => Some(at + 2),
        [b'\n', ..] => Some(at + 1),
        _ => None,
    };
    let quote = match text.get(at..limit)?.first()? {
        quote @ (b'"' | b'\'') => *quote,
        _ => {
            let next = line_break(at)?;
            // An empty line, or a literal that starts the line, ends the token.
            let after = blanks(next).min(next + 12);
            return text.get(after).filter(|b| is_piece(**b)).map(|_| after);
        }
    };
    let mut next = blanks(at + 1);
    let mut signed = false;
    for _ in 0..2 {
        if let Some(b'+' | b'.' | b'&' | b'\\' | b'~') = text.get(next).filter(|_| next < limit) {
            signed = true;
            next = blanks(next + 1);
        }
        if let Some(after) = line_break(next) {
            signed = true;
            next = blanks(after);
        }
    }
    let adjacent = signed || next > at + 1;
    (adjacent && text.get(next) == Some(&quote) && text.get(next + 1).is_some_and(|b| is_piece(*b)))
        .then_some(next + 1)
        .filter(|after| *after < limit)
}

fn is_piece(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'+' | b'/' | b'=')
}

fn piece_before(text: &[u8], floor: usize, end: usize) -> usize {
    let mut start = end;
    while start > floor && end - start < 512 && is_piece(text[start - 1]) {
        start -= 1;
    }
    start
}

fn piece_after(text: &[u8], start: usize, limit: usize) -> usize {
    let window = &text[start..limit.min(start + 512)];
    start + window.iter().take_while(|b| is_piece(**b)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, meant: &str) {
        let derived = meaning(text.as_bytes(), std::slice::from_ref(&(0..text.len())), true);
        assert_eq!(String::from_utf8_lossy(&derived.text), meant, "{text}");
    }

    #[test]
    fn one_level_is_undone() {
        check("v=%41%4b&#73;&#x41;\\u0041", "v=AKIAA");
        check("\u{410}K\u{200B}I\u{AD}A\u{FF21}", "AKIAA");
        check("plain & 100% \\n text", "");
    }

    #[test]
    fn runs_are_decoded_where_they_are_text() {
        let mut found = Vec::new();
        let text = b"x dG9rZW4gYWJjZGVmZ2hpamtsbW5v y 746f6b656e3d414b49414c414c454d454c33333234334f4c4942";
        runs(text, 0..text.len(), |span, decoded| found.push((span, decoded)));
        assert_eq!(found[0], (2..30, b"token abcdefghijklmno".to_vec()));
        assert_eq!(found[1].1, b"token=AKIALALEMEL33243OLIB");
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn broken_tokens_are_joined() {
        let mut found = Vec::new();
        for text in ["k = \"AKIALALEME\" + \"L33243OLIB\"", "token AKIALALEME\n  L33243OLIB"] {
            joins(text.as_bytes(), 0..text.len(), |joined| found.push(joined.text));
        }
        assert_eq!(found, [b"AKIALALEMEL33243OLIB", b"AKIALALEMEL33243OLIB"]);
    }
}
