//! The redactor's figures.
//!
//! - Owns: the handles that the data path keeps, made once.
//! - Accepts: each scan and each wait. Emits: to the recorder that was installed before.

use std::time::Duration;

use metrics::{Counter, Histogram, counter, histogram};

use super::{Place, SCAN, SCAN_WAIT, SCANNED_BYTES};

/// See the module.
pub struct RedactionMetrics {
    bytes: [Counter; 2],
    seconds: [Histogram; 2],
    waits: Histogram,
}

impl RedactionMetrics {
    /// Handles for all payloads.
    #[must_use]
    pub fn new() -> Self {
        Self {
            bytes: Place::ALL.map(|place| counter!(SCANNED_BYTES, "place" => place.label())),
            seconds: Place::ALL.map(|place| histogram!(SCAN, "place" => place.label())),
            waits: histogram!(SCAN_WAIT),
        }
    }

    /// Records that a payload was looked through.
    pub fn scanned(&self, place: Place, bytes: usize, time: Duration) {
        self.bytes[place as usize].increment(bytes as u64);
        self.seconds[place as usize].record(time);
    }

    /// Records how long a payload waited for a place in the pool.
    pub fn admitted(&self, wait: Duration) {
        self.waits.record(wait);
    }
}

impl Default for RedactionMetrics {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for RedactionMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedactionMetrics").finish_non_exhaustive()
    }
}
