//! `defenter explain`: what was seen and decided of one operation, and what redaction leaves alone
//! for a server.

use defenter_actors::{
    counted::Counted,
    house::Rules,
    redaction::{Redactors, ServerException},
};
use defenter_audit::{Entry, Record, find};
use serde::Serialize;

use crate::{
    Exit, Outcome,
    failure::{Failure, OrFail},
    here,
    terminal::{self, plain},
};

/// Something that redaction leaves alone.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct LeftAlone {
    /// By these rules; by any where there is none.
    rules: Vec<String>,
    /// Of these kinds; of any where there is none.
    kinds: Vec<String>,
    /// How many expressions and fingerprints tell the values; any value where there is none.
    values: usize,
    /// Why, redacted.
    reason: Option<String>,
    /// The setting that says so.
    setting: String,
    /// Where that is set.
    from: String,
}

pub(crate) fn operation(id: &str, json: bool) -> Outcome {
    let house = here::house(Vec::new())?;
    let entries = find(&house.paths.audit, id).or_fail(Exit::Failed)?;
    if entries.is_empty() {
        return Err(Failure::new(Exit::Failed, format!("no operation `{id}` is in the record"))
            .hint("`defenter audit tail` shows the latest; old ones are deleted when `audit.max_total_bytes` is reached"));
    }
    for entry in &entries {
        if json {
            terminal::say_json(entry)?;
        } else {
            terminal::say(&text(entry))?;
        }
    }
    Ok(Exit::Done)
}

fn text(entry: &Entry) -> String {
    let record = &entry.record;
    let mut lines = vec![
        format!("{} {} of {}", record.time, record.phase, plain(&record.method)),
        format!("  session:  {}", record.session),
        format!(
            "  between:  {} and {} ({})",
            plain(&record.client),
            plain(&record.server),
            record.direction
        ),
    ];
    if let Some(tool) = &record.tool {
        lines.push(format!("  about:    {}", plain(tool)));
    }
    lines.push(format!("  decision: {}{}", record.decision, wanted(record)));
    for rule in &record.rules {
        lines.push(format!("  rule:     {} ({}, {})", plain(&rule.id), rule.layer, rule.effect));
    }
    for reason in &record.reasons {
        lines.push(format!("  reason:   {}", plain(reason)));
    }
    for found in &record.findings {
        lines.push(format!("  found:    {} {}", found.count, found.kind));
    }
    for reason in &record.exceptions {
        lines.push(format!("  left alone, since: {}", plain(reason)));
    }
    if let Some(answer) = &record.answer {
        lines.push(format!("  user:     {answer}"));
    }
    lines.push(format!("  outcome:  {}", outcome(record)));
    lines.push(format!("  payload:  {}", Counted(record.size, "byte")));
    if let Some(payload) = &record.payload {
        lines.push(format!("  redacted: {}", plain(payload.get())));
    }
    lines.join("\n") + "\n"
}

fn wanted(record: &Record) -> String {
    record
        .wanted
        .as_ref()
        .map_or_else(String::new, |wanted| format!(" (the rules wanted {wanted})"))
}

fn outcome(record: &Record) -> String {
    serde_json::to_value(record.outcome)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}

pub(crate) fn server(name: &str, json: bool) -> Outcome {
    let rules = here::house(Vec::new())?.rules().or_fail(Exit::ConfigInvalid)?;
    let left = left_alone(&rules, name)?;
    if json {
        terminal::say_json(&left)?;
    } else if left.is_empty() {
        terminal::say(&format!("redaction leaves nothing alone for `{}`\n", plain(name)))?;
    } else {
        let lines: String = left.iter().map(LeftAlone::line).collect();
        terminal::say(&format!("redaction leaves alone for `{}`:\n{lines}", plain(name)))?;
    }
    Ok(Exit::Done)
}

fn left_alone(rules: &Rules, server: &str) -> Result<Vec<LeftAlone>, Failure> {
    // Whatever cannot be used is in force nowhere.
    let redactors = Redactors::compile(&rules.redaction).or_fail(Exit::ConfigInvalid)?;
    let origin = |key: &str| {
        rules.loaded.explain(key).map_or_else(|_| String::new(), |one| one.origin.to_string())
    };
    let (kinds, off) = ("redaction.disabled_kinds", "redaction.disabled_rules");
    let settings = &rules.loaded.settings.redaction;
    let mut left = Vec::new();
    for kind in &settings.disabled_kinds {
        left.push(LeftAlone { kinds: vec![kind.clone()], ..LeftAlone::of(kinds, origin(kinds)) });
    }
    for rule in &settings.disabled_rules {
        left.push(LeftAlone { rules: vec![rule.clone()], ..LeftAlone::of(off, origin(off)) });
    }
    let key = "redaction.exceptions";
    for (index, one) in rules.redaction.exceptions.iter().enumerate() {
        if !one.is_for(server) {
            continue;
        }
        let ServerException { exception, .. } = one;
        let reason = exception.reason.as_bytes();
        let reason = redactors.plain().scan_text(reason).apply(reason).into_owned();
        left.push(LeftAlone {
            rules: exception.rules.iter().cloned().collect(),
            kinds: exception.kinds.iter().map(ToString::to_string).collect(),
            values: exception.values.len() + exception.fingerprints.len(),
            reason: Some(String::from_utf8_lossy(&reason).into_owned()),
            ..LeftAlone::of(&format!("{key}[{index}]"), origin(key))
        });
    }
    Ok(left)
}

impl LeftAlone {
    fn of(setting: &str, from: String) -> Self {
        let (rules, kinds) = (Vec::new(), Vec::new());
        Self { rules, kinds, values: 0, reason: None, setting: setting.to_owned(), from }
    }

    fn line(&self) -> String {
        let mut what = Vec::new();
        if !self.rules.is_empty() {
            what.push(format!("what the rules {} find", self.rules.join(", ")));
        }
        if !self.kinds.is_empty() {
            what.push(format!("the kinds {}", self.kinds.join(", ")));
        }
        if self.values > 0 {
            what.push(Counted::of(self.values, "listed value").to_string());
        }
        let reason = self.reason.as_deref().unwrap_or("switched off everywhere");
        let (what, reason) = (plain(&what.join(", of those ")), plain(reason));
        format!("  {what}: {reason} ({}, {})\n", self.setting, plain(&self.from))
    }
}
