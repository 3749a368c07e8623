//! Wrapping and unwrapping one entry, as text.
//!
//! Owns: what `install` writes into an entry of each shape and format, and its inverse.
//! Accepts: a parsed file and the way to an entry in it.
//! Emits: the file's new text, checked by parsing it again.
//! Promises: `unwrap(wrap(text)) == text`, byte for byte, without a journal, but for what the
//! entry alone cannot tell (an empty list of arguments that was not there before); the result is
//! never anything but the same tree with this entry's command and arguments changed.

mod parts;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::clients::is_defenter;
use crate::doc::{Doc, DocError, Edit, Holes, Step, apply_edits};

use parts::{Expected, Parts};

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
        holes.add_members(job.before.hole(), parts.hole());
    }
    if holes.are_all_that_differs(doc, &after) {
        Ok((text, texts))
    } else {
        Err(EntryError::Verification)
    }
}

/// The program that an entry starts.
pub(super) fn program(doc: &Doc, steps: &[Step]) -> Option<String> {
    Parts::of(doc, steps).ok()?.program().map(str::to_owned)
}

fn reparse(doc: &Doc, text: &str) -> Result<Doc, DocError> {
    Doc::parse(&doc.bytes_of(text), doc.format())
}

#[cfg(test)]
mod tests;
