//! The rules, listed and explained.

use defenter_redact::{Redactor, RuleDetails};

use crate::{Exit, Outcome, failure::Failure, terminal};

/// Most rules that are named where one is not known.
const MAX_NEAR: usize = 5;

pub(super) fn list(redactor: &Redactor, json: bool) -> Outcome {
    let mut infos: Vec<_> = redactor.rules().collect();
    infos.sort_by(|a, b| a.id.cmp(&b.id));
    if json {
        for info in &infos {
            terminal::say_json(info)?;
        }
        return Ok(Exit::Done);
    }
    let rows: Vec<Vec<String>> = infos
        .iter()
        .map(|info| {
            let description = terminal::plain(&info.description);
            vec![terminal::plain(info.id.as_str()), info.kind.to_string(), description]
        })
        .collect();
    terminal::say(&terminal::table(&rows))?;
    Ok(Exit::Done)
}

pub(super) fn explain(redactor: &Redactor, rule: &str, json: bool) -> Outcome {
    let details = redactor.rule_details(rule).ok_or_else(|| unknown(redactor, rule))?;
    if json {
        terminal::say_json(&details)?;
    } else {
        terminal::say(&text(&details))?;
    }
    Ok(Exit::Done)
}

/// The failure for a rule that is not there.
pub(super) fn unknown(redactor: &Redactor, rule: &str) -> Failure {
    let first = |id: &str| id.split('-').next().unwrap_or_default().to_owned();
    let near: Vec<String> = redactor
        .rules()
        .map(|info| info.id.to_string())
        .filter(|id| id.contains(rule) || first(id) == first(rule))
        .take(MAX_NEAR)
        .collect();
    let hint = if near.is_empty() {
        "`defenter redact --rules` lists them".to_owned()
    } else {
        format!("there are {}; `defenter redact --rules` lists all", near.join(", "))
    };
    Failure::new(Exit::Usage, format!("there is no rule `{}`", terminal::plain(rule))).hint(hint)
}

fn text(details: &RuleDetails) -> String {
    let info = &details.info;
    let mut text = format!("{}: {}\n", info.id, terminal::plain(&info.description));
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            text.push_str(&format!("  {name:<11} {}\n", terminal::plain(value)));
        }
    };
    let confidence = format!("{:?}", info.confidence).to_lowercase();
    line("finds:", &format!("{} (confidence {confidence})", info.kind));
    line("expression:", details.expression.as_deref().unwrap_or_default());
    line("path:", details.path.as_deref().unwrap_or_default());
    line("keywords:", &details.keywords.join(", "));
    if details.entropy > 0.0 {
        line("entropy:", &format!("{} bits per byte at least", details.entropy));
    }
    line("checked by:", details.validator.as_deref().unwrap_or_default());
    line("known from:", &info.source);
    for example in &details.examples {
        line("in:", example);
    }
    for example in &details.counterexamples {
        line("not in:", example);
    }
    text
}
