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
use super::remote::{RemoteChange, RemoteEntry, SavedRemote, change_remote, restore_remote};
use crate::clients::{by_id, is_defenter, wrapped_in};
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
    let (addresses, programs): (Vec<&Change>, Vec<&Change>) =
        plan.changes.iter().partition(|change| change.remote.is_some());
    let words: Vec<[&str; 6]> = programs.iter().map(|change| change.words()).collect();
    let tasks = programs.iter().zip(&words);
    let tasks = tasks.map(|(change, words)| Task::Wrap { program: &change.program, words });
    let places = programs.iter().map(|change| locate(doc, &change.steps, &change.name));
    let places: Vec<_> = places.collect();
    let (text, done) = change(doc, &places, tasks);
    let mut computed = Computed {
        after: Vec::new(),
        clean: given_back(doc, record),
        entries: record.entries.clone(),
        done: Vec::new(),
        failed: Vec::new(),
    };
    for ((change, place), done) in programs.into_iter().zip(places).zip(done) {
        let place = place.unwrap_or_default();
        let done = done.map(|texts| texts.map(|texts| change.saved(&place, Some(texts), None)));
        computed.note(change, done);
    }
    let mut text = text;
    for change in addresses {
        let done = reparse(doc, &text).and_then(|now| wrap_address(&now, change));
        let done = done.map(|(next, saved)| {
            text = next;
            Some(saved)
        });
        computed.note(change, done);
    }
    computed.after = doc.bytes_of(&text);
    computed
}

/// The text with one entry that was reached by address wrapped, and what gives it back.
fn wrap_address(doc: &Doc, change: &Change) -> Result<(String, SavedEntry), EntryError> {
    let steps = locate(doc, &change.steps, &change.name)?;
    if is_wrapped(doc, &steps, &change.name, change.client.as_str()) {
        return Err(EntryError::AlreadyWrapped);
    }
    let entry = RemoteEntry { client: change.client, name: &change.name, steps: &steps };
    let shape = change.remote.clone().unwrap_or_default();
    let done = change_remote(doc, &entry, &shape, &change.program)?;
    let RemoteChange { text, saved } = done.ok_or(EntryError::NoCommand)?;
    Ok((text, change.saved(&steps, None, Some(saved))))
}

/// The text with one entry that was reached by address given back.
fn give_back_address(doc: &Doc, saved: &SavedEntry) -> Result<String, EntryError> {
    let remote = saved.remote.as_ref().ok_or(EntryError::NotWrapped)?;
    let steps = locate(doc, &saved.steps(), &saved.name)?;
    if !is_wrapped(doc, &steps, &saved.name, &saved.client) {
        return Err(EntryError::NotWrapped);
    }
    restore_remote(doc, &steps, remote)
}

fn reparse(doc: &Doc, text: &str) -> Result<Doc, EntryError> {
    Ok(Doc::parse(&doc.bytes_of(text), doc.format())?)
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
        saved: record
            .entries
            .iter()
            .find(|entry| other.is(entry))
            .and_then(|entry| entry.texts.as_ref()),
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
    let is_address = |change: &&Change| saved(change).is_some_and(|saved| saved.remote.is_some());
    let (addresses, programs): (Vec<&Change>, Vec<&Change>) =
        plan.changes.iter().partition(is_address);
    let texts = |change: &Change| saved(change).and_then(|saved| saved.texts.as_ref());
    let tasks = programs.iter().map(|change| Task::Unwrap { saved: texts(change) });
    let places = programs.iter().map(|change| locate(&start, &change.steps, &change.name));
    let (mut text, done) = change(&start, &places.collect::<Vec<_>>(), tasks);
    let mut computed = Computed {
        after: Vec::new(),
        clean: Vec::new(),
        entries: record.entries.clone(),
        done: Vec::new(),
        failed: Vec::new(),
    };
    for (change, done) in programs.into_iter().zip(done) {
        computed.forget(change, done.map(drop));
    }
    for change in addresses {
        let given = reparse(&start, &text).and_then(|now| match saved(change) {
            Some(saved) => give_back_address(&now, saved),
            None => Err(EntryError::NotWrapped),
        });
        computed.forget(change, given.map(|next| text = next));
    }
    computed.after = start.bytes_of(&text);
    computed.clean = given_back(&Doc::parse(&computed.after, plan.format)?, record);
    Ok(computed)
}

impl Computed {
    /// Notes what became of an entry that was to be wrapped.
    fn note(&mut self, change: &Change, done: Result<Option<SavedEntry>, EntryError>) {
        match done {
            Ok(Some(saved)) => {
                self.entries.retain(|entry| !change.is(entry));
                self.entries.push(saved);
                self.done.push(change.clone());
            }
            // Somebody wrapped it in between, which is what was wanted.
            Ok(None) | Err(EntryError::AlreadyWrapped) => {}
            Err(error) => self.failed.push((change.clone(), error)),
        }
    }

    /// Notes what became of an entry that was to be given back.
    fn forget(&mut self, change: &Change, done: Result<(), EntryError>) {
        match done {
            // The copy, or somebody else, has given it back.
            Ok(()) | Err(EntryError::NotWrapped | EntryError::Gone) => {
                self.entries.retain(|entry| !change.is(entry));
                self.done.push(change.clone());
            }
            Err(error) => self.failed.push((change.clone(), error)),
        }
    }
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
    let (addresses, programs): (Vec<&SavedEntry>, Vec<&SavedEntry>) =
        record.entries.iter().partition(|entry| entry.remote.is_some());
    let places = programs.iter().map(|saved| locate(doc, &saved.steps(), &saved.name));
    let places: Vec<_> = places.collect();
    let tasks = programs.iter().map(|saved| Task::Unwrap { saved: saved.texts.as_ref() });
    let (mut text, done) = change(doc, &places, tasks);
    let is_fine = |error: &EntryError| {
        matches!(error, EntryError::NotWrapped | EntryError::Gone | EntryError::NoCommand)
    };
    let mut all = done.iter().all(|done| done.as_ref().err().is_none_or(is_fine));
    for saved in addresses {
        match reparse(doc, &text).and_then(|now| give_back_address(&now, saved)) {
            Ok(next) => text = next,
            Err(error) => all &= is_fine(&error),
        }
    }
    if all { doc.bytes_of(&text) } else { doc.bytes_of(doc.text()) }
}

/// The entries of the record that are still wrapped.
fn wrapped_now<'r>(doc: &Doc, record: &'r Record) -> impl Iterator<Item = &'r SavedEntry> {
    let is_there =
        |saved: &&SavedEntry| is_wrapped(doc, &saved.steps(), &saved.name, &saved.client);
    record.entries.iter().filter(is_there)
}

/// True where an entry runs through a program called defenter, or through the supervisor's address.
pub(super) fn is_wrapped(doc: &Doc, steps: &[Step], name: &str, client: &str) -> bool {
    let Ok(steps) = locate(doc, steps, name) else { return false };
    if entry::program(doc, &steps).is_some_and(|program| is_defenter(&program)) {
        return true;
    }
    let client = by_id(client).map(|client| client.id);
    let wrapped =
        doc.at(&steps).zip(client).and_then(|(entry, client)| wrapped_in(entry, client, name));
    wrapped.is_some()
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

    fn saved(
        &self,
        steps: &[Step],
        texts: Option<Texts>,
        remote: Option<SavedRemote>,
    ) -> SavedEntry {
        SavedEntry {
            client: self.client.to_string(),
            scope: self.scope.to_owned(),
            project: self.project.clone(),
            name: self.name.clone(),
            steps: SavedStep::all(steps),
            server: self.server.clone(),
            texts,
            remote,
        }
    }
}
