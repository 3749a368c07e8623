//! Wrapping and unwrapping one entry, as text.
//!
//! Owns: what `install` writes into an entry of each shape and format, and its inverse.
//! Accepts: a parsed file and the way to an entry in it.
//! Emits: the file's new text, checked by parsing it again.
//! Promises: `unwrap(wrap(text)) == text`, byte for byte, without a journal, but for what the
//! entry alone cannot tell (an empty list of arguments that was not there before); the result is
//! never anything but the same tree with this entry's command and arguments changed.

use std::collections::HashMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::clients::{Shape, is_defenter, shape_of, unwrap as original_at};
use crate::doc::{Doc, DocError, Edit, Format, Layout, Member, Node, Step, Value, apply_edits};

/// What an entry was, and what it was made into; both as the text of the file.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Texts {
    /// The command, as it was written.
    pub(super) command: String,
    /// The arguments, as they were written; none where there were none.
    pub(super) args: Option<String>,
    /// The command that was put in its place.
    pub(super) written_command: String,
    /// The arguments that were put in theirs.
    pub(super) written_args: String,
}

impl std::fmt::Debug for Texts {
    // Arguments may hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Texts").finish_non_exhaustive()
    }
}

/// Why an entry could not be changed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum EntryError {
    /// The entry is not there any more.
    #[error("the entry is not there any more")]
    Gone,
    /// It has no command.
    #[error("the entry has no command")]
    NoCommand,
    /// It already runs through Defenter.
    #[error("the entry already runs through defenter")]
    AlreadyWrapped,
    /// It does not run through Defenter, or in a form that install did not write.
    #[error("the entry is not one that `defenter install` wrote")]
    NotWrapped,
    /// It is written in a way that cannot be edited safely.
    #[error("the entry is written in a way that cannot be edited safely ({0}); edit it by hand")]
    Unsupported(&'static str),
    /// The result would not have been what was meant.
    #[error("editing the entry would have changed more than the entry; edit it by hand")]
    Verification,
    /// The file is not in its format.
    #[error("failed to parse the file")]
    Parse(#[from] DocError),
}

/// What is to be done to one entry.
#[derive(Clone, Copy)]
pub(super) struct Job<'a> {
    /// The way to the entry.
    pub(super) steps: &'a [Step],
    /// What to do.
    pub(super) task: Task<'a>,
}

/// What to do to an entry.
#[derive(Clone, Copy)]
pub(super) enum Task<'a> {
    /// Wrap it: `program` runs `words`, then the original command and its arguments.
    Wrap {
        /// The program.
        program: &'a str,
        /// Its arguments.
        words: &'a [&'a str],
    },
    /// Give it its command back: from what was saved where the entry is as it was written, else
    /// from the entry alone, keeping what was changed since.
    Unwrap {
        /// What was saved.
        saved: Option<&'a Texts>,
    },
}

/// What became of one job: for a wrapped entry, its texts.
pub(super) type Done = Result<Option<Texts>, EntryError>;

/// Does all jobs at once, so that a large file is parsed twice and not twice for each entry. Where
/// they cannot be done together, each is done by itself.
pub(super) fn change(doc: &Doc, jobs: &[Job<'_>]) -> (String, Vec<Done>) {
    let prepared: Vec<_> = jobs.iter().map(|job| Prepared::of(doc, job)).collect();
    let ready: Vec<&Prepared<'_>> = prepared.iter().filter_map(|one| one.as_ref().ok()).collect();
    if ready.is_empty() {
        let errors = prepared.into_iter().map(|one| one.map(|_| None)).collect();
        return (doc.text().to_owned(), errors);
    }
    match together(doc, &ready) {
        Ok((text, texts)) => {
            let mut texts = texts.into_iter();
            let done = prepared.iter().map(|one| match one {
                Ok(_) => Ok(texts.next().flatten()),
                Err(error) => Err(error.clone()),
            });
            (text, done.collect())
        }
        Err(error) if jobs.len() == 1 => (doc.text().to_owned(), vec![Err(error)]),
        Err(_) => one_by_one(doc, jobs),
    }
}

fn one_by_one(doc: &Doc, jobs: &[Job<'_>]) -> (String, Vec<Done>) {
    let mut now = doc.clone();
    let mut done = Vec::with_capacity(jobs.len());
    for job in jobs {
        let (text, mut result) = change(&now, std::slice::from_ref(job));
        match reparse(doc, &text) {
            Ok(next) => now = next,
            Err(error) => result = vec![Err(error.into())],
        }
        done.append(&mut result);
    }
    (now.text().to_owned(), done)
}

/// A job whose edits are known.
struct Prepared<'d> {
    steps: &'d [Step],
    before: Parts<'d>,
    edits: Vec<Edit>,
    expected: Expected,
    is_wrap: bool,
}

impl<'d> Prepared<'d> {
    fn of(doc: &'d Doc, job: &Job<'d>) -> Result<Self, EntryError> {
        let before = Parts::of(doc, job.steps)?;
        let is_wrapped = is_defenter(before.program().unwrap_or_default());
        let (edits, expected) = match job.task {
            Task::Wrap { .. } if is_wrapped => return Err(EntryError::AlreadyWrapped),
            Task::Wrap { program, words } => before.wrap(program, words)?,
            Task::Unwrap { .. } if !is_wrapped => return Err(EntryError::NotWrapped),
            Task::Unwrap { saved } => {
                let as_written = saved.is_some_and(|texts| {
                    before.command_text() == texts.written_command
                        && before.args_text().as_deref() == Some(texts.written_args.as_str())
                });
                before.unwrap(saved, as_written)?
            }
        };
        let is_wrap = matches!(job.task, Task::Wrap { .. });
        Ok(Self { steps: job.steps, before, edits, expected, is_wrap })
    }
}

/// Applies the edits of all jobs and makes sure that they did what was meant and nothing else.
fn together(doc: &Doc, jobs: &[&Prepared<'_>]) -> Result<(String, Vec<Option<Texts>>), EntryError> {
    let edits = jobs.iter().flat_map(|job| job.edits.iter().cloned()).collect();
    let text = apply_edits(doc.text(), edits).ok_or(EntryError::Verification)?;
    let after = reparse(doc, &text).map_err(|_| EntryError::Verification)?;
    let mut holes = Holes::default();
    let mut texts = Vec::with_capacity(jobs.len());
    for job in jobs {
        let parts = Parts::of(&after, job.steps).map_err(|_| EntryError::Verification)?;
        job.expected.check(&parts)?;
        texts.push(job.is_wrap.then(|| Texts {
            command: job.before.command_text(),
            args: job.before.args_text(),
            written_command: parts.command_text(),
            written_args: parts.args_text().unwrap_or_default(),
        }));
        holes.add(&job.before, &parts);
    }
    let (Some(before_root), Some(after_root)) = (doc.root(), after.root()) else {
        return Err(EntryError::Verification);
    };
    if holes.are_all_that_differs(before_root, after_root) {
        Ok((text, texts))
    } else {
        Err(EntryError::Verification)
    }
}

/// The program that an entry starts.
pub(super) fn program(doc: &Doc, steps: &[Step]) -> Option<String> {
    Parts::of(doc, steps).ok()?.program().map(str::to_owned)
}

/// The parts of an entry that are edited.
struct Parts<'d> {
    doc: &'d Doc,
    /// The object that holds command and arguments.
    holder: &'d Node,
    command: &'d Member,
    args: Option<&'d Member>,
    /// True where the command's list holds the arguments too.
    is_list: bool,
}

/// What the entry is to be afterwards.
struct Expected {
    command: Option<String>,
    args: Vec<String>,
    /// False where the arguments are to be absent.
    args_present: bool,
}

impl Expected {
    fn check(&self, parts: &Parts<'_>) -> Result<(), EntryError> {
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
    fn of(doc: &'d Doc, steps: &[Step]) -> Result<Self, EntryError> {
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

    fn program(&self) -> Option<&str> {
        match &self.command.node.value {
            Value::Seq(items) => items.first().and_then(Node::as_str),
            _ => self.command.node.as_str(),
        }
    }

    fn command_text(&self) -> String {
        self.doc.raw(&self.command.node.span).to_owned()
    }

    /// The text of the arguments; of a command that is a list, nothing.
    fn args_text(&self) -> Option<String> {
        if self.is_list {
            return Some(String::new());
        }
        self.args.map(|args| self.doc.raw(&args.node.span).to_owned())
    }

    /// The list that words are put in front of.
    fn list(&self) -> Option<&'d Node> {
        if self.is_list {
            return Some(&self.command.node);
        }
        self.args.map(|args| &args.node).filter(|node| node.is_seq())
    }

    fn wrap(&self, program: &str, words: &[&str]) -> Result<(Vec<Edit>, Expected), EntryError> {
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

    fn unwrap(
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
fn texts(list: &Node) -> Result<Vec<String>, EntryError> {
    list.items()
        .iter()
        .map(|item| match &item.value {
            Value::Str(text) | Value::Number(text) => Ok(text.clone()),
            Value::Bool(value) => Ok(value.to_string()),
            _ => Err(EntryError::Unsupported("an argument that is no text")),
        })
        .collect()
}

fn reparse(doc: &Doc, text: &str) -> Result<Doc, DocError> {
    Doc::parse(&doc.bytes_of(text), doc.format())
}

/// What two trees may differ in: the command and the arguments of the holders, each in the same
/// place in both.
#[derive(Default)]
struct Holes<'n> {
    before: HashMap<*const Node, (usize, &'n str)>,
    after: HashMap<*const Node, (usize, &'n str)>,
}

impl<'n> Holes<'n> {
    fn add(&mut self, before: &Parts<'n>, after: &Parts<'n>) {
        let index = self.before.len();
        self.before.insert(std::ptr::from_ref(before.holder), (index, &before.command.key));
        self.after.insert(std::ptr::from_ref(after.holder), (index, &after.command.key));
    }

    fn are_all_that_differs(&self, a: &Node, b: &Node) -> bool {
        let hole_a = self.before.get(&std::ptr::from_ref(a));
        let hole_b = self.after.get(&std::ptr::from_ref(b));
        if hole_a.map(|(index, _)| index) != hole_b.map(|(index, _)| index) {
            return false;
        }
        match (&a.value, &b.value) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(x), Value::Bool(y)) => x == y,
            (Value::Number(x), Value::Number(y))
            | (Value::Str(x), Value::Str(y))
            | (Value::Other(x), Value::Other(y)) => x == y,
            (Value::Seq(x), Value::Seq(y)) => {
                x.len() == y.len() && x.iter().zip(y).all(|(x, y)| self.are_all_that_differs(x, y))
            }
            (Value::Map(x), Value::Map(y)) => {
                let x = others(x, hole_a.map(|(_, command)| *command));
                let y = others(y, hole_b.map(|(_, command)| *command));
                x.len() == y.len()
                    && x.iter()
                        .zip(&y)
                        .all(|(x, y)| x.key == y.key && self.are_all_that_differs(&x.node, &y.node))
            }
            _ => false,
        }
    }
}

/// The members in an order that does not depend on the place where one was added; of a holder,
/// without the last command and the last arguments.
fn others<'n>(members: &'n [Member], command: Option<&str>) -> Vec<&'n Member> {
    let last = |key: &str| members.iter().rposition(|member| member.key == key);
    let skipped = command.map(|command| [last(command), last("args")]).unwrap_or_default();
    let mut others: Vec<&Member> = members
        .iter()
        .enumerate()
        .filter(|(index, _)| !skipped.contains(&Some(*index)))
        .map(|(_, member)| member)
        .collect();
    others.sort_by(|a, b| a.key.cmp(&b.key));
    others
}

#[cfg(test)]
mod tests;
