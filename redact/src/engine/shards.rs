//! Owns sharing out a long text among threads.
//! Accepts the ranges of a text to look at; emits the matches in them; promises that what is found
//! does not depend on how many threads there are: where a text is cut depends on it alone.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Layer, Match, Work};

/// How a long text is cut.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cutting {
    /// About how long a part is, in bytes; what is not twice as long is not cut.
    pub(crate) part: usize,
    /// How far beyond its end a part is looked at for what starts in it, in bytes.
    pub(crate) beyond: usize,
    /// How many threads look.
    pub(crate) threads: NonZeroUsize,
}

/// How far before its start a part is looked at for what is around a match, in bytes.
const BEFORE: usize = 1 << 10;

/// How far before its end a better place for a cut is looked for, as a share of a part.
const SEAM_SHARE: usize = 16;

impl Cutting {
    /// The cutting of texts for so many threads.
    pub(crate) fn new(threads: NonZeroUsize) -> Cutting {
        // Beyond a part's end there is room for a private key with its armour.
        Cutting { part: 1 << 20, beyond: 68 << 10, threads }
    }
}

/// What one look is at.
#[derive(Debug, PartialEq, Eq)]
struct Part {
    looked_at: Vec<Range<usize>>,
    /// Where matches start that are this part's to find.
    own: Range<usize>,
}

/// Cuts ranges into parts; nothing where that is not worth it, or where there is no good place to
/// cut: what is encoded has to be decoded from its start.
fn parts(text: &[u8], ranges: &[Range<usize>], cutting: &Cutting) -> Vec<Part> {
    let total: usize = ranges.iter().map(ExactSizeIterator::len).sum();
    if total < 2 * cutting.part {
        return Vec::new();
    }
    let mut parts = Vec::new();
    let mut part = Part { looked_at: Vec::new(), own: 0..usize::MAX };
    let mut length = 0;
    for range in ranges {
        let mut from = range.start;
        // Where this range was cut, its part looks at a little before that.
        let mut before = from;
        while length + (range.end - from) > cutting.part {
            let most = (from + cutting.part - length).min(range.end);
            let Some(seam) = seam(text, from..most, cutting.part / SEAM_SHARE) else {
                return Vec::new();
            };
            part.looked_at.push(before..seam.saturating_add(cutting.beyond).min(range.end));
            part.own.end = seam;
            parts.push(part);
            part = Part { looked_at: Vec::new(), own: seam..usize::MAX };
            before = seam.saturating_sub(BEFORE).max(range.start);
            (from, length) = (seam, 0);
        }
        if from < range.end {
            part.looked_at.push(before..range.end);
            length += range.end - from;
        }
    }
    parts.push(part);
    parts
}

/// A good place to cut at the end of a range: after an empty line, a line, a word, or a quote or
/// comma, none of which stands in what is encoded.
fn seam(text: &[u8], range: Range<usize>, most: usize) -> Option<usize> {
    let from = range.end.saturating_sub(most).max(range.start);
    let end = &text[from..range.end];
    let after = |is_end: fn(&u8) -> bool| end.iter().rposition(is_end).map(|at| at + 1);
    let gap = memchr::memmem::rfind(end, b"\n\n").map(|at| at + 2);
    let found = gap
        .or_else(|| after(|b| *b == b'\n'))
        .or_else(|| after(u8::is_ascii_whitespace))
        .or_else(|| after(|b| matches!(b, b'"' | b',')));
    found.map(|at| from + at)
}

impl<'r> Work<'r> {
    /// Looks at a long text in parts; false where it is not long.
    pub(super) fn scan_in_parts(&mut self, layer: Layer<'_>, ranges: &[Range<usize>]) -> bool {
        let parts = parts(layer.text, ranges, &self.cutting);
        if parts.is_empty() {
            return false;
        }
        let next = AtomicUsize::new(0);
        let look = || {
            let mut done = Vec::new();
            while let Some(part) = parts.get(next.fetch_add(1, Ordering::Relaxed)) {
                done.push((part.own.start, self.look_at(layer, part)));
            }
            done
        };
        let count = self.cutting.threads.get().min(parts.len());
        let mut done = Vec::with_capacity(parts.len());
        let whole = std::thread::scope(|scope| {
            let others: Vec<_> = (1..count)
                .filter_map(|_| std::thread::Builder::new().spawn_scoped(scope, look).ok())
                .collect();
            done.extend(look());
            others.into_iter().all(|other| other.join().map(|own| done.extend(own)).is_ok())
        });
        done.sort_unstable_by_key(|(start, _)| *start);
        self.exhausted |= !whole || done.len() != parts.len();
        for (_, part) in done {
            self.take(part);
        }
        // A word in one part sets off its rules in all.
        let mut deferred = std::mem::take(&mut self.deferred);
        deferred.sort_unstable();
        deferred.dedup();
        self.anywhere(layer.text, ranges, &deferred);
        true
    }

    /// Looks at one part.
    fn look_at(&self, layer: Layer<'_>, part: &Part) -> Work<'r> {
        let length = part.looked_at.iter().map(ExactSizeIterator::len).sum();
        let mut work = Work::new(self.redactor, self.path, length);
        work.exhausted |= self.exhausted;
        // All threads there are take part already.
        work.cutting.threads = NonZeroUsize::MIN;
        // What a rule requires beside it is looked for among the matches of its part.
        work.defers = !self.redactor.has_parts();
        work.scan_whole(layer, &part.looked_at);
        work.found.retain(|found: &Match| part.own.contains(&found.span.start));
        work
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;
    use crate::Redactor;

    static ONE: LazyLock<Redactor> = LazyLock::new(Redactor::builtin);
    static CUT: LazyLock<Redactor> = LazyLock::new(|| {
        ONE.cut_as(Cutting { part: 900, beyond: 2_000, threads: NonZeroUsize::MIN })
    });
    static MANY: LazyLock<Redactor> =
        LazyLock::new(|| CUT.with_threads(NonZeroUsize::new(3).unwrap()));
    static EXAMPLES: LazyLock<Vec<String>> = LazyLock::new(|| {
        let details = ONE.rules().filter_map(|rule| ONE.rule_details(rule.id.as_str()));
        details.flat_map(|rule| rule.examples).map(String::from).collect()
    });

    /// What the whole of a long text holds here and there, with the rest of it.
    fn part() -> impl Strategy<Value = String> {
        prop_oneof![
            1 => any::<prop::sample::Index>().prop_map(|index| EXAMPLES[index.index(EXAMPLES.len())].clone()),
            3 => "([a-z]{1,9} ){5,40}",
            1 => "[a-z]{1,300}",
            1 => prop::sample::select(vec!["\n\n", "\n", "", " - ", "\"", "key = "]).prop_map(str::to_owned),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

        #[test]
        fn many_threads_find_what_one_finds(parts in prop::collection::vec(part(), 10..90), between in "\n| |") {
            let text = parts.join(&between);
            let (one, many) = (ONE.scan_text(text.as_bytes()), MANY.scan_text(text.as_bytes()));
            prop_assert_eq!(one.findings(), many.findings(), "{:?}", text);
            let raw = serde_json::to_vec(&serde_json::json!({ "a": [text, parts] })).unwrap();
            let (one, many) = (CUT.scan_json(&raw), MANY.scan_json(&raw));
            prop_assert_eq!(one.findings(), many.findings(), "{:?}", text);
        }
    }

    #[test]
    fn a_word_in_one_part_sets_off_its_rules_in_another() {
        let words = "some words of no interest\n".repeat(100);
        let text = format!("facebook\n{words}8224154071981|jwjic65fp9823iw2u4jujbsh9eu \n");
        for redactor in [&ONE, &CUT, &MANY] {
            assert_eq!(redactor.scan_text(text.as_bytes()).findings().len(), 1);
        }
    }

    #[test]
    fn parts_own_every_place_once_and_are_cut_between_lines() {
        let text = "some words\nin lines\n\n".repeat(200);
        let cutting = Cutting { part: 500, beyond: 100, threads: NonZeroUsize::MIN };
        let check = |ranges: &[Range<usize>]| {
            let parts = parts(text.as_bytes(), ranges, &cutting);
            assert!(parts.len() > 3);
            assert_eq!((parts[0].own.start, parts.last().unwrap().own.end), (0, usize::MAX));
            for (one, next) in parts.iter().zip(&parts[1..]) {
                assert_eq!(one.own.end, next.own.start);
                assert!(text[..one.own.end].ends_with('\n'));
            }
            for place in ranges.iter().cloned().flatten() {
                let own = parts.iter().find(|part| part.own.contains(&place)).unwrap();
                assert!(own.looked_at.iter().any(|range| range.contains(&place)), "{place}");
            }
        };
        check(std::slice::from_ref(&(0..text.len())));
        check(&[10..300, 310..1_500, 1_600..1_601, 1_700..4_000]);
        assert!(parts(text.as_bytes(), &[0..499, 500..999], &cutting).is_empty());
    }
}
