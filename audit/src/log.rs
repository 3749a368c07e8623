//! The log: one writer's end of the record.
//!
//! Owns: a stream and its newest file. Accepts: records. Emits: lines, and how far they reach.
//! Promises: a call that returns has handed whole lines to the kernel in one write; a call that
//! fails has changed nothing, and the next one may succeed.

use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::AuditError;
use crate::files::{self, Claim, Segment};
use crate::line::{self, Hash, Marker};
use crate::prune::prune;
use crate::record::Record;
use crate::recover;
use crate::time::Timestamp;

/// Most memory that is kept for the next batch.
const MAX_KEPT_BUFFER: usize = 1024 * 1024;

/// Limits of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The size at which a file is closed and the next one begun, in bytes. A file may exceed it by
    /// one batch.
    pub max_file_bytes: u64,
    /// The age at which a file is closed and the next one begun.
    pub max_age: Duration,
    /// The size of all files together at which the oldest are deleted, in bytes.
    pub max_total_bytes: u64,
    /// The number of files at which the oldest are deleted.
    pub max_files: usize,
}

impl Default for Options {
    /// 64 MiB and a week a file, 1 GiB and 1000 files in all.
    fn default() -> Self {
        Self {
            max_file_bytes: 64 << 20,
            max_age: Duration::from_secs(7 * 86_400),
            max_total_bytes: 1 << 30,
            max_files: 1000,
        }
    }
}

/// What was appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The number of the last line.
    pub seq: u64,
    /// How many bytes this log has written since it was opened. A sync that began after it grew to
    /// here has put the record on the disk.
    pub end: u64,
}

/// One writer's end of the record.
#[derive(Debug)]
pub struct Log {
    dir: PathBuf,
    options: Options,
    claim: Claim,
    segment: Segment,
    file: File,
    /// The length of the file's whole lines.
    length: u64,
    /// The number of the next line.
    next_seq: u64,
    prev: Hash,
    written: u64,
    /// A write failed and what it left has not been cut off yet.
    broken: bool,
    buffer: Vec<u8>,
}

impl Log {
    /// Opens the record in a directory, making it if need be. The stream is `main`; where another
    /// process writes to that, it is one of this log's own.
    ///
    /// # Errors
    /// If the directory or a file in it cannot be used. What a crash left half is no error.
    pub fn open(dir: &Path, options: Options, now: Timestamp) -> Result<Self, AuditError> {
        files::prepare(dir)?;
        let claim = files::claim(dir, now)?;
        let end = recover::end(dir, &claim.stream)?;
        let mut log = match &end.segment {
            Some((segment, length)) if !end.gap => {
                Self::resume(dir, options, claim, segment.clone(), *length, &end)?
            }
            _ => Self::start(dir, options, claim, &end, now)?,
        };
        if end.torn > 0 {
            log.mark(&Marker::Torn { time: now, bytes: end.torn })?;
        }
        log.rotate_if_due(now)?;
        prune(&log.dir, &log.options, &log.segment.path);
        Ok(log)
    }

    /// Appends a record. It is in the kernel when this returns.
    ///
    /// # Errors
    /// If it cannot be written; nothing of it is left then, and a later call may succeed.
    pub fn append(&mut self, record: &Record) -> Result<Appended, AuditError> {
        self.append_batch([record])
    }

    /// Appends records in one write: all of them or none.
    ///
    /// # Errors
    /// As [`Log::append`].
    pub fn append_batch<'a>(
        &mut self,
        records: impl IntoIterator<Item = &'a Record>,
    ) -> Result<Appended, AuditError> {
        let mut records = records.into_iter().peekable();
        self.mend()?;
        if let Some(first) = records.peek() {
            self.rotate_if_due(first.time)?;
        }
        let mut lines = std::mem::take(&mut self.buffer);
        lines.clear();
        let result = self.append_all(&mut lines, records);
        if lines.capacity() <= MAX_KEPT_BUFFER {
            self.buffer = lines;
        }
        result?;
        Ok(Appended { seq: self.next_seq - 1, end: self.written })
    }

    /// A handle of the newest file, for another thread to sync. It is replaced at each rotation,
    /// which syncs the file that it closes.
    ///
    /// # Errors
    /// If the system has no more handles.
    pub fn sync_handle(&self) -> Result<File, AuditError> {
        self.file.try_clone().map_err(AuditError::io("open again", &self.segment.path))
    }

    /// Waits until the disk has what was appended.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn sync(&mut self) -> Result<(), AuditError> {
        self.file.sync_data().map_err(AuditError::io("sync", &self.segment.path))
    }

    /// The name of the stream.
    pub fn stream(&self) -> &str {
        &self.claim.stream
    }

    /// The newest file.
    pub fn path(&self) -> &Path {
        &self.segment.path
    }

    fn resume(
        dir: &Path,
        options: Options,
        claim: Claim,
        segment: Segment,
        length: u64,
        end: &recover::End,
    ) -> Result<Self, AuditError> {
        let mut file = files::reopen(&segment.path)?;
        file.seek(SeekFrom::Start(length)).map_err(AuditError::io("seek in", &segment.path))?;
        Ok(Self {
            dir: dir.to_owned(),
            options,
            claim,
            segment,
            file,
            length,
            next_seq: end.next_seq,
            prev: end.prev,
            written: 0,
            broken: false,
            buffer: Vec::new(),
        })
    }

    fn start(
        dir: &Path,
        options: Options,
        claim: Claim,
        end: &recover::End,
        now: Timestamp,
    ) -> Result<Self, AuditError> {
        let segment = Segment::new(dir, &claim.stream, now, end.next_file);
        let begun = begin(segment, end.next_seq, &end.prev, end.gap, now)?;
        Ok(Self {
            dir: dir.to_owned(),
            options,
            claim,
            segment: begun.segment,
            file: begun.file,
            length: begun.length,
            next_seq: end.next_seq + 1,
            prev: begun.hash,
            written: begun.length,
            broken: false,
            buffer: Vec::new(),
        })
    }

    fn append_all<'a>(
        &mut self,
        lines: &mut Vec<u8>,
        records: impl Iterator<Item = &'a Record>,
    ) -> Result<(), AuditError> {
        let (mut seq, mut prev) = (self.next_seq, self.prev);
        for record in records {
            prev = line::write(lines, seq, &prev, record)?;
            seq += 1;
        }
        self.write(lines)?;
        (self.next_seq, self.prev) = (seq, prev);
        Ok(())
    }

    fn mark(&mut self, marker: &Marker) -> Result<(), AuditError> {
        let mut lines = Vec::with_capacity(256);
        let hash = line::write(&mut lines, self.next_seq, &self.prev, marker)?;
        self.write(&lines)?;
        self.prev = hash;
        self.next_seq += 1;
        Ok(())
    }

    fn write(&mut self, lines: &[u8]) -> Result<(), AuditError> {
        if let Err(error) = self.file.write_all(lines) {
            self.broken = true;
            // If this fails too, the next call tries again.
            let _ = self.mend();
            return Err(AuditError::io("write to", &self.segment.path)(error));
        }
        self.length += lines.len() as u64;
        self.written += lines.len() as u64;
        Ok(())
    }

    /// Cuts off what a failed write left.
    fn mend(&mut self) -> Result<(), AuditError> {
        if !self.broken {
            return Ok(());
        }
        self.file
            .set_len(self.length)
            .and_then(|()| self.file.seek(SeekFrom::Start(self.length)))
            .map_err(AuditError::io("cut back", &self.segment.path))?;
        self.broken = false;
        Ok(())
    }

    fn rotate_if_due(&mut self, now: Timestamp) -> Result<(), AuditError> {
        let due = self.length >= self.options.max_file_bytes
            || now.since(self.segment.started) >= self.options.max_age;
        if due { self.rotate(now) } else { Ok(()) }
    }

    fn rotate(&mut self, now: Timestamp) -> Result<(), AuditError> {
        self.sync()?;
        let number = self.segment.number + 1;
        let segment = Segment::new(&self.dir, &self.claim.stream, now, number);
        let begun = begin(segment, self.next_seq, &self.prev, false, now)?;
        self.segment = begun.segment;
        self.file = begun.file;
        self.length = begun.length;
        self.written += begun.length;
        self.prev = begun.hash;
        self.next_seq += 1;
        prune(&self.dir, &self.options, &self.segment.path);
        Ok(())
    }
}

/// A file that was begun.
struct Begun {
    segment: Segment,
    file: File,
    length: u64,
    hash: Hash,
}

/// Creates a file and writes its first line. If that fails no file is left.
fn begin(
    segment: Segment,
    seq: u64,
    prev: &Hash,
    gap: bool,
    now: Timestamp,
) -> Result<Begun, AuditError> {
    let marker = Marker::Start {
        time: now,
        stream: segment.stream.clone(),
        file: segment.number,
        prev: line::hex(prev),
        gap,
    };
    let mut header = Vec::with_capacity(320);
    let hash = line::write(&mut header, seq, prev, &marker)?;
    let mut file = files::create(&segment.path)?;
    if let Err(error) = file.write_all(&header) {
        let _ = std::fs::remove_file(&segment.path);
        return Err(AuditError::io("write to", &segment.path)(error));
    }
    Ok(Begun { segment, file, length: header.len() as u64, hash })
}

#[cfg(test)]
mod tests;
