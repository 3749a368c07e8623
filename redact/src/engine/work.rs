//! Owns the state of one scan: what is left of its budget, and the matches.
//! Accepts matches from whoever found them; promises that what is switched off, allowed or excepted
//! is not added, and that close inspection is paid for in steps, and that running out is told.

use std::collections::BTreeSet;
use std::ops::Range;

use super::matches::Match;
use super::shards::Cutting;
use super::waits::Waits;
use crate::context;
use crate::finding::Fingerprint;
use crate::redactor::Redactor;
use crate::rule::{Rule, Subject};
use crate::{Confidence, Kind, Verdict};

/// One scan's matches and what is left of its budget.
pub(crate) struct Work<'r> {
    pub(crate) redactor: &'r Redactor,
    /// The path of the scanned file, where it is known.
    pub(super) path: Option<&'r str>,
    pub(crate) found: Vec<Match>,
    /// The exceptions that applied, by their numbers.
    pub(crate) exempted: BTreeSet<usize>,
    steps: u64,
    pub(super) waits: Waits,
    /// Whether the next look leaves rules that a word anywhere in the text sets off to whoever
    /// looks at the other parts of the text, and which these are.
    pub(super) defers: bool,
    pub(super) deferred: Vec<usize>,
    pub(crate) exhausted: bool,
    /// How long texts are looked at.
    pub(crate) cutting: Cutting,
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
            waits: Waits::default(),
            defers: false,
            deferred: Vec::new(),
            exhausted: length > budget.max_bytes,
            cutting: redactor.cutting(),
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

    /// Takes what was found in a part of the text.
    pub(super) fn take(&mut self, part: Work<'_>) {
        self.found.extend(part.found);
        self.exempted.extend(part.exempted);
        self.deferred.extend(part.deferred);
        self.exhausted |= part.exhausted || self.found.len() > self.redactor.budget().max_findings;
    }

    /// What is left of the budget.
    #[cfg(test)]
    pub(crate) fn steps_left(&self) -> u64 {
        self.steps
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
    pub(super) fn is_excepted(
        &self,
        text: &[u8],
        rule: &Rule,
        secret: &[u8],
        whole: &Range<usize>,
    ) -> bool {
        let line = context::line_around(text, whole);
        let subject = Subject { secret, whole: &text[whole.clone()], line, path: self.path };
        rule.allows(&subject) || self.redactor.allows(rule.id.as_str(), &subject)
    }
}
