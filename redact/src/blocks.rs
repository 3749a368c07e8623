//! Owns walking a text 64 bytes at a time, and what a block's marks say: where a keyword, personal
//! data, a long run, a placeholder, something encoded or a broken token may start.
//! Accepts a text and a range; emits blocks in order with their neighbours; promises that no mark
//! is at or after the range's end, and to name every place that the matchers want to see (they
//! decide; a place too many costs only time).

use std::ops::Range;

use crate::lanes::{BEYOND, BLOCK, Lanes, Marks, Nibbles};

/// How many blocks are marked at a time.
const BATCH: usize = 8;

/// A block with its neighbours; beyond the range nothing is marked.
#[derive(Clone, Copy)]
pub(crate) struct View<'m> {
    /// Where the block starts in the text.
    pub(crate) at: usize,
    pub(crate) before: &'m Marks,
    pub(crate) now: &'m Marks,
    pub(crate) next: &'m Marks,
}

/// Room for a few blocks' marks.
pub(crate) type Marked = [Marks; BATCH + 2];

/// Tells every block of a range in order; `marks` is only room to work in.
#[inline]
pub(crate) fn each(
    lanes: Lanes,
    nibbles: &Nibbles,
    text: &[u8],
    range: &Range<usize>,
    marks: &mut Marked,
    mut tell: impl FnMut(View<'_>),
) {
    marks[0] = NONE;
    let mut at = range.start;
    let mut held = 0;
    while at < range.end {
        // `marks[0]` is of the block before `at`, then come `held` blocks that were not told yet.
        let from = at + held * BLOCK;
        held += fill(lanes, nibbles, text, from..range.end, &mut marks[1 + held..]);
        let is_last = at + held * BLOCK >= range.end;
        let count = if is_last { held } else { held - 1 };
        if is_last && held <= BATCH {
            marks[held + 1] = NONE;
        }
        for block in 1..=count {
            let next = marks.get(block + 1).unwrap_or(&NONE);
            tell(View { at, before: &marks[block - 1], now: &marks[block], next });
            at += BLOCK;
        }
        if is_last {
            return;
        }
        marks.copy_within(count..=held, 0);
        held -= count;
    }
}

/// No mark at all.
static NONE: Marks = Marks {
    keyword: 0,
    digit: 0,
    word: 0,
    run: 0,
    piece: 0,
    hyphen: 0,
    colon: 0,
    sign: 0,
    stop: 0,
    odd: 0,
    bracket: 0,
    capital_r: 0,
};

/// Marks the blocks of a range, as many as there is room for; gives how many.
fn fill(
    lanes: Lanes,
    nibbles: &Nibbles,
    text: &[u8],
    range: Range<usize>,
    out: &mut [Marks],
) -> usize {
    let count = range.len().div_ceil(BLOCK).min(out.len());
    let out = &mut out[..count];
    let marked = lanes.mark(nibbles, &text[range.start..], out);
    if marked < count {
        // At the end of the text zeros stand for what is not there.
        let rest = &text[range.start + marked * BLOCK..];
        let mut padded = [0; 2 * BLOCK + BEYOND];
        let length = rest.len().min(padded.len());
        padded[..length].copy_from_slice(&rest[..length]);
        lanes.mark(nibbles, &padded, &mut out[marked..]);
    }
    if let Some(last) = out.last_mut().filter(|_| count * BLOCK > range.len()) {
        *last = last.first(range.len() - (count - 1) * BLOCK);
    }
    count
}

/// What follows each place by `by` bytes.
#[inline]
fn ahead(now: u64, next: u64, by: u32) -> u64 {
    now >> by | next << (64 - by)
}

impl View<'_> {
    /// Where personal data may start: an `@`; a run of digits with three more digits or a letter
    /// soon after; a colon that another one follows within five bytes; a hyphen that another one
    /// follows three bytes on.
    #[inline]
    pub(crate) fn personal(&self) -> u64 {
        let (now, next) = (self.now, self.next);
        let starts = self.digit_starts();
        let colons = if now.colon == 0 {
            0
        } else {
            // Colons that another one follows within five bytes, by doubling: 1, 2, 4, 5.
            let c1 = ahead(now.colon, next.colon, 1);
            let c2 = c1 | ahead(now.colon, next.colon, 2);
            let c4 = c2 | ahead(now.colon, next.colon, 3) | ahead(now.colon, next.colon, 4);
            now.colon & (c4 | ahead(now.colon, next.colon, 5))
        };
        now.sign | starts | colons | now.hyphen & ahead(now.hyphen, next.hyphen, 3)
    }

    /// Where runs of digits start.
    #[inline]
    pub(crate) fn digit_starts(&self) -> u64 {
        self.now.digit & !(self.now.digit << 1 | self.before.digit >> 63)
    }

    /// Which of the 64 bytes from the place of a bit are digits.
    #[inline]
    pub(crate) fn digits_from(&self, bit: u32) -> u64 {
        if bit == 0 { self.now.digit } else { ahead(self.now.digit, self.next.digit, bit) }
    }

    /// Where runs of twenty bytes of base64 or hex start.
    #[inline]
    pub(crate) fn long_runs(&self) -> u64 {
        let starts = self.now.run & !(self.now.run << 1 | self.before.run >> 63);
        // Where 2, 4, 8, 16, 20 bytes of a run follow; a block and the next make 128 bits.
        let both = u128::from(self.now.run) | u128::from(self.next.run) << 64;
        let two = both & both >> 1;
        let four = two & two >> 2;
        let eight = four & four >> 4;
        (eight & eight >> 8 & four >> 16) as u64 & starts
    }

    /// Quotes and line breaks right after seven bytes or more of a token.
    #[inline]
    pub(crate) fn broken(&self) -> u64 {
        if self.now.stop == 0 {
            return 0;
        }
        // The last 64 bytes of the block before and the block make 128 bits.
        let both = u128::from(self.before.piece) | u128::from(self.now.piece) << 64;
        let two = both & both << 1;
        let four = two & two << 2;
        let seven = four & four << 3;
        (seven << 1 >> 64) as u64 & self.now.stop
    }

    /// Where a placeholder may start: `[R`.
    #[inline]
    pub(crate) fn placeholders(&self) -> u64 {
        self.now.bracket & ahead(self.now.capital_r, self.next.capital_r, 1)
    }
}

/// The places of a mask's bits in the block at `at`, in order.
#[inline]
pub(crate) fn places(at: usize, mut mask: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        if mask == 0 {
            return None;
        }
        let bit = mask.trailing_zeros() as usize;
        mask &= mask - 1;
        Some(at + bit)
    })
}

/// How many bytes of base64, base64url or hex a text starts with.
pub(crate) fn run_length(text: &[u8]) -> usize {
    static RUNS: [bool; 256] = {
        let mut runs = [false; 256];
        let mut byte = 0;
        while byte < 256 {
            runs[byte] = is_run(byte as u8);
            byte += 1;
        }
        runs
    };
    text.iter().take_while(|byte| RUNS[usize::from(**byte)]).count()
}

/// Bytes of base64, base64url and hex.
pub(crate) const fn is_run(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'+' | b'-' | b'_')
}

#[cfg(test)]
#[expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the methods are those of one lifetime, the closures are called for any"
)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// All places that a view's function names.
    fn all(text: &[u8], range: Range<usize>, of: impl Fn(&View<'_>) -> u64) -> Vec<usize> {
        let mut found = Vec::new();
        let mut marks = Marked::default();
        each(Lanes::best(), &Nibbles::default(), text, &range, &mut marks, |view| {
            found.extend(places(view.at, of(&view)));
        });
        found
    }

    fn is_piece(byte: u8) -> bool {
        is_run(byte) || matches!(byte, b'.' | b'=')
    }

    proptest! {
        #[test]
        fn places_agree_with_plain_search(
            parts in prop::collection::vec("([a-z]{0,30}[ .\"]){0,8}|[aZ0_ ]{0,20}|\\[R|\n|[0-9:@-]{0,9}", 0..40),
            cut in 0_usize..200,
        ) {
            let text = parts.concat();
            let bytes = text.as_bytes();
            let range = cut.min(bytes.len())..bytes.len() - cut.min(bytes.len()) / 2;
            let range = range.start.min(range.end)..range.end;
            let inside = &bytes[range.clone()];
            let plain = |is: &dyn Fn(usize) -> bool| {
                (0..inside.len()).filter(|&at| is(at)).map(|at| at + range.start).collect::<Vec<_>>()
            };
            let starts = |at: usize, of: fn(u8) -> bool| of(inside[at]) && (at == 0 || !of(inside[at - 1]));
            let run = |at: usize| starts(at, is_run) && inside[at..].iter().take_while(|b| is_run(**b)).count() >= 20;
            prop_assert_eq!(all(bytes, range.clone(), |view| view.long_runs()), plain(&run));
            let digits = |at: usize| starts(at, |byte| byte.is_ascii_digit());
            prop_assert_eq!(all(bytes, range.clone(), |view| view.digit_starts()), plain(&digits));
            let broken = |at: usize| {
                matches!(inside[at], b'"' | b'\'' | b'\n' | b'\r')
                    && inside[..at].iter().rev().take_while(|b| is_piece(**b)).count() >= 7
            };
            prop_assert_eq!(all(bytes, range.clone(), |view| view.broken()), plain(&broken));
            let placeholder = |at: usize| inside[at..].starts_with(b"[R");
            let expected = plain(&placeholder);
            prop_assert_eq!(all(bytes, range.clone(), |view| view.placeholders()), expected);
        }
    }

    #[test]
    fn personal_data_is_told_across_blocks() {
        let mut text = vec![b' '; 2500];
        text[60..72].copy_from_slice(b"192.168.7.11");
        text[126..143].copy_from_slice(b"aa:bb:cc:dd:ee:ff");
        text[1150] = b'@';
        let found = all(&text, 0..text.len(), |view| view.personal());
        assert!([60, 128, 1150].iter().all(|at| found.contains(at)), "{found:?}");
    }
}
