//! The JSON schema of the settings, and checking values against it.
//!
//! Owns: the schema, generated from the types; the list of keys; the check of one value.
//! Promises: what the schema says is what is enforced, since values are checked against the very
//! schema that is published.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::groups::Settings;
use super::suggest::nearest;
use crate::doc::Step;

/// The JSON schema (2020-12) of the settings file.
pub fn json_schema() -> Value {
    let generator = SchemaSettings::draft2020_12()
        .with(|settings| settings.inline_subschemas = true)
        .into_generator();
    let mut schema = generator.into_root_schema_for::<Settings>().to_value();
    // A settings file may name its schema.
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert("$schema".to_owned(), serde_json::json!({ "type": "string" }));
        properties.insert(
            "locked".to_owned(),
            serde_json::json!({
                "description": "Keys that no lower layer may change; only in the organisation's file.",
                "type": "array",
                "items": { "type": "string" }
            }),
        );
    }
    schema
}

/// The schema as the text of a file.
pub fn json_schema_text() -> String {
    // A JSON value always serialises.
    serde_json::to_string_pretty(&json_schema()).unwrap_or_default() + "\n"
}

/// What the schema says about one key, such as `proxy.max_line_bytes`.
pub(super) fn rule<'s>(schema: &'s Value, key: &str) -> Option<&'s Value> {
    key.split('.').try_fold(schema, |schema, part| schema.get("properties")?.get(part))
}

/// The keys of a group, or the groups for an empty path.
pub(super) fn children<'s>(schema: &'s Value, group: &str) -> Vec<&'s str> {
    let group = if group.is_empty() { Some(schema) } else { rule(schema, group) };
    group
        .and_then(|group| group.get("properties")?.as_object())
        .map(|properties| properties.keys().map(String::as_str).collect())
        .unwrap_or_default()
}

/// Every key that holds a value, in the order of the schema.
pub(super) fn keys(schema: &Value) -> Vec<String> {
    children(schema, "")
        .into_iter()
        .flat_map(|group| {
            children(schema, group).into_iter().map(move |key| format!("{group}.{key}"))
        })
        .collect()
}

/// True for a group of keys.
pub(super) fn is_group(rule: &Value) -> bool {
    rule.get("properties").is_some()
}

/// The types that a rule permits.
pub(super) fn types(rule: &Value) -> Vec<&str> {
    match rule.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => choices(rule).map(|_| vec!["string"]).unwrap_or_default(),
    }
}

/// The words that a rule permits.
pub(super) fn choices(rule: &Value) -> Option<Vec<&str>> {
    if let Some(Value::Array(words)) = rule.get("enum") {
        return Some(words.iter().filter_map(Value::as_str).collect());
    }
    let variants = rule.get("oneOf")?.as_array()?;
    Some(
        variants
            .iter()
            .flat_map(|variant| match (variant.get("const"), variant.get("enum")) {
                (Some(Value::String(word)), _) => vec![word.as_str()],
                (_, Some(Value::Array(words))) => words.iter().filter_map(Value::as_str).collect(),
                _ => Vec::new(),
            })
            .collect(),
    )
}

/// What of a value does not fit its rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Misfit {
    /// Where in the value; empty for all of it.
    pub(super) path: Vec<Step>,
    /// What is wrong there.
    pub(super) problem: Problem,
}

/// What is wrong with a part of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// It does not fit; this would.
    Expected(String),
    /// It is a key that does not exist; this one is near.
    UnknownKey(Option<String>),
}

/// Checks one value; tells all that does not fit.
pub(super) fn check(rule: &Value, value: &Value) -> Vec<Misfit> {
    let mut misfits = Vec::new();
    check_at(rule, value, &mut Vec::new(), &mut misfits);
    misfits
}

fn check_at(rule: &Value, value: &Value, path: &mut Vec<Step>, misfits: &mut Vec<Misfit>) {
    if let Err(expected) = check_alone(rule, value) {
        misfits.push(Misfit { path: path.clone(), problem: Problem::Expected(expected) });
        return;
    }
    match (value, rule.get("items")) {
        (Value::Array(items), Some(rule)) => {
            for (index, item) in items.iter().enumerate() {
                path.push(Step::Index(index));
                check_at(rule, item, path, misfits);
                path.pop();
            }
        }
        (Value::Object(members), None) => check_members(rule, members, path, misfits),
        _ => {}
    }
}

fn check_members(
    rule: &Value,
    members: &serde_json::Map<String, Value>,
    path: &mut Vec<Step>,
    misfits: &mut Vec<Misfit>,
) {
    for (key, value) in members {
        path.push(Step::Key(key.clone()));
        match self::rule(rule, key).filter(|_| !key.contains('.')) {
            Some(rule) => check_at(rule, value, path, misfits),
            None => {
                let near = nearest(key, children(rule, "")).map(str::to_owned);
                let problem = Problem::UnknownKey(near);
                misfits.push(Misfit { path: path.clone(), problem });
            }
        }
        path.pop();
    }
    let required = rule.get("required").and_then(Value::as_array).into_iter().flatten();
    for key in required.filter_map(Value::as_str).filter(|key| !members.contains_key(*key)) {
        let problem = Problem::Expected(format!("expected `{key}` in it"));
        misfits.push(Misfit { path: path.clone(), problem });
    }
}

/// Checks a value without what is in it.
fn check_alone(rule: &Value, value: &Value) -> Result<(), String> {
    if let Some(words) = choices(rule) {
        return match value.as_str() {
            Some(word) if words.contains(&word) => Ok(()),
            _ => Err(format!("expected one of {}", words.join(", "))),
        };
    }
    let types = types(rule);
    let fits = types.iter().any(|name| match *name {
        "integer" => value.as_u64().is_some(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "null" => value.is_null(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    });
    if !fits {
        return Err(format!("expected {}", expected(&types)));
    }
    bounds(rule, value)
}

fn bounds(rule: &Value, value: &Value) -> Result<(), String> {
    let (keys, size, what) = match value {
        Value::Number(number) => (["minimum", "maximum"], number.as_u64(), "a number from"),
        Value::String(text) => {
            (["minLength", "maxLength"], Some(text.chars().count() as u64), "a text of")
        }
        Value::Array(items) => (["minItems", "maxItems"], Some(items.len() as u64), "a list of"),
        _ => return Ok(()),
    };
    let Some(size) = size else { return Ok(()) };
    let [min, max] = keys.map(|key| rule.get(key).and_then(Value::as_u64));
    let (min, max) = (min.unwrap_or(0), max.unwrap_or(u64::MAX));
    if (min..=max).contains(&size) {
        return Ok(());
    }
    let unit = match value {
        Value::String(_) => " characters",
        Value::Array(_) => " items",
        _ => "",
    };
    Err(format!("expected {what} {min} to {max}{unit}"))
}

fn expected(types: &[&str]) -> String {
    let words: Vec<&str> = types
        .iter()
        .map(|name| match *name {
            "integer" => "a whole number",
            "boolean" => "true or false",
            "string" => "a string",
            "array" => "a list",
            "object" => "an object",
            other => other,
        })
        .collect();
    words.join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The schema in the repository is the one that the types give. To renew it, run this test
    /// with `DEFENTER_WRITE_SCHEMA=1`.
    #[test]
    fn the_checked_in_schema_is_current() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("schema")
            .join("settings.schema.json");
        if std::env::var_os("DEFENTER_WRITE_SCHEMA").is_some() {
            std::fs::write(&path, json_schema_text()).expect("written");
        }
        let text = std::fs::read_to_string(&path).expect("config/schema/settings.schema.json");
        assert_eq!(text, json_schema_text(), "run with DEFENTER_WRITE_SCHEMA=1 to renew it");
    }

    #[test]
    fn every_key_has_a_description_a_type_and_a_valid_default() {
        let schema = json_schema();
        let defaults = serde_json::to_value(Settings::default()).expect("defaults");
        let keys = keys(&schema);
        assert!(keys.len() > 20);
        for key in keys {
            let rule = rule(&schema, &key).expect("a rule");
            assert!(rule.get("description").is_some(), "{key} has no description");
            assert!(!types(rule).is_empty(), "{key} has no type");
            let pointer = format!("/{}", key.replace('.', "/"));
            let value = defaults.pointer(&pointer).expect("a default");
            assert_eq!(check(rule, value), [], "{key}");
        }
    }

    #[test]
    fn every_key_of_a_list_of_objects_has_a_description_and_a_type() {
        let schema = json_schema();
        let exception = rule(&schema, "redaction.exceptions").and_then(|rule| rule.get("items"));
        let exception = exception.expect("items");
        let keys = children(exception, "");
        assert!(keys.len() > 5, "{keys:?}");
        for key in keys {
            let rule = rule(exception, key).expect("a rule");
            assert!(rule.get("description").is_some(), "{key} has no description");
            assert!(!types(rule).is_empty(), "{key} has no type");
        }
    }
}
