//! One client's hooks in one file.
//!
//! Owns: the file's text with our hooks and without them.
//! Promises: the text without them is the text before them, and what others changed since.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::record::{HookJournal, Record};
use super::systems::{HookSystem, is_our_line};
use super::{HookError, HookFile, HookStatus, is_present};
use crate::clients::{ReadError, read_bytes};
use crate::doc::{Doc, Format, Node, Step, Value, merge, remove_items, remove_member};
use crate::host::Host;
use crate::install::{JournalError, WriteError, content_hash, create_file, replace_file};

/// Plans one file; none where nothing is to be changed, or the reason why nothing can be.
pub(super) fn plan(
    host: &Host,
    system: &HookSystem,
    path: &Path,
    program: Option<&str>,
    journal: &HookJournal,
) -> Result<Result<Option<HookFile>, String>, JournalError> {
    let before = match text_of(path) {
        Ok(text) => text,
        Err(reason) => return Ok(Err(reason)),
    };
    if !is_present(path, system) || (before.is_none() && program.is_none()) {
        return Ok(Ok(None));
    }
    let record = journal.record(&target_of(path))?;
    Ok(compute(host, system, path, program, before, record.as_ref()))
}

fn compute(
    host: &Host,
    system: &HookSystem,
    path: &Path,
    program: Option<&str>,
    before: Option<String>,
    record: Option<&Record>,
) -> Result<Option<HookFile>, String> {
    let addition = system.addition(host, program.unwrap_or_default());
    let clean = match &before {
        Some(text) => without_ours(text, record, &addition)?,
        None => None,
    };
    let mut file = HookFile {
        client: system.client,
        file: path.to_owned(),
        before,
        after: clean.clone(),
        clean,
        created: Vec::new(),
    };
    if program.is_some() {
        let text = file.clean.clone().unwrap_or_default();
        let doc = parse(&text)?;
        let merged = merge(&doc, &addition)
            .ok_or("something else is in the place of its hooks; it is left alone")?;
        file.created = merged.created.iter().map(|path| keys(path)).collect();
        file.after = Some(with_mark(&doc, &merged.text));
    }
    Ok((file.after != file.before).then_some(file))
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
fn is_ours(item: &Node) -> bool {
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
    if let Some(after) = file.after.as_ref().filter(|_| has_ours) {
        journal.store(&Record {
            target: target.clone(),
            clean: file.clean.clone(),
            written: content_hash(after.as_bytes()),
            created: file.created.clone(),
        })?;
    }
    match (&file.before, &file.after) {
        (Some(_), Some(after)) => replace_file(&target, after.as_bytes())?,
        (None, Some(after)) => create_file(&target, after.as_bytes())?,
        (Some(_), None) => remove_file(&target)?,
        (None, None) => {}
    }
    if !has_ours {
        journal.remove(&target)?;
    }
    Ok(())
}

/// Removes a file that was ours, and its folder if nothing else is in it.
fn remove_file(target: &Path) -> Result<(), WriteError> {
    std::fs::remove_file(target)
        .map_err(|source| WriteError::Io { path: target.to_owned(), source })?;
    if let Some(folder) = target.parent().filter(|folder| folder.ends_with("hooks")) {
        // Fails where something is in it, which is what is wanted.
        let _ = std::fs::remove_dir(folder);
    }
    Ok(())
}

/// How many of our hooks are there.
pub(super) fn status(host: &Host, system: &HookSystem, program: &str) -> Option<HookStatus> {
    let path = system.path(host);
    if !is_present(&path, system) {
        return None;
    }
    let doc = text_of(&path).ok().flatten().and_then(|text| parse(&text).ok());
    let wanted = system.addition(host, program);
    let installed = doc.as_ref().and_then(Doc::root).map_or(0, |root| contained(root, &wanted));
    Some(HookStatus {
        client: system.client,
        file: path,
        installed,
        events: system.events.len(),
        fails_closed: system.fails_closed,
    })
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
fn text_of(path: &Path) -> Result<Option<String>, String> {
    match read_bytes(path) {
        Ok(bytes) => String::from_utf8(bytes).map(Some).map_err(|_| "it is not UTF-8".to_owned()),
        Err(ReadError::Missing) => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

fn parse(text: &str) -> Result<Doc, String> {
    Doc::parse(text.as_bytes(), Format::Jsonc).map_err(|error| error.to_string())
}

fn with_mark(doc: &Doc, text: &str) -> String {
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

/// The file behind the links.
fn target_of(path: &Path) -> PathBuf {
    match std::fs::canonicalize(path) {
        Ok(target) => target,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // A file that is not there yet: its folder's links are followed.
            let folder = path.parent().and_then(|folder| std::fs::canonicalize(folder).ok());
            match (folder, path.file_name()) {
                (Some(folder), Some(name)) => folder.join(name),
                _ => path.to_owned(),
            }
        }
        Err(_) => path.to_owned(),
    }
}
