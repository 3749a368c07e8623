//! The JSON schema of the settings, and checking values against it.
//!
//! Owns: the schema, generated from the types; the list of keys; the check of one value.
//! Promises: what the schema says is what is enforced, since values are checked against the very
//! schema that is published.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::groups::Settings;

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

/// Checks one value; the error says what is expected.
pub(super) fn check(rule: &Value, value: &Value) -> Result<(), String> {
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
        "array" => value.as_array().is_some_and(|items| items.iter().all(Value::is_string)),
        _ => false,
    });
    if !fits {
        return Err(format!("expected {}", expected(&types)));
    }
    bounds(rule, value)
}

fn bounds(rule: &Value, value: &Value) -> Result<(), String> {
    let Some(number) = value.as_u64() else { return Ok(()) };
    let min = rule.get("minimum").and_then(Value::as_u64).unwrap_or(0);
    let max = rule.get("maximum").and_then(Value::as_u64).unwrap_or(u64::MAX);
    if (min..=max).contains(&number) {
        Ok(())
    } else {
        Err(format!("expected a number from {min} to {max}"))
    }
}

fn expected(types: &[&str]) -> String {
    let words: Vec<&str> = types
        .iter()
        .map(|name| match *name {
            "integer" => "a whole number",
            "boolean" => "true or false",
            "string" => "a string",
            "array" => "a list of strings",
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
            assert_eq!(check(rule, value), Ok(()), "{key}");
        }
    }
}
