//! Remote entries, as transformations of files.
//!
//! Owns: the two shapes in which an entry that is reached by address runs through Defenter, and
//! their inverse.
//! Accepts: a parsed file, the way to an entry in it, the shape.
//! Emits: the file's new text, checked by parsing it again, and what gives the old one back.
//! Promises: what is removed is kept in [`SavedRemote`] and comes back byte for byte, whatever was
//! changed around it since; no address and no header's value stands among the arguments; nothing
//! outside the entry changes. Of a key that was added where another was removed, the order is
//! not certain.
//!
//! [`plan_install`](super::plan_install) uses it where the choice says how
//! ([`RemoteVia`]), and leaves remote entries alone elsewhere.

mod edits;
mod hunks;

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::entry::EntryError;
use crate::clients::{BestRemote, ClientId, Shape, by_id, local_path, shape_of};
use crate::doc::{Doc, Holes, Step, apply_edits};

use edits::Builder;
use hunks::Hunk;

/// What becomes of an entry that is reached by address.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum RemoteShape {
    /// Nothing.
    #[default]
    LeaveAlone,
    /// It stays remote: its address becomes `BASE/CLIENT/NAME`, and a header carries a token.
    Local {
        /// Where the supervisor answers, such as `http://127.0.0.1:7421/mcp`.
        base_url: String,
        /// The header's name.
        token_header: String,
        /// The token.
        token: String,
    },
    /// It becomes a program, `defenter proxy`, that finds address and headers in its variables.
    Stdio,
}

/// How the supervisor is reached by clients whose entries stay remote.
#[derive(Clone, PartialEq, Eq)]
pub struct RemoteVia {
    /// Where the supervisor answers, such as `http://127.0.0.1:7421/mcp`.
    pub base_url: String,
    /// The header's name.
    pub token_header: String,
    /// The token.
    pub token: String,
}

/// Which entry.
#[derive(Clone, Copy, Debug)]
pub struct RemoteEntry<'a> {
    /// The client.
    pub client: ClientId,
    /// The server's name.
    pub name: &'a str,
    /// The way to the entry in the file.
    pub steps: &'a [Step],
}

/// A changed file.
#[derive(Clone)]
pub struct RemoteChange {
    /// The file's new text.
    pub text: String,
    /// What gives the old one back.
    pub saved: SavedRemote,
}

/// What gives a remote entry back; for the journal, since it may hold secrets.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedRemote {
    /// The address, as it was.
    url: String,
    /// The text of the entry, as it was written.
    written: String,
    /// What was replaced in it.
    hunks: Vec<Hunk>,
}

impl fmt::Debug for RemoteShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LeaveAlone => "LeaveAlone",
            Self::Local { .. } => "Local(_)",
            Self::Stdio => "Stdio",
        })
    }
}

impl fmt::Debug for RemoteVia {
    // The token is a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteVia").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

impl RemoteVia {
    /// The shape that is right for a client. In a file that others share there is no place for a
    /// token.
    pub(super) fn shape(&self, client: ClientId, is_shared: bool) -> RemoteShape {
        match by_id(client.as_str()).map(|client| client.remote.best) {
            Some(BestRemote::Local) if !is_shared => RemoteShape::Local {
                base_url: self.base_url.clone(),
                token_header: self.token_header.clone(),
                token: self.token.clone(),
            },
            _ => RemoteShape::Stdio,
        }
    }
}

impl fmt::Debug for RemoteChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteChange").finish_non_exhaustive()
    }
}

impl fmt::Debug for SavedRemote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SavedRemote").field("hunks", &self.hunks.len()).finish_non_exhaustive()
    }
}

/// Makes a remote entry run through Defenter; none where it is to be left alone. `program` is how
/// this program is written into entries.
///
/// # Errors
/// [`EntryError`] where the entry is no remote one, or is written in a way that cannot be edited
/// safely.
pub fn change_remote(
    doc: &Doc,
    entry: &RemoteEntry<'_>,
    shape: &RemoteShape,
    program: &str,
) -> Result<Option<RemoteChange>, EntryError> {
    let client = by_id(entry.client.as_str()).ok_or(EntryError::Gone)?;
    let builder = Builder::of(doc, entry, &client.remote)?;
    let edits = match shape {
        RemoteShape::LeaveAlone => return Ok(None),
        RemoteShape::Local { base_url, token_header, token } => {
            let base = base_url.trim_end_matches('/');
            let address = format!("{base}{}", local_path(entry.client.as_str(), entry.name));
            builder.local(&address, token_header, token)?
        }
        RemoteShape::Stdio => builder.stdio(program, entry)?,
    };
    let extent = extent(doc, entry.steps).ok_or(EntryError::Gone)?;
    let url = builder.url().to_owned();
    let (hunks, length) = hunks::of(doc.text(), &extent, &edits)?;
    let text = apply_edits(doc.text(), edits).ok_or(EntryError::Verification)?;
    let after = reparse(doc, &text)?;
    let written = extent.start..extent.start + length;
    if self::extent(&after, entry.steps).as_ref() != Some(&written) {
        return Err(EntryError::Unsupported("parts of it are in several places"));
    }
    let saved = SavedRemote { url, written: after.raw(&written).to_owned(), hunks };
    check_outside(doc, &after, entry.steps)?;
    check_inside(&after, entry.steps, shape, program)?;
    if restore_remote(&after, entry.steps, &saved)? != doc.text() {
        return Err(EntryError::Verification);
    }
    Ok(Some(RemoteChange { text, saved }))
}

/// Gives a remote entry back, keeping what was changed in it and around it since.
///
/// # Errors
/// [`EntryError`] where the entry is gone, or where what was written is not in it any more.
pub fn restore_remote(
    doc: &Doc,
    steps: &[Step],
    saved: &SavedRemote,
) -> Result<String, EntryError> {
    let extent = extent(doc, steps).ok_or(EntryError::Gone)?;
    let edits = hunks::undo(&saved.hunks, &saved.written, doc.raw(&extent), extent.start)?;
    let text = apply_edits(doc.text(), edits).ok_or(EntryError::Verification)?;
    let after = reparse(doc, &text)?;
    check_outside(doc, &after, steps)?;
    match address_of(&after, steps) {
        Some(url) if url == saved.url => Ok(text),
        _ => Err(EntryError::Verification),
    }
}

/// The text that an entry takes: of a block, whole lines.
fn extent(doc: &Doc, steps: &[Step]) -> Option<Range<usize>> {
    let node = doc.at(steps)?;
    let span = edits::covered(doc, node)?;
    if edits::is_flow(doc, node) {
        return Some(span);
    }
    Some(edits::line_start(doc, span.start)..edits::line_end(doc, span.end))
}

fn reparse(doc: &Doc, text: &str) -> Result<Doc, EntryError> {
    Doc::parse(&doc.bytes_of(text), doc.format()).map_err(|_| EntryError::Verification)
}

/// Nothing but the entry may differ.
fn check_outside(before: &Doc, after: &Doc, steps: &[Step]) -> Result<(), EntryError> {
    let holes = Holes::at(before, after, steps);
    let is_right = holes.is_some_and(|holes| holes.are_all_that_differs(before, after));
    if is_right { Ok(()) } else { Err(EntryError::Verification) }
}

/// The entry is what it was to become.
fn check_inside(
    after: &Doc,
    steps: &[Step],
    shape: &RemoteShape,
    program: &str,
) -> Result<(), EntryError> {
    let is_right = match shape {
        RemoteShape::LeaveAlone => true,
        RemoteShape::Local { base_url, .. } => address_of(after, steps)
            .is_some_and(|url| url.starts_with(base_url.trim_end_matches('/'))),
        RemoteShape::Stdio => super::entry::program(after, steps).as_deref() == Some(program),
    };
    if is_right { Ok(()) } else { Err(EntryError::Verification) }
}

/// The address of a remote entry.
fn address_of<'d>(doc: &'d Doc, steps: &[Step]) -> Option<&'d str> {
    let entry = doc.at(steps)?;
    let Shape::Remote { at, url } = shape_of(entry)? else { return None };
    at.iter().try_fold(entry, |node, step| node.step(step))?.get(url)?.as_str()
}

#[cfg(test)]
mod tests;
