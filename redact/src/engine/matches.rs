//! Owns what a look at one text found: matches, and which of them make a whole.
//! Accepts matches in any order; emits them sorted and apart; promises that what overlaps is
//! joined and never trimmed, and that the one that says most gives the whole its name.

use std::ops::Range;

use crate::finding::Fingerprint;
use crate::redactor::Redactor;
use crate::rule::RequiredSpec;
use crate::{Confidence, Kind, Verdict};

/// Most matches that are looked through for a required part.
const MAX_PARTS: usize = 256;

/// One match in a text.
#[derive(Clone, Debug)]
pub(crate) struct Match {
    pub(crate) span: Range<usize>,
    /// The rule's index.
    pub(crate) rule: u16,
    pub(crate) kind: Kind,
    pub(crate) confidence: Confidence,
    pub(crate) verdict: Verdict,
    pub(crate) fingerprint: Fingerprint,
}

impl Match {
    /// Orders matches by how much they say: validated, then sure, then specific kinds.
    fn rank(&self) -> (bool, Confidence, bool, bool) {
        let valid = self.verdict == Verdict::Valid;
        (valid, self.confidence, self.kind.is_secret(), self.kind != Kind::Password)
    }
}

/// Sorts matches and joins those that overlap; the one that says most names the whole.
pub(crate) fn merge(mut matches: Vec<Match>) -> Vec<Match> {
    matches.sort_by(|a, b| {
        (a.span.start, b.span.end, a.rule).cmp(&(b.span.start, a.span.end, b.rule))
    });
    let mut out: Vec<Match> = Vec::with_capacity(matches.len());
    for found in matches {
        match out.last_mut() {
            Some(last) if found.span.start < last.span.end => {
                let span = last.span.start..last.span.end.max(found.span.end);
                if found.rank() > last.rank() {
                    *last = found;
                }
                last.span = span;
            }
            _ => out.push(found),
        }
    }
    out
}

/// For each match, whether it is kept: all parts that its rule requires matched nearby, and it is
/// itself not only a part.
pub(super) fn are_complete(redactor: &Redactor, text: &[u8], found: &[Match]) -> Vec<bool> {
    found
        .iter()
        .map(|one| {
            let spec = &redactor.rule(usize::from(one.rule)).spec;
            !spec.skip_report
                && spec.required.iter().all(|part| {
                    found.iter().take(MAX_PARTS).any(|other| {
                        redactor.rule(usize::from(other.rule)).id.as_str() == &*part.id
                            && is_near(text, one, other, part)
                    })
                })
        })
        .collect()
}

/// Whether two matches are as near as a required part asks.
fn is_near(text: &[u8], one: &Match, other: &Match, part: &RequiredSpec) -> bool {
    let (a, b) = (one.span.start.min(other.span.start), one.span.start.max(other.span.start));
    let lines = || memchr::memchr_iter(b'\n', &text[a..b]).count();
    part.within_lines.is_none_or(|most| lines() <= most as usize)
        && part.within_columns.is_none_or(|most| b - a <= most as usize)
}
