//! `defenter explain`: what was seen and decided of one operation.

use defenter_audit::{Entry, Record, find};

use crate::{
    Exit, Outcome,
    failure::{Failure, OrFail},
    here,
    terminal::{self, plain},
};

pub(crate) fn run(id: &str, json: bool) -> Outcome {
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
    if let Some(answer) = &record.answer {
        lines.push(format!("  user:     {answer}"));
    }
    lines.push(format!("  outcome:  {}", outcome(record)));
    lines.push(format!("  payload:  {} bytes", record.size));
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
