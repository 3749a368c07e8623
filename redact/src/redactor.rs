//! Owns the compiled rules and the way from an input to a [`Scan`].
//! Accepts options and inputs; emits scans; promises to be cheap to build (nothing is compiled
//! before it is needed) and safe to share between threads.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use regex::bytes::Regex;

use crate::engine::{self, Layer, Match, Work};
use crate::json::{self, Token};
use crate::locate::{self, Piece};
use crate::options::{Budget, Options, RuleError, RuleFile};
use crate::prefilter::{MIN_KEYWORD, Prefilter};
use crate::rule::{Allow, Detector, DialectError, How, Rule, parse};
use crate::{Confidence, Finding, Kind, RuleId, Scan, barrier, unescape};

/// An exception for all rules, or for those it names.
struct SharedAllow {
    rules: Vec<String>,
    allow: Allow,
}

/// What a rule is, for lists and explanations.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct RuleInfo {
    /// Its id.
    pub id: RuleId,
    /// What it finds, in words.
    pub description: Box<str>,
    /// What it finds.
    pub kind: Kind,
    /// How sure its matches are.
    pub confidence: Confidence,
}

/// Compiled rules. Immutable; share one as `Arc<Redactor>`.
pub struct Redactor {
    rules: Vec<Rule>,
    keyword_lengths: Vec<usize>,
    keyword_rules: Vec<Vec<u16>>,
    prefilter: Prefilter,
    without_keywords: Vec<usize>,
    allowlists: Vec<SharedAllow>,
    allowed_values: Vec<Regex>,
    options: Options,
}

impl Redactor {
    /// The built-in rules with the default options.
    pub fn builtin() -> Redactor {
        // The built-in rules are checked by the crate's tests.
        let rules =
            Rule::builtin().filter_map(|spec| Rule::new(Cow::Borrowed(spec)).ok()).collect();
        Redactor::assemble(rules, Vec::new(), Vec::new(), Options::default())
    }

    /// The built-in rules changed and extended as the options say.
    pub fn with_options(options: &Options) -> Result<Redactor, RuleError> {
        let mut rules: Vec<Rule> =
            Rule::builtin().filter_map(|spec| Rule::new(Cow::Borrowed(spec)).ok()).collect();
        let mut allowlists = Vec::new();
        for file in &options.rule_files {
            extend(&mut rules, &mut allowlists, file)?;
        }
        for id in &options.disabled_rules {
            let before = rules.len();
            rules.retain(|rule| rule.id.as_str() != id);
            if rules.len() == before {
                return Err(RuleError::UnknownRule { rule: id.clone() });
            }
        }
        let mut allowed = Vec::new();
        for (index, pattern) in options.allowed_values.iter().enumerate() {
            let compiled = crate::rule::compile(&format!("^(?:{pattern})$"));
            allowed.push(
                compiled.map_err(|detail| RuleError::AllowedValue { index: index + 1, detail })?,
            );
        }
        Ok(Redactor::assemble(rules, allowlists, allowed, options.clone()))
    }

    /// One built-in rule alone.
    #[cfg(test)]
    pub(crate) fn only(id: &str) -> Redactor {
        let rules = Rule::builtin()
            .filter(|spec| spec.id == id)
            .filter_map(|spec| Rule::new(Cow::Borrowed(spec)).ok())
            .collect();
        Redactor::assemble(rules, Vec::new(), Vec::new(), Options::default())
    }

    fn assemble(
        rules: Vec<Rule>,
        allowlists: Vec<SharedAllow>,
        allowed_values: Vec<Regex>,
        options: Options,
    ) -> Redactor {
        let mut numbers: HashMap<String, usize> = HashMap::new();
        let mut keywords: Vec<Box<[u8]>> = Vec::new();
        let mut keyword_rules: Vec<Vec<u16>> = Vec::new();
        let mut without_keywords = Vec::new();
        for (index, rule) in rules.iter().enumerate().take(usize::from(u16::MAX)) {
            let usable = |keyword: &str| keyword.len() >= MIN_KEYWORD;
            if rule.spec.how == How::Anywhere
                && !rule.spec.pattern.is_empty()
                && !rule.spec.keywords.iter().all(|keyword| usable(keyword))
                || rule.spec.keywords.is_empty() && rule.spec.how == How::Anywhere
            {
                without_keywords.push(index);
                continue;
            }
            for keyword in rule.spec.keywords.iter().filter(|keyword| usable(keyword)) {
                let number = *numbers.entry(keyword.to_string()).or_insert_with(|| {
                    keywords.push(keyword.as_bytes().into());
                    keyword_rules.push(Vec::new());
                    keywords.len() - 1
                });
                keyword_rules[number].push(index as u16);
            }
        }
        Redactor {
            rules,
            keyword_lengths: keywords.iter().map(|keyword| keyword.len()).collect(),
            keyword_rules,
            prefilter: Prefilter::new(keywords),
            without_keywords,
            allowlists,
            allowed_values,
            options,
        }
    }

    /// Scans the raw text of a JSON value; what is not JSON is scanned as text.
    pub fn scan_json(&self, raw: &[u8]) -> Scan {
        let mut work = Work::new(self, raw.len());
        if work.exhausted {
            return withheld(true);
        }
        let mut plain: Vec<Range<usize>> = Vec::new();
        let mut escaped: Vec<Range<usize>> = Vec::new();
        let mut from = 0;
        let walked = json::walk(raw, |token, has_escapes| {
            if let (true, Token::String(span) | Token::Key(span)) = (has_escapes, token) {
                plain.push(from..span.start);
                from = span.end;
                escaped.push(span);
            }
        });
        if walked.is_err() {
            return self.scan_text(raw);
        }
        plain.push(from..raw.len());
        work.scan(Layer { text: raw, json: true, depth: 0 }, &plain);
        for span in escaped {
            if !work.spend(span.len()) {
                break;
            }
            let derived = unescape::unescape(raw, span);
            work.scan_derived(&derived, 1);
        }
        if work.exhausted {
            return withheld(true);
        }
        let matches = without_barriers(raw, engine::merge(work.found));
        let pieces = if matches.is_empty() { Vec::new() } else { locate::pieces(raw, &matches) };
        self.finish(pieces, true)
    }

    /// Scans any bytes.
    pub fn scan_text(&self, text: &[u8]) -> Scan {
        let mut work = Work::new(self, text.len());
        if work.exhausted {
            return withheld(false);
        }
        let whole = 0..text.len();
        work.scan(Layer { text, json: false, depth: 0 }, std::slice::from_ref(&whole));
        if work.exhausted {
            return withheld(false);
        }
        let mut matches = without_barriers(text, engine::merge(work.found));
        for found in &mut matches {
            found.span = locate::whole_characters(text, found.span.clone(), &whole);
        }
        let pieces = engine::merge(matches)
            .into_iter()
            .map(|found| Piece { found, quoted: false, key_path: None })
            .collect();
        self.finish(pieces, false)
    }

    fn finish(&self, pieces: Vec<Piece>, json: bool) -> Scan {
        let mut scan = Scan { json, ..Scan::default() };
        for Piece { found, quoted, key_path } in pieces {
            scan.findings.push(Finding {
                rule: self.rule(usize::from(found.rule)).id.clone(),
                kind: found.kind,
                confidence: found.confidence,
                span: found.span,
                key_path,
                verdict: found.verdict,
                fingerprint: found.fingerprint,
            });
            scan.quoted.push(quoted);
        }
        scan
    }

    /// Every rule, built-in and read.
    pub fn rules(&self) -> impl Iterator<Item = RuleInfo> {
        self.rules.iter().map(|rule| RuleInfo {
            id: rule.id.clone(),
            description: (&*rule.spec.description).into(),
            kind: rule.kind,
            confidence: rule.confidence,
        })
    }

    pub(crate) fn rule(&self, index: usize) -> &Rule {
        &self.rules[index.min(self.rules.len().saturating_sub(1))]
    }

    pub(crate) fn rules_of(&self, keyword: usize) -> &[u16] {
        &self.keyword_rules[keyword]
    }

    pub(crate) fn keyword_len(&self, keyword: usize) -> usize {
        self.keyword_lengths[keyword]
    }

    pub(crate) fn prefilter(&self) -> &Prefilter {
        &self.prefilter
    }

    pub(crate) fn without_keywords(&self) -> &[usize] {
        &self.without_keywords
    }

    pub(crate) fn budget(&self) -> &Budget {
        &self.options.budget
    }

    pub(crate) fn fingerprint_key(&self) -> Option<&[u8; 32]> {
        self.options.fingerprint_key.as_ref()
    }

    /// Whether matches of that kind are wanted.
    pub(crate) fn reports(&self, kind: Kind) -> bool {
        !self.options.disabled_kinds.contains(&kind)
    }

    /// Whether the user allowed that value.
    pub(crate) fn is_allowed(&self, value: &[u8]) -> bool {
        self.allowed_values.iter().any(|regex| regex.is_match(value))
    }

    /// Whether an exception of a rule file covers a match of that rule.
    pub(crate) fn allows(&self, rule: &str, secret: &[u8], whole: &[u8], line: &[u8]) -> bool {
        self.allowlists.iter().any(|shared| {
            (shared.rules.is_empty() || shared.rules.iter().any(|id| id == rule))
                && shared.allow.holds(secret, whole, line)
        })
    }

    /// The rule of a matcher that is code, unless it is switched off.
    pub(crate) fn detector(&self, detector: Detector) -> Option<usize> {
        self.rules.iter().position(|rule| rule.detector == Some(detector))
    }
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redactor").field("rules", &self.rules.len()).finish_non_exhaustive()
    }
}

fn withheld(json: bool) -> Scan {
    Scan { json, withheld: true, ..Scan::default() }
}

/// Takes placeholders that already stand in the text out of the matches.
fn without_barriers(text: &[u8], matches: Vec<Match>) -> Vec<Match> {
    if matches.is_empty() {
        return matches;
    }
    let barriers = barrier::find(text);
    if barriers.is_empty() {
        return matches;
    }
    matches
        .into_iter()
        .flat_map(|found| {
            barrier::subtract(&found.span, &barriers)
                .into_iter()
                .map(move |span| Match { span, ..found.clone() })
        })
        .collect()
}

/// Adds the rules and exceptions of a file; a rule replaces the one of the same id.
fn extend(
    rules: &mut Vec<Rule>,
    allowlists: &mut Vec<SharedAllow>,
    file: &RuleFile,
) -> Result<(), RuleError> {
    let wrong = |rule: String, line, problem| RuleError::Rule {
        file: file.name.clone(),
        rule,
        line,
        problem,
    };
    let read = parse(&file.text).map_err(|error| match error {
        DialectError::Syntax(detail) => RuleError::Syntax { file: file.name.clone(), detail },
        DialectError::Rule(rule, line, problem) => wrong(rule, line, problem),
    })?;
    rules.retain(|rule| !read.disabled.iter().any(|id| id == rule.id.as_str()));
    for spec in read.rules {
        let (id, line) = (spec.id.clone().into_owned(), spec.line);
        let rule = Rule::new(Cow::Owned(spec)).map_err(|problem| wrong(id, line, problem))?;
        rules.retain(|old| old.id != rule.id);
        rules.push(rule);
    }
    for spec in read.allowlists {
        let allow =
            Allow::new(&spec).map_err(|problem| wrong("allowlist".to_owned(), 0, problem))?;
        if let Some(allow) = allow {
            let rules = spec.rules.iter().map(|id| id.clone().into_owned()).collect();
            allowlists.push(SharedAllow { rules, allow });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(input: &str) -> String {
        let redactor = Redactor::builtin();
        let out = redactor.scan_json(input.as_bytes()).apply(input.as_bytes()).into_owned();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn json_is_spliced_not_rewritten() {
        for (input, output) in [
            (r#"{"password":"hunter2-x9"}"#, r#"{"password":"[REDACTED-SECRET]"}"#),
            (
                r#"{"password":"hun\"ter2-x9", "n":1.0e5}"#,
                r#"{"password":"[REDACTED-SECRET]", "n":1.0e5}"#,
            ),
            (r#"{"n": 4539148803436467, "k":1}"#, r#"{"n": "[REDACTED-CREDIT-CARD]", "k":1}"#),
            (r#"{"jane@example.org":"x"}"#, r#"{"[REDACTED-EMAIL]":"x"}"#),
            (r#"["a\njane\u0040example.org\n"]"#, r#"["a\n[REDACTED-EMAIL]\n"]"#),
            (
                r#"{"t":"{\"api_key\": \"9f8e7d6c5b4a39281706\"}"}"#,
                r#"{"t":"{\"api_key\": \"[REDACTED-SECRET]\"}"}"#,
            ),
        ] {
            assert_eq!(json(input), output, "{input}");
        }
    }

    #[test]
    fn key_paths_hide_sensitive_keys() {
        let redactor = Redactor::builtin();
        let scan =
            redactor.scan_json(br#"{"a@example.org":{"x/y":[1,{"password":"hunter2-x9"}]}}"#);
        let paths: Vec<_> = scan.findings().iter().filter_map(|f| f.key_path.clone()).collect();
        assert_eq!(paths.last().unwrap().as_ref(), "/[REDACTED-EMAIL]/x~1y/1/password");
    }

    #[test]
    fn an_empty_budget_withholds() {
        let options =
            Options { budget: Budget { max_bytes: 8, ..Budget::default() }, ..Options::default() };
        let redactor = Redactor::with_options(&options).unwrap();
        let scan = redactor.scan_json(b"{\"a\":\"bcdef\"}");
        assert!(scan.withheld() && !scan.is_clean());
        assert_eq!(&*scan.apply(b"{\"a\":\"bcdef\"}"), b"\"[REDACTED-WITHHELD]\"");
    }

    #[test]
    fn findings_never_show_the_value() {
        let scan = Redactor::builtin().scan_text(b"password=hunter2-x9");
        assert_eq!(scan.findings().len(), 1);
        let shown = format!("{scan:?} {}", serde_json::to_string(&scan.findings()).unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn placeholders_stay_and_shield_nothing() {
        let redactor = Redactor::builtin();
        let text = b"k [REDACTED-SECRET]npm_aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hJ6 password=[REDACTED-SECRET]";
        let scan = redactor.scan_text(text);
        let out = scan.apply(text);
        assert_eq!(
            String::from_utf8_lossy(&out),
            "k [REDACTED-SECRET][REDACTED-SECRET] password=[REDACTED-SECRET]"
        );
        assert!(redactor.scan_text(&out).is_clean());
    }
}
