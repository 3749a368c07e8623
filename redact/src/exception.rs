//! Owns what is found and left alone on purpose.
//! Accepts exceptions as written; emits whether one covers a match; promises that one without a
//! condition or a reason is an error, and that no exception covers what it does not name.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use regex::bytes::Regex;

use crate::rule::compile;
use crate::{Fingerprint, Kind, RuleError};

/// Most exceptions of one redactor.
pub(crate) const MAX_EXCEPTIONS: usize = 1024;

/// Findings that are left alone: those that meet every condition which is given. Conditions that
/// are empty are not given; one at least must be.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Exception {
    /// By one of these rules.
    pub rules: BTreeSet<String>,
    /// Of one of these kinds.
    pub kinds: BTreeSet<Kind>,
    /// A value that one of these regular expressions matches as a whole, or that has one of
    /// `fingerprints`.
    pub values: Vec<String>,
    /// A value with one of these fingerprints; without a fingerprint key, none has.
    pub fingerprints: BTreeSet<Fingerprint>,
    /// Why; it is shown with every scan that the exception changed.
    pub reason: String,
}

impl fmt::Debug for Exception {
    // The expressions may spell the values that they allow.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exception")
            .field("rules", &self.rules)
            .field("kinds", &self.kinds)
            .field("values", &self.values.len())
            .field("fingerprints", &self.fingerprints)
            .field("reason", &self.reason)
            .finish()
    }
}

/// An exception that is ready to be asked.
pub(crate) struct Compiled {
    /// For each rule, whether the exception is about it; nothing where it is about all.
    rules: Option<Box<[bool]>>,
    kinds: BTreeSet<Kind>,
    values: Vec<Regex>,
    fingerprints: BTreeSet<Fingerprint>,
    pub(crate) reason: Arc<str>,
}

impl Compiled {
    /// Compiles an exception for rules with these ids, in their order.
    ///
    /// # Errors
    /// A condition that cannot hold, or none at all; no reason.
    pub(crate) fn new<'i>(
        exception: &Exception,
        ids: impl Iterator<Item = &'i str> + Clone,
    ) -> Result<Compiled, RuleError> {
        let wrong =
            |problem: String| RuleError::Exception { reason: exception.reason.clone(), problem };
        if exception.reason.trim().is_empty() {
            return Err(wrong("it must say why".to_owned()));
        }
        let Exception { rules, kinds, values, fingerprints, .. } = exception;
        if rules.is_empty() && kinds.is_empty() && values.is_empty() && fingerprints.is_empty() {
            return Err(wrong("it must name rules, kinds or values".to_owned()));
        }
        for rule in rules {
            if !ids.clone().any(|id| id == rule) {
                return Err(RuleError::UnknownRule { rule: rule.clone() });
            }
        }
        let value = |pattern: &String| {
            // What the compiler says shows the expression, which may spell a secret.
            compile(&format!("^(?:{pattern})$"))
                .map_err(|_| wrong("one of its values is not a regular expression".to_owned()))
        };
        Ok(Compiled {
            rules: (!rules.is_empty()).then(|| ids.map(|id| rules.contains(id)).collect()),
            kinds: kinds.clone(),
            values: values.iter().map(value).collect::<Result<_, _>>()?,
            fingerprints: fingerprints.clone(),
            reason: exception.reason.as_str().into(),
        })
    }

    /// Whether it covers a match of the rule with that number.
    pub(crate) fn covers(
        &self,
        rule: usize,
        kind: Kind,
        value: &[u8],
        fingerprint: Fingerprint,
    ) -> bool {
        let rule_fits =
            self.rules.as_ref().is_none_or(|rules| rules.get(rule).copied().unwrap_or(false));
        let any_value = self.values.is_empty() && self.fingerprints.is_empty();
        let by_print = || !fingerprint.is_none() && self.fingerprints.contains(&fingerprint);
        rule_fits
            && (self.kinds.is_empty() || self.kinds.contains(&kind))
            && (any_value || by_print() || self.values.iter().any(|regex| regex.is_match(value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, Redactor};

    const TEXT: &[u8] = b"ann@corp-mail.net or bob@corp-mail.net, password=hunter2-x9";

    fn exception() -> Exception {
        Exception { reason: "a test".to_owned(), ..Exception::default() }
    }

    fn base() -> Redactor {
        let options = Options { fingerprint_key: Some([3; 32]), ..Options::default() };
        Redactor::with_options(&options).unwrap()
    }

    /// What is left of [`TEXT`], and the reasons of the exceptions that applied.
    fn left(exception: Exception) -> (String, usize) {
        let redactor = base().with_exceptions(&[exception]).unwrap();
        let scan = redactor.scan_text(TEXT);
        let copy = String::from_utf8(scan.apply(TEXT).into_owned()).unwrap();
        (copy, scan.exceptions().count())
    }

    #[test]
    fn what_an_exception_names_is_left_alone_and_told() {
        let check = |exception, copy: &str| assert_eq!(left(exception), (copy.to_owned(), 1));
        let both = "ann@corp-mail.net or bob@corp-mail.net, password=[REDACTED-SECRET]";
        let one = "ann@corp-mail.net or [REDACTED-EMAIL], password=[REDACTED-SECRET]";
        check(Exception { kinds: [Kind::Email].into(), ..exception() }, both);
        check(Exception { rules: ["email".to_owned()].into(), ..exception() }, both);
        check(Exception { values: vec!["ann@.*".to_owned()], ..exception() }, one);
        let scan = base().scan_text(TEXT);
        let print = scan.findings()[0].fingerprint;
        check(Exception { fingerprints: [print].into(), ..exception() }, one);
        let told: Fingerprint = print.to_string().parse().unwrap();
        assert_eq!(told, print);
    }

    #[test]
    fn all_conditions_must_hold() {
        let nothing = "[REDACTED-EMAIL] or [REDACTED-EMAIL], password=[REDACTED-SECRET]";
        let check = |exception| assert_eq!(left(exception), (nothing.to_owned(), 0));
        let kinds = BTreeSet::from([Kind::Phone]);
        check(Exception { kinds, values: vec!["ann@.*".to_owned()], ..exception() });
        check(Exception { values: vec!["ann@".to_owned()], ..exception() });
        let rules = BTreeSet::from(["phone".to_owned()]);
        check(Exception { rules, kinds: [Kind::Email].into(), ..exception() });
    }

    #[test]
    fn a_value_of_no_fingerprint_is_never_covered_by_one() {
        let nothing = Exception { fingerprints: [Fingerprint::default()].into(), ..exception() };
        let redactor = Redactor::builtin().with_exceptions(&[nothing]).unwrap();
        assert_eq!(redactor.scan_text(TEXT).findings().len(), 3);
    }

    #[test]
    fn a_useless_exception_is_an_error_that_does_not_show_its_values() {
        let check = |exception: Exception, expected: &str| {
            let told = base().with_exceptions(&[exception]).unwrap_err().to_string();
            assert_eq!(told, expected);
        };
        check(exception(), "redaction exception `a test`: it must name rules, kinds or values");
        let silent = Exception { kinds: [Kind::Email].into(), ..Exception::default() };
        check(silent, "redaction exception ``: it must say why");
        check(
            Exception { values: vec!["s3cret(".to_owned()], ..exception() },
            "redaction exception `a test`: one of its values is not a regular expression",
        );
        check(
            Exception { rules: ["emial".to_owned()].into(), ..exception() },
            "there is no rule emial; `defenter redact --rules` lists them",
        );
        let many = vec![Exception { kinds: [Kind::Ip].into(), ..exception() }; MAX_EXCEPTIONS + 1];
        assert!(base().with_exceptions(&many).is_err());
    }

    /// An exception for a rule leaves what the rules without it would leave.
    #[test]
    fn an_exception_for_a_rule_is_as_good_as_no_such_rule() {
        let text = br#"{"user": "jane.doe@corp-mail.net", "password": "hunter2-x9",
            "note": "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 and 4539148803436467 of DE89370400440532013000",
            "url": "postgres://app:s3cr3t-word@db.internal/x", "ip": "93.184.216.34"}"#;
        let base = base();
        let found = base.scan_json(text);
        let rules: BTreeSet<_> = found.findings().iter().map(|f| f.rule.to_string()).collect();
        assert!(rules.len() > 4, "{rules:?}");
        for rule in rules {
            let rules = BTreeSet::from([rule.clone()]);
            let options = Options {
                disabled_rules: rules.clone(),
                fingerprint_key: Some([3; 32]),
                ..Options::default()
            };
            let without = Redactor::with_options(&options).unwrap().scan_json(text);
            let view = base.with_exceptions(&[Exception { rules, ..exception() }]).unwrap();
            assert_eq!(view.scan_json(text).findings(), without.findings(), "{rule}");
        }
    }

    #[test]
    fn a_view_shares_the_tables_and_leaves_its_origin_alone() {
        let base = base();
        let view = base
            .with_exceptions(&[Exception { kinds: [Kind::Email].into(), ..exception() }])
            .unwrap();
        assert!(view.shares_tables_with(&base));
        assert_eq!(base.scan_text(TEXT).findings().len(), 3);
        assert_eq!(view.scan_text(TEXT).findings().len(), 1);
    }
}
