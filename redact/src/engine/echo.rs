//! Owns noticing that a text says the same over and over, which is what texts that are made to be
//! slow are made of.
//! Accepts a range block by block, and how much was found so far; emits which blocks need no look;
//! promises that whatever is looked at there has the same bytes around it, [`BEFORE`] and [`AFTER`]
//! it, as a place that was looked at and where nothing was found, and a look that costs little
//! where nothing repeats itself.

use std::ops::Range;

use crate::lanes::BLOCK;
use crate::rule::MAX_TOKEN;

/// How far before a place anything looks that decides on it, in bytes.
const BEFORE: usize = 1024;
/// How far after a place anything looks that decides on it, in bytes. Long values and a few tokens
/// go on for longer, but none starts with so much of what repeats itself.
const AFTER: usize = 3 << 10;
/// How long after something that was found a rule may wait, in bytes.
const MAX_WAIT: usize = MAX_TOKEN + 1024;
/// Longest part that is noticed to be repeated, in bytes.
const MAX_PERIOD: usize = 256;
/// After how many bytes it is first seen whether anything repeats itself.
const FIRST_TRY: usize = 2 * BEFORE;
/// Most bytes from one try to the next.
const MAX_PAUSE: usize = 16 << 10;

/// What is known of how a text repeats itself.
#[derive(Debug)]
pub(super) struct Echo<'t> {
    text: &'t [u8],
    range: Range<usize>,
    /// Where it is next seen whether anything repeats itself.
    next: usize,
    /// How far the try after that one is from it.
    pause: usize,
    /// The length of what is repeated, and where it stops being repeated.
    period: usize,
    until: usize,
    /// How much was found so far.
    known: usize,
    /// From where on rules are sure to look again, after the last thing that was found.
    awake: usize,
    /// The part that needs no look.
    skip: Range<usize>,
}

impl<'t> Echo<'t> {
    /// For a text before whose first look so much was found.
    pub(super) fn new(text: &'t [u8], known: usize) -> Echo<'t> {
        Echo {
            text,
            range: 0..0,
            next: 0,
            pause: 0,
            period: 0,
            until: 0,
            known,
            awake: 0,
            skip: 0..0,
        }
    }

    /// Goes on to another range.
    pub(super) fn start(&mut self, range: &Range<usize>) {
        self.range = range.clone();
        self.next = range.start + FIRST_TRY;
        self.pause = FIRST_TRY;
        self.until = 0;
        self.skip = 0..0;
    }

    /// Whether the block at `at` needs no look, when so much was `found` before it.
    #[inline]
    pub(super) fn covers(&mut self, at: usize, found: usize) -> bool {
        if found != self.known {
            (self.known, self.awake) = (found, at + MAX_WAIT);
        }
        if at >= self.next {
            self.notice(at);
        }
        self.skip.contains(&at)
    }

    /// Whether the block at `at` is the first one after such that needed no look.
    #[inline]
    pub(super) fn ends(&self, at: usize) -> bool {
        self.skip.end == at && !self.skip.is_empty()
    }

    /// Sees whether what stands before `at` goes on after it.
    #[cold]
    fn notice(&mut self, at: usize) {
        match self.repeated_part(at) {
            Some(end) => {
                self.skip = at..end;
                self.next = end + FIRST_TRY;
                self.pause = FIRST_TRY;
            }
            None => {
                self.next = at + self.pause;
                self.pause = (2 * self.pause).min(MAX_PAUSE);
            }
        }
    }

    /// Where the part that starts at `at` and needs no look ends.
    fn repeated_part(&mut self, at: usize) -> Option<usize> {
        if at >= self.until {
            self.period = period(&self.text[..self.range.end], at, self.range.start)?;
            self.until = at + same(&self.text[at - self.period..self.range.end], self.period);
        }
        // A whole period was looked at by rules that did not wait for the end of what they had
        // found, and all around it is repeated too.
        let from = at.checked_sub(2 * self.period + BEFORE)?;
        if from < self.range.start || at < self.awake + self.period {
            return None;
        }
        let known = &self.text[from..at];
        if same(known, self.period) < known.len() - self.period {
            return None;
        }
        let whole = self.until.checked_sub(AFTER + at)? / BLOCK * BLOCK;
        (whole > 0).then_some(at + whole)
    }
}

/// The length of a part that may be repeated at `at`.
fn period(text: &[u8], at: usize, floor: usize) -> Option<usize> {
    let eight: &[u8; 8] = text.get(at..)?.first_chunk()?;
    let from = at.saturating_sub(MAX_PERIOD).max(floor);
    // The last place where the same eight bytes stand.
    let last = text[from..at + 7].windows(8).rposition(|window| window == eight)?;
    Some(at - from - last)
}

/// How many bytes after the first `period` ones are the same as those so many before them.
fn same(text: &[u8], period: usize) -> usize {
    const STEP: usize = 64;
    let (before, after) = (text, &text[period..]);
    let mut count = 0;
    for (a, b) in before.chunks_exact(STEP).zip(after.chunks_exact(STEP)) {
        if a != b {
            break;
        }
        count += STEP;
    }
    let rest = before[count..].iter().zip(&after[count..]);
    count + rest.take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Redactor;

    /// The blocks of a text that need no look, when something is found at each of `finds`.
    fn skipped(text: &str, finds: &[usize]) -> Vec<usize> {
        let mut echo = Echo::new(text.as_bytes(), 3);
        echo.start(&(0..text.len()));
        let found = |at: usize| 3 + finds.iter().filter(|find| **find < at).count();
        let blocks = (0..text.len()).step_by(BLOCK);
        blocks.filter(|&at| echo.covers(at, found(at))).collect()
    }

    #[test]
    fn what_repeats_itself_needs_no_look_save_at_its_ends() {
        for part in ["a", "key=", "curl -H \"", &"a quite long part of a text ".repeat(9)] {
            let text = part.repeat(100_000 / part.len());
            let all = skipped(&text, &[]);
            assert!(all.len() * BLOCK > 80_000, "{part:?}");
            assert!(all[0] >= BEFORE + part.len(), "{part:?}");
            assert!(all.iter().all(|at| at + BLOCK + AFTER <= text.len()), "{part:?}");
        }
    }

    #[test]
    fn what_is_near_something_else_is_looked_at() {
        let part = "key=";
        let (before, other) = (part.repeat(10_000), "something else ");
        let text = format!("{before}{other}{before}");
        let all = skipped(&text, &[]);
        let is_near = |at: usize| {
            at + BLOCK + AFTER > before.len() && at < before.len() + other.len() + BEFORE
        };
        assert!(!all.is_empty() && all.iter().all(|&at| !is_near(at)), "{all:?}");
    }

    #[test]
    fn where_something_is_found_every_block_is_looked_at() {
        let text = "key=".repeat(10_000);
        let often: Vec<usize> = (0..text.len()).step_by(500).collect();
        assert!(skipped(&text, &often).is_empty());
        let later = skipped(&text, &[1_000]);
        assert!(later.first().is_some_and(|at| *at >= 1_000 + MAX_WAIT), "{later:?}");
    }

    #[test]
    fn what_does_not_repeat_itself_is_looked_at() {
        let text: String = (0..20_000).map(|number: u32| format!("key={number} ")).collect();
        assert!(skipped(&text, &[]).is_empty());
    }

    #[test]
    fn what_stands_amid_echoes_is_found() {
        let redactor = Redactor::builtin();
        let token = "AKIAQ3EGRTPLWX7NZ5VD";
        let escaped: String = token.bytes().map(|b| format!("%{b:02x}")).collect();
        for part in crate::linear::FAMILIES {
            for token in [token, &escaped] {
                let many = part.repeat(30_000 / part.len());
                let text = format!("{many}\n {token} \n{many}");
                let span = many.len() + 2..many.len() + 2 + token.len();
                let scan = redactor.scan_text(text.as_bytes());
                let is_found = scan
                    .findings()
                    .iter()
                    .any(|one| one.span.start <= span.start && one.span.end >= span.end);
                assert!(is_found || scan.withheld(), "{part:?} {token}");
            }
        }
    }
}
