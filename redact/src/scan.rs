//! Owns what a scan found and how the redacted copy is made from it.
//! Accepts findings sorted and apart; emits the copy; promises that bytes outside the findings are
//! those of the input, that JSON stays JSON, and that an unfinished scan yields no text at all.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use crate::{Finding, Kind};

/// What stands for a text whose scan ran out of its budget.
pub const WITHHELD: &str = "[REDACTED-WITHHELD]";

/// What a scan found. Spans are sorted and do not overlap.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Scan {
    pub(crate) findings: Vec<Finding>,
    /// For each finding, whether its placeholder needs quotes (it replaces a JSON number).
    pub(crate) quoted: Vec<bool>,
    /// Whether the input was scanned as JSON.
    pub(crate) json: bool,
    pub(crate) withheld: bool,
}

impl Scan {
    /// Whether nothing was found and the whole input was looked at.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty() && !self.withheld
    }

    /// The findings, in order of the input.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Whether the budget ran out, so that [`Scan::apply`] gives only a notice.
    pub fn withheld(&self) -> bool {
        self.withheld
    }

    /// The kinds that were found, each once.
    pub fn kinds(&self) -> impl Iterator<Item = Kind> + use<> {
        self.findings.iter().map(|finding| finding.kind).collect::<BTreeSet<_>>().into_iter()
    }

    /// The redacted copy of the input that was scanned; borrowed where it is clean. A withheld
    /// scan gives [`WITHHELD`], as a JSON string where the input was JSON. An input of another
    /// length than the scanned one is withheld too.
    pub fn apply<'a>(&self, input: &'a [u8]) -> Cow<'a, [u8]> {
        if self.withheld || self.findings.last().is_some_and(|last| last.span.end > input.len()) {
            return Cow::Owned(self.notice());
        }
        if self.findings.is_empty() {
            return Cow::Borrowed(input);
        }
        let mut out = Vec::with_capacity(input.len() + 16 * self.findings.len());
        let mut copied = 0;
        for (finding, quoted) in self.findings.iter().zip(&self.quoted) {
            out.extend_from_slice(&input[copied..finding.span.start]);
            let quote: &[u8] = if *quoted { b"\"" } else { b"" };
            out.extend_from_slice(quote);
            out.extend_from_slice(finding.kind.placeholder().as_bytes());
            out.extend_from_slice(quote);
            copied = finding.span.end;
        }
        out.extend_from_slice(&input[copied..]);
        Cow::Owned(out)
    }

    fn notice(&self) -> Vec<u8> {
        if self.json { format!("\"{WITHHELD}\"").into_bytes() } else { WITHHELD.into() }
    }
}

impl fmt::Debug for Scan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scan")
            .field("findings", &self.findings)
            .field("withheld", &self.withheld)
            .finish()
    }
}
