//! Owns the map from a derived text (unescaped, normalised, joined) back to the text it came from.
//! Accepts runs in order; emits spans of the origin; promises that a mapped span covers every
//! byte of the origin that took part, whole escapes included.

use std::ops::Range;

/// One indivisible unit of a derived text, and the bytes after it that stand in the origin as they
/// are, up to the next run.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// Where it starts in the derived text.
    out: usize,
    /// Where it starts in the origin.
    src: usize,
    /// The unit's length in the derived text; 0 where nothing is indivisible.
    length: usize,
    /// The unit's length in the origin.
    unit: usize,
}

impl Run {
    /// What the byte after the unit that is at `out` in the derived text is in the origin.
    fn follows(&self, out: usize) -> usize {
        self.src + self.unit + (out - self.out - self.length)
    }
}

/// A derived text together with where each of its bytes came from.
#[derive(Debug, Default)]
pub(crate) struct Derived {
    /// The text.
    pub(crate) text: Vec<u8>,
    runs: Vec<Run>,
}

impl Derived {
    /// Makes room for so many more bytes, what parts them, and some runs.
    pub(crate) fn reserve(&mut self, count: usize) {
        self.text.reserve(count + 8);
        self.runs.reserve(16);
    }

    /// Appends bytes that stand in the origin at `src` as they are.
    pub(crate) fn copy(&mut self, bytes: &[u8], src: usize) {
        if bytes.is_empty() {
            return;
        }
        self.at(src);
        self.text.extend_from_slice(bytes);
    }

    /// Appends the bytes of `rest`, which stands in the origin at `src`, up to a backslash; gives
    /// how many.
    pub(crate) fn copy_plain(&mut self, rest: &[u8], src: usize) -> usize {
        if rest.first().is_none_or(|byte| *byte == b'\\') {
            return 0;
        }
        self.at(src);
        // Eight bytes at a time, as escapes are often near each other.
        let mut count = 0;
        for eight in rest.chunks_exact(8).take(8) {
            let Ok(eight) = <[u8; 8]>::try_from(eight) else { break };
            if let Some(at) = first_of(u64::from_le_bytes(eight), b'\\') {
                self.text.extend_from_slice(&eight[..at]);
                return count + at;
            }
            self.text.extend_from_slice(&eight);
            count += 8;
        }
        let left = &rest[count..];
        let more = memchr::memchr(b'\\', left).unwrap_or(left.len());
        self.text.extend_from_slice(&left[..more]);
        count + more
    }

    /// Lets what is appended next stand in the origin at `src`.
    fn at(&mut self, src: usize) {
        let out = self.text.len();
        if self.runs.last().is_none_or(|last| last.follows(out) != src) {
            self.runs.push(Run { out, src, length: 0, unit: 0 });
        }
    }

    /// Appends what `unit` bytes of the origin at `src` stand for.
    pub(crate) fn unit(&mut self, bytes: &[u8], src: usize, unit: usize) {
        if bytes.is_empty() {
            return;
        }
        self.runs.push(Run { out: self.text.len(), src, length: bytes.len(), unit });
        self.text.extend_from_slice(bytes);
    }

    /// Forgets everything but its memory.
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.runs.clear();
    }

    /// Whether nothing was derived.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The span of the origin that a span of the derived text came from.
    pub(crate) fn origin(&self, span: &Range<usize>) -> Range<usize> {
        if span.is_empty() || self.runs.is_empty() {
            return 0..0;
        }
        let (from, to) = (span.start, span.end - 1);
        let (first, last) = (self.run_at(from), self.run_at(to));
        let in_unit = |run: &Run, at: usize| at < run.out + run.length;
        let start = if in_unit(&first, from) { first.src } else { first.follows(from) };
        let end = if in_unit(&last, to) { last.src + last.unit } else { last.follows(to) + 1 };
        start..end.max(start)
    }

    fn run_at(&self, out: usize) -> Run {
        let after = self.runs.partition_point(|run| run.out <= out);
        self.runs[after.saturating_sub(1)]
    }
}

/// Where in eight bytes, the first one lowest, the first one of that value is.
#[inline]
pub(crate) fn first_of(eight: u64, byte: u8) -> Option<usize> {
    let equal = equal_bytes(eight, byte);
    (equal != 0).then(|| equal.trailing_zeros() as usize / 8)
}

/// Where in eight bytes the first one of two values is.
#[inline]
pub(crate) fn first_of_two(eight: u64, one: u8, other: u8) -> Option<usize> {
    let equal = equal_bytes(eight, one) | equal_bytes(eight, other);
    (equal != 0).then(|| equal.trailing_zeros() as usize / 8)
}

/// The highest bit of each of eight bytes that has that value, and perhaps of one after it.
#[inline]
fn equal_bytes(eight: u64, byte: u8) -> u64 {
    let ones = u64::MAX / 255;
    let differs = eight ^ (ones * u64::from(byte));
    differs.wrapping_sub(ones) & !differs & (ones << 7)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn plain_bytes_are_copied_up_to_a_backslash(text in "[a-b]{0,90}(\\\\[a-b]{0,9}){0,2}") {
            let mut derived = Derived::default();
            derived.unit(b"xy", 3, 2);
            let count = derived.copy_plain(text.as_bytes(), 5);
            let plain = text.split('\\').next().unwrap();
            prop_assert_eq!(count, plain.len());
            prop_assert_eq!(&derived.text[2..], plain.as_bytes());
            prop_assert_eq!(derived.runs.len(), 1, "what goes on needs no run of its own");
            if count > 1 {
                prop_assert_eq!(derived.origin(&(1..count + 1)), 3..4 + count);
            }
        }

        #[test]
        fn the_first_byte_is_found(bytes in prop::array::uniform8(0_u8..4), byte in 0_u8..4) {
            let expected = bytes.iter().position(|b| *b == byte);
            prop_assert_eq!(first_of(u64::from_le_bytes(bytes), byte), expected);
            let expected = bytes.iter().position(|b| *b == byte || *b == 1);
            prop_assert_eq!(first_of_two(u64::from_le_bytes(bytes), byte, 1), expected);
        }
    }

    #[test]
    fn spans_cover_whole_units() {
        // origin: ab\u0041cd
        let mut derived = Derived::default();
        derived.copy(b"ab", 0);
        derived.unit(b"A", 2, 6);
        derived.copy(b"cd", 8);
        assert_eq!(derived.text, b"abAcd");
        assert_eq!(derived.origin(&(0..5)), 0..10);
        assert_eq!(derived.origin(&(2..3)), 2..8);
        assert_eq!(derived.origin(&(1..3)), 1..8);
        assert_eq!(derived.origin(&(3..4)), 8..9);
        assert_eq!(derived.origin(&(4..4)), 0..0);
    }
}
