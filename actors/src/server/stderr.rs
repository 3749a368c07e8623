//! The last lines that a server wrote to its standard error, kept for reports.
//!
//! Bounded in bytes. What is kept is what the server wrote; it is redacted before it is shown.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

/// Bytes kept of one server, all its sessions together.
const KEEP: usize = 64 << 10;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct StderrTail(Mutex<VecDeque<u8>>);

impl StderrTail {
    /// Adds what was just written.
    pub(crate) fn push(&self, bytes: &[u8]) {
        let bytes = &bytes[bytes.len().saturating_sub(KEEP)..];
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let over = (kept.len() + bytes.len()).saturating_sub(KEEP);
        kept.drain(..over);
        kept.extend(bytes);
    }

    /// The last `lines` lines, whole ones only where the beginning was cut off.
    #[must_use]
    pub(crate) fn last(&self, lines: usize) -> String {
        let kept: Vec<u8> = {
            let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            kept.iter().copied().collect()
        };
        let text = String::from_utf8_lossy(&kept);
        let text =
            if kept.len() < KEEP { &*text } else { text.split_once('\n').map_or("", |s| s.1) };
        let all: Vec<&str> = text.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_last_lines() {
        let tail = StderrTail::default();
        tail.push(b"one\ntwo\n");
        tail.push(b"three");
        assert_eq!(tail.last(2), "two\nthree");
        assert_eq!(tail.last(9), "one\ntwo\nthree");
    }

    #[test]
    fn is_bounded_and_never_shows_half_a_line() {
        let tail = StderrTail::default();
        for number in 0..20_000 {
            tail.push(format!("line {number}\n").as_bytes());
        }
        assert_eq!(tail.0.lock().unwrap().len(), KEEP);
        let shown = tail.last(usize::MAX);
        assert!(shown.starts_with("line "), "{}", &shown[..20]);
        assert!(shown.ends_with("line 19999"));
    }
}
