//! Owns rules ready to be matched: the built-in ones as constants, the user's as read.
//! Accepts specs of the dialect; emits [`Rule`]s that compile their expression at first use (the
//! user's at once, so that an error is told at load); promises ASCII semantics as Go's RE2 has
//! them, which also keeps an expression a hundred times smaller.

mod anchor;
mod builtin;
mod dialect;
pub(crate) mod gate;
mod reach;
mod validator;

use std::borrow::Cow;
use std::sync::OnceLock;

use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::hir::Hir;

pub(crate) use anchor::{Anchor, Tried};
pub(crate) use dialect::{
    AllowSpec, DialectError, How, RequiredSpec, RuleSpec, Target, Text, parse,
};
pub(crate) use validator::{Validator, base64_prefix};

use crate::{Confidence, Kind, RuleId, RuleInfo};

/// Most bytes that an expression may look at from where a keyword stands.
pub(crate) const MAX_TOKEN: usize = 8 << 10;

/// A matcher that is code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detector {
    /// A value whose key name says that it is a secret.
    Context,
    /// `scheme://user:password@host`.
    UrlCredentials,
    /// The token after `Bearer`, `Basic` and the like.
    Authorization,
    /// A block between `-----BEGIN … PRIVATE KEY-----` and its end.
    Pem,
    /// A seed of NATS.
    NatsSeed,
    /// A key of Mailgun.
    MailgunKey,
    /// An app token of Facebook.
    FacebookAppToken,
    /// A token of Jira or Confluence.
    JiraToken,
    /// A key of fal.
    FalKey,
    /// A key of Zhipu.
    ZhipuKey,
    /// An access token of Bitwarden.
    BitwardenToken,
    /// A UUID.
    Uuid,
    /// E-mail addresses.
    Email,
    /// Payment cards.
    Card,
    /// Bank accounts.
    Iban,
    /// Social security numbers of the United States.
    Ssn,
    /// Telephone numbers.
    Phone,
    /// IP addresses.
    Ip,
    /// Hardware addresses.
    Mac,
    /// Addresses of crypto currencies.
    Crypto,
    /// Identity numbers with a form of their own.
    National,
    /// Numbers that the groups of their digits tell.
    Grouped,
}

impl Detector {
    fn from_label(label: &str) -> Option<Detector> {
        Some(match label {
            "context" => Detector::Context,
            "url-credentials" => Detector::UrlCredentials,
            "authorization" => Detector::Authorization,
            "pem" => Detector::Pem,
            "nats-seed" => Detector::NatsSeed,
            "mailgun-key" => Detector::MailgunKey,
            "facebook-app-token" => Detector::FacebookAppToken,
            "jira-token" => Detector::JiraToken,
            "fal-key" => Detector::FalKey,
            "zhipu-key" => Detector::ZhipuKey,
            "bitwarden-token" => Detector::BitwardenToken,
            "uuid" => Detector::Uuid,
            "email" => Detector::Email,
            "card" => Detector::Card,
            "iban" => Detector::Iban,
            "ssn" => Detector::Ssn,
            "phone" => Detector::Phone,
            "ip" => Detector::Ip,
            "mac" => Detector::Mac,
            "crypto" => Detector::Crypto,
            "national" => Detector::National,
            "grouped" => Detector::Grouped,
            _ => return None,
        })
    }
}

/// A match that is not reported.
#[derive(Debug)]
pub(crate) struct Allow {
    all: bool,
    target: Target,
    regexes: Vec<Regex>,
    /// All words in one expression, for texts in small letters: there are lists of a thousand.
    stopwords: Option<Regex>,
    paths: Vec<Regex>,
}

/// What an exception of a rule file is asked about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'t> {
    /// The value.
    pub(crate) secret: &'t [u8],
    /// All that the rule's expression matched.
    pub(crate) whole: &'t [u8],
    /// The line of it.
    pub(crate) line: &'t [u8],
    /// The path of the file, where it is known.
    pub(crate) path: Option<&'t str>,
}

impl Allow {
    pub(crate) fn new(spec: &AllowSpec) -> Result<Option<Allow>, String> {
        let parts = [&spec.regexes, &spec.stopwords, &spec.paths];
        if spec.commits && spec.all || parts.iter().all(|part| part.is_empty()) {
            return Ok(None);
        }
        let compiled =
            |list: &[Text]| list.iter().map(|regex| compile(regex)).collect::<Result<Vec<_>, _>>();
        let words = spec.stopwords.iter().map(|word| regex::escape(&word.to_ascii_lowercase()));
        let words: Vec<String> = words.collect();
        let stopwords = if words.is_empty() { None } else { Some(compile(&words.join("|"))?) };
        Ok(Some(Allow {
            all: spec.all,
            target: spec.target,
            regexes: compiled(&spec.regexes)?,
            stopwords,
            paths: compiled(&spec.paths)?,
        }))
    }

    /// Whether the match is one that it allows: all of its parts hold, or one of them.
    pub(crate) fn holds(&self, subject: &Subject<'_>) -> bool {
        let target = match self.target {
            Target::Secret => subject.secret,
            Target::Match => subject.whole,
            Target::Line => subject.line,
        };
        let by_path = || {
            let path = subject.path.map(str::as_bytes);
            path.is_some_and(|path| self.paths.iter().any(|regex| regex.is_match(path)))
        };
        let by_regex = || self.regexes.iter().any(|regex| regex.is_match(target));
        let by_word = || {
            let words = self.stopwords.as_ref();
            words.is_some_and(|words| words.is_match(&subject.secret.to_ascii_lowercase()))
        };
        if self.all {
            (self.paths.is_empty() || by_path())
                && (self.regexes.is_empty() || by_regex())
                && (self.stopwords.is_none() || by_word())
        } else {
            by_path() || by_regex() || by_word()
        }
    }
}

/// A rule that can be matched.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) id: RuleId,
    pub(crate) kind: Kind,
    pub(crate) confidence: Confidence,
    pub(crate) detector: Option<Detector>,
    pub(crate) validator: Option<Validator>,
    pub(crate) spec: Cow<'static, RuleSpec>,
    regex: OnceLock<Option<Regex>>,
    path: OnceLock<Option<Regex>>,
    allow: OnceLock<Vec<Allow>>,
    /// Length of the longest match of the expression, in bytes, where there is a longest one.
    longest: OnceLock<Option<usize>>,
    /// Where an expression that was read can match; nothing where it is tried on the whole text.
    pub(crate) anchor: Option<Anchor>,
}

impl Rule {
    /// Checks and, for a rule that was read, compiles a spec.
    pub(crate) fn new(spec: Cow<'static, RuleSpec>) -> Result<Rule, String> {
        let kind =
            Kind::from_label(&spec.kind).ok_or_else(|| format!("kind {} is unknown", spec.kind))?;
        let confidence = Confidence::from_label(&spec.confidence).ok_or_else(|| {
            format!("confidence is {}; it must be low, medium or high", spec.confidence)
        })?;
        let detector = match spec.how {
            How::Detector => Some(
                Detector::from_label(&spec.pattern)
                    .ok_or_else(|| format!("detector {} is unknown", spec.pattern))?,
            ),
            _ => None,
        };
        let validator = match &*spec.validator {
            "" => None,
            name => Some(
                Validator::from_label(name)
                    .ok_or_else(|| format!("validator {name} is unknown"))?,
            ),
        };
        let mut rule = Rule {
            id: RuleId::new(&spec.id),
            kind,
            confidence,
            detector,
            validator,
            regex: OnceLock::new(),
            longest: OnceLock::new(),
            path: OnceLock::new(),
            allow: OnceLock::new(),
            anchor: None,
            spec,
        };
        if matches!(rule.spec, Cow::Owned(_)) {
            rule.check()?;
            if rule.spec.how == How::Anywhere && !rule.spec.pattern.is_empty() {
                let keywords = rule.spec.keywords.iter().map(|keyword| &**keyword);
                rule.anchor = Anchor::new(&rule.spec.pattern, keywords);
            }
        }
        Ok(rule)
    }

    /// Compiles what else would be compiled at first use.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.detector.is_none() && !self.spec.pattern.is_empty() {
            compile(&self.expression())?;
        }
        if let Some(path) = &self.spec.path {
            compile(path)?;
        }
        self.spec.allowlists.iter().try_for_each(|spec| Allow::new(spec).map(drop))
    }

    /// What lists have of it.
    pub(crate) fn info(&self) -> RuleInfo {
        RuleInfo {
            id: self.id.clone(),
            description: (&*self.spec.description).into(),
            kind: self.kind,
            confidence: self.confidence,
            source: (&*self.spec.source).into(),
        }
    }

    /// Texts that it must and must not find something in.
    pub(crate) fn examples(&self) -> (Vec<Text>, Vec<Text>) {
        if let Cow::Owned(spec) = &self.spec {
            return (spec.examples.clone(), spec.counterexamples.clone());
        }
        let own = builtin::examples().into_iter().find(|(id, ..)| **id == *self.id.as_str());
        own.map(|(_, yes, no)| (yes, no)).unwrap_or_default()
    }

    /// The built-in rules, in the order of the files.
    pub(crate) fn builtin() -> impl Iterator<Item = &'static RuleSpec> {
        builtin::RULES.iter()
    }

    /// The compiled expression; nothing for a detector or a rule that is about paths only.
    pub(crate) fn regex(&self) -> Option<&Regex> {
        self.regex
            .get_or_init(|| {
                if self.detector.is_some() || self.spec.pattern.is_empty() {
                    return None;
                }
                compile(&self.expression()).ok()
            })
            .as_ref()
    }

    /// The length of the expression's longest match, in bytes; nothing where it is not known.
    pub(crate) fn longest(&self) -> Option<usize> {
        *self.longest.get_or_init(|| parsed(&self.spec.pattern).ok()?.properties().maximum_len())
    }

    /// Whether the rule is about a file of that path, or about none in particular.
    pub(crate) fn is_about(&self, path: Option<&str>) -> bool {
        let Some(pattern) = &self.spec.path else { return true };
        let regex = self.path.get_or_init(|| compile(pattern).ok());
        path.zip(regex.as_ref()).is_some_and(|(path, regex)| regex.is_match(path.as_bytes()))
    }

    /// Whether the rule is about paths only, so that a file is a match as a whole.
    pub(crate) fn is_about_files(&self) -> bool {
        self.spec.path.is_some() && self.spec.pattern.is_empty()
    }

    /// Whether an exception of the rule's own covers the match.
    pub(crate) fn allows(&self, subject: &Subject<'_>) -> bool {
        let allow = self.allow.get_or_init(|| {
            self.spec.allowlists.iter().filter_map(|spec| Allow::new(spec).ok().flatten()).collect()
        });
        allow.iter().any(|one| one.holds(subject))
    }

    fn expression(&self) -> String {
        match self.spec.how {
            How::Token if self.spec.reach > 0 => self.spec.pattern.to_string(),
            How::Token => format!("^(?:{})", self.spec.pattern),
            How::Value => format!("^(?:{})$", self.spec.pattern),
            How::Anywhere | How::Near | How::Detector => self.spec.pattern.to_string(),
        }
    }
}

/// Largest compiled expression, in bytes.
const MAX_SIZE: usize = 32 << 20;

/// Most memory of an expression that is being matched, in bytes.
const MAX_CACHE: usize = 4 << 20;

/// Compiles an expression of the dialect with the semantics of Go's RE2: ASCII classes.
pub(crate) fn compile(pattern: &str) -> Result<Regex, String> {
    let build = |pattern: &str| {
        RegexBuilder::new(pattern)
            .unicode(false)
            .size_limit(MAX_SIZE)
            .dfa_size_limit(MAX_CACHE)
            .build()
    };
    // Go takes a `{` that starts no repetition for itself, other dialects know comments; the regex
    // crate does neither.
    build(pattern)
        .or_else(|error| build(&escape_braces(&without_comments(pattern))).map_err(|_| error))
        .map_err(|error| format!("its expression does not compile: {error}"))
}

/// Parses an expression as [`compile`] does.
pub(crate) fn parsed(pattern: &str) -> Result<Hir, String> {
    let parse = |pattern: &str| {
        let mut parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
        parser.parse(pattern).map_err(|error| error.to_string())
    };
    parse(pattern)
        .or_else(|error| parse(&escape_braces(&without_comments(pattern))).map_err(|_| error))
        .map_err(|error| format!("its expression does not compile: {error}"))
}

/// A pattern without its `(?#comments)`.
fn without_comments(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some(start) = rest.find("(?#") {
        let Some(length) = rest[start..].find(')') else { break };
        out.push_str(&rest[..start]);
        rest = &rest[start + length + 1..];
    }
    out + rest
}

/// Escapes every `{` that does not start a repetition.
fn escape_braces(pattern: &str) -> String {
    let bytes = pattern.as_bytes();
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut escaped = false;
    for (at, c) in pattern.char_indices() {
        if c == '{' && !escaped && !is_repetition(&bytes[at + 1..]) {
            out.push('\\');
        }
        escaped = c == '\\' && !escaped;
        out.push(c);
    }
    out
}

fn is_repetition(rest: &[u8]) -> bool {
    let Some(end) = memchr::memchr(b'}', rest) else { return false };
    let inner = &rest[..end];
    let digits = inner.iter().take_while(|b| b.is_ascii_digit()).count();
    digits > 0
        && (digits == inner.len()
            || inner[digits] == b',' && inner[digits + 1..].iter().all(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_builtin_rule_compiles() {
        for spec in Rule::builtin() {
            let checked = Rule::new(Cow::Borrowed(spec)).and_then(|rule| rule.check());
            assert_eq!(checked, Ok(()), "{}", spec.id);
        }
    }

    #[test]
    fn ids_are_unique() {
        let mut known = std::collections::BTreeSet::new();
        for spec in Rule::builtin() {
            assert!(known.insert(&spec.id), "{} is used twice", spec.id);
        }
    }

    #[test]
    fn rules_of_secrets_say_how_their_form_is_known() {
        for spec in Rule::builtin() {
            let is_secret = Kind::from_label(&spec.kind).is_some_and(Kind::is_secret);
            assert!(!is_secret || !spec.source.is_empty(), "{} has no source", spec.id);
        }
    }

    #[test]
    fn rules_find_their_examples_and_not_their_counterexamples() {
        let mut wrong = Vec::new();
        for (id, examples, counterexamples) in builtin::examples() {
            let redactor = crate::Redactor::only(&id);
            let finds = |text: &str| !redactor.scan_text(text.as_bytes()).is_clean();
            wrong.extend(
                examples
                    .iter()
                    .filter(|text| !finds(text))
                    .map(|text| format!("{id} misses {text}")),
            );
            wrong.extend(
                counterexamples
                    .iter()
                    .filter(|text| finds(text))
                    .map(|text| format!("{id} finds {text}")),
            );
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    /// A text whose findings are found one a look is withheld, so many of a kind must not be.
    #[test]
    fn examples_in_a_row_are_found_in_a_few_looks() {
        let redactor = crate::Redactor::builtin();
        let mut withheld = Vec::new();
        let all = builtin::examples();
        for (id, examples, _) in &all {
            for (example, between) in examples.iter().flat_map(|one| [(one, " "), (one, ", ")]) {
                let text = [&**example; 12].join(between);
                if redactor.scan_text(text.as_bytes()).withheld() {
                    withheld.push(format!("{id}: {example:?} with {between:?} between"));
                }
            }
        }
        let all: Vec<&str> =
            all.iter().flat_map(|(_, examples, _)| examples).map(|text| &**text).collect();
        for (step, between) in [(1, " "), (7, "\n"), (13, ", "), (101, " "), (31, "\" \"")] {
            let mixed: Vec<&str> =
                (0..all.len()).map(|index| all[index * step % all.len()]).collect();
            for text in mixed.chunks(50).map(|some| some.join(between)) {
                if redactor.scan_text(text.as_bytes()).withheld() {
                    withheld.push(format!("every {step}th with {between:?} between: {text}"));
                }
            }
        }
        assert!(withheld.is_empty(), "{withheld:#?}");
    }

    #[test]
    fn braces_that_repeat_nothing_are_literal() {
        for (pattern, yes) in [(r"^\$(?:\d+|{\d+})$", "${12}"), (r"import[ \t]+{", "import {")] {
            assert!(compile(pattern).unwrap().is_match(yes.as_bytes()), "{pattern}");
        }
        assert!(!compile("a{2}").unwrap().is_match(b"a"));
    }
}
