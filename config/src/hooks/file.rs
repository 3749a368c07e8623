//! One client's hooks in one file.
//!
//! Owns: the file's text with our hooks and without them.
//! Promises: the text without them is the text before them, and what others changed since.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::content::{Content, Place, Whole};
use super::line::is_our_line;
use super::record::{HookJournal, Record};
use super::systems::HookSystem;
use super::{HookError, HookFile, HookStatus, is_present};
use crate::clients::{ReadError, read_bytes};
use crate::doc::{Doc, Format, Node, Step, Value, merge, remove_items, remove_member};
use crate::install::{JournalError, WriteError, content_hash, create_file, replace_file};

/// Looks at one file; none where there is nothing to do with it, or the reason why nothing can be
/// done. What is found may be as it is to be already.
pub(super) fn plan(
    system: &HookSystem,
    place: &Place,
    install: bool,
    journal: &HookJournal,
) -> Result<Result<Option<HookFile>, String>, JournalError> {
    let before = match text_of(&place.path) {
        Ok(text) => text,
        Err(reason) => return Ok(Err(reason)),
    };
    if !is_present(&place.path, system) || (before.is_none() && !install) {
        return Ok(Ok(None));
    }
    let record = journal.record(&target_of(&place.path))?;
    let mut file = HookFile {
        client: system.client,
        file: place.path.clone(),
        before,
        after: None,
        clean: None,
        created: Vec::new(),
        executable: false,
        why: None,
    };
    let planned = match &place.content {
        Content::Json(addition) => file.merge(addition, install, record.as_ref()),
        Content::Whole(whole) => file.whole(whole, install, record.as_ref()),
    };
    Ok(planned.map(|()| Some(file)))
}

impl HookFile {
    fn merge(
        &mut self,
        addition: &Json,
        install: bool,
        record: Option<&Record>,
    ) -> Result<(), String> {
        self.clean = match &self.before {
            Some(text) => without_ours(text, record, addition)?,
            None => None,
        };
        self.after.clone_from(&self.clean);
        if install {
            let text = self.clean.clone().unwrap_or_default();
            let doc = parse(&text)?;
            let merged = merge(&doc, addition)
                .ok_or("something else is in the place of its hooks; it is left alone")?;
            self.created = merged.created.iter().map(|path| keys(path)).collect();
            self.after = Some(with_mark(&doc, &merged.text));
        }
        Ok(())
    }

    fn whole(
        &mut self,
        whole: &Whole,
        install: bool,
        record: Option<&Record>,
    ) -> Result<(), String> {
        let is_ours = |text: &String| {
            let is_recorded = |record: &Record| record.written == content_hash(text.as_bytes());
            record.is_some_and(is_recorded) || whole.is_ours(text)
        };
        match &self.before {
            Some(text) if !is_ours(text) => {
                if install || record.is_some() {
                    return Err("a file of that name is there and is not as we write it; take it \
                                away, or have it run `defenter hook`"
                        .to_owned());
                }
                // Somebody else's, of whom we know nothing.
                self.after = self.before.clone();
            }
            _ => self.after = install.then(|| whole.text()),
        }
        self.executable = whole.executable;
        Ok(())
    }
}

/// The text without our hooks; none where there would be no file.
fn without_ours(
    text: &str,
    record: Option<&Record>,
    addition: &Json,
) -> Result<Option<String>, String> {
    if let Some(record) = record.filter(|record| record.written == content_hash(text.as_bytes())) {
        return Ok(record.clean.clone());
    }
    let mut doc = parse(text)?;
    if doc.root().is_none() {
        return Ok(Some(text.to_owned()));
    }
    if let Some(less) = remove_items(&doc, &is_ours) {
        doc = parse(&with_mark(&doc, &less))?;
    }
    for path in record.map(|record| inner_first(&record.created, addition)).unwrap_or_default() {
        let steps: Vec<Step> = path.iter().cloned().map(Step::Key).collect();
        if let Some(less) = remove_member(&doc, &steps, value_at(addition, &path)) {
            doc = parse(&with_mark(&doc, &less))?;
        }
    }
    let was_absent = record.is_some_and(|record| record.clean.is_none());
    let is_empty = doc.root().is_some_and(|root| root.is_map() && root.members().is_empty());
    Ok((!was_absent || !is_empty).then(|| with_mark(&doc, doc.text())))
}

/// The members that were created, and those within them, the inner ones first.
fn inner_first(created: &[Vec<String>], addition: &Json) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    for path in created {
        if let Some(Json::Object(members)) = value_at(addition, path) {
            for key in members.keys() {
                paths.push(path.iter().chain([key]).cloned().collect());
            }
        }
        paths.push(path.clone());
    }
    paths
}

fn value_at<'v>(value: &'v Json, path: &[String]) -> Option<&'v Json> {
    path.iter().try_fold(value, |value, key| value.get(key))
}

/// True for an item of a list that runs our hook, and nobody else's.
pub(super) fn is_ours(item: &Node) -> bool {
    let mut lines = Vec::new();
    command_lines(item, &mut lines);
    !lines.is_empty() && lines.iter().all(|line| is_our_line(line))
}

fn command_lines<'n>(node: &'n Node, lines: &mut Vec<&'n str>) {
    for member in node.members() {
        let is_command = matches!(member.key.as_str(), "command" | "bash" | "powershell");
        match &member.node.value {
            Value::Str(line) if is_command => lines.push(line),
            _ => command_lines(&member.node, lines),
        }
    }
    for item in node.items() {
        command_lines(item, lines);
    }
}

/// Writes one file.
pub(super) fn apply(file: &HookFile, journal: &HookJournal) -> Result<(), HookError> {
    let target = target_of(&file.file);
    if text_of(&target).ok() != Some(file.before.clone()) {
        return Err(HookError::Changed { path: file.file.clone() });
    }
    let has_ours = file.after != file.clean;
    let old = journal.record(&target)?;
    if let Some(after) = file.after.as_ref().filter(|_| has_ours) {
        let folders = match (&old, &file.before) {
            (Some(old), _) => old.folders,
            (None, Some(_)) => 0,
            (None, None) => missing_folders(&target),
        };
        journal.store(&Record {
            target: target.clone(),
            clean: file.clean.clone(),
            written: content_hash(after.as_bytes()),
            created: file.created.clone(),
            folders,
        })?;
    }
    match (&file.before, &file.after) {
        (Some(_), Some(after)) => replace_file(&target, after.as_bytes())?,
        (None, Some(after)) => create_file(&target, after.as_bytes(), file.executable)?,
        (Some(_), None) => remove_file(&target, old.map_or(0, |record| record.folders))?,
        (None, None) => {}
    }
    if !has_ours {
        journal.remove(&target)?;
    }
    Ok(())
}

/// How many of the folders above a file are not there.
fn missing_folders(target: &Path) -> usize {
    target.ancestors().skip(1).take_while(|folder| !folder.exists()).count()
}

/// Removes a file that was ours, and the folders that were made for it if nothing else is in them.
fn remove_file(target: &Path, folders: usize) -> Result<(), WriteError> {
    std::fs::remove_file(target)
        .map_err(|source| WriteError::Io { path: target.to_owned(), source })?;
    for folder in target.ancestors().skip(1).take(folders) {
        // Fails where something is in it, which is what is wanted.
        if std::fs::remove_dir(folder).is_err() {
            break;
        }
    }
    Ok(())
}

/// How many of our hooks are there.
pub(super) fn status(system: &HookSystem, place: &Place) -> Option<HookStatus> {
    if !is_present(&place.path, system) {
        return None;
    }
    let text = text_of(&place.path).ok().flatten();
    let (installed, ours) = match &place.content {
        Content::Whole(whole) => {
            let count = |is: bool| if is { place.events.len() } else { 0 };
            let is_there = text.as_ref().is_some_and(|text| *text == whole.text());
            (count(is_there), count(text.is_some_and(|text| whole.is_ours(&text))))
        }
        Content::Json(wanted) => {
            let doc = text.and_then(|text| parse(&text).ok());
            let root = doc.as_ref().and_then(Doc::root);
            root.map_or((0, 0), |root| (contained(root, wanted), count_ours(root)))
        }
    };
    Some(HookStatus {
        client: system.client,
        file: place.path.clone(),
        installed,
        events: place.events.len(),
        fails_closed: system.fails_closed,
        stale: ours.saturating_sub(installed),
        trusted: None,
    })
}

/// How many items of lists run a hook of ours, whichever defenter it is.
fn count_ours(node: &Node) -> usize {
    let inner = node.members().iter().map(|member| count_ours(&member.node)).sum::<usize>();
    let items = node.items().iter();
    inner + items.map(|item| if is_ours(item) { 1 } else { count_ours(item) }).sum::<usize>()
}

/// How many items of the wanted lists are there.
fn contained(node: &Node, wanted: &Json) -> usize {
    match wanted {
        Json::Object(members) => {
            let inner = |(key, value): (&String, &Json)| Some(contained(node.get(key)?, value));
            members.iter().filter_map(inner).sum()
        }
        Json::Array(items) => {
            let is_there = |item: &&Json| node.items().iter().any(|own| own.to_json() == **item);
            items.iter().filter(is_there).count()
        }
        _ => 0,
    }
}

/// A file's text with its mark; none where there is no file.
pub(super) fn text_of(path: &Path) -> Result<Option<String>, String> {
    match read_bytes(path) {
        Ok(bytes) => String::from_utf8(bytes).map(Some).map_err(|_| "it is not UTF-8".to_owned()),
        Err(ReadError::Missing) => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

pub(super) fn parse(text: &str) -> Result<Doc, String> {
    Doc::parse(text.as_bytes(), Format::Jsonc).map_err(|error| error.to_string())
}

pub(super) fn with_mark(doc: &Doc, text: &str) -> String {
    if doc.has_bom() { format!("\u{feff}{text}") } else { text.to_owned() }
}

fn keys(path: &[Step]) -> Vec<String> {
    path.iter()
        .map(|step| match step {
            Step::Key(key) => key.clone(),
            Step::Index(index) => index.to_string(),
        })
        .collect()
}

/// The file behind the links. Of a file that is not there yet, the links of the folders that are.
pub(super) fn target_of(path: &Path) -> PathBuf {
    for folder in path.ancestors() {
        match std::fs::canonicalize(folder) {
            Ok(target) => {
                let rest = path.strip_prefix(folder).unwrap_or(Path::new(""));
                return if rest.as_os_str().is_empty() { target } else { target.join(rest) };
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(_) => break,
        }
    }
    path.to_owned()
}
