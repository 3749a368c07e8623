//! A record: what was done to one file.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{MAX_STATES, Saved, VERSION, hash};
use crate::clients::{Launch, read_bytes};
use crate::doc::{Format, Step};
use crate::install::entry::Texts;
use crate::install::plan::FilePlan;
use crate::install::remote::SavedRemote;

/// What was done to one file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::install) struct Record {
    /// The version of the form.
    pub(in crate::install) version: u32,
    /// The file, as the client names it.
    pub(in crate::install) file: PathBuf,
    /// The file behind the links.
    pub(in crate::install) target: PathBuf,
    /// How it is written.
    pub(in crate::install) format: Format,
    /// Whether its client guards it with a lock folder.
    pub(in crate::install) locked: bool,
    /// The states that the file may be in.
    pub(in crate::install) states: Vec<FileState>,
    /// The entries that were wrapped in it.
    pub(in crate::install) entries: Vec<SavedEntry>,
}

/// A state of a file and the copy that undoes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::install) struct FileState {
    /// The hash of the file in this state.
    pub(in crate::install) hash: String,
    /// The hash of the copy.
    pub(in crate::install) copy: String,
}

/// An entry that was wrapped, with what is needed to undo it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::install) struct SavedEntry {
    /// The client's id.
    pub(in crate::install) client: String,
    /// The scope.
    pub(in crate::install) scope: String,
    /// The project.
    pub(in crate::install) project: Option<String>,
    /// The server's name.
    pub(in crate::install) name: String,
    /// The way to the entry.
    pub(in crate::install) steps: Vec<SavedStep>,
    /// The hash of the server.
    pub(in crate::install) server: String,
    /// The texts of an entry that is a program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::install) texts: Option<Texts>,
    /// What gives back an entry that is reached by address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::install) remote: Option<SavedRemote>,
}

/// A step, as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::install) enum SavedStep {
    /// A key.
    Key(String),
    /// An index.
    Index(usize),
}

impl Record {
    /// A record of nothing.
    pub(in crate::install) fn new(plan: &FilePlan) -> Self {
        Self {
            version: VERSION,
            file: plan.file.clone(),
            target: plan.target.clone(),
            format: plan.format,
            locked: plan.locked,
            states: Vec::new(),
            entries: Vec::new(),
        }
    }

    /// Adds a state; of too many, the oldest go.
    pub(in crate::install) fn add(&mut self, state: FileState) {
        self.states.retain(|other| other.hash != state.hash);
        self.states.push(state);
        let extra = self.states.len().saturating_sub(MAX_STATES);
        self.states.drain(..extra);
    }

    /// The copy that undoes the state of a file.
    pub(in crate::install) fn copy_for(&self, hash: &str) -> Option<&str> {
        self.states.iter().find(|state| state.hash == hash).map(|state| state.copy.as_str())
    }

    /// True where a crash came before the file was changed, or after it was given back: the file is
    /// in a state whose copy is itself. A record that is settled has no such state.
    pub(super) fn is_leftover(&self) -> bool {
        let Ok(bytes) = read_bytes(&self.target) else { return false };
        let now = hash(&bytes);
        self.copy_for(&now) == Some(now.as_str())
    }

    pub(in crate::install) fn saved(&self) -> impl Iterator<Item = Saved> + '_ {
        self.entries.iter().map(|entry| Saved {
            client: entry.client.clone(),
            scope: entry.scope.clone(),
            project: entry.project.clone(),
            name: entry.name.clone(),
            file: self.file.clone(),
            server: entry.server.clone(),
            by_address: entry.remote.is_some(),
            target: self.target.clone(),
            format: self.format,
            steps: entry.steps(),
        })
    }
}

impl SavedEntry {
    /// The way to the entry.
    pub(in crate::install) fn steps(&self) -> Vec<Step> {
        self.steps
            .iter()
            .map(|step| match step {
                SavedStep::Key(key) => Step::Key(key.clone()),
                SavedStep::Index(index) => Step::Index(*index),
            })
            .collect()
    }
}

impl SavedStep {
    /// Steps, as they are written.
    pub(in crate::install) fn all(steps: &[Step]) -> Vec<Self> {
        steps
            .iter()
            .map(|step| match step {
                Step::Key(key) => Self::Key(key.clone()),
                Step::Index(index) => Self::Index(*index),
            })
            .collect()
    }
}

/// A hash of what a server runs: command, arguments, working directory, names of variables. The
/// values of variables may change (a token that is renewed) without its being another server.
pub(in crate::install) fn server_hash(launch: &Launch) -> String {
    let value = match launch {
        Launch::Stdio(stdio) => {
            let names: Vec<&String> = stdio.env.iter().map(|(name, _)| name).collect();
            serde_json::json!([stdio.command, stdio.args, stdio.cwd, stdio.env_file, names])
        }
        Launch::Remote(remote) => serde_json::json!([remote.url]),
        Launch::Extension => serde_json::Value::Null,
    };
    hash(value.to_string().as_bytes())
}
