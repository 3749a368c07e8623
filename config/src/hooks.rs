//! Hooks of clients: writing ours into their files, and taking them out.
//!
//! Owns: the table of hook systems, what each wants to be told and how, the trust that Codex wants to
//! have in a hook, and the record of what was written.
//! Accepts: a [`Host`], the program's path, and a folder for the records.
//! Emits: [`HookPlan`], [`HookStatus`].
//! Promises: every other hook and setting stays as it is, to the byte; a file that we created is
//! removed when it is still ours; a client that is not on the machine gets no file.
//!
//! Facts are from the clients' documentation and from runs with Claude Code 2.1.330, Codex
//! 0.169.0, Gemini CLI 0.61.0, Qwen Code 0.24.4 and Copilot CLI 1.0.102.

mod content;
mod file;
mod line;
mod record;
mod systems;
mod trust;

use std::path::{Path, PathBuf};

use similar::TextDiff;
use thiserror::Error;

use crate::clients::{ClientId, paths_of};
use crate::host::Host;
use crate::install::{JournalError, WriteError};

pub use record::HookJournal;
pub use systems::{HookSystem, systems};

/// What is going to be changed.
#[derive(Clone, Debug, Default)]
pub struct HookPlan {
    /// The files.
    pub files: Vec<HookFile>,
    /// The clients that are left alone, and why.
    pub skipped: Vec<(ClientId, String)>,
    /// What the user must do by hand, one sentence each.
    pub by_hand: Vec<String>,
}

/// What is going to be changed in one file.
#[derive(Clone)]
pub struct HookFile {
    /// The client.
    pub client: ClientId,
    /// The file, as the client names it.
    pub file: PathBuf,
    /// What it holds; none where it is not there.
    before: Option<String>,
    /// What it is to hold; none where it is to go.
    after: Option<String>,
    /// The file's text without our hooks; none where there would be no file.
    clean: Option<String>,
    /// The members that were not there before ours; of Codex' config, keys with their hashes.
    created: Vec<Vec<String>>,
    /// Whether the file, where it is new, is to be executable.
    executable: bool,
    /// What the change is for, where it is no hook.
    pub why: Option<&'static str>,
}

/// What became of one file.
#[derive(Debug)]
pub struct HookOutcome {
    /// The client.
    pub client: ClientId,
    /// The file.
    pub file: PathBuf,
    /// Why it is as it was, where it is.
    pub result: Result<(), HookError>,
}

/// Whether a client's hooks are ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookStatus {
    /// The client.
    pub client: ClientId,
    /// The file.
    pub file: PathBuf,
    /// How many of the events have our hook.
    pub installed: usize,
    /// How many events there are.
    pub events: usize,
    /// Whether the client stops what the hook is about when the hook fails.
    pub fails_closed: bool,
    /// How many hooks run a defenter that is not this one.
    pub stale: usize,
    /// Whether the client runs what is there; none for a client that asks for no trust in it.
    pub trusted: Option<bool>,
}

/// Why hooks could not be written or taken out.
#[derive(Debug, Error)]
pub enum HookError {
    /// The records.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Writing.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The file is not what it was when it was planned.
    #[error("{} has changed; try again", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
}

impl std::fmt::Debug for HookFile {
    // Settings may hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HookFile")
            .field("client", &self.client)
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

impl HookPlan {
    /// Plans writing the hooks of these clients (all where empty), for those that are there.
    ///
    /// # Errors
    /// [`JournalError`] where the records cannot be read.
    pub fn install(
        host: &Host,
        clients: &[ClientId],
        program: &str,
        journal: &HookJournal,
    ) -> Result<Self, JournalError> {
        Self::make(host, clients, journal, Some(program))
    }

    /// Plans taking the hooks of these clients out (all where empty).
    ///
    /// # Errors
    /// [`JournalError`] where the records cannot be read.
    pub fn uninstall(
        host: &Host,
        clients: &[ClientId],
        journal: &HookJournal,
    ) -> Result<Self, JournalError> {
        Self::make(host, clients, journal, None)
    }

    /// True where nothing is going to be changed.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Adds, of clients that are on the machine, those whose hooks are not written, with the reason.
    #[must_use]
    pub fn telling_of(mut self, clients: impl Iterator<Item = ClientId>) -> Self {
        let mut seen: Vec<ClientId> = clients.collect();
        seen.sort_unstable();
        seen.dedup();
        let left_out = |client: ClientId| Some((client, systems::why_left_out(client)?.to_owned()));
        self.skipped.extend(seen.into_iter().filter_map(left_out));
        self
    }

    /// This plan without the files of which another, that somebody has agreed to, says nothing.
    #[must_use]
    pub fn within(mut self, agreed: &Self) -> Self {
        let is_agreed = |file: &HookFile| agreed.files.iter().any(|other| other.file == file.file);
        self.files.retain(is_agreed);
        self
    }

    /// Carries the plan out, file by file; one file's failure is not another's.
    ///
    /// # Errors
    /// [`JournalError`] where the records are busy; nothing is changed then.
    pub fn apply(&self, journal: &HookJournal) -> Result<Vec<HookOutcome>, JournalError> {
        if self.files.is_empty() {
            return Ok(Vec::new());
        }
        let _guard = journal.lock()?;
        let outcome = |file: &HookFile| HookOutcome {
            client: file.client,
            file: file.file.clone(),
            result: file::apply(file, journal),
        };
        Ok(self.files.iter().map(outcome).collect())
    }

    fn make(
        host: &Host,
        clients: &[ClientId],
        journal: &HookJournal,
        program: Option<&str>,
    ) -> Result<Self, JournalError> {
        let mut plan = Self::default();
        let chosen = |system: &&HookSystem| clients.is_empty() || clients.contains(&system.client);
        for system in systems().iter().filter(chosen) {
            let places = system.places(host, program.unwrap_or_default());
            if let Some(reason) = system.without_files.filter(|_| places.is_empty())
                && program.is_some()
                && system.is_installed(host)
            {
                plan.skipped.push((system.client, reason.to_owned()));
            }
            for place in &places {
                plan.add(host, system, place, journal, program.is_some())?;
            }
        }
        if program.is_none() {
            // A folder that was made for the first file of several goes with it, so with the last.
            plan.files.reverse();
        }
        Ok(plan)
    }

    fn add(
        &mut self,
        host: &Host,
        system: &'static HookSystem,
        place: &content::Place,
        journal: &HookJournal,
        install: bool,
    ) -> Result<(), JournalError> {
        let hooks = match file::plan(system, place, install, journal)? {
            Ok(Some(hooks)) => hooks,
            Ok(None) => return Ok(()),
            Err(reason) => {
                let reason = format!("{}: {reason}", place.path.display());
                self.skipped.push((system.client, reason));
                return Ok(());
            }
        };
        let trust = trust::plan(host, system, &hooks, journal)?;
        if hooks.after != hooks.before {
            self.remind(system.by_hand.filter(|_| install));
            self.files.push(hooks);
        }
        match trust {
            Ok(trust) => self.files.extend(trust),
            Err(reason) if install => self.by_hand.push(format!(
                "Codex: trust the new hooks when it asks, until then it does not run them ({reason})"
            )),
            Err(reason) => self.skipped.push((system.client, reason)),
        }
        Ok(())
    }

    fn remind(&mut self, note: Option<&str>) {
        if let Some(note) = note.filter(|note| !self.by_hand.iter().any(|other| other == note)) {
            self.by_hand.push(note.to_owned());
        }
    }
}

impl HookFile {
    /// The change as a unified diff. `mask` gets each line's text and gives what is shown of it.
    pub fn diff(&self, mask: impl Fn(&str) -> String) -> String {
        let text = |text: &Option<String>| {
            let text = text.as_deref().unwrap_or_default();
            text.split_inclusive('\n').map(&mask).collect::<String>()
        };
        let (before, after) = (text(&self.before), text(&self.after));
        let name = self.file.display().to_string();
        TextDiff::from_lines(&before, &after).unified_diff().header(&name, &name).to_string()
    }
}

/// What of our hooks is in the clients' files.
pub fn hook_status(host: &Host, program: &str) -> Vec<HookStatus> {
    let mut found = Vec::new();
    for system in systems() {
        for place in system.places(host, program) {
            let Some(mut status) = file::status(system, &place) else { continue };
            if status.installed > 0 {
                status.trusted = trust::status(host, system, &place.path);
            }
            found.push(status);
        }
    }
    found
}

/// True for a client whose folder is on the machine.
fn is_present(path: &Path, system: &HookSystem) -> bool {
    path.ancestors().nth(system.depth).is_some_and(Path::is_dir)
}

impl HookSystem {
    /// True where the client has a folder, whether or not one of the files is in it.
    fn is_installed(&self, host: &Host) -> bool {
        let file = paths_of(host, &self.files.replace('*', "any")).pop();
        file.is_some_and(|file| {
            host.real(&file).ancestors().nth(self.depth + 1).is_some_and(Path::is_dir)
        })
    }
}
