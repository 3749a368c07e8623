//! The session's journal: what another process needs to take the session over.
//!
//! A shim hands an anonymous file along with its streams. What the client has established and
//! what is in flight is written to it as it happens; should we die, the shim still has the file,
//! and feeds it to its own state. Nothing of it ever reaches a disk.
//!
//! Owns: the file's content. Emits: lines `>MESSAGE` (the client's) and `<MESSAGE` (the
//! server's). Promises: bounded; what only asks and is answered is kept as its id alone.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{Read, Seek, SeekFrom, Write},
    sync::{Mutex, PoisonError},
};

use defenter_mcp::{
    catalogue::{self, Kind},
    envelope::{self, Message, Outcome},
    id::OwnedId,
};

/// The size at which answered requests are dropped from the file.
const TIDY: u64 = 64 << 10;
/// The largest journal; a session that outgrows it can no longer be taken over.
pub(super) const MAX: u64 = 8 << 20;
/// The longest request that is kept whole, so that it can be sent again.
const WHOLE: usize = 16 << 10;
/// The method under which other requests are kept: nobody knows it, so it is never sent again.
const UNKNOWN: &str = "defenter/unanswered";

/// See the module.
pub(super) struct Journal(Mutex<State>);

struct State {
    file: Option<File>,
    size: u64,
    /// What has been established, in order: requests and their answers.
    base: Vec<Vec<u8>>,
    /// Unanswered requests, in order.
    open: BTreeMap<u64, (OwnedId, Vec<u8>)>,
    /// What to keep of the answer to a request that establishes something.
    keep: BTreeMap<u64, ()>,
    next: u64,
}

impl Journal {
    /// A journal in this file, or none.
    pub(super) fn new(file: Option<File>) -> Self {
        Self(Mutex::new(State {
            file,
            size: 0,
            base: Vec::new(),
            open: BTreeMap::new(),
            keep: BTreeMap::new(),
            next: 0,
        }))
    }

    /// Notes a message of the client's that goes to the server.
    pub(super) fn to_server(&self, line: &[u8], message: &Message<'_>) {
        self.with(|state| match message {
            Message::Request { id, method, .. } => state.request(line, &(*id).to_owned(), method),
            Message::Notification { method, .. } if method == "notifications/initialized" => {
                let entry = entry(b'>', line);
                state.append(&entry);
                state.base.push(entry);
            }
            _ => {}
        });
    }

    /// Notes an answer of the server's that goes to the client, or one of ours in its place.
    pub(super) fn answered(&self, id: &OwnedId, line: Option<&[u8]>) {
        self.with(|state| state.answer(id, line));
    }

    fn with(&self, act: impl FnOnce(&mut State)) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.file.is_some() {
            act(&mut state);
        }
    }
}

impl State {
    fn request(&mut self, line: &[u8], id: &OwnedId, method: &str) {
        let known = catalogue::operation(method);
        let establishes = establishes(known.kind);
        let whole = line.len() <= WHOLE && (establishes || known.safe_to_resend);
        let entry = if whole {
            entry(b'>', line)
        } else {
            let id = id.as_str();
            format!(">{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"{UNKNOWN}\"}}\n").into_bytes()
        };
        self.append(&entry);
        let order = self.next;
        self.next += 1;
        if establishes && whole {
            self.keep.insert(order, ());
        }
        self.open.insert(order, (id.clone(), entry));
    }

    fn answer(&mut self, id: &OwnedId, line: Option<&[u8]>) {
        let found = self.open.iter().find(|(_, (open, _))| open == id).map(|(order, _)| *order);
        let Some(order) = found else { return };
        let Some((_, request)) = self.open.remove(&order) else { return };
        let keep = self.keep.remove(&order).is_some();
        let succeeded = |line: &&[u8]| {
            let message = envelope::read(super::core::trim(line));
            matches!(message, Ok(Message::Response { outcome: Outcome::Result(_), .. }))
        };
        let answer = match line.filter(|line| keep && line.len() <= WHOLE).filter(succeeded) {
            Some(line) => {
                let answer = entry(b'<', line);
                self.base.extend([request, answer.clone()]);
                answer
            }
            None => {
                let id = id.as_str();
                format!("<{{\"jsonrpc\":\"2.0\",\"id\":{id},\"error\":{{\"code\":0,\"message\":\"\"}}}}\n").into_bytes()
            }
        };
        self.append(&answer);
        if self.size > TIDY && self.open.is_empty() {
            self.tidy();
        }
    }

    fn append(&mut self, entry: &[u8]) {
        let Some(file) = &mut self.file else { return };
        self.size += entry.len() as u64;
        // A journal that cannot be written, or grows too large, is worse than none.
        if self.size > MAX || file.write_all(entry).is_err() {
            let _ = file.set_len(0);
            self.file = None;
        }
    }

    /// Writes only what is established, while nothing is in flight.
    fn tidy(&mut self) {
        let base = self.base.concat();
        self.size = 0;
        let emptied = self
            .file
            .as_mut()
            .is_some_and(|file| file.set_len(0).is_ok() && file.seek(SeekFrom::Start(0)).is_ok());
        if emptied {
            self.append(&base);
        } else {
            self.file = None;
        }
    }
}

/// Whether a request changes what a new server has to be told.
fn establishes(kind: Kind) -> bool {
    matches!(kind, Kind::Handshake | Kind::LogLevel | Kind::Subscription)
}

fn entry(side: u8, line: &[u8]) -> Vec<u8> {
    let line = super::core::trim(line);
    let mut entry = Vec::with_capacity(line.len() + 2);
    entry.push(side);
    entry.extend_from_slice(line);
    entry.push(b'\n');
    entry
}

/// The messages of a journal that somebody else wrote: whether the client's, and the line.
pub(super) fn read(file: &mut File) -> Vec<(bool, Vec<u8>)> {
    let mut bytes = Vec::new();
    let whole = file.seek(SeekFrom::Start(0)).and_then(|_| {
        let read = Read::by_ref(file).take(MAX + 1).read_to_end(&mut bytes)?;
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0))?;
        Ok(read)
    });
    if whole.is_err() {
        return Vec::new();
    }
    let entry = |line: &[u8]| match line.split_first() {
        Some((b'>', rest)) => Some((true, rest.to_vec())),
        Some((b'<', rest)) => Some((false, rest.to_vec())),
        _ => None,
    };
    // Whoever was killed while writing leaves half a line.
    bytes
        .split_inclusive(|byte| *byte == b'\n')
        .filter(|line| line.ends_with(b"\n"))
        .filter_map(entry)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal() -> (Journal, File) {
        let file = tempfile::tempfile().unwrap();
        (Journal::new(Some(file.try_clone().unwrap())), file)
    }

    fn sent(journal: &Journal, line: &str) {
        journal.to_server(line.as_bytes(), &envelope::read(line.trim_end().as_bytes()).unwrap());
    }

    fn answered(journal: &Journal, id: &str, line: Option<&str>) {
        journal.answered(&OwnedId::of_text(id), line.map(str::as_bytes));
    }

    fn shown(mut file: File) -> Vec<String> {
        let text = |(client, line): (bool, Vec<u8>)| {
            format!(
                "{}{}",
                if client { '>' } else { '<' },
                String::from_utf8(line).unwrap().trim_end()
            )
        };
        read(&mut file).into_iter().map(text).collect()
    }

    const INIT: &str =
        "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"initialize\",\"params\":{}}\n";
    const INIT_DONE: &str = "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"result\":{\"x\":1}}\n";

    #[test]
    fn what_is_established_and_what_is_in_flight_can_be_read_back() {
        let (journal, file) = journal();
        sent(&journal, INIT);
        answered(&journal, "a", Some(INIT_DONE));
        sent(&journal, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n");
        sent(
            &journal,
            "{\"jsonrpc\":\"2.0\",\"id\":\"b\",\"method\":\"tools/call\",\"params\":{\"secret\":1}}\n",
        );
        let shown = shown(file);
        assert_eq!(shown[0], format!(">{}", INIT.trim_end()));
        assert_eq!(shown[1], format!("<{}", INIT_DONE.trim_end()));
        assert!(shown[2].contains("initialized"));
        assert_eq!(
            shown[3],
            ">{\"jsonrpc\":\"2.0\",\"id\":\"b\",\"method\":\"defenter/unanswered\"}"
        );
    }

    #[test]
    fn it_does_not_grow_with_answered_calls() {
        let (journal, file) = journal();
        sent(&journal, INIT);
        answered(&journal, "a", Some(INIT_DONE));
        for number in 0..10_000 {
            let id = format!("n{number}");
            sent(
                &journal,
                &format!("{{\"jsonrpc\":\"2.0\",\"id\":\"{id}\",\"method\":\"tools/call\"}}\n"),
            );
            answered(&journal, &id, Some("{}"));
        }
        assert!(file.metadata().unwrap().len() <= TIDY + 1024);
        let shown = shown(file);
        assert_eq!(
            shown[..2],
            [format!(">{}", INIT.trim_end()), format!("<{}", INIT_DONE.trim_end())]
        );
    }

    #[test]
    fn half_a_line_is_left_out() {
        let (_, mut file) = journal();
        file.write_all(b">{}\n<{\"id\":").unwrap();
        assert_eq!(shown(file), [">{}"]);
    }
}
