//! `defenter config`: the settings, and where each comes from.

use defenter_actors::redaction::Redactors;
use defenter_config::settings::{Explained, Loaded, SettingsError, json_schema_text};
use defenter_policy::PolicySet;

use crate::{
    Exit, Outcome,
    failure::{Failure, OrFail},
    here, terminal,
};

fn loaded() -> Result<Loaded, Failure> {
    here::house(Vec::new())?.settings().or_fail(Exit::ConfigInvalid)
}

pub(crate) fn show(json: bool) -> Outcome {
    let rules = here::house(Vec::new())?.rules().or_fail(Exit::ConfigInvalid)?;
    let loaded = &rules.loaded;
    for warning in &loaded.warnings {
        terminal::complain(&format!("warning: {warning}\n"));
    }
    if let Some(trouble) = &rules.key_trouble {
        terminal::complain(&format!("warning: {trouble}\n"));
    }
    // What the settings name is a part of them: rules that cannot be used are told here too.
    let policies = PolicySet::compile(rules.policy.preset, &rules.policy.layers);
    let usable = Redactors::compile(&rules.redaction).or_fail(Exit::ConfigInvalid);
    let usable = usable.and_then(|_| policies.or_fail(Exit::ConfigInvalid));
    if json {
        terminal::say_json(&loaded.settings)?;
        return usable.map(|_| Exit::Done);
    }
    let row = |one: &Explained| vec![one.key.clone(), one.value.to_string(), origin(one)];
    let rows: Vec<_> = loaded.explain_all().iter().map(row).collect();
    terminal::say(&terminal::table(&rows))?;
    usable.map(|_| Exit::Done)
}

pub(crate) fn explain(key: &str) -> Outcome {
    let one = match loaded()?.explain(key) {
        Ok(one) => one,
        Err(error @ SettingsError::UnknownKey { .. }) => {
            return Err(Failure::of(Exit::Usage, &error));
        }
        Err(error) => return Err(Failure::of(Exit::ConfigInvalid, &error)),
    };
    terminal::say(&format!(
        "{} = {}\nfrom: {}\ndefault: {}\n\n{}\n",
        one.key,
        one.value,
        origin(&one),
        one.default,
        one.description
    ))?;
    Ok(Exit::Done)
}

fn origin(one: &Explained) -> String {
    let locked = if one.locked { " (locked by the organisation)" } else { "" };
    format!("{}{locked}", one.origin)
}

pub(crate) fn schema() -> Outcome {
    terminal::say(&json_schema_text())?;
    Ok(Exit::Done)
}
