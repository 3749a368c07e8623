//! The presets: which built-in rules apply, and whether they are enforced.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Rules that hold in every preset.
const BALANCED: &str = include_str!("../builtin/balanced.cedar");
/// What `strict` adds.
const STRICT: &str = include_str!("../builtin/strict.cedar");
/// What `read-only` adds.
const READ_ONLY: &str = include_str!("../builtin/read-only.cedar");

/// A choice of built-in rules.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// Few questions: blocks what is known bad, asks before what cannot be undone.
    #[default]
    Balanced,
    /// Asks before every change and refuses what `balanced` asks about where no person is needed.
    Strict,
    /// Refuses every tool that does not clearly only read.
    ReadOnly,
    /// Decides and records as `balanced`, but enforces only what is known bad and what an
    /// organisation demands.
    Observe,
}

impl Preset {
    /// All presets.
    pub const ALL: [Self; 4] = [Self::Balanced, Self::Strict, Self::ReadOnly, Self::Observe];

    /// The name used in the settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Balanced => "balanced",
            Self::Strict => "strict",
            Self::ReadOnly => "read-only",
            Self::Observe => "observe",
        }
    }

    /// The built-in files: a name and the text.
    pub(crate) fn files(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Balanced | Self::Observe => &[("builtin:balanced", BALANCED)],
            Self::Strict => &[("builtin:balanced", BALANCED), ("builtin:strict", STRICT)],
            Self::ReadOnly => &[("builtin:balanced", BALANCED), ("builtin:read-only", READ_ONLY)],
        }
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A preset that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown preset {0:?} (hint: one of balanced, strict, read-only, observe)")]
pub struct ParsePresetError(String);

impl FromStr for Preset {
    type Err = ParsePresetError;

    fn from_str(text: &str) -> Result<Self, ParsePresetError> {
        Self::ALL
            .into_iter()
            .find(|preset| preset.as_str() == text)
            .ok_or_else(|| ParsePresetError(text.chars().take(64).collect()))
    }
}
