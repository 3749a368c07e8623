//! Owns the compiled rules and how they are made: the built-in ones, changed and extended as the
//! options say.
//! Accepts options; emits tables; promises to be cheap to build: nothing of the built-in rules is
//! compiled before it is needed.

use std::borrow::Cow;
use std::num::NonZeroUsize;
use std::sync::Arc;

use regex::bytes::Regex;

use super::Redactor;
use crate::action::Actions;
use crate::engine::Cutting;
use crate::finding::FingerprintKey;
use crate::options::{Options, RuleError, RuleFile};
use crate::prefilter::Prefilter;
use crate::rule::{Allow, DialectError, Rule, parse};

/// Most matchers that are code.
const MAX_DETECTORS: usize = 32;

/// An exception for all rules, or for those it names.
pub(super) struct SharedAllow {
    pub(super) rules: Vec<String>,
    pub(super) allow: Allow,
}

/// What redactors that differ only in their exceptions share.
pub(super) struct Tables {
    pub(super) rules: Vec<Rule>,
    pub(super) actions: Actions,
    /// The rule of each matcher that is code.
    pub(super) detectors: [Option<usize>; MAX_DETECTORS],
    pub(super) prefilter: Prefilter,
    pub(super) has_parts: bool,
    pub(super) allowlists: Vec<SharedAllow>,
    pub(super) allowed_values: Vec<Regex>,
    pub(super) fingerprint_key: Option<FingerprintKey>,
    pub(super) options: Options,
}

impl Redactor {
    /// The built-in rules with the default options.
    pub fn builtin() -> Redactor {
        Redactor::assemble(built_in().collect(), Vec::new(), Vec::new(), Options::default())
    }

    /// The built-in rules changed and extended as the options say.
    pub fn with_options(options: &Options) -> Result<Redactor, RuleError> {
        let mut rules: Vec<Rule> = built_in().collect();
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

    /// The rules of a file alone; those that are tried near words are tried everywhere if asked to.
    #[cfg(test)]
    pub(crate) fn of_file(text: &str, everywhere: bool) -> Redactor {
        let (mut rules, mut allowlists) = (Vec::new(), Vec::new());
        let file = RuleFile { name: "test.toml".to_owned(), text: text.to_owned() };
        extend(&mut rules, &mut allowlists, &file).unwrap();
        if everywhere {
            rules.iter_mut().for_each(|rule| rule.anchor = None);
        }
        Redactor::assemble(rules, allowlists, Vec::new(), Options::default())
    }

    /// One built-in rule alone.
    #[cfg(test)]
    pub(crate) fn only(id: &str) -> Redactor {
        let rules = built_in().filter(|rule| rule.id.as_str() == id).collect();
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
        let cutting = Cutting::new(NonZeroUsize::MIN);
        Redactor { tables: Arc::new(tables), exceptions: Vec::new(), cutting }
    }
}

/// The built-in rules, all of which the crate's tests check.
fn built_in() -> impl Iterator<Item = Rule> {
    Rule::builtin().filter_map(|spec| Rule::new(Cow::Borrowed(spec)).ok())
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
        let (id, line) = (spec.id.to_string(), spec.line);
        let rule = Rule::new(Cow::Owned(spec)).map_err(|problem| wrong(id, line, problem))?;
        rules.retain(|old| old.id != rule.id);
        rules.push(rule);
    }
    for spec in read.allowlists {
        let allow =
            Allow::new(&spec).map_err(|problem| wrong("allowlist".to_owned(), 0, problem))?;
        if let Some(allow) = allow {
            let rules = spec.rules.iter().map(ToString::to_string).collect();
            allowlists.push(SharedAllow { rules, allow });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
