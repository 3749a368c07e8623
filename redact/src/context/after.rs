//! Owns tokens that follow their name with nothing but a blank between, as notes write them, or a quote
//! or the bar of a table too.
//! Accepts the place where a keyword ends; emits a match; promises a bounded look in both
//! directions, and that most keywords cost a few comparisons.

use super::assign::is_name;
use super::key::{KeyClass, classify};
use super::value::is_random_token;
use crate::engine::Work;
use crate::{Confidence, Kind, Verdict};

/// Shortest token, in bytes.
const SHORTEST: usize = 20;
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

/// A quick look whether a token may follow a name that ends at `end`.
pub(crate) fn may_follow(text: &[u8], end: usize) -> bool {
    start_after(text, end).and_then(|start| text.get(start..start + SHORTEST)).is_some_and(|head| {
        head.iter().all(|b| is_token(*b)) && head.iter().any(u8::is_ascii_digit)
    })
}

/// Adds the token that follows the name that ends at `end`, if it looks like one.
pub(crate) fn after_word(work: &mut Work<'_>, text: &[u8], rule: usize, end: usize) {
    let floor = end.saturating_sub(MAX_NAME);
    let name = text[floor..end].iter().rev().take_while(|b| is_name(**b)).count();
    let class = classify(&text[end - name..end]);
    if !matches!(class, KeyClass::Secret | KeyClass::Weak) {
        return;
    }
    let Some(start) = start_after(text, end) else { return };
    let window = &text[start..text.len().min(start + LONGEST + 1)];
    let length = window.iter().take_while(|b| is_token(**b)).count();
    if length > LONGEST || !work.spend(length) || !is_random_token(&window[..length]) {
        return;
    }
    let span = start..start + length;
    work.add_kind(text, span, rule, Kind::Secret, Confidence::Low, Verdict::Unchecked);
}
