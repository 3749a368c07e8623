//! A file's new bytes.
//!
//! Owns: which texts a file has after its entries were wrapped or given back, and which it would
//! have with none of them wrapped.
//! Accepts: a file's plan, the bytes that are there now, the journal.
//! Emits: [`Computed`].
//! Promises: reads the journal and nothing else; the same bytes give the same result.

use super::entry::{self, Done, EntryError, Job, Task, Texts};
use super::journal::{Journal, JournalError, Record, SavedEntry, SavedStep, hash};
use super::plan::{Action, Change, FilePlan};
use crate::clients::is_defenter;
use crate::doc::{Doc, DocError, Node, Step};

/// A file's new bytes.
pub(super) struct Computed {
    /// The bytes.
    pub(super) after: Vec<u8>,
    /// The bytes with every entry given back.
    pub(super) clean: Vec<u8>,
    /// The entries that are wrapped afterwards, with what undoes it.
    pub(super) entries: Vec<SavedEntry>,
    /// The changes that were made.
    pub(super) done: Vec<Change>,
    /// The changes that could not be.
    pub(super) failed: Vec<(Change, EntryError)>,
}

/// Computes the new bytes from bytes that may not be those that the plan was made from.
pub(super) fn compute(
    plan: &FilePlan,
    before: &[u8],
    journal: &Journal,
) -> Result<Computed, JournalError> {
    let record = journal.record(&plan.target)?;
    let record = record.unwrap_or_else(|| Record::new(plan));
    let computed = match plan.action {
        Action::Install => install(plan, before, &record),
        Action::Uninstall => uninstall(plan, before, &record, journal),
    };
    Ok(computed.unwrap_or_else(|error| Computed {
        after: before.to_vec(),
        clean: before.to_vec(),
        entries: record.entries.clone(),
        done: Vec::new(),
        failed: plan.changes.iter().map(|change| (change.clone(), error.clone().into())).collect(),
    }))
}

fn install(plan: &FilePlan, before: &[u8], record: &Record) -> Result<Computed, DocError> {
    let doc = Doc::parse(before, plan.format)?;
    let bare = without_others(plan, &doc, record)?;
    let computed = wrap(plan, &bare, record);
    // What was taken from another defenter and cannot be wrapped stays with it.
    let is_bare = bare.text() != doc.text() && !computed.failed.is_empty();
    Ok(if is_bare { wrap(plan, &doc, record) } else { computed })
}

fn wrap(plan: &FilePlan, doc: &Doc, record: &Record) -> Computed {
    let words: Vec<[&str; 6]> = plan.changes.iter().map(Change::words).collect();
    let tasks = plan.changes.iter().zip(&words);
    let tasks = tasks.map(|(change, words)| Task::Wrap { program: &change.program, words });
    let places = plan.changes.iter().map(|change| locate(doc, &change.steps, &change.name));
    let places: Vec<_> = places.collect();
    let (text, done) = change(doc, &places, tasks);
    let mut computed = Computed {
        after: doc.bytes_of(&text),
        clean: given_back(doc, record),
        entries: record.entries.clone(),
        done: Vec::new(),
        failed: Vec::new(),
    };
    for ((change, place), done) in plan.changes.iter().zip(places).zip(done) {
        match done {
            Ok(Some(texts)) => {
                computed.entries.retain(|entry| !change.is(entry));
                computed.entries.push(change.saved(&place.unwrap_or_default(), texts));
                computed.done.push(change.clone());
            }
            // Somebody wrapped it in between, which is what was wanted.
            Ok(None) | Err(EntryError::AlreadyWrapped) => {}
            Err(error) => computed.failed.push((change.clone(), error)),
        }
    }
    computed
}

/// The file without the wrappers of another defenter around the entries of the plan.
fn without_others(plan: &FilePlan, doc: &Doc, record: &Record) -> Result<Doc, DocError> {
    let is_other = |change: &&Change| {
        let steps = locate(doc, &change.steps, &change.name).ok();
        let program = steps.and_then(|steps| entry::program(doc, &steps));
        program.is_some_and(|program| is_defenter(&program) && program != change.program)
    };
    let others: Vec<&Change> = plan.changes.iter().filter(is_other).collect();
    let places: Vec<_> =
        others.iter().map(|change| locate(doc, &change.steps, &change.name)).collect();
    let tasks = others.iter().map(|other| Task::Unwrap {
        saved: record.entries.iter().find(|entry| other.is(entry)).map(|entry| &entry.texts),
    });
    let (text, _) = change(doc, &places, tasks);
    Doc::parse(&doc.bytes_of(&text), plan.format)
}

fn uninstall(
    plan: &FilePlan,
    before: &[u8],
    record: &Record,
    journal: &Journal,
) -> Result<Computed, DocError> {
    let doc = Doc::parse(before, plan.format)?;
    let is_chosen = |saved: &SavedEntry| plan.changes.iter().any(|change| change.is(saved));
    let all = wrapped_now(&doc, record).all(is_chosen);
    let copy = record.copy_for(&hash(before)).filter(|_| all);
    let start = match copy.and_then(|copy| journal.copy(copy)) {
        Some(bytes) => Doc::parse(&bytes, plan.format)?,
        None => doc,
    };
    let saved = |change: &Change| record.entries.iter().find(|entry| change.is(entry));
    let tasks = plan
        .changes
        .iter()
        .map(|change| Task::Unwrap { saved: saved(change).map(|saved| &saved.texts) });
    let places = plan.changes.iter().map(|change| locate(&start, &change.steps, &change.name));
    let (text, done) = change(&start, &places.collect::<Vec<_>>(), tasks);
    let mut computed = Computed {
        after: start.bytes_of(&text),
        clean: Vec::new(),
        entries: record.entries.clone(),
        done: Vec::new(),
        failed: Vec::new(),
    };
    for (change, done) in plan.changes.iter().zip(done) {
        match done {
            // The copy, or somebody else, has given it back.
            Ok(_) | Err(EntryError::NotWrapped | EntryError::Gone) => {
                computed.entries.retain(|entry| !change.is(entry));
                computed.done.push(change.clone());
            }
            Err(error) => computed.failed.push((change.clone(), error)),
        }
    }
    computed.clean = given_back(&Doc::parse(&computed.after, plan.format)?, record);
    Ok(computed)
}

/// Does the tasks at the places that were found.
fn change<'a>(
    doc: &Doc,
    places: &'a [Result<Vec<Step>, EntryError>],
    tasks: impl Iterator<Item = Task<'a>>,
) -> (String, Vec<Done>) {
    let jobs: Vec<Job<'_>> = places
        .iter()
        .zip(tasks)
        .filter_map(|(place, task)| Some(Job { steps: place.as_ref().ok()?, task }))
        .collect();
    let (text, done) = entry::change(doc, &jobs);
    let mut done = done.into_iter();
    let of = |place: &Result<Vec<Step>, EntryError>| match place {
        Ok(_) => done.next().unwrap_or(Err(EntryError::Verification)),
        Err(error) => Err(error.clone()),
    };
    (text, places.iter().map(of).collect())
}

/// The bytes with every entry of the record given back; the bytes themselves where one cannot be.
fn given_back(doc: &Doc, record: &Record) -> Vec<u8> {
    let entries = record.entries.iter();
    let places = entries.clone().map(|saved| locate(doc, &saved.steps(), &saved.name));
    let places: Vec<_> = places.collect();
    let tasks = entries.map(|saved| Task::Unwrap { saved: Some(&saved.texts) });
    let (text, done) = change(doc, &places, tasks);
    let can = |done: &Done| match done {
        Ok(_) | Err(EntryError::NotWrapped | EntryError::Gone | EntryError::NoCommand) => true,
        Err(_) => false,
    };
    if done.iter().all(can) { doc.bytes_of(&text) } else { doc.bytes_of(doc.text()) }
}

/// The entries of the record that are still wrapped.
fn wrapped_now<'r>(doc: &Doc, record: &'r Record) -> impl Iterator<Item = &'r SavedEntry> {
    record.entries.iter().filter(move |saved| is_wrapped(doc, &saved.steps(), &saved.name))
}

/// True where an entry runs through a program called defenter.
pub(super) fn is_wrapped(doc: &Doc, steps: &[Step], name: &str) -> bool {
    let steps = locate(doc, steps, name).ok();
    let program = steps.and_then(|steps| entry::program(doc, &steps));
    program.is_some_and(|program| is_defenter(&program))
}

/// The way to an entry now: items of a list may have moved, and are told by their name.
fn locate(doc: &Doc, steps: &[Step], name: &str) -> Result<Vec<Step>, EntryError> {
    let Some((Step::Index(_), list)) = steps.split_last() else {
        return Ok(steps.to_vec());
    };
    let named = |node: &Node| node.get("name").and_then(Node::as_str) == Some(name);
    if doc.at(steps).is_some_and(named) {
        return Ok(steps.to_vec());
    }
    let items = doc.at(list).map(Node::items).unwrap_or_default();
    let index = items.iter().rposition(named).ok_or(EntryError::Gone)?;
    Ok(list.iter().cloned().chain([Step::Index(index)]).collect())
}

impl Change {
    fn is(&self, saved: &SavedEntry) -> bool {
        saved.client == self.client.as_str()
            && saved.name == self.name
            && saved.project == self.project
            && saved.scope == self.scope
    }

    /// What stands between the program and the original command.
    fn words(&self) -> [&str; 6] {
        ["proxy", "--name", &self.name, "--client", self.client.as_str(), "--"]
    }

    fn saved(&self, steps: &[Step], texts: Texts) -> SavedEntry {
        SavedEntry {
            client: self.client.to_string(),
            scope: self.scope.to_owned(),
            project: self.project.clone(),
            name: self.name.clone(),
            steps: SavedStep::all(steps),
            server: self.server.clone(),
            texts,
        }
    }
}
