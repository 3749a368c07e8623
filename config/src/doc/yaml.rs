//! YAML as a tree over the text.
//!
//! Owns: building a tree from parser events, anchors, aliases and merge keys included.
//! Accepts: text without a byte-order mark, one document.
//! Emits: the root node, or nothing for an empty text.
//! Promises: what an alias or a merge key brings in is marked as shared, so that nobody edits a
//! place whose text lies elsewhere; expansion is bounded ("billion laughs").

use std::collections::HashMap;
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};

use super::{DocError, Layout, MAX_DEPTH, MAX_NODES, Member, Node, Place, Value};

/// Parses a text.
pub(super) fn parse(text: &str) -> Result<Option<Node>, DocError> {
    let mut builder = Builder::new(text);
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| syntax(&error))?;
        builder.event(event, span)?;
    }
    Ok(builder.root)
}

struct Builder<'t> {
    text: &'t str,
    /// Byte offset of each character; only for texts that are not ASCII.
    offsets: Option<Vec<usize>>,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
    documents: usize,
    root: Option<Node>,
}

struct Open {
    anchor: usize,
    start: usize,
    layout: Layout,
    content: Content,
}

enum Content {
    Seq(Vec<Node>),
    Map { members: Vec<Member>, key: Option<(String, Range<usize>)> },
}

impl<'t> Builder<'t> {
    fn new(text: &'t str) -> Self {
        let offsets = (!text.is_ascii()).then(|| {
            text.char_indices().map(|(at, _)| at).chain(std::iter::once(text.len())).collect()
        });
        Self {
            text,
            offsets,
            open: Vec::new(),
            anchors: HashMap::new(),
            nodes: 0,
            documents: 0,
            root: None,
        }
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), DocError> {
        let range = self.range(span);
        let range = match &event {
            Event::Scalar(_, style, ..) => self.scalar_range(range, *style),
            _ => range,
        };
        match event {
            Event::DocumentStart(_) => self.document(span),
            Event::Alias(anchor) => {
                let node = self.anchors.get(&anchor).cloned();
                let value = node.map_or(Value::Null, |node| node.value);
                self.nodes += count(&value);
                self.finish(0, Node { span: range, value, layout: Layout::Flow, shared: true })
            }
            Event::Scalar(content, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && tag.is_none();
                let value =
                    if plain { resolve(&content) } else { Value::Str(content.into_owned()) };
                let layout = match style {
                    ScalarStyle::Literal | ScalarStyle::Folded => Layout::Block,
                    _ => Layout::Flow,
                };
                let shared = anchor != 0;
                self.finish(anchor, Node { span: range, value, layout, shared })
            }
            Event::SequenceStart(anchor, _) => self.start(anchor, &range, Content::Seq(Vec::new())),
            Event::MappingStart(anchor, _) => {
                self.start(anchor, &range, Content::Map { members: Vec::new(), key: None })
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(&range),
            _ => Ok(()),
        }
    }

    fn document(&mut self, span: Span) -> Result<(), DocError> {
        self.documents += 1;
        if self.documents > 1 {
            return Err(DocError::Syntax {
                place: place(span),
                message: "a second document in the file".to_owned(),
            });
        }
        Ok(())
    }

    fn start(
        &mut self,
        anchor: usize,
        range: &Range<usize>,
        content: Content,
    ) -> Result<(), DocError> {
        if self.open.len() >= MAX_DEPTH {
            return Err(DocError::TooLarge { what: "the nesting", limit: MAX_DEPTH as u64 });
        }
        let layout = match self.text.as_bytes().get(range.start) {
            Some(b'[' | b'{') if !range.is_empty() => Layout::Flow,
            _ => Layout::Block,
        };
        self.open.push(Open { anchor, start: range.start, layout, content });
        Ok(())
    }

    fn end(&mut self, range: &Range<usize>) -> Result<(), DocError> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let value = match open.content {
            Content::Seq(items) => Value::Seq(items),
            Content::Map { members, .. } => Value::Map(merge(members)),
        };
        let end = match open.layout {
            // The bracket; the parser's range goes on over what follows it.
            Layout::Flow => range.start + 1,
            Layout::Block => last_end(&value).unwrap_or(range.end),
        };
        let start = match (&value, open.layout) {
            (Value::Seq(items), Layout::Block) => self.dash(items).unwrap_or(open.start),
            _ => open.start,
        };
        let node = Node {
            span: start..end.max(start),
            value,
            layout: open.layout,
            shared: open.anchor != 0,
        };
        self.finish(open.anchor, node)
    }

    fn finish(&mut self, anchor: usize, node: Node) -> Result<(), DocError> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(DocError::TooLarge {
                what: "the number of values",
                limit: MAX_NODES as u64,
            });
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(node),
            Some(Content::Seq(items)) => items.push(node),
            Some(Content::Map { members, key }) => match key.take() {
                None => *key = Some((key_text(&node), node.span)),
                Some((key, key_span)) => members.push(Member { key, key_span, node }),
            },
        }
        Ok(())
    }

    /// The dash of a block's first item. The parser starts a block that is not indented after it.
    fn dash(&self, items: &[Node]) -> Option<usize> {
        let before = self.text.get(..items.first()?.span.start)?.trim_end_matches(' ');
        before.strip_suffix('-').map(str::len)
    }

    /// The text of a scalar. The parser's range of a quoted one goes on over the comment that
    /// follows, and that of a block starts after its header.
    fn scalar_range(&self, range: Range<usize>, style: ScalarStyle) -> Range<usize> {
        let text = self.text.get(range.clone()).unwrap_or_default();
        match style {
            ScalarStyle::Plain => range,
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
                let length = quoted_length(text).unwrap_or(text.len());
                range.start..range.start + length
            }
            ScalarStyle::Literal | ScalarStyle::Folded => {
                let before = self.text.get(..range.start).unwrap_or_default();
                let start = before.rfind(['|', '>']).unwrap_or(range.start);
                start..range.start + text.trim_end().len()
            }
        }
    }

    fn range(&self, span: Span) -> Range<usize> {
        self.offset(span.start.index())..self.offset(span.end.index())
    }

    fn offset(&self, index: usize) -> usize {
        match &self.offsets {
            None => index.min(self.text.len()),
            Some(offsets) => offsets.get(index).copied().unwrap_or(self.text.len()),
        }
    }
}

/// Puts the members that `<<` brings in before the map's own, marked as shared: the last of a key
/// counts, so the map's own win.
fn merge(members: Vec<Member>) -> Vec<Member> {
    if !members.iter().any(|member| member.key == "<<") {
        return members;
    }
    let mut merged = Vec::with_capacity(members.len());
    for member in members.iter().filter(|member| member.key == "<<") {
        let sources: Vec<&Node> = match &member.node.value {
            Value::Seq(items) => items.iter().rev().collect(),
            _ => vec![&member.node],
        };
        for source in sources {
            merged.extend(source.members().iter().map(shared));
        }
    }
    merged.extend(members);
    merged
}

fn shared(member: &Member) -> Member {
    let mut member = member.clone();
    member.node.shared = true;
    member
}

fn last_end(value: &Value) -> Option<usize> {
    match value {
        Value::Seq(items) => items.last().map(|item| item.span.end),
        Value::Map(members) => members.last().map(|member| member.node.span.end),
        _ => None,
    }
}

fn count(value: &Value) -> usize {
    match value {
        Value::Seq(items) => 1 + items.iter().map(|item| count(&item.value)).sum::<usize>(),
        Value::Map(members) => 1 + members.iter().map(|m| count(&m.node.value)).sum::<usize>(),
        _ => 1,
    }
}

/// The length of the quoted scalar that a text starts with.
fn quoted_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let quote = *bytes.first()?;
    let mut at = 1;
    loop {
        match *bytes.get(at)? {
            b'\\' if quote == b'"' => at += 2,
            byte if byte == quote => {
                // In single quotes, two are one.
                if quote == b'\'' && bytes.get(at + 1) == Some(&quote) {
                    at += 2;
                } else {
                    return Some(at + 1);
                }
            }
            _ => at += 1,
        }
    }
}

fn key_text(node: &Node) -> String {
    match &node.value {
        Value::Str(text) | Value::Number(text) | Value::Other(text) => text.clone(),
        Value::Bool(value) => value.to_string(),
        _ => String::new(),
    }
}

/// A plain scalar by the core schema of YAML 1.2.
fn resolve(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ if is_number(text) => Value::Number(text.to_owned()),
        _ => Value::Str(text.to_owned()),
    }
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    match digits.as_bytes() {
        [b'0', b'x', rest @ ..] => !rest.is_empty() && rest.iter().all(u8::is_ascii_hexdigit),
        [b'0', b'o', rest @ ..] => {
            !rest.is_empty() && rest.iter().all(|byte| (b'0'..=b'7').contains(byte))
        }
        [b'0'..=b'9' | b'.', ..] => digits.parse::<f64>().is_ok(),
        _ => false,
    }
}

fn syntax(error: &ScanError) -> DocError {
    let mark = error.marker();
    DocError::Syntax {
        place: Place { line: mark.line(), column: mark.col() + 1 },
        message: error.info().to_owned(),
    }
}

fn place(span: Span) -> Place {
    Place { line: span.start.line(), column: span.start.col() + 1 }
}
