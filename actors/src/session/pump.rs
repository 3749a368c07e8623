//! The two pumps: each reads one side line by line and passes on what may pass.
//!
//! Order: messages of one direction leave in the order they came; one that waits for the user
//! holds up nobody else.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use defenter_mcp::{
    catalogue,
    envelope::{self, EnvelopeError, Message, Outcome},
    frame::{Frame, FrameReader},
    id::{Id, OwnedId},
    read,
    recovery::{Answered, FromServer, RecoveryError, Stage},
    refusal::{self, Cause, Phase as RefusalPhase, Refusal},
    sketch::Sketch,
};
use defenter_policy::{Direction, Phase};
use tokio::{io::AsyncRead, sync::oneshot};

use super::core::{Asked, Core, Exchange, count_dropped, trim};
use crate::{
    dialog::{Answer, actor::Reply},
    gate::{self, Doubt, Operation, Refused, Ruling},
    metrics::{self, Direction as MetricDirection, DropReason},
    server::lifecycle::Event,
};

/// The refusal of an operation for which there is no place among those that wait for the user.
const TOO_MANY_WAIT: &str =
    "too many operations wait for the user's answer (see dialog.max_pending)";

/// Why a pump has ended.
#[derive(Debug)]
pub(super) enum PumpEnd {
    /// The side it reads has closed its end.
    Closed,
    /// The session cannot go on with this server.
    Unrecoverable(RecoveryError),
}

/// Reads the client until it closes its end.
pub(super) async fn client_to_server(core: Arc<Core>, input: impl AsyncRead + Unpin) -> PumpEnd {
    let mut frames = FrameReader::with_limit(input, core.limits.line);
    loop {
        // A failing read is the end of the client's words, however it came about.
        let Ok(Some(frame)) = frames.next().await else { return PumpEnd::Closed };
        core.heard();
        match frame {
            Frame::Blank(_) => {}
            Frame::Partial(_) => metrics::dropped(DropReason::Partial),
            Frame::TooLong { sketch, length, .. } => core.client_too_long(sketch, length).await,
            Frame::Message(line) => core.from_client(line).await,
        }
    }
}

/// Reads one process of the server until it closes its end.
pub(super) async fn server_to_client(core: Arc<Core>, output: impl AsyncRead + Unpin) -> PumpEnd {
    let mut frames = FrameReader::with_limit(output, core.limits.line);
    let mut ready = false;
    loop {
        let Ok(Some(frame)) = frames.next().await else { return PumpEnd::Closed };
        core.heard();
        match frame {
            Frame::Blank(_) => {}
            Frame::Partial(bytes) => {
                metrics::dropped(DropReason::Partial);
                core.to_stderr(bytes).await;
            }
            Frame::TooLong { sketch, length, .. } => core.server_too_long(sketch, length).await,
            Frame::Message(line) => match core.from_server(line, &mut ready).await {
                Ok(()) => {}
                Err(error) => return PumpEnd::Unrecoverable(error),
            },
        }
    }
}

/// A message that may be forwarded as it came, or with another payload.
fn with_payload(line: &[u8], payload: &[u8], replacement: &[u8]) -> Option<Vec<u8>> {
    read::splice(line, payload, replacement)
}

fn new_operation() -> String {
    uuid::Uuid::now_v7().to_string()
}

fn target_of(known: &catalogue::Operation, params: Option<&[u8]>) -> Option<String> {
    let value = read::member(params?, known.subject?)?;
    read::string(value).map(std::borrow::Cow::into_owned)
}

/// A request to be decided on, with what its answer needs.
struct Request<'a> {
    line: &'a [u8],
    id: Id<'a>,
    params: &'a [u8],
    operation: Operation<'a>,
}

// === From the client ===

impl Core {
    async fn from_client(self: &Arc<Self>, line: &[u8]) {
        let started = Instant::now();
        let message = match envelope::read(trim(line)) {
            Ok(message) => message,
            Err(error) => return self.client_malformed(&error).await,
        };
        self.figures.operation();
        match &message {
            Message::Request { id, method, params } => {
                self.client_request(line, *id, method, *params, started).await;
            }
            Message::Notification { method, params } => {
                self.client_notification(line, method, *params, started).await;
            }
            Message::Response { id, outcome } => {
                self.client_response(line, *id, *outcome, started).await;
            }
            Message::Batch => {
                metrics::dropped(DropReason::Malformed);
                self.tell_client(vec![malformed(
                    Id::NULL,
                    refusal::INVALID_REQUEST,
                    "batches are not supported; send one message a line",
                )])
                .await;
            }
        }
    }

    async fn client_request(
        self: &Arc<Self>,
        line: &[u8],
        id: Id<'_>,
        method: &str,
        params: Option<&[u8]>,
        started: Instant,
    ) {
        let known = catalogue::operation(method);
        let (operation_id, target) = (new_operation(), target_of(&known, params));
        let operation = Operation {
            id: &operation_id,
            direction: Direction::ToServer,
            phase: Phase::Request,
            method,
            known,
            target: target.as_deref(),
            payload: params.unwrap_or_default(),
        };
        let request = Request { line, id, params: params.unwrap_or_default(), operation };
        let ruling = self.rule(&operation, started).await;
        match ruling {
            Ruling::Ask(doubt) => self.park_request(&request, doubt).await,
            ruling => self.carry_request(&request, ruling).await,
        }
    }

    async fn carry_request(self: &Arc<Self>, request: &Request<'_>, ruling: Ruling) {
        let operation = &request.operation;
        let exchange = Exchange {
            operation: operation.id.to_owned(),
            method: operation.method.into(),
            target: operation.target.map(Into::into),
            sent: Instant::now(),
        };
        match ruling {
            Ruling::Forward => self.to_server(request.line, exchange).await,
            Ruling::Replace(payload) => {
                if let Some(line) = with_payload(request.line, request.params, &payload) {
                    self.to_server(&line, exchange).await;
                }
            }
            Ruling::Refuse(refused) => {
                let form = refusal::form(&operation.known, Some(request.params));
                let modern = self.talk().recovery.era().is_modern();
                let line = refused.refusal(operation).answer(request.id, form, modern);
                self.tell_client(vec![line]).await;
            }
            Ruling::Ask(_) => {}
        }
    }

    async fn park_request(self: &Arc<Self>, request: &Request<'_>, doubt: Box<Doubt>) {
        let direction = MetricDirection::ToServer;
        let key = gate::question_key(&self.parties.session, &request.operation);
        let line = request.line.to_vec();
        let operation_id = request.operation.id.to_owned();
        let parked = self.park(
            direction,
            request.id.to_owned(),
            line.len(),
            key,
            doubt,
            move |core, ruling| {
                Box::pin(async move { core.resume_request(&line, &operation_id, ruling).await })
            },
        );
        if !parked {
            self.refuse_parking(request).await;
        }
    }

    async fn resume_request(self: Arc<Self>, line: &[u8], operation_id: &str, ruling: Ruling) {
        let Ok(Message::Request { id, method, params }) = envelope::read(trim(line)) else {
            return;
        };
        let known = catalogue::operation(&method);
        let target = target_of(&known, params);
        let operation = Operation {
            id: operation_id,
            direction: Direction::ToServer,
            phase: Phase::Request,
            method: &method,
            known,
            target: target.as_deref(),
            payload: params.unwrap_or_default(),
        };
        let request = Request { line, id, params: params.unwrap_or_default(), operation };
        self.carry_request(&request, ruling).await;
    }

    async fn refuse_parking(self: &Arc<Self>, request: &Request<'_>) {
        metrics::dropped(DropReason::OverLimit);
        let refusal = Refusal {
            operation: Some(request.operation.id),
            label: request.operation.known.text,
            phase: RefusalPhase::Request,
            cause: Cause::OverLimit(TOO_MANY_WAIT),
            reasons: &[],
        };
        let form = refusal::form(&request.operation.known, Some(request.params));
        let modern = self.talk().recovery.era().is_modern();
        self.tell_client(vec![refusal.answer(request.id, form, modern)]).await;
    }

    async fn client_notification(
        self: &Arc<Self>,
        line: &[u8],
        method: &str,
        params: Option<&[u8]>,
        started: Instant,
    ) {
        let known = catalogue::operation(method);
        if known.kind == catalogue::Kind::Cancelled
            && self.cancel_parked(MetricDirection::ToServer, params)
        {
            return;
        }
        let operation_id = new_operation();
        let payload = params.unwrap_or_default();
        let operation = Operation {
            id: &operation_id,
            direction: Direction::ToServer,
            phase: Phase::Notification,
            method,
            known,
            target: None,
            payload,
        };
        let exchange = Exchange {
            operation: operation_id.clone(),
            method: method.into(),
            target: None,
            sent: started,
        };
        match self.rule(&operation, started).await {
            Ruling::Forward => self.to_server(line, exchange).await,
            Ruling::Replace(new) => {
                if let Some(line) = with_payload(line, payload, &new) {
                    self.to_server(&line, exchange).await;
                }
            }
            // A notification has no answer, so a refusal is silence; the record tells.
            Ruling::Refuse(_) | Ruling::Ask(_) => {}
        }
    }

    async fn client_response(
        self: &Arc<Self>,
        line: &[u8],
        id: Option<Id<'_>>,
        outcome: Outcome<'_>,
        started: Instant,
    ) {
        let asked = id.and_then(|id| self.talk().asked.remove(&id.to_owned()));
        // The state knows best whether anybody asked; what nobody asked is dropped there.
        let (operation_id, method) = asked.map_or_else(
            || (new_operation(), "other".into()),
            |asked| (asked.operation, asked.method),
        );
        let payload = outcome.raw();
        let operation = Operation {
            id: &operation_id,
            direction: Direction::ToServer,
            phase: Phase::Result,
            method: &method,
            known: catalogue::operation(&method),
            target: None,
            payload,
        };
        let exchange = Exchange {
            operation: operation_id.clone(),
            method: method.clone(),
            target: None,
            sent: started,
        };
        match self.rule(&operation, started).await {
            Ruling::Forward => self.to_server(line, exchange).await,
            Ruling::Replace(new) => {
                if let Some(line) = with_payload(line, payload, &new) {
                    self.to_server(&line, exchange).await;
                }
            }
            Ruling::Refuse(refused) => {
                self.refuse_response(&operation, id, &refused, exchange).await;
            }
            // The user has just made this answer; asking again whether to send it is no question.
            Ruling::Ask(doubt) => {
                let ruling = self.shared.answered(*doubt, None).await;
                if let Ruling::Refuse(refused) = ruling {
                    self.refuse_response(&operation, id, &refused, exchange).await;
                }
            }
        }
    }

    async fn refuse_response(
        self: &Arc<Self>,
        operation: &Operation<'_>,
        id: Option<Id<'_>>,
        refused: &Refused,
        exchange: Exchange,
    ) {
        if let Some(id) = id {
            let line = refused.refusal(operation).error(id);
            self.to_server(&line, exchange).await;
        }
    }

    async fn client_malformed(self: &Arc<Self>, error: &EnvelopeError) {
        metrics::dropped(DropReason::Malformed);
        let sketch = error.sketch();
        if let Some(id) = sketch.response() {
            let answer = malformed(id, error.code(), &error.to_string());
            return self.answer_server(&answer).await;
        }
        // What can only be a notification gets no answer.
        if !error.is_noise() && sketch.request().is_none() && sketch.method {
            return;
        }
        let id = sketch.request().unwrap_or(Id::NULL);
        self.tell_client(vec![malformed(id, error.code(), &error.to_string())]).await;
    }

    async fn client_too_long(self: &Arc<Self>, sketch: &Sketch, length: u64) {
        metrics::dropped(DropReason::Oversize);
        if let Some(id) = sketch.response() {
            let answer = over_limit(id, length, self.limits.line);
            return self.answer_server(&answer).await;
        }
        let Some(id) = sketch.request() else { return };
        self.tell_client(vec![over_limit(id, length, self.limits.line)]).await;
    }
}

// === From the server ===

impl Core {
    async fn from_server(
        self: &Arc<Self>,
        line: &[u8],
        ready: &mut bool,
    ) -> Result<(), RecoveryError> {
        let started = Instant::now();
        let message = match envelope::read(trim(line)) {
            Ok(message) => message,
            Err(error) => {
                self.server_malformed(line, &error).await;
                return Ok(());
            }
        };
        self.figures.operation();
        let verdict = self.note_from_server(&message, line).await?;
        if matches!(message, Message::Response { .. }) && !std::mem::replace(ready, true) {
            self.answered();
            self.report(Event::Ready(self.id));
        }
        match verdict {
            None => {}
            Some(FromServer::Forward(answered)) => {
                self.server_message(line, &message, answered, started).await;
            }
            Some(FromServer::Rewrite(bytes)) => {
                if let Ok(message) = envelope::read(trim(&bytes)) {
                    self.server_message(&bytes, &message, None, started).await;
                }
            }
            Some(FromServer::Refuse(refused)) => {
                if let Message::Request { id, method, .. } = &message {
                    let label = catalogue::operation(method).text;
                    self.tell_server(refused.answer(*id, None, label)).await;
                }
            }
            Some(FromServer::Drop(dropped)) => count_dropped(dropped),
            Some(FromServer::Ours(_) | FromServer::Failed(_)) => {}
        }
        Ok(())
    }

    /// Asks the state about a message of the server's; what concerns only us is done here.
    async fn note_from_server(
        self: &Arc<Self>,
        message: &Message<'_>,
        line: &[u8],
    ) -> Result<Option<FromServer<Exchange>>, RecoveryError> {
        // While the session is being set up anew an answer may release what the client has said
        // meanwhile, and nothing later may be written before that.
        let way = match self.talk().recovery.stage() {
            Stage::Replaying => Some(self.clone()),
            _ => None,
        };
        let way = match way {
            Some(core) => Some(core.way().await),
            None => None,
        };
        let verdict = self.talk().recovery.on_server_message(message, line);
        match verdict {
            FromServer::Ours(flow) => {
                let way = match way {
                    Some(way) => way,
                    None if flow.to_server.is_empty() => {
                        self.tell_client(flow.to_client).await;
                        return Ok(None);
                    }
                    None => self.way().await,
                };
                self.carry_out(way, flow);
                Ok(None)
            }
            FromServer::Failed(error) => Err(error),
            other => Ok(Some(other)),
        }
    }

    async fn server_message(
        self: &Arc<Self>,
        line: &[u8],
        message: &Message<'_>,
        answered: Option<Answered<Exchange>>,
        started: Instant,
    ) {
        match message {
            Message::Response { id, outcome } => {
                self.server_response(line, *id, *outcome, answered, started).await;
            }
            Message::Request { id, method, params } => {
                self.server_request(line, *id, method, *params, started).await;
            }
            Message::Notification { method, params } => {
                self.server_notification(line, method, *params, started).await;
            }
            Message::Batch => metrics::dropped(DropReason::Malformed),
        }
    }

    async fn server_response(
        self: &Arc<Self>,
        line: &[u8],
        id: Option<Id<'_>>,
        outcome: Outcome<'_>,
        answered: Option<Answered<Exchange>>,
        started: Instant,
    ) {
        let exchange = answered.map(|answered| answered.context);
        if let Some(exchange) = &exchange {
            self.metrics.upstream(started.saturating_duration_since(exchange.sent));
        }
        let fresh = exchange.is_none().then(new_operation).unwrap_or_default();
        let (operation_id, method, target) = match &exchange {
            Some(exchange) => (&*exchange.operation, &*exchange.method, exchange.target.as_deref()),
            None => (&*fresh, "other", None),
        };
        let payload = outcome.raw();
        let operation = Operation {
            id: operation_id,
            direction: Direction::ToClient,
            phase: Phase::Result,
            method,
            known: catalogue::operation(method),
            target,
            payload,
        };
        let id = id.unwrap_or(Id::NULL);
        if exchange.is_some() {
            self.server_answered(&id.to_owned());
        }
        match self.rule(&operation, started).await {
            Ruling::Ask(doubt) => self.park_response(line, id, &operation, doubt).await,
            ruling => self.carry_response(line, id, &operation, ruling).await,
        }
        self.moved.notify_one();
    }

    async fn carry_response(
        self: &Arc<Self>,
        line: &[u8],
        id: Id<'_>,
        operation: &Operation<'_>,
        ruling: Ruling,
    ) {
        match ruling {
            Ruling::Forward => self.forward_to_client(line).await,
            Ruling::Replace(new) => {
                if let Some(line) = with_payload(line, operation.payload, &new) {
                    self.forward_to_client(&line).await;
                }
            }
            Ruling::Refuse(refused) => {
                let modern = self.talk().recovery.era().is_modern();
                let form = operation.known.refusal;
                let answer = refused.refusal(operation).answer(id, form, modern);
                self.to_client(&answer).await;
            }
            Ruling::Ask(_) => {}
        }
        self.client_answered(&id.to_owned(), Some(line));
    }

    async fn park_response(
        self: &Arc<Self>,
        line: &[u8],
        id: Id<'_>,
        operation: &Operation<'_>,
        doubt: Box<Doubt>,
    ) {
        let key = gate::question_key(&self.parties.session, operation);
        let (kept, method) = (line.to_vec(), operation.method.to_owned());
        let operation_id = operation.id.to_owned();
        let target = operation.target.map(str::to_owned);
        let direction = MetricDirection::ToClient;
        let parked =
            self.park(direction, id.to_owned(), kept.len(), key, doubt, move |core, ruling| {
                Box::pin(async move {
                    let Ok(Message::Response { id, outcome }) = envelope::read(trim(&kept)) else {
                        return;
                    };
                    let operation = Operation {
                        id: &operation_id,
                        direction: Direction::ToClient,
                        phase: Phase::Result,
                        method: &method,
                        known: catalogue::operation(&method),
                        target: target.as_deref(),
                        payload: outcome.raw(),
                    };
                    let id = id.unwrap_or(Id::NULL);
                    core.carry_response(&kept, id, &operation, ruling).await;
                })
            });
        if !parked {
            metrics::dropped(DropReason::OverLimit);
            let cause = Cause::OverLimit(TOO_MANY_WAIT);
            let refusal = Refusal {
                operation: Some(operation.id),
                label: operation.known.text,
                phase: RefusalPhase::Response,
                cause,
                reasons: &[],
            };
            self.tell_client(vec![refusal.error(id)]).await;
        }
    }

    async fn server_request(
        self: &Arc<Self>,
        line: &[u8],
        id: Id<'_>,
        method: &str,
        params: Option<&[u8]>,
        started: Instant,
    ) {
        let known = catalogue::operation(method);
        let operation_id = new_operation();
        let payload = params.unwrap_or_default();
        let operation = Operation {
            id: &operation_id,
            direction: Direction::ToClient,
            phase: Phase::Request,
            method,
            known,
            target: None,
            payload,
        };
        match self.rule(&operation, started).await {
            Ruling::Ask(doubt) => self.park_server_request(line, id, &operation, doubt),
            ruling => self.carry_server_request(line, id, &operation, ruling).await,
        }
    }

    async fn carry_server_request(
        self: &Arc<Self>,
        line: &[u8],
        id: Id<'_>,
        operation: &Operation<'_>,
        ruling: Ruling,
    ) {
        let new = match ruling {
            Ruling::Forward => None,
            Ruling::Replace(new) => with_payload(line, operation.payload, &new),
            Ruling::Refuse(refused) => {
                let answer = refused.refusal(operation).error(id);
                // In a task, since the server may not be reading while it waits for us to read.
                let core = self.clone();
                return self.spawn(async move { core.answer_server(&answer).await });
            }
            Ruling::Ask(_) => return,
        };
        let asked = Asked { operation: operation.id.to_owned(), method: operation.method.into() };
        self.talk().asked.insert(id.to_owned(), asked);
        self.forward_to_client(new.as_deref().unwrap_or(line)).await;
    }

    /// Answers a request of the server's in the client's place, the way the client would have: the
    /// state knows the id that the server uses for it.
    async fn answer_server(self: &Arc<Self>, answer: &[u8]) {
        let exchange = Exchange {
            operation: new_operation(),
            method: "other".into(),
            target: None,
            sent: Instant::now(),
        };
        self.to_server(answer, exchange).await;
    }

    fn park_server_request(
        self: &Arc<Self>,
        line: &[u8],
        id: Id<'_>,
        operation: &Operation<'_>,
        doubt: Box<Doubt>,
    ) {
        let generation = self.talk().recovery.generation();
        let key = gate::question_key(&self.parties.session, operation);
        let (kept, operation_id) = (line.to_vec(), operation.id.to_owned());
        let direction = MetricDirection::ToClient;
        let parked =
            self.park(direction, id.to_owned(), kept.len(), key, doubt, move |core, ruling| {
                Box::pin(async move {
                    // The process that asked may be gone, and its successor asks for itself.
                    if core.talk().recovery.generation() != generation {
                        return;
                    }
                    let Ok(Message::Request { id, method, params }) = envelope::read(trim(&kept))
                    else {
                        return;
                    };
                    let operation = Operation {
                        id: &operation_id,
                        direction: Direction::ToClient,
                        phase: Phase::Request,
                        method: &method,
                        known: catalogue::operation(&method),
                        target: None,
                        payload: params.unwrap_or_default(),
                    };
                    core.carry_server_request(&kept, id, &operation, ruling).await;
                })
            });
        if !parked {
            metrics::dropped(DropReason::OverLimit);
            let refusal = Refusal {
                operation: Some(operation.id),
                label: operation.known.text,
                phase: RefusalPhase::Request,
                cause: Cause::OverLimit(TOO_MANY_WAIT),
                reasons: &[],
            };
            let (core, answer) = (self.clone(), refusal.error(id));
            self.spawn(async move { core.answer_server(&answer).await });
        }
    }

    async fn server_notification(
        self: &Arc<Self>,
        line: &[u8],
        method: &str,
        params: Option<&[u8]>,
        started: Instant,
    ) {
        let known = catalogue::operation(method);
        if known.kind == catalogue::Kind::Cancelled
            && self.cancel_parked(MetricDirection::ToClient, params)
        {
            return;
        }
        let operation_id = new_operation();
        let payload = params.unwrap_or_default();
        let operation = Operation {
            id: &operation_id,
            direction: Direction::ToClient,
            phase: Phase::Notification,
            method,
            known,
            target: None,
            payload,
        };
        match self.rule(&operation, started).await {
            Ruling::Forward => self.forward_to_client(line).await,
            Ruling::Replace(new) => {
                if let Some(line) = with_payload(line, payload, &new) {
                    self.forward_to_client(&line).await;
                }
            }
            Ruling::Refuse(_) | Ruling::Ask(_) => {}
        }
    }

    async fn forward_to_client(&self, line: &[u8]) {
        self.metrics.forwarded(MetricDirection::ToClient, line.len() as u64);
        self.to_client(line).await;
    }

    async fn server_malformed(self: &Arc<Self>, line: &[u8], error: &EnvelopeError) {
        if error.is_noise() {
            metrics::dropped(DropReason::Noise);
            return self.to_stderr(line).await;
        }
        metrics::dropped(DropReason::Malformed);
        tracing::warn!(server = %self.parties.server, %error, "a message of the server was refused");
        let answer = |id: Id<'_>| malformed(id, error.code(), &error.to_string());
        self.answer_for(error.sketch(), answer).await;
    }

    async fn server_too_long(self: &Arc<Self>, sketch: &Sketch, length: u64) {
        metrics::dropped(DropReason::Oversize);
        tracing::warn!(server = %self.parties.server, length, "a message of the server is over the limit");
        self.answer_for(sketch, |id| over_limit(id, length, self.limits.line)).await;
    }

    /// Takes a request of the client's for answered; false where there is none.
    fn settle_request(&self, id: Id<'_>) -> bool {
        self.talk().recovery.settle(id).is_some()
    }

    /// Answers whoever waits on a message of the server's that cannot be passed on.
    async fn answer_for(self: &Arc<Self>, sketch: &Sketch, answer: impl Fn(Id<'_>) -> Vec<u8>) {
        if let Some(id) = sketch.request() {
            return self.tell_server(answer(id)).await;
        }
        if let Some(id) = sketch.id.as_ref().filter(|_| sketch.outcome)
            && self.settle_request(id.as_id())
        {
            self.tell_client(vec![answer(id.as_id())]).await;
            self.client_answered(id, None);
        }
    }
}

// === Both ways ===

type Resume = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

impl Core {
    async fn rule(self: &Arc<Self>, operation: &Operation<'_>, started: Instant) -> Ruling {
        let ruling = self
            .shared
            .rule(&self.parties, &self.metrics, operation, self.limits.payload, self.limits.open)
            .await;
        let direction = metric_direction(operation.direction);
        self.metrics.operation(operation.known.label, direction, ruling.metric());
        self.metrics.added(direction, started.elapsed());
        match ruling {
            Ruling::Ask(doubt) if !self.limits.ask => self.unasked(*doubt).await,
            ruling => ruling,
        }
    }

    /// What becomes of an operation when the user is not to be asked.
    async fn unasked(&self, doubt: Doubt) -> Ruling {
        metrics::confirmation(Answer::Unavailable, Duration::ZERO);
        self.shared.answered(doubt, Some(Answer::Unavailable)).await
    }

    /// Lets an operation wait for the user; false where too many wait already.
    fn park(
        self: &Arc<Self>,
        direction: MetricDirection,
        id: OwnedId,
        bytes: usize,
        key: crate::dialog::Key,
        doubt: Box<Doubt>,
        resume: impl FnOnce(Arc<Self>, Ruling) -> Resume + Send + 'static,
    ) -> bool {
        let Ok(place) = self.places.clone().try_acquire_owned() else { return false };
        let Some(room) = self.room_for(bytes) else { return false };
        let (cancel, cancelled) = oneshot::channel();
        self.talk().parked.insert((direction, id.clone()), cancel);
        let core = self.clone();
        let depth = metrics::QueueDepth::of(metrics::Queue::Parked);
        self.spawn(async move {
            let in_queue = depth.occupy();
            let environment = core.parties.environment.clone();
            let question = doubt.question.clone();
            let asking = core.shared.dialog.ask(key, question, environment, core.limits.hold);
            let answer = tokio::select! {
                biased;
                _ = cancelled => None,
                reply = asking => Some(reply),
            };
            drop((in_queue, place, room));
            if let Some(reply) = answer {
                let answer = match reply {
                    Reply::Answered(answer) => Some(answer),
                    Reply::StillOpen => None,
                };
                let ruling = core.shared.answered(*doubt, answer).await;
                resume(core.clone(), ruling).await;
            } else {
                core.shared.withdrawn(*doubt).await;
            }
            // Only now, so that the session is not taken for idle before the request is sent.
            core.talk().parked.remove(&(direction, id));
            core.moved.notify_one();
        });
        true
    }

    /// Withdraws a request that waits for the user; false where none of this id does.
    fn cancel_parked(&self, direction: MetricDirection, params: Option<&[u8]>) -> bool {
        let id = params.and_then(|params| read::member(params, "requestId")).and_then(Id::parse);
        let Some(id) = id else { return false };
        let parked = self.talk().parked.remove(&(direction, id.to_owned()));
        parked.is_some_and(|cancel| cancel.send(()).is_ok())
    }
}

fn metric_direction(direction: Direction) -> MetricDirection {
    match direction {
        Direction::ToServer => MetricDirection::ToServer,
        Direction::ToClient => MetricDirection::ToClient,
    }
}

fn malformed(id: Id<'_>, code: i32, text: &str) -> Vec<u8> {
    Refusal {
        operation: None,
        label: catalogue::Label::Operation,
        phase: RefusalPhase::Request,
        cause: Cause::Malformed(code, text),
        reasons: &[],
    }
    .error(id)
}

fn over_limit(id: Id<'_>, length: u64, limit: usize) -> Vec<u8> {
    let text = format!(
        "a message of {length} bytes is over the limit of {limit} bytes (proxy.max_line_bytes)"
    );
    Refusal {
        operation: None,
        label: catalogue::Label::Operation,
        phase: RefusalPhase::Request,
        cause: Cause::OverLimit(&text),
        reasons: &[],
    }
    .error(id)
}
