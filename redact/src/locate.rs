//! Owns fitting matches to the places of a JSON text where they may be replaced.
//! Accepts sorted matches over raw JSON; emits pieces, each inside one string or one whole number,
//! with its key path; promises that replacing the pieces leaves valid JSON.

use std::ops::Range;

use crate::engine::Match;
use crate::json::{self, Token};

/// Longest key path that is kept, in bytes.
const MAX_PATH: usize = 256;
/// Longest key that is shown in a key path, in bytes.
const MAX_SEGMENT: usize = 64;

/// A part of a match that can be replaced.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) found: Match,
    /// Whether it replaces a number and so needs quotes.
    pub(crate) quoted: bool,
    pub(crate) key_path: Option<Box<str>>,
}

/// Where the walk stands.
enum Frame {
    Object(Option<Range<usize>>),
    Array(usize),
}

/// Fits sorted, disjoint matches to the tokens of `raw`, which must be JSON.
pub(crate) fn pieces(raw: &[u8], matches: &[Match]) -> Vec<Piece> {
    let mut out: Vec<Piece> = Vec::new();
    let mut frames: Vec<Frame> = Vec::new();
    let mut next = 0;
    // The text was walked once before, so that this cannot fail.
    let _ = json::walk(raw, |token, escaped| {
        let (span, is_number) = match token {
            Token::ObjectStart => {
                step(&mut frames);
                frames.push(Frame::Object(None));
                return;
            }
            Token::ArrayStart => {
                step(&mut frames);
                frames.push(Frame::Array(0));
                return;
            }
            Token::End => {
                frames.pop();
                return;
            }
            Token::Key(span) => {
                if let Some(Frame::Object(key)) = frames.last_mut() {
                    *key = Some(span.clone());
                }
                (span, false)
            }
            Token::String(span) => {
                step(&mut frames);
                (span, false)
            }
            Token::Number(span) => {
                step(&mut frames);
                (span, true)
            }
            Token::Word(_) => {
                step(&mut frames);
                return;
            }
        };
        while matches.get(next).is_some_and(|found| found.span.end <= span.start) {
            next += 1;
        }
        let mut at = next;
        while let Some(found) = matches.get(at).filter(|found| found.span.start < span.end) {
            // Where the last piece ended, an escape ended too.
            let from = out.last().map_or(span.start, |last| last.found.span.end.max(span.start));
            let mut piece = if is_number {
                span.clone()
            } else {
                clip(raw, &found.span, &span, escaped.then_some(from))
            };
            // Two matches in one number, one escape or one character are one piece.
            if let Some(last) = out.last() {
                piece.start = piece.start.max(last.found.span.end);
            }
            if !piece.is_empty() && (!is_number || piece == span) {
                let found = Match { span: piece, ..found.clone() };
                out.push(Piece { found, quoted: is_number, key_path: None });
                let path = path(raw, &frames, &out);
                if let Some(last) = out.last_mut() {
                    last.key_path = path;
                }
            }
            at += 1;
        }
    });
    out
}

/// Counts an element of an array.
fn step(frames: &mut [Frame]) {
    if let Some(Frame::Array(next)) = frames.last_mut() {
        *next += 1;
    }
}

/// The part of `span` inside the string `inside`, grown to whole characters and, where the string has
/// some, whole escapes; `units` is a place not after the span where one starts or ended.
fn clip(
    raw: &[u8],
    span: &Range<usize>,
    inside: &Range<usize>,
    units: Option<usize>,
) -> Range<usize> {
    let mut start = span.start.max(inside.start);
    let mut end = span.end.min(inside.end);
    if start >= end {
        return start..start;
    }
    if let Some(mut at) = units {
        while at < end {
            let length = json::unit_len(raw, at);
            if at < start && start < at + length {
                start = at;
            }
            if at < end && end < at + length {
                end = at + length;
            }
            at += length;
        }
    }
    whole_characters(raw, start..end, inside)
}

/// `span` grown to whole UTF-8 characters, not beyond `inside`.
pub(crate) fn whole_characters(
    raw: &[u8],
    span: Range<usize>,
    inside: &Range<usize>,
) -> Range<usize> {
    let continues = |at: usize| raw.get(at).is_some_and(|byte| byte & 0xC0 == 0x80);
    let leads = |at: usize| raw.get(at).is_some_and(|byte| *byte >= 0xC0);
    let (mut start, mut end) = (span.start, span.end);
    // What is no character (no byte leads it) is not grown to.
    if let Some(lead) =
        (start.saturating_sub(3).max(inside.start)..start).rev().find(|at| leads(*at))
        && (lead + 1..=start).all(continues)
    {
        start = lead;
    }
    while end < inside.end && end < span.end + 3 && continues(end) {
        end += 1;
    }
    start..end
}

/// The JSON pointer to where the walk stands; keys that hold a piece are replaced.
fn path(raw: &[u8], frames: &[Frame], pieces: &[Piece]) -> Option<Box<str>> {
    let mut out = String::new();
    for frame in frames {
        out.push('/');
        match frame {
            Frame::Object(Some(key)) => segment(&mut out, raw, key, pieces),
            Frame::Object(None) => {}
            Frame::Array(next) => out.push_str(&next.saturating_sub(1).to_string()),
        }
        if out.len() > MAX_PATH {
            out.push_str("/…");
            break;
        }
    }
    Some(out.into_boxed_str())
}

fn segment(out: &mut String, raw: &[u8], key: &Range<usize>, pieces: &[Piece]) {
    let after = pieces.partition_point(|piece| piece.found.span.end <= key.start);
    if let Some(piece) = pieces.get(after).filter(|piece| piece.found.span.start < key.end) {
        out.push_str(piece.found.kind.placeholder());
        return;
    }
    let text = String::from_utf8_lossy(&raw[key.clone()]);
    for c in text.chars().take(MAX_SEGMENT) {
        match c {
            '~' => out.push_str("~0"),
            '/' => out.push_str("~1"),
            c => out.push(c),
        }
    }
    if text.chars().count() > MAX_SEGMENT {
        out.push('…');
    }
}
