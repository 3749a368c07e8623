//! What is going to be changed, before anything is.
//!
//! Owns: choosing entries, and what is said about those that are left alone.
//! Accepts: a discovery, a choice, the journal.
//! Emits: [`Plan`]: a diff for each file, what is skipped and why, what is left to do by hand.
//! Promises: planning writes nothing; the same computation is done again on the bytes that are
//! there when the plan is applied.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use similar::TextDiff;

use super::compute::compute;
use super::journal::{Journal, JournalError, Saved, server_hash};
use super::remote::{RemoteShape, RemoteVia};
use super::status::{Drift, drift, matching};
use super::write;
use crate::clients::{
    Approval, ClientId, Discovery, Entry, Form, Protection, Scope, by_id, read_bytes,
};
use crate::doc::{Format, Step};

/// What wraps.
#[derive(Clone, Debug)]
pub struct Wrapper {
    /// The program's absolute path, as it goes into entries.
    pub program: String,
    /// The program's name, as it goes into files that others share.
    pub portable: String,
}

/// Which entries.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// Only these clients; empty means all.
    pub clients: Vec<ClientId>,
    /// Only servers of these names; empty means all. A server whose command was changed since it
    /// was wrapped is wrapped again only if it is named here.
    pub servers: Vec<String>,
    /// No servers of these names.
    pub except: Vec<String>,
    /// Files of projects too, which others share.
    pub projects: bool,
    /// How entries that are reached by address run through Defenter; none leaves them alone.
    pub remote: Option<RemoteVia>,
}

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Wrap.
    Install,
    /// Give back.
    Uninstall,
}

/// What is going to be changed.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Which way.
    pub action: Action,
    /// The files, each once.
    pub files: Vec<FilePlan>,
    /// The chosen entries that are left alone.
    pub skipped: Vec<Skipped>,
    /// What the user must do after it is applied, one sentence each.
    pub by_hand: Vec<String>,
    /// Entries that the journal has and of which nothing is left to undo; they are forgotten.
    pub forgotten: Vec<Saved>,
}

/// What is going to be changed in one file.
#[derive(Clone)]
pub struct FilePlan {
    /// The file, as the client names it.
    pub file: PathBuf,
    /// The entries.
    pub changes: Vec<Change>,
    pub(super) action: Action,
    pub(super) target: PathBuf,
    pub(super) format: Format,
    pub(super) locked: bool,
    pub(super) before: Vec<u8>,
    pub(super) after: Vec<u8>,
}

/// One entry that is going to be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The client.
    pub client: ClientId,
    /// The scope, as one word.
    pub scope: &'static str,
    /// The project.
    pub project: Option<String>,
    /// The server's name.
    pub name: String,
    /// The program that goes into the entry; empty for an uninstall.
    pub program: String,
    /// What becomes of an entry that is reached by address; none for a program.
    pub(super) remote: Option<RemoteShape>,
    pub(super) steps: Vec<Step>,
    pub(super) server: String,
}

/// An entry that was chosen and is left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The client.
    pub client: ClientId,
    /// The scope, as one word.
    pub scope: &'static str,
    /// The server's name.
    pub name: String,
    /// The file.
    pub file: PathBuf,
    /// Why.
    pub reason: String,
}

/// Plans wrapping.
///
/// # Errors
/// [`JournalError`] where the journal cannot be read.
pub fn plan_install(
    discovery: &Discovery,
    choice: &Choice,
    wrapper: &Wrapper,
    journal: &Journal,
) -> Result<Plan, JournalError> {
    let saved = journal.saved()?;
    let mut plan = Plan::new(Action::Install);
    let mut files = BTreeMap::new();
    for entry in chosen(discovery, choice) {
        let program = if entry.is_shared() { &wrapper.portable } else { &wrapper.program };
        let before = matching(&saved, entry, discovery);
        let is_changed =
            before.and_then(|saved| drift(entry, saved)) == Some(Drift::CommandChanged);
        let reason = install_reason(entry, choice, program)
            .or_else(|| (is_changed && !choice.servers.contains(&entry.name)).then(changed_reason));
        match reason {
            Some(reason) => plan.skip(entry, reason),
            None => plan.queue(&mut files, entry, program, remote_shape(entry, choice)),
        }
    }
    plan.compute(files, journal)?;
    Ok(plan)
}

/// Plans giving back.
///
/// # Errors
/// [`JournalError`] where the journal cannot be read.
pub fn plan_uninstall(
    discovery: &Discovery,
    choice: &Choice,
    journal: &Journal,
) -> Result<Plan, JournalError> {
    let saved = journal.saved()?;
    let mut plan = Plan::new(Action::Uninstall);
    let mut files = BTreeMap::new();
    for entry in chosen(discovery, choice) {
        match entry.wrapped.as_ref().map(|wrapped| wrapped.form) {
            None => {}
            // Its own Defenter gives it back.
            Some(_) if entry.scope == Scope::Elsewhere => {}
            Some(Form::Proxy) => plan.queue(&mut files, entry, "", None),
            Some(Form::Address | Form::Local) => {
                let saved = matching(&saved, entry, discovery);
                if saved.is_some_and(|saved| saved.by_address) {
                    plan.queue(&mut files, entry, "", None);
                } else {
                    plan.skip(entry, "what it was is not in the journal; write it anew".to_owned());
                }
            }
            Some(Form::WrappedConfig | Form::Other) => {
                plan.skip(entry, "it was not written by `defenter install`".to_owned());
            }
        }
    }
    plan.queue_recorded(&mut files, choice, journal)?;
    plan.compute(files, journal)?;
    Ok(plan)
}

fn chosen<'d>(discovery: &'d Discovery, choice: &'d Choice) -> impl Iterator<Item = &'d Entry> {
    discovery.entries.iter().filter(|entry| choice.has(entry.client.as_str(), &entry.name))
}

impl Choice {
    fn has(&self, client: &str, name: &String) -> bool {
        (self.clients.is_empty() || self.clients.iter().any(|chosen| chosen.as_str() == client))
            && (self.servers.is_empty() || self.servers.contains(name))
            && !self.except.contains(name)
    }
}

/// Another command under a name that was wrapped is never wrapped without somebody's looking at
/// it: clients approve servers by name (MCPoison, CVE-2025-54136).
fn changed_reason() -> String {
    "its command is not the one that was wrapped under this name; look at it, then use --server"
        .to_owned()
}

/// Why an entry is not wrapped.
fn install_reason(entry: &Entry, choice: &Choice, program: &str) -> Option<String> {
    if let Protection::ReportOnly(reason) = entry.protection
        && entry.scope == Scope::Elsewhere
    {
        return Some(reason.to_owned());
    }
    match &entry.wrapped {
        None => {}
        // Another defenter's place is taken.
        Some(wrapped) if wrapped.form == Form::Proxy && wrapped.program != program => {}
        Some(_) => return Some("it already runs through defenter".to_owned()),
    }
    match &entry.protection {
        Protection::Remote if choice.remote.is_none() => {
            Some("it is reached by address and stays as it is".to_owned())
        }
        Protection::ReportOnly(reason) => Some((*reason).to_owned()),
        _ if entry.is_shared() && !choice.projects => {
            Some("it is in a project's file, which others share; use --project".to_owned())
        }
        _ if !is_argument(&entry.name) => {
            Some("its name cannot be an argument; give it another name".to_owned())
        }
        // Trae documents that a command may not contain a space.
        _ if entry.client.as_str() == "trae" && program.contains(' ') => {
            Some("this client takes no command with a space; move defenter".to_owned())
        }
        Protection::Wrappable | Protection::Remote => None,
    }
}

/// What becomes of an entry that is reached by address; none for a program.
fn remote_shape(entry: &Entry, choice: &Choice) -> Option<RemoteShape> {
    let via = choice.remote.as_ref().filter(|_| entry.protection == Protection::Remote)?;
    Some(via.shape(entry.client, entry.is_shared()))
}

/// True for a name that can stand behind `--name`.
pub(super) fn is_argument(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('-') && !name.contains('\0')
}

impl Plan {
    /// A plan that changes nothing.
    pub fn new(action: Action) -> Self {
        Self {
            action,
            files: Vec::new(),
            skipped: Vec::new(),
            by_hand: Vec::new(),
            forgotten: Vec::new(),
        }
    }

    /// True where nothing is going to be changed.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.forgotten.is_empty()
    }

    fn skip(&mut self, entry: &Entry, reason: String) {
        self.skipped.push(Skipped {
            client: entry.client,
            scope: entry.scope.as_str(),
            name: entry.name.clone(),
            file: entry.file.clone(),
            reason,
        });
    }

    fn skip_change(&mut self, file: &Path, change: &Change, reason: String) {
        self.skipped.push(Skipped {
            client: change.client,
            scope: change.scope,
            name: change.name.clone(),
            file: file.to_owned(),
            reason,
        });
    }

    fn queue(
        &mut self,
        files: &mut BTreeMap<PathBuf, FilePlan>,
        entry: &Entry,
        program: &str,
        remote: Option<RemoteShape>,
    ) {
        let Ok(target) = std::fs::canonicalize(&entry.file) else {
            self.skip(entry, "its file is not there any more".to_owned());
            return;
        };
        let file = files.entry(target.clone()).or_insert_with(|| FilePlan {
            file: entry.file.clone(),
            changes: Vec::new(),
            action: self.action,
            target,
            format: entry.format,
            locked: false,
            before: Vec::new(),
            after: Vec::new(),
        });
        file.locked |= entry.locked;
        file.changes.push(Change {
            client: entry.client,
            scope: entry.scope.as_str(),
            project: entry.project.clone(),
            name: entry.name.clone(),
            program: program.to_owned(),
            remote,
            steps: entry.steps.clone(),
            server: server_hash(entry.server()),
        });
    }

    /// Queues what the journal has and the discovery has not: entries in projects that nobody
    /// named this time. What is not wrapped any more is to be forgotten.
    fn queue_recorded(
        &mut self,
        files: &mut BTreeMap<PathBuf, FilePlan>,
        choice: &Choice,
        journal: &Journal,
    ) -> Result<(), JournalError> {
        for record in journal.records()? {
            for saved in record.saved().filter(|saved| choice.has(&saved.client, &saved.name)) {
                let file = files.get(&record.target);
                let change = Change::of(&saved);
                let is_queued = |change: &Change| {
                    file.is_some_and(|file| file.changes.iter().any(|other| other.is_same(change)))
                };
                if change.as_ref().is_some_and(is_queued) {
                    continue;
                }
                match change.filter(|_| saved.is_wrapped()) {
                    None => self.forgotten.push(saved),
                    Some(change) => {
                        let file = files.entry(record.target.clone());
                        let file = file.or_insert_with(|| FilePlan {
                            file: record.file.clone(),
                            changes: Vec::new(),
                            action: self.action,
                            target: record.target.clone(),
                            format: record.format,
                            locked: record.locked,
                            before: Vec::new(),
                            after: Vec::new(),
                        });
                        file.changes.push(change);
                    }
                }
            }
        }
        Ok(())
    }

    fn compute(
        &mut self,
        files: BTreeMap<PathBuf, FilePlan>,
        journal: &Journal,
    ) -> Result<(), JournalError> {
        for mut file in files.into_values() {
            let before = match write::check(&file.target) {
                Err(error) => Err(error.to_string()),
                Ok(_) => read_bytes(&file.target).map_err(|error| error.to_string()),
            };
            let before = match before {
                Ok(before) => before,
                Err(reason) => {
                    for change in &file.changes {
                        self.skip_change(&file.file, change, reason.clone());
                    }
                    continue;
                }
            };
            let computed = compute(&file, &before, journal)?;
            for (change, error) in &computed.failed {
                self.skip_change(&file.file, change, error.to_string());
            }
            if computed.after != before {
                file.changes = computed.done;
                file.before = before;
                file.after = computed.after;
                self.note(&file);
                self.files.push(file);
            }
        }
        Ok(())
    }

    /// What the user must do by hand.
    fn note(&mut self, file: &FilePlan) {
        for change in &file.changes {
            let Some(client) = by_id(change.client.as_str()) else { continue };
            let in_project = matches!(change.scope, "project" | "workspace");
            let note = match client.approval {
                Approval::Always(what) => Some(what),
                Approval::Projects(what) if in_project => Some(what),
                _ => None,
            };
            if let Some(what) = note {
                self.remind(format!("{}: {what}", client.name));
            }
            if self.action == Action::Install && in_project {
                self.remind(format!(
                    "{}: others who work on this project need defenter too",
                    file.file.display()
                ));
            }
        }
    }

    fn remind(&mut self, note: String) {
        if !self.by_hand.contains(&note) {
            self.by_hand.push(note);
        }
    }
}

impl std::fmt::Debug for FilePlan {
    // The file's bytes may hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FilePlan")
            .field("file", &self.file)
            .field("changes", &self.changes)
            .finish_non_exhaustive()
    }
}

impl FilePlan {
    /// The change as a unified diff. `mask` gets each line's text and gives what is shown of it.
    pub fn diff(&self, mask: impl Fn(&str) -> String) -> String {
        let text = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes);
            text.split_inclusive('\n').map(&mask).collect::<String>()
        };
        let (before, after) = (text(&self.before), text(&self.after));
        let name = self.file.display().to_string();
        TextDiff::from_lines(&before, &after).unified_diff().header(&name, &name).to_string()
    }
}

impl Change {
    /// The change that gives back what was saved; none for a client that is not known any more.
    fn of(saved: &Saved) -> Option<Self> {
        Some(Self {
            client: by_id(&saved.client)?.id,
            scope: Scope::parse(&saved.scope)?.as_str(),
            project: saved.project.clone(),
            name: saved.name.clone(),
            program: String::new(),
            remote: None,
            steps: saved.steps.clone(),
            server: saved.server.clone(),
        })
    }

    fn is_same(&self, other: &Self) -> bool {
        (self.client, self.scope, &self.project, &self.name)
            == (other.client, other.scope, &other.project, &other.name)
    }
}
