//! A configuration file as text with a tree over it.
//!
//! Owns: the formats that clients use, parsing them into one kind of tree whose nodes know their
//! place in the text, and edits that replace ranges of that text.
//! Accepts: bytes of any kind, at most [`MAX_FILE_BYTES`], nested at most [`MAX_DEPTH`] deep.
//! Emits: a [`Doc`], or a [`DocError`] with line and column.
//! Promises: the text is never re-serialised. An edit changes the ranges it names and no other
//! byte; byte-order mark, line endings and comments stay because nobody touches them.

mod edit;
mod holes;
mod json;
mod merge;
mod toml;
mod yaml;

pub(crate) use edit::{Edit, apply_edits};
pub(crate) use holes::Holes;
pub(crate) use merge::{merge, remove_items, remove_member};

use std::fmt;
use std::ops::Range;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The largest file that is read, in bytes. The largest seen in practice is a `~/.claude.json` of
/// a few megabytes.
pub const MAX_FILE_BYTES: u64 = 32 * 1024 * 1024;

/// The deepest nesting that is accepted, in levels.
pub const MAX_DEPTH: usize = 128;

/// The largest number of nodes in a tree; it bounds what YAML aliases may expand to.
pub const MAX_NODES: usize = 1_000_000;

/// How a file is written, and what its reader tolerates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// JSON; the client refuses comments and trailing commas.
    JsonStrict,
    /// JSON; what the client tolerates is not known. Read generously, written strictly.
    Json,
    /// JSON with comments, but without trailing commas.
    JsonComments,
    /// JSON with comments and trailing commas.
    Jsonc,
    /// JSON5: single quotes, bare keys and more.
    Json5,
    /// TOML 1.0.
    Toml,
    /// YAML 1.2, one document.
    Yaml,
    /// A shell script; it is read for `mcp add` commands and never written.
    Shell,
}

impl Format {
    /// True for every flavour of JSON.
    pub fn is_json(self) -> bool {
        !matches!(self, Self::Toml | Self::Yaml | Self::Shell)
    }
}

/// A parsed file.
#[derive(Clone)]
pub struct Doc {
    format: Format,
    bom: bool,
    text: String,
    /// Where each line starts; made when the first place is asked for.
    lines: OnceLock<Vec<usize>>,
    root: Option<Node>,
}

/// A value and its place in the text.
#[derive(Clone, Debug)]
pub struct Node {
    /// Byte range in [`Doc::text`]; empty for a TOML table, which may lie in several places.
    pub span: Range<usize>,
    /// What it is.
    pub value: Value,
    /// How its container is laid out.
    pub layout: Layout,
    /// True where editing this node would change another place as well, or the node's text is
    /// elsewhere: a YAML anchor, alias or merged key.
    pub shared: bool,
}

/// What a node is. Numbers keep their text.
#[derive(Clone)]
pub enum Value {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A number, as written.
    Number(String),
    /// A string, unescaped.
    Str(String),
    /// A list.
    Seq(Vec<Node>),
    /// A map in the order of the text, duplicates included.
    Map(Vec<Member>),
    /// Something else, as written (a TOML date).
    Other(String),
}

/// One key of a map.
#[derive(Clone, Debug)]
pub struct Member {
    /// The key, unescaped.
    pub key: String,
    /// Byte range of the key in the text.
    pub key_span: Range<usize>,
    /// Its value.
    pub node: Node,
}

/// How a container is laid out in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Between brackets, with commas.
    Flow,
    /// One member a line (YAML blocks, TOML tables).
    Block,
}

/// One step into a tree.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// The value of a key; of duplicates, the last.
    Key(String),
    /// An element of a list.
    Index(usize),
}

/// A place in a text, both 1-based; the column counts characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

/// Why a file's text was not accepted.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DocError {
    /// The bytes are not UTF-8.
    #[error("not valid UTF-8{hint}")]
    Encoding {
        /// What else the bytes may be.
        hint: &'static str,
    },
    /// The text does not follow the format.
    #[error("{place}: {message}")]
    Syntax {
        /// Where.
        place: Place,
        /// What the parser found.
        message: String,
    },
    /// A bound was exceeded.
    #[error("{what} is over the limit of {limit}")]
    TooLarge {
        /// What was too large.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

impl fmt::Debug for Doc {
    // A file's text may hold secrets, and so may a value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Doc")
            .field("format", &self.format)
            .field("bytes", &self.text.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("Null"),
            Self::Bool(_) => f.write_str("Bool(_)"),
            Self::Number(_) => f.write_str("Number(_)"),
            Self::Str(_) => f.write_str("Str(_)"),
            Self::Other(_) => f.write_str("Other(_)"),
            Self::Seq(items) => f.debug_tuple("Seq").field(items).finish(),
            Self::Map(members) => f.debug_tuple("Map").field(members).finish(),
        }
    }
}

impl DocError {
    /// The place of a syntax error.
    pub fn place(&self) -> Option<Place> {
        match self {
            Self::Syntax { place, .. } => Some(*place),
            _ => None,
        }
    }
}

impl Doc {
    /// Parses a file's bytes. An empty file, or one of white space and comments, has no root.
    ///
    /// # Errors
    /// [`DocError`] where the bytes are not text, not in the format, or over a bound.
    pub fn parse(bytes: &[u8], format: Format) -> Result<Self, DocError> {
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(DocError::TooLarge { what: "the file", limit: MAX_FILE_BYTES });
        }
        let (bom, bytes) = match bytes.strip_prefix(b"\xef\xbb\xbf") {
            Some(rest) => (true, rest),
            None => (false, bytes),
        };
        let text = std::str::from_utf8(bytes)
            .map_err(|_| DocError::Encoding { hint: encoding_hint(bytes) })?
            .to_owned();
        let root = match format {
            Format::Toml => Some(toml::parse(&text)?),
            Format::Yaml => yaml::parse(&text)?,
            Format::Shell => None,
            json => json::parse(&text, json)?,
        };
        Ok(Self { format, bom, text, lines: OnceLock::new(), root })
    }

    /// The text, without the byte-order mark.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The format it was parsed as.
    pub fn format(&self) -> Format {
        self.format
    }

    /// True where the file starts with a byte-order mark.
    pub fn has_bom(&self) -> bool {
        self.bom
    }

    /// The outermost value.
    pub fn root(&self) -> Option<&Node> {
        self.root.as_ref()
    }

    /// The node at a path from the root.
    pub fn at(&self, path: &[Step]) -> Option<&Node> {
        path.iter().try_fold(self.root.as_ref()?, |node, step| node.step(step))
    }

    /// The text of a node.
    pub fn raw(&self, span: &Range<usize>) -> &str {
        self.text.get(span.clone()).unwrap_or_default()
    }

    /// The place of a byte offset.
    pub fn place(&self, offset: usize) -> Place {
        let lines = self.lines.get_or_init(|| {
            let newlines = self.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
            std::iter::once(0).chain(newlines.map(|(at, _)| at + 1)).collect()
        });
        let line = lines.partition_point(|start| *start <= offset).max(1);
        let before = self.text.get(lines[line - 1]..offset).unwrap_or_default();
        Place { line, column: before.chars().count() + 1 }
    }

    /// The bytes of the file for a text, with this file's byte-order mark.
    pub(crate) fn bytes_of(&self, text: &str) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(text.len() + 3);
        if self.bom {
            bytes.extend_from_slice(b"\xef\xbb\xbf");
        }
        bytes.extend_from_slice(text.as_bytes());
        bytes
    }

    /// The line ending that new lines take: that of the first line.
    pub(crate) fn eol(&self) -> &'static str {
        match self.text.find('\n') {
            Some(at) if self.text[..at].ends_with('\r') => "\r\n",
            _ => "\n",
        }
    }
}

impl Node {
    /// The node one step in.
    pub fn step(&self, step: &Step) -> Option<&Self> {
        match (step, &self.value) {
            (Step::Key(key), Value::Map(_)) => self.get(key),
            (Step::Index(index), Value::Seq(items)) => items.get(*index),
            _ => None,
        }
    }

    /// The value of a key; of duplicates the last, as every client reads them.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.member(key).map(|member| &member.node)
    }

    /// The member with a key; of duplicates the last.
    pub fn member(&self, key: &str) -> Option<&Member> {
        self.members().iter().rev().find(|member| member.key == key)
    }

    /// The members of a map; none for anything else.
    pub fn members(&self) -> &[Member] {
        match &self.value {
            Value::Map(members) => members,
            _ => &[],
        }
    }

    /// The items of a list; none for anything else.
    pub fn items(&self) -> &[Self] {
        match &self.value {
            Value::Seq(items) => items,
            _ => &[],
        }
    }

    /// The string, where it is one.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value, where it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self.value {
            Value::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// True for a map.
    pub fn is_map(&self) -> bool {
        matches!(self.value, Value::Map(_))
    }

    /// True for a list.
    pub fn is_seq(&self) -> bool {
        matches!(self.value, Value::Seq(_))
    }

    /// The same value as JSON, for comparing and for settings.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Number(text) => {
                serde_json::from_str(text).unwrap_or_else(|_| text.clone().into())
            }
            Value::Str(text) | Value::Other(text) => text.clone().into(),
            Value::Seq(items) => items.iter().map(Self::to_json).collect(),
            Value::Map(members) => {
                members.iter().map(|member| (member.key.clone(), member.node.to_json())).collect()
            }
        }
    }
}

/// The place of a byte offset in a text.
pub(crate) fn place_in(text: &str, offset: usize) -> Place {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let before = &text[..offset];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    Place {
        line: before.bytes().filter(|byte| *byte == b'\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
    }
}

fn encoding_hint(bytes: &[u8]) -> &'static str {
    match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => " (it looks like UTF-16; save it as UTF-8)",
        _ => "",
    }
}
