//! What the tasks of one session share: the state of its exchanges, and the two ways out.
//!
//! Owns: the client's standard output, the running server's standard input, and everything that is
//! in flight or waits for the user.
//! Promises: whoever sends to the server first takes the way to it, then asks the state what to
//! do, then writes, so that the order of writing is the order of deciding. Neither way ever waits
//! for the other.

use std::{
    collections::HashMap,
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use defenter_mcp::{
    catalogue,
    envelope::{self, Message},
    id::OwnedId,
    kept::{Inbox, KeptInput, Opened},
    recovery::{self, Dropped, Flow, FromClient, Recovery, Resend, Stage},
    refusal::{Cause, Phase as RefusalPhase, Refusal},
    stdio::{ErrorStream, Stream},
};
use tokio::{
    io::AsyncWriteExt,
    process::ChildStdin,
    sync::{
        Mutex as AsyncMutex, Notify, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore, oneshot,
        watch,
    },
    task::JoinSet,
};

use super::{
    Figures, Limits, SessionId,
    journal::{Earlier, Journal},
    undelivered::Written,
    unsent::Unsent,
};
use crate::{
    gate::Parties,
    metrics::{self, Direction as MetricDirection, DropReason, SessionMetrics},
    operation_id,
    server::{StderrTail, lifecycle::Event},
    shared::Shared,
};

/// The way to the running process, if there is one.
pub(super) type WayGuard = OwnedMutexGuard<Option<ChildStdin>>;

/// Bytes that one permit of [`Core::room`] stands for.
const PARKED_UNIT: usize = 1 << 10;
/// Room for 16 MiB of messages that wait for the user; one message of any size always fits.
const PARKED_UNITS: usize = 16 << 10;
/// Answers of our own that may wait to be written.
const TURNS: usize = 64;

/// A request of the client's between its decision and its answer.
#[derive(Debug)]
pub(super) struct Exchange {
    /// The operation's id in records.
    pub(super) operation: String,
    pub(super) method: Box<str>,
    pub(super) target: Option<Box<str>>,
    pub(super) sent: Instant,
    /// How many of the client's bytes were read when it was; zero where that was noted before.
    pub(super) acted: u64,
}

impl Exchange {
    /// The exchange of a request that another process had let through and recorded.
    fn taken_over(method: &str) -> Self {
        Self {
            operation: operation_id::new(),
            method: method.into(),
            target: None,
            sent: Instant::now(),
            acted: 0,
        }
    }
}

/// A request of the server's that the client has not answered.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) operation: String,
    pub(super) method: Box<str>,
}

/// What both directions know of each other.
pub(super) struct Talk {
    pub(super) recovery: Recovery<Exchange>,
    /// By the id that the client sees; bounded by the recovery's own limit.
    pub(super) asked: HashMap<OwnedId, Asked>,
    /// Requests that wait for the user, by the id that their asker uses.
    pub(super) parked: HashMap<(MetricDirection, OwnedId), oneshot::Sender<()>>,
}

/// See the module.
pub(super) struct Core {
    pub(super) id: SessionId,
    pub(super) parties: Arc<Parties>,
    pub(super) shared: Arc<Shared>,
    pub(super) limits: Limits,
    pub(super) metrics: SessionMetrics,
    pub(super) figures: Arc<Figures>,
    pub(super) stderr: Arc<StderrTail>,
    pub(super) error: ErrorStream,
    pub(super) places: Arc<Semaphore>,
    /// Room for what waits for the user, in units of [`PARKED_UNIT`] bytes.
    pub(super) room: Arc<Semaphore>,
    pub(super) turns: Arc<Semaphore>,
    report: Box<dyn Fn(Event) + Send + Sync>,
    talk: Mutex<Talk>,
    way: Arc<AsyncMutex<Option<ChildStdin>>>,
    /// What the running process was given; changed by whoever holds the way, and by answers.
    written: Mutex<Written>,
    pub(super) journal: Journal,
    /// What the client is told where nothing outlives us.
    pub(super) unsent: Unsent,
    pub(super) output: AsyncMutex<Option<Stream>>,
    tasks: Mutex<JoinSet<()>>,
    /// Why no server runs, while the session is held.
    held: Mutex<Option<Arc<str>>>,
    answered: AtomicBool,
    /// What the process that served the session before us has left behind.
    earlier: Mutex<Option<recovery::Gone<Exchange>>>,
    /// The requests of it that waited for the user.
    again: Mutex<Vec<Vec<u8>>>,
    /// What the client says, until it is read.
    inbox: Mutex<Option<Inbox>>,
    heard: AtomicU64,
    /// When the server was last heard, in the same measure.
    server_heard: AtomicU64,
    epoch: Instant,
    /// Somebody waits for a server.
    pub(super) wanted: Notify,
    /// An exchange was settled, or the stage changed.
    pub(super) moved: Notify,
    /// The client does not read any more.
    pub(super) lost: Notify,
    /// What the client is told is handed over by the pump that reads the server.
    pub(super) held_back: AtomicBool,
    /// Whether the client's words are no longer ours to read.
    parted: watch::Sender<bool>,
}

/// What a core is made of.
pub(super) struct Parts {
    pub(super) id: SessionId,
    pub(super) parties: Arc<Parties>,
    pub(super) shared: Arc<Shared>,
    pub(super) limits: Limits,
    pub(super) figures: Arc<Figures>,
    pub(super) stderr: Arc<StderrTail>,
    pub(super) output: Stream,
    pub(super) error: ErrorStream,
    pub(super) kept: Option<Opened>,
    pub(super) report: Box<dyn Fn(Event) + Send + Sync>,
}

/// A write to the server that did not succeed.
enum Failed {
    /// Not a byte was taken.
    Untouched,
    /// The server went away in the middle; what became of it is settled with its end.
    Torn,
}

impl Core {
    /// # Errors
    /// When what the one before us has left cannot be read.
    pub(super) fn new(parts: Parts) -> io::Result<Self> {
        let Parts { id, parties, shared, limits, figures, stderr, output, error, kept, report } =
            parts;
        let tag = uuid::Uuid::new_v4().simple().to_string();
        let mut recovery = Recovery::new(&format!("defenter-{tag}"), recovery::Limits::default());
        let (journal, Earlier { said, again }, inbox) = match kept {
            Some(kept) => {
                let (journal, earlier, inbox) = Journal::open(kept)?;
                (journal, earlier, Some(inbox))
            }
            None => (Journal::none(), Earlier::default(), None),
        };
        let resumed = !said.is_empty();
        let earlier = resumed.then(|| resume(&mut recovery, &said));
        Ok(Self {
            metrics: SessionMetrics::new(&parties.server, &parties.client),
            talk: Mutex::new(Talk { recovery, asked: HashMap::new(), parked: HashMap::new() }),
            way: Arc::default(),
            written: Mutex::default(),
            journal,
            unsent: Unsent::default(),
            output: AsyncMutex::new(Some(output)),
            tasks: Mutex::default(),
            held: Mutex::default(),
            answered: AtomicBool::new(resumed),
            earlier: Mutex::new(earlier),
            again: Mutex::new(again),
            inbox: Mutex::new(inbox),
            heard: AtomicU64::new(0),
            server_heard: AtomicU64::new(0),
            epoch: Instant::now(),
            places: Arc::new(Semaphore::new(limits.parked)),
            room: Arc::new(Semaphore::new(PARKED_UNITS)),
            turns: Arc::new(Semaphore::new(TURNS)),
            wanted: Notify::new(),
            moved: Notify::new(),
            lost: Notify::new(),
            held_back: AtomicBool::new(false),
            parted: watch::Sender::new(false),
            id,
            parties,
            shared,
            limits,
            figures,
            stderr,
            error,
            report,
        })
    }

    pub(super) fn talk(&self) -> MutexGuard<'_, Talk> {
        self.talk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn report(&self, event: Event) {
        (self.report)(event);
    }

    /// Runs a task that ends with the session.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }

    /// Ends all tasks of the session that wait for something.
    pub(super) fn close(&self) {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }

    // === Towards the server ===

    /// The way to the server; whoever holds it is the only one to write.
    pub(super) async fn way(&self) -> WayGuard {
        self.way.clone().lock_owned().await
    }

    /// Closes the running server's standard input. A write under way ends with the server.
    pub(super) async fn close_input(&self) {
        self.way().await.take();
    }

    /// Closes the running server's standard input unless a write is under way.
    pub(super) fn close_input_now(&self) {
        if let Ok(mut way) = self.way.try_lock() {
            way.take();
        }
    }

    /// Hands a message of the client's over, or keeps it until there is a server.
    pub(super) async fn to_server(self: &Arc<Self>, line: &[u8], exchange: Exchange) {
        let Ok(message) = envelope::read(trim(line)) else { return };
        let mut exchange = exchange;
        let acted = exchange.acted;
        loop {
            let mut way = self.way().await;
            let (verdict, generation) = {
                let recovery = &mut self.talk().recovery;
                let verdict =
                    recovery.on_client_message(&message, line, exchange, Resend::AsCatalogued);
                (verdict, recovery.generation())
            };
            let failed = match verdict {
                FromClient::Forward => {
                    self.journal.sent(line, &message, acted);
                    self.write(&mut way, line, only_ours(&message)).await.err()
                }
                FromClient::Rewrite(bytes) => self.write(&mut way, &bytes, None).await.err(),
                FromClient::Held => {
                    self.journal.sent(line, &message, acted);
                    return self.wanted.notify_one();
                }
                FromClient::Full(back) => {
                    drop(way);
                    exchange = back;
                    self.room().await;
                    continue;
                }
                FromClient::Cancelled(_) => return self.moved.notify_one(),
                FromClient::Refuse(refused, exchange) => {
                    drop(way);
                    return self.refuse_late(&message, refused, &exchange).await;
                }
                FromClient::Drop(dropped) => return count_dropped(dropped),
            };
            drop(way);
            match (failed, message.id()) {
                (Some(Failed::Untouched), Some(id))
                    if matches!(message, Message::Request { .. }) =>
                {
                    // The process had gone before it could take the request, so the next may.
                    let Some(back) = self.talk().recovery.settle(id) else { return };
                    self.journal.withdrawn(&id.to_owned());
                    exchange = back;
                    self.next_server(generation).await;
                }
                _ => return,
            }
        }
    }

    /// Waits until a message of the client's can be taken.
    async fn room(&self) {
        self.wanted.notify_one();
        loop {
            let moved = self.moved.notified();
            {
                let recovery = &self.talk().recovery;
                let waits = matches!(recovery.stage(), Stage::Down | Stage::Replaying);
                if !waits || recovery.held() == 0 {
                    return;
                }
            }
            moved.await;
        }
    }

    /// Waits until another process than that of this generation may serve.
    async fn next_server(&self, generation: u64) {
        self.wanted.notify_one();
        loop {
            let moved = self.moved.notified();
            {
                let recovery = &self.talk().recovery;
                let live_again =
                    recovery.stage() == Stage::Live && recovery.generation() != generation;
                if live_again || recovery.stage() != Stage::Live && recovery.held() == 0 {
                    return;
                }
            }
            moved.await;
        }
    }

    async fn refuse_late(
        self: &Arc<Self>,
        message: &Message<'_>,
        refused: recovery::Refused,
        exchange: &Exchange,
    ) {
        let Message::Request { id, .. } = message else { return };
        let label = catalogue::operation(&exchange.method).text;
        let line = match (refused, self.held_reason()) {
            (recovery::Refused::NoServer, Some(reason)) => Refusal {
                operation: Some(&exchange.operation),
                label,
                phase: RefusalPhase::Request,
                cause: Cause::Unavailable(&reason),
                reasons: &[],
            }
            .error(*id),
            _ => {
                metrics::dropped(DropReason::OverLimit);
                refused.answer(*id, Some(&exchange.operation), label)
            }
        };
        self.tell_client(vec![line], exchange.acted).await;
    }

    /// Writes a line that is not subject to the state, such as an answer of our own to a request
    /// of the server's.
    pub(super) async fn tell_server(self: &Arc<Self>, line: Vec<u8>) {
        let lines = [line];
        let Some(turn) = self.turn(&lines).await else { return };
        let core = self.clone();
        self.spawn(async move {
            let mut way = core.way().await;
            for line in lines {
                let _ = core.write(&mut way, &line, None).await;
            }
            drop(turn);
        });
    }

    async fn write(
        &self,
        way: &mut WayGuard,
        line: &[u8],
        request: Option<OwnedId>,
    ) -> Result<(), Failed> {
        let Some(input) = way.as_mut() else { return Err(Failed::Untouched) };
        let noted = request.clone();
        self.written().line(line, request);
        let result = write(input, line).await;
        match &result {
            Ok(()) => self.metrics.forwarded(MetricDirection::ToServer, line.len() as u64),
            Err(Failed::Untouched) => self.written().taken_back(line, noted.as_ref()),
            Err(Failed::Torn) => {}
        }
        result
    }

    /// Carries out what the state wants to be sent. The way is held until all of it is written,
    /// by a task of its own: a server that does not read must not keep us from reading it.
    pub(super) fn carry_out(self: &Arc<Self>, mut way: WayGuard, flow: Flow) {
        if flow.capabilities_changed {
            tracing::warn!(session = %self.parties.session, server = %self.parties.server, "the restarted server's capabilities differ from the first one's");
        }
        // Two tasks, since neither side may wait for the other.
        let core = self.clone();
        self.spawn(async move {
            for line in flow.to_client {
                core.to_client_any(&line).await;
            }
        });
        let core = self.clone();
        self.spawn(async move {
            for line in flow.to_server {
                let request = envelope::read(trim(&line)).ok().and_then(|m| only_ours(&m));
                if core.write(&mut way, &line, request).await.is_err() {
                    break;
                }
            }
            drop(way);
            core.moved.notify_waiters();
        });
    }

    /// A process has started; whether the session can go on with it.
    pub(super) async fn server_started(
        self: &Arc<Self>,
        input: ChildStdin,
    ) -> Result<u64, recovery::RecoveryError> {
        let mut way = self.way().await;
        let (flow, generation) = {
            let recovery = &mut self.talk().recovery;
            (recovery.on_server_started()?, recovery.generation())
        };
        *way = Some(input);
        *self.written() = Written::default();
        self.held.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.carry_out(way, flow);
        Ok(generation)
    }

    /// The process has ended and its output was read to the end: answers what it leaves behind.
    ///
    /// What the process has certainly not seen goes to the next one instead.
    pub(super) async fn server_gone(self: &Arc<Self>) {
        // Whoever is writing finds the process gone, so the way is free soon.
        let mut way = self.way().await;
        let unread = way.take().map_or(0, |input| unread(&input));
        let unseen = self.written().unseen(unread);
        let (gone, again) = {
            let recovery = &mut self.talk().recovery;
            let mut again = Vec::new();
            for (id, line) in unseen {
                if let Some(exchange) = recovery.settle(id.as_id()) {
                    // It is noted again when it is sent again.
                    self.journal.withdrawn(&id);
                    again.push((line, exchange));
                }
            }
            (recovery.on_server_gone(), again)
        };
        drop(way);
        self.settle(gone).await;
        // What the pump of the process held back when it was ended.
        let core = self.clone();
        self.spawn(async move { core.hand_over().await });
        let core = self.clone();
        self.spawn(async move {
            for (line, exchange) in again {
                core.to_server(&line, exchange).await;
            }
        });
    }

    /// No process will come until somebody asks for one: answers what waits.
    pub(super) async fn hold(self: &Arc<Self>, reason: Arc<str>) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
        let gone = self.talk().recovery.give_up();
        self.settle(gone).await;
    }

    async fn settle(self: &Arc<Self>, gone: recovery::Gone<Exchange>) {
        self.talk().asked.clear();
        for line in &gone.to_client {
            self.to_client_any(line).await;
        }
        for lost in &gone.lost {
            let operation = &lost.context.operation;
            self.shared.record_lost(&self.parties, operation, &lost.context.method, lost.why).await;
            self.to_client(&lost.answer(Some(operation)), Some(&lost.id)).await;
        }
        self.moved.notify_waiters();
        self.moved.notify_one();
    }

    /// Answers what another supervisor has left unanswered, and brings the client what it has left
    /// unsent.
    pub(super) async fn settle_earlier(self: &Arc<Self>) {
        self.hand_over().await;
        let earlier = self.earlier.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(gone) = earlier {
            self.settle(gone).await;
        }
    }

    fn held_reason(&self) -> Option<Arc<str>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads no more of the client, whose words go on elsewhere.
    pub(super) fn end_reading(&self) {
        self.parted.send_replace(true);
    }

    /// Resolves when the client is no longer to be read.
    pub(super) async fn reading_ends(&self) {
        // The sender lives in `self`, so it cannot be gone.
        let _ = self.parted.subscribe().wait_for(|parted| *parted).await;
    }

    // === State ===

    /// The server has answered a request of the client's, so no other process may get it.
    pub(super) fn server_answered(&self, id: &OwnedId) {
        self.written().answered(id);
    }

    /// A request of the client's waits for the user from here on.
    pub(super) fn client_waits(&self, line: &[u8], id: &OwnedId, method: &str, acted: u64) {
        self.journal.waits(line, id, method, acted);
    }

    /// A request of the client's that waited for the user was withdrawn.
    pub(super) fn client_withdrew(&self, id: &OwnedId) {
        self.journal.withdrawn(id);
    }

    /// The client's input, read by way of what outlives us where there is that.
    ///
    /// # Errors
    /// When what was read before cannot be had.
    pub(super) fn input(&self, stream: Stream) -> io::Result<KeptInput> {
        let inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner).take();
        KeptInput::new(stream, inbox)
    }

    /// How many of the client's bytes were acted on before they were ours to read.
    pub(super) fn position(&self) -> u64 {
        self.journal.position()
    }

    /// Everything that the client has said up to here was acted on.
    pub(super) fn acted(&self, position: u64) {
        self.journal.acted(position);
    }

    /// The requests that waited for the user when whoever served the session before us ended.
    pub(super) fn take_again(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.again.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server said something that the client waits for; the first time is its readiness.
    pub(super) fn answered(&self) {
        self.answered.store(true, Ordering::Relaxed);
    }

    /// Whether any server of this session ever answered.
    pub(super) fn was_answered(&self) -> bool {
        self.answered.load(Ordering::Relaxed)
    }

    pub(super) fn heard(&self) {
        let now = u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.heard.store(now, Ordering::Relaxed);
    }

    /// The server has said something.
    pub(super) fn server_heard(&self) {
        self.heard();
        self.server_heard.store(self.heard.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// How long the server has owed an answer and said nothing, where that is longer than it may.
    pub(super) fn unresponsive(&self) -> Option<Duration> {
        let owed = self.talk().recovery.due()?.sent.elapsed();
        let heard = Duration::from_millis(self.server_heard.load(Ordering::Relaxed));
        let silent = self.epoch.elapsed().saturating_sub(heard).min(owed);
        (silent >= self.limits.unresponsive_after).then_some(silent)
    }

    /// How long neither side has said anything.
    pub(super) fn silence(&self) -> Duration {
        let heard = Duration::from_millis(self.heard.load(Ordering::Relaxed));
        self.epoch.elapsed().saturating_sub(heard)
    }

    /// Whether nothing is in flight, held or waiting for the user.
    pub(super) fn is_idle(&self) -> bool {
        let talk = self.talk();
        let told = self.turns.available_permits() == TURNS;
        told && talk.recovery.waiting() == 0 && talk.recovery.held() == 0 && talk.parked.is_empty()
    }
}

async fn write(input: &mut ChildStdin, line: &[u8]) -> Result<(), Failed> {
    let first = loop {
        match input.write(line).await {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => return Err(Failed::Untouched),
            Ok(count) => break count,
        }
    };
    input.write_all(&line[first..]).await.map_err(|_| Failed::Torn)?;
    input.flush().await.map_err(|_| Failed::Torn)
}

/// A request that is given to another process only where it is certain that the first has not
/// seen it; the others are kept by the state itself.
fn only_ours(message: &Message<'_>) -> Option<OwnedId> {
    match message {
        Message::Request { id, method, .. } if !catalogue::operation(method).safe_to_resend => {
            Some((*id).to_owned())
        }
        _ => None,
    }
}

/// How much of what was written to a dead process it has left unread.
#[cfg(target_os = "linux")]
fn unread(input: &ChildStdin) -> u64 {
    // Linux answers at either end of a pipe (pipe(7), FIONREAD).
    rustix::io::ioctl_fionread(input).unwrap_or(0)
}

/// Elsewhere the writing end is not told, so everything counts as seen.
#[cfg(not(target_os = "linux"))]
fn unread(_input: &ChildStdin) -> u64 {
    0
}

/// Brings the state to where another process has left it.
fn resume(
    recovery: &mut Recovery<Exchange>,
    earlier: &[(bool, Vec<u8>)],
) -> recovery::Gone<Exchange> {
    let _ = recovery.on_server_started();
    for (client, line) in earlier {
        let Ok(message) = envelope::read(trim(line)) else { continue };
        if *client {
            let exchange = Exchange::taken_over(message.method().unwrap_or_default());
            let _ = recovery.on_client_message(&message, line, exchange, Resend::AsCatalogued);
        } else {
            let _ = recovery.on_server_message(&message, line);
        }
    }
    recovery.on_server_gone()
}

impl Core {
    /// Room for a message that waits for the user; none where too much waits already.
    pub(super) fn room_for(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let units = bytes.div_ceil(PARKED_UNIT).clamp(1, PARKED_UNITS);
        self.room.clone().try_acquire_many_owned(u32::try_from(units).ok()?).ok()
    }
}

pub(super) fn count_dropped(dropped: Dropped) {
    match dropped {
        Dropped::Unasked => metrics::dropped(DropReason::Unmatched),
        Dropped::Dead => metrics::dropped(DropReason::Event),
    }
}

/// A line without what surrounds its message.
pub(super) fn trim(line: &[u8]) -> &[u8] {
    defenter_mcp::frame::Frame::Message(line).body()
}
