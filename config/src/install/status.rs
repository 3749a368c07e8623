//! Which entries run through Defenter, and what changed since they were wrapped.
//!
//! Owns: comparing what is with what was done.
//! Accepts: a discovery, the journal, and the path of this program.
//! Emits: [`Report`].
//! Promises: a command that was changed under a wrapped name is told, since clients approve
//! servers by name (MCPoison, CVE-2025-54136).

use super::journal::{Journal, JournalError, Saved, server_hash};
use crate::clients::{Discovery, Entry, Form, Protection, Scope};

/// Every entry, and what the journal has besides.
#[derive(Clone, Debug)]
pub struct Report<'d> {
    /// The entries.
    pub entries: Vec<Status<'d>>,
    /// What was wrapped and is not there any more.
    pub gone: Vec<Saved>,
}

/// One entry.
#[derive(Clone, Debug)]
pub struct Status<'d> {
    /// The entry.
    pub entry: &'d Entry,
    /// Whether it is protected.
    pub state: State,
    /// What changed since it was wrapped.
    pub drift: Option<Drift>,
}

/// Whether an entry is protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It runs through this program.
    Protected,
    /// It runs through a program that is called defenter and is not this one.
    OtherProgram,
    /// It could be, and is not.
    NotProtected,
    /// It is reached by address.
    Remote,
    /// It is only shown; why.
    ReportOnly(&'static str),
}

/// What changed since an entry was wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drift {
    /// It is not wrapped any more; its server is the same.
    Unwrapped,
    /// Its server is another, wrapped or not.
    CommandChanged,
}

/// Compares what is with what was done. `programs` are the ways in which this program is written
/// into entries: its path, and its name in files that are shared.
///
/// # Errors
/// [`JournalError`] where the journal cannot be read.
pub fn status<'d>(
    discovery: &'d Discovery,
    journal: &Journal,
    programs: &[&str],
) -> Result<Report<'d>, JournalError> {
    let saved = journal.saved()?;
    let entries: Vec<Status<'d>> = discovery
        .entries
        .iter()
        .map(|entry| Status {
            entry,
            state: state(entry, programs, matching(&saved, entry, discovery)),
            drift: matching(&saved, entry, discovery).and_then(|saved| drift(entry, saved)),
        })
        .collect();
    let is_there = |saved: &Saved| discovery.entries.iter().any(|entry| saved.is(entry));
    // What is wrapped in a project that nobody looked into is not gone.
    let is_gone = |saved: &&Saved| !is_there(saved) && !saved.is_wrapped();
    let gone = saved.iter().filter(is_gone).cloned().collect();
    Ok(Report { entries, gone })
}

/// What was saved of an entry: in its place, or in a place that the client has moved it from.
pub(super) fn matching<'s>(
    saved: &'s [Saved],
    entry: &Entry,
    discovery: &Discovery,
) -> Option<&'s Saved> {
    let exact = saved.iter().find(|saved| saved.is_exactly(entry));
    let is_elsewhere =
        |saved: &&Saved| discovery.entries.iter().any(|other| saved.is_exactly(other));
    exact.or_else(|| saved.iter().find(|saved| saved.is(entry) && !is_elsewhere(saved)))
}

fn state(entry: &Entry, programs: &[&str], saved: Option<&Saved>) -> State {
    match (&entry.wrapped, &entry.protection) {
        // What runs there, its own Defenter knows.
        (_, Protection::ReportOnly(reason)) if entry.scope == Scope::Elsewhere => {
            State::ReportOnly(reason)
        }
        // Anybody can write such an address; what tells ours is that we remember it.
        (Some(wrapped), _) if wrapped.form == Form::Local => {
            if saved.is_some_and(|saved| saved.by_address) {
                State::Protected
            } else {
                State::OtherProgram
            }
        }
        (Some(wrapped), _) if matches!(wrapped.form, Form::Proxy | Form::Address) => {
            if programs.contains(&wrapped.program.as_str()) {
                State::Protected
            } else {
                State::OtherProgram
            }
        }
        (Some(_), _) => State::OtherProgram,
        (None, Protection::Remote) => State::Remote,
        (None, Protection::ReportOnly(reason)) => State::ReportOnly(reason),
        (None, Protection::Wrappable) => State::NotProtected,
    }
}

pub(super) fn drift(entry: &Entry, saved: &Saved) -> Option<Drift> {
    let is_local = entry.wrapped.as_ref().is_some_and(|wrapped| wrapped.form == Form::Local);
    if is_local && saved.by_address {
        // What the server's address is, only the journal knows.
        None
    } else if server_hash(entry.server()) != saved.server {
        Some(Drift::CommandChanged)
    } else if entry.wrapped.is_none() {
        Some(Drift::Unwrapped)
    } else {
        None
    }
}
