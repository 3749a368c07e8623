//! A session that outlives its server: what is replayed, sent again, answered and renamed.
//!
//! Owns: the state of one client's session across the server processes that serve it one after the
//! other. Accepts: each message at the moment it would be forwarded, and the ends and starts of server
//! processes. Emits: what to do with the message, and the bytes of ours that go with it.
//! Promises: every request of the client's gets exactly one answer, whatever process dies when; a
//! request that acts is never sent twice; a client's answer reaches only the process that asked;
//! messages that need no change are forwarded as they came; memory is bounded. Pure: no clock, no
//! chance (the tag is given), no I/O.
//!
//! The caller's part: read a dead process's output to its end before it says
//! [`Recovery::on_server_gone`], and write what a call returns before it forwards anything later.

mod asked;
mod established;
mod in_flight;
mod verdict;

use std::collections::VecDeque;

use self::asked::Asked;
use self::established::{Established, notification};
use self::in_flight::{Entry, InFlight, Listen, Track};
use crate::catalogue::{self, LIST_CHANGED, Operation};
use crate::envelope::{Message, Outcome, read as read_message};
use crate::era::{Era, META_SUBSCRIPTION};
use crate::id::{Id, OwnedId};
use crate::read;

pub use self::verdict::{
    Answered, Dropped, Flow, FromClient, FromServer, Gone, Loss, Lost, RecoveryError, Refused,
};

/// The bounds of a session's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most requests of the client's without an answer.
    pub in_flight: usize,
    /// The most requests of the server's without an answer.
    pub asked: usize,
    /// The most bytes of requests that are kept for sending them again. A request that does not fit
    /// is answered with an error when its server dies, as one that is not safe to send again is.
    pub resend_bytes: usize,
    /// The most messages that wait for a server to be there.
    pub held: usize,
    /// The most bytes of messages that wait; one message always may.
    pub held_bytes: usize,
    /// The longest `initialize` that can be replayed, and the longest capabilities that are kept.
    pub handshake_bytes: usize,
    /// The most resource subscriptions that are replayed.
    pub subscriptions: usize,
    /// The most bytes of them.
    pub subscription_bytes: usize,
    /// How often a request is sent at most before its server's deaths are taken for its fault.
    pub sends: u32,
}

/// The state of one session; `T` is what the caller wants to get back with a request's answer.
pub struct Recovery<T> {
    tag: Box<str>,
    limits: Limits,
    generation: u64,
    stage: Stage,
    era: Era,
    established: Established,
    in_flight: InFlight<T>,
    asked: Asked,
    held: VecDeque<Held<T>>,
    held_bytes: usize,
    /// Requests of our own that the server has not answered.
    ours: Vec<(OwnedId, Ours)>,
    named: u64,
}

/// Where a session stands with its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// There is no server process; messages of the client's are held.
    Down,
    /// A new process is being set up as the old one was; messages of the client's are held.
    Replaying,
    /// Messages pass.
    Live,
    /// Given up: requests are refused, until a process starts after all.
    Over,
}

/// Whether a request may be sent to a second process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Resend {
    /// As the catalogue says: only what reads.
    #[default]
    AsCatalogued,
    /// Yes: its tool's approved definition says that it is safe, and the settings trust that.
    Allowed,
}

/// A message of the client's that waits for a server.
struct Held<T> {
    frame: Box<[u8]>,
    resend: Resend,
    /// With a request: its id and its context.
    request: Option<(OwnedId, T)>,
}

/// What a request of our own is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ours {
    Handshake,
    Setting,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            in_flight: 4096,
            asked: 1024,
            resend_bytes: 8 << 20,
            held: 256,
            held_bytes: 8 << 20,
            handshake_bytes: 1 << 20,
            subscriptions: 1024,
            subscription_bytes: 1 << 20,
            sends: 3,
        }
    }
}

impl<T> Recovery<T> {
    /// A session without a server yet. `tag` begins every id of our own; it must be random, so that
    /// it is nobody else's, and is cut to letters, digits and `._:-`.
    pub fn new(tag: &str, limits: Limits) -> Self {
        Self {
            tag: tag.into(),
            limits,
            generation: 0,
            stage: Stage::Down,
            era: Era::Unknown,
            established: Established::default(),
            in_flight: InFlight::new(),
            asked: Asked::new(),
            held: VecDeque::new(),
            held_bytes: 0,
            ours: Vec::new(),
            named: 0,
        }
    }

    /// The era of the session.
    #[must_use]
    pub fn era(&self) -> Era {
        self.era
    }

    /// Which process serves the session: 1 is the first, 0 is before it.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Where the session stands with its server.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// How many requests of the client's wait for an answer, held ones included.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.in_flight.waiting() + self.held_requests()
    }

    /// What the caller noted with the request for whose answer the client has waited longest: none
    /// where the server owes it nothing, or waits itself for an answer of the client's. A
    /// cancelled request is not due, and one that listens is answered only when it ends.
    #[must_use]
    pub fn due(&self) -> Option<&T> {
        if self.asked.len() > 0 {
            return None;
        }
        self.in_flight.oldest_due().map(|entry| &entry.context)
    }

    /// How many requests of the server's wait for an answer of the client's.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.asked.len()
    }

    /// How many messages of the client's are held.
    #[must_use]
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// Whether a handshake was answered, so that there is a session to take up.
    #[must_use]
    pub fn is_established(&self) -> bool {
        self.established.any() || self.era.is_modern()
    }

    /// What to do with a message of the client's; `line` is the line it was read from. `context` is
    /// kept with a request until it is answered, and dropped with anything else.
    pub fn on_client_message(
        &mut self,
        message: &Message<'_>,
        line: &[u8],
        context: T,
        resend: Resend,
    ) -> FromClient<T> {
        match message {
            Message::Request { id, method, params } => {
                self.client_request(*id, method, *params, line, context, resend)
            }
            Message::Notification { method, params } if method == "notifications/cancelled" => {
                self.client_cancels(*params)
            }
            Message::Notification { method, .. } => self.client_notifies(method, line, context),
            Message::Response { id, .. } => self.client_answers(*id, line),
            // It is no message that can be answered, so it is the caller's to refuse.
            Message::Batch => FromClient::Drop(Dropped::Unasked),
        }
    }

    /// What to do with a message of the server's; `line` is the line it was read from.
    pub fn on_server_message(&mut self, message: &Message<'_>, line: &[u8]) -> FromServer<T> {
        if matches!(self.stage, Stage::Down | Stage::Over) {
            return FromServer::Drop(Dropped::Dead);
        }
        match message {
            Message::Request { id, .. } => self.server_asks(*id, line),
            Message::Notification { method, params } => match &**method {
                "notifications/cancelled" => self.server_cancels(*params, line),
                "notifications/subscriptions/acknowledged" => self.server_acknowledges(*params),
                _ => FromServer::Forward(None),
            },
            Message::Response { id, outcome } => self.server_answers(*id, *outcome),
            Message::Batch => FromServer::Drop(Dropped::Unasked),
        }
    }

    /// A server process has started: what to send it.
    ///
    /// # Errors
    /// Where the session cannot be taken up.
    pub fn on_server_started(&mut self) -> Result<Flow, RecoveryError> {
        self.generation += 1;
        if !self.established.any() {
            return Ok(self.go_live());
        }
        let id = self.our_id(Ours::Handshake);
        let handshake = self.established.handshake(&id);
        let handshake = handshake.ok_or(RecoveryError::HandshakeNotKept)?;
        self.stage = Stage::Replaying;
        Ok(Flow { to_server: vec![handshake], ..Flow::default() })
    }

    /// The server process has ended and its output was read to the end.
    pub fn on_server_gone(&mut self) -> Gone<T> {
        if self.stage != Stage::Over {
            self.stage = Stage::Down;
        }
        self.ours.clear();
        let (era, most) = (self.era, self.limits.sends);
        let leaving = self.in_flight.take_if(|entry| {
            if let Track::Listen(listen) = &mut entry.track {
                listen.again |= listen.honoured.is_some();
            }
            entry.cancelled || loss(entry, era, most).is_some()
        });
        let mut gone = Gone { lost: Vec::new(), cancelled: Vec::new(), to_client: Vec::new() };
        for (id, entry) in leaving {
            if entry.cancelled {
                gone.cancelled.push(entry.context);
            } else {
                let why = loss(&entry, era, most).unwrap_or(Loss::OutcomeUnknown);
                gone.lost.push(Lost {
                    id,
                    operation: entry.operation,
                    context: entry.context,
                    why,
                });
            }
        }
        gone.to_client = self.asked.drain().iter().map(cancellation).collect();
        gone
    }

    /// No server is to come: what to answer the client. Requests are refused from now on, until
    /// [`Recovery::on_server_started`] says that one came after all.
    pub fn give_up(&mut self) -> Gone<T> {
        let mut gone = self.on_server_gone();
        self.stage = Stage::Over;
        for (id, entry) in self.in_flight.drain() {
            let (operation, context) = (entry.operation, entry.context);
            gone.lost.push(Lost { id, operation, context, why: Loss::DiedOnIt });
        }
        self.held_bytes = 0;
        for held in std::mem::take(&mut self.held) {
            let Some((id, context)) = held.request else { continue };
            let operation = operation_of(&held.frame);
            gone.lost.push(Lost { id, operation, context, why: Loss::NoServer });
        }
        gone
    }

    /// Forgets a request of the client's that the caller has answered itself; its late answer, if
    /// any, will be dropped.
    pub fn settle(&mut self, id: Id<'_>) -> Option<T> {
        if let Some(context) = self.unhold(id) {
            return Some(context);
        }
        self.in_flight.remove(id).map(|entry| entry.context)
    }

    /// Forgets a request of the server's that the caller has answered itself. `shown` is the id as
    /// the client sees it.
    pub fn settle_asked(&mut self, shown: Id<'_>) {
        self.asked.answer(shown);
    }

    fn client_request(
        &mut self,
        id: Id<'_>,
        method: &str,
        params: Option<&[u8]>,
        line: &[u8],
        context: T,
        resend: Resend,
    ) -> FromClient<T> {
        if self.stage == Stage::Over {
            return FromClient::Refuse(Refused::NoServer, context);
        }
        if self.in_flight.len() + self.held_requests() >= self.limits.in_flight {
            return FromClient::Refuse(Refused::TooMany, context);
        }
        if self.stage != Stage::Live {
            return match self.hold(line, resend, Some((id.to_owned(), context))) {
                None => FromClient::Held,
                Some((_, context)) => FromClient::Full(context),
            };
        }
        self.send(id, method, params, line, context, resend);
        FromClient::Forward
    }

    /// Notes a request that is sent to the live server.
    fn send(
        &mut self,
        id: Id<'_>,
        method: &str,
        params: Option<&[u8]>,
        line: &[u8],
        context: T,
        resend: Resend,
    ) {
        self.era = self.era.after_request(method, params);
        let operation = catalogue::operation(method);
        let track = track(method, params);
        let again = operation.safe_to_resend
            || resend == Resend::Allowed
            || matches!(track, Track::Listen(_));
        let mut entry = Entry::new(operation, context, track, again);
        let fits = self.in_flight.kept() + line.len() <= self.limits.resend_bytes;
        if entry.resend && fits {
            entry.frame = Some(line.into());
        }
        // A request with a null id may be taken for a notification, so nobody waits for its answer.
        if !id.is_null() {
            self.in_flight.insert(id.to_owned(), entry);
        }
    }

    fn client_cancels(&mut self, params: Option<&[u8]>) -> FromClient<T> {
        let id = params.and_then(|params| read::member(params, "requestId")).and_then(Id::parse);
        let Some(id) = id else { return self.only_live() };
        if let Some(context) = self.unhold(id) {
            return FromClient::Cancelled(context);
        }
        if self.stage == Stage::Live {
            self.in_flight.cancel(id);
            return FromClient::Forward;
        }
        match self.in_flight.remove(id) {
            Some(entry) => FromClient::Cancelled(entry.context),
            None => FromClient::Drop(Dropped::Dead),
        }
    }

    fn client_notifies(&mut self, method: &str, line: &[u8], context: T) -> FromClient<T> {
        match self.stage {
            Stage::Live => {
                self.note_notification(method, line);
                FromClient::Forward
            }
            Stage::Over => FromClient::Drop(Dropped::Dead),
            // It tells how far a request of the dead process has come.
            _ if method == "notifications/progress" => FromClient::Drop(Dropped::Dead),
            _ if self.has_room(line) => {
                self.hold(line, Resend::AsCatalogued, None);
                FromClient::Held
            }
            _ => FromClient::Full(context),
        }
    }

    fn note_notification(&mut self, method: &str, line: &[u8]) {
        if method == "notifications/initialized" {
            self.established.initialized(line, &self.limits);
        }
    }

    fn client_answers(&mut self, id: Option<Id<'_>>, line: &[u8]) -> FromClient<T> {
        let Some(id) = id.filter(|id| !id.is_null()) else { return self.only_live() };
        let Some(server_id) = self.asked.answer(id) else {
            return FromClient::Drop(Dropped::Unasked);
        };
        if self.generation < 2 {
            return FromClient::Forward;
        }
        rewritten(line, id.as_str().as_bytes(), &server_id)
            .map_or(FromClient::Drop(Dropped::Unasked), FromClient::Rewrite)
    }

    /// Forwards a message that refers to nothing, if there is a server.
    fn only_live(&self) -> FromClient<T> {
        match self.stage {
            Stage::Live => FromClient::Forward,
            _ => FromClient::Drop(Dropped::Dead),
        }
    }

    fn server_asks(&mut self, id: Id<'_>, line: &[u8]) -> FromServer<T> {
        if id.is_null() {
            return FromServer::Forward(None);
        }
        if self.asked.len() >= self.limits.asked {
            return FromServer::Refuse(Refused::TooMany);
        }
        if self.generation < 2 {
            self.asked.insert(id);
            return FromServer::Forward(None);
        }
        let prefix = format!("{}.{}", self.tag, self.generation);
        let shown = self.asked.insert_renamed(id, &prefix);
        rewritten(line, id.as_str().as_bytes(), &shown)
            .map_or(FromServer::Drop(Dropped::Unasked), FromServer::Rewrite)
    }

    fn server_cancels(&mut self, params: Option<&[u8]>, line: &[u8]) -> FromServer<T> {
        let raw = params.and_then(|params| read::member(params, "requestId"));
        let shown = raw.and_then(Id::parse).and_then(|id| self.asked.cancel(id));
        if self.generation < 2 {
            return FromServer::Forward(None);
        }
        match (raw, shown) {
            (Some(raw), Some(shown)) => rewritten(line, raw, &shown)
                .map_or(FromServer::Drop(Dropped::Unasked), FromServer::Rewrite),
            // Unrenamed it could mean a request of an earlier process.
            _ => FromServer::Drop(Dropped::Unasked),
        }
    }

    fn server_acknowledges(&mut self, params: Option<&[u8]>) -> FromServer<T> {
        let Some((id, listen)) = params.and_then(|params| self.listen_of(params)) else {
            return FromServer::Forward(None);
        };
        if !std::mem::take(&mut listen.again) {
            listen.honoured = params.and_then(|p| read::member(p, "notifications")).map(Into::into);
            return FromServer::Forward(None);
        }
        // The client heard it from the first process; what it missed in between it must read anew.
        let to_client = listen_changes(&id, listen.honoured.as_deref().unwrap_or_default());
        FromServer::Ours(Flow { to_client, ..Flow::default() })
    }

    /// The `subscriptions/listen` that a notification belongs to. Some servers write its id as a
    /// string where it was a number.
    fn listen_of(&mut self, params: &[u8]) -> Option<(OwnedId, &mut Listen)> {
        let raw = read::member_at(params, &["_meta", META_SUBSCRIPTION])?;
        let text = read::string(raw);
        let bare = text.as_ref().and_then(|text| Id::parse(text.as_bytes()));
        let id = [Id::parse(raw), bare].into_iter().flatten().find(|&id| {
            let entry = self.in_flight.get_mut(id);
            entry.is_some_and(|entry| matches!(entry.track, Track::Listen(_)))
        })?;
        let entry = self.in_flight.get_mut(id)?;
        entry.sent = 1;
        match &mut entry.track {
            Track::Listen(listen) => Some((id.to_owned(), listen)),
            _ => None,
        }
    }

    fn server_answers(&mut self, id: Option<Id<'_>>, outcome: Outcome<'_>) -> FromServer<T> {
        // An error about a line that the server could not read.
        let Some(id) = id.filter(|id| !id.is_null()) else { return FromServer::Forward(None) };
        if let Some(n) = self.ours.iter().position(|(ours, _)| ours.as_id().means(id)) {
            let (_, what) = self.ours.swap_remove(n);
            return self.our_answer(what, outcome);
        }
        let Some(entry) = self.in_flight.remove(id) else {
            return FromServer::Drop(Dropped::Unasked);
        };
        self.note_answer(entry.track, entry.frame, outcome);
        FromServer::Forward(Some(Answered { operation: entry.operation, context: entry.context }))
    }

    /// Notes what an answer says of the session.
    fn note_answer(&mut self, track: Track, frame: Option<Box<[u8]>>, outcome: Outcome<'_>) {
        let Outcome::Result(result) = outcome else { return };
        match (track, frame) {
            (Track::Initialize, frame) => {
                self.era = self.era.after_answer("initialize", true);
                self.established.initialize(frame, result, &self.limits);
            }
            (Track::Discover, _) => self.era = self.era.after_answer("server/discover", true),
            (Track::LogLevel, Some(frame)) => self.established.level(frame),
            (Track::Subscribe(uri), Some(frame)) => {
                self.established.subscribe(uri, frame, &self.limits);
            }
            (Track::Unsubscribe(uri), _) => self.established.unsubscribe(&uri),
            (Track::LogLevel | Track::Subscribe(_) | Track::Listen(_) | Track::Nothing, _) => {}
        }
    }

    fn our_answer(&mut self, what: Ours, outcome: Outcome<'_>) -> FromServer<T> {
        if what == Ours::Setting {
            return FromServer::Ours(Flow::default());
        }
        let Outcome::Result(result) = outcome else {
            return FromServer::Failed(RecoveryError::HandshakeRefused);
        };
        let (was, is) = (self.established.version(), established::version(result));
        if *was != *is {
            return FromServer::Failed(RecoveryError::VersionChanged { was: was.into(), is });
        }
        let capabilities_changed = !self.established.same_capabilities(result);
        let mut to_server = Vec::from_iter(self.established.initialized_frame());
        let settings = {
            let (tag, generation, named, ours) =
                (&self.tag, self.generation, &mut self.named, &mut self.ours);
            self.established.settings(|| {
                let id = next_id(tag, generation, named);
                ours.push((id.clone(), Ours::Setting));
                id
            })
        };
        to_server.extend(settings);
        let flow = self.go_live();
        to_server.extend(flow.to_server);
        let to_client = self.established.changes();
        FromServer::Ours(Flow { to_server, to_client, capabilities_changed, ..flow })
    }

    /// Messages pass from now on: first what is sent again, then what was held.
    fn go_live(&mut self) -> Flow {
        self.stage = Stage::Live;
        let mut to_server = self.in_flight.resend();
        self.held_bytes = 0;
        for held in std::mem::take(&mut self.held) {
            let Ok(message) = read_message(&held.frame) else { continue };
            match (message, held.request) {
                (Message::Request { id, method, params }, Some((_, context))) => {
                    self.send(id, &method, params, &held.frame, context, held.resend);
                }
                (Message::Notification { method, .. }, _) => {
                    self.note_notification(&method, &held.frame);
                }
                _ => continue,
            }
            to_server.push(held.frame.into());
        }
        Flow { to_server, live: true, ..Flow::default() }
    }

    fn held_requests(&self) -> usize {
        self.held.iter().filter(|held| held.request.is_some()).count()
    }

    fn has_room(&self, line: &[u8]) -> bool {
        let fits = self.held_bytes + line.len() <= self.limits.held_bytes;
        self.held.is_empty() || fits && self.held.len() < self.limits.held
    }

    /// Holds a message; gives back the request where there is no room.
    fn hold(
        &mut self,
        line: &[u8],
        resend: Resend,
        request: Option<(OwnedId, T)>,
    ) -> Option<(OwnedId, T)> {
        if !self.has_room(line) {
            return request;
        }
        self.held_bytes += line.len();
        self.held.push_back(Held { frame: line.into(), resend, request });
        None
    }

    /// Takes out a held request.
    fn unhold(&mut self, id: Id<'_>) -> Option<T> {
        let is_it =
            |held: &Held<T>| held.request.as_ref().is_some_and(|(h, _)| h.as_id().means(id));
        let held = self.held.iter().position(is_it).and_then(|n| self.held.remove(n))?;
        self.held_bytes -= held.frame.len();
        held.request.map(|(_, context)| context)
    }

    fn our_id(&mut self, what: Ours) -> OwnedId {
        let id = next_id(&self.tag, self.generation, &mut self.named);
        self.ours.push((id.clone(), what));
        id
    }
}

/// Why a request is lost when its server dies; nothing where it will be sent again.
fn loss<T>(entry: &Entry<T>, era: Era, most: u32) -> Option<Loss> {
    // A server may die of a probe that it does not know; its client then tries the handshake.
    let probe = entry.track == Track::Discover && era == Era::Unknown;
    if probe || entry.resend && entry.sent >= most && entry.track != Track::Initialize {
        return Some(Loss::DiedOnIt);
    }
    (!entry.resend || entry.frame.is_none()).then_some(Loss::OutcomeUnknown)
}

/// What the answer to a request will change.
fn track(method: &str, params: Option<&[u8]>) -> Track {
    let uri = || params.and_then(|p| read::member(p, "uri")).and_then(read::string);
    match method {
        "initialize" => Track::Initialize,
        "server/discover" => Track::Discover,
        "logging/setLevel" => Track::LogLevel,
        "resources/subscribe" => uri().map_or(Track::Nothing, |uri| Track::Subscribe(uri.into())),
        "resources/unsubscribe" => {
            uri().map_or(Track::Nothing, |uri| Track::Unsubscribe(uri.into()))
        }
        "subscriptions/listen" => Track::Listen(Listen::default()),
        _ => Track::Nothing,
    }
}

fn operation_of(line: &[u8]) -> Operation {
    let message = read_message(line);
    catalogue::operation(message.as_ref().ok().and_then(Message::method).unwrap_or_default())
}

fn next_id(tag: &str, generation: u64, named: &mut u64) -> OwnedId {
    *named += 1;
    OwnedId::of_text(&format!("{tag}.{generation}-{named}"))
}

fn rewritten(line: &[u8], part: &[u8], id: &OwnedId) -> Option<Vec<u8>> {
    read::splice(line, part, id.as_str().as_bytes())
}

/// Tells the client that a request of a dead server's needs no answer.
fn cancellation(shown: &OwnedId) -> Vec<u8> {
    let params =
        format!("{{\"requestId\":{},\"reason\":\"the server has ended\"}}", shown.as_str());
    notification("notifications/cancelled", Some(&params))
}

/// Tells a modern client that anything it listens to may have changed.
fn listen_changes(id: &OwnedId, honoured: &[u8]) -> Vec<Vec<u8>> {
    let meta = format!("\"_meta\":{{\"{META_SUBSCRIPTION}\":{}}}", id.as_str());
    let lists =
        LIST_CHANGED.iter().filter(|(_, key, _)| read::member(honoured, key) == Some(b"true"));
    let lists = lists.map(|(_, _, method)| notification(method, Some(&format!("{{{meta}}}"))));
    let uris = read::member(honoured, "resourceSubscriptions").unwrap_or_default();
    let updated = read::elements(uris).filter_map(read::string).map(|uri| {
        let params = format!("{{{meta},\"uri\":{}}}", serde_json::Value::from(uri));
        notification("notifications/resources/updated", Some(&params))
    });
    lists.chain(updated).collect()
}

#[cfg(test)]
mod tests;
