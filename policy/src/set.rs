//! The compiled policy.
//!
//! Owns: all rules of all layers, indexed by action, and their evaluation.
//! Accepts: a preset, layers, facts. Emits: decisions. Promises: `Send + Sync`, immutable but for
//! its cache; a matching rule always wins; what cannot be evaluated is blocked.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use cedar_policy::{Authorizer, Entities, Policy, PolicyId, Request, Response, Schema, Validator};

use crate::action::{Action, COUNT};
use crate::cache::Cache;
use crate::decision::{Decision, Effect, FiredRule, Severity};
use crate::error::PolicyError;
use crate::facts::Facts;
use crate::layer::{self, Layer, LayerKind, Mentions, Rule};
use crate::preset::Preset;
use crate::request::{Lifts, Vocabulary, projected};
use crate::schema;

/// What allows everything that no rule forbids.
const PERMIT: &str = "permit (principal, action, resource);";
/// Most rules of all layers together.
const MAX_RULES: usize = 4000;

/// What a policy is compiled from.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options<'a> {
    /// Which built-in rules apply.
    pub preset: Preset,
    /// The policy files, in any order: they only tighten, so the order changes nothing.
    pub layers: &'a [Layer],
    /// Ids of built-in rules that do not apply.
    pub disabled: &'a [String],
}

/// A compiled policy.
#[derive(Debug)]
pub struct PolicySet {
    authorizer: Authorizer,
    vocabulary: Vocabulary,
    rules: Vec<Rule>,
    /// For each action the rules about it, if there are any.
    by_action: Vec<Option<Prepared>>,
    observes: bool,
    cache: Cache,
}

/// The rules about some actions.
#[derive(Debug)]
struct Candidates {
    policies: cedar_policy::PolicySet,
    mentions: Mentions,
}

/// What is known of an action beforehand.
#[derive(Debug)]
struct Prepared {
    candidates: Arc<Candidates>,
    /// The entities where no rule looks at a tool's server.
    entities: Entities,
}

/// The rules that fired in one evaluation.
struct Evaluation {
    fired: BTreeSet<usize>,
    failed: BTreeSet<usize>,
}

impl PolicySet {
    /// Compiles a preset and layers.
    ///
    /// # Errors
    /// The first layer that does not parse, validate or keep to what a layer may hold, with its
    /// place. Nothing is compiled then.
    pub fn compile(preset: Preset, layers: &[Layer]) -> Result<Self, PolicyError> {
        Self::compile_with(&Options { preset, layers, disabled: &[] })
    }

    /// Compiles with all options.
    ///
    /// # Errors
    /// As [`PolicySet::compile`]; and a disabled rule that does not exist.
    pub fn compile_with(options: &Options<'_>) -> Result<Self, PolicyError> {
        let vocabulary = Vocabulary::new()?;
        let mut rules = builtin_rules(options, &vocabulary)?;
        if !options.layers.is_empty() {
            let validator = validator()?;
            for layer in options.layers {
                let kind = layer.kind;
                let read =
                    layer::read(kind, &layer.path, &layer.text, &vocabulary, Some(&validator))?;
                rules.extend(read);
                check_total(&layer.path, rules.len())?;
            }
        }
        let by_action = index(&rules, &vocabulary)?;
        Ok(Self {
            authorizer: Authorizer::new(),
            vocabulary,
            rules,
            by_action,
            observes: options.preset == Preset::Observe,
            cache: Cache::new(),
        })
    }

    /// The Cedar schema that every policy is validated against.
    pub fn schema() -> &'static str {
        schema::text()
    }

    /// The ids of all rules with their layers, in the order they were read.
    pub fn rules(&self) -> impl Iterator<Item = (&Arc<str>, LayerKind)> {
        self.rules.iter().map(|rule| (&rule.id, rule.layer))
    }

    /// Decides. The same facts always get the same decision.
    pub fn decide(&self, facts: &Facts) -> Arc<Decision> {
        let action = Action::of(&facts.method, facts.phase);
        let Some(prepared) = &self.by_action[action.index()] else {
            return Arc::new(Decision::allow());
        };
        let facts = projected(facts, prepared.candidates.mentions);
        if let Some(decision) = self.cache.get(&facts) {
            return decision;
        }
        let decision = Arc::new(self.evaluate(&facts, action, prepared));
        self.cache.put(facts, Arc::clone(&decision));
        decision
    }

    /// Decides without looking at what was decided before.
    pub fn decide_uncached(&self, facts: &Facts) -> Decision {
        let action = Action::of(&facts.method, facts.phase);
        self.by_action[action.index()]
            .as_ref()
            .map_or_else(Decision::allow, |prepared| self.evaluate(facts, action, prepared))
    }

    fn evaluate(&self, facts: &Facts, action: Action, prepared: &Prepared) -> Decision {
        let candidates = &*prepared.candidates;
        let mentions = candidates.mentions;
        let own;
        let entities = if mentions.server && action.on_tool() {
            own = self.vocabulary.entities(Some(facts), action);
            let Some(entities) = &own else { return self.unusable() };
            entities
        } else {
            &prepared.entities
        };
        let evaluate = |lifts: Lifts| {
            // What never waits for a person counts as confirmed.
            let confirmed = lifts.confirmed || !action.waits();
            let lifts = Lifts { confirmed, ..lifts };
            let request = self.vocabulary.request(facts, action, lifts, mentions)?;
            self.ask(&request, candidates, entities)
        };
        let Some(base) = evaluate(Lifts::default()) else { return self.unusable() };
        if base.fired.is_empty() && base.failed.is_empty() {
            return Decision::allow();
        }
        let mut fired: Vec<(usize, Effect)> =
            base.fired.iter().map(|&rule| (rule, Effect::Block)).collect();
        let mut failed = base.failed;
        let lifts = [
            (mentions.has("intent"), Effect::NeedInfo, Lifts { intent: true, ..Lifts::default() }),
            (
                mentions.has("user_confirmed"),
                Effect::Confirm,
                Lifts { confirmed: true, ..Lifts::default() },
            ),
            (
                mentions.has("redacted"),
                Effect::Redact,
                Lifts { redacted: true, ..Lifts::default() },
            ),
        ];
        // From the most to the least severe, so that the mildest thing that lifts a rule stays.
        for (mentioned, effect, lift) in lifts {
            if !mentioned || base.fired.is_empty() {
                continue;
            }
            let Some(lifted) = evaluate(lift) else { return self.unusable() };
            for (rule, found) in fired.iter_mut().take(base.fired.len()) {
                if !lifted.fired.contains(rule) {
                    *found = effect;
                }
            }
            // A rule that only fires once another is lifted cannot be lifted itself.
            let newly = lifted.fired.difference(&base.fired);
            fired.extend(newly.map(|&rule| (rule, Effect::Block)));
            failed.extend(lifted.failed);
        }
        self.conclude(&fired, &failed)
    }

    fn ask(
        &self,
        request: &Request,
        candidates: &Candidates,
        entities: &Entities,
    ) -> Option<Evaluation> {
        let response = self.authorizer.is_authorized(request, &candidates.policies, entities);
        let failed = failed_rules(&response)?;
        let fired = match response.decision() {
            cedar_policy::Decision::Allow => BTreeSet::new(),
            cedar_policy::Decision::Deny => {
                response.diagnostics().reason().map(rule_number).collect::<Option<_>>()?
            }
        };
        // A denial that no rule explains must not look like nothing.
        let explained = response.decision() == cedar_policy::Decision::Allow
            || !fired.is_empty()
            || !failed.is_empty();
        explained.then_some(Evaluation { fired, failed })
    }

    fn conclude(&self, fired: &[(usize, Effect)], failed: &BTreeSet<usize>) -> Decision {
        let mut rules: Vec<FiredRule> = Vec::with_capacity(fired.len() + failed.len());
        let mut need_fields = BTreeSet::new();
        for &(number, effect) in fired {
            let Some(rule) = self.rules.get(number) else { return self.unusable() };
            if effect == Effect::NeedInfo {
                need_fields.extend(rule.need_fields.iter().cloned());
            }
            let known =
                rules.iter_mut().find(|known| known.id == rule.id && known.layer == rule.layer);
            match known {
                Some(known) => known.effect = known.effect.max(effect),
                None => rules.push(fired_rule(rule, effect)),
            }
        }
        rules.extend(failed.iter().filter_map(|&number| self.rules.get(number)).map(failed_rule));
        self.decision(rules, need_fields.into_iter().collect())
    }

    fn decision(&self, mut rules: Vec<FiredRule>, need_fields: Vec<Arc<str>>) -> Decision {
        rules.sort_by(|a, b| b.effect.cmp(&a.effect).then_with(|| a.id.cmp(&b.id)));
        let most = |rules: &mut dyn Iterator<Item = &FiredRule>| {
            rules.map(|rule| rule.effect).max().unwrap_or(Effect::Allow)
        };
        let enforced = |rule: &&FiredRule| !self.observes || holds_when_observing(rule);
        let wanted = most(&mut rules.iter());
        let effect = most(&mut rules.iter().filter(enforced));
        let redact = rules.iter().filter(enforced).any(|rule| rule.effect == Effect::Redact);
        Decision { effect, wanted, enforced: effect == wanted, redact, rules, need_fields }
    }

    /// What cannot even be put into words is blocked.
    fn unusable(&self) -> Decision {
        let rule = FiredRule {
            id: Arc::from("builtin.evaluation"),
            layer: LayerKind::Builtin,
            reason: Arc::from("the policy could not be evaluated"),
            severity: Severity::Critical,
            effect: Effect::Block,
        };
        self.decision(vec![rule], Vec::new())
    }
}

/// What is enforced even by a preset that only observes.
fn holds_when_observing(rule: &FiredRule) -> bool {
    rule.layer == LayerKind::Organisation
        || (rule.effect == Effect::Block && rule.severity == Severity::Critical)
}

fn fired_rule(rule: &Rule, effect: Effect) -> FiredRule {
    FiredRule {
        id: Arc::clone(&rule.id),
        layer: rule.layer,
        reason: Arc::clone(&rule.reason),
        severity: rule.severity,
        effect,
    }
}

fn failed_rule(rule: &Rule) -> FiredRule {
    FiredRule {
        reason: Arc::from(format!("the rule {} could not be evaluated", rule.id)),
        severity: Severity::Critical,
        ..fired_rule(rule, Effect::Block)
    }
}

fn failed_rules(response: &Response) -> Option<BTreeSet<usize>> {
    response
        .diagnostics()
        .errors()
        .map(|error| match error {
            cedar_policy::AuthorizationError::PolicyEvaluationError(error) => {
                rule_number(error.policy_id())
            }
        })
        .collect()
}

fn rule_number(id: &PolicyId) -> Option<usize> {
    let id: &str = id.as_ref();
    id.parse().ok()
}

fn validator() -> Result<Validator, PolicyError> {
    let (schema, _warnings) = Schema::from_cedarschema_str(schema::text())
        .map_err(|error| PolicyError::Builtin(format!("the schema: {error}")))?;
    Ok(Validator::new(schema))
}

fn builtin_rules(options: &Options<'_>, vocabulary: &Vocabulary) -> Result<Vec<Rule>, PolicyError> {
    let mut rules = Vec::new();
    for (name, text) in options.preset.files() {
        rules.extend(layer::read(LayerKind::Builtin, Path::new(name), text, vocabulary, None)?);
    }
    check_disabled(options, vocabulary)?;
    rules.retain(|rule| !options.disabled.iter().any(|id| **id == *rule.id));
    Ok(rules)
}

/// Disabling a rule of another preset is no error: the preset may be changed and changed back.
fn check_disabled(options: &Options<'_>, vocabulary: &Vocabulary) -> Result<(), PolicyError> {
    if options.disabled.is_empty() {
        return Ok(());
    }
    let mut known = BTreeSet::new();
    for (name, text) in Preset::ALL.iter().flat_map(|preset| preset.files()) {
        let rules = layer::read(LayerKind::Builtin, Path::new(name), text, vocabulary, None)?;
        known.extend(rules.into_iter().map(|rule| rule.id));
    }
    match options.disabled.iter().find(|id| !known.contains(id.as_str())) {
        Some(id) => Err(PolicyError::UnknownRule {
            id: id.chars().take(128).collect(),
            hint: format!("one of {}", known.into_iter().collect::<Vec<_>>().join(", ")),
        }),
        None => Ok(()),
    }
}

fn check_total(path: &Path, actual: usize) -> Result<(), PolicyError> {
    if actual <= MAX_RULES {
        return Ok(());
    }
    Err(PolicyError::TooLarge {
        path: path.to_owned(),
        what: "the number of rules of all layers",
        actual,
        limit: MAX_RULES,
    })
}

/// Puts the rules about each action together; actions with the same rules share them.
fn index(rules: &[Rule], vocabulary: &Vocabulary) -> Result<Vec<Option<Prepared>>, PolicyError> {
    let mut known: HashMap<Vec<usize>, Arc<Candidates>> = HashMap::new();
    let mut by_action = Vec::with_capacity(COUNT);
    for action in Action::all() {
        let numbers: Vec<usize> = rules
            .iter()
            .enumerate()
            .filter(|(_, rule)| rule.covers(vocabulary, action))
            .map(|(number, _)| number)
            .collect();
        if numbers.is_empty() {
            by_action.push(None);
            continue;
        }
        let candidates = match known.get(&numbers) {
            Some(candidates) => Arc::clone(candidates),
            None => Arc::new(candidates(rules, &numbers)?),
        };
        known.insert(numbers, Arc::clone(&candidates));
        let entities = vocabulary
            .entities(None, action)
            .ok_or_else(|| PolicyError::Builtin("the actions cannot be made".to_owned()))?;
        by_action.push(Some(Prepared { candidates, entities }));
    }
    Ok(by_action)
}

fn candidates(rules: &[Rule], numbers: &[usize]) -> Result<Candidates, PolicyError> {
    let broken = |error: &dyn std::fmt::Display| PolicyError::Builtin(error.to_string());
    let permit = Policy::parse(Some(PolicyId::new("permit")), PERMIT).map_err(|e| broken(&e))?;
    let mut policies =
        cedar_policy::PolicySet::from_policies([permit]).map_err(|error| broken(&error))?;
    let mut mentions = Mentions::default();
    for &number in numbers {
        let rule = &rules[number];
        let policy = rule.policy.new_id(PolicyId::new(number.to_string()));
        policies.add(policy).map_err(|error| broken(&error))?;
        mentions = mentions.and(rule.mentions);
    }
    Ok(Candidates { policies, mentions })
}

#[cfg(test)]
mod tests;
