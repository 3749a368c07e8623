//! Owns tokens that follow their name with nothing but a blank between, as notes write them, or a
//! quote or the bar of a table too.
//! Accepts the place where a keyword ends; emits a match; promises a bounded look in both
//! directions, and that most keywords cost a few comparisons.

use super::assign::is_name;
use super::key::{KeyClass, classify};
use super::value::{is_random_token, is_told_password};
use crate::engine::Work;
use crate::{Confidence, Kind, Verdict};

/// Shortest token, in bytes.
const SHORTEST: usize = 20;
/// Shortest password, in bytes.
const SHORTEST_PASSWORD: usize = 8;
/// Longest password, in bytes.
const LONGEST_PASSWORD: usize = 24;
/// Longest token, in bytes.
const LONGEST: usize = 128;
/// Longest name before it, in bytes.
const MAX_NAME: usize = 64;

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// Most bytes between a name and a token: blanks, a quote, the bar of a table.
const MOST_BETWEEN: usize = 6;

/// Where a token may start after a name that ends at `end`: behind a blank, and perhaps a quote or
/// the bar of a table.
#[inline]
fn start_after(text: &[u8], end: usize) -> Option<usize> {
    if !matches!(text.get(end), Some(b' ' | b'\t')) {
        return None;
    }
    let between = text[end..].iter().take(MOST_BETWEEN);
    let is_between = |b: &&u8| matches!(b, b' ' | b'\t' | b'"' | b'\'' | b'`' | b'|');
    Some(end + between.take_while(is_between).count())
}

/// Where a name ends that a keyword ends in at `end`: `pass` is found in `password` too.
pub(crate) fn name_end(text: &[u8], end: usize) -> usize {
    end + if text[end..].starts_with(b"word") { b"word".len() } else { 0 }
}

/// A quick look whether a token may follow a name that ends at `end`.
pub(crate) fn may_follow(text: &[u8], end: usize) -> bool {
    start_after(text, end).and_then(|start| text.get(start..start + SHORTEST_PASSWORD)).is_some_and(
        |head| head.iter().all(|b| is_token(*b)) && head.iter().any(u8::is_ascii_digit),
    )
}

/// Adds the token that follows the name that ends at `end`, if it looks like one.
pub(crate) fn after_word(work: &mut Work<'_>, text: &[u8], rule: usize, end: usize) {
    let floor = end.saturating_sub(MAX_NAME);
    let name = text[floor..end].iter().rev().take_while(|b| is_name(**b)).count();
    let class = classify(&text[end - name..end]);
    let Some(start) = start_after(text, end) else { return };
    let window = &text[start..text.len().min(start + LONGEST + 1)];
    let length = window.iter().take_while(|b| is_token(**b)).count();
    let value = &window[..length];
    let kind = match class {
        KeyClass::Password if length <= LONGEST_PASSWORD => Kind::Password,
        KeyClass::Secret | KeyClass::Weak if length >= SHORTEST => Kind::Secret,
        _ => return,
    };
    let is_one = match kind {
        Kind::Password => is_told_password,
        _ => is_random_token,
    };
    if length > LONGEST || !work.spend(length) || !is_one(value) {
        return;
    }
    work.add_kind(text, start..start + length, rule, kind, Confidence::Low, Verdict::Unchecked);
}
