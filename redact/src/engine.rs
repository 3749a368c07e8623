//! Owns matching: from keywords and other anchors to matches in one text.
//! Accepts a text and the ranges of it to look at; emits matches whose spans are places in that
//! text; promises that close inspection is paid for in steps, and that running out is told.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::action::{Action, What};
use crate::blocks::Marked;
use crate::context::{self, Assigned, Assignments, Judged};
use crate::finding::Fingerprint;
use crate::offsets::Derived;
use crate::redactor::Redactor;
use crate::rule::{Detector, How, MAX_TOKEN, RequiredSpec, Rule, Subject, gate};
use crate::{Confidence, Kind, Verdict, barrier, blocks, decode, pii};

/// Most bytes after its keyword that an expression with a reach looks at.
const MAX_REACHING: usize = 512;

/// Least entropy of a token of 24 bytes or more, in bits per byte: less is a placeholder.
const LEAST_ENTROPY: f64 = 1.3;

/// Most matches that are looked through for a required part.
const MAX_PARTS: usize = 256;

/// Most values of a list that are judged by its key.
const MAX_ELEMENTS: usize = 64;

/// How far after its keyword a `near` rule looks, in bytes.
const NEAR: usize = 64;

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

/// One scan's matches and what is left of its budget.
pub(crate) struct Work<'r> {
    pub(crate) redactor: &'r Redactor,
    /// The path of the scanned file, where it is known.
    path: Option<&'r str>,
    pub(crate) found: Vec<Match>,
    /// The exceptions that applied, by their numbers.
    pub(crate) exempted: BTreeSet<usize>,
    steps: u64,
    /// Rules that look far, each with the place of its next look.
    waits: Vec<(usize, usize)>,
    /// What expressions matched last.
    repeated: Vec<Repeated>,
    pub(crate) exhausted: bool,
}

/// How often a rule is tried within what it matched.
const MAX_REPEATED: u32 = 4;

/// How near the end of a token another one is looked for in any case, in bytes.
const OVERLAP: usize = 32;

/// What a rule's expression matched.
struct Repeated {
    rule: usize,
    end: usize,
    /// How often the rule matched before that end.
    count: u32,
}

/// What is looked at, and how it is to be read.
#[derive(Clone, Copy)]
pub(crate) struct Layer<'t> {
    pub(crate) text: &'t [u8],
    /// Whether the text is raw JSON, so that a quote ends where JSON says.
    pub(crate) json: bool,
    /// How many encodings deep.
    pub(crate) depth: u8,
}

/// Where a keyword stands.
struct Place {
    start: usize,
    end: usize,
    /// Whether a word may start there.
    starts_word: bool,
}

impl Place {
    fn new(text: &[u8], start: usize, end: usize) -> Place {
        Place { start, end, starts_word: starts_word(text, start) }
    }
}

impl<'r> Work<'r> {
    /// Work on an input of `length` bytes, which is a file's where a path is given.
    pub(crate) fn new(redactor: &'r Redactor, path: Option<&'r str>, length: usize) -> Work<'r> {
        let budget = redactor.budget();
        let steps = budget.steps_base.saturating_add(budget.steps_per_byte * length as u64);
        Work {
            redactor,
            path,
            found: Vec::new(),
            exempted: BTreeSet::new(),
            steps,
            waits: Vec::new(),
            repeated: Vec::new(),
            exhausted: length > budget.max_bytes,
        }
    }

    /// Pays for looking at `count` bytes; false when the budget is used up.
    pub(crate) fn spend(&mut self, count: usize) -> bool {
        match self.steps.checked_sub(count as u64 + 1) {
            Some(left) if !self.exhausted => {
                self.steps = left;
                true
            }
            _ => {
                self.exhausted = true;
                false
            }
        }
    }

    /// What is left of the budget.
    #[cfg(test)]
    pub(crate) fn steps_left(&self) -> u64 {
        self.steps
    }

    /// Lets a rule that looks far, and failed at `at`, skip what it has seen.
    fn wait(&mut self, rule: &Rule, index: usize, at: usize) {
        let skip = rule.spec.stride.max(rule.spec.reach) as usize;
        if skip > 0 {
            self.waits.push((index, at + skip));
        }
    }

    /// Notes that a rule matched from `at` to `end`; after a few times within one such match it
    /// waits for its end, so that no byte is looked at more often.
    fn repeat(&mut self, index: usize, at: usize, end: usize) {
        match self.repeated.iter_mut().find(|known| known.rule == index) {
            Some(known) if at < known.end => {
                known.count += 1;
                if known.count >= MAX_REPEATED {
                    let until = known.end;
                    self.waits.push((index, until));
                }
            }
            Some(known) => (known.end, known.count) = (end, 1),
            None => self.repeated.push(Repeated { rule: index, end, count: 1 }),
        }
    }

    /// Whether a rule that looks far failed a little before `at`.
    fn is_waiting(&mut self, index: usize, at: usize) -> bool {
        self.waits.retain(|&(rule, until)| rule != index || until > at);
        self.waits.iter().any(|&(rule, _)| rule == index)
    }

    /// Adds a match unless it is switched off or allowed.
    pub(crate) fn add(
        &mut self,
        text: &[u8],
        span: Range<usize>,
        rule: usize,
        confidence: Confidence,
        verdict: Verdict,
    ) {
        let kind = self.redactor.rule(rule).kind;
        self.add_kind(text, span, rule, kind, confidence, verdict);
    }

    /// As [`Work::add`], for a rule that finds more than one kind.
    pub(crate) fn add_kind(
        &mut self,
        text: &[u8],
        span: Range<usize>,
        rule: usize,
        kind: Kind,
        confidence: Confidence,
        verdict: Verdict,
    ) {
        let value = &text[span.clone()];
        if span.is_empty() || !self.redactor.reports(kind) || self.redactor.is_allowed(value) {
            return;
        }
        if self.found.len() >= self.redactor.budget().max_findings {
            self.exhausted = true;
            return;
        }
        let fingerprint = Fingerprint::of(self.redactor.fingerprint_key(), value);
        if self.redactor.has_exceptions() && self.spend(value.len()) {
            let exempted = self.redactor.exempts(rule, kind, value, fingerprint);
            if let Some(exception) = exempted {
                self.exempted.insert(exception);
                return;
            }
        }
        let rule = u16::try_from(rule).unwrap_or(u16::MAX);
        self.found.push(Match { span, rule, kind, confidence, verdict, fingerprint });
    }

    /// Adds the whole of a file whose path is enough for a rule.
    pub(crate) fn whole(&mut self, text: &[u8]) {
        let redactor = self.redactor;
        for &rule in &redactor.actions().about_files {
            if redactor.rule(rule).is_about(self.path) {
                let whole = 0..text.len();
                let known = redactor.rule(rule);
                if !self.is_excepted(text, known, text, &whole) {
                    self.add(text, whole, rule, known.confidence, Verdict::Unchecked);
                }
            }
        }
    }

    /// Whether an exception of a rule file covers a match.
    fn is_excepted(&self, text: &[u8], rule: &Rule, secret: &[u8], whole: &Range<usize>) -> bool {
        let line = context::line_around(text, whole);
        let subject = Subject { secret, whole: &text[whole.clone()], line, path: self.path };
        rule.allows(&subject) || self.redactor.allows(rule.id.as_str(), &subject)
    }

    /// Looks at `ranges` of a layer, and at what its text encodes.
    pub(crate) fn scan(&mut self, layer: Layer<'_>, ranges: &[Range<usize>]) {
        let redactor = self.redactor;
        let filter = redactor.prefilter();
        let text = layer.text;
        let first = self.found.len();
        let outer = (std::mem::take(&mut self.waits), std::mem::take(&mut self.repeated));
        let mut assignments = Assignments::new(text, layer.json);
        let mut judged = Judged::default();
        let mut anywhere = redactor.actions().always.clone();
        let mut encoded = (layer.depth < redactor.budget().max_depth)
            .then(|| decode::Encoded::new(text, !layer.json));
        let mut marks = Marked::default();
        for range in ranges {
            let mut barriers = barrier::around(text, range.start);
            let mut personal = pii::Sweep::new(text, range);
            if let Some(encoded) = &mut encoded {
                encoded.start(range);
            }
            filter.blocks(text, range, &mut marks, |view| {
                if self.exhausted {
                    return;
                }
                let starts = blocks::places(view.at, view.placeholders());
                barriers.extend(starts.filter_map(|at| barrier::starting(text, at)));
                filter.keywords(text, range, &view, |keyword, at| {
                    if barrier::covers(&barriers, at) {
                        return;
                    }
                    let (length, only_words, actions) = redactor.actions().of(keyword);
                    let place = Place::new(text, at, at + length);
                    if only_words && !place.starts_word {
                        return;
                    }
                    for action in actions {
                        let rule = usize::from(action.rule);
                        if let What::Anywhere = action.what {
                            if !anywhere.contains(&rule) {
                                anywhere.push(rule);
                            }
                        } else if self.spend(0) {
                            let around = (&mut assignments, &mut judged);
                            self.at_keyword(&layer, around, action, &place);
                        }
                    }
                });
                personal.block(self, &view);
                if let Some(encoded) = &mut encoded {
                    encoded.block(&view);
                }
            });
        }
        for rule in anywhere {
            for range in ranges {
                self.everywhere(text, range, rule);
            }
        }
        (self.waits, self.repeated) = outer;
        if let Some(encoded) = &encoded {
            self.seeds(text, encoded);
        }
        self.require(text, first);
        if let Some(encoded) = encoded {
            self.decode(&encoded, layer.depth);
        }
    }

    /// Drops matches of rules whose required parts did not match nearby, and those of parts.
    fn require(&mut self, text: &[u8], first: usize) {
        let redactor = self.redactor;
        if !redactor.has_parts() || !self.spend(self.found.len() - first) {
            return;
        }
        let found = &self.found[first..];
        let kept: Vec<bool> = found
            .iter()
            .map(|one| {
                let spec = &redactor.rule(usize::from(one.rule)).spec;
                !spec.skip_report
                    && spec.required.iter().all(|part| {
                        found.iter().take(MAX_PARTS).any(|other| {
                            redactor.rule(usize::from(other.rule)).id.as_str() == part.id
                                && is_near(text, one, other, part)
                        })
                    })
            })
            .collect();
        let mut kept = kept.into_iter();
        let mut index = 0;
        self.found.retain(|_| {
            index += 1;
            index <= first || kept.next().unwrap_or(true)
        });
    }

    fn at_keyword(
        &mut self,
        layer: &Layer<'_>,
        (assignments, judged): (&mut Assignments<'_>, &mut Judged),
        action: &Action,
        place: &Place,
    ) {
        let text = layer.text;
        let index = usize::from(action.rule);
        let (at, end) = (place.start, place.end);
        match action.what {
            What::Token { reach, glued, gate } => {
                if (reach > 0 || glued || place.starts_word) && gate::passes(gate, &text[at..]) {
                    self.token(text, index, at);
                }
            }
            What::Value => {
                if !is_word(text, at, end) || !context::may_assign(text, end) {
                    return;
                }
                if let Some(assigned) = assignments.at(self, at, end) {
                    self.value(text, index, assigned.value.clone());
                }
            }
            What::Detector(Detector::Context) => {
                // A keyword as short as `pw:` has its operator with it.
                let end = end - usize::from(!context::is_name(text[end - 1]));
                if context::may_follow(text, end) {
                    context::after_word(self, text, index, end);
                }
                if assignments.is_spent(at, end) || !context::may_assign(text, end) {
                    return;
                }
                let assigned = assignments.at(self, at, end).filter(|found| !found.spaced).cloned();
                if let Some(assigned) = assigned {
                    context::judge(self, layer, index, &assigned, judged);
                    self.elements(layer, assignments, judged, index, assigned);
                }
            }
            What::Detector(Detector::UrlCredentials) => {
                context::url_credentials(self, text, index, at);
            }
            What::Detector(Detector::Authorization) => {
                context::authorization(self, text, index, at, end);
            }
            What::Near => self.near(text, index, at, end),
            What::Detector(Detector::Crypto) => pii::bech32(self, text, at),
            What::Detector(Detector::Pem) => context::pem(self, text, index, at),
            What::Anywhere | What::Detector(_) => {}
        }
    }

    /// Judges the other values of a list.
    fn elements(
        &mut self,
        layer: &Layer<'_>,
        assignments: &Assignments<'_>,
        judged: &mut Judged,
        index: usize,
        first: Assigned,
    ) {
        if !assignments.is_list(&first) {
            return;
        }
        let mut assigned = first;
        for _ in 0..MAX_ELEMENTS {
            let Some(next) = assignments.next_element(&assigned) else { return };
            context::judge(self, layer, index, &next, judged);
            assigned = next;
        }
    }

    /// Tries a rule's expression where its keyword stands and its gate lets through, or where it may
    /// start before that.
    fn token(&mut self, text: &[u8], index: usize, keyword: usize) {
        let rule = self.redactor.rule(index);
        let reach = rule.spec.reach as usize;
        if self.is_waiting(index, keyword) {
            return;
        }
        let Some(regex) = rule.regex() else { return };
        let at = reach_back(text, keyword, reach);
        let most = if reach > 0 { MAX_REACHING } else { MAX_TOKEN };
        let window = &text[at..text.len().min(keyword + most)];
        let found = if regex.is_match(window) { regex.captures(window) } else { None };
        let Some(found) = found else {
            self.spend(32 + reach);
            self.wait(rule, index, keyword);
            return;
        };
        let secret = secret_of(rule, &found);
        if !self.spend(secret.end) {
            return;
        }
        let span = at + secret.start..at + secret.end;
        let outside = |start| {
            !starts_word(text, start)
                || continues_word(text, span.end)
                || ends_in_file(text, span.end)
        };
        if !rule.spec.glued && outside(at + found.get(0).map_or(0, |whole| whole.start())) {
            self.wait(rule, index, keyword);
            self.repeat(index, keyword, span.end);
            return;
        }
        // One that starts near the end of a token may reach further, so that it is tried.
        let near = if self.check(text, index, span.clone(), &span) { OVERLAP } else { 0 };
        self.repeat(index, keyword, span.end.saturating_sub(near));
    }

    /// Tries a rule's expression on a whole assigned value.
    fn value(&mut self, text: &[u8], index: usize, value: Range<usize>) {
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
    fn near(&mut self, text: &[u8], index: usize, at: usize, end: usize) {
        let rule = self.redactor.rule(index);
        if at.checked_sub(1).is_some_and(|at| text[at].is_ascii_alphabetic())
            && !text[at].is_ascii_uppercase()
            && !starts_word(text, at)
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
            let apart = starts_word(text, span.start)
                && !continues_word(text, span.end)
                && !matches!(text.get(span.end), Some(b'.' | b'-') if text.get(span.end + 1).is_some_and(u8::is_ascii_digit));
            if apart && self.check(text, index, span.clone(), &span) {
                return;
            }
            from = found.end().max(found.start() + 1);
        }
    }

    /// Runs a rule's expression over a whole range, as gitleaks does.
    fn everywhere(&mut self, text: &[u8], range: &Range<usize>, index: usize) {
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
    fn check(
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
        let uniform = value.len() >= 24 && context::entropy(value) < LEAST_ENTROPY;
        if uniform && rule.spec.how == How::Token && rule.kind == Kind::Secret {
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

    /// Looks at what the text encodes.
    fn decode(&mut self, encoded: &decode::Encoded<'_>, depth: u8) {
        if encoded.is_empty() || self.exhausted {
            return;
        }
        let derived = encoded.meaning();
        if self.spend(derived.text.len()) {
            self.scan_derived(&derived, depth + 1);
        }
        encoded.runs(|span, decoded| {
            if self.spend(decoded.len()) {
                let mut derived = Derived::default();
                derived.unit(&decoded, span.start, span.len());
                self.scan_derived(&derived, depth + 1);
            }
        });
        encoded.joins(|joined| self.scan_joined(&joined));
    }

    /// Adds the keys that are known by their form alone.
    fn seeds(&mut self, text: &[u8], encoded: &decode::Encoded<'_>) {
        if encoded.seeds().is_empty() {
            return;
        }
        let Some(rule) = self.redactor.detector(Detector::NatsSeed) else { return };
        for span in encoded.seeds() {
            self.check(text, rule, span.clone(), span);
        }
    }

    /// Looks for whole tokens in pieces that were put together.
    fn scan_joined(&mut self, joined: &Derived) {
        if !self.spend(joined.text.len()) {
            return;
        }
        let outer = (std::mem::take(&mut self.waits), std::mem::take(&mut self.repeated));
        let first = self.found.len();
        let redactor = self.redactor;
        let text = &joined.text[..];
        redactor.prefilter().find(text, 0..text.len(), |keyword, at| {
            let (length, _, actions) = redactor.actions().of(keyword);
            let place = Place::new(text, at, at + length);
            for action in actions {
                let rule = usize::from(action.rule);
                if let What::Token { reach, glued, gate } = action.what
                    && redactor.rule(rule).confidence == Confidence::High
                    && (reach > 0 || glued || place.starts_word)
                    && gate::passes(gate, &text[at..])
                {
                    self.token(text, rule, at);
                }
            }
        });
        (self.waits, self.repeated) = outer;
        for found in &mut self.found[first..] {
            found.span = joined.origin(&found.span);
        }
    }

    /// Looks at a derived text; its matches are told in places of its origin.
    pub(crate) fn scan_derived(&mut self, derived: &Derived, depth: u8) {
        if derived.is_empty() || self.exhausted {
            return;
        }
        let first = self.found.len();
        let whole = 0..derived.text.len();
        let layer = Layer { text: &derived.text, json: false, depth };
        self.scan(layer, std::slice::from_ref(&whole));
        for found in &mut self.found[first..] {
            found.span = derived.origin(&found.span);
        }
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

/// Whether two matches are as near as a required part asks.
fn is_near(text: &[u8], one: &Match, other: &Match, part: &RequiredSpec) -> bool {
    let (a, b) = (one.span.start.min(other.span.start), one.span.start.max(other.span.start));
    let lines = || memchr::memchr_iter(b'\n', &text[a..b]).count();
    part.within_lines.is_none_or(|most| lines() <= most as usize)
        && part.within_columns.is_none_or(|most| b - a <= most as usize)
}

/// The part of an expression's match that is the secret.
fn secret_of(rule: &Rule, found: &regex::bytes::Captures<'_>) -> Range<usize> {
    let chosen = match rule.spec.secret_group {
        0 => (1..found.len()).find_map(|group| found.get(group)).filter(|g| !g.is_empty()),
        group => found.get(group as usize),
    };
    chosen.or_else(|| found.get(0)).map_or(0..0, |part| part.range())
}

/// Whether a word may start at `at`: nothing, or no letter or digit, stands before it.
pub(crate) fn starts_word(text: &[u8], at: usize) -> bool {
    let Some(before) = at.checked_sub(1) else { return true };
    let inside = |at: usize| text.get(at).is_some_and(u8::is_ascii_alphanumeric);
    if !inside(before) || !inside(at) {
        return true;
    }
    if text[before] == b'm' && ends_colour(&text[..before]) {
        return true;
    }
    // The letter of an escape (`\n`) is no part of the word.
    matches!(text[before], b'n' | b'r' | b't')
        && before.checked_sub(1).is_some_and(|at| text[at] == b'\\')
}

/// Whether the keyword at `start..end` is a word of its own in a name: it starts at a boundary or
/// a capital, and is written in one case, so that `okta` is not in `rookTable`.
fn is_word(text: &[u8], start: usize, end: usize) -> bool {
    let word = &text[start..end];
    let begins = start == 0
        || !text[start - 1].is_ascii_alphabetic()
        || word[0].is_ascii_uppercase() && text[start - 1].is_ascii_lowercase();
    let letters = || word.iter().filter(|b| b.is_ascii_alphabetic());
    let one_case =
        letters().skip(1).all(u8::is_ascii_lowercase) || letters().all(u8::is_ascii_uppercase);
    begins && (one_case || !word.iter().all(u8::is_ascii_alphabetic) || word.len() > 6)
}

/// Whether a text ends in a terminal's colour code without its `m` (ECMA-48).
fn ends_colour(text: &[u8]) -> bool {
    let digits =
        text.iter().rev().take(12).take_while(|b| b.is_ascii_digit() || **b == b';').count();
    text[..text.len() - digits].ends_with(b"\x1b[")
}

/// Whether a word goes on at `at`.
pub(crate) fn continues_word(text: &[u8], at: usize) -> bool {
    text.get(at).is_some_and(u8::is_ascii_alphanumeric)
}

/// Whether the ending of a web page's file follows at `at`: the word is a file's name with a hash.
fn ends_in_file(text: &[u8], at: usize) -> bool {
    const ENDINGS: &[&[u8]] = &[
        b".png", b".jpg", b".jpeg", b".gif", b".svg", b".webp", b".ico", b".css", b".js", b".mjs",
        b".map", b".woff", b".woff2", b".ttf",
    ];
    text.get(at) == Some(&b'.')
        && ENDINGS.iter().any(|ending| {
            text[at..].starts_with(ending) && !continues_word(text, at + ending.len())
        })
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
