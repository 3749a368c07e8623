//! What can be wrong with a policy.

use std::fmt;
use std::path::PathBuf;

/// A place in a policy file; line and column count from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, or `builtin:<name>`.
    pub path: PathBuf,
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

impl Place {
    /// The place of a byte offset in a text.
    pub(crate) fn of(path: &std::path::Path, text: &str, offset: usize) -> Self {
        let mut end = offset.min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let before = &text[..end];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self {
            path: path.to_owned(),
            line: count(before.bytes().filter(|&b| b == b'\n').count() + 1),
            column: count(before[line_start..].chars().count() + 1),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.path.display(), self.line, self.column)
    }
}

/// Why a policy cannot be used. Nothing of a file with an error is used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The text is not Cedar.
    #[error("policy does not parse: {place}: {message}{}", hint_of(hint.as_deref()))]
    Syntax {
        /// Where.
        place: Place,
        /// What the parser says.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
    /// A rule uses what the schema does not have, or uses it wrongly.
    #[error("policy does not fit the schema: {place}: {message}{}", hint_of(hint.as_deref()))]
    Schema {
        /// Where.
        place: Place,
        /// What the validator says.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
    /// The text is Cedar, but not what a layer may hold.
    #[error("policy is not accepted: {place}: {message}{}", hint_of(hint.as_deref()))]
    Rule {
        /// Where.
        place: Place,
        /// What is wrong.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
    /// A limit on size or number is exceeded.
    #[error("policy is over a limit: {}: {what} is {actual}, at most {limit} is allowed", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// What is counted.
        what: &'static str,
        /// How much there is.
        actual: usize,
        /// How much there may be.
        limit: usize,
    },
    /// A rule that is to be disabled does not exist.
    #[error("cannot disable the rule {id:?}: no built-in rule has that id (hint: {hint})")]
    UnknownRule {
        /// The id that was asked for.
        id: String,
        /// Which ids there are.
        hint: String,
    },
    /// Something that the program itself brings along is broken.
    #[error("the built-in policy cannot be used: {0}")]
    Builtin(String),
}

impl PolicyError {
    /// Where the error is, if it is at a place in a file.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Syntax { place, .. } | Self::Schema { place, .. } | Self::Rule { place, .. } => {
                Some(place)
            }
            Self::TooLarge { .. } | Self::UnknownRule { .. } | Self::Builtin(_) => None,
        }
    }
}

fn hint_of(hint: Option<&str>) -> String {
    hint.map(|hint| format!(" (hint: {hint})")).unwrap_or_default()
}
