//! Owns what is told of rules.
//! Accepts a rule's id; emits what lists and explanations show; promises that nothing is compiled.

use super::Redactor;
use crate::rule::{Rule, Text};
use crate::{Confidence, Kind, RuleId};

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

impl Redactor {
    /// All there is to say about a rule.
    pub fn rule_details(&self, id: &str) -> Option<RuleDetails> {
        let rule = self.tables.rules.iter().find(|rule| rule.id.as_str() == id)?;
        let owned = |texts: &[Text]| texts.iter().map(|text| Box::from(&**text)).collect();
        let (examples, counterexamples) = rule.examples();
        let is_expression = rule.detector.is_none() && !rule.spec.pattern.is_empty();
        Some(RuleDetails {
            info: rule.info(),
            expression: is_expression.then(|| Box::from(&*rule.spec.pattern)),
            path: rule.spec.path.as_deref().map(Box::from),
            keywords: owned(&rule.spec.keywords),
            entropy: rule.spec.entropy,
            validator: Some(&*rule.spec.validator).filter(|name| !name.is_empty()).map(Box::from),
            examples: owned(&examples),
            counterexamples: owned(&counterexamples),
        })
    }

    /// Every rule, built-in and read.
    pub fn rules(&self) -> impl Iterator<Item = RuleInfo> {
        self.tables.rules.iter().map(Rule::info)
    }
}
