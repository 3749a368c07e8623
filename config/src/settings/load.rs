//! Reading the settings: layers, one over the other, each value with its origin.
//!
//! Owns: reading the files, and explaining a value (the layers are, from the weakest: built-in,
//! organisation, user, environment, flags).
//! Accepts: files, environment and flags as they are; all hostile.
//! Emits: [`Loaded`], or every error that was found.
//! Promises: an error names the key and the place, and never the value (it may be a secret).

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde_json::Value;
use thiserror::Error;

use super::groups::Settings;
use super::merge::{Merge, unknown};
use super::schema;
use crate::doc::{DocError, MAX_FILE_BYTES, Place};
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
    pub(super) values: BTreeMap<String, (Value, Origin)>,
    pub(super) locked: Vec<String>,
    pub(super) schema: Value,
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
    /// A key of the old settings file that this version does not use.
    LegacyUnused {
        /// The key.
        key: String,
        /// Where it is.
        origin: Origin,
    },
    /// A key of the old settings file that never meant anything.
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
            Self::LegacyUnused { key, origin } => {
                write!(f, "{origin}: `{key}` is not used by this version")
            }
            Self::LegacyKey { key, origin } => write!(f, "{origin}: `{key}` is not a setting"),
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
        match std::fs::metadata(path) {
            // A pipe is never opened: it may block for ever.
            Ok(metadata) if !metadata.is_file() => {
                return Err(failed(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "it is not a file",
                )));
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        }
        let file = std::fs::File::open(path).map_err(failed)?;
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

/// True for a key that a lock covers.
pub(super) fn is_locked(locked: &[String], key: &str) -> bool {
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
mod tests;
