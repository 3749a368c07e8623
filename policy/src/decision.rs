//! What is to be done with an operation, and why.
//!
//! Owns: effects, severities and the trace of the rules that fired. Plain data.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::Serialize;

use crate::layer::LayerKind;

/// What is to be done with an operation. Ordered by severity: of several effects the greatest
/// holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Forward the bytes that came.
    Allow,
    /// Forward the redacted copy.
    Redact,
    /// Ask the user.
    Confirm,
    /// Refuse, saying what the caller has to add.
    NeedInfo,
    /// Refuse.
    Block,
}

impl Effect {
    /// The name used in records and metric labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Redact => "redact",
            Self::Confirm => "confirm",
            Self::NeedInfo => "need-info",
            Self::Block => "block",
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How bad it is if the rule is right. A rule that does not say is taken as high.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// A nuisance.
    Low,
    /// Harm that can be undone.
    Medium,
    /// Harm that cannot be undone.
    High,
    /// Known to be bad; enforced even where a preset only observes.
    Critical,
}

impl Severity {
    /// The name used in policies, records and metric labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl FromStr for Severity {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "low" => Ok(Self::Low),
            "medium" => Ok(Self::Medium),
            "high" => Ok(Self::High),
            "critical" => Ok(Self::Critical),
            _ => Err(()),
        }
    }
}

/// A rule that matched the facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FiredRule {
    /// The rule's `@id`, or `file:line` where it has none.
    pub id: Arc<str>,
    /// Where the rule comes from.
    pub layer: LayerKind,
    /// The rule's `@reason`, fit to be shown to a user and to a model.
    pub reason: Arc<str>,
    /// The rule's `@severity`.
    pub severity: Severity,
    /// What this rule alone asks for.
    pub effect: Effect,
}

/// What is to be done with an operation, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// What is to be done.
    pub effect: Effect,
    /// What the rules asked for. Differs from `effect` only where a preset observes.
    pub wanted: Effect,
    /// Whether `effect` is all that the rules asked for.
    pub enforced: bool,
    /// Forward the redacted copy if the operation goes through, whatever else `effect` asks for.
    pub redact: bool,
    /// The rules that fired, most severe effect first, then by id.
    pub rules: Vec<FiredRule>,
    /// What the caller has to add, for [`Effect::NeedInfo`]: names as the cloud service uses them,
    /// such as `context.agent.intent`.
    pub need_fields: Vec<Arc<str>>,
}

impl Decision {
    /// The decision where no rule fired.
    pub fn allow() -> Self {
        Self {
            effect: Effect::Allow,
            wanted: Effect::Allow,
            enforced: true,
            redact: false,
            rules: Vec::new(),
            need_fields: Vec::new(),
        }
    }

    /// The worst severity among the rules that fired.
    pub fn severity(&self) -> Option<Severity> {
        self.rules.iter().map(|rule| rule.severity).max()
    }

    /// The reasons of the rules that fired, in their order.
    pub fn reasons(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(|rule| &*rule.reason)
    }
}
