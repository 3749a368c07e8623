//! From a place in an input to its line and column.
//!
//! Promises: what is kept does not grow with the input, but with how far the places asked for lag
//! behind what was fed.

use std::collections::VecDeque;

/// Where the lines are.
#[derive(Debug)]
pub(super) struct Lines {
    /// How many bytes were fed.
    fed: usize,
    /// The number of the line of the last place, counted from 1.
    line: usize,
    /// Where that line starts.
    start: usize,
    /// Where the lines after it start.
    later: VecDeque<usize>,
}

impl Lines {
    pub(super) fn new() -> Self {
        Self { fed: 0, line: 1, start: 0, later: VecDeque::new() }
    }

    /// Takes the next bytes of the input.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        self.later.extend(ends.map(|(at, _)| self.fed + at + 1));
        self.fed += bytes.len();
    }

    /// Line and column of a place, both counted from 1, the column in bytes. Places are asked for
    /// in their order, and only those that were fed.
    pub(super) fn place(&mut self, at: usize) -> (usize, usize) {
        while let Some(start) = self.later.front().copied().filter(|start| *start <= at) {
            self.later.pop_front();
            self.line += 1;
            self.start = start;
        }
        (self.line, at.saturating_sub(self.start) + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_have_lines_and_columns() {
        let mut lines = Lines::new();
        lines.feed(b"ab\n\nc");
        assert_eq!(
            [0, 1, 2, 3, 4].map(|at| lines.place(at)),
            [(1, 1), (1, 2), (1, 3), (2, 1), (3, 1)]
        );
        lines.feed(b"d\r\ne");
        assert_eq!([5, 6, 8].map(|at| lines.place(at)), [(3, 2), (3, 3), (4, 1)]);
        assert!(lines.later.is_empty());
    }
}
