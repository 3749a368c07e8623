//! Owns personal data: what is known by its form and a checksum rather than by a key's name.
//! Accepts a text and a range; emits matches into the work; promises one pass over the bytes and
//! a bounded look at each candidate.

mod bank;
mod email;

use std::ops::Range;

use crate::engine::Work;

/// Looks for personal data in a range of a text.
pub(crate) fn scan(work: &mut Work<'_>, text: &[u8], range: Range<usize>) {
    let mut at = range.start;
    while at < range.end {
        let byte = text[at];
        if byte == b'@' {
            email::at_sign(work, text, at);
        } else if byte.is_ascii_digit() {
            at = bank::digits(work, text, at, range.end);
            continue;
        } else if byte.is_ascii_uppercase() && text.get(at + 2).is_some_and(u8::is_ascii_digit) {
            bank::capital(work, text, at);
        }
        at += 1;
    }
}
