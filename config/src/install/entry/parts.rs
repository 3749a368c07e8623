//! The parts of an entry, and the edits that wrap it or give it back.
//!
//! Owns: where words go in a list, and a member among others, in the style of what is there.
//! Accepts: an entry of any shape in any format.
//! Emits: edits, and what the entry is to be afterwards.

use std::ops::Range;

use super::{EntryError, Texts};
use crate::clients::{Shape, shape_of, unwrap as original_at};
use crate::doc::{Doc, Edit, Format, Layout, Member, Node, Step, Value};

/// The parts of an entry that are edited.
pub(super) struct Parts<'d> {
    doc: &'d Doc,
    /// The object that holds command and arguments.
    pub(super) holder: &'d Node,
    pub(super) command: &'d Member,
    pub(super) args: Option<&'d Member>,
    /// True where the command's list holds the arguments too.
    is_list: bool,
}

/// What the entry is to be afterwards.
pub(super) struct Expected {
    command: Option<String>,
    args: Vec<String>,
    /// False where the arguments are to be absent.
    args_present: bool,
}

impl Expected {
    pub(super) fn check(&self, parts: &Parts<'_>) -> Result<(), EntryError> {
        let args = parts.list().map(texts).transpose()?;
        let right_args = match &args {
            Some(args) => self.args_present && *args == self.args,
            None => !self.args_present && self.args.is_empty(),
        };
        let right_command =
            self.command.is_none() || parts.command.node.as_str() == self.command.as_deref();
        if right_args && right_command { Ok(()) } else { Err(EntryError::Verification) }
    }
}

impl<'d> Parts<'d> {
    pub(super) fn of(doc: &'d Doc, steps: &[Step]) -> Result<Self, EntryError> {
        let entry = doc.at(steps).ok_or(EntryError::Gone)?;
        let (at, key, is_list) = match shape_of(entry).ok_or(EntryError::NoCommand)? {
            Shape::Split { at, command } => (at, command, false),
            Shape::List { at, command } => (at, command, true),
            Shape::Ambiguous { .. } => {
                return Err(EntryError::Unsupported("it has a command and an address"));
            }
            Shape::Remote { .. } | Shape::Settings => return Err(EntryError::NoCommand),
        };
        let holder = at.iter().try_fold(entry, |node, step| node.step(step));
        let holder = holder.ok_or(EntryError::Gone)?;
        let command = holder.member(key).ok_or(EntryError::NoCommand)?;
        let args = if is_list { None } else { holder.member("args") };
        let parts = Self { doc, holder, command, args, is_list };
        parts.check_editable()?;
        Ok(parts)
    }

    fn check_editable(&self) -> Result<(), EntryError> {
        let nodes = [Some(&self.command.node), self.args.map(|args| &args.node)];
        for node in nodes.into_iter().flatten() {
            if node.shared || node.items().iter().any(|item| item.shared) {
                return Err(EntryError::Unsupported("an anchor, an alias or a merged key"));
            }
            if node.span.is_empty() {
                return Err(EntryError::Unsupported("a value without a place"));
            }
        }
        if !self.is_list && self.command.node.layout == Layout::Block {
            return Err(EntryError::Unsupported("a block of text as the command"));
        }
        let args = self.args.map(|args| &args.node.value);
        match args {
            None | Some(Value::Null | Value::Seq(_)) => Ok(()),
            Some(_) => Err(EntryError::Unsupported("arguments that are not a list")),
        }
    }

    /// What of the tree this entry's edits may change.
    pub(super) fn hole(&self) -> (&'d Node, [&'d str; 2]) {
        (self.holder, [&self.command.key, "args"])
    }

    pub(super) fn program(&self) -> Option<&str> {
        match &self.command.node.value {
            Value::Seq(items) => items.first().and_then(Node::as_str),
            _ => self.command.node.as_str(),
        }
    }

    pub(super) fn command_text(&self) -> String {
        self.doc.raw(&self.command.node.span).to_owned()
    }

    /// The text of the arguments; of a command that is a list, nothing.
    pub(super) fn args_text(&self) -> Option<String> {
        if self.is_list {
            return Some(String::new());
        }
        self.args.map(|args| self.doc.raw(&args.node.span).to_owned())
    }

    /// The list that words are put in front of.
    pub(super) fn list(&self) -> Option<&'d Node> {
        if self.is_list {
            return Some(&self.command.node);
        }
        self.args.map(|args| &args.node).filter(|node| node.is_seq())
    }

    pub(super) fn wrap(
        &self,
        program: &str,
        words: &[&str],
    ) -> Result<(Vec<Edit>, Expected), EntryError> {
        let old = self.list().map(texts).transpose()?.unwrap_or_default();
        if self.is_list {
            let words: Vec<&str> = std::iter::once(program).chain(words.iter().copied()).collect();
            let items: Vec<String> = words.iter().map(|word| self.encoded(word)).collect();
            let edit = self.in_front(&self.command.node, &items)?;
            let args = words.into_iter().map(str::to_owned).chain(old).collect();
            return Ok((vec![edit], Expected { command: None, args, args_present: true }));
        }
        let command = self.command.node.as_str().ok_or(EntryError::NoCommand)?;
        let mut items: Vec<String> = words.iter().map(|word| self.encoded(word)).collect();
        items.push(self.moved(command));
        let arguments = match self.args {
            Some(args) if args.node.is_seq() => self.in_front(&args.node, &items)?,
            Some(args) => Edit::replace(args.node.span.clone(), self.flow_list(&items)),
            None => self.new_member(&self.flow_list(&items))?,
        };
        let args = words.iter().map(|word| (*word).to_owned());
        let args = args.chain([command.to_owned()]).chain(old).collect();
        let edits =
            vec![Edit::replace(self.command.node.span.clone(), self.encoded(program)), arguments];
        Ok((edits, Expected { command: Some(program.to_owned()), args, args_present: true }))
    }

    pub(super) fn unwrap(
        &self,
        saved: Option<&Texts>,
        as_written: bool,
    ) -> Result<(Vec<Edit>, Expected), EntryError> {
        let list = self.list().ok_or(EntryError::NotWrapped)?;
        let words = texts(list)?;
        if self.is_list {
            let at = 1 + original_at(&words[1..]).ok_or(EntryError::NotWrapped)?;
            let expected =
                Expected { command: None, args: words[at..].to_vec(), args_present: true };
            return Ok((vec![self.without_first(list, at)?], expected));
        }
        let at = original_at(&words).ok_or(EntryError::NotWrapped)?;
        let original = list.items().get(at).ok_or(EntryError::NotWrapped)?;
        let rest = words[at + 1..].to_vec();
        let args = self.args.ok_or(EntryError::NotWrapped)?;
        let span = self.command.node.span.clone();
        let command = saved
            .filter(|_| as_written)
            .map_or_else(|| self.doc.raw(&original.span).to_owned(), |texts| texts.command.clone());
        let was_absent = saved.is_some_and(|texts| texts.args.is_none());
        let (edit, present) = match saved.and_then(|texts| texts.args.as_ref()) {
            Some(text) if as_written => {
                let is_list = text.starts_with(['[', '-']);
                (Edit::replace(args.node.span.clone(), text), is_list)
            }
            _ if rest.is_empty() && was_absent => (self.without_member(args)?, false),
            _ => (self.without_first(list, at + 1)?, true),
        };
        let expected =
            Expected { command: Some(words[at].clone()), args: rest, args_present: present };
        Ok((vec![Edit::replace(span, command), edit], expected))
    }

    /// The original command's text where it can stand in a list as it is.
    fn moved(&self, command: &str) -> String {
        let raw = self.command_text();
        let quoted = raw.starts_with(['"', '\'']);
        let plain = raw.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-@+".contains(&b));
        if self.doc.format() != Format::Yaml || (quoted && !raw.contains('\n')) || plain {
            raw
        } else {
            self.encoded(command)
        }
    }

    /// A string as the format writes it. JSON's strings are TOML's and YAML's too, but for the
    /// one character that JSON leaves as it is and TOML does not take.
    fn encoded(&self, text: &str) -> String {
        let json = serde_json::Value::from(text).to_string();
        json.replace('\u{7f}', "\\u007f")
    }

    fn flow_list(&self, items: &[String]) -> String {
        format!("[{}]", items.join(if self.is_minified() { "," } else { ", " }))
    }

    /// True where the file writes no space between a key and its value.
    fn is_minified(&self) -> bool {
        let between = self.command.key_span.end..self.command.node.span.start;
        self.doc.format().is_json() && !self.doc.raw(&between).contains([' ', '\n', '\t'])
    }

    /// Puts items in front of a list's.
    fn in_front(&self, list: &Node, items: &[String]) -> Result<Edit, EntryError> {
        let Some(first) = list.items().first() else {
            // Between the brackets of an empty list.
            let text = items.join(if self.is_minified() { "," } else { ", " });
            return Ok(Edit::insert(list.span.start + 1, text));
        };
        if list.layout == Layout::Block {
            let dash = self.dash(first)?;
            let indent = " ".repeat(self.column(dash)?);
            let line = |item: &String| format!("- {item}{}{indent}", self.doc.eol());
            return Ok(Edit::insert(dash, items.iter().map(line).collect::<String>()));
        }
        let separator = self.separator(list, first);
        let text: String = items.iter().map(|item| format!("{item}{separator}")).collect();
        Ok(Edit::insert(first.span.start, text))
    }

    /// What stands between the items of a list.
    fn separator(&self, list: &Node, first: &Node) -> String {
        let lead = self.doc.raw(&(list.span.start + 1..first.span.start));
        if let Some(at) = lead.rfind('\n') {
            let start = if lead[..at].ends_with('\r') { at - 1 } else { at };
            if lead[at..].trim().is_empty() {
                return format!(",{}", &lead[start..]);
            }
        }
        let between = list.items().get(1).map(|second| first.span.end..second.span.start);
        match between.map(|range| self.doc.raw(&range)) {
            Some(text) if matches!(text, "," | ", ") => text.to_owned(),
            _ if self.is_minified() => ",".to_owned(),
            _ => ", ".to_owned(),
        }
    }

    /// Removes the first items of a list.
    fn without_first(&self, list: &Node, count: usize) -> Result<Edit, EntryError> {
        let items = list.items();
        let first = items.first().ok_or(EntryError::NotWrapped)?;
        let last = items.last().ok_or(EntryError::NotWrapped)?;
        let block = list.layout == Layout::Block;
        let range = match items.get(count) {
            Some(next) if block => self.dash(first)?..self.dash(next)?,
            Some(next) => first.span.start..next.span.start,
            // A block that loses all its items becomes an empty list.
            None if block => return Ok(Edit::replace(list.span.clone(), "[]")),
            None => self.all_items(list, first.span.start..self.after_comma(last.span.end)),
        };
        Ok(Edit::replace(range, ""))
    }

    /// The range of all items of a list; with the line breaks around them, if nothing else is.
    fn all_items(&self, list: &Node, items: Range<usize>) -> Range<usize> {
        let inside = list.span.start + 1..list.span.end - 1;
        let around = [inside.start..items.start, items.end..inside.end];
        let around = around.map(|range| self.doc.raw(&range));
        let is_blank = around.iter().all(|text| text.trim().is_empty());
        if is_blank && around.concat().contains('\n') { inside } else { items }
    }

    /// The offset after the comma that follows, or the same offset.
    fn after_comma(&self, at: usize) -> usize {
        let rest = &self.doc.text()[at..];
        let blank = rest.len() - rest.trim_start().len();
        if rest[blank..].starts_with(',') { at + blank + 1 } else { at }
    }

    /// The dash of an item of a YAML block.
    fn dash(&self, item: &Node) -> Result<usize, EntryError> {
        let before = self.doc.text()[..item.span.start].trim_end_matches(' ');
        match before.strip_suffix('-') {
            Some(rest) => Ok(rest.len()),
            None => Err(EntryError::Unsupported("a list item that is not on the line of its dash")),
        }
    }

    /// The column of an offset in a line that has nothing but spaces and dashes before it.
    fn column(&self, at: usize) -> Result<usize, EntryError> {
        let line = &self.doc.text()[self.line_start(at)..at];
        if line.bytes().all(|byte| matches!(byte, b' ' | b'-')) {
            Ok(line.len())
        } else {
            Err(EntryError::Unsupported("a block that starts in the middle of a line"))
        }
    }

    fn line_start(&self, at: usize) -> usize {
        self.doc.text()[..at].rfind('\n').map_or(0, |newline| newline + 1)
    }

    fn line_end(&self, at: usize) -> usize {
        let rest = &self.doc.text()[at..];
        let end = rest.find('\n').map_or(rest.len(), |newline| newline);
        at + if rest[..end].ends_with('\r') { end - 1 } else { end }
    }

    /// Adds the arguments to an entry that has none.
    fn new_member(&self, list: &str) -> Result<Edit, EntryError> {
        let value_end = self.command.node.span.end;
        let block = self.holder.layout == Layout::Block;
        match self.doc.format() {
            Format::Toml if block => {
                // A line above the command's, with the same prefix of dotted keys.
                let start = self.line_start(self.command.key_span.start);
                let prefix = self.doc.raw(&(start..self.command.key_span.start));
                Ok(Edit::insert(start, format!("{prefix}args = {list}{}", self.doc.eol())))
            }
            Format::Yaml if block => {
                let indent = " ".repeat(self.column(self.command.key_span.start)?);
                let text = format!("{}{indent}args: {list}", self.doc.eol());
                Ok(Edit::insert(self.line_end(value_end), text))
            }
            Format::Toml => Ok(Edit::insert(value_end, format!(", args = {list}"))),
            Format::Yaml => Ok(Edit::insert(value_end, format!(", args: {list}"))),
            _ => {
                let text = format!(",{}\"args\"{}{list}", self.gap(), self.colon());
                Ok(Edit::insert(value_end, text))
            }
        }
    }

    /// The white space before the command's key, from the start of its line if it starts one.
    fn gap(&self) -> &str {
        let before = &self.doc.text()[..self.command.key_span.start];
        let blank = &before[before.trim_end().len()..];
        match blank.rfind('\n') {
            Some(at) if blank[..at].ends_with('\r') => &blank[at - 1..],
            Some(at) => &blank[at..],
            None => blank,
        }
    }

    /// What stands between a key and its value.
    fn colon(&self) -> &str {
        let between = self.command.key_span.end..self.command.node.span.start;
        let text = self.doc.raw(&between);
        if text.trim() == ":" { text } else { ": " }
    }

    /// Removes the arguments, the inverse of [`Self::new_member`].
    fn without_member(&self, member: &Member) -> Result<Edit, EntryError> {
        let end = member.node.span.end;
        let block = self.holder.layout == Layout::Block;
        let range = match self.doc.format() {
            Format::Toml if block => {
                let start = self.line_start(member.key_span.start);
                let line = self.doc.raw(&(start..end));
                if line.matches('\n').count() > 0 && !line.contains('[') {
                    return Err(EntryError::Unsupported("a key over several lines"));
                }
                let rest = &self.doc.text()[end..];
                start..rest.find('\n').map_or(self.doc.text().len(), |at| end + at + 1)
            }
            Format::Yaml if block => {
                let start = self.line_start(member.key_span.start);
                self.column(member.key_span.start)?;
                if self.doc.raw(&(start..member.key_span.start)).contains('-') {
                    return Err(EntryError::Unsupported("arguments as the first key of an item"));
                }
                let before = &self.doc.text()[..start];
                let trimmed = before.strip_suffix('\n').unwrap_or(before);
                let trimmed = trimmed.strip_suffix('\r').unwrap_or(trimmed);
                trimmed.len()..self.line_end(end)
            }
            _ => self.flow_member(member)?,
        };
        Ok(Edit::replace(range, ""))
    }

    fn flow_member(&self, member: &Member) -> Result<Range<usize>, EntryError> {
        let members = self.holder.members();
        let at = members.iter().position(|other| other.key_span == member.key_span);
        let at = at.ok_or(EntryError::Gone)?;
        match (at.checked_sub(1).map(|before| &members[before]), members.get(at + 1)) {
            (Some(before), _) => Ok(before.node.span.end..member.node.span.end),
            (None, Some(after)) => Ok(member.key_span.start..after.key_span.start),
            (None, None) => Ok(member.key_span.start..member.node.span.end),
        }
    }
}

/// The strings of a list; an item that is none cannot be an argument.
pub(super) fn texts(list: &Node) -> Result<Vec<String>, EntryError> {
    list.items()
        .iter()
        .map(|item| match &item.value {
            Value::Str(text) | Value::Number(text) => Ok(text.clone()),
            Value::Bool(value) => Ok(value.to_string()),
            _ => Err(EntryError::Unsupported("an argument that is no text")),
        })
        .collect()
}
