//! Owns what a scan found and how the redacted copy is made from it.
//! Accepts findings sorted and apart; emits the copy; promises that bytes outside the findings are
//! those of the input, that JSON stays JSON, and that an unfinished scan yields no text at all.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use crate::{Finding, Fingerprint, Kind};

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
    /// Why something that was found was left alone, for each exception that did so.
    pub(crate) exceptions: Vec<Arc<str>>,
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

    /// Leaves out the findings that `keep` does not want; what they are about stays as it is.
    pub fn retain(&mut self, mut keep: impl FnMut(&Finding) -> bool) {
        let kept: Vec<bool> = self.findings.iter().map(&mut keep).collect();
        let mut wanted = kept.iter();
        self.findings.retain(|_| wanted.next().copied().unwrap_or(true));
        let mut wanted = kept.iter();
        self.quoted.retain(|_| wanted.next().copied().unwrap_or(true));
    }

    /// The reasons of the exceptions that left something alone, each once. A value that another
    /// rule found too is redacted all the same.
    pub fn exceptions(&self) -> impl Iterator<Item = &Arc<str>> {
        self.exceptions.iter()
    }

    /// The kinds that were found, each once.
    pub fn kinds(&self) -> impl Iterator<Item = Kind> + use<> {
        self.findings.iter().map(|finding| finding.kind).collect::<BTreeSet<_>>().into_iter()
    }

    /// The redacted copy of the input that was scanned; borrowed where it is clean. A withheld
    /// scan gives [`WITHHELD`], as a JSON string where the input was JSON. An input of another
    /// length than the scanned one is withheld too.
    pub fn apply<'a>(&self, input: &'a [u8]) -> Cow<'a, [u8]> {
        self.splice(input, |finding, out| {
            out.extend_from_slice(finding.kind.placeholder().as_bytes());
        })
    }

    fn splice<'a>(
        &self,
        input: &'a [u8],
        mut replace: impl FnMut(&Finding, &mut Vec<u8>),
    ) -> Cow<'a, [u8]> {
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
            replace(finding, &mut out);
            out.extend_from_slice(quote);
            copied = finding.span.end;
        }
        out.extend_from_slice(&input[copied..]);
        Cow::Owned(out)
    }

    /// As [`Scan::apply`], but equal values get equal numbers: `[REDACTED-EMAIL-2]`. Values are
    /// told apart by their fingerprints, so that a redactor without a key numbers nothing.
    pub fn apply_numbered<'a>(&self, input: &'a [u8], numbers: &mut Ordinals) -> Cow<'a, [u8]> {
        self.splice(input, |finding, out| {
            let placeholder = finding.kind.placeholder();
            match numbers.of(finding) {
                Some(number) => {
                    let open = placeholder.strip_suffix(']').unwrap_or(placeholder);
                    out.extend_from_slice(format!("{open}-{number}]").as_bytes());
                }
                None => out.extend_from_slice(placeholder.as_bytes()),
            }
        })
    }

    fn notice(&self) -> Vec<u8> {
        if self.json { format!("\"{WITHHELD}\"").into_bytes() } else { WITHHELD.into() }
    }
}

/// Numbers of values, for one session: the first e-mail address is 1, the next other one 2.
#[derive(Clone, Debug, Default)]
pub struct Ordinals {
    known: HashMap<(&'static str, Fingerprint), u32>,
    last: HashMap<&'static str, u32>,
}

/// Most values that a session numbers; later ones get no number.
const MAX_ORDINALS: usize = 65_536;

impl Ordinals {
    fn of(&mut self, finding: &Finding) -> Option<u32> {
        let placeholder = finding.kind.placeholder();
        let value = (placeholder, finding.fingerprint);
        if finding.fingerprint.is_none() {
            return None;
        }
        if let Some(&number) = self.known.get(&value) {
            return Some(number);
        }
        if self.known.len() >= MAX_ORDINALS {
            return None;
        }
        let last = self.last.entry(placeholder).or_default();
        *last += 1;
        self.known.insert(value, *last);
        Some(*last)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, Redactor};

    #[test]
    fn what_is_not_retained_stays_as_it_is() {
        let text = br#"{"a":4539148803436467,"b":"jane.doe@corp-mail.net","c":4539148803436467}"#;
        let mut scan = Redactor::builtin().scan_json(text);
        scan.retain(|finding| finding.span.start > 10);
        let copy = scan.apply(text);
        assert_eq!(
            std::str::from_utf8(&copy).unwrap(),
            r#"{"a":4539148803436467,"b":"[REDACTED-EMAIL]","c":"[REDACTED-CREDIT-CARD]"}"#
        );
    }

    #[test]
    fn equal_values_have_equal_numbers() {
        let options = Options { fingerprint_key: Some([7; 32]), ..Options::default() };
        let redactor = Redactor::with_options(&options).unwrap();
        let mut numbers = Ordinals::default();
        let mut apply = |text: &str| {
            let out = redactor
                .scan_text(text.as_bytes())
                .apply_numbered(text.as_bytes(), &mut numbers)
                .into_owned();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(
            apply("a@example.org b@example.org a@example.org"),
            "[REDACTED-EMAIL-1] [REDACTED-EMAIL-2] [REDACTED-EMAIL-1]"
        );
        assert_eq!(apply("b@example.org"), "[REDACTED-EMAIL-2]");
        assert_eq!(apply("[REDACTED-EMAIL-2]"), "[REDACTED-EMAIL-2]");
    }
}
