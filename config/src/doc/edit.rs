//! Replacing ranges of a text.
//!
//! Owns: the order in which replacements are applied.
//! Accepts: replacements that do not overlap.
//! Emits: the new text, or nothing where two replacements overlap or cut a character.
//! Promises: bytes outside the replaced ranges are the bytes that were there.

use std::ops::Range;

/// One replacement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Edit {
    /// The bytes that go; empty for an insertion.
    pub(crate) range: Range<usize>,
    /// What comes in their place.
    pub(crate) text: String,
}

impl Edit {
    /// Replaces a range.
    pub(crate) fn replace(range: Range<usize>, text: impl Into<String>) -> Self {
        Self { range, text: text.into() }
    }

    /// Inserts at an offset.
    pub(crate) fn insert(at: usize, text: impl Into<String>) -> Self {
        Self { range: at..at, text: text.into() }
    }
}

/// Applies edits in any order.
pub(crate) fn apply_edits(text: &str, mut edits: Vec<Edit>) -> Option<String> {
    edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
    let mut out = String::with_capacity(text.len() + 256);
    let mut at = 0;
    for edit in &edits {
        if edit.range.start < at {
            return None;
        }
        out.push_str(text.get(at..edit.range.start)?);
        out.push_str(&edit.text);
        at = edit.range.end;
    }
    out.push_str(text.get(at..)?);
    Some(out)
}
