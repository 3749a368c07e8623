//! Owns finding which keyword stands where.
//! Accepts keywords of three bytes or more; emits (keyword, place) in order of the text; promises
//! that no keyword is missed whatever its case and what overlaps it, but for built-in ones whose
//! rules could not match there.

use std::cmp::Ordering;
use std::ops::Range;

use crate::blocks::{self, Marked, View};
use crate::lanes::{BLOCK, Lanes, Nibbles, nibbles};
use crate::window::{Bucket, ByteSet, Plan, candidates, of_keyword};

/// A keyword by the bytes that it is looked for by.
#[derive(Clone, Copy, Debug)]
struct Head {
    keyword: u16,
    length: u16,
    /// Where in the keyword they stand.
    offset: u8,
    /// Whether the next head has the same hash.
    goes_on: bool,
    /// The keyword's first eight bytes, case folded, and zeros.
    start: u64,
}

/// Finds keywords: vector instructions name the places, a hash of three bytes the keyword.
pub(crate) struct Prefilter {
    keywords: Vec<Box<[u8]>>,
    lanes: Lanes,
    nibbles: Nibbles,
    /// One bit for each hash of three case-folded bytes.
    threes: Box<[u64; HASHES / 64]>,
    /// One bit for each hash of four case-folded bytes.
    fours: Box<[u64; HASHES / 64]>,
    /// For each hash, but for its upper bits, its heads.
    chains: Box<[Chain; STARTS]>,
    heads: Vec<Head>,
}

/// Heads of one hash.
#[derive(Clone, Copy, Debug, Default)]
struct Chain {
    /// One more than the place of the first one.
    first: u16,
    /// What may stand before the bytes that they are looked for by, one bit for each value of a
    /// byte's lower five bits.
    before: u32,
    /// What may stand after four bytes from there.
    after: u32,
}

impl Chain {
    /// Adds what may stand around a keyword's bytes.
    fn add(&mut self, keyword: &[u8], offset: u8) {
        let bit = |byte: Option<&u8>| byte.map_or(u32::MAX, |byte| 1 << (byte & 31));
        let offset = usize::from(offset);
        self.before |= bit(offset.checked_sub(1).and_then(|before| keyword.get(before)));
        self.after |= bit(keyword.get(offset + 4));
    }

    /// Whether a keyword may stand where its bytes are at `at`.
    #[inline(always)]
    fn may_be(&self, text: &[u8], at: usize) -> bool {
        let has = |bits: u32, byte: Option<&u8>| bits >> (byte.unwrap_or(&0) & 31) & 1 == 1;
        has(self.after, text.get(at + 4)) && has(self.before, text.get(at.wrapping_sub(1)))
    }
}

/// The bit that capitals and small letters differ in, in each of four bytes.
const FOLD: u32 = 0x2020_2020;
/// Three of four bytes.
const THREE: u32 = 0x00FF_FFFF;

/// Shortest keyword, in bytes.
pub(crate) const MIN_KEYWORD: usize = 3;

/// The buckets of the built-in rules' keywords, which the build script chose.
static BUILTIN: Plan = Plan { buckets: include!(concat!(env!("OUT_DIR"), "/buckets.rs")) };

/// These keywords in a row, sorted.
static KEYWORDS: &str = include_str!(concat!(env!("OUT_DIR"), "/keywords.txt"));

/// Of each of them, where it ends in the row, where in it the bytes are that it is looked for by,
/// and what the fourth of these may be.
static ANCHORS: &[(usize, u8, ByteSet)] = include!(concat!(env!("OUT_DIR"), "/anchors.rs"));

/// Where in a built-in keyword its window starts, and what the window's fourth byte may be.
fn anchor(keyword: &[u8]) -> Option<(u8, ByteSet)> {
    let start = |at: usize| at.checked_sub(1).map_or(0, |before| ANCHORS[before].0);
    let (mut from, mut to) = (0, ANCHORS.len());
    while from < to {
        let middle = from.midpoint(to);
        let (end, offset, fourth) = ANCHORS[middle];
        match KEYWORDS.as_bytes()[start(middle)..end].cmp(keyword) {
            Ordering::Less => from = middle + 1,
            Ordering::Equal => return Some((offset, fourth)),
            Ordering::Greater => to = middle,
        }
    }
    None
}

impl Prefilter {
    /// A filter for those keywords, which must be lower case and at least [`MIN_KEYWORD`] long;
    /// shorter ones are never found. The second part of each says whether only built-in rules
    /// have it, so that it is in a bucket already.
    pub(crate) fn new(keywords: Vec<(Box<[u8]>, bool)>) -> Prefilter {
        let mut plan = BUILTIN.clone();
        let (mut threes, mut fours) = (Box::new([0; HASHES / 64]), Box::new([0; HASHES / 64]));
        let mut hashed: Vec<(usize, Head)> = Vec::with_capacity(keywords.len());
        for (index, (keyword, is_builtin)) in keywords.iter().enumerate() {
            let (offset, fourth) = Some(keyword)
                .filter(|_| *is_builtin)
                .and_then(|keyword| anchor(keyword))
                .unwrap_or_else(|| add(&mut plan, keyword));
            let (Ok(index), Ok(length)) = (u16::try_from(index), u16::try_from(keyword.len()))
            else {
                continue;
            };
            let rest = &keyword[usize::from(offset)..];
            let Some(&[a, b, c]) = rest.first_chunk() else { continue };
            let three = u32::from_le_bytes([a, b, c, 0]) | FOLD;
            set(&mut threes, hash_three(three));
            for (first, set_of) in (0..).step_by(64).zip(fourth) {
                // Texts are case folded: of 64 bytes, the lower half is the upper one's.
                let folded = (set_of | set_of << 32) >> 32 << 32;
                for fourth in blocks::places(first, folded) {
                    set(&mut fours, hash_four(three | (fourth as u32) << 24));
                }
            }
            let start = eight(keyword, 0) & mask(length);
            let head = Head { keyword: index, length, offset, goes_on: true, start };
            hashed.push((hash_three(three), head));
        }
        hashed.sort_by_key(|&(hash, head)| (hash % STARTS, head.keyword));
        let mut chains = Box::new([Chain::default(); STARTS]);
        let mut heads: Vec<Head> = Vec::with_capacity(hashed.len());
        for (hash, head) in hashed {
            let chain = &mut chains[hash % STARTS];
            if chain.first == 0 {
                if let Some(last) = heads.last_mut() {
                    last.goes_on = false;
                }
                chain.first = u16::try_from(heads.len() + 1).unwrap_or(0);
            }
            chain.add(&keywords[usize::from(head.keyword)].0, head.offset);
            heads.push(head);
        }
        if let Some(last) = heads.last_mut() {
            last.goes_on = false;
        }
        let keywords = keywords.into_iter().map(|(keyword, _)| keyword).collect();
        let (lanes, nibbles) = (Lanes::best(), nibbles(&plan));
        Prefilter { keywords, lanes, nibbles, threes, fours, chains, heads }
    }

    /// Tells every block of a range with its marks; `marks` is only room to work in.
    #[inline]
    pub(crate) fn blocks(
        &self,
        text: &[u8],
        range: &Range<usize>,
        marks: &mut Marked,
        tell: impl FnMut(View<'_>),
    ) {
        blocks::each(self.lanes, &self.nibbles, text, range, marks, tell);
    }

    /// Tells every keyword that lies in `range` of `text`, with the place where it starts.
    #[inline]
    pub(crate) fn find(
        &self,
        text: &[u8],
        range: Range<usize>,
        mut found: impl FnMut(usize, usize),
    ) {
        let mut marks = Marked::default();
        self.blocks(text, &range, &mut marks, |view| {
            self.keywords(text, &range, &view, &mut found);
        });
    }

    /// Tells every keyword whose bytes that it is looked for by start in a block of the range.
    #[inline]
    pub(crate) fn keywords(
        &self,
        text: &[u8],
        range: &Range<usize>,
        view: &View<'_>,
        mut found: impl FnMut(usize, usize),
    ) {
        let mut left = view.now.keyword;
        if left == 0 || left == u64::MAX && is_uniform(text, view.at) {
            return;
        }
        // Without a branch on what is kept, of which there is too little to be foreseen.
        let mut kept = 0;
        while left != 0 {
            let bit = left.trailing_zeros();
            left &= left - 1;
            let four = four(text, view.at + bit as usize);
            let has = |bits: &[u64; HASHES / 64], hash: usize| bits[hash / 64] >> (hash % 64) & 1;
            kept |=
                (has(&self.threes, hash_three(four)) & has(&self.fours, hash_four(four))) << bit;
        }
        for at in blocks::places(view.at, kept) {
            self.verify(text, range, at, &mut found);
        }
    }

    /// Tells the keywords that are looked for by the bytes at `at`.
    #[inline(never)]
    fn verify(
        &self,
        text: &[u8],
        range: &Range<usize>,
        at: usize,
        found: &mut impl FnMut(usize, usize),
    ) {
        let hash = hash_three(four(text, at)) % STARTS;
        let chain = &self.chains[hash];
        let Some(first) = usize::from(chain.first).checked_sub(1) else { return };
        if !chain.may_be(text, at) {
            return;
        }
        for head in &self.heads[first..] {
            if let Some(start) = at.checked_sub(usize::from(head.offset))
                && (eight(text, start) ^ head.start) & mask(head.length) == 0
            {
                let (index, end) = (usize::from(head.keyword), start + usize::from(head.length));
                if start >= range.start
                    && end <= range.end
                    && text[start..end].eq_ignore_ascii_case(&self.keywords[index])
                {
                    found(index, start);
                }
            }
            if !head.goes_on {
                return;
            }
        }
    }
}

/// Whether a block, and what stands a block before and after it, is one byte over and over: no
/// token has so many of one in the middle.
fn is_uniform(text: &[u8], at: usize) -> bool {
    let around = at.checked_sub(BLOCK).and_then(|from| text.get(from..at + 2 * BLOCK));
    around.is_some_and(|bytes| bytes[1..] == bytes[..bytes.len() - 1])
}

/// Puts a keyword into a bucket; gives where in it the bytes are that it is looked for by, and what
/// the fourth of them may be.
fn add(plan: &mut Plan, keyword: &[u8]) -> (u8, ByteSet) {
    let sets = of_keyword(keyword);
    let windows = candidates(keyword, &sets);
    let (chosen, _) = plan.add(&windows);
    let offset = windows.get(chosen).map_or(0, |window| window.offset);
    (u8::try_from(offset).unwrap_or(0), sets.get(offset + 3).copied().unwrap_or([u64::MAX; 4]))
}

/// How many hashes there are.
const HASHES: usize = 1 << 16;
/// How many places of a first head there are.
const STARTS: usize = 1 << 12;

/// The four bytes at `at`, case folded; zeros where the text has ended.
#[inline(always)]
fn four(text: &[u8], at: usize) -> u32 {
    match text.get(at..at + 4) {
        Some(&[a, b, c, d]) => u32::from_le_bytes([a, b, c, d]) | FOLD,
        _ => eight(text, at) as u32,
    }
}

/// The eight bytes at `at`, case folded; zeros where the text has ended.
#[inline]
fn eight(text: &[u8], at: usize) -> u64 {
    let fold = u64::from(FOLD) << 32 | u64::from(FOLD);
    let rest = text.get(at..).unwrap_or_default();
    let bytes = rest.first_chunk().copied().unwrap_or_else(|| {
        let mut padded = [0; 8];
        let length = rest.len().min(8);
        padded[..length].copy_from_slice(&rest[..length]);
        padded
    });
    u64::from_le_bytes(bytes) | fold
}

/// Those of eight bytes that a keyword of that length has.
#[inline(always)]
fn mask(length: u16) -> u64 {
    u64::MAX >> (64 - 8 * length.clamp(1, 8))
}

fn set(bits: &mut [u64; HASHES / 64], hash: usize) {
    bits[hash / 64] |= 1 << (hash % 64);
}

/// A hash of the lower three of four case-folded bytes.
#[inline(always)]
fn hash_three(four: u32) -> usize {
    ((four & THREE).wrapping_mul(0x9E37_79B1) >> 16) as usize
}

/// A hash of four case-folded bytes.
#[inline(always)]
fn hash_four(four: u32) -> usize {
    (four.wrapping_mul(0x85EB_CA6B) >> 16) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(keywords: &[&str], text: &str) -> Vec<(usize, usize)> {
        let keywords = keywords.iter().map(|k| (k.as_bytes().into(), false)).collect();
        let mut out = Vec::new();
        Prefilter::new(keywords).find(text.as_bytes(), 0..text.len(), |k, at| out.push((k, at)));
        out.sort_unstable();
        out
    }

    #[test]
    fn finds_overlapping_keywords_in_any_case() {
        assert_eq!(found(&["key", "apikey", "api"], "x ApiKey"), [(0, 5), (1, 2), (2, 2)]);
        assert_eq!(found(&["key"], "key"), [(0, 0)]);
        assert_eq!(found(&["key"], "ke"), []);
        assert_eq!(found(&["ключ"], "мой ключ"), [(0, 7)]);
    }

    proptest! {
        #[test]
        fn agrees_with_plain_search(text in "[abAB_k]{0,90}", a in "[abk_]{3,5}", b in "[ab]{3,4}") {
            let lower = text.to_ascii_lowercase();
            let mut expected: Vec<_> = [&a, &b]
                .iter()
                .enumerate()
                .flat_map(|(index, keyword)| {
                    (0..lower.len())
                        .filter(|&at| lower[at..].starts_with(keyword.as_str()))
                        .map(move |at| (index, at))
                        .collect::<Vec<_>>()
                })
                .collect();
            expected.sort_unstable();
            prop_assert_eq!(found(&[&a, &b], &text), expected);
        }
    }
}
