//! Retention: which files are deleted when the record grows too large.
//!
//! Owns: the choice. Promises: the oldest files go first; a file that somebody writes to stays.

use std::fs;
use std::path::Path;

use crate::files::{self, Segment};
use crate::log::Options;

/// Deletes the oldest files until the rest is within the limits. `current` is never deleted. What
/// cannot be deleted stays: an old file too many is no reason to refuse an operation.
pub(crate) fn prune(dir: &Path, options: &Options, current: &Path) {
    let Ok(segments) = files::list(dir) else { return };
    let mut sized: Vec<(&Segment, u64)> = segments
        .iter()
        .map(|segment| (segment, fs::metadata(&segment.path).map_or(0, |meta| meta.len())))
        .collect();
    let mut total: u64 = sized.iter().map(|(_, size)| size).sum();
    let mut count = sized.len();
    sized.sort_by_key(|(segment, _)| (segment.started, segment.number));
    for (segment, size) in sized {
        if total <= options.max_total_bytes && count <= options.max_files {
            return;
        }
        if segment.path == current || is_in_use(dir, &segments, segment) {
            continue;
        }
        if fs::remove_file(&segment.path).is_ok() {
            forget_lock(dir, &segments, segment);
            total -= size;
            count -= 1;
        }
    }
}

/// Whether a file is the one that a living process writes to.
fn is_in_use(dir: &Path, segments: &[Segment], segment: &Segment) -> bool {
    is_newest(segments, segment) && files::is_claimed(dir, &segment.stream)
}

fn is_newest(segments: &[Segment], segment: &Segment) -> bool {
    !segments.iter().any(|other| other.stream == segment.stream && other.number > segment.number)
}

/// With the last file of a stream that nobody claims goes what a killed process left of its lock.
fn forget_lock(dir: &Path, segments: &[Segment], segment: &Segment) {
    if segment.stream != files::MAIN && is_newest(segments, segment) {
        let _ = fs::remove_file(files::lock_path(dir, &segment.stream));
    }
}
