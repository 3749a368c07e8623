//! Owns personal data: what is known by its form and a checksum rather than by a key's name.
//! Accepts a text and a range; emits matches into the work; promises one pass over the bytes and
//! a bounded look at each candidate.

mod author;
mod bank;
pub(crate) mod checksum;
mod crypto;
mod email;
mod grouped;
mod keccak;
mod named;
mod national;
mod nearby;
mod network;
mod nobody;
mod phone;

use std::ops::Range;

pub(crate) use author::Seen as Authors;

use crate::blocks::View;
use crate::engine::{Work, starts_word};
use crate::lanes::BLOCK;
use crate::rule::Detector;
use crate::{Confidence, Kind, Verdict};

/// Longest token that can be an identity number or an address, in bytes.
const MAX_TOKEN: usize = 92;

/// How far before its first digit a token may start, in bytes.
const MAX_LEAD: usize = 32;

/// Looks for personal data in a range of a text, block by block.
pub(crate) struct Sweep<'t, 's> {
    text: &'t [u8],
    /// Where the range ends.
    limit: usize,
    /// What stands before this place was looked at.
    next: usize,
    /// Where the last thing that was found ends.
    found: usize,
    authors: &'s mut Authors,
}

impl<'t, 's> Sweep<'t, 's> {
    pub(crate) fn new(
        text: &'t [u8],
        range: &Range<usize>,
        authors: &'s mut Authors,
    ) -> Sweep<'t, 's> {
        Sweep { text, limit: range.end, next: range.start, found: usize::MAX, authors }
    }

    /// Looks at what starts in a block.
    #[inline]
    pub(crate) fn block(&mut self, work: &mut Work<'_>, view: &View<'_>) {
        let text = self.text;
        let mut wanted = view.personal();
        while wanted != 0 {
            let bit = wanted.trailing_zeros();
            wanted &= wanted - 1;
            let at = view.at + bit as usize;
            if at < self.next || work.exhausted {
                continue;
            }
            let known = work.found.len();
            self.next = match text[at] {
                b'@' => {
                    email::at_sign(work, text, at, self.authors);
                    at + 1
                }
                b'0'..=b'9' => {
                    let window = view.digits_from(bit);
                    let near = window as u32;
                    let mut run = (!window).trailing_zeros() as usize;
                    let after = text.get(at + run).copied();
                    if is_few(near) && !after.is_some_and(|byte| byte.is_ascii_alphabetic()) {
                        continue;
                    }
                    // A time's hour, or a group of an address that its colon will show.
                    let is_signed =
                        || at.checked_sub(1).is_some_and(|at| b"+(".contains(&text[at]));
                    if after == Some(b':') && run <= 4 && !is_signed() {
                        continue;
                    }
                    if run == BLOCK {
                        let rest = &text[at..self.limit];
                        run = rest.iter().take_while(|b| b.is_ascii_digit()).count();
                    }
                    let follows = at.checked_sub(1) == Some(self.found);
                    digits(work, text, at, self.limit, Run { near, length: run, follows })
                }
                b':' => colon(work, text, at),
                b'-' if at >= 2 => mac(work, text, at - 2).unwrap_or(at + 1),
                _ => at + 1,
            };
            if work.found.len() > known {
                self.found = self.next;
            }
        }
    }
}

/// Whether fewer than four bits are set. A count takes longer where the processor's own instruction
/// for it cannot be taken for granted.
fn is_few(bits: u32) -> bool {
    let but_lowest = |bits: u32| bits & bits.wrapping_sub(1);
    but_lowest(but_lowest(but_lowest(bits))) == 0
}

/// A run of digits.
#[derive(Clone, Copy)]
struct Run {
    /// Which of the 32 bytes from its start are digits.
    near: u32,
    length: usize,
    /// Whether one sign stands between it and something that was found, which it is no part of.
    follows: bool,
}

/// Looks at what starts at a run of digits; gives the place to go on from.
fn digits(work: &mut Work<'_>, text: &[u8], at: usize, limit: usize, run: Run) -> usize {
    let Run { near, length: run, follows } = run;
    let next = at + run;
    let before = at.checked_sub(1).map(|at| text[at]);
    // `+44`, `(020)`, `+(370)`.
    let sign = match text[..at] {
        [.., b'+', b'('] => 2,
        [.., b'+' | b'('] => 1,
        _ => 0,
    };
    if sign > 0
        && let Some(end) = telephone(work, text, at - sign)
    {
        return end;
    }
    let after = text.get(next).copied();
    if after == Some(b':') && run <= 4 {
        return next;
    }
    // A decimal number: no group of an address or identity number is that long.
    if after == Some(b'.') {
        let digits = text[next + 1..].iter().take(24).take_while(|b| b.is_ascii_digit()).count();
        if digits >= 5 {
            return next + 1 + digits;
        }
    }
    // 2026-11-24
    if run == 4 && after == Some(b'-') && is_date(&text[next..]) {
        return next + 6;
    }
    if at >= 2 && text[at - 1].is_ascii_uppercase() && text[at - 2].is_ascii_uppercase() {
        bank::capital(work, text, at - 2);
    }
    if after.is_some_and(|b| b.is_ascii_alphabetic()) || !starts_word(text, at) {
        return word(work, text, at, next);
    }
    let is_later = !follows
        && before.is_some_and(|b| matches!(b, b'-' | b' ' | b'.'))
        && at >= 2
        && text[at - 2].is_ascii_digit();
    // A later group of a number that was tried from its start. After a space it may as well be
    // something else that follows a number, if its own form tells what it is.
    if is_later && before != Some(b' ') || !work.spend(16) {
        return next;
    }
    let starts_groups = || near.count_ones() >= 12 && run >= 4 && is_grouped(text, next);
    let has_four_before = || {
        let begins = |at: usize| at.checked_sub(1).is_none_or(|at| !text[at].is_ascii_digit());
        is_later && at.checked_sub(5).is_some_and(|at| four(text, at) && begins(at))
    };
    if (run >= 12 || starts_groups() && !has_four_before())
        && let Some(end) = bank::card(work, text, at, limit)
    {
        return end;
    }
    match after {
        Some(b'.') if run <= 3 && !(is_later && follows_decimal(text, at)) => {
            if let Some((span, kind)) = network::v4(text, at) {
                let end = span.end;
                add(work, text, span, Detector::Ip, kind, Confidence::High, false);
                return end;
            }
        }
        Some(b'-' | b' ') if run == 3 => {
            if let Some(end) = social_security(work, text, at) {
                return end;
            }
        }
        _ => {}
    }
    if after == Some(b'-') && run == 2 {
        mac(work, text, at);
    }
    if after == Some(b' ')
        && run == 2
        && let Some(end) = insurance_number(work, text, at)
    {
        return end;
    }
    // After another number only what has separators of its own, or none.
    let is_own = matches!(after, Some(b'-' | b'.' | b'/')) || run >= 9;
    if near.count_ones() < 7 || is_later && !is_own {
        return next;
    }
    if matches!(after, Some(b'-' | b'.' | b'/')) || run == 18 {
        let token = dotted_token(text, at);
        if let Some(kind) = national::kind_of(&text[token.clone()]) {
            let end = token.end;
            add(work, text, token, Detector::National, kind, Confidence::High, true);
            return end;
        }
    }
    telephone(work, text, at).or_else(|| grouped(work, text, at)).unwrap_or(next)
}

/// Adds the number that its groups of digits tell.
fn grouped(work: &mut Work<'_>, text: &[u8], at: usize) -> Option<usize> {
    let number = grouped::number(text, at)?;
    let rule = work.redactor.detector(Detector::Grouped)?;
    let end = number.span.end;
    work.add_kind(text, number.span, rule, number.kind, number.confidence, number.verdict);
    Some(end)
}

/// Whether a decimal number stands before the blank at `at - 1`, as in a drawing's path
/// (`2.83-2.12 3.51.98.32`); an address there has three dots.
fn follows_decimal(text: &[u8], at: usize) -> bool {
    let word = text[..at - 1].iter().rev().take(16).take_while(|b| !b.is_ascii_whitespace());
    !matches!(word.filter(|byte| **byte == b'.').count(), 0 | 3)
}

/// Whether a text goes on as a date does after its year: `-11-24`, and no digit.
fn is_date(text: &[u8]) -> bool {
    matches!(text, [b'-', b'0' | b'1', b'0'..=b'9', b'-', b'0'..=b'3', b'0'..=b'9', ..])
        && !text.get(6).is_some_and(u8::is_ascii_digit)
}

/// Whether a separator at `at` is followed by four digits, as in a card number.
fn is_grouped(text: &[u8], at: usize) -> bool {
    four(text, at + 1)
}

/// Whether four digits stand at `at`.
fn four(text: &[u8], at: usize) -> bool {
    text.get(at..at + 4).is_some_and(|four| four.iter().all(u8::is_ascii_digit))
}

/// Which bytes are ASCII letters and digits: one load, where hashes and ids are read.
static ALPHANUMERIC: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    table
};

/// Looks at the word of letters and digits around `at..next`, if `at` is its first digit.
fn word(work: &mut Work<'_>, text: &[u8], at: usize, next: usize) -> usize {
    let mut start = at;
    while at - start < MAX_LEAD && !starts_word(text, start) {
        start -= 1;
        if text[start].is_ascii_digit() {
            return next;
        }
    }
    if text.get(next).is_none_or(|byte| !byte.is_ascii_alphanumeric()) && next - start < 9 {
        return if next - start == 2 { mac(work, text, start).unwrap_or(next) } else { next };
    }
    let window = &text[start..text.len().min(start + MAX_TOKEN + 1)];
    let length = window.iter().take_while(|b| ALPHANUMERIC[usize::from(**b)]).count();
    let end = start + length;
    let after = window.get(length);
    let inside = start > 0
        && (matches!(text[start - 1], b'_' | b'-' | b'/' | b'+' | b'.')
            || !starts_word(text, start));
    if inside || length > MAX_TOKEN || matches!(after, Some(b'_' | b'/' | b'+' | b'=')) {
        return end;
    }
    if length == 2 {
        return mac(work, text, start).unwrap_or(end);
    }
    let token = &window[..length];
    if length >= 9 && work.spend(length) && crypto_address(work, text, start..end) {
        return end;
    }
    // Identity numbers are written in capitals; hashes and words in code are not.
    if token.iter().any(u8::is_ascii_lowercase) {
        return end;
    }
    let whole = if after == Some(&b'-') { dotted_token(text, start) } else { start..end };
    for span in [start..end, whole] {
        if span.len() >= 9
            && let Some(kind) = national::kind_of(&text[span.clone()])
        {
            let end = span.end;
            add(work, text, span, Detector::National, kind, Confidence::High, true);
            return end;
        }
    }
    end
}

/// Letters and digits from `start`, with single dots, hyphens and slashes between them.
fn dotted_token(text: &[u8], start: usize) -> Range<usize> {
    let window = &text[start..text.len().min(start + 24)];
    let mut end = 0;
    for (index, &byte) in window.iter().enumerate() {
        if byte.is_ascii_alphanumeric() {
            end = index + 1;
        } else if !matches!(byte, b'.' | b'-' | b'/' | b'+') || index != end {
            break;
        }
    }
    start..start + end
}

fn social_security(work: &mut Work<'_>, text: &[u8], at: usize) -> Option<usize> {
    let candidate = text.get(at..at + 11)?;
    let separator = candidate[3];
    let shape = candidate.iter().enumerate().all(|(index, byte)| match index {
        3 | 6 => *byte == separator,
        _ => byte.is_ascii_digit(),
    });
    let after = text.get(at + 11);
    let ends = after.is_none_or(|b| !b.is_ascii_alphanumeric() && *b != b'_')
        && !(matches!(after, Some(b'-' | b'.'))
            && text.get(at + 12).is_some_and(u8::is_ascii_digit));
    let starts = at.checked_sub(1).is_none_or(|at| !matches!(text[at], b'-' | b'_' | b'.' | b'/'));
    if !shape || !ends || !starts || separator != b'-' || !checksum::ssn(candidate) {
        return None;
    }
    add(work, text, at..at + 11, Detector::Ssn, Kind::Ssn, Confidence::Medium, false);
    Some(at + 11)
}

/// A British insurance number with blanks, whose first digits are at `at`: `AA 12 34 56 B`.
fn insurance_number(work: &mut Work<'_>, text: &[u8], at: usize) -> Option<usize> {
    let start = at.checked_sub(3)?;
    let candidate = text.get(start..at + 10)?;
    let blanks = [2, 5, 8, 11].iter().all(|index| candidate[*index] == b' ');
    let letter = |byte: u8, none: &[u8]| byte.is_ascii_uppercase() && !none.contains(&byte);
    let letters = letter(candidate[0], b"DFIQUV")
        && letter(candidate[1], b"DFIOQUV")
        && matches!(candidate[12], b'A'..=b'D');
    let digits = candidate.iter().filter(|b| b.is_ascii_digit()).count() == 6;
    let apart =
        starts_word(text, start) && text.get(at + 10).is_none_or(|b| !b.is_ascii_alphanumeric());
    if !blanks || !letters || !digits || !apart || !checksum::nino(candidate) {
        return None;
    }
    let kind = Kind::NationalId;
    add(work, text, start..at + 10, Detector::National, kind, Confidence::Medium, false);
    Some(at + 10)
}

fn telephone(work: &mut Work<'_>, text: &[u8], at: usize) -> Option<usize> {
    let span = phone::number(text, at)?;
    let end = span.end;
    add(work, text, span, Detector::Phone, Kind::Phone, Confidence::Medium, false);
    Some(end)
}

/// A hardware address with hyphens.
fn mac(work: &mut Work<'_>, text: &[u8], at: usize) -> Option<usize> {
    let candidate = text.get(at..at + 17)?;
    let ends = text.get(at + 17).is_none_or(|b| !b.is_ascii_alphanumeric() && *b != b'-');
    let starts = starts_word(text, at) && at.checked_sub(1).is_none_or(|at| text[at] != b'-');
    if !starts || !ends || !network::is_mac(candidate, b'-') {
        return None;
    }
    add(work, text, at..at + 17, Detector::Mac, Kind::Mac, Confidence::High, false);
    Some(at + 17)
}

/// Looks at a colon between hex digits or beside another colon.
fn colon(work: &mut Work<'_>, text: &[u8], at: usize) -> usize {
    let part = |byte: &u8| byte.is_ascii_hexdigit() || *byte == b':';
    let before = at.checked_sub(1).map(|at| text[at]);
    if !text.get(at + 1).is_some_and(part)
        || !(before.is_some_and(|b| b.is_ascii_hexdigit()) || text.get(at + 1) == Some(&b':'))
    {
        return at + 1;
    }
    let (next, found) = network::colon(text, at);
    work.spend(next - at);
    if let Some((span, kind)) = found {
        let detector = if kind == Kind::Mac { Detector::Mac } else { Detector::Ip };
        add(work, text, span, detector, kind, Confidence::High, false);
    }
    next
}

fn add(
    work: &mut Work<'_>,
    text: &[u8],
    span: Range<usize>,
    detector: Detector,
    kind: Kind,
    confidence: Confidence,
    valid: bool,
) {
    let Some(rule) = work.redactor.detector(detector) else { return };
    let verdict = if valid { Verdict::Valid } else { Verdict::Unchecked };
    work.add_kind(text, span, rule, kind, confidence, verdict);
}

/// Adds a token if it is an address of a crypto currency; whether it is.
fn crypto_address(work: &mut Work<'_>, text: &[u8], span: Range<usize>) -> bool {
    let Some((confidence, verdict)) = crypto::is_address(&text[span.clone()]) else { return false };
    if let Some(rule) = work.redactor.detector(Detector::Crypto) {
        work.add_kind(text, span, rule, Kind::CryptoAddress, confidence, verdict);
    }
    true
}

/// Adds the bech32 address that starts at `at`.
pub(crate) fn bech32(work: &mut Work<'_>, text: &[u8], at: usize) {
    let window = &text[at..text.len().min(at + crypto::MAX_LENGTH + 1)];
    let length = window.iter().take_while(|b| b.is_ascii_alphanumeric()).count();
    if starts_word(text, at) && work.spend(length) {
        crypto_address(work, text, at..at + length);
    }
}
