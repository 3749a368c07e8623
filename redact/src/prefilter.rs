//! Owns the one pass that finds where a rule's keyword stands.
//! Accepts keywords of three bytes or more; emits (keyword, place) in order of the text; promises
//! that no keyword is missed whatever its case and what overlaps it, in one look per byte.

use std::ops::Range;

/// Where in a keyword its rarest three bytes are.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    keyword: u16,
    offset: u8,
    /// How many bytes of `head` count: three or four.
    head_mask: u32,
    /// The keyword's first bytes, case folded.
    head: u32,
}

/// Finds keywords by the hash of their rarest three bytes.
pub(crate) struct Prefilter {
    keywords: Vec<Box<[u8]>>,
    /// One bit per hash of three case-folded bytes.
    bitmap: Box<[u64; BUCKETS / 64]>,
    /// Where the anchors of a hash start in `anchors`.
    starts: Vec<u16>,
    anchors: Vec<Anchor>,
}

/// The bit that capitals and small letters differ in, in each of four bytes.
const FOLD: u32 = 0x2020_2020;

/// Shortest keyword, in bytes.
pub(crate) const MIN_KEYWORD: usize = 3;

impl Prefilter {
    /// A filter for those keywords, which must be lower case and at least [`MIN_KEYWORD`] long;
    /// shorter ones are never found.
    pub(crate) fn new(keywords: Vec<Box<[u8]>>) -> Prefilter {
        let mut hashed: Vec<(usize, Anchor)> = keywords
            .iter()
            .take(usize::from(u16::MAX))
            .enumerate()
            .filter(|(_, keyword)| keyword.len() >= MIN_KEYWORD)
            .map(|(index, keyword)| {
                let offset = rarest(keyword);
                let three = [0, keyword[offset], keyword[offset + 1], keyword[offset + 2]];
                let fourth = keyword.get(3).copied();
                let head = [keyword[0], keyword[1], keyword[2], fourth.unwrap_or(0)];
                let anchor = Anchor {
                    keyword: u16::try_from(index).unwrap_or(u16::MAX),
                    offset: u8::try_from(offset).unwrap_or(0),
                    head_mask: if fourth.is_some() { u32::MAX } else { 0x00FF_FFFF },
                    head: u32::from_le_bytes(head) | FOLD,
                };
                (hash(u32::from_le_bytes(three) | FOLD & 0xFFFF_FF00), anchor)
            })
            .collect();
        hashed.sort_by_key(|&(hash, anchor)| (hash, anchor.keyword));
        let mut bitmap = Box::new([0; BUCKETS / 64]);
        let mut starts = vec![0_u16; BUCKETS + 1];
        for &(hash, _) in &hashed {
            bitmap[hash >> 6] |= 1 << (hash & 63);
            starts[hash + 1] += 1;
        }
        for index in 1..starts.len() {
            starts[index] += starts[index - 1];
        }
        let anchors = hashed.into_iter().map(|(_, anchor)| anchor).collect();
        Prefilter { keywords, bitmap, starts, anchors }
    }

    /// Tells every keyword that lies in `range` of `text`, with the place where it starts.
    #[inline]
    pub(crate) fn find(
        &self,
        text: &[u8],
        range: Range<usize>,
        mut found: impl FnMut(usize, usize),
    ) {
        let part = &text[range.clone()];
        let is_set = |hash: usize| self.bitmap[hash >> 6] >> (hash & 63) & 1 != 0;
        // Each four bytes hold two places.
        for (index, four) in part.windows(4).step_by(2).enumerate() {
            let word = u32::from_le_bytes([four[0], four[1], four[2], four[3]]) | FOLD;
            let (first, second) = (hash(word << 8), hash(word & 0xFFFF_FF00));
            let at = range.start + 2 * index;
            if is_set(first) {
                self.verify(text, &range, at, first, &mut found);
            }
            if is_set(second) {
                self.verify(text, &range, at + 1, second, &mut found);
            }
        }
        if let ([.., a, b, c], 1) = (part, part.len() % 2) {
            let last = hash(u32::from_le_bytes([0, *a, *b, *c]) | FOLD & 0xFFFF_FF00);
            if is_set(last) {
                self.verify(text, &range, range.end - 3, last, &mut found);
            }
        }
    }

    #[inline(never)]
    fn verify(
        &self,
        text: &[u8],
        range: &Range<usize>,
        at: usize,
        hash: usize,
        found: &mut impl FnMut(usize, usize),
    ) {
        let from = usize::from(self.starts[hash]);
        let to = usize::from(self.starts[hash + 1]);
        for anchor in &self.anchors[from..to] {
            let Some(start) = at.checked_sub(usize::from(anchor.offset)) else { continue };
            if let Some(&four) = text.get(start..).and_then(|rest| rest.first_chunk::<4>())
                && ((u32::from_le_bytes(four) | FOLD) ^ anchor.head) & anchor.head_mask != 0
            {
                continue;
            }
            let keyword = &self.keywords[usize::from(anchor.keyword)];
            if start < range.start || start + keyword.len() > range.end {
                continue;
            }
            if text[start..start + keyword.len()].eq_ignore_ascii_case(keyword) {
                found(usize::from(anchor.keyword), start);
            }
        }
    }
}

/// How many hashes there are.
const BUCKETS: usize = 1 << 17;

/// A 17-bit hash of the upper three bytes, which are case folded; the lowest is zero.
#[inline(always)]
fn hash(word: u32) -> usize {
    (word.wrapping_mul(0x9E37_79B1) >> 15) as usize
}

/// How often three bytes follow each other in prose and code, as a logarithm, by a hash of them;
/// made by `examples/train_rarity.rs`.
static COMMON: &[u8; 65_536] = include_bytes!("common.bin");

/// Where the three bytes of the keyword are that are seen least often.
fn rarest(keyword: &[u8]) -> usize {
    (0..=keyword.len().min(64) - MIN_KEYWORD)
        .min_by_key(|&at| {
            let three = [keyword[at], keyword[at + 1], keyword[at + 2], 0];
            let folded = u32::from_le_bytes(three) | FOLD & 0x00FF_FFFF;
            COMMON[(folded.wrapping_mul(0x9E37_79B1) >> 16) as usize]
        })
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(keywords: &[&str], text: &str) -> Vec<(usize, usize)> {
        let keywords = keywords.iter().map(|k| k.as_bytes().into()).collect();
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
    }

    proptest! {
        #[test]
        fn agrees_with_plain_search(text in "[abAB_k]{0,40}", a in "[abk_]{3,5}", b in "[ab]{3,4}") {
            let mut plain = Vec::new();
            let lower = text.to_ascii_lowercase();
            for (index, keyword) in [&a, &b].into_iter().enumerate() {
                for at in 0..lower.len() {
                    if lower[at..].starts_with(keyword.as_str()) {
                        plain.push((index, at));
                    }
                }
            }
            plain.sort_unstable();
            prop_assert_eq!(found(&[&a, &b], &text), plain);
        }
    }
}
