//! One layer over the other.
//!
//! Owns: the order of the layers, the checks that look at more than one key, and the
//! organisation's locks.
//! Emits: [`Loaded`], or every error that was found.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::check::check_text;
use super::groups::Settings;
use super::load::{Layer, Loaded, Origin, SettingsError, Source, Warning, is_locked};
use super::schema::{Misfit, Problem};
use super::suggest::nearest;
use super::{legacy, schema};
use crate::doc::{Doc, DocError, Format, Member, Node, Step};

/// The layers so far.
pub(super) struct Merge {
    schema: Value,
    values: BTreeMap<String, (Value, Origin)>,
    locked: Vec<String>,
    pub(super) warnings: Vec<Warning>,
    errors: Vec<SettingsError>,
}

impl Merge {
    pub(super) fn new() -> Self {
        Self {
            schema: schema::json_schema(),
            values: BTreeMap::new(),
            locked: Vec::new(),
            warnings: Vec::new(),
            errors: Vec::new(),
        }
    }

    pub(super) fn file(&mut self, layer: Layer, source: &Source) {
        let doc = match Doc::parse(&source.bytes, Format::Jsonc) {
            Ok(doc) => doc,
            Err(error) => {
                self.errors.push(SettingsError::Parse { path: source.path.clone(), source: error });
                return;
            }
        };
        let Some(root) = doc.root() else { return };
        if !root.is_map() {
            let message = "expected an object".to_owned();
            let place = doc.place(root.span.start);
            self.errors.push(SettingsError::Parse {
                path: source.path.clone(),
                source: DocError::Syntax { place, message },
            });
            return;
        }
        let file = File { layer, path: &source.path, doc: &doc };
        self.group(&file, root, "");
    }

    fn group(&mut self, file: &File<'_>, node: &Node, group: &str) {
        for member in node.members() {
            let key = match group {
                "" => member.key.clone(),
                _ => format!("{group}.{}", member.key),
            };
            let origin = file.origin(member.key_span.start);
            if key == "$schema" {
                continue;
            }
            if key == "locked" && file.layer == Layer::Organisation {
                self.lock(&member.node, &origin);
                continue;
            }
            let rule = schema::rule(&self.schema, &key).filter(|_| key != "locked");
            match rule.map(schema::is_group) {
                None => self.errors.push(unknown(&self.schema, &key, &origin)),
                Some(true) if member.node.is_map() => self.group(file, &member.node, &key),
                Some(true) => self.errors.push(SettingsError::BadValue {
                    key,
                    origin,
                    expected: "expected an object".to_owned(),
                }),
                Some(false) => {
                    let within = |path: &[Step]| file.within(member, path);
                    self.value(&key, member.node.to_json(), &within);
                }
            }
        }
    }

    fn lock(&mut self, node: &Node, origin: &Origin) {
        for item in node.items() {
            match item.as_str() {
                Some(key) if schema::rule(&self.schema, key).is_some() => {
                    self.locked.push(key.to_owned());
                }
                Some(key) => self.errors.push(unknown(&self.schema, key, origin)),
                None => self.not_a_list_of_keys(origin),
            }
        }
        if !node.is_seq() {
            self.not_a_list_of_keys(origin);
        }
    }

    fn not_a_list_of_keys(&mut self, origin: &Origin) {
        self.errors.push(SettingsError::BadValue {
            key: "locked".to_owned(),
            origin: origin.clone(),
            expected: "expected a list of keys".to_owned(),
        });
    }

    pub(super) fn legacy(&mut self, source: &Source) {
        for line in legacy::read(source) {
            match line {
                legacy::Line::Value { key, value, origin } => {
                    self.value(key, value, &|_| origin.clone());
                }
                legacy::Line::Unused { key, origin } => {
                    self.warnings.push(Warning::LegacyUnused { key, origin });
                }
                legacy::Line::Unknown { key, origin } => {
                    self.warnings.push(Warning::LegacyKey { key, origin });
                }
                legacy::Line::Error(error) => self.errors.push(error),
            }
        }
    }

    pub(super) fn env(&mut self, env: &BTreeMap<String, String>) {
        let keys = schema::keys(&self.schema);
        let names: BTreeMap<String, &String> =
            keys.iter().map(|key| (variable(key), key)).collect();
        let groups: Vec<String> = schema::children(&self.schema, "")
            .into_iter()
            .map(|group| format!("{}_", variable(group)))
            .collect();
        for (name, text) in env.iter().filter(|(name, _)| name.starts_with("DEFENTER_")) {
            let origin = Origin::Env(name.clone());
            match names.get(name) {
                Some(key) => self.text(key, text, &origin),
                None if groups.iter().any(|group| name.starts_with(group)) => {
                    let suggestion = nearest(name, names.keys().map(String::as_str));
                    self.errors.push(SettingsError::UnknownKey {
                        key: name.clone(),
                        origin,
                        suggestion: suggestion.map(str::to_owned),
                    });
                }
                None => {}
            }
        }
    }

    /// A value given as text: a number, a truth value, a word, or a list as JSON or with commas.
    pub(super) fn text(&mut self, key: &str, text: &str, origin: &Origin) {
        let rule = schema::rule(&self.schema, key).filter(|rule| !schema::is_group(rule));
        let Some(rule) = rule else {
            self.errors.push(unknown(&self.schema, key, origin));
            return;
        };
        let types = schema::types(rule);
        let value = if types.contains(&"array") {
            text_list(text)
        } else if types.contains(&"boolean") {
            legacy::truth(text).map_or_else(|| Value::from(text), Value::from)
        } else if types.contains(&"integer") {
            text.trim().parse::<u64>().map_or_else(|_| Value::from(text), Value::from)
        } else if text.is_empty() && types.contains(&"null") {
            Value::Null
        } else {
            Value::from(text)
        };
        self.value(key, value, &|_| origin.clone());
    }

    /// Takes a value; `within` tells where a part of it is from.
    fn value(&mut self, key: &str, value: Value, within: &dyn Fn(&[Step]) -> Origin) {
        let origin = within(&[]);
        let by_organisation = matches!(origin, Origin::File { layer: Layer::Organisation, .. });
        if !by_organisation && is_locked(&self.locked, key) {
            self.warnings.push(Warning::Locked { key: key.to_owned(), origin });
            return;
        }
        let Some(rule) = schema::rule(&self.schema, key) else { return };
        let misfits = schema::check(rule, &value);
        if misfits.is_empty() {
            match check_text(key, &value) {
                Ok(()) => drop(self.values.insert(key.to_owned(), (value, origin))),
                Err(expected) => {
                    let key = key.to_owned();
                    self.errors.push(SettingsError::BadValue { key, origin, expected });
                }
            }
        }
        for Misfit { path, problem } in misfits {
            let (key, origin) = (spelt(key, &path), within(&path));
            self.errors.push(match problem {
                Problem::Expected(expected) => SettingsError::BadValue { key, origin, expected },
                Problem::UnknownKey(suggestion) => {
                    SettingsError::UnknownKey { key, origin, suggestion }
                }
            });
        }
    }

    pub(super) fn finish(mut self) -> Result<Loaded, SettingsError> {
        let settings = self.settings();
        self.check_together(&settings);
        match self.errors.len() {
            0 => Ok(Loaded {
                settings,
                warnings: self.warnings,
                values: self.values,
                locked: self.locked,
                schema: self.schema,
            }),
            1 => Err(self.errors.remove(0)),
            _ => Err(SettingsError::Several { errors: self.errors }),
        }
    }

    fn settings(&mut self) -> Settings {
        let mut tree = serde_json::to_value(Settings::default()).unwrap_or_default();
        for (key, (value, _)) in &self.values {
            if let Some(slot) = tree.pointer_mut(&format!("/{}", key.replace('.', "/"))) {
                *slot = value.clone();
            }
        }
        serde_json::from_value(tree).unwrap_or_else(|error| {
            // The schema and the types come from one source, so this is a value that the schema
            // admits and the type does not: an integer wider than its field.
            self.errors.push(SettingsError::BadValue {
                key: String::new(),
                origin: Origin::Default,
                expected: error.to_string(),
            });
            Settings::default()
        })
    }

    fn check_together(&mut self, settings: &Settings) {
        if settings.restart.backoff_max_ms < settings.restart.backoff_initial_ms {
            self.inconsistent(
                &["restart.backoff_max_ms", "restart.backoff_initial_ms"],
                "the longest wait must not be below the first one",
            );
        }
        if settings.audit.max_total_bytes < settings.audit.max_file_bytes.saturating_mul(2) {
            self.inconsistent(
                &["audit.max_total_bytes", "audit.max_file_bytes"],
                "the whole record must hold two files at least",
            );
        }
    }

    fn inconsistent(&mut self, keys: &[&str], expected: &str) {
        let found = keys.iter().find_map(|key| Some((*key, self.values.get(*key)?.1.clone())));
        let (key, origin) = found.unwrap_or((keys[0], Origin::Default));
        self.errors.push(SettingsError::BadValue {
            key: key.to_owned(),
            origin,
            expected: expected.to_owned(),
        });
    }
}

struct File<'a> {
    layer: Layer,
    path: &'a Path,
    doc: &'a Doc,
}

impl File<'_> {
    fn origin(&self, offset: usize) -> Origin {
        Origin::File {
            layer: self.layer,
            path: self.path.to_owned(),
            place: self.doc.place(offset),
        }
    }

    /// Where a part of a member's value is: at its key, where it has one.
    fn within(&self, member: &Member, path: &[Step]) -> Origin {
        let (mut node, mut at) = (&member.node, member.key_span.start);
        for step in path {
            let Some(inner) = node.step(step) else { break };
            at = match step {
                Step::Key(key) => node.member(key).map_or(at, |member| member.key_span.start),
                Step::Index(_) => inner.span.start,
            };
            node = inner;
        }
        self.origin(at)
    }
}

/// A key with the way to a part of its value, such as `redaction.exceptions[0].kinds`.
fn spelt(key: &str, path: &[Step]) -> String {
    path.iter().fold(key.to_owned(), |spelt, step| match step {
        Step::Key(key) => format!("{spelt}.{key}"),
        Step::Index(index) => format!("{spelt}[{index}]"),
    })
}

/// The environment variable of a key or a group.
fn variable(key: &str) -> String {
    format!("DEFENTER_{}", key.replace('.', "_").to_uppercase())
}

fn text_list(text: &str) -> Value {
    if text.trim_start().starts_with('[') {
        return serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
    }
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect()
}

/// The error for a key that is not there, with the nearest that is: in the same group first, then
/// anywhere.
pub(super) fn unknown(schema: &Value, key: &str, origin: &Origin) -> SettingsError {
    let (group, last) = key.rsplit_once('.').unwrap_or(("", key));
    let near = nearest(
        last,
        schema::children(schema, group)
            .into_iter()
            .filter(|key| !matches!(*key, "$schema" | "locked")),
    );
    let suggestion = match near {
        Some(near) if group.is_empty() => Some(near.to_owned()),
        Some(near) => Some(format!("{group}.{near}")),
        None => {
            let keys = schema::keys(schema);
            let ends = keys.iter().find(|known| known.ends_with(&format!(".{last}")));
            ends.cloned()
                .or_else(|| nearest(key, keys.iter().map(String::as_str)).map(str::to_owned))
        }
    };
    SettingsError::UnknownKey { key: key.to_owned(), origin: origin.clone(), suggestion }
}
