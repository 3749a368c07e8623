//! The settings file of Defenter 0.0.96: `KEY=value` lines with `#` comments.
//!
//! Owns: what its four keys mean today; only one of them still does.
//! Accepts: the file as bytes.
//! Emits: values with their lines.
//! Promises: a key that has no effect is reported, not fatal, since the file was right once.

use serde_json::Value;

use super::load::{Layer, Origin, SettingsError, Source};
use crate::doc::{DocError, Place};

/// One line.
pub(super) enum Line {
    /// A setting.
    Value {
        /// The key of today.
        key: &'static str,
        /// Its value.
        value: Value,
        /// The line.
        origin: Origin,
    },
    /// A key that had a meaning there and has none here.
    Unused {
        /// The key.
        key: String,
        /// The line.
        origin: Origin,
    },
    /// A key that never meant anything.
    Unknown {
        /// The key.
        key: String,
        /// The line.
        origin: Origin,
    },
    /// Not a line of the format.
    Error(SettingsError),
}

/// Reads the file.
pub(super) fn read(source: &Source) -> Vec<Line> {
    let Ok(text) = std::str::from_utf8(&source.bytes) else {
        return vec![Line::Error(SettingsError::Parse {
            path: source.path.clone(),
            source: DocError::Encoding { hint: "" },
        })];
    };
    text.lines()
        .enumerate()
        .map(|(index, line)| (index, line.trim()))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .flat_map(|(index, line)| read_line(source, line, Place { line: index + 1, column: 1 }))
        .collect()
}

fn read_line(source: &Source, line: &str, place: Place) -> Vec<Line> {
    let origin = Origin::File { layer: Layer::User, path: source.path.clone(), place };
    let Some((key, value)) = line.split_once('=') else {
        return vec![Line::Error(SettingsError::Parse {
            path: source.path.clone(),
            source: DocError::Syntax { place, message: "expected KEY=value".to_owned() },
        })];
    };
    match key.trim() {
        // Anything but the four words for true is false there.
        "DEBUG" if truth(value) == Some(true) => {
            vec![Line::Value { key: "log.level", value: "debug".into(), origin }]
        }
        "DEBUG" => Vec::new(),
        key @ ("API_URL" | "ALLOW_BLOCK_OVERRIDE" | "MIN_BLOCK_SEVERITY") => {
            vec![Line::Unused { key: key.to_owned(), origin }]
        }
        other => vec![Line::Unknown { key: other.to_owned(), origin }],
    }
}

/// A truth value as people write it.
pub(super) fn truth(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Some(true),
        "0" | "false" | "no" | "off" => Some(false),
        _ => None,
    }
}
