//! What was replaced in an entry's text, and finding it again in a text that was edited since.
//!
//! Owns: replacements in the coordinates of the text that was written.
//! Accepts: the written text and the one that is there now.
//! Emits: the edits that put back what was there.
//! Promises: a place counts only if what was written is there whole; a text that differs too much
//! is refused, never guessed.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::super::entry::EntryError;
use crate::doc::Edit;

/// The most tokens of an entry that are compared; entries have some hundred.
const MAX_TOKENS: usize = 20_000;

/// One replacement.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Hunk {
    /// Where what was written starts, from the start of the entry's text.
    at: usize,
    /// Its length in bytes; zero where something was only removed.
    length: usize,
    /// What was there before.
    before: String,
    /// True where what was removed belongs to what stands after it.
    leads: bool,
}

/// The hunks of edits within an extent, and the extent's length afterwards.
pub(super) fn of(
    text: &str,
    extent: &Range<usize>,
    edits: &[Edit],
) -> Result<(Vec<Hunk>, usize), EntryError> {
    let mut sorted: Vec<&Edit> = edits.iter().collect();
    sorted.sort_by_key(|edit| (edit.range.start, edit.range.end));
    let mut hunks: Vec<Hunk> = Vec::new();
    let (mut taken, mut added) = (0, 0);
    for edit in sorted {
        let is_within = extent.start <= edit.range.start && edit.range.end <= extent.end;
        let before = text.get(edit.range.clone()).filter(|_| is_within);
        let before = before.ok_or(EntryError::Unsupported("parts of it are in several places"))?;
        let at = edit.range.start - extent.start + added - taken;
        taken += edit.range.len();
        added += edit.text.len();
        match hunks.last_mut() {
            // Neighbours are one, so that nothing can come between them.
            Some(last) if last.at + last.length == at => {
                last.length += edit.text.len();
                last.before.push_str(before);
                last.leads = false;
            }
            _ => {
                let leads = edit.text.is_empty() && !before.starts_with([',', '\n', '\r']);
                let (length, before) = (edit.text.len(), before.to_owned());
                hunks.push(Hunk { at, length, before, leads });
            }
        }
    }
    Ok((hunks, extent.len() + added - taken))
}

/// The edits that put back what was there, in a file where the entry's text starts at `start`.
pub(super) fn undo(
    hunks: &[Hunk],
    written: &str,
    now: &str,
    start: usize,
) -> Result<Vec<Edit>, EntryError> {
    let place = |range: Range<usize>, hunk: &Hunk| {
        Edit::replace(start + range.start..start + range.end, hunk.before.as_str())
    };
    if written == now {
        return Ok(hunks.iter().map(|hunk| place(hunk.at..hunk.at + hunk.length, hunk)).collect());
    }
    let changed = EntryError::Unsupported("it was written anew since it was changed");
    let (old, new) = (Tokens::of(written), Tokens::of(now));
    if old.words.len().max(new.words.len()) > MAX_TOKENS {
        return Err(changed);
    }
    let same = capture_diff_slices(Algorithm::Myers, &old.words, &new.words);
    let ends = (old.words.len(), new.words.len());
    let find = |hunk: &Hunk| {
        let tokens = old.index(hunk.at)?..old.index(hunk.at + hunk.length)?;
        let (from, count) = equal_run(&same, &tokens, hunk.leads, ends)?;
        Some(place(new.starts[from]..new.starts[from + count], hunk))
    };
    hunks.iter().map(|hunk| find(hunk).ok_or_else(|| changed.clone())).collect()
}

/// Where a run of tokens is now: the first token and their number.
fn equal_run(
    ops: &[DiffOp],
    tokens: &Range<usize>,
    leads: bool,
    ends: (usize, usize),
) -> Option<(usize, usize)> {
    let runs = ops.iter().filter_map(|op| match *op {
        DiffOp::Equal { old_index, new_index, len } => Some((old_index, new_index, len)),
        _ => None,
    });
    // The two ends are the same whatever is beside them.
    let runs = runs.chain([(0, 0, 0), (ends.0, ends.1, 0)]);
    let holds =
        |(old, _, len): &(usize, usize, usize)| *old <= tokens.start && tokens.end <= old + len;
    let found: Vec<_> = runs.filter(holds).collect();
    // Between two runs, the one that holds the neighbour that counts.
    let has_neighbour = |(old, _, len): &&(usize, usize, usize)| {
        if leads { tokens.end < old + len } else { *old < tokens.start }
    };
    let run = found.iter().find(has_neighbour).or_else(|| found.first())?;
    Some((run.1 + tokens.start - run.0, tokens.len()))
}

/// A text in pieces: words, and every other character by itself.
struct Tokens<'t> {
    words: Vec<&'t str>,
    /// Where each starts, and where the last ends.
    starts: Vec<usize>,
}

impl<'t> Tokens<'t> {
    fn of(text: &'t str) -> Self {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let mut starts = Vec::new();
        let mut in_word = false;
        for (at, c) in text.char_indices() {
            if !(in_word && is_word(c)) {
                starts.push(at);
            }
            in_word = is_word(c);
        }
        starts.push(text.len());
        let words = starts.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
        Self { words, starts }
    }

    /// The token that starts at an offset.
    fn index(&self, offset: usize) -> Option<usize> {
        self.starts.binary_search(&offset).ok()
    }
}
