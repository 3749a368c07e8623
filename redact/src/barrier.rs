//! Owns the placeholders that already stand in a text.
//! Accepts any bytes; emits the spans of placeholders; promises that they are kept as they are and
//! never shield what is beside them: only the placeholder's own bytes are left out.

use std::ops::Range;
use std::sync::LazyLock;

/// What every placeholder starts with.
const START: &[u8] = b"[REDACTED-";
/// Longest name in a placeholder, in bytes.
const MAX_NAME: usize = 40;

/// Longest placeholder, in bytes.
const MAX_LENGTH: usize = START.len() + MAX_NAME + 1;

/// The spans of `[REDACTED-NAME]` and `[REDACTED-NAME-2]` in `text`, in order.
pub(crate) fn find(text: &[u8]) -> Vec<Range<usize>> {
    static FINDER: LazyLock<memchr::memmem::Finder<'static>> =
        LazyLock::new(|| memchr::memmem::Finder::new(START));
    // Most texts that are looked at are a value, and most values hold no bracket.
    if text.len() < START.len() || text.len() < 1024 && memchr::memchr(b'[', text).is_none() {
        return Vec::new();
    }
    FINDER.find_iter(text).filter_map(|start| starting(text, start)).collect()
}

/// The span of the placeholder that starts at `start`.
pub(crate) fn starting(text: &[u8], start: usize) -> Option<Range<usize>> {
    let name = text[start..].strip_prefix(START)?;
    let length = name
        .iter()
        .take(MAX_NAME + 1)
        .take_while(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || **b == b'-')
        .count();
    (length > 0 && length <= MAX_NAME && name.get(length) == Some(&b']'))
        .then(|| start..start + START.len() + length + 1)
}

/// The placeholder that starts before `at` and may reach beyond it.
pub(crate) fn around(text: &[u8], at: usize) -> Vec<Range<usize>> {
    let before = &text[at.saturating_sub(MAX_LENGTH)..at];
    let inside = |b: &&u8| b.is_ascii_uppercase() || b.is_ascii_digit() || **b == b'-';
    let name = before.iter().rev().take_while(inside).count();
    let start = at.checked_sub(name + 1).filter(|&start| text[start] == b'[');
    start.and_then(|start| starting(text, start)).into_iter().collect()
}

/// Whether `at` lies inside one of the spans.
pub(crate) fn covers(barriers: &[Range<usize>], at: usize) -> bool {
    let after = barriers.partition_point(|barrier| barrier.end <= at);
    barriers.get(after).is_some_and(|barrier| barrier.start <= at)
}

/// What is left of `span` without the barriers.
pub(crate) fn subtract(span: &Range<usize>, barriers: &[Range<usize>]) -> Vec<Range<usize>> {
    let first = barriers.partition_point(|barrier| barrier.end <= span.start);
    let mut out = Vec::new();
    let mut at = span.start;
    for barrier in barriers[first..].iter().take_while(|barrier| barrier.start < span.end) {
        if at < barrier.start {
            out.push(at..barrier.start);
        }
        at = barrier.end;
    }
    if at < span.end {
        out.push(at..span.end);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_placeholders_only() {
        let text = b"a [REDACTED-SECRET] [REDACTED-] [REDACTED-x] [REDACTED-EMAIL-2]";
        assert_eq!(find(text), [2..19, 45..63]);
    }

    #[test]
    fn finds_the_placeholder_around_a_place() {
        let text = b"a [REDACTED-SECRET] [X";
        for (at, name) in text.iter().enumerate() {
            let inside = (3..19).contains(&at).then_some(2..19);
            assert_eq!(around(text, at), Vec::from_iter(inside), "{at} {name}");
        }
    }

    #[test]
    fn subtracts_only_the_placeholders() {
        let barriers = [2..4, 6..8];
        assert_eq!(subtract(&(0..10), &barriers), [0..2, 4..6, 8..10]);
        assert!(subtract(&(2..4), &barriers).is_empty());
        assert_eq!(subtract(&(3..9), &barriers), [4..6, 8..9]);
        assert!(covers(&barriers, 3) && !covers(&barriers, 4));
    }
}
