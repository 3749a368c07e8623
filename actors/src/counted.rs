//! How many of something there are, as people say it.
//!
//! Owns: nothing. Accepts: a number and the word for one. Emits: "1 error", "2 errors".
//! Promises: zero and everything above one take the plural, which is the word with an `s`.

use std::fmt;

/// A number and the word for one of what it counts, whose plural ends in `s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted<'a>(pub u64, pub &'a str);

impl<'a> Counted<'a> {
    /// As many as a collection holds.
    #[must_use]
    pub fn of(count: usize, one: &'a str) -> Self {
        Self(count as u64, one)
    }
}

impl fmt::Display for Counted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(count, one) = self;
        let ending = if *count == 1 { "" } else { "s" };
        write!(f, "{count} {one}{ending}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_is_one() {
        for (count, expected) in [(0, "0 errors"), (1, "1 error"), (2, "2 errors")] {
            assert_eq!(Counted(count, "error").to_string(), expected);
        }
        assert_eq!(Counted::of([7].len(), "half-written line").to_string(), "1 half-written line");
    }
}
