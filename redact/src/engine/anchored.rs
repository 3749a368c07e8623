//! Owns trying expressions near the words that each of their matches has in it.
//! Accepts the places of words as the prefilter tells them; emits the matches that a run over the
//! whole range would give, in its order; promises a bounded look at each place, paid for in steps,
//! and at most one long look at each byte of a range that found nothing.

use std::ops::Range;

use super::Work;
use crate::rule::{Anchor, Tried};

/// How many places are gathered before they are looked at.
const MANY: usize = 4096;

/// How far behind the prefilter is with a place, at most, in bytes.
const BEHIND: usize = 64;

/// The places of words in a range that were not looked at yet.
pub(super) struct Places {
    range: Range<usize>,
    /// Rules, each with the place of a word of theirs.
    places: Vec<(u16, usize)>,
    /// How many places there were.
    count: usize,
    /// Rules, each with the place where its next match may start.
    next: Vec<(u16, usize)>,
}

impl Places {
    pub(super) fn new(range: &Range<usize>) -> Places {
        Places { range: range.clone(), places: Vec::new(), count: 0, next: Vec::new() }
    }

    /// Notes the place of a rule's word.
    pub(super) fn add(&mut self, rule: u16, at: usize) {
        self.places.push((rule, at));
        self.count += 1;
    }

    /// How many places were noted so far.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Looks at what was gathered, where that is much; the prefilter is at `at`.
    pub(super) fn settle_some(&mut self, work: &mut Work<'_>, text: &[u8], at: usize) {
        if self.places.len() >= MANY {
            self.settle(work, text, at.saturating_sub(BEHIND));
        }
    }

    /// Looks at all that was gathered.
    pub(super) fn settle_all(&mut self, work: &mut Work<'_>, text: &[u8]) {
        self.settle(work, text, usize::MAX);
    }

    /// Looks at the places before `until`.
    fn settle(&mut self, work: &mut Work<'_>, text: &[u8], until: usize) {
        let mut places = std::mem::take(&mut self.places);
        // The prefilter tells words of one rule by where their rarest bytes are.
        places.sort_unstable();
        places.retain(|&(rule, at)| {
            if at >= until {
                return true;
            }
            let number = usize::from(rule);
            let Some(anchor) = &work.redactor.rule(number).anchor else { return false };
            let known = self.next.iter().position(|(known, _)| *known == rule);
            let known = known.unwrap_or_else(|| {
                let about = work.redactor.rule(number).is_about(work.path);
                self.next.push((rule, if about { self.range.start } else { usize::MAX }));
                self.next.len() - 1
            });
            let next = self.next[known].1;
            self.next[known].1 = look(work, text, &self.range, (number, anchor), (at, next));
            false
        });
        self.places = places;
    }
}

/// Tries a rule near the word at `at`, not before `next`; gives where its next match may start.
fn look(
    work: &mut Work<'_>,
    text: &[u8],
    range: &Range<usize>,
    (rule, anchor): (usize, &Anchor),
    (at, mut next): (usize, usize),
) -> usize {
    for start in anchor.starts(at, next) {
        // A place is looked at but once; another match of the same rule may have covered it.
        if start < next {
            continue;
        }
        if !anchor.may_start(text, start) {
            continue;
        }
        match anchor.find(text, start, next.max(range.start), range.end) {
            Tried::NotHere(count) => {
                work.spend(count);
            }
            Tried::NoMore(count) => {
                work.spend(count);
                return usize::MAX;
            }
            Tried::Found(found) => {
                work.spend(found.whole.end - start);
                let group = work.redactor.rule(rule).spec.secret_group;
                work.check(text, rule, found.secret(group as usize), &found.whole);
                next = found.whole.end.max(start + 1);
            }
        }
        if work.exhausted {
            return usize::MAX;
        }
    }
    next
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use crate::Redactor;

    /// Rules of every shape: named values with a loose beginning, tokens, words of two bytes, words
    /// in the middle and after several beginnings, matches without an end.
    const RULES: &str = r#"
[[rules]]
id = "named"
regex = '(?i)[\w.-]{0,50}?(?:acme|umbrella)(?:[ \t\w.-]{0,20})[\s"]{0,3}(?:=|:)[\s"=]{0,5}([a-z0-9]{8})(?:["\s;]|$)'
keywords = ["acme", "umbrella"]
[[rules]]
id = "long-named"
regex = '(?i)[\w.-]{0,50}?(?:key|(?-i:[Tt]oken|TOKEN))(?:[ \t\w.-]{0,20})[\s"]{0,3}(?:=|:)[\s"=]{0,5}([a-z0-9]{9,}={0,2})(?:["\s;]|$)'
keywords = ["key", "token"]
[[rules]]
id = "token"
regex = '\b(ab_(?:test|live)_[a-z0-9]{6,8})\b'
keywords = ["ab_test_", "ab_live_"]
[[rules]]
id = "glued"
regex = 'zq-[a-z0-9]{4}'
keywords = ["zq-"]
[[rules]]
id = "two"
regex = '\bey[a-z0-9]{3,}\.[a-z0-9]{3,}'
keywords = ["ey"]
[[rules]]
id = "middle"
regex = '[a-z0-9]{3}\dq~[a-z0-9]{2,4}(?:$|[^a-z])'
keywords = ["q~"]
[[rules]]
id = "later"
regex = '(?:^|["\s=])(?:x[0-9]{1,3}y)?mid_[0-9]{2}'
keywords = ["mid_"]
[[rules]]
id = "greedy"
regex = '[\w-]{0,9}gree(?:[0-9]{2}|:([a-z]{3}))'
keywords = ["gree"]
[[rules]]
id = "block"
regex = '--BEGIN[ A-Z]{0,9}--[\s\S]{4,}?--END'
keywords = ["--begin"]
[[rules]]
id = "elsewhere"
regex = 'pat[0-9]{3}'
keywords = ["acme"]
"#;

    static NEAR: LazyLock<Redactor> = LazyLock::new(|| Redactor::of_file(RULES, false));
    static EVERYWHERE: LazyLock<Redactor> = LazyLock::new(|| Redactor::of_file(RULES, true));

    fn part() -> impl Strategy<Value = String> {
        let words = [
            "acme", "Umbrella", "key", "Token", "TOKEN", "ab_live_", "ab_test_", "zq-", "ey",
            "0q~", "q~", "x12y", "mid_", "gree", ":abc", "--BEGIN", " KEY--", "--END", "pat123",
            "=", ": ", "\"", " ", ";", "\n", "_", ".", "-", "é", "k3y9k3y9", "12", "7", "a",
        ];
        prop_oneof![
            8 => prop::sample::select(words.to_vec()).prop_map(str::to_owned),
            2 => "[a-z0-9]{1,9}",
            1 => "[a-z_]{40,60}",
        ]
    }

    fn found(redactor: &Redactor, text: &str) -> Vec<String> {
        let scan = redactor.scan_text(text.as_bytes());
        let told = |f: &crate::Finding| format!("{} {:?}", f.rule, f.span);
        scan.findings().iter().map(told).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

        #[test]
        fn near_words_is_found_what_is_found_everywhere(parts in prop::collection::vec(part(), 0..30)) {
            let text = parts.concat();
            prop_assert_eq!(found(&NEAR, &text), found(&EVERYWHERE, &text), "{:?}", text);
        }
    }

    #[test]
    fn every_shape_finds_its_own() {
        for text in [
            "acme_id = \"k3y9k3y9\"",
            "my.api.key: k3y9k3y9k3y9k3y9 ",
            "ab_live_k3y9k3",
            "xzq-k3y9",
            "eyk3y.9k3",
            "abc7q~k3y9 ",
            "=x12ymid_12",
            "wide-gree12",
            "--BEGIN KEY-- abcd --END",
        ] {
            assert_eq!(found(&NEAR, text).len(), 1, "{text}");
        }
        let without = (0..NEAR.rules().count()).filter(|&index| NEAR.rule(index).anchor.is_none());
        let ids: Vec<_> = without.map(|index| NEAR.rule(index).id.to_string()).collect();
        assert_eq!(ids, ["elsewhere"], "only a rule whose keyword is not in its matches");
    }

    #[test]
    fn many_places_are_looked_at_in_parts() {
        let text = "acme = \"k3y9k3y9\" zq-k3y9 key key ".repeat(3 * super::MANY / 4);
        assert_eq!(found(&NEAR, &text), found(&EVERYWHERE, &text));
    }
}
