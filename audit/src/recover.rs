//! Where a stream ends, and what a crash left there.
//!
//! Owns: finding the last whole line of a stream. Accepts: files in any state.
//! Promises: reads from the end of the newest file until one line is whole, so that it costs the
//! same however long the record is; what is half is moved to a file of its own (the last MiB of it,
//! until the next time) and is never a reason not to start.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use crate::error::AuditError;
use crate::files::{self, Segment};
use crate::line::{self, Hash, MAX_LINE, ZERO};

/// How much is read first from the end of a file.
const BLOCK: u64 = 64 * 1024;
/// How much of what a crash left half is kept, for each stream.
const MAX_TORN: u64 = 1024 * 1024;

/// The end of a stream.
#[derive(Debug)]
pub(crate) struct End {
    /// The newest file with a whole line, and how long its whole lines are.
    pub(crate) segment: Option<(Segment, u64)>,
    /// The number of the next file.
    pub(crate) next_file: u64,
    /// The number of the next line.
    pub(crate) next_seq: u64,
    /// The hash of the last line.
    pub(crate) prev: Hash,
    /// Whether the last line could not be read, so that the chain has to start anew.
    pub(crate) gap: bool,
    /// How many bytes were set aside.
    pub(crate) torn: u64,
}

/// The last whole line of a file.
struct Last {
    /// The line, without its line break.
    line: Vec<u8>,
    /// Where it ends, line break included.
    end: u64,
    /// The length of the file.
    length: u64,
}

/// Finds the end of a stream and sets aside what is half.
pub(crate) fn end(dir: &Path, stream: &str) -> Result<End, AuditError> {
    let mut segments = files::list(dir)?;
    segments.retain(|segment| segment.stream == stream);
    let next_file = segments.last().map_or(1, |segment| segment.number.saturating_add(1));
    let mut torn = 0;
    while let Some(segment) = segments.pop() {
        match last_line(&segment.path)? {
            Some(last) => {
                torn += last.length - last.end;
                set_aside(&segment, last.end, last.length)?;
                let parts = line::split(&last.line);
                return Ok(End {
                    next_file,
                    next_seq: parts.map_or(1, |parts| parts.seq.saturating_add(1)),
                    prev: parts.map_or(ZERO, |parts| parts.hash),
                    gap: parts.is_none(),
                    segment: Some((segment, last.end)),
                    torn,
                });
            }
            None => {
                let length = length(&segment.path)?;
                torn += length;
                set_aside(&segment, 0, length)?;
                fs::remove_file(&segment.path).map_err(AuditError::io("remove", &segment.path))?;
            }
        }
    }
    Ok(End { segment: None, next_file, next_seq: 1, prev: ZERO, gap: false, torn })
}

fn length(path: &Path) -> Result<u64, AuditError> {
    Ok(fs::metadata(path).map_err(AuditError::io("look at", path))?.len())
}

fn last_line(path: &Path) -> Result<Option<Last>, AuditError> {
    let mut file = File::open(path).map_err(AuditError::io("open", path))?;
    let length = length(path)?;
    let mut wanted = BLOCK;
    loop {
        let from = length.saturating_sub(wanted);
        let mut block = Vec::new();
        file.seek(SeekFrom::Start(from))
            .and_then(|_| (&mut file).take(length - from).read_to_end(&mut block))
            .map_err(AuditError::io("read", path))?;
        if let Some(last) = last_in(&block, from, length) {
            return Ok(Some(last));
        }
        if from == 0 || wanted > 2 * MAX_LINE as u64 {
            return Ok(None);
        }
        wanted *= 8;
    }
}

/// The last whole line in the end of a file, if its beginning is in there too.
fn last_in(block: &[u8], from: u64, length: u64) -> Option<Last> {
    let end = memchr::memrchr(b'\n', block)?;
    let start = match memchr::memrchr(b'\n', &block[..end]) {
        Some(before) => before + 1,
        None if from == 0 => 0,
        None => return None,
    };
    Some(Last { line: block[start..end].to_vec(), end: from + end as u64 + 1, length })
}

/// Moves what stands between two places of a file to the stream's file for that.
fn set_aside(segment: &Segment, from: u64, to: u64) -> Result<(), AuditError> {
    if from == to {
        return Ok(());
    }
    let path = &segment.path;
    let mut file = files::reopen(path)?;
    let mut half = Vec::new();
    file.seek(SeekFrom::Start(from))
        .and_then(|_| (&mut file).take((to - from).min(MAX_TORN)).read_to_end(&mut half))
        .map_err(AuditError::io("read", path))?;
    let beside = path.with_file_name(format!("{}.torn", segment.stream));
    // Kept where there is room; a full disk must not keep the log from starting.
    let _ = files::overwrite(&beside).and_then(|mut kept| kept.write_all(&half));
    file.set_len(from).map_err(AuditError::io("cut back", path))
}
