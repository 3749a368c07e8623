//! Which requests a dead process has certainly not seen.
//!
//! Where the system tells how much of a pipe was never read, a request of which not a byte was
//! read can be given to the next process without any risk of its being carried out twice.
//! Pure. Owns: the lines of the unanswered requests that nobody else keeps, within a bound.

use std::collections::HashMap;

use defenter_mcp::id::OwnedId;

/// Bytes kept for this; a request that does not fit counts as seen.
const KEEP: usize = 256 << 10;

/// What was written to one process.
#[derive(Default)]
pub(super) struct Written {
    total: u64,
    kept: usize,
    unanswered: HashMap<OwnedId, Sent>,
}

struct Sent {
    start: u64,
    line: Box<[u8]>,
}

impl Written {
    /// A line is written now. `request` where it is a request that only we would give to the next
    /// process.
    pub(super) fn line(&mut self, line: &[u8], request: Option<OwnedId>) {
        if let Some(id) = request
            && self.kept + line.len() <= KEEP
        {
            self.kept += line.len();
            let sent = Sent { start: self.total, line: line.into() };
            if let Some(old) = self.unanswered.insert(id, sent) {
                self.kept -= old.line.len();
            }
        }
        self.total += line.len() as u64;
    }

    /// Not a byte of the last line was taken after all.
    pub(super) fn taken_back(&mut self, line: &[u8], request: Option<&OwnedId>) {
        self.total = self.total.saturating_sub(line.len() as u64);
        if let Some(id) = request {
            self.answered(id);
        }
    }

    /// A request was answered.
    pub(super) fn answered(&mut self, id: &OwnedId) {
        if let Some(sent) = self.unanswered.remove(id) {
            self.kept -= sent.line.len();
        }
    }

    /// The process is dead and has left this many bytes unread: the requests that it has not
    /// seen, oldest first.
    pub(super) fn unseen(&mut self, unread: u64) -> Vec<(OwnedId, Box<[u8]>)> {
        let read = self.total.saturating_sub(unread);
        let mut unseen: Vec<_> = std::mem::take(self)
            .unanswered
            .into_iter()
            .filter(|(_, sent)| sent.start >= read)
            .collect();
        unseen.sort_by_key(|(_, sent)| sent.start);
        unseen.into_iter().map(|(id, sent)| (id, sent.line)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unseen(lines: &[&str], answered: &[&str], unread: u64) -> Vec<String> {
        let mut written = Written::default();
        for line in lines {
            written.line(line.as_bytes(), Some(OwnedId::of_text(line)));
        }
        for id in answered {
            written.answered(&OwnedId::of_text(id));
        }
        let text = |(_, line): (OwnedId, Box<[u8]>)| String::from_utf8(line.into()).unwrap();
        written.unseen(unread).into_iter().map(text).collect()
    }

    #[test]
    fn only_what_was_not_touched_is_unseen() {
        assert_eq!(unseen(&["aaaa", "bbbb"], &[], 8), ["aaaa", "bbbb"]);
        assert_eq!(unseen(&["aaaa", "bbbb"], &[], 4), ["bbbb"]);
        assert_eq!(unseen(&["aaaa", "bbbb"], &[], 5), ["bbbb"], "half of it was read");
        assert!(unseen(&["aaaa", "bbbb"], &[], 3).is_empty());
        assert!(unseen(&["aaaa", "bbbb"], &[], 0).is_empty());
        assert_eq!(unseen(&["aaaa", "bbbb"], &["aaaa"], 9), ["bbbb"]);
    }

    #[test]
    fn the_memory_is_bounded() {
        let mut written = Written::default();
        let line = vec![b'x'; 1000];
        for number in 0..10_000 {
            written.line(&line, Some(OwnedId::of_text(&number.to_string())));
        }
        assert!(written.kept <= KEEP && written.unanswered.len() <= KEEP / 1000);
    }
}
