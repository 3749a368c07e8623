//! Owns what was found in an input so far, and what is to be looked at again for it.
//! Accepts matches; emits the pieces to replace, and the copy with the parts that changed since the
//! last one; promises that what was found only grows.

use std::ops::Range;

use crate::engine::{self, Match};
use crate::finding::FingerprintKey;
use crate::locate::{self, Piece};
use crate::offsets::Derived;
use crate::{Confidence, Fingerprint, Kind, Verdict, barrier};

/// How far around a match the text is looked at again, in bytes.
const AROUND: usize = 1024;

/// What was found so far.
#[derive(Default)]
pub(super) struct Known {
    matches: Vec<Match>,
    pub(super) pieces: Vec<Piece>,
    /// The pieces' places and kinds before the last matches were added.
    before: Vec<(Range<usize>, Kind)>,
}

impl Known {
    /// Adds matches; whether that made more of the input sensitive.
    pub(super) fn add(&mut self, input: &[u8], found: Vec<Match>, json: bool) -> bool {
        let covered = |pieces: &[Piece]| pieces.iter().map(|p| p.found.span.len()).sum::<usize>();
        let before = covered(&self.pieces);
        self.before.clear();
        let pieces = self.pieces.iter();
        self.before.extend(pieces.map(|piece| (piece.found.span.clone(), piece.found.kind)));
        if found.is_empty() {
            return false;
        }
        self.matches.extend(found);
        self.fit(input, json);
        covered(&self.pieces) > before
    }

    /// Fits the matches to the places where they may be replaced.
    fn fit(&mut self, input: &[u8], json: bool) {
        self.matches = without_barriers(input, engine::merge(std::mem::take(&mut self.matches)));
        self.pieces = if json {
            locate::pieces(input, &self.matches)
        } else {
            let whole = 0..input.len();
            let mut matches = self.matches.clone();
            for found in &mut matches {
                found.span = locate::whole_characters(input, found.span.clone(), &whole);
            }
            engine::merge(matches)
                .into_iter()
                .map(|found| Piece { found, quoted: false, key_path: None })
                .collect()
        };
    }

    /// Whether a piece is there since the last matches were added, or became another.
    fn is_new(&self, piece: &Piece) -> bool {
        let found = &piece.found;
        let at = self.before.partition_point(|(span, _)| span.start < found.span.start);
        let old = self.before.get(at);
        old.is_none_or(|(span, kind)| *span != found.span || *kind != found.kind)
    }

    /// Takes all that stands `reach` bytes and less around what the last matches changed for
    /// sensitive; it is not known what of it is.
    pub(super) fn widen(
        &mut self,
        input: &[u8],
        json: bool,
        reach: usize,
        key: Option<&FingerprintKey>,
    ) {
        let new = self.pieces.iter().filter(|piece| self.is_new(piece));
        let wider = new.map(|Piece { found, .. }| {
            let start = found.span.start.saturating_sub(reach);
            let span = start..found.span.end.saturating_add(reach).min(input.len());
            Match {
                rule: found.rule,
                kind: Kind::Secret,
                confidence: Confidence::Low,
                verdict: Verdict::Unchecked,
                fingerprint: Fingerprint::of(key, &input[span.clone()]),
                span,
            }
        });
        let wider: Vec<Match> = wider.collect();
        self.matches.extend(wider);
        self.fit(input, json);
    }

    /// The redacted copy with a map back, and the parts of it around what the last matches changed,
    /// or around `all` that was replaced.
    pub(super) fn copy(&self, input: &[u8], all: bool) -> (Derived, Vec<Range<usize>>) {
        let mut copy = Derived::default();
        let mut near: Vec<Range<usize>> = Vec::new();
        let mut at = 0;
        for piece @ Piece { found, quoted, .. } in &self.pieces {
            let span = &found.span;
            copy.copy(&input[at..span.start], at);
            let start = copy.text.len();
            let placeholder = found.kind.placeholder();
            if *quoted {
                copy.unit(format!("\"{placeholder}\"").as_bytes(), span.start, span.len());
            } else {
                copy.unit(placeholder.as_bytes(), span.start, span.len());
            }
            at = span.end;
            if !all && !self.is_new(piece) {
                continue;
            }
            let part = start.saturating_sub(AROUND)..copy.text.len() + AROUND;
            match near.last_mut() {
                Some(last) if part.start <= last.end => last.end = part.end,
                _ => near.push(part),
            }
        }
        copy.copy(&input[at..], at);
        let near = at_words(near, &copy.text);
        (copy, near)
    }
}

/// Most bytes by which a part is made longer to end between words; longer values than this, encoded
/// several times over, are not judged.
const MAX_WORD: usize = 32 << 10;

/// How far around a word its name and what ends it may stand, in bytes.
const BESIDE: usize = 128;

/// Makes sorted parts of a text longer until they start and end between words, so that what is
/// derived from a part has no half of an address in it, and until what tells of its first and last
/// word is in it: a name before, a quote behind.
fn at_words(parts: Vec<Range<usize>>, text: &[u8]) -> Vec<Range<usize>> {
    let is_word = |byte: &&u8| !byte.is_ascii_whitespace() && !matches!(byte, b'"' | b'\'');
    let before = |at: usize| {
        let word = text[..at].iter().rev().take(MAX_WORD).take_while(is_word);
        at - word.count()
    };
    let after = |at: usize| {
        let word = text[at.min(text.len())..].iter().take(MAX_WORD).take_while(is_word);
        at.min(text.len()) + word.count()
    };
    let mut out: Vec<Range<usize>> = Vec::with_capacity(parts.len());
    for part in parts {
        let mut start = before(before(part.start).saturating_sub(BESIDE));
        let end = after(after(part.end) + BESIDE);
        while let Some(last) = out.pop_if(|last| start <= last.end) {
            start = start.min(last.start);
        }
        out.push(start..end);
    }
    out
}

/// Takes placeholders that already stand in the text out of the matches.
pub(super) fn without_barriers(text: &[u8], matches: Vec<Match>) -> Vec<Match> {
    if matches.is_empty() {
        return matches;
    }
    let barriers = barrier::find(text);
    if barriers.is_empty() {
        return matches;
    }
    matches
        .into_iter()
        .flat_map(|found| {
            barrier::subtract(&found.span, &barriers)
                .into_iter()
                .map(move |span| Match { span, ..found.clone() })
        })
        .collect()
}
