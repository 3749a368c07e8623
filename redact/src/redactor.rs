//! Owns the compiled rules and the way from an input to a [`Scan`].
//! Accepts options and inputs; emits scans; promises to be cheap to build (nothing is compiled
//! before it is needed) and safe to share between threads.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use regex::bytes::Regex;

use crate::action::Actions;
use crate::engine::{self, Layer, Match, Work};
use crate::exception::{Compiled, Exception, MAX_EXCEPTIONS};
use crate::finding::FingerprintKey;
use crate::json::{self, NotJson, Token};
use crate::locate::{self, Piece};
use crate::offsets::Derived;
use crate::options::{Budget, Options, RuleError, RuleFile};
use crate::prefilter::Prefilter;
use crate::rule::{Allow, Detector, DialectError, Rule, Subject, parse};
use crate::{Confidence, Finding, Fingerprint, Kind, RuleId, Scan, Stream, barrier, unescape};

/// Most matchers that are code.
const MAX_DETECTORS: usize = 32;

/// How often an input is looked at, at most; what has not settled then is withheld.
const MAX_ROUNDS: usize = 8;

/// How far around a match the text is looked at again, in bytes.
const AROUND: usize = 1024;

/// How many bytes of unescaped strings are looked at together.
const BATCH: usize = 32 << 10;

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
    /// Where the form is documented, or how else it is known; empty where the rule does not say.
    pub source: Box<str>,
}

/// All there is to say about a rule, for people.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct RuleDetails {
    /// What lists have of it.
    #[serde(flatten)]
    pub info: RuleInfo,
    /// The regular expression of what it finds; none for a rule that is code, or about paths.
    pub expression: Option<Box<str>>,
    /// A regular expression for the path of the file that it is about.
    pub path: Option<Box<str>>,
    /// Words of which one must be in the text; none where it looks everywhere.
    pub keywords: Vec<Box<str>>,
    /// Least Shannon entropy of what it finds, in bits per byte; 0 for none.
    pub entropy: f64,
    /// What checks the values that fit.
    pub validator: Option<Box<str>>,
    /// Texts that it finds something in.
    pub examples: Vec<Box<str>>,
    /// Texts that it finds nothing in.
    pub counterexamples: Vec<Box<str>>,
}

/// Compiled rules, and what is left alone of what they find. Immutable; share one as
/// `Arc<Redactor>`.
pub struct Redactor {
    tables: Arc<Tables>,
    exceptions: Vec<Arc<Compiled>>,
}

/// What redactors that differ only in their exceptions share.
struct Tables {
    rules: Vec<Rule>,
    actions: Actions,
    /// The rule of each matcher that is code.
    detectors: [Option<usize>; MAX_DETECTORS],
    prefilter: Prefilter,
    has_parts: bool,
    allowlists: Vec<SharedAllow>,
    allowed_values: Vec<Regex>,
    fingerprint_key: Option<FingerprintKey>,
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
        let (actions, keywords) = Actions::new(&rules);
        let mut detectors = [None; MAX_DETECTORS];
        for (index, rule) in rules.iter().enumerate() {
            if let Some(detector) = rule.detector
                && let Some(own) = detectors.get_mut(detector as usize)
            {
                own.get_or_insert(index);
            }
        }
        let tables = Tables {
            has_parts: rules.iter().any(|r| r.spec.skip_report || !r.spec.required.is_empty()),
            detectors,
            rules,
            actions,
            prefilter: Prefilter::new(keywords),
            allowlists,
            allowed_values,
            fingerprint_key: options.fingerprint_key.as_ref().map(FingerprintKey::new),
            options,
        };
        Redactor { tables: Arc::new(tables), exceptions: Vec::new() }
    }

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
        Ok(Redactor { exceptions, tables: self.tables.clone() })
    }

    /// The same with some of its exceptions only: those whose number, in the order in which they
    /// were given, `keep` wants.
    pub fn keeping_exceptions(&self, keep: impl Fn(usize) -> bool) -> Redactor {
        let exceptions = self.exceptions.iter().enumerate();
        let kept = exceptions.filter(|(index, _)| keep(*index)).map(|(_, one)| one.clone());
        Redactor { exceptions: kept.collect(), tables: self.tables.clone() }
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

    fn scan(&self, path: Option<&str>, input: &[u8], json: bool) -> Scan {
        // A text is never refused for being no JSON.
        let scanned = self.try_scan(path, input, json);
        scanned.or_else(|_| self.try_scan(path, input, false)).unwrap_or_else(|_| withheld(json))
    }

    /// Scans, and scans again around what was found: what a match stood next to may be one itself.
    fn try_scan(&self, path: Option<&str>, input: &[u8], json: bool) -> Result<Scan, NotJson> {
        let mut work = Work::new(self, path, input.len());
        let whole = 0..input.len();
        self.look(&mut work, input, json, std::slice::from_ref(&whole))?;
        work.whole(input);
        let mut known = Known::default();
        for _ in 0..MAX_ROUNDS {
            if work.exhausted {
                return Ok(withheld(json));
            }
            let found = std::mem::take(&mut work.found);
            if !known.add(input, found, json) {
                return Ok(self.finish(known.pieces, &work.exempted, json));
            }
            let (copy, near) = known.copy(input);
            if self.look(&mut work, &copy.text, json, &near).is_err() {
                return Ok(withheld(json));
            }
            let outside =
                without_barriers(&copy.text, engine::merge(std::mem::take(&mut work.found)));
            work.found = outside
                .into_iter()
                .map(|found| Match { span: copy.origin(&found.span), ..found })
                .collect();
        }
        Ok(withheld(json))
    }

    /// Adds what is in `near` parts of a text to the work.
    fn look(
        &self,
        work: &mut Work<'_>,
        input: &[u8],
        json: bool,
        near: &[Range<usize>],
    ) -> Result<(), NotJson> {
        if work.exhausted {
            return Ok(());
        }
        if !json {
            work.scan(Layer { text: input, json: false, depth: 0 }, near);
            return Ok(());
        }
        let mut plain: Vec<Range<usize>> = Vec::new();
        // Strings with escapes, and the values of keys with escapes, each with its key.
        let mut escaped: Vec<(Option<Range<usize>>, Range<usize>)> = Vec::new();
        let mut from = 0;
        let mut key: Option<Range<usize>> = None;
        json::walk(input, |token, has_escapes| {
            if let (true, Token::String(span) | Token::Key(span)) = (has_escapes, &token) {
                plain.push(from..span.start);
                from = span.end;
            }
            match token {
                Token::Key(span) if has_escapes => key = Some(span),
                Token::String(span) if has_escapes || key.is_some() => {
                    escaped.push((key.take(), span));
                }
                _ => escaped.extend(key.take().map(|span| (None, span))),
            }
        })?;
        let layer = Layer { text: input, json: true, depth: 0 };
        if plain.is_empty() {
            work.scan(layer, near);
        } else {
            plain.push(from..input.len());
            work.scan(layer, &intersect(&plain, near));
        }
        // Many strings are looked at as one text, parted by empty lines.
        let mut derived = Derived::default();
        for (key, span) in escaped {
            let start = key.as_ref().map_or(span.start, |key| key.start);
            let wanted = near.partition_point(|part| part.end <= start);
            if near.get(wanted).is_none_or(|part| part.start >= span.end) {
                continue;
            }
            if !work.spend(span.end - start) {
                break;
            }
            let end = span.end;
            if let Some(key) = key {
                let after = key.end;
                derived.unit(b"\"", key.start - 1, 1);
                unescape::unescape(input, key, &mut derived);
                derived.unit(b"\": \"", after, 1);
                unescape::unescape(input, span, &mut derived);
                derived.unit(b"\"\n\n", end, 1);
            } else {
                unescape::unescape(input, span, &mut derived);
                derived.unit(b"\n\n", end, 1);
            }
            if derived.text.len() >= BATCH {
                work.scan_derived(&derived, 1);
                derived.clear();
            }
        }
        work.scan_derived(&derived, 1);
        Ok(())
    }

    fn finish(&self, pieces: Vec<Piece>, exempted: &BTreeSet<usize>, json: bool) -> Scan {
        let reasons = exempted.iter().filter_map(|&one| self.exceptions.get(one));
        let exceptions = reasons.map(|one| one.reason.clone()).collect();
        let mut scan = Scan { json, exceptions, ..Scan::default() };
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

    /// All there is to say about a rule.
    pub fn rule_details(&self, id: &str) -> Option<RuleDetails> {
        let rule = self.tables.rules.iter().find(|rule| rule.id.as_str() == id)?;
        let owned = |texts: Vec<&str>| texts.into_iter().map(Box::from).collect();
        let (examples, counterexamples) = rule.examples();
        let is_expression = rule.detector.is_none() && !rule.spec.pattern.is_empty();
        Some(RuleDetails {
            info: rule.info(),
            expression: is_expression.then(|| Box::from(&*rule.spec.pattern)),
            path: rule.spec.path.as_deref().map(Box::from),
            keywords: rule.spec.keywords.iter().map(|word| Box::from(&**word)).collect(),
            entropy: rule.spec.entropy,
            validator: Some(&*rule.spec.validator).filter(|name| !name.is_empty()).map(Box::from),
            examples: owned(examples),
            counterexamples: owned(counterexamples),
        })
    }

    /// Every rule, built-in and read.
    pub fn rules(&self) -> impl Iterator<Item = RuleInfo> {
        self.tables.rules.iter().map(Rule::info)
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
        !self.tables.options.disabled_kinds.contains(&kind)
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

fn withheld(json: bool) -> Scan {
    Scan { json, withheld: true, ..Scan::default() }
}

/// What was found so far.
#[derive(Default)]
struct Known {
    matches: Vec<Match>,
    pieces: Vec<Piece>,
}

impl Known {
    /// Adds matches; whether that made more of the input sensitive.
    fn add(&mut self, input: &[u8], found: Vec<Match>, json: bool) -> bool {
        let covered = |pieces: &[Piece]| pieces.iter().map(|p| p.found.span.len()).sum::<usize>();
        let before = covered(&self.pieces);
        if found.is_empty() {
            return false;
        }
        self.matches.extend(found);
        self.matches = without_barriers(input, engine::merge(std::mem::take(&mut self.matches)));
        self.pieces = if json {
            locate::pieces(input, &self.matches)
        } else {
            let whole = 0..input.len();
            let mut matches = self.matches.clone();
            for found in &mut matches {
                found.span = locate::whole_characters(input, found.span.clone(), &whole);
            }
            engine::merge(matches)
                .into_iter()
                .map(|found| Piece { found, quoted: false, key_path: None })
                .collect()
        };
        covered(&self.pieces) > before
    }

    /// The redacted copy with a map back, and the parts of it around what was replaced.
    fn copy(&self, input: &[u8]) -> (Derived, Vec<Range<usize>>) {
        let mut copy = Derived::default();
        let mut near: Vec<Range<usize>> = Vec::new();
        let mut at = 0;
        for Piece { found, quoted, .. } in &self.pieces {
            let span = &found.span;
            copy.copy(&input[at..span.start], at);
            let start = copy.text.len();
            let placeholder = found.kind.placeholder();
            if *quoted {
                copy.unit(format!("\"{placeholder}\"").as_bytes(), span.start, span.len());
            } else {
                copy.unit(placeholder.as_bytes(), span.start, span.len());
            }
            at = span.end;
            let part = start.saturating_sub(AROUND)..copy.text.len() + AROUND;
            match near.last_mut() {
                Some(last) if part.start <= last.end => last.end = part.end,
                _ => near.push(part),
            }
        }
        copy.copy(&input[at..], at);
        let near = at_words(near, &copy.text);
        (copy, near)
    }
}

/// Most bytes by which a part is made longer to end between words.
const MAX_WORD: usize = 256;

/// Makes sorted parts of a text longer until they start and end between words, so that what is
/// derived from a part has no half of an address in it.
fn at_words(parts: Vec<Range<usize>>, text: &[u8]) -> Vec<Range<usize>> {
    let is_word = |byte: &&u8| !byte.is_ascii_whitespace() && !matches!(byte, b'"' | b'\'');
    let mut out: Vec<Range<usize>> = Vec::with_capacity(parts.len());
    for part in parts {
        let end = part.end.min(text.len());
        let before = text[..part.start].iter().rev().take(MAX_WORD).take_while(is_word).count();
        let after = text[end..].iter().take(MAX_WORD).take_while(is_word).count();
        match out.last_mut() {
            Some(last) if part.start - before <= last.end => last.end = end + after,
            _ => out.push(part.start - before..end + after),
        }
    }
    out
}

/// What two sorted lists of ranges have in common.
fn intersect(ranges: &[Range<usize>], near: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    for range in ranges {
        let first = near.partition_point(|part| part.end <= range.start);
        for part in near[first..].iter().take_while(|part| part.start < range.end) {
            out.push(range.start.max(part.start)..range.end.min(part.end));
        }
    }
    out
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
            (
                r#"{"pass\u0077ord":"hunter2-x9","a":"b"}"#,
                r#"{"pass\u0077ord":"[REDACTED-SECRET]","a":"b"}"#,
            ),
            (r#"{"pass\u0077ord":1,"a":"hunter2-x9"}"#, r#"{"pass\u0077ord":1,"a":"hunter2-x9"}"#),
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
    fn rule_files_in_the_dialect_of_gitleaks_are_loaded() {
        let text = r#"
title = "ours"
[extend]
useDefault = true
disabledRules = ["email"]

[[allowlists]]
description = "documentation"
regexTarget = "line"
regexes = ['do not report']
stopwords = ["sample"]

[[rules]]
id = "house-key"
description = "Key of the house"
regex = '''(?i)house[\w.-]{0,20}\s*=\s*"?(hk_[a-z0-9]{12})"?(?# a comment)'''
secretGroup = 1
entropy = 2.5
keywords = ["house"]
[[rules.allowlists]]
condition = "AND"
regexes = ['^hk_0']
stopwords = ["000000"]

[[rules]]
id = "only-a-path"
path = '\.p12$'
"#;
        let files = vec![RuleFile { name: "house.toml".to_owned(), text: text.to_owned() }];
        let options = Options { rule_files: files, ..Options::default() };
        let redactor = Redactor::with_options(&options).unwrap();
        let found = |text: &str| {
            let scan = redactor.scan_text(text.as_bytes());
            scan.findings().iter().map(|f| f.rule.as_str().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(found("house_x = \"hk_q8w7e6r5t4z3\""), ["house-key"]);
        assert!(found("house_x = \"hk_q8w7e6r5t4z3\" do not report").is_empty());
        assert!(found("house_x = \"hk_aaaaaaaaaaaa\"").is_empty(), "too little entropy");
        assert!(found("write to jane.doe@example.org").is_empty(), "switched off");
    }

    #[test]
    fn rules_about_paths_hold_for_files_only() {
        let text = r#"
[[rules]]
id = "key-file"
path = '(?i)\.p12$'
[[rules]]
id = "terraform-word"
path = '\.tfvars$'
regex = 'word=([a-z0-9]{8})'
keywords = ["word="]
[[rules.allowlists]]
condition = "AND"
paths = ['(^|/)examples/']
stopwords = ["demo"]
[[allowlists]]
paths = ['(^|/)vendor/']
targetRules = ["terraform-word"]
"#;
        let files = vec![RuleFile { name: "paths.toml".to_owned(), text: text.to_owned() }];
        let redactor =
            Redactor::with_options(&Options { rule_files: files, ..Options::default() }).unwrap();
        let check = |path: Option<&str>, text: &str, copy: &str| {
            let scan = redactor.scan_text_in(path, text.as_bytes());
            let out = scan.apply(text.as_bytes()).into_owned();
            assert_eq!(String::from_utf8_lossy(&out), copy, "{path:?}");
            let again = redactor.scan_text_in(path, &out);
            assert!(again.is_clean(), "{path:?} is not idempotent");
            let mut streamed = Vec::new();
            let mut stream = redactor.stream_in(path);
            stream.push(text.as_bytes(), &mut streamed);
            stream.finish(&mut streamed);
            assert_eq!(String::from_utf8_lossy(&streamed), copy, "{path:?}");
        };
        let (word, gone) = ("word=k3k3demo x", "word=[REDACTED-SECRET] x");
        check(None, word, word);
        check(Some("main.tf"), word, word);
        check(Some("prod.tfvars"), word, gone);
        check(Some(r"C:\house\prod.tfvars"), word, gone);
        check(Some("/a/examples/prod.tfvars"), word, word);
        check(Some("/a/examples/prod.tfvars"), "word=k3k3k3k3", "word=[REDACTED-SECRET]");
        check(Some(r"a\vendor\prod.tfvars"), "word=k3k3k3k3", "word=k3k3k3k3");
        check(Some("/etc/house.P12"), "anything", "[REDACTED-SECRET]");
        check(Some("/etc/house.P12"), "", "");
        check(None, "anything", "anything");
        let json = br#"{"a": [1, "b"]}"#;
        assert_eq!(
            redactor.scan_json_in(Some("x.p12"), json).apply(json).as_ref(),
            br#"{"[REDACTED-SECRET]": ["[REDACTED-SECRET]", "[REDACTED-SECRET]"]}"#
        );
    }

    #[test]
    fn required_parts_must_be_near() {
        let text = r#"
[[rules]]
id = "pair"
regex = 'key=([a-z0-9]{8})'
keywords = ["key="]
[[rules.required]]
id = "pair-id"
withinLines = 1
[[rules]]
id = "pair-id"
regex = 'id=([0-9]{6})'
keywords = ["id="]
skipReport = true
"#;
        let files = vec![RuleFile { name: "pair.toml".to_owned(), text: text.to_owned() }];
        let redactor =
            Redactor::with_options(&Options { rule_files: files, ..Options::default() }).unwrap();
        let found = |text: &str| {
            let scan = redactor.scan_text(text.as_bytes());
            scan.findings().iter().map(|f| f.rule.as_str().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(found("id=123456\nfoo key=aaaabbbb"), ["pair"]);
        assert!(found("id=123456\n\nfoo key=aaaabbbb").is_empty());
        assert!(found("id=123456").is_empty());
    }

    #[test]
    fn errors_of_rule_files_name_the_place() {
        let load = |text: &str| {
            let files = vec![RuleFile { name: "x.toml".to_owned(), text: text.to_owned() }];
            Redactor::with_options(&Options { rule_files: files, ..Options::default() })
                .unwrap_err()
                .to_string()
        };
        for (text, error) in [
            (
                "[[rules]]\nid = \"a\"\nregex = \"(\"\n",
                "rule a in x.toml, line 2: its expression does not compile",
            ),
            ("\n[[rules]]\nregex = \"a\"\n", "rule number 1 in x.toml, line 3: has no id"),
            ("[[rules]]\nid = \"a\"\n", "rule a in x.toml, line 2: has none of regex"),
            (
                "[[rules]]\nid = \"a\"\nregex = 1\n",
                "rule a in x.toml, line 2: regex must be a string",
            ),
            ("[[rules\n", "rule file x.toml is not valid TOML"),
        ] {
            let told = load(text);
            assert!(told.starts_with(error), "{told}");
        }
    }

    #[test]
    fn what_stands_beside_a_number_or_another_finding_is_found_at_once() {
        let redactor = Redactor::builtin();
        for (one, placeholder) in [
            ("93.184.216.34", "[REDACTED-IP]"),
            ("4539148803436467", "[REDACTED-CREDIT-CARD]"),
            ("4539 1488 0343 6467", "[REDACTED-CREDIT-CARD]"),
            ("536-22-8145", "[REDACTED-SSN]"),
            ("jane.doe@corp-mail.net", "[REDACTED-EMAIL]"),
            ("+49 30 9018203", "[REDACTED-PHONE]"),
        ] {
            let many = [one; 40].join(" ");
            let scan = redactor.scan_text(many.as_bytes());
            assert!(!scan.withheld(), "{one}");
            let copy = scan.apply(many.as_bytes()).into_owned();
            let expected = [placeholder; 40].join(" ");
            assert_eq!(String::from_utf8_lossy(&copy), expected);
        }
        for (text, expected) in [
            ("2026-11-24 93.184.216.34", "2026-11-24 [REDACTED-IP]"),
            ("10:38:21 93.184.216.34 200", "10:38:21 [REDACTED-IP] 200"),
            ("order 12 4539148803436467", "order 12 [REDACTED-CREDIT-CARD]"),
            ("order 12 4539 1488 0343 6467", "order 12 [REDACTED-CREDIT-CARD]"),
            ("no 7 536-22-8145", "no 7 [REDACTED-SSN]"),
            ("1234 4539 1488 0343 6467 9", "1234 4539 1488 0343 6467 9"),
            ("v 1.93.184.216.34", "v 1.93.184.216.34"),
        ] {
            let copy = redactor.scan_text(text.as_bytes()).apply(text.as_bytes()).into_owned();
            assert_eq!(String::from_utf8_lossy(&copy), expected);
        }
    }

    #[test]
    fn ordinary_traffic_is_clean() {
        let redactor = Redactor::builtin();
        for text in [
            r#"{"jsonrpc":"2.0","id":"3f2b8c1e-9d4a-4c7b-8e21-5a6f7b8c9d0e","method":"tools/call","params":{"name":"read_file","arguments":{"path":"/home/me/src/main.rs"},"_meta":{"progressToken":"c9f1a2b3-4d5e"}}}"#,
            r#"{"tools":[{"name":"login","description":"Logs in with a password and returns a token.","inputSchema":{"type":"object","properties":{"password":{"type":"string","description":"The user's password"},"api_key":{"type":"string"}},"required":["password","api_key"]}}],"nextCursor":"eyJwYWdlIjoyfQ=="}"#,
            r#"{"content":[{"type":"text","text":"commit 24b22bc01611a1086e658628887e3df8602851c5\nAuthor: someone\nDate: 2026-11-24T10:38:21Z\n\n  Bump lodash@4.17.21 to 4.17.22 (#1234)\n"}],"isError":false}"#,
            r#"{"protocolVersion":"2025-11-25","capabilities":{"tools":{"listChanged":true}},"serverInfo":{"name":"everything","version":"1.0.0"},"max_tokens":4096,"stop_token":"<|endoftext|>"}"#,
            r#"{"token_endpoint":"https://auth.example.org/oauth2/v1/token","grant_types_supported":["authorization_code","refresh_token"],"credentials":"same-origin","apiKeyEnvVar":"OPENAI_API_KEY"}"#,
            r#"{"data":"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==","mimeType":"image/png","size":1746313109504}"#,
            "fn main() {\n    let token = lexer.next_token();\n    let key = map.get(&name)?;\n    password: &str,\n}\n",
            "2026-11-24 10:38:21,123 INFO 10.3 s, 12.5%, v1.2.3.4567, build 20261124.1, pid 4242\n",
        ] {
            let scan = redactor.scan_json(text.as_bytes());
            assert!(scan.is_clean(), "{:?} in {text}", scan.findings());
        }
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
