//! Owns what a caller may choose: switched-off kinds and rules, extra rules, the fingerprint key,
//! budgets. Accepts plain data; emits nothing; promises nothing is read from disk or environment.

use std::collections::BTreeSet;
use std::fmt;

use thiserror::Error;

use crate::Kind;

/// A file of extra rules, in the dialect of gitleaks or ours, already read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleFile {
    /// How errors call it; usually its path.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// How much work one scan may cost before the text is withheld.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Longest input, in bytes.
    pub max_bytes: usize,
    /// Most findings in one input.
    pub max_findings: usize,
    /// Steps of close inspection per input byte; a step is about one byte looked at once.
    pub steps_per_byte: u64,
    /// Steps that every input has, however short.
    pub steps_base: u64,
    /// How deep encodings in encodings are followed.
    pub max_depth: u8,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget {
            max_bytes: 256 << 20,
            max_findings: 100_000,
            steps_per_byte: 256,
            steps_base: 4 << 20,
            max_depth: 5,
        }
    }
}

/// How a [`crate::Redactor`] is built.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Kinds that are not looked for.
    pub disabled_kinds: BTreeSet<Kind>,
    /// Kinds that are looked for though they are not by default; see [`Kind::is_opt_in`]. A kind that
    /// is disabled too stays off.
    pub enabled_kinds: BTreeSet<Kind>,
    /// Rules, by id, that are switched off.
    pub disabled_rules: BTreeSet<String>,
    /// Values that are never redacted, as regular expressions that must match the whole value.
    pub allowed_values: Vec<String>,
    /// Extra rules; a rule with the id of a built-in one replaces it.
    pub rule_files: Vec<RuleFile>,
    /// The key of the fingerprints; without one, findings carry none.
    pub fingerprint_key: Option<[u8; 32]>,
    /// What one scan may cost.
    pub budget: Budget,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("disabled_kinds", &self.disabled_kinds)
            .field("enabled_kinds", &self.enabled_kinds)
            .field("disabled_rules", &self.disabled_rules)
            .field("allowed_values", &self.allowed_values.len())
            .field("rule_files", &self.rule_files.iter().map(|f| &f.name).collect::<Vec<_>>())
            .field("fingerprint_key", &self.fingerprint_key.map(|_| "set"))
            .field("budget", &self.budget)
            .finish()
    }
}

/// Why rules could not be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RuleError {
    /// The file is not TOML.
    #[error("rule file {file} is not valid TOML: {detail}")]
    Syntax {
        /// The file's name.
        file: String,
        /// What the parser says, with line and column.
        detail: String,
    },
    /// A field of a rule has the wrong type or value.
    #[error("rule {rule} in {file}, line {line}: {problem}")]
    Rule {
        /// The file's name.
        file: String,
        /// The rule's id, or its number where it has none.
        rule: String,
        /// Where the rule starts, counted from 1; 0 where unknown.
        line: usize,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// An allowed value's expression does not compile.
    #[error("allowed value number {index} is not a regular expression: {detail}")]
    AllowedValue {
        /// Which one, counted from 1.
        index: usize,
        /// What the compiler says.
        detail: String,
    },
    /// An exception says too little, or what cannot be understood.
    #[error("redaction exception `{reason}`: {problem}")]
    Exception {
        /// Its reason, which tells it from others.
        reason: String,
        /// What is wrong.
        problem: String,
    },
    /// There are too many exceptions.
    #[error("there are more than {most} redaction exceptions")]
    TooManyExceptions {
        /// The limit.
        most: usize,
    },
    /// A rule to switch off does not exist.
    #[error("there is no rule {rule}; `defenter redact --rules` lists them")]
    UnknownRule {
        /// The id.
        rule: String,
    },
}
