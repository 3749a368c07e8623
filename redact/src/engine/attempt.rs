//! Owns trying a rule's expression: where its keyword stands, on a value, in a line, on a range.
//! Accepts places of keywords; emits matches that passed the rule's filters; promises that each
//! try looks at a bounded part of the text, and that what looks far waits before it looks again.

use std::ops::Range;

use regex::bytes::Regex;

use super::{Work, word};
use crate::context;
use crate::rule::{How, MAX_TOKEN, Rule};
use crate::{Confidence, Kind, Verdict};

/// Most bytes after its keyword that an expression with a reach looks at.
const MAX_REACHING: usize = 512;

/// How often a token must say the same to be a placeholder.
const LEAST_REPEATED: usize = 3;

/// Least entropy of a token of 24 bytes or more, in bits per byte: less is a placeholder.
const LEAST_ENTROPY: f64 = 1.3;

/// How far after its keyword a `near` rule looks, in bytes.
const NEAR: usize = 64;

/// How near the end of a token another one is looked for in any case, in bytes.
const OVERLAP: usize = 32;

impl Work<'_> {
    /// Tries a rule's expression where its keyword stands and its gate lets through, or where it may
    /// start before that.
    pub(super) fn token(&mut self, text: &[u8], index: usize, keyword: usize) {
        let rule = self.redactor.rule(index);
        let reach = rule.spec.reach as usize;
        if self.waits.is_waiting(index, keyword) {
            return;
        }
        let Some(regex) = rule.regex() else { return };
        let at = reach_back(text, keyword, reach);
        let most = if reach > 0 { MAX_REACHING } else { MAX_TOKEN };
        let window = &text[at..text.len().min(keyword + most)];
        let Some(found) = Found::of(rule, regex, window) else {
            self.spend(32 + reach);
            // What starts later and ends in the window would have been found.
            let seen = rule.longest().map_or(0, |longest| MAX_REACHING.saturating_sub(longest));
            self.waits.wait(rule, index, keyword, if reach > 0 { seen } else { 0 });
            return;
        };
        if !self.spend(found.secret.end) {
            return;
        }
        let span = at + found.secret.start..at + found.secret.end;
        let outside = |start| {
            !word::starts_word(text, start)
                || word::continues_word(text, span.end)
                || word::ends_in_file(text, span.end)
        };
        if !rule.spec.glued && outside(at + found.start) {
            self.waits.wait(rule, index, keyword, 0);
            self.waits.repeat(index, keyword, too_long_until(text, at + found.start, span.end));
            return;
        }
        // One that starts near the end of a token may reach further, so that it is tried.
        let near = if self.check(text, index, span.clone(), &span) { OVERLAP } else { 0 };
        self.waits.repeat(index, keyword, span.end.saturating_sub(near));
    }

    /// Tries a rule's expression on a whole assigned value.
    pub(super) fn value(&mut self, text: &[u8], index: usize, value: Range<usize>) {
        let rule = self.redactor.rule(index);
        let Some(regex) = rule.regex() else { return };
        if value.len() > MAX_TOKEN || !self.spend(value.len()) {
            return;
        }
        let surely = rule.confidence == Confidence::High;
        if !surely && !context::is_random(&text[value.clone()]) {
            return;
        }
        if let Some(found) = regex.captures(&text[value.clone()]) {
            let secret = secret_of(rule, &found);
            let span = value.start + secret.start..value.start + secret.end;
            self.check(text, index, span, &value);
        }
    }

    /// Tries a rule's expression in the line after its keyword.
    pub(super) fn near(&mut self, text: &[u8], index: usize, at: usize, end: usize) {
        let rule = self.redactor.rule(index);
        if at.checked_sub(1).is_some_and(|at| text[at].is_ascii_alphabetic())
            && !text[at].is_ascii_uppercase()
            && !word::starts_word(text, at)
        {
            return;
        }
        let reach = &text[end..text.len().min(end + NEAR)];
        let line = memchr::memchr(b'\n', reach).map_or(reach, |stop| &reach[..stop]);
        if !line.iter().any(u8::is_ascii_digit) || !self.spend(line.len()) {
            return;
        }
        let Some(regex) = rule.regex() else { return };
        let mut from = 0;
        while let Some(found) = regex.find_at(line, from) {
            let span = end + found.start()..end + found.end();
            let apart = word::starts_word(text, span.start)
                && !word::continues_word(text, span.end)
                && !matches!(text.get(span.end), Some(b'.' | b'-') if text.get(span.end + 1).is_some_and(u8::is_ascii_digit));
            if apart && self.check(text, index, span.clone(), &span) {
                return;
            }
            from = found.end().max(found.start() + 1);
        }
    }

    /// Runs a rule's expression over a whole range, as gitleaks does.
    pub(super) fn everywhere(&mut self, text: &[u8], range: &Range<usize>, index: usize) {
        let rule = self.redactor.rule(index);
        if !rule.is_about(self.path) {
            return;
        }
        let Some(regex) = rule.regex() else { return };
        let mut at = range.start;
        while at < range.end && self.spend(64) {
            let part = &text[..range.end];
            let Some(found) = regex.captures_at(part, at) else {
                self.spend((range.end - at) / 8);
                return;
            };
            let Some(whole) = found.get(0) else { return };
            let secret = secret_of(rule, &found);
            self.spend(whole.end() - at);
            self.check(text, index, secret, &(whole.start()..whole.end()));
            at = if whole.is_empty() { whole.end() + 1 } else { whole.end() };
        }
    }

    /// Applies a rule's filters to a match, and adds it; whether it passed.
    pub(super) fn check(
        &mut self,
        text: &[u8],
        index: usize,
        secret: Range<usize>,
        whole: &Range<usize>,
    ) -> bool {
        let rule = self.redactor.rule(index);
        let value = &text[secret.clone()];
        if !rule.is_about(self.path) {
            return false;
        }
        if rule.spec.entropy > 0.0 && context::entropy(value) < rule.spec.entropy {
            return false;
        }
        let is_token = rule.spec.how == How::Token && rule.kind == Kind::Secret;
        if is_token && value.len() >= 24 && is_monotonous(value) {
            return false;
        }
        let mut verdict = Verdict::Unchecked;
        let mut confidence = rule.confidence;
        if let Some(validator) = rule.validator {
            if validator.passes(value) {
                verdict = Verdict::Valid;
                confidence = Confidence::High;
            } else if validator.is_strict() {
                return false;
            } else {
                verdict = Verdict::Doubtful;
            }
        }
        let calm = rule.kind == Kind::Password && context::is_unlikely_password(value);
        if calm || context::is_obvious_example(value) {
            return false;
        }
        if self.is_excepted(text, rule, value, whole) {
            return false;
        }
        self.add(text, secret, index, confidence, verdict);
        true
    }
}

/// Where a token whose keyword stands at `keyword` may start: at most `reach` bytes before, and
/// not before a blank or quote.
fn reach_back(text: &[u8], keyword: usize, reach: usize) -> usize {
    let floor = keyword.saturating_sub(reach);
    let mut at = keyword;
    while at > floor && !matches!(text[at - 1], 0..=b' ' | b'"' | b'\'' | b'`' | b'=' | b'<' | b'>')
    {
        at -= 1;
    }
    at
}

/// What a rule's expression matched.
struct Found {
    /// Where it starts.
    start: usize,
    /// The part that is the secret.
    secret: Range<usize>,
}

impl Found {
    /// The first match in `window`.
    fn of(rule: &Rule, regex: &Regex, window: &[u8]) -> Option<Found> {
        // Where no part has a name of its own, all of the match is the secret.
        if regex.captures_len() == 1 {
            let whole = regex.find(window)?.range();
            return Some(Found { start: whole.start, secret: whole });
        }
        let found = if regex.is_match(window) { regex.captures(window)? } else { return None };
        let start = found.get(0)?.start();
        Some(Found { start, secret: secret_of(rule, &found) })
    }
}

/// Up to where whatever starts after `start` is too long for a token, as what starts there is: that
/// goes on after `end`, where the longest one would end.
fn too_long_until(text: &[u8], start: usize, end: usize) -> usize {
    let longest = end.saturating_sub(start);
    let rest = &text[end..text.len().min(end + longest)];
    let goes_on = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let more = rest.iter().take_while(goes_on).count();
    if more == 0 || more == longest { end } else { start + more }
}

/// Whether a long token has little in it, or is a part of it over and over.
fn is_monotonous(token: &[u8]) -> bool {
    let period = token.get(..4).and_then(|head| memchr::memmem::find(&token[1..], head));
    let repeats = period.is_some_and(|at| {
        (at + 1) * LEAST_REPEATED <= token.len() && token[..token.len() - at - 1] == token[at + 1..]
    });
    repeats || context::entropy(token) < LEAST_ENTROPY
}

/// The part of an expression's match that is the secret.
fn secret_of(rule: &Rule, found: &regex::bytes::Captures<'_>) -> Range<usize> {
    let chosen = match rule.spec.secret_group {
        0 => (1..found.len()).find_map(|group| found.get(group)).filter(|g| !g.is_empty()),
        group => found.get(group as usize),
    };
    chosen.or_else(|| found.get(0)).map_or(0..0, |part| part.range())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Redactor;

    #[test]
    fn a_token_that_says_the_same_over_and_over_is_none() {
        for text in ["sk_live_", "abc", "AAAAAAAA-"] {
            assert!(is_monotonous(text.repeat(9).as_bytes()), "{text}");
            assert!(!is_monotonous(format!("{}4eC39HqLyjWD", text.repeat(3)).as_bytes()), "{text}");
        }
        assert!(!is_monotonous(b"4eC39HqLyjWDarjtT1zd4eC39HqLyjWDarjtT1zd"), "twice is no habit");
    }

    #[test]
    fn a_key_after_many_of_its_prefixes_is_found() {
        let text = format!("{}4eC39HqLyjWDarjtT1zdp7dc", "sk_live_".repeat(400));
        let scan = Redactor::builtin().scan_text(text.as_bytes());
        let last = scan.findings().last().map(|one| one.span.end);
        assert_eq!(last, Some(text.len()));
        assert!(Redactor::builtin().scan_text("sk_live_".repeat(400).as_bytes()).is_clean());
    }

    #[test]
    fn a_key_is_found_however_many_prefixes_stand_before_it() {
        let redactor = Redactor::only("openai-key");
        let key: String = (0..164_u32)
            .map(|at| char::from(b"k4T9w2M7x1Q8z5V3n6B0c8D1"[(at * at % 23) as usize]))
            .collect();
        for many in 1..120 {
            let text = format!("{}{key} and so on", "sk-proj-".repeat(many));
            let scan = redactor.scan_text(text.as_bytes());
            let last = scan.findings().last().map(|one| one.span.end);
            assert_eq!(last, Some(text.len() - " and so on".len()), "{many}");
        }
    }

    /// A search that failed is not begun anew inside of what it looked at, and misses nothing.
    #[test]
    fn a_token_is_found_wherever_it_stands_after_a_failed_search() {
        let redactor = Redactor::only("prefixed-token");
        let token = "acme_live_k4t9w2m7x1q8z5v3n6b0c8d1";
        for between in (0..700).step_by(7) {
            let text = format!("acme_live_x {} {token}", "_token_ ".repeat(between / 8));
            let scan = redactor.scan_text(text.as_bytes());
            assert_eq!(scan.findings().len(), 1, "{between}");
        }
    }
}
