//! Owns the map from a derived text (unescaped, normalised, joined) back to the text it came from.
//! Accepts runs in order; emits spans of the origin; promises that a mapped span covers every
//! byte of the origin that took part, whole escapes included.

use std::ops::Range;

/// One run of a derived text.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// Where it starts in the derived text.
    out: usize,
    /// Where it starts in the origin.
    src: usize,
    /// Length of one indivisible unit in the origin; 0 for a run copied byte by byte.
    unit: usize,
}

/// A derived text together with where each of its bytes came from.
#[derive(Debug, Default)]
pub(crate) struct Derived {
    /// The text.
    pub(crate) text: Vec<u8>,
    runs: Vec<Run>,
}

impl Derived {
    /// Appends bytes that stand in the origin at `src` as they are.
    pub(crate) fn copy(&mut self, bytes: &[u8], src: usize) {
        if bytes.is_empty() {
            return;
        }
        self.runs.push(Run { out: self.text.len(), src, unit: 0 });
        self.text.extend_from_slice(bytes);
    }

    /// Appends what `unit` bytes of the origin at `src` stand for.
    pub(crate) fn unit(&mut self, bytes: &[u8], src: usize, unit: usize) {
        if bytes.is_empty() {
            return;
        }
        self.runs.push(Run { out: self.text.len(), src, unit });
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
        let first = self.run_at(span.start);
        let last = self.run_at(span.end - 1);
        let start = if first.unit > 0 { first.src } else { first.src + (span.start - first.out) };
        let end = if last.unit > 0 {
            last.src + last.unit
        } else {
            last.src + (span.end - 1 - last.out) + 1
        };
        start..end.max(start)
    }

    fn run_at(&self, out: usize) -> Run {
        let after = self.runs.partition_point(|run| run.out <= out);
        self.runs[after.saturating_sub(1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
