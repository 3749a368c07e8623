//! Owns the dialect of rule files: gitleaks' TOML and what we add to it.
//! Accepts the text of a file; emits [`RuleSpec`]s; promises that nothing is compiled or run here,
//! and that an error names the rule and the line. Also built into the build script, which turns
//! our own files into constants; it must not name anything of the crate.
//!
//! Added to the dialect of gitleaks 8.30 (`id`, `description`, `regex`, `keywords`, `entropy`,
//! `secretGroup`, `path`, `allowlists`, `required`): `kind`, `confidence`, `token` (an expression
//! that starts where a keyword stands), `value` (an expression for the whole value that is
//! assigned to a key with the keyword in its name), `near` (an expression for what stands soon
//! after a keyword), `detector` (a matcher that is code),
//! `validator`, `reach` (how far before its keyword a token may start),
//! `stride` (how far on the next look is made after a failed one, for expressions that look far),
//! `glued` (may stand inside a longer word), `source` (where the form is documented: an address, a
//! standard or manual, or `seen: ` and where else it is known from), `examples`,
//! `counterexamples`.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Serialize};
use toml_edit::{Document, Item, TableLike, Value};

/// A text that is either built in, where it stays, or read.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Text(#[serde(borrow)] Cow<'static, str>);

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<String> for Text {
    fn from(read: String) -> Text {
        Text(Cow::Owned(read))
    }
}

impl From<&'static str> for Text {
    fn from(built_in: &'static str) -> Text {
        Text(Cow::Borrowed(built_in))
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

/// How a rule finds its matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum How {
    /// The expression starts where one of the keywords stands.
    Token,
    /// The expression is for the whole value assigned to a key that has a keyword in its name.
    Value,
    /// The expression may match anywhere in a text that has one of the keywords (gitleaks).
    Anywhere,
    /// The expression may match in the line after one of the keywords, a few words away.
    Near,
    /// The pattern is the name of a matcher that is code.
    Detector,
}

/// What an exception is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Target {
    /// The secret.
    Secret,
    /// All that the expression matched.
    Match,
    /// The line of the match.
    Line,
}

/// When a match is not reported.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub(crate) struct AllowSpec {
    /// Rules it is for; empty for the one it stands in, or for all.
    pub(crate) rules: Vec<Text>,
    /// Whether all of its parts must hold (AND) or one is enough (OR).
    pub(crate) all: bool,
    /// What the expressions are compared with.
    pub(crate) target: Target,
    /// Expressions that match somewhere in the target.
    pub(crate) regexes: Vec<Text>,
    /// Words that the secret contains.
    pub(crate) stopwords: Vec<Text>,
    /// Expressions for the path of the scanned file.
    pub(crate) paths: Vec<Text>,
    /// Whether it also asks for a commit; what we scan has none.
    pub(crate) commits: bool,
}

/// Another rule that must match nearby.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub(crate) struct RequiredSpec {
    /// Its id.
    pub(crate) id: Text,
    /// At most so many lines away; anywhere where absent.
    pub(crate) within_lines: Option<u32>,
    /// At most so many columns away; anywhere where absent.
    pub(crate) within_columns: Option<u32>,
}

/// One rule as a file writes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub(crate) struct RuleSpec {
    /// Its unique name.
    pub(crate) id: Text,
    /// What it finds.
    pub(crate) description: Text,
    /// The label of the kind it finds.
    pub(crate) kind: Text,
    /// `low`, `medium` or `high`.
    pub(crate) confidence: Text,
    /// How it finds.
    pub(crate) how: How,
    /// The expression, or the detector's name; empty for a rule that is about paths only.
    pub(crate) pattern: Text,
    /// Lower-case words of which one must be in the text.
    pub(crate) keywords: Vec<Text>,
    /// Least Shannon entropy of the secret, in bits per byte; 0 for none.
    pub(crate) entropy: f64,
    /// The group of the expression that is the secret; 0 for the first that took part.
    pub(crate) secret_group: u32,
    /// The name of a validator; empty for none.
    pub(crate) validator: Text,
    /// The classes (see `gate`) of the first bytes of a token; built in, empty for rules read.
    pub(crate) gate: Vec<u16>,
    /// After a failed look, how many bytes further on the next one is made.
    pub(crate) stride: u32,
    /// How many bytes before the keyword a token may start.
    pub(crate) reach: u32,
    /// Whether it may stand inside a longer word.
    pub(crate) glued: bool,
    /// Where the form is documented, or how else it is known; empty for none.
    pub(crate) source: Text,
    /// An expression for the path of the scanned file; without an expression for its text, a
    /// file of such a path is a match as a whole. Never holds for a text without a path.
    pub(crate) path: Option<Text>,
    /// Its exceptions.
    pub(crate) allowlists: Vec<AllowSpec>,
    /// What else must match nearby.
    pub(crate) required: Vec<RequiredSpec>,
    /// Whether it is only reported as a part of another rule.
    pub(crate) skip_report: bool,
    /// Texts that it must find something in; empty for those built in, whose are kept apart.
    pub(crate) examples: Vec<Text>,
    /// Texts that it must find nothing in.
    pub(crate) counterexamples: Vec<Text>,
    /// The line where it starts, counted from 1.
    pub(crate) line: usize,
}

/// A whole file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct RuleFileSpec {
    /// Its rules.
    pub(crate) rules: Vec<RuleSpec>,
    /// Its exceptions for all rules, or for those they name.
    pub(crate) allowlists: Vec<AllowSpec>,
    /// Rules of the set it extends that it switches off.
    pub(crate) disabled: Vec<String>,
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DialectError {
    /// It is not TOML.
    Syntax(String),
    /// A rule is wrong: its id or number, its line (from 1), the problem.
    Rule(String, usize, String),
}

/// Reads a file.
pub(crate) fn parse(text: &str) -> Result<RuleFileSpec, DialectError> {
    let document =
        Document::parse(text).map_err(|error| DialectError::Syntax(error.to_string()))?;
    let root = document.as_table();
    let mut file = RuleFileSpec::default();
    for (index, table) in tables(root.get("rules")).into_iter().enumerate() {
        file.rules.push(rule(text, index, table)?);
    }
    for name in ["allowlist", "allowlists"] {
        for table in tables(root.get(name)) {
            file.allowlists.push(allowlist(table).map_err(|problem| {
                DialectError::Rule(name.to_owned(), line_of(text, table), problem)
            })?);
        }
    }
    if let Some(extend) = root.get("extend").and_then(Item::as_table_like) {
        file.disabled = strings(extend, "disabledRules")
            .map_err(|problem| DialectError::Rule("extend".to_owned(), 0, problem))?
            .iter()
            .map(ToString::to_string)
            .collect();
    }
    Ok(file)
}

fn rule(text: &str, index: usize, table: &dyn TableLike) -> Result<RuleSpec, DialectError> {
    let line = line_of(text, table);
    let id = match string(table, "id") {
        Ok(Some(id)) if !id.is_empty() => id,
        _ => {
            let problem = "has no id; give it a unique one".to_owned();
            return Err(DialectError::Rule(format!("number {}", index + 1), line, problem));
        }
    };
    let name = id.to_string();
    fields(id, line, table).map_err(|problem| DialectError::Rule(name, line, problem))
}

fn fields(id: Text, line: usize, table: &dyn TableLike) -> Result<RuleSpec, String> {
    let mut patterns = Vec::new();
    for (field, how) in [
        ("token", How::Token),
        ("value", How::Value),
        ("regex", How::Anywhere),
        ("near", How::Near),
        ("detector", How::Detector),
    ] {
        if let Some(pattern) = string(table, field)? {
            patterns.push((how, pattern));
        }
    }
    let path = string(table, "path")?;
    let (how, pattern) = match (patterns.len(), patterns.pop()) {
        (1, Some(only)) => only,
        (0, _) if path.is_some() => (How::Anywhere, Text::default()),
        (0, _) => {
            return Err("has none of regex, token, value, near, detector; give one".to_owned());
        }
        _ => return Err("has more than one of regex, token, value, near, detector".to_owned()),
    };
    let keywords: Vec<Text> = strings(table, "keywords")?
        .iter()
        .map(|keyword| Text::from(keyword.to_ascii_lowercase()))
        .collect();
    if matches!(how, How::Token | How::Value | How::Near) && keywords.is_empty() {
        return Err("a token, value or near rule needs keywords".to_owned());
    }
    let mut allowlists = Vec::new();
    for name in ["allowlist", "allowlists"] {
        for one in tables(table.get(name)) {
            allowlists.push(allowlist(one)?);
        }
    }
    let mut required = Vec::new();
    for one in tables(table.get("required")) {
        required.push(RequiredSpec {
            id: string(one, "id")?.ok_or("a required part has no id")?,
            within_lines: number(one, "withinLines")?,
            within_columns: number(one, "withinColumns")?,
        });
    }
    Ok(RuleSpec {
        id,
        description: string(table, "description")?.unwrap_or_default(),
        kind: string(table, "kind")?.unwrap_or(Text::from("secret")),
        confidence: string(table, "confidence")?.unwrap_or(Text::from("medium")),
        how,
        pattern,
        keywords,
        entropy: float(table, "entropy")?.unwrap_or(0.0),
        secret_group: number(table, "secretGroup")?.unwrap_or(0),
        validator: string(table, "validator")?.unwrap_or_default(),
        gate: Vec::new(),
        stride: number(table, "stride")?.unwrap_or(0),
        reach: number(table, "reach")?.unwrap_or(0),
        glued: boolean(table, "glued")?.unwrap_or(false),
        source: string(table, "source")?.unwrap_or_default(),
        path,
        allowlists,
        required,
        skip_report: boolean(table, "skipReport")?.unwrap_or(false),
        examples: strings(table, "examples")?,
        counterexamples: strings(table, "counterexamples")?,
        line,
    })
}

fn allowlist(table: &dyn TableLike) -> Result<AllowSpec, String> {
    let all = match string(table, "condition")?.as_deref() {
        None | Some("" | "OR" | "or" | "||") => false,
        Some("AND" | "and" | "&&") => true,
        Some(other) => return Err(format!("condition is {other}; it must be AND or OR")),
    };
    let target = match string(table, "regexTarget")?.as_deref() {
        None | Some("" | "secret") => Target::Secret,
        Some("match") => Target::Match,
        Some("line") => Target::Line,
        Some(other) => {
            return Err(format!("regexTarget is {other}; it must be secret, match or line"));
        }
    };
    Ok(AllowSpec {
        rules: strings(table, "targetRules")?,
        all,
        target,
        regexes: strings(table, "regexes")?,
        stopwords: strings(table, "stopwords")?,
        paths: strings(table, "paths")?,
        commits: !strings(table, "commits")?.is_empty(),
    })
}

/// The tables of an array of tables, of an array of inline tables, or of one table.
fn tables(item: Option<&Item>) -> Vec<&dyn TableLike> {
    match item {
        Some(Item::ArrayOfTables(array)) => {
            array.iter().map(|table| table as &dyn TableLike).collect()
        }
        Some(Item::Table(table)) => vec![table as &dyn TableLike],
        Some(Item::Value(Value::InlineTable(table))) => vec![table as &dyn TableLike],
        Some(Item::Value(Value::Array(array))) => array
            .iter()
            .filter_map(|value| value.as_inline_table().map(|table| table as &dyn TableLike))
            .collect(),
        _ => Vec::new(),
    }
}

fn line_of(text: &str, table: &dyn TableLike) -> usize {
    let start = table
        .iter()
        .filter_map(|(key, _)| table.key(key).and_then(toml_edit::Key::span))
        .map(|span| span.start)
        .min();
    start.map_or(0, |at| text.as_bytes()[..at].iter().filter(|&&b| b == b'\n').count() + 1)
}

fn string(table: &dyn TableLike, field: &str) -> Result<Option<Text>, String> {
    match table.get(field) {
        None => Ok(None),
        Some(item) => match item.as_str() {
            Some(text) => Ok(Some(Text::from(text.to_owned()))),
            None => Err(format!("{field} must be a string")),
        },
    }
}

fn boolean(table: &dyn TableLike, field: &str) -> Result<Option<bool>, String> {
    match table.get(field) {
        None => Ok(None),
        Some(item) => {
            item.as_bool().map(Some).ok_or_else(|| format!("{field} must be true or false"))
        }
    }
}

fn number(table: &dyn TableLike, field: &str) -> Result<Option<u32>, String> {
    match table.get(field) {
        None => Ok(None),
        Some(item) => item
            .as_integer()
            .and_then(|number| u32::try_from(number).ok())
            .map(Some)
            .ok_or_else(|| format!("{field} must be a whole number from 0")),
    }
}

fn float(table: &dyn TableLike, field: &str) -> Result<Option<f64>, String> {
    match table.get(field) {
        None => Ok(None),
        Some(item) => item
            .as_float()
            .or_else(|| item.as_integer().and_then(|n| i32::try_from(n).ok()).map(f64::from))
            .map(Some)
            .ok_or_else(|| format!("{field} must be a number")),
    }
}

fn strings(table: &dyn TableLike, field: &str) -> Result<Vec<Text>, String> {
    let Some(item) = table.get(field) else { return Ok(Vec::new()) };
    let wrong = || format!("{field} must be a list of strings");
    let array = item.as_array().ok_or_else(wrong)?;
    let texts = array.iter().map(|value| value.as_str().map(|s| Text::from(s.to_owned())));
    texts.collect::<Option<_>>().ok_or_else(wrong)
}
