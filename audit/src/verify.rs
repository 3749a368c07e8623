//! Whether the record is what was written.
//!
//! Owns: walking the chain. Accepts: files in any state. Emits: a [`Report`].
//! Promises: every line that was changed, removed, added or moved is noticed, unless everything
//! after it was written anew; memory is bounded by the longest line; the first problem of a stream
//! is reported, with its place.

use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::AuditError;
use crate::files::{self, Segment};
use crate::line::{self, Hash, MAX_LINE};

/// What was found in a directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// One report for each stream, `main` first.
    pub streams: Vec<StreamReport>,
}

/// What was found in a stream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct StreamReport {
    /// Its name.
    pub stream: String,
    /// How many files it has.
    pub files: usize,
    /// How many records were read and found right, up to the first problem.
    pub records: u64,
    /// The number of its first line; more than 1 where older files were deleted.
    pub first_seq: Option<u64>,
    /// The number of the last line that was found right.
    pub last_seq: Option<u64>,
    /// The hash of that line. Whoever notes it elsewhere can later tell whether lines were cut off
    /// the end, which the chain by itself cannot show.
    pub last_hash: Option<String>,
    /// How often a crash left half a line, which was set aside.
    pub torn: u64,
    /// The first problem.
    pub problem: Option<Problem>,
}

/// A line that is not what was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file.
    pub file: PathBuf,
    /// The line in it, from 1.
    pub line: u64,
    /// What is wrong.
    pub reason: Reason,
}

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// It is not the line that was written.
    Changed,
    /// One or more lines before it are missing.
    Removed,
    /// It stands in another place than it was written to.
    Reordered,
    /// The file ends too early.
    Truncated,
    /// The log itself found the end of the file before unreadable.
    Gap,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_intact(&self) -> bool {
        self.streams.iter().all(|stream| stream.problem.is_none())
    }

    /// How many records were read and found right.
    pub fn records(&self) -> u64 {
        self.streams.iter().map(|stream| stream.records).sum()
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Changed => "the line was changed",
            Self::Removed => "lines before it were removed",
            Self::Reordered => "the line was moved",
            Self::Truncated => "the file was cut off",
            Self::Gap => "the end of the file before could not be read",
        })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file.display(), self.line, self.reason)
    }
}

/// Reads the whole record and follows its chains.
///
/// # Errors
/// If the directory or a file in it cannot be read.
pub fn verify(dir: &Path) -> Result<Report, AuditError> {
    let segments = files::list(dir)?;
    let mut streams = Vec::new();
    for group in segments.chunk_by(|a, b| a.stream == b.stream) {
        streams.push(verify_stream(group)?);
    }
    Ok(Report { streams })
}

/// The chain up to a line.
#[derive(Clone, Copy)]
struct Link {
    seq: u64,
    hash: Hash,
}

/// What a line says of itself, besides the record.
#[derive(Deserialize)]
struct Event {
    event: Option<String>,
    prev: Option<String>,
    #[serde(default)]
    gap: bool,
}

fn verify_stream(segments: &[Segment]) -> Result<StreamReport, AuditError> {
    let mut report = StreamReport {
        stream: segments.first().map(|segment| segment.stream.clone()).unwrap_or_default(),
        files: segments.len(),
        ..StreamReport::default()
    };
    let mut link: Option<Link> = None;
    let mut before: Option<&Segment> = None;
    for (at, segment) in segments.iter().enumerate() {
        let mut walk = Walk {
            segment,
            follows: before.is_some_and(|before| before.number + 1 == segment.number),
            is_last: at + 1 == segments.len(),
            line: 0,
            link,
        };
        report.problem = walk.run(&mut report)?;
        if report.problem.is_some() {
            return Ok(report);
        }
        link = walk.link;
        before = Some(segment);
    }
    report.last_hash = link.map(|link| line::hex(&link.hash));
    Ok(report)
}

/// The walk through one file.
struct Walk<'a> {
    segment: &'a Segment,
    /// Whether the file before it is there.
    follows: bool,
    is_last: bool,
    line: u64,
    link: Option<Link>,
}

impl Walk<'_> {
    fn run(&mut self, report: &mut StreamReport) -> Result<Option<Problem>, AuditError> {
        let path = &self.segment.path;
        let file = File::open(path).map_err(AuditError::io("open", path))?;
        let mut reader = BufReader::with_capacity(128 * 1024, file);
        let mut buffer = Vec::new();
        loop {
            let whole =
                next_line(&mut reader, &mut buffer).map_err(AuditError::io("read", path))?;
            if buffer.is_empty() && !whole {
                break;
            }
            self.line += 1;
            if let Some(reason) = self.check(&buffer, whole, report) {
                let reason = match reason {
                    Reason::Removed if self.is_further_down(&mut reader) => Reason::Reordered,
                    reason => reason,
                };
                return Ok(Some(self.problem(reason)));
            }
        }
        // A file has a first line from the moment it exists, unless its process was killed then.
        if self.line == 0 && !self.is_last {
            return Ok(Some(self.problem(Reason::Truncated)));
        }
        Ok(None)
    }

    fn check(&mut self, line: &[u8], whole: bool, report: &mut StreamReport) -> Option<Reason> {
        if !whole {
            return Some(Reason::Truncated);
        }
        let Some(parts) = line::split(line) else { return Some(Reason::Changed) };
        let Ok(event) = serde_json::from_slice::<Event>(line) else { return Some(Reason::Changed) };
        let is_start = event.event.as_deref() == Some("start");
        if (self.line == 1) != is_start {
            // Without its first line a file cannot be placed.
            return Some(if is_start { Reason::Reordered } else { Reason::Removed });
        }
        let stated = event.prev.as_deref().and_then(|prev| line::from_hex(prev.as_bytes()));
        let prev = match (is_start, self.link) {
            (false, Some(link)) => link.hash,
            (false, None) => return Some(Reason::Removed),
            (true, _) => stated.unwrap_or(line::ZERO),
        };
        if line::hash(&prev, parts.covered) != parts.hash {
            return Some(self.place(parts.seq).unwrap_or(Reason::Changed));
        }
        if event.gap {
            return Some(Reason::Gap);
        }
        if let Some(link) = self.link
            && (link.seq + 1 != parts.seq || link.hash != prev)
        {
            return Some(self.missing_before(is_start, parts.seq, link));
        }
        self.link = Some(Link { seq: parts.seq, hash: parts.hash });
        report.first_seq = report.first_seq.or(Some(parts.seq));
        report.last_seq = Some(parts.seq);
        report.records += u64::from(event.event.is_none());
        report.torn += u64::from(event.event.as_deref() == Some("torn"));
        None
    }

    /// Why a line that is whole in itself does not follow the one before.
    fn missing_before(&self, is_start: bool, seq: u64, link: Link) -> Reason {
        match (is_start, self.follows) {
            (true, true) if seq > link.seq + 1 => Reason::Truncated,
            (true, true) => Reason::Changed,
            _ => Reason::Removed,
        }
    }

    /// Whether a line whose hash is wrong is one that belongs elsewhere.
    fn place(&self, seq: u64) -> Option<Reason> {
        let wanted = self.link?.seq + 1;
        match seq.cmp(&wanted) {
            std::cmp::Ordering::Greater => Some(Reason::Removed),
            std::cmp::Ordering::Less => Some(Reason::Reordered),
            std::cmp::Ordering::Equal => None,
        }
    }

    /// Whether the line that is missing stands further down in the file.
    fn is_further_down(&self, reader: &mut impl BufRead) -> bool {
        let Some(link) = self.link else { return false };
        let mut buffer = Vec::new();
        while next_line(reader, &mut buffer).is_ok_and(|whole| whole) {
            if line::split(&buffer).is_some_and(|parts| parts.seq == link.seq + 1) {
                return true;
            }
        }
        false
    }

    fn problem(&self, reason: Reason) -> Problem {
        // What was cut off was cut off the file before.
        Problem { file: self.segment.path.clone(), line: self.line.max(1), reason }
    }
}

/// Reads a line without its line break into `buffer`; false if the file ended before one. A line
/// that is longer than any may be comes in pieces, none of which is a line of ours.
pub(crate) fn next_line(reader: &mut impl BufRead, buffer: &mut Vec<u8>) -> std::io::Result<bool> {
    buffer.clear();
    let limit = u64::try_from(MAX_LINE).unwrap_or(u64::MAX);
    reader.by_ref().take(limit).read_until(b'\n', buffer)?;
    let whole = buffer.last() == Some(&b'\n');
    if whole {
        buffer.pop();
    }
    Ok(whole)
}
