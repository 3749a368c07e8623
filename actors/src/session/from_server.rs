//! What becomes of a message of the server's.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use defenter_mcp::{
    catalogue,
    envelope::{self, EnvelopeError, Message, Outcome},
    id::{Id, OwnedId},
    recovery::{Answered, FromServer, RecoveryError, Stage},
    sketch::Sketch,
};
use defenter_policy::{Direction, Phase};

use super::{
    core::{Asked, Core, Exchange, count_dropped, trim},
    decide::{Parked, let_through, malformed, new_operation, over_limit, too_many_wait},
};
use crate::{
    audit::Round,
    gate::{Came, Doubt, Operation, Ruling, Settled},
    metrics::{self, Direction as MetricDirection, DropReason},
    server::lifecycle::Event,
};

impl Core {
    pub(super) async fn from_server(
        self: &Arc<Self>,
        line: &[u8],
        ready: &AtomicBool,
        round: Option<&Round>,
    ) -> Result<(), RecoveryError> {
        let came = Came::now(round);
        let message = match envelope::read(trim(line)) {
            Ok(message) => message,
            Err(error) => {
                came.turn().await;
                self.server_malformed(line, &error).await;
                return Ok(());
            }
        };
        self.figures.operation();
        if self.talk().recovery.stage() != Stage::Live {
            // What it sets free goes out at once, so what came before it goes first.
            came.turn().await;
        }
        let verdict = self.note_from_server(&message, line).await?;
        if matches!(message, Message::Response { .. }) && !ready.swap(true, Ordering::Relaxed) {
            self.answered();
            self.report(Event::Ready(self.id));
        }
        match verdict {
            None => {}
            Some(FromServer::Forward(answered)) => {
                self.server_message(line, &message, answered, came).await;
            }
            Some(FromServer::Rewrite(bytes)) => {
                if let Ok(message) = envelope::read(trim(&bytes)) {
                    self.server_message(&bytes, &message, None, came).await;
                }
            }
            Some(FromServer::Refuse(refused)) => {
                if let Message::Request { id, method, .. } = &message {
                    came.turn().await;
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
                        self.tell_client(flow.to_client, 0).await;
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
        came: Came<'_>,
    ) {
        match message {
            Message::Response { id, outcome } => {
                self.server_response(line, *id, *outcome, answered, came).await;
            }
            Message::Request { id, method, params } => {
                self.server_request(line, *id, method, *params, came).await;
            }
            Message::Notification { method, params } => {
                self.server_notification(line, method, *params, came).await;
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
        came: Came<'_>,
    ) {
        let exchange = answered.map(|answered| answered.context);
        if let Some(exchange) = &exchange {
            self.metrics.upstream(came.at.saturating_duration_since(exchange.sent));
        }
        let fresh = exchange.is_none().then(new_operation).unwrap_or_default();
        let (operation_id, method, target) = match &exchange {
            Some(exchange) => (&*exchange.operation, &*exchange.method, exchange.target.as_deref()),
            None => (&*fresh, "other", None),
        };
        let payload = outcome.raw();
        if let Outcome::Result(result) = outcome {
            self.parties.learned.learn(method, result);
        }
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
        match self.rule(&operation, came).await {
            Ruling::Ask(doubt) => self.park_response(line, id, &operation, doubt).await,
            Ruling::Settled(settled) => self.carry_response(line, id, &operation, settled).await,
        }
        self.moved.notify_one();
    }

    async fn carry_response(
        self: &Arc<Self>,
        line: &[u8],
        id: Id<'_>,
        operation: &Operation<'_>,
        settled: Settled,
    ) {
        match let_through(line, operation.payload, settled) {
            Ok(line) => self.forward_to_client(&line, Some(&id.to_owned())).await,
            Err(refused) => {
                let modern = self.talk().recovery.era().is_modern();
                let form = operation.known.refusal;
                let answer = refused.refusal(operation).answer(id, form, modern);
                self.to_client(&answer, Some(&id.to_owned())).await;
            }
        }
    }

    async fn park_response(
        self: &Arc<Self>,
        line: &[u8],
        id: Id<'_>,
        operation: &Operation<'_>,
        doubt: Box<Doubt>,
    ) {
        let parked = Parked::of(line, id, operation);
        let is_parked = self.park(parked, doubt, |core, parked, settled| {
            Box::pin(async move {
                let (id, operation) = (parked.id.as_id(), parked.operation());
                core.carry_response(&parked.line, id, &operation, settled).await;
            })
        });
        if !is_parked {
            let refusal = too_many_wait(operation);
            self.tell_client(vec![refusal.error(id)], 0).await;
        }
    }

    async fn server_request(
        self: &Arc<Self>,
        line: &[u8],
        id: Id<'_>,
        method: &str,
        params: Option<&[u8]>,
        came: Came<'_>,
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
        match self.rule(&operation, came).await {
            Ruling::Ask(doubt) => self.park_server_request(line, id, &operation, doubt),
            Ruling::Settled(settled) => {
                self.carry_server_request(line, id, &operation, settled).await;
            }
        }
    }

    async fn carry_server_request(
        self: &Arc<Self>,
        line: &[u8],
        id: Id<'_>,
        operation: &Operation<'_>,
        settled: Settled,
    ) {
        let line = match let_through(line, operation.payload, settled) {
            Ok(line) => line,
            Err(refused) => {
                let answer = refused.refusal(operation).error(id);
                // In a task, since the server may not be reading while it waits for us to read.
                let core = self.clone();
                return self.spawn(async move { core.answer_server(&answer).await });
            }
        };
        let asked = Asked { operation: operation.id.to_owned(), method: operation.method.into() };
        self.talk().asked.insert(id.to_owned(), asked);
        self.forward_to_client(&line, None).await;
    }

    /// Answers a request of the server's in the client's place, the way the client would have: the
    /// state knows the id that the server uses for it.
    pub(super) async fn answer_server(self: &Arc<Self>, answer: &[u8]) {
        let exchange = Exchange {
            operation: new_operation(),
            method: "other".into(),
            target: None,
            sent: Instant::now(),
            acted: 0,
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
        let parked = Parked::of(line, id, operation);
        let is_parked = self.park(parked, doubt, move |core, parked, settled| {
            Box::pin(async move {
                // The process that asked may be gone, and its successor asks for itself.
                if core.talk().recovery.generation() == generation {
                    let (id, operation) = (parked.id.as_id(), parked.operation());
                    core.carry_server_request(&parked.line, id, &operation, settled).await;
                }
            })
        });
        if !is_parked {
            let refusal = too_many_wait(operation);
            let (core, answer) = (self.clone(), refusal.error(id));
            self.spawn(async move { core.answer_server(&answer).await });
        }
    }

    async fn server_notification(
        self: &Arc<Self>,
        line: &[u8],
        method: &str,
        params: Option<&[u8]>,
        came: Came<'_>,
    ) {
        let direction = Direction::ToClient;
        let passed = self.notification(direction, line, method, params, came).await;
        if let Some((_, line)) = passed {
            self.forward_to_client(&line, None).await;
        }
    }

    async fn forward_to_client(&self, line: &[u8], answers: Option<&OwnedId>) {
        self.metrics.forwarded(MetricDirection::ToClient, line.len() as u64);
        self.to_client(line, answers).await;
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

    pub(super) async fn server_too_long(self: &Arc<Self>, sketch: &Sketch, length: u64) {
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
            self.tell_client(vec![answer(id.as_id())], 0).await;
        }
    }
}
