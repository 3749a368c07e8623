//! Owns matching: from keywords and other anchors to matches in one text.
//! Accepts a text and the ranges of it to look at; emits matches whose spans are places in that
//! text; promises that every keyword, anchor and encoded part of a range is looked at.

mod anchored;
mod attempt;
mod echo;
mod matches;
mod shards;
mod waits;
mod word;
mod work;

use std::ops::Range;

use self::anchored::Places;
use crate::action::{Action, What};
use crate::blocks::Marked;
use crate::context::{self, Assigned, Assignments, Judged};
use crate::offsets::Derived;
use crate::rule::{Detector, gate};
use crate::{Confidence, Kind, barrier, blocks, decode, pii};

use echo::Echo;
pub(crate) use matches::{Match, merge};
pub(crate) use shards::Cutting;
pub(crate) use word::starts_word;
pub(crate) use work::Work;

/// Most values of a list that are judged by its key.
const MAX_ELEMENTS: usize = 64;

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

impl Work<'_> {
    /// Looks at `ranges` of a layer, and at what its text encodes.
    pub(crate) fn scan(&mut self, layer: Layer<'_>, ranges: &[Range<usize>]) {
        if !self.scan_in_parts(layer, ranges) {
            self.scan_whole(layer, ranges);
        }
    }

    /// The same without cutting a long text into parts.
    fn scan_whole(&mut self, layer: Layer<'_>, ranges: &[Range<usize>]) {
        let redactor = self.redactor;
        let filter = redactor.prefilter();
        let text = layer.text;
        let defers = std::mem::take(&mut self.defers);
        let first = self.found.len();
        let outer = std::mem::take(&mut self.waits);
        let mut assignments = Assignments::new(text, layer.json);
        let mut judged = Judged::default();
        let mut anywhere = redactor.actions().always.clone();
        let uuids = redactor.reports(Kind::Uuid);
        let mut encoded = (layer.depth < redactor.budget().max_depth)
            .then(|| decode::Encoded::new(text, !layer.json, uuids));
        let mut marks = Marked::default();
        let mut authors = pii::Authors::default();
        let mut has_echo = false;
        let mut echo = Echo::new(text, first);
        for range in ranges {
            let mut barriers = barrier::around(text, range.start);
            let mut personal = pii::Sweep::new(text, range, &mut authors);
            let mut words = Places::new(range);
            if let Some(encoded) = &mut encoded {
                encoded.start(range);
            }
            echo.start(range);
            filter.blocks(text, range, &mut marks, |view| {
                // What words and forms will lead to is not known yet.
                let forms = encoded.as_ref().map_or(0, |encoded| encoded.forms().len());
                let open = words.count() + forms;
                if self.exhausted || echo.covers(view.at, self.found.len() + open) {
                    return;
                }
                if echo.ends(view.at) {
                    barriers.extend(barrier::around(text, view.at));
                    has_echo = true;
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
                        if let What::Anchored = action.what {
                            words.add(action.rule, at);
                        } else if let What::Anywhere = action.what {
                            if !anywhere.contains(&rule) {
                                anywhere.push(rule);
                            }
                        } else if self.spend(0) {
                            let around = (&mut assignments, &mut judged);
                            self.at_keyword(&layer, around, action, &place);
                        }
                    }
                });
                words.settle_some(self, text, view.at);
                personal.block(self, &view);
                if let Some(encoded) = &mut encoded {
                    encoded.block(&view);
                }
            });
            words.settle_all(self, text);
        }
        if defers {
            self.deferred = anywhere;
        } else {
            self.anywhere(text, ranges, &anywhere);
        }
        self.waits = outer;
        if let Some(encoded) = &encoded {
            self.forms(text, encoded);
        }
        self.require(text, first);
        if let Some(encoded) = encoded {
            let known = self.found.len();
            self.decode(&encoded, layer.depth);
            // What repeats itself was taken to encode nothing.
            if has_echo && self.found.len() > known {
                self.found.truncate(known);
                let mut whole = decode::Encoded::new(text, !layer.json, uuids);
                for range in ranges {
                    whole.start(range);
                    filter.blocks(text, range, &mut marks, |view| whole.block(&view));
                }
                self.decode(&whole, layer.depth);
            }
        }
    }

    /// Tries rules whose matches may be anywhere.
    fn anywhere(&mut self, text: &[u8], ranges: &[Range<usize>], rules: &[usize]) {
        for &rule in rules {
            for range in ranges {
                self.everywhere(text, range, rule);
            }
        }
    }

    /// Drops matches of rules whose required parts did not match nearby, and those of parts.
    fn require(&mut self, text: &[u8], first: usize) {
        let redactor = self.redactor;
        if !redactor.has_parts() || !self.spend(self.found.len() - first) {
            return;
        }
        let kept = matches::are_complete(redactor, text, &self.found[first..]);
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
                if !word::is_word(text, at, end) || !context::may_assign(text, end) {
                    return;
                }
                if let Some(assigned) = assignments.at(self, at, end) {
                    self.value(text, index, assigned.value.clone());
                }
            }
            What::Detector(Detector::Context) => {
                // A keyword as short as `pw:` has its operator with it.
                let end = end - usize::from(!context::is_name(text[end - 1]));
                let name_end = context::name_end(text, end);
                if context::may_follow(text, name_end) {
                    context::after_word(self, text, index, name_end);
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
            What::Anywhere | What::Anchored | What::Detector(_) => {}
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

    /// Adds what is known by its form alone.
    fn forms(&mut self, text: &[u8], encoded: &decode::Encoded<'_>) {
        for (detector, span) in encoded.forms() {
            if let Some(rule) = self.redactor.detector(*detector) {
                self.check(text, rule, span.clone(), span);
            }
        }
    }

    /// Looks for whole tokens in pieces that were put together.
    fn scan_joined(&mut self, joined: &Derived) {
        if !self.spend(joined.text.len()) {
            return;
        }
        let outer = std::mem::take(&mut self.waits);
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
        self.waits = outer;
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
