//! Carrying a plan out.
//!
//! Owns: the order of the steps: copy, record, temporary file, rename, record.
//! Accepts: a plan, the journal, time, and a checkpoint for tests that crash at each step.
//! Emits: an [`Outcome`] for each file; one file's failure is not another's.
//! Promises: after a crash at any step, the file is the old one or the new one, and the next
//! install or uninstall does the right thing with either; a file that changed since it was planned
//! is read again, a bounded number of times.

use std::path::PathBuf;

use thiserror::Error;

use super::compute::{Computed, compute};
use super::entry::EntryError;
use super::journal::{FileState, Journal, JournalError, Record, SavedEntry, hash};
use super::lock::{ClientLock, LockError, Patience};
use super::plan::{Change, FilePlan, Plan};
use super::write::{self, WriteError};
use crate::clients::read_bytes;

/// How often a file that keeps changing is read again.
const MAX_TRIES: u32 = 5;

/// What became of one file.
#[derive(Debug)]
pub struct Outcome {
    /// The file, as the client names it.
    pub file: PathBuf,
    /// The entries that were changed, or why none was.
    pub result: Result<Vec<Change>, ApplyError>,
    /// The entries that could not be changed.
    pub failed: Vec<(Change, EntryError)>,
}

/// Why a file was not changed.
#[derive(Debug, Error)]
pub enum ApplyError {
    /// The client's lock.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// Writing.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The file cannot be read any more.
    #[error("failed to read {}: {reason}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The file changed each time.
    #[error("{} keeps changing; end its client and try again", path.display())]
    KeepsChanging {
        /// The file.
        path: PathBuf,
    },
    /// A checkpoint said so.
    #[error("interrupted before {0:?}")]
    Interrupted(Stage),
}

/// The steps of changing one file, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// The copy is kept.
    Copy,
    /// The record is written with both states.
    Record,
    /// The temporary file is written beside the target.
    Temporary,
    /// The target is compared with what was read.
    Compare,
    /// The temporary file takes the target's place.
    Rename,
    /// The record is written with the state that is.
    Settle,
}

/// Looks on, and may interrupt as a crash would.
pub trait Checkpoint {
    /// Called before a step; an error stops there.
    ///
    /// # Errors
    /// Whatever the checkpoint wants to stop for.
    fn before(&mut self, stage: Stage) -> Result<(), ApplyError>;
}

/// Looks on and never interrupts.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoCheckpoint;

impl Checkpoint for NoCheckpoint {
    fn before(&mut self, _stage: Stage) -> Result<(), ApplyError> {
        Ok(())
    }
}

/// Carries a plan out.
///
/// # Errors
/// [`JournalError`] where the journal is busy or cannot be written; nothing is changed then.
pub fn apply(
    plan: &Plan,
    journal: &Journal,
    patience: &dyn Patience,
    checkpoint: &mut dyn Checkpoint,
) -> Result<Vec<Outcome>, JournalError> {
    if plan.is_empty() && !journal.exists() {
        return Ok(Vec::new());
    }
    let _guard = journal.lock()?;
    journal.drop_leftovers()?;
    let mut work = Work { journal, patience, checkpoint };
    let mut outcomes = Vec::with_capacity(plan.files.len());
    for file in &plan.files {
        let outcome = work.file(file);
        let stop = matches!(outcome.result, Err(ApplyError::Interrupted(_)));
        outcomes.push(outcome);
        if stop {
            break;
        }
    }
    if !outcomes.iter().any(|outcome| matches!(outcome.result, Err(ApplyError::Interrupted(_)))) {
        journal.forget(&plan.forgotten)?;
    }
    Ok(outcomes)
}

struct Work<'a> {
    journal: &'a Journal,
    patience: &'a dyn Patience,
    checkpoint: &'a mut dyn Checkpoint,
}

impl Work<'_> {
    fn file(&mut self, plan: &FilePlan) -> Outcome {
        let file = plan.file.clone();
        match self.change(plan) {
            Ok(computed) => Outcome { file, result: Ok(computed.done), failed: computed.failed },
            Err(error) => Outcome { file, result: Err(error), failed: Vec::new() },
        }
    }

    fn change(&mut self, plan: &FilePlan) -> Result<Computed, ApplyError> {
        write::sweep(&plan.target, &self.journal.tag());
        let _locks = self.locks(plan)?;
        for _ in 0..MAX_TRIES {
            if let Some(computed) = self.attempt(plan)? {
                return Ok(computed);
            }
        }
        Err(ApplyError::KeepsChanging { path: plan.file.clone() })
    }

    /// The client's lock on the file, and on the link to it where it is one.
    fn locks(&self, plan: &FilePlan) -> Result<Vec<ClientLock>, ApplyError> {
        if !plan.locked {
            return Ok(Vec::new());
        }
        let mut locks = vec![ClientLock::take(&plan.target, self.patience)?];
        let is_link = std::fs::symlink_metadata(&plan.file).is_ok_and(|file| file.is_symlink());
        if is_link {
            locks.push(ClientLock::take(&plan.file, self.patience)?);
        }
        Ok(locks)
    }

    /// One try; none where the file changed under it.
    fn attempt(&mut self, plan: &FilePlan) -> Result<Option<Computed>, ApplyError> {
        let before = read(plan)?;
        let computed = compute(plan, &before, self.journal)?;
        let mut record = self.record(plan)?;
        if computed.after != before {
            self.stage(Stage::Copy)?;
            let copy = self.journal.keep(&computed.clean)?;
            // The state that is keeps its copy; where it has none, it is clean itself.
            if record.copy_for(&hash(&before)).is_none() && record.entries.is_empty() {
                let own = self.journal.keep(&before)?;
                record.add(FileState { hash: hash(&before), copy: own });
            }
            record.add(FileState { hash: hash(&computed.after), copy });
            self.stage(Stage::Record)?;
            record.entries = union(&record, &computed);
            self.journal.store(&record)?;
            self.stage(Stage::Temporary)?;
            let temporary = write::prepare(&plan.target, &computed.after, &self.journal.tag())?;
            self.stage(Stage::Compare)?;
            if read(plan)? != before {
                return Ok(None);
            }
            self.stage(Stage::Rename)?;
            write::replace(temporary, &plan.target)?;
        }
        self.stage(Stage::Settle)?;
        self.settle(record, &computed)?;
        Ok(Some(computed))
    }

    fn settle(&self, mut record: Record, computed: &Computed) -> Result<(), JournalError> {
        let now = hash(&computed.after);
        record.entries.clone_from(&computed.entries);
        record.states.retain(|state| state.hash == now);
        if record.entries.is_empty() {
            return self.journal.remove(&record.target);
        }
        self.journal.store(&record)?;
        self.journal.sweep()
    }

    fn record(&self, plan: &FilePlan) -> Result<Record, JournalError> {
        let record = self.journal.record(&plan.target)?;
        Ok(record.unwrap_or_else(|| Record::new(plan)))
    }

    fn stage(&mut self, stage: Stage) -> Result<(), ApplyError> {
        self.checkpoint.before(stage)
    }
}

/// The entries of both states: whichever state the file is in after a crash, its entries are
/// there. Of two with one name, the newer texts count; they fit only the newer state, and the
/// older one is then given back from the entry alone, or from its copy.
fn union(record: &Record, computed: &Computed) -> Vec<SavedEntry> {
    let mut entries = computed.entries.clone();
    let is_new = |old: &SavedEntry| {
        !computed.entries.iter().any(|new| {
            (&new.client, &new.name, &new.project, &new.scope)
                == (&old.client, &old.name, &old.project, &old.scope)
        })
    };
    entries.extend(record.entries.iter().filter(|old| is_new(old)).cloned());
    entries
}

fn read(plan: &FilePlan) -> Result<Vec<u8>, ApplyError> {
    read_bytes(&plan.target)
        .map_err(|error| ApplyError::Read { path: plan.file.clone(), reason: error.to_string() })
}
