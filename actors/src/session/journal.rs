//! The session's journal: what another process needs to take the session over.
//!
//! A shim hands two anonymous files along with its streams ([`Kept`]). What the client has
//! established, what waits for the user and what is in flight is noted there as it happens, and
//! what the client is told goes through there; should we die, the shim still has the files, and
//! whoever takes over goes on where we were.
//!
//! Owns: the notes and the outbox. Emits: notes, each a line: `>N MESSAGE` for a message of the
//! client's that was sent to the server, `?N MESSAGE` for a request that waits for the user, where
//! `N` is how many of the client's bytes it settles; `<MESSAGE` for what settles a request. The
//! answers themselves are in the outbox.
//! Promises: bounded; what only asks and is answered is kept as its id alone.

use std::{
    collections::BTreeMap,
    io,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use defenter_mcp::{
    catalogue::{self, Kind},
    envelope::{self, Message, Outcome},
    id::OwnedId,
    kept::{Acted, Inbox, Notes, Opened, Outbox},
    stdio::Stream,
};

use super::core::trim;

/// The size at which answered requests are dropped from the notes, and what the client has got
/// from the outbox.
const TIDY: u64 = 64 << 10;
/// The longest request that is kept whole, so that it can be sent again.
const WHOLE: usize = 16 << 10;
/// The method under which other requests are kept: nobody knows it, so it is never sent again.
const UNKNOWN: &str = "defenter/unanswered";

/// See the module.
pub(super) struct Journal(Option<Mutex<State>>);

struct State {
    /// Nothing once they could not be kept: then nobody can take over.
    notes: Option<Notes>,
    outbox: Outbox,
    acted: Acted,
    /// How many of the client's bytes are settled by what was noted.
    noted: u64,
    /// What has been established, in order: requests and their answers.
    base: Vec<u8>,
    /// Unanswered requests, in order.
    open: BTreeMap<u64, Open>,
    next: u64,
}

struct Open {
    id: OwnedId,
    note: Vec<u8>,
    /// Whether its answer has to be known to whoever takes over.
    establishes: bool,
    waits: bool,
}

/// What whoever served the session before us has left behind.
#[derive(Default)]
pub(super) struct Earlier {
    /// What was established and is in flight: whether the client's, and the line.
    pub(super) said: Vec<(bool, Vec<u8>)>,
    /// Requests that waited for the user, to be decided on anew.
    pub(super) again: Vec<Vec<u8>>,
}

impl Journal {
    /// No journal: nobody can take over.
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// A journal in these files, what the one before us has left there, and the client's input.
    pub(super) fn open(opened: Opened) -> io::Result<(Self, Earlier, Inbox)> {
        let Opened { acted, inbox, notes, outbox } = opened;
        let found = Found::read(&notes.read()?, &outbox.read()?);
        acted.raise(found.noted);
        let mut state = State {
            notes: Some(notes),
            outbox,
            acted,
            noted: found.noted,
            base: Vec::new(),
            open: BTreeMap::new(),
            next: 0,
        };
        let earlier = found.taken_up(&mut state);
        if !state.base.is_empty() || !state.open.is_empty() {
            state.tidy_notes();
        }
        Ok((Self(Some(Mutex::new(state))), earlier, inbox))
    }

    fn state(&self) -> Option<MutexGuard<'_, State>> {
        Some(self.0.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether what the client is told goes through here.
    pub(super) fn is_kept(&self) -> bool {
        self.0.is_some()
    }

    /// Notes a message of the client's that goes to the server now.
    pub(super) fn sent(&self, line: &[u8], message: &Message<'_>, acted: u64) {
        let Some(mut state) = self.state() else { return };
        match message {
            Message::Request { id, method, .. } => {
                state.request(b'>', line, &(*id).to_owned(), method, acted);
            }
            Message::Notification { method, .. } if is_established_by(method) => {
                let note = note(b'>', acted, line);
                state.append(&note, acted);
                state.base.extend(note);
            }
            _ => {}
        }
    }

    /// Notes a request of the client's that waits for the user.
    pub(super) fn waits(&self, line: &[u8], id: &OwnedId, method: &str, acted: u64) {
        if let Some(mut state) = self.state() {
            state.request(b'?', line, id, method, acted);
        }
    }

    /// Notes that nobody will answer a request: it was withdrawn, or is sent anew.
    pub(super) fn withdrawn(&self, id: &OwnedId) {
        let Some(mut state) = self.state() else { return };
        if state.take(id).is_some() {
            let note = settling(id);
            state.append(&note, 0);
        }
    }

    /// Everything of the client's up to here was acted on.
    pub(super) fn acted(&self, position: u64) {
        if let Some(state) = self.state() {
            state.acted.set(position);
        }
    }

    /// How much of the client's was acted on.
    pub(super) fn position(&self) -> u64 {
        self.state().map_or(0, |state| state.acted.get())
    }

    /// Tells the client a line: from here on it counts as told, whoever hands it over. `answers`
    /// is the request that it answers, `acted` how many of the client's bytes it settles.
    pub(super) fn tell(
        &self,
        line: &[u8],
        answers: Option<&OwnedId>,
        acted: u64,
    ) -> io::Result<()> {
        let Some(mut state) = self.state() else { return Ok(()) };
        state.outbox.say(line, acted)?;
        if let Some(id) = answers {
            state.answered(id, line);
        }
        Ok(())
    }

    /// The same, where it is not known what it is.
    pub(super) fn tell_any(&self, line: &[u8], acted: u64) -> io::Result<()> {
        let id = match envelope::read(trim(line)) {
            Ok(Message::Response { id: Some(id), .. }) => Some(id.to_owned()),
            _ => None,
        };
        self.tell(line, id.as_ref(), acted)
    }

    /// How many bytes the client was told and has not got.
    pub(super) fn owes(&self) -> u64 {
        self.state().map_or(0, |state| state.outbox.owes())
    }

    /// Hands over to the client what it was told; ready when it has got everything.
    pub(super) fn poll_hand_over(
        &self,
        stream: &mut Stream,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let Some(mut state) = self.state() else { return Poll::Ready(Ok(())) };
        ready!(state.outbox.poll_hand_over(stream, cx))?;
        state.tidy()?;
        Poll::Ready(Ok(()))
    }
}

impl State {
    fn request(&mut self, kind: u8, line: &[u8], id: &OwnedId, method: &str, acted: u64) {
        let waits = kind == b'?';
        let known = catalogue::operation(method);
        let establishes = establishes(known.kind);
        let whole = line.len() <= WHOLE && (waits || establishes || known.safe_to_resend);
        let open = if whole {
            Open { id: id.clone(), note: note(kind, acted, line), establishes, waits }
        } else {
            let id = id.clone();
            let line =
                format!("{{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"{UNKNOWN}\"}}", id.as_str());
            let note = note(b'>', acted, line.as_bytes());
            Open { id, note, establishes: false, waits }
        };
        self.append(&open.note, acted);
        // What waited and is sent now is one request.
        let waited = self.open.iter().find(|(_, open)| open.waits && open.id == *id);
        if let Some(order) = waited.map(|(order, _)| *order) {
            self.open.remove(&order);
        }
        self.open(open);
    }

    fn open(&mut self, open: Open) {
        self.open.insert(self.next, open);
        self.next += 1;
    }

    fn take(&mut self, id: &OwnedId) -> Option<Open> {
        let order = self.open.iter().find(|(_, open)| open.id == *id).map(|(order, _)| *order)?;
        self.open.remove(&order)
    }

    fn answered(&mut self, id: &OwnedId, line: &[u8]) {
        let Some(open) = self.take(id) else { return };
        if open.establishes && !open.waits && line.len() <= WHOLE && is_result(line) {
            self.establish(&open.note, line);
        }
    }

    fn establish(&mut self, note: &[u8], answer: &[u8]) {
        self.base.extend_from_slice(note);
        self.base.push(b'<');
        self.base.extend_from_slice(trim(answer));
        self.base.push(b'\n');
    }

    fn append(&mut self, note: &[u8], acted: u64) {
        self.noted = self.noted.max(acted);
        let Some(notes) = &mut self.notes else { return };
        // Notes that are not whole are worse than none.
        if notes.append(note).is_err() {
            notes.clear();
            self.notes = None;
        }
    }

    /// Drops what is answered and what the client has got, where it has everything.
    fn tidy(&mut self) -> io::Result<()> {
        let notes = self.notes.as_ref().map_or(0, Notes::length);
        if notes < TIDY && self.outbox.length() < TIDY {
            return Ok(());
        }
        self.tidy_notes();
        self.outbox.empty()
    }

    /// Notes only what is established and in flight.
    fn tidy_notes(&mut self) {
        // The notes that go say how far the client's bytes are settled.
        self.acted.raise(self.noted);
        let mut all = self.base.clone();
        self.open.values().for_each(|open| all.extend_from_slice(&open.note));
        let Some(notes) = &mut self.notes else { return };
        if notes.replace(&all).is_err() {
            notes.clear();
            self.notes = None;
        }
    }
}

/// What is found in the notes and the outbox of somebody else.
#[derive(Default)]
struct Found {
    noted: u64,
    requests: Vec<Request>,
}

/// A message of the client's in the notes.
struct Request {
    /// Nothing for a notification.
    id: Option<OwnedId>,
    line: Vec<u8>,
    establishes: bool,
    waits: bool,
    answer: Option<Vec<u8>>,
    gone: bool,
}

impl Found {
    fn read(notes: &[u8], told: &[u8]) -> Self {
        let mut found = Self::default();
        for note in lines(notes) {
            match note.split_first() {
                Some((kind @ (b'>' | b'?'), rest)) => found.request(*kind, rest),
                Some((b'<', line)) => found.answer(line),
                _ => {}
            }
        }
        lines(told).for_each(|line| found.answer(line));
        found
    }

    fn request(&mut self, kind: u8, rest: &[u8]) {
        let Some(blank) = rest.iter().position(|byte| *byte == b' ') else { return };
        let acted = std::str::from_utf8(&rest[..blank]).ok().and_then(|text| text.parse().ok());
        let line = &rest[blank + 1..];
        let (Some(acted), Ok(message)) = (acted, envelope::read(trim(line))) else { return };
        self.noted = self.noted.max(acted);
        let id = message.id().map(defenter_mcp::Id::to_owned);
        let kind_of = |method| establishes(catalogue::operation(method).kind);
        if let Some(waited) =
            self.requests.iter_mut().find(|it| it.waits && it.id == id && !it.gone)
        {
            waited.gone = true;
        }
        self.requests.push(Request {
            id,
            line: line.to_vec(),
            establishes: message.method().is_some_and(kind_of),
            waits: kind == b'?',
            answer: None,
            gone: false,
        });
    }

    fn answer(&mut self, line: &[u8]) {
        let Ok(Message::Response { id: Some(id), .. }) = envelope::read(trim(line)) else { return };
        let id = id.to_owned();
        let is_open =
            |it: &&mut Request| it.id.as_ref() == Some(&id) && it.answer.is_none() && !it.gone;
        let Some(request) = self.requests.iter_mut().find(is_open) else { return };
        if request.establishes && !request.waits && line.len() <= WHOLE && is_result(line) {
            request.answer = Some(line.to_vec());
        } else {
            request.gone = true;
        }
    }

    /// What it comes to; the journal goes on from it.
    fn taken_up(self, state: &mut State) -> Earlier {
        let mut earlier = Earlier::default();
        for request in self.requests.into_iter().filter(|request| !request.gone) {
            let Request { id, line, establishes, waits, answer, .. } = request;
            let note = note(if waits { b'?' } else { b'>' }, 0, &line);
            match (id, answer) {
                (None, _) => state.base.extend_from_slice(&note),
                (Some(_), Some(answer)) => {
                    state.establish(&note, &answer);
                    earlier.said.extend([(true, line), (false, answer)]);
                    continue;
                }
                (Some(id), None) => state.open(Open { id, note, establishes, waits }),
            }
            match waits {
                true => earlier.again.push(line),
                false => earlier.said.push((true, line)),
            }
        }
        earlier
    }
}

/// Whole lines: whoever was killed while writing leaves half a line.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"))
}

/// Whether a request changes what a new server has to be told.
fn establishes(kind: Kind) -> bool {
    matches!(kind, Kind::Handshake | Kind::LogLevel | Kind::Subscription)
}

/// Whether a notification does.
fn is_established_by(method: &str) -> bool {
    method == "notifications/initialized"
}

fn is_result(line: &[u8]) -> bool {
    let message = envelope::read(trim(line));
    matches!(message, Ok(Message::Response { outcome: Outcome::Result(_), .. }))
}

fn note(kind: u8, acted: u64, line: &[u8]) -> Vec<u8> {
    let line = trim(line);
    let acted = acted.to_string();
    let mut note = Vec::with_capacity(line.len() + acted.len() + 3);
    note.push(kind);
    note.extend_from_slice(acted.as_bytes());
    note.push(b' ');
    note.extend_from_slice(line);
    note.push(b'\n');
    note
}

fn settling(id: &OwnedId) -> Vec<u8> {
    let id = id.as_str();
    format!("<{{\"jsonrpc\":\"2.0\",\"id\":{id},\"error\":{{\"code\":0,\"message\":\"\"}}}}\n")
        .into_bytes()
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, os::fd::OwnedFd};

    use defenter_mcp::kept::Kept;

    use super::*;

    /// What a shim holds.
    struct Shim(Kept);

    impl Shim {
        fn new() -> Self {
            Self(Kept::new().unwrap())
        }

        /// A process that serves the session from here on.
        fn serve(&self) -> (Journal, Earlier) {
            let descriptors = self.0.descriptors().map(|fd| fd.try_clone_to_owned().unwrap());
            let opened = Kept::from_descriptors(descriptors).open(1 << 20).unwrap();
            let (journal, earlier, _) = Journal::open(opened).unwrap();
            (journal, earlier)
        }

        /// What the next one finds: said and again.
        fn shown(&self) -> (Vec<String>, Vec<String>) {
            let (_, earlier) = self.serve();
            let text = |line: Vec<u8>| String::from_utf8(line).unwrap().trim_end().to_owned();
            let said = earlier.said.into_iter();
            let said =
                said.map(|(client, line)| [["<", ">"][usize::from(client)], &text(line)].concat());
            (said.collect(), earlier.again.into_iter().map(text).collect())
        }
    }

    fn request(id: &str, method: &str) -> String {
        format!("{{\"jsonrpc\":\"2.0\",\"id\":\"{id}\",\"method\":\"{method}\",\"params\":{{}}}}\n")
    }

    fn result(id: &str) -> String {
        format!("{{\"jsonrpc\":\"2.0\",\"id\":\"{id}\",\"result\":{{\"x\":1}}}}\n")
    }

    fn sent(journal: &Journal, line: &str, acted: u64) {
        let message = envelope::read(line.trim_end().as_bytes()).unwrap();
        journal.sent(line.as_bytes(), &message, acted);
    }

    fn waits(journal: &Journal, id: &str, acted: u64) {
        let line = request(id, "tools/call");
        journal.waits(line.as_bytes(), &OwnedId::of_text(id), "tools/call", acted);
    }

    fn answered(journal: &Journal, id: &str) {
        journal.tell_any(result(id).as_bytes(), 0).unwrap();
    }

    const INITIALIZED: &str = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n";

    fn established(journal: &Journal) -> Vec<String> {
        sent(journal, &request("a", "initialize"), 10);
        answered(journal, "a");
        sent(journal, INITIALIZED, 20);
        [
            ">".to_owned() + &request("a", "initialize"),
            "<".to_owned() + &result("a"),
            ">".to_owned() + INITIALIZED,
        ]
        .map(|line| line.trim_end().to_owned())
        .to_vec()
    }

    fn unanswered(id: &str) -> String {
        format!(">{{\"jsonrpc\":\"2.0\",\"id\":\"{id}\",\"method\":\"{UNKNOWN}\"}}")
    }

    #[test]
    fn what_is_established_and_what_is_in_flight_is_found_again_and_again() {
        let shim = Shim::new();
        let (journal, earlier) = shim.serve();
        assert!(earlier.said.is_empty() && earlier.again.is_empty());
        let mut expected = established(&journal);
        sent(&journal, &request("b", "tools/call"), 30);
        sent(&journal, &request("c", "tools/list"), 40);
        sent(&journal, &request("d", "tools/call"), 50);
        answered(&journal, "d");
        expected.push(unanswered("b"));
        expected.push(format!(">{}", request("c", "tools/list").trim_end()));
        for _ in 0..3 {
            assert_eq!(shim.shown(), (expected.clone(), vec![]));
        }
        assert_eq!(shim.serve().0.position(), 50);
    }

    #[test]
    fn what_waited_for_the_user_is_decided_on_anew_unless_it_was_sent_or_refused() {
        let shim = Shim::new();
        let (journal, _) = shim.serve();
        for (id, acted) in [("sent", 1), ("refused", 2), ("withdrawn", 3), ("waits", 4)] {
            waits(&journal, id, acted);
        }
        sent(&journal, &request("sent", "tools/call"), 0);
        answered(&journal, "refused");
        journal.withdrawn(&OwnedId::of_text("withdrawn"));
        let expected =
            (vec![unanswered("sent")], vec![request("waits", "tools/call").trim_end().to_owned()]);
        assert_eq!(shim.shown(), expected);
        assert_eq!(shim.shown(), expected);
        answered(&journal, "sent");
        assert_eq!(shim.serve().0.position(), 4);
    }

    #[test]
    fn an_id_that_is_used_again_is_another_request() {
        let shim = Shim::new();
        let (journal, _) = shim.serve();
        for acted in 1..3 {
            sent(&journal, &request("a", "tools/call"), acted);
            answered(&journal, "a");
        }
        sent(&journal, &request("a", "tools/call"), 3);
        assert_eq!(shim.shown().0, [unanswered("a")]);
    }

    #[tokio::test]
    async fn it_does_not_grow_with_answered_calls() {
        let shim = Shim::new();
        let (journal, _) = shim.serve();
        let (read, write) = rustix::pipe::pipe().unwrap();
        let (mut read, mut write) = (Stream::new(read).unwrap(), Stream::new(write).unwrap());
        let reader = tokio::spawn(async move {
            let mut all = Vec::new();
            tokio::io::AsyncReadExt::read_to_end(&mut read, &mut all).await.unwrap();
            all
        });
        let expected = established(&journal);
        waits(&journal, "w", 21);
        let mut told = result("a");
        for number in 0..10_000u64 {
            let id = format!("n{number}");
            sent(&journal, &request(&id, "tools/call"), 100 + number);
            answered(&journal, &id);
            told.push_str(&result(&id));
            poll_fn(|cx| journal.poll_hand_over(&mut write, cx)).await.unwrap();
        }
        drop(OwnedFd::from(std::fs::File::from(write.into_blocking().await.unwrap())));
        assert!(reader.await.unwrap() == told.as_bytes(), "the client got what it was told");
        {
            let state = journal.state().unwrap();
            let notes = state.notes.as_ref().unwrap().length();
            assert!(notes <= TIDY + 1024 && state.outbox.length() <= TIDY + 1024);
        }
        assert_eq!(shim.shown().0, expected);
        assert_eq!(shim.serve().0.position(), 10_099);
    }
}
