//! Policy files.
//!
//! Owns: layers, and turning the text of a file into checked rules.
//! Accepts: text of any origin, the workspace's included. Emits: [`Rule`]s, or an error with file,
//! line and column.
//! Promises: a file is taken whole or not at all; every rule only forbids; every misspelling that
//! would make a rule never match is an error; depth, length and number are bounded before the text
//! reaches the parser.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cedar_policy::{ActionConstraint, Effect, Policy, PolicyId, Validator};
use miette::Diagnostic;
use serde::Serialize;

use crate::action::Action;
use crate::decision::Severity;
use crate::error::{Place, PolicyError};
use crate::request::{ATTRIBUTES, Vocabulary};

/// Largest policy file, in bytes.
const MAX_FILE: usize = 256 * 1024;
/// Most rules in a file.
const MAX_RULES: usize = 1000;
/// Longest rule, in bytes. The evaluator recurses along chains of operators, so that the length
/// bounds the depth.
const MAX_RULE: usize = 8 * 1024;
/// Deepest nesting of brackets in a rule.
const MAX_NESTING: usize = 32;
/// Annotations that a rule may carry.
const ANNOTATIONS: [&str; 5] = ["id", "reason", "severity", "need_fields", "description"];
/// What a rule with `context has intent` asks for where it does not say.
const NEEDS: &str = "context.agent.intent";

/// Where a rule comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LayerKind {
    /// The program itself.
    Builtin,
    /// A file that only an administrator can write.
    Organisation,
    /// A file of the user.
    User,
    /// A file of the workspace: whoever wrote the repository.
    Workspace,
}

impl LayerKind {
    /// The name used in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Builtin => "builtin",
            Self::Organisation => "organisation",
            Self::User => "user",
            Self::Workspace => "workspace",
        }
    }
}

/// A policy file.
#[derive(Debug, Clone)]
pub struct Layer {
    /// Where it comes from.
    pub kind: LayerKind,
    /// Its path, for messages.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

/// A checked rule.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) policy: Policy,
    pub(crate) id: Arc<str>,
    pub(crate) layer: LayerKind,
    pub(crate) reason: Arc<str>,
    pub(crate) severity: Severity,
    pub(crate) need_fields: Vec<Arc<str>>,
    pub(crate) mentions: Mentions,
    scope: ActionConstraint,
}

/// What a rule looks at, as its text tells. May say too much, never too little.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Mentions {
    /// The attributes of the context, by their place in [`ATTRIBUTES`].
    attributes: u32,
    /// Whether a tool's server matters.
    pub(crate) server: bool,
}

impl Mentions {
    /// Of the text of a rule.
    fn of(text: &str) -> Self {
        Self::named(text).unwrap_or(Self { attributes: u32::MAX, server: true })
    }

    /// The attributes that are named plainly; `None` where a context is used in another way: as a
    /// whole, with a name as a string (which may hold escapes), or with spaces in between.
    fn named(text: &str) -> Option<Self> {
        let mut attributes = 0;
        for (at, word) in text.match_indices("context") {
            let rest = &text[at + word.len()..];
            let name = rest.strip_prefix('.').or_else(|| rest.strip_prefix(" has "))?;
            let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let name = &name[..end.unwrap_or(name.len())];
            let place = ATTRIBUTES.iter().position(|known| *known == name)?;
            attributes |= 1 << place;
        }
        Some(Self { attributes, server: text.contains("Server") })
    }

    /// Of a rule that looks at everything.
    #[cfg(test)]
    pub(crate) fn everything() -> Self {
        Self { attributes: u32::MAX, server: true }
    }

    /// What this or `other` looks at.
    pub(crate) fn and(self, other: Self) -> Self {
        Self { attributes: self.attributes | other.attributes, server: self.server || other.server }
    }

    /// Whether an attribute is looked at.
    pub(crate) fn has(self, name: &str) -> bool {
        ATTRIBUTES.iter().position(|known| *known == name).is_none_or(|at| self.has_at(at))
    }

    /// Whether the attribute at a place in [`ATTRIBUTES`] is looked at.
    pub(crate) fn has_at(self, at: usize) -> bool {
        self.attributes >> at & 1 == 1
    }
}

impl Rule {
    /// Whether the rule is about an action.
    pub(crate) fn covers(&self, vocabulary: &Vocabulary, action: Action) -> bool {
        match &self.scope {
            ActionConstraint::Any => true,
            ActionConstraint::Eq(id) => vocabulary.covers(id, action),
            ActionConstraint::In(ids) => ids.iter().any(|id| vocabulary.covers(id, action)),
        }
    }
}

/// One file while it is read.
struct Reader<'a> {
    kind: LayerKind,
    path: &'a Path,
    text: &'a str,
    statements: Vec<Range<usize>>,
}

/// Reads a file. Without a validator only the syntax is checked (for the built-in files, which a
/// test validates).
pub(crate) fn read(
    kind: LayerKind,
    path: &Path,
    text: &str,
    vocabulary: &Vocabulary,
    validator: Option<&Validator>,
) -> Result<Vec<Rule>, PolicyError> {
    limit(path, "the size in bytes", text.len(), MAX_FILE)?;
    let statements = statements(path, text)?;
    let reader = Reader { kind, path, text, statements };
    let set: cedar_policy::PolicySet =
        text.parse().map_err(|error: cedar_policy::ParseErrors| reader.syntax(&error))?;
    if let Some(template) = set.templates().next() {
        return Err(reader.rule(
            reader.start(template.id()),
            "a template cannot be used, there is nothing to link it with",
            Some("write the principal or resource out"),
        ));
    }
    if let Some(validator) = validator {
        reader.validate(&set, validator)?;
    }
    let mut policies: Vec<&Policy> = set.policies().collect();
    policies.sort_by_key(|policy| number(policy.id()));
    let mut rules = Vec::with_capacity(policies.len());
    let mut seen = BTreeMap::new();
    for policy in policies {
        let rule = reader.check(policy, vocabulary)?;
        if seen.insert(Arc::clone(&rule.id), ()).is_some() {
            let message = format!("the id {:?} is used twice in this file", rule.id);
            return Err(reader.rule(reader.start(policy.id()), &message, None));
        }
        rules.push(rule);
    }
    Ok(rules)
}

impl Reader<'_> {
    fn validate(
        &self,
        set: &cedar_policy::PolicySet,
        validator: &Validator,
    ) -> Result<(), PolicyError> {
        let result = validator.validate(set, cedar_policy::ValidationMode::Strict);
        let place = |offset| Place::of(self.path, self.text, offset);
        if let Some(error) = result.validation_errors().next() {
            return Err(PolicyError::Schema {
                place: place(offset(error).unwrap_or_else(|| self.start(error.policy_id()))),
                message: plain(&error.to_string()),
                hint: error.help().map(|help| help.to_string()),
            });
        }
        // A warning is a rule that can never match, or one that reads as another than it is.
        if let Some(warning) = result.validation_warnings().next() {
            return Err(PolicyError::Schema {
                place: place(offset(warning).unwrap_or(0)),
                message: plain(&warning.to_string()),
                hint: warning.help().map(|help| help.to_string()),
            });
        }
        Ok(())
    }

    fn check(&self, policy: &Policy, vocabulary: &Vocabulary) -> Result<Rule, PolicyError> {
        let start = self.start(policy.id());
        if policy.effect() == Effect::Permit {
            return Err(self.rule(
                start,
                "a layer cannot permit: everything is allowed that no rule forbids",
                Some("narrow the rule that forbids, or switch a built-in rule off in the settings"),
            ));
        }
        self.check_annotations(policy, start)?;
        let place = Place::of(self.path, self.text, start);
        let id = self.id(policy, start, &place)?;
        let text = self.statement(policy.id());
        let rule = Rule {
            policy: policy.clone(),
            layer: self.kind,
            reason: Arc::from(
                policy
                    .annotation("reason")
                    .map_or_else(|| format!("the rule {id} forbids it"), str::to_owned),
            ),
            id,
            severity: self.severity(policy, start)?,
            need_fields: policy
                .annotation("need_fields")
                .unwrap_or(NEEDS)
                .split(',')
                .map(|field| Arc::from(field.trim()))
                .collect(),
            mentions: Mentions::of(text),
            scope: policy.action_constraint(),
        };
        self.check_question(&rule, start, vocabulary)?;
        Ok(rule)
    }

    fn check_annotations(&self, policy: &Policy, start: usize) -> Result<(), PolicyError> {
        match policy.annotations().find(|(name, _)| !ANNOTATIONS.contains(name)) {
            Some((name, _)) => Err(self.rule(
                start,
                &format!("there is no annotation @{name}"),
                Some("a rule may carry @id, @reason, @severity, @need_fields and @description"),
            )),
            None => Ok(()),
        }
    }

    fn id(&self, policy: &Policy, start: usize, place: &Place) -> Result<Arc<str>, PolicyError> {
        match policy.annotation("id") {
            Some(id) if id.starts_with("builtin.") && self.kind != LayerKind::Builtin => {
                Err(self.rule(start, "ids that start with `builtin.` are taken", None))
            }
            Some(id) if id.is_empty() || id.len() > 128 || id.contains(char::is_control) => {
                Err(self.rule(start, "an id has 1 to 128 bytes and no control characters", None))
            }
            Some(id) => Ok(Arc::from(id)),
            None => {
                let name = self.path.file_name().unwrap_or_default().to_string_lossy();
                Ok(Arc::from(format!("{name}:{}", place.line)))
            }
        }
    }

    fn severity(&self, policy: &Policy, start: usize) -> Result<Severity, PolicyError> {
        policy.annotation("severity").map_or(Ok(Severity::High), |text| {
            text.parse().map_err(|()| {
                self.rule(
                    start,
                    &format!("there is no severity {text:?}"),
                    Some("one of low, medium, high, critical"),
                )
            })
        })
    }

    /// A question about what never waits for a person would never be asked.
    fn check_question(
        &self,
        rule: &Rule,
        start: usize,
        vocabulary: &Vocabulary,
    ) -> Result<(), PolicyError> {
        let any = matches!(rule.scope, ActionConstraint::Any);
        if any || !rule.mentions.has("user_confirmed") {
            return Ok(());
        }
        let waits = Action::all().any(|action| action.waits() && rule.covers(vocabulary, action));
        if waits {
            return Ok(());
        }
        Err(self.rule(
            start,
            "handshakes, lists and notifications never wait for the user",
            Some("leave `user_confirmed` out to block, or ask about tools/call"),
        ))
    }

    fn syntax(&self, errors: &cedar_policy::ParseErrors) -> PolicyError {
        let first = errors.iter().next();
        let at = first.and_then(|error| offset(error)).or_else(|| offset(errors)).unwrap_or(0);
        PolicyError::Syntax {
            place: Place::of(self.path, self.text, at),
            message: plain(&first.map_or_else(|| errors.to_string(), ToString::to_string)),
            hint: first.and_then(Diagnostic::help).map(|help| help.to_string()),
        }
    }

    fn rule(&self, at: usize, message: &str, hint: Option<&str>) -> PolicyError {
        PolicyError::Rule {
            place: Place::of(self.path, self.text, at),
            message: message.to_owned(),
            hint: hint.map(str::to_owned),
        }
    }

    fn start(&self, id: &PolicyId) -> usize {
        self.statements.get(number(id)).map_or(0, |range| range.start)
    }

    fn statement(&self, id: &PolicyId) -> &str {
        // A statement that is not found is taken to mention everything.
        self.statements.get(number(id)).map_or(self.text, |range| &self.text[range.clone()])
    }
}

/// Cedar numbers the policies of a text `policy0`, `policy1`, … in their order.
fn number(id: &PolicyId) -> usize {
    let id: &str = id.as_ref();
    id.strip_prefix("policy").and_then(|n| n.parse().ok()).unwrap_or(usize::MAX)
}

fn offset(error: &dyn Diagnostic) -> Option<usize> {
    error.labels()?.map(|label| label.offset()).next()
}

/// A message without the inner names of policies.
fn plain(message: &str) -> String {
    let message = message
        .strip_prefix("for policy `")
        .map_or(message, |rest| rest.split_once("`, ").map_or(message, |(_, message)| message));
    message.chars().take(600).collect()
}

fn limit(path: &Path, what: &'static str, actual: usize, limit: usize) -> Result<(), PolicyError> {
    if actual <= limit {
        return Ok(());
    }
    Err(PolicyError::TooLarge { path: path.to_owned(), what, actual, limit })
}

/// Cuts a text into its statements, each from its first character to its semicolon, and checks
/// their length, depth and number.
fn statements(path: &Path, text: &str) -> Result<Vec<Range<usize>>, PolicyError> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut start = None;
    let (mut at, mut depth) = (0, 0usize);
    while let Some(&byte) = bytes.get(at) {
        if bytes[at..].starts_with(b"//") {
            at += bytes[at..].iter().position(|&b| b == b'\n').unwrap_or(bytes.len() - at);
            continue;
        }
        let begin = at;
        at = if byte == b'"' { string_end(bytes, at + 1) } else { at + 1 };
        if byte.is_ascii_whitespace() {
            continue;
        }
        let from = *start.get_or_insert(begin);
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b';' => {
                found.push(from..at);
                start = None;
                depth = 0;
            }
            _ => {}
        }
        limit(path, "the nesting of a rule", depth, MAX_NESTING)?;
        limit(path, "the length of a rule in bytes", at - from, MAX_RULE)?;
        limit(path, "the number of rules", found.len(), MAX_RULES)?;
    }
    found.extend(start.map(|from| from..bytes.len()));
    Ok(found)
}

/// The position behind the quote that closes a string.
fn string_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}
