//! What becomes of a message of the client's.

use std::{sync::Arc, time::Instant};

use defenter_mcp::{
    catalogue,
    envelope::{self, EnvelopeError, Message, Outcome},
    id::Id,
    refusal,
    sketch::Sketch,
};
use defenter_policy::{Direction, Phase};

use super::{
    core::{Core, Exchange, trim},
    decide::{Parked, let_through, malformed, new_operation, over_limit, target_of, too_many_wait},
};
use crate::{
    audit::Round,
    gate::{Came, Doubt, Operation, Refused, Ruling, Settled},
    metrics::{self, DropReason},
};

/// A request to be decided on, with what its answer needs.
struct Request<'a> {
    line: &'a [u8],
    id: Id<'a>,
    operation: Operation<'a>,
    /// How many of the client's bytes were read with it.
    acted: u64,
}

impl Core {
    /// `acted` is how many of the client's bytes were read with this line; zero where it was read
    /// by somebody else.
    pub(super) async fn from_client(
        self: &Arc<Self>,
        line: &[u8],
        acted: u64,
        round: Option<&Round>,
    ) {
        let came = Came::now(round);
        let message = match envelope::read(trim(line)) {
            Ok(message) => message,
            Err(error) => {
                came.turn().await;
                return self.client_malformed(&error, acted).await;
            }
        };
        self.figures.operation();
        match &message {
            Message::Request { id, method, params } => {
                let request = (*id, &**method, *params);
                self.client_request(line, request, acted, came).await;
            }
            Message::Notification { method, params } => {
                self.client_notification(line, method, *params, came).await;
            }
            Message::Response { id, outcome } => {
                self.client_response(line, *id, *outcome, came).await;
            }
            Message::Batch => {
                came.turn().await;
                metrics::dropped(DropReason::Malformed);
                let text = "batches are not supported; send one message a line";
                let answer = malformed(Id::NULL, refusal::INVALID_REQUEST, text);
                self.tell_client(vec![answer], acted).await;
            }
        }
    }

    async fn client_request(
        self: &Arc<Self>,
        line: &[u8],
        (id, method, params): (Id<'_>, &str, Option<&[u8]>),
        acted: u64,
        came: Came<'_>,
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
        if known.kind == catalogue::Kind::Handshake {
            let redactors = self.shared.redactors.load();
            self.parties.hear_client(operation.payload, redactors.of(&self.parties.server));
        }
        if self.talk().recovery.era().is_modern() {
            self.parties.learned.learn_answers(operation.payload);
        }
        let request = Request { line, id, operation, acted };
        let ruling = self.rule(&operation, came).await;
        match ruling {
            Ruling::Ask(doubt) => self.park_request(&request, doubt).await,
            Ruling::Settled(settled) => self.carry_request(&request, settled).await,
        }
    }

    async fn carry_request(self: &Arc<Self>, request: &Request<'_>, settled: Settled) {
        let operation = &request.operation;
        let exchange = Exchange {
            operation: operation.id.to_owned(),
            method: operation.method.into(),
            target: operation.target.map(Into::into),
            sent: Instant::now(),
            acted: request.acted,
        };
        match let_through(request.line, request.operation.payload, settled) {
            Ok(line) => self.to_server(&line, exchange).await,
            Err(refused) => {
                let form = refusal::form(&operation.known, Some(operation.payload));
                let modern = self.talk().recovery.era().is_modern();
                let line = refused.refusal(operation).answer(request.id, form, modern);
                self.tell_client(vec![line], request.acted).await;
            }
        }
    }

    async fn park_request(self: &Arc<Self>, request: &Request<'_>, doubt: Box<Doubt>) {
        let parked = Parked::of(request.line, request.id, &request.operation);
        self.client_waits(request.line, &parked.id, request.operation.method, request.acted);
        let is_parked = self.park(parked, doubt, |core, parked, settled| {
            Box::pin(async move {
                let (line, id, operation) =
                    (&parked.line[..], parked.id.as_id(), parked.operation());
                core.carry_request(&Request { line, id, operation, acted: 0 }, settled).await;
            })
        });
        if !is_parked {
            self.refuse_parking(request).await;
        }
    }

    async fn refuse_parking(self: &Arc<Self>, request: &Request<'_>) {
        let refusal = too_many_wait(&request.operation);
        let form = refusal::form(&request.operation.known, Some(request.operation.payload));
        let modern = self.talk().recovery.era().is_modern();
        self.tell_client(vec![refusal.answer(request.id, form, modern)], request.acted).await;
    }

    async fn client_notification(
        self: &Arc<Self>,
        line: &[u8],
        method: &str,
        params: Option<&[u8]>,
        came: Came<'_>,
    ) {
        let direction = Direction::ToServer;
        let passed = self.notification(direction, line, method, params, came).await;
        if let Some((operation, line)) = passed {
            let exchange = Exchange {
                operation,
                method: method.into(),
                target: None,
                sent: came.at,
                acted: 0,
            };
            self.to_server(&line, exchange).await;
        }
    }

    async fn client_response(
        self: &Arc<Self>,
        line: &[u8],
        id: Option<Id<'_>>,
        outcome: Outcome<'_>,
        came: Came<'_>,
    ) {
        let asked = id.and_then(|id| self.talk().asked.remove(&id.to_owned()));
        // The state knows best whether anybody asked; what nobody asked is dropped there.
        let (operation_id, method) = asked.map_or_else(
            || (new_operation(), "other".into()),
            |asked| (asked.operation, asked.method),
        );
        let payload = outcome.raw();
        if let Outcome::Result(result) = outcome {
            self.parties.learned.learn(&method, result);
        }
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
            sent: came.at,
            acted: 0,
        };
        let settled = match self.rule(&operation, came).await {
            // The user has just made this answer; asking again whether to send it is no question.
            Ruling::Ask(doubt) => self.shared.answered(*doubt, None).await,
            Ruling::Settled(settled) => settled,
        };
        match let_through(line, payload, settled) {
            Ok(line) => self.to_server(&line, exchange).await,
            Err(refused) => self.refuse_response(&operation, id, &refused, exchange).await,
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

    async fn client_malformed(self: &Arc<Self>, error: &EnvelopeError, acted: u64) {
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
        let answer = malformed(id, error.code(), &error.to_string());
        self.tell_client(vec![answer], acted).await;
    }

    pub(super) async fn client_too_long(
        self: &Arc<Self>,
        sketch: &Sketch,
        length: u64,
        acted: u64,
    ) {
        metrics::dropped(DropReason::Oversize);
        if let Some(id) = sketch.response() {
            let answer = over_limit(id, length, self.limits.line);
            return self.answer_server(&answer).await;
        }
        let Some(id) = sketch.request() else { return };
        self.tell_client(vec![over_limit(id, length, self.limits.line)], acted).await;
    }
}
