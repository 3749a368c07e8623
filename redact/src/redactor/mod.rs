//! Owns the redactor: compiled rules and exceptions, and what can be asked of them.
//! Accepts options and inputs; emits scans; promises to be cheap to build (nothing is compiled
//! before it is needed) and safe to share between threads.

mod information;
mod known;
mod rounds;
mod tables;

use std::borrow::Cow;
use std::num::NonZeroUsize;
use std::sync::Arc;

pub use information::{RuleDetails, RuleInfo};

use self::tables::Tables;
use crate::action::Actions;
use crate::engine::Cutting;
use crate::exception::{Compiled, Exception, MAX_EXCEPTIONS};
use crate::finding::FingerprintKey;
use crate::options::{Budget, RuleError};
use crate::prefilter::Prefilter;
use crate::rule::{Detector, Rule, Subject};
use crate::{Fingerprint, Kind, Scan, Stream};

/// Compiled rules, and what is left alone of what they find. Immutable; share one as
/// `Arc<Redactor>`.
pub struct Redactor {
    tables: Arc<Tables>,
    exceptions: Vec<Arc<Compiled>>,
    cutting: Cutting,
}

impl Redactor {
    /// The same rules with other exceptions, in place of those that this one has. The compiled
    /// tables are shared, so that a view costs little.
    ///
    /// # Errors
    /// An exception that names what does not exist, or that says nothing.
    pub fn with_exceptions(&self, exceptions: &[Exception]) -> Result<Redactor, RuleError> {
        if exceptions.len() > MAX_EXCEPTIONS {
            return Err(RuleError::TooManyExceptions { most: MAX_EXCEPTIONS });
        }
        let ids = self.tables.rules.iter().map(|rule| rule.id.as_str());
        let compile = |exception| Compiled::new(exception, ids.clone()).map(Arc::new);
        let exceptions = exceptions.iter().map(compile).collect::<Result<_, _>>()?;
        Ok(Redactor { exceptions, tables: self.tables.clone(), cutting: self.cutting })
    }

    /// The same with some of its exceptions only: those whose number, in the order in which they
    /// were given, `keep` wants.
    pub fn keeping_exceptions(&self, keep: impl Fn(usize) -> bool) -> Redactor {
        let exceptions = self.exceptions.iter().enumerate();
        let kept = exceptions.filter(|(index, _)| keep(*index)).map(|(_, one)| one.clone());
        let exceptions = kept.collect();
        Redactor { exceptions, tables: self.tables.clone(), cutting: self.cutting }
    }

    /// The same, but texts of two megabytes and more are shared out among so many threads, the
    /// caller's among them. They find the same as one.
    #[must_use]
    pub fn with_threads(&self, threads: NonZeroUsize) -> Redactor {
        let (tables, exceptions) = (self.tables.clone(), self.exceptions.clone());
        Redactor { tables, exceptions, cutting: Cutting { threads, ..self.cutting } }
    }

    /// Scans the raw text of a JSON value; what is not JSON is scanned as text.
    pub fn scan_json(&self, raw: &[u8]) -> Scan {
        self.scan_json_in(None, raw)
    }

    /// Scans any bytes.
    pub fn scan_text(&self, text: &[u8]) -> Scan {
        self.scan_text_in(None, text)
    }

    /// As [`Redactor::scan_json`], for the content of the file of that path. Only with a path do
    /// rules and exceptions of rule files that ask for one hold.
    pub fn scan_json_in(&self, path: Option<&str>, raw: &[u8]) -> Scan {
        self.scan(path.map(with_slashes).as_deref(), raw, true)
    }

    /// As [`Redactor::scan_text`], for the content of the file of that path. Only with a path do
    /// rules and exceptions of rule files that ask for one hold.
    pub fn scan_text_in(&self, path: Option<&str>, text: &[u8]) -> Scan {
        self.scan(path.map(with_slashes).as_deref(), text, false)
    }

    /// As [`Redactor::scan_json_in`], but nothing for what is not JSON.
    pub fn scan_only_json_in(&self, path: Option<&str>, raw: &[u8]) -> Option<Scan> {
        self.try_scan(path.map(with_slashes).as_deref(), raw, true).ok()
    }

    /// A redacted copy of a text of any length, in constant memory.
    pub fn stream(&self) -> Stream<'_> {
        self.stream_in(None)
    }

    /// As [`Redactor::stream`], for the content of the file of that path.
    pub fn stream_in(&self, path: Option<&str>) -> Stream<'_> {
        Stream::new(self, path)
    }

    pub(crate) fn rule(&self, index: usize) -> &Rule {
        &self.tables.rules[index.min(self.tables.rules.len().saturating_sub(1))]
    }

    pub(crate) fn actions(&self) -> &Actions {
        &self.tables.actions
    }

    pub(crate) fn prefilter(&self) -> &Prefilter {
        &self.tables.prefilter
    }

    /// Whether a rule requires others, or is a part of others only.
    pub(crate) fn has_parts(&self) -> bool {
        self.tables.has_parts
    }

    pub(crate) fn cutting(&self) -> Cutting {
        self.cutting
    }

    pub(crate) fn budget(&self) -> &Budget {
        &self.tables.options.budget
    }

    pub(crate) fn fingerprint_key(&self) -> Option<&FingerprintKey> {
        self.tables.fingerprint_key.as_ref()
    }

    /// The exception that covers a match, as its number.
    pub(crate) fn exempts(
        &self,
        rule: usize,
        kind: Kind,
        value: &[u8],
        fingerprint: Fingerprint,
    ) -> Option<usize> {
        self.exceptions.iter().position(|one| one.covers(rule, kind, value, fingerprint))
    }

    /// Whether there are exceptions, so that a match costs more.
    pub(crate) fn has_exceptions(&self) -> bool {
        !self.exceptions.is_empty()
    }

    /// Whether matches of that kind are wanted.
    pub(crate) fn reports(&self, kind: Kind) -> bool {
        let options = &self.tables.options;
        !options.disabled_kinds.contains(&kind)
            && (!kind.is_opt_in() || options.enabled_kinds.contains(&kind))
    }

    /// Whether the user allowed that value.
    pub(crate) fn is_allowed(&self, value: &[u8]) -> bool {
        self.tables.allowed_values.iter().any(|regex| regex.is_match(value))
    }

    /// Whether an exception of a rule file covers a match of that rule.
    pub(crate) fn allows(&self, rule: &str, subject: &Subject<'_>) -> bool {
        self.tables.allowlists.iter().any(|shared| {
            (shared.rules.is_empty() || shared.rules.iter().any(|id| id == rule))
                && shared.allow.holds(subject)
        })
    }

    /// The rule of a matcher that is code, unless it is switched off.
    pub(crate) fn detector(&self, detector: Detector) -> Option<usize> {
        self.tables.detectors.get(detector as usize).copied().flatten()
    }
}

#[cfg(test)]
impl Redactor {
    /// The same with another cutting.
    pub(crate) fn cut_as(&self, cutting: Cutting) -> Redactor {
        let (tables, exceptions) = (self.tables.clone(), self.exceptions.clone());
        Redactor { tables, exceptions, cutting }
    }

    /// Whether both look with the same tables.
    pub(crate) fn shares_tables_with(&self, other: &Redactor) -> bool {
        Arc::ptr_eq(&self.tables, &other.tables)
    }
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redactor")
            .field("rules", &self.tables.rules.len())
            .field("exceptions", &self.exceptions.len())
            .finish_non_exhaustive()
    }
}

/// Longest part of a path that rules are asked about, in bytes, counted from its end.
const MAX_PATH: usize = 4096;

/// A path as rules write it, with slashes, whatever system it is from.
fn with_slashes(path: &str) -> Cow<'_, str> {
    let from = path.len().saturating_sub(MAX_PATH);
    let from = (from..path.len()).find(|&at| path.is_char_boundary(at)).unwrap_or(path.len());
    let end = &path[from..];
    if end.contains('\\') { Cow::Owned(end.replace('\\', "/")) } else { Cow::Borrowed(end) }
}
