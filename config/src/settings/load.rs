//! Reading the settings: layers, one over the other, each value with its origin.
//!
//! Owns: the order of the layers (built-in, organisation, user, environment, flags), the checks
//! that look at more than one key, and the organisation's locks.
//! Accepts: files, environment and flags as they are; all hostile.
//! Emits: [`Loaded`], or every error that was found.
//! Promises: an error names the key and the place, and never the value (it may be a secret).

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::Value;
use thiserror::Error;

use super::groups::Settings;
use super::suggest::nearest;
use super::{legacy, schema};
use crate::doc::{Doc, DocError, Format, MAX_FILE_BYTES, Node, Place};
use crate::paths::Paths;

/// Where settings come from, from the weakest to the strongest.
#[derive(Clone, Default)]
pub struct Sources {
    /// The organisation's file.
    pub organisation: Option<Source>,
    /// The user's file.
    pub user: Option<Source>,
    /// The user's file of Defenter 0.0.96; it counts only where there is no other.
    pub legacy: Option<Source>,
    /// The environment; `DEFENTER_<GROUP>_<KEY>` is read.
    pub env: BTreeMap<String, String>,
    /// Keys and values from the command line.
    pub flags: Vec<(String, String)>,
}

/// One file of settings.
#[derive(Clone)]
pub struct Source {
    /// Where it is.
    pub path: PathBuf,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// The settings that apply, and why.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// What was left out of them.
    pub warnings: Vec<Warning>,
    values: BTreeMap<String, (Value, Origin)>,
    locked: Vec<String>,
    schema: Value,
}

/// One setting, explained.
#[derive(Clone, Debug, PartialEq)]
pub struct Explained {
    /// The key, such as `proxy.max_line_bytes`.
    pub key: String,
    /// Its value.
    pub value: Value,
    /// The value it has when nobody sets it.
    pub default: Value,
    /// Where the value comes from.
    pub origin: Origin,
    /// Whether the organisation forbids changing it.
    pub locked: bool,
    /// What it means.
    pub description: String,
}

/// Which layer a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// The organisation's file.
    Organisation,
    /// The user's file.
    User,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A file.
    File {
        /// Which layer the file is.
        layer: Layer,
        /// The file.
        path: PathBuf,
        /// The place of the value.
        place: Place,
    },
    /// An environment variable.
    Env(String),
    /// The command line.
    Flag,
}

/// Something that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// A value for a key that the organisation locked.
    Locked {
        /// The key.
        key: String,
        /// Where it was set.
        origin: Origin,
    },
    /// The old settings file lies beside the new one and is not read.
    LegacyIgnored {
        /// The old file.
        path: PathBuf,
    },
    /// A key of the old settings file that means nothing.
    LegacyKey {
        /// The key.
        key: String,
        /// Where it is.
        origin: Origin,
    },
}

/// Why settings were not accepted.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// A file could not be read.
    #[error("failed to read settings {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not in its format.
    #[error("failed to parse settings {}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Why and where.
        source: DocError,
    },
    /// A key that does not exist.
    #[error("{origin}: unknown key `{key}`{}", hint(suggestion.as_deref()))]
    UnknownKey {
        /// The key.
        key: String,
        /// Where it was set.
        origin: Origin,
        /// The key that was probably meant.
        suggestion: Option<String>,
    },
    /// A value that does not fit its key.
    #[error("{origin}: `{key}` does not fit: {expected}")]
    BadValue {
        /// The key.
        key: String,
        /// Where it was set.
        origin: Origin,
        /// What would fit.
        expected: String,
    },
    /// More than one error.
    #[error("{}", list(errors))]
    Several {
        /// All of them, in the order of the layers.
        errors: Vec<SettingsError>,
    },
}

impl fmt::Debug for Sources {
    // The environment is full of secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources")
            .field("organisation", &self.organisation)
            .field("user", &self.user)
            .field("legacy", &self.legacy)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("path", &self.path).finish_non_exhaustive()
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, place, .. } => {
                write!(f, "{}:{}:{}", path.display(), place.line, place.column)
            }
            Self::Env(name) => write!(f, "environment variable {name}"),
            Self::Flag => f.write_str("command line"),
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Locked { key, origin } => {
                write!(f, "{origin}: `{key}` is locked by the organisation; it is left as it is")
            }
            Self::LegacyIgnored { path } => {
                write!(f, "{} is not read, since config.json is there; remove it", path.display())
            }
            Self::LegacyKey { key, origin } => {
                write!(f, "{origin}: `{key}` has no meaning any more")
            }
        }
    }
}

impl Sources {
    /// Reads the files of these paths. A file that is not there is no layer.
    ///
    /// # Errors
    /// [`SettingsError::Read`] where a file is there but cannot be read.
    pub fn read(
        paths: &Paths,
        env: BTreeMap<String, String>,
        flags: Vec<(String, String)>,
    ) -> Result<Self, SettingsError> {
        Ok(Self {
            organisation: Source::read(&paths.organisation_settings)?,
            user: Source::read(&paths.settings)?,
            legacy: Source::read(&paths.legacy_settings)?,
            env,
            flags,
        })
    }

    /// Puts the layers together.
    ///
    /// # Errors
    /// Every key that is unknown and every value that does not fit, in one error.
    pub fn load(&self) -> Result<Loaded, SettingsError> {
        let mut merge = Merge::new();
        if let Some(source) = &self.organisation {
            merge.file(Layer::Organisation, source);
        }
        match (&self.user, &self.legacy) {
            (Some(user), legacy) => {
                merge.file(Layer::User, user);
                if let Some(old) = legacy {
                    merge.warnings.push(Warning::LegacyIgnored { path: old.path.clone() });
                }
            }
            (None, Some(old)) => merge.legacy(old),
            (None, None) => {}
        }
        merge.env(&self.env);
        for (key, text) in &self.flags {
            merge.text(key, text, &Origin::Flag);
        }
        merge.finish()
    }
}

impl Source {
    /// Reads a file; none where there is none.
    ///
    /// # Errors
    /// [`SettingsError::Read`] where it is there but cannot be read, or is too large.
    pub fn read(path: &Path) -> Result<Option<Self>, SettingsError> {
        let failed = |source| SettingsError::Read { path: path.to_owned(), source };
        let file = match std::fs::File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let mut bytes = Vec::new();
        file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
        Ok(Some(Self { path: path.to_owned(), bytes }))
    }
}

impl Loaded {
    /// The built-in settings.
    pub fn built_in() -> Self {
        Self {
            settings: Settings::default(),
            warnings: Vec::new(),
            values: BTreeMap::new(),
            locked: Vec::new(),
            schema: schema::json_schema(),
        }
    }

    /// Explains one key.
    ///
    /// # Errors
    /// [`SettingsError::UnknownKey`] where there is no such key.
    pub fn explain(&self, key: &str) -> Result<Explained, SettingsError> {
        let rule = schema::rule(&self.schema, key).filter(|rule| !schema::is_group(rule));
        let Some(rule) = rule else {
            return Err(unknown(&self.schema, key, &Origin::Flag));
        };
        let default = default_of(key);
        let (value, origin) = match self.values.get(key) {
            Some((value, origin)) => (value.clone(), origin.clone()),
            None => (default.clone(), Origin::Default),
        };
        let description = rule.get("description").and_then(Value::as_str).unwrap_or_default();
        Ok(Explained {
            key: key.to_owned(),
            value,
            default,
            origin,
            locked: is_locked(&self.locked, key),
            description: description.to_owned(),
        })
    }

    /// Explains every key.
    pub fn explain_all(&self) -> Vec<Explained> {
        schema::keys(&self.schema).iter().filter_map(|key| self.explain(key).ok()).collect()
    }
}

struct Merge {
    schema: Value,
    values: BTreeMap<String, (Value, Origin)>,
    locked: Vec<String>,
    warnings: Vec<Warning>,
    errors: Vec<SettingsError>,
}

impl Merge {
    fn new() -> Self {
        Self {
            schema: schema::json_schema(),
            values: BTreeMap::new(),
            locked: Vec::new(),
            warnings: Vec::new(),
            errors: Vec::new(),
        }
    }

    fn file(&mut self, layer: Layer, source: &Source) {
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
                Some(false) => self.value(&key, member.node.to_json(), origin),
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

    fn legacy(&mut self, source: &Source) {
        for line in legacy::read(source) {
            match line {
                legacy::Line::Value { key, value, origin } => self.value(key, value, origin),
                legacy::Line::Unknown { key, origin } => {
                    self.warnings.push(Warning::LegacyKey { key, origin });
                }
                legacy::Line::Error(error) => self.errors.push(error),
            }
        }
    }

    fn env(&mut self, env: &BTreeMap<String, String>) {
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
    fn text(&mut self, key: &str, text: &str, origin: &Origin) {
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
        self.value(key, value, origin.clone());
    }

    fn value(&mut self, key: &str, value: Value, origin: Origin) {
        let by_organisation = matches!(origin, Origin::File { layer: Layer::Organisation, .. });
        if !by_organisation && is_locked(&self.locked, key) {
            self.warnings.push(Warning::Locked { key: key.to_owned(), origin });
            return;
        }
        let checked = schema::rule(&self.schema, key)
            .ok_or_else(String::new)
            .and_then(|rule| schema::check(rule, &value))
            .and_then(|()| check_text(key, &value));
        match checked {
            Ok(()) => {
                self.values.insert(key.to_owned(), (value, origin));
            }
            Err(expected) => {
                self.errors.push(SettingsError::BadValue { key: key.to_owned(), origin, expected });
            }
        }
    }

    fn finish(mut self) -> Result<Loaded, SettingsError> {
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

/// The checks that a schema cannot say.
fn check_text(key: &str, value: &Value) -> Result<(), String> {
    let absolute = |text: &str| Path::new(text).is_absolute();
    match (key, value) {
        ("console.listen", Value::String(text)) => match text.parse::<SocketAddr>() {
            Ok(address) if address.ip().is_loopback() => Ok(()),
            Ok(_) => Err("expected a loopback address, such as 127.0.0.1:7420".to_owned()),
            Err(_) => Err("expected an address and a port, such as 127.0.0.1:7420".to_owned()),
        },
        ("cloud.url", Value::String(text)) if !is_safe_url(text) => {
            Err("expected an https address (http only to a loopback address)".to_owned())
        }
        ("policy.directory", Value::String(text)) if !absolute(text) => {
            Err("expected an absolute path".to_owned())
        }
        ("redaction.rules_files", Value::Array(items)) => {
            let fits = items.iter().filter_map(Value::as_str).all(absolute);
            if fits { Ok(()) } else { Err("expected absolute paths".to_owned()) }
        }
        _ => Ok(()),
    }
}

fn is_safe_url(text: &str) -> bool {
    if let Some(rest) = text.strip_prefix("https://") {
        return !rest.is_empty() && !rest.starts_with('/');
    }
    let Some(rest) = text.strip_prefix("http://") else { return false };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let name = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next(),
        None => host.split(':').next(),
    };
    match name.unwrap_or_default() {
        "localhost" => true,
        name => name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback()),
    }
}

fn is_locked(locked: &[String], key: &str) -> bool {
    locked.iter().any(|lock| {
        key.strip_prefix(lock.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

fn default_of(key: &str) -> Value {
    serde_json::to_value(Settings::default())
        .ok()
        .and_then(|tree| tree.pointer(&format!("/{}", key.replace('.', "/"))).cloned())
        .unwrap_or_default()
}

/// The error for a key that is not there, with the nearest that is: in the same group first, then
/// anywhere.
fn unknown(schema: &Value, key: &str, origin: &Origin) -> SettingsError {
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

fn hint(suggestion: Option<&str>) -> String {
    suggestion.map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"))
}

fn list(errors: &[SettingsError]) -> String {
    let texts: Vec<String> = errors
        .iter()
        .map(|error| match std::error::Error::source(error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        })
        .collect();
    texts.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Durability, Preset, Severity};

    fn file(name: &str, text: &str) -> Option<Source> {
        Some(Source { path: PathBuf::from(name), bytes: text.as_bytes().to_vec() })
    }

    fn user(text: &str) -> Sources {
        Sources { user: file("u.json", text), ..Sources::default() }
    }

    fn with_env(mut sources: Sources, env: &[(&str, &str)]) -> Sources {
        sources.env = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        sources
    }

    fn error(sources: &Sources) -> String {
        let error = sources.load().expect_err("an error");
        list(&[error])
    }

    #[test]
    fn nothing_set_is_the_default() {
        let loaded = Sources::default().load().expect("settings");
        assert_eq!(loaded.settings, Settings::default());
        assert_eq!(loaded.settings.proxy.max_line_bytes, 67_108_864);
        assert!(loaded.explain_all().iter().all(|e| e.origin == Origin::Default));
        assert_eq!(user("").load().expect("an empty file").settings, Settings::default());
    }

    #[test]
    fn a_later_layer_wins_and_each_value_knows_its_origin() {
        let sources = Sources {
            organisation: file(
                "o.json",
                r#"{"policy":{"preset":"strict"},"audit":{"durability":"disk"}}"#,
            ),
            user: file("u.json", "{\n  // mine\n  \"audit\": { \"durability\": \"os\" },\n}\n"),
            flags: vec![("proxy.queue_messages".to_owned(), "7".to_owned())],
            ..Sources::default()
        };
        let env = [
            ("DEFENTER_RESTART_INTENSITY", "9"),
            ("DEFENTER_REDACTION_DISABLED_KINDS", "email, phone"),
            ("DEFENTER_HOME", "/x"),
            ("DEFENTER_INSTALL_AUTO", "yes"),
        ];
        let loaded = with_env(sources, &env).load().expect("settings");
        assert_eq!(loaded.settings.policy.preset, Preset::Strict);
        assert_eq!(loaded.settings.audit.durability, Durability::Os);
        assert_eq!(loaded.settings.restart.intensity, 9);
        assert_eq!(loaded.settings.redaction.disabled_kinds, ["email", "phone"]);
        assert_eq!(loaded.settings.proxy.queue_messages, 7);
        assert!(loaded.settings.install.auto);
        let explained = loaded.explain("audit.durability").expect("explained");
        assert_eq!(explained.origin.to_string(), "u.json:3:14");
        assert_eq!(explained.default, Value::from("os"));
        assert!(!explained.description.is_empty());
        let explained = loaded.explain("restart.intensity").expect("explained");
        assert_eq!(explained.origin, Origin::Env("DEFENTER_RESTART_INTENSITY".to_owned()));
        assert_eq!(loaded.explain("proxy.queue_messages").expect("one").origin, Origin::Flag);
    }

    #[test]
    fn an_unknown_key_is_an_error_with_a_suggestion_and_a_place() {
        let check = |sources: &Sources, expected: &str| assert_eq!(error(sources), expected);
        check(
            &user("{\n  \"proxy\": { \"max_line_byte\": 1 }\n}"),
            "u.json:2:14: unknown key `proxy.max_line_byte` (did you mean `proxy.max_line_bytes`?)",
        );
        check(&user("{\"polcy\":{}}"), "u.json:1:2: unknown key `polcy` (did you mean `policy`?)");
        check(
            &user("{\"preset\":\"strict\"}"),
            "u.json:1:2: unknown key `preset` (did you mean `policy.preset`?)",
        );
        check(&user("{\"zzzzzzzz\":1}"), "u.json:1:2: unknown key `zzzzzzzz`");
        check(&user("{\"locked\":[]}"), "u.json:1:2: unknown key `locked`");
        check(
            &with_env(Sources::default(), &[("DEFENTER_AUDIT_DURABILTY", "x")]),
            "environment variable DEFENTER_AUDIT_DURABILTY: unknown key `DEFENTER_AUDIT_DURABILTY` \
             (did you mean `DEFENTER_AUDIT_DURABILITY`?)",
        );
    }

    #[test]
    fn a_value_that_does_not_fit_is_an_error_that_does_not_show_it() {
        let check = |text: &str, expected: &str| {
            let found = error(&user(text));
            assert!(found.contains(expected), "{found}");
            assert!(!found.contains("s3cret"), "{found}");
        };
        check(r#"{"proxy":{"max_line_bytes":"s3cret"}}"#, "expected a whole number");
        check(r#"{"proxy":{"max_line_bytes":1}}"#, "expected a number from 65536 to 1073741824");
        check(r#"{"proxy":{"max_line_bytes":-1}}"#, "expected a whole number");
        check(r#"{"proxy":{"max_line_bytes":1.5}}"#, "expected a whole number");
        check(r#"{"policy":{"preset":"s3cret"}}"#, "one of balanced, strict, read-only, observe");
        check(r#"{"policy":"s3cret"}"#, "expected an object");
        check(r#"{"redaction":{"disabled_kinds":[1]}}"#, "expected a list of strings");
        check(r#"{"console":{"listen":"0.0.0.0:7420"}}"#, "expected a loopback address");
        check(r#"{"cloud":{"url":"http://s3cret.example"}}"#, "expected an https address");
        check(r#"{"policy":{"directory":"s3cret"}}"#, "expected an absolute path");
        check(r#"{"restart":{"backoff_max_ms":10}}"#, "must not be below the first one");
        check(r#"{"audit":{"max_total_bytes":131072}}"#, "must hold two files");
        check("[]", "line 1, column 1: expected an object");
        check("{\n  \"proxy\" }", "line 2");
    }

    #[test]
    fn every_error_is_told() {
        let found = error(&user("{\"a_very_strange_key\":1,\n\"install\":{\"auto\":3}}"));
        assert_eq!(found.lines().count(), 2, "{found}");
    }

    #[test]
    fn the_organisation_can_lock_a_key() {
        let sources = Sources {
            organisation: file("o.json", r#"{"locked":["policy"],"policy":{"preset":"strict"}}"#),
            user: file("u.json", r#"{"policy":{"preset":"observe"}}"#),
            ..Sources::default()
        };
        let sources = with_env(sources, &[("DEFENTER_POLICY_ON_UNREACHABLE", "local")]);
        let loaded = sources.load().expect("settings");
        assert_eq!(loaded.settings.policy.preset, Preset::Strict);
        assert_eq!(
            loaded.settings.policy.on_unreachable.to_owned(),
            crate::settings::OnUnreachable::Deny
        );
        assert_eq!(loaded.warnings.len(), 2);
        assert!(loaded.explain("policy.preset").expect("explained").locked);
        let bad = Sources {
            organisation: file("o.json", r#"{"locked":["polcy"]}"#),
            ..Sources::default()
        };
        assert!(error(&bad).contains("did you mean `policy`"));
    }

    #[test]
    fn the_old_file_is_read_when_it_is_all_there_is() {
        let old = "# mine\nAPI_URL=https://p.example\nDEBUG = yes\nALLOW_BLOCK_OVERRIDE=0\n\
                   MIN_BLOCK_SEVERITY=high\nCOLOUR=red\n";
        let sources = Sources { legacy: file("config", old), ..Sources::default() };
        let loaded = sources.load().expect("settings");
        assert_eq!(loaded.settings.cloud.url, "https://p.example");
        assert!(loaded.settings.cloud.enabled);
        assert_eq!(loaded.settings.log.level, crate::settings::Level::Debug);
        assert!(!loaded.settings.policy.allow_block_override);
        assert_eq!(loaded.settings.policy.min_block_severity, Severity::High);
        assert_eq!(loaded.warnings.len(), 1);
        assert_eq!(loaded.explain("cloud.url").expect("one").origin.to_string(), "config:2:1");
        let both = Sources { user: file("u.json", "{}"), ..sources };
        let loaded = both.load().expect("settings");
        assert_eq!(loaded.settings, Settings::default());
        assert_eq!(loaded.warnings, [Warning::LegacyIgnored { path: PathBuf::from("config") }]);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_an_error_and_a_missing_one_is_not() {
        let place = tempfile::tempdir().expect("a folder");
        assert!(Source::read(&place.path().join("none")).expect("no error").is_none());
        assert!(Source::read(place.path()).is_err());
    }

    #[test]
    fn plain_http_is_only_for_this_machine() {
        for good in
            ["https://a.example", "http://localhost:1/x", "http://127.0.0.1", "http://[::1]:8"]
        {
            assert!(is_safe_url(good), "{good}");
        }
        for bad in ["http://a.example", "http://127.0.0.1.example", "https://", "ftp://x", ""] {
            assert!(!is_safe_url(bad), "{bad}");
        }
    }
}
