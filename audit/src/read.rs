//! Reading the record back.
//!
//! Owns: the newest records, one operation's records, and following what is appended.
//! Accepts: a directory that others write to meanwhile. Emits: [`Entry`]s in the order of time.
//! Promises: half lines and lines that are no records are passed over; work and memory are bounded
//! by what is asked for.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::AuditError;
use crate::files::{self, Segment};
use crate::line::{self, MAX_LINE};
use crate::record::Record;
use crate::verify::next_line;

/// Most records that [`tail`] gives.
pub const MAX_TAIL: usize = 10_000;
/// Most records that [`find`] gives.
const MAX_FOUND: usize = 1_000;
/// Most bytes that one look of a [`Follower`] reads of a file.
const MAX_LOOK: u64 = 16 * 1024 * 1024;
/// How much is read at a time from the end of a file.
const BLOCK: u64 = 128 * 1024;

/// A record and where it stands.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// The stream.
    pub stream: String,
    /// The number of the line.
    pub seq: u64,
    /// The record.
    pub record: Record,
}

/// The newest `count` records (at most [`MAX_TAIL`]) of all streams, oldest first.
///
/// # Errors
/// If the directory or a file in it cannot be read.
pub fn tail(dir: &Path, count: usize) -> Result<Vec<Entry>, AuditError> {
    let count = count.min(MAX_TAIL);
    let segments = files::list(dir)?;
    let mut found = Vec::new();
    for group in segments.chunk_by(|a, b| a.stream == b.stream) {
        let mut left = count;
        for segment in group.iter().rev() {
            if left == 0 {
                break;
            }
            let entries = last_entries(segment, left)?;
            left -= entries.len();
            found.extend(entries);
        }
    }
    sort(&mut found);
    Ok(found.split_off(found.len().saturating_sub(count)))
}

/// All records of an operation, oldest first.
///
/// # Errors
/// If the directory or a file in it cannot be read.
pub fn find(dir: &Path, operation: &str) -> Result<Vec<Entry>, AuditError> {
    let Ok(quoted) = serde_json::to_string(operation) else { return Ok(Vec::new()) };
    let needle = format!("\"id\":{quoted},");
    let finder = memchr::memmem::Finder::new(needle.as_bytes());
    let mut found = Vec::new();
    for segment in files::list(dir)? {
        let Some(file) = open(&segment.path)? else { continue };
        let mut reader = BufReader::with_capacity(256 * 1024, file);
        let mut line = Vec::new();
        while next_line(&mut reader, &mut line).map_err(AuditError::io("read", &segment.path))? {
            // The id is one of the first members.
            let head = &line[..line.len().min(2048)];
            if finder.find(head).is_some()
                && let Some(entry) = entry(&segment, &line)
                && *entry.record.id == *operation
                && found.len() < MAX_FOUND
            {
                found.push(entry);
            }
        }
    }
    sort(&mut found);
    Ok(found)
}

/// Follows what is appended to all streams.
#[derive(Debug)]
pub struct Follower {
    dir: PathBuf,
    /// How far each file was read.
    places: BTreeMap<PathBuf, u64>,
}

impl Follower {
    /// Starts at the present end of the record.
    ///
    /// # Errors
    /// If the directory cannot be read.
    pub fn from_end(dir: &Path) -> Result<Self, AuditError> {
        let mut places = BTreeMap::new();
        for segment in files::list(dir)? {
            let length = std::fs::metadata(&segment.path).map_or(0, |meta| meta.len());
            places.insert(segment.path, length);
        }
        Ok(Self { dir: dir.to_owned(), places })
    }

    /// The records that were appended since the last look, in the order of time. Where there are
    /// very many, the rest comes with the next look.
    ///
    /// # Errors
    /// If the directory or a file in it cannot be read.
    pub fn look(&mut self) -> Result<Vec<Entry>, AuditError> {
        let segments = files::list(&self.dir)?;
        self.places.retain(|path, _| segments.iter().any(|segment| segment.path == *path));
        let mut found = Vec::new();
        for segment in &segments {
            let place = self.places.entry(segment.path.clone()).or_insert(0);
            let Some(mut file) = open(&segment.path)? else { continue };
            let mut block = Vec::new();
            file.seek(SeekFrom::Start(*place))
                .and_then(|_| file.take(MAX_LOOK).read_to_end(&mut block))
                .map_err(AuditError::io("read", &segment.path))?;
            match memchr::memrchr(b'\n', &block) {
                Some(end) => {
                    *place += end as u64 + 1;
                    found.extend(
                        block[..end].split(|b| *b == b'\n').filter_map(|l| entry(segment, l)),
                    );
                }
                // A line longer than a look would stop the rest; it is passed over.
                None if block.len() as u64 == MAX_LOOK => *place += MAX_LOOK,
                None => {}
            }
        }
        sort(&mut found);
        Ok(found)
    }
}

fn sort(entries: &mut [Entry]) {
    entries
        .sort_by(|a, b| (a.record.time, &a.stream, a.seq).cmp(&(b.record.time, &b.stream, b.seq)));
}

/// Opens a file; one that was deleted meanwhile is none.
fn open(path: &Path) -> Result<Option<File>, AuditError> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(AuditError::io("open", path)(error)),
    }
}

/// The last records of a file, newest first. Reads from the end, as far as it needs to.
fn last_entries(segment: &Segment, count: usize) -> Result<Vec<Entry>, AuditError> {
    let Some(mut file) = open(&segment.path)? else { return Ok(Vec::new()) };
    let mut from = file.metadata().map_err(AuditError::io("look at", &segment.path))?.len();
    let mut found = Vec::new();
    // The beginning of the line that the last block cut in two.
    let mut rest: Vec<u8> = Vec::new();
    while from > 0 && found.len() < count {
        let size = from.min(BLOCK.max(rest.len() as u64));
        from -= size;
        let mut block = Vec::new();
        file.seek(SeekFrom::Start(from))
            .and_then(|_| (&mut file).take(size).read_to_end(&mut block))
            .map_err(AuditError::io("read", &segment.path))?;
        block.append(&mut rest);
        let mut lines = block.split(|b| *b == b'\n').rev().collect::<Vec<_>>();
        let first = if from > 0 { lines.pop() } else { None };
        let entries = lines.into_iter().filter_map(|line| entry(segment, line));
        found.extend(entries.take(count - found.len()));
        rest = first.unwrap_or_default().to_vec();
        if rest.len() > MAX_LINE {
            break;
        }
    }
    Ok(found)
}

/// The record of a line, if it is one.
fn entry(segment: &Segment, line: &[u8]) -> Option<Entry> {
    let seq = line::split(line)?.seq;
    let record: Record = serde_json::from_slice(line).ok()?;
    Some(Entry { stream: segment.stream.clone(), seq, record })
}
