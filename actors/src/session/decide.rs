//! What both directions have in common: deciding on an operation, letting it wait for the user,
//! and the lines of our own.

use std::{borrow::Cow, ops::Range, sync::Arc, time::Duration};

use defenter_mcp::{
    catalogue,
    id::{Id, OwnedId},
    read,
    refusal::{Cause, Phase as RefusalPhase, Refusal},
};
use defenter_policy::{Direction, Phase};
use tokio::sync::oneshot;

use super::{Limits, core::Core};
use crate::{
    dialog::{Answer, actor::Reply},
    gate::{self, Came, Doubt, Operation, Refused, Ruling, Settled},
    metrics::{self, Direction as MetricDirection, DropReason},
    operation_id,
};

/// The refusal of an operation for which there is no place among those that wait for the user.
pub(super) fn too_many_wait<'a>(operation: &'a Operation<'_>) -> Refusal<'a> {
    metrics::dropped(DropReason::OverLimit);
    Refusal {
        operation: Some(operation.id),
        label: operation.known.text,
        phase: operation.refusal_phase(),
        cause: Cause::OverLimit(
            "too many operations wait for the user's answer (see dialog.max_pending)",
        ),
        reasons: &[],
    }
}

/// The line that a ruling lets through: the one that came, or with another payload in it.
///
/// # Errors
/// The refusal, where it lets nothing through.
pub(super) fn let_through<'a>(
    line: &'a [u8],
    payload: &[u8],
    settled: Settled,
) -> Result<Cow<'a, [u8]>, Refused> {
    match settled {
        Settled::Forward => Ok(Cow::Borrowed(line)),
        // A request without params has none that could be put in.
        Settled::Replace(new) if new == payload => Ok(Cow::Borrowed(line)),
        // A payload is always a part of its line; were it not, nothing might pass unaltered.
        Settled::Replace(new) => read::splice(line, payload, &new)
            .map(Cow::Owned)
            .ok_or_else(|| Refused::blocked("it could not be redacted".to_owned())),
        Settled::Refuse(refused) => Err(refused),
    }
}

pub(super) fn new_operation() -> String {
    operation_id::new()
}

pub(super) fn target_of(known: &catalogue::Operation, params: Option<&[u8]>) -> Option<String> {
    let value = read::member(params?, known.subject?)?;
    read::string(value).map(Cow::into_owned)
}

/// A message that waits for the user, with the operation that it is.
pub(super) struct Parked {
    pub(super) line: Vec<u8>,
    pub(super) id: OwnedId,
    operation_id: String,
    direction: Direction,
    phase: Phase,
    method: String,
    known: catalogue::Operation,
    target: Option<String>,
    /// Where in the line the payload is.
    payload: Range<usize>,
}

impl Parked {
    /// Keeps an operation of this line; its payload is a part of it, or empty.
    pub(super) fn of(line: &[u8], id: Id<'_>, operation: &Operation<'_>) -> Self {
        Self {
            line: line.to_vec(),
            id: id.to_owned(),
            operation_id: operation.id.to_owned(),
            direction: operation.direction,
            phase: operation.phase,
            method: operation.method.to_owned(),
            known: operation.known,
            target: operation.target.map(str::to_owned),
            payload: read::offset_in(line, operation.payload).unwrap_or_default(),
        }
    }

    /// The operation.
    pub(super) fn operation(&self) -> Operation<'_> {
        Operation {
            id: &self.operation_id,
            direction: self.direction,
            phase: self.phase,
            method: &self.method,
            known: self.known,
            target: self.target.as_deref(),
            payload: &self.line[self.payload.clone()],
        }
    }
}

pub(super) type Resume = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

impl Core {
    pub(super) async fn rule(
        self: &Arc<Self>,
        operation: &Operation<'_>,
        came: Came<'_>,
    ) -> Ruling {
        let Limits { payload, open, .. } = self.limits;
        let ruling =
            self.shared.rule(&self.parties, &self.metrics, operation, payload, open, came).await;
        came.turn().await;
        let direction = metric_direction(operation.direction);
        self.metrics.operation(operation.known.label, direction, ruling.metric());
        self.metrics.added(direction, came.at.elapsed());
        match ruling {
            Ruling::Ask(doubt) if !self.limits.ask => {
                Ruling::Settled(self.shared.unasked(*doubt).await)
            }
            ruling => ruling,
        }
    }

    /// What becomes of an operation about which nobody may be asked.
    pub(super) async fn settle_unasked(
        self: &Arc<Self>,
        operation: &Operation<'_>,
        came: Came<'_>,
    ) -> Settled {
        match self.rule(operation, came).await {
            Ruling::Settled(settled) => settled,
            Ruling::Ask(doubt) => {
                metrics::confirmation(Answer::Unavailable, Duration::ZERO);
                self.shared.answered(*doubt, Some(Answer::Unavailable)).await
            }
        }
    }

    /// Decides on a notification: its operation's id and the line to send, where it may pass.
    ///
    /// Nobody waits for a notification, so a refusal is silence. A cancellation of what waits for
    /// the user is obeyed here and passed on to nobody.
    pub(super) async fn notification<'a>(
        self: &Arc<Self>,
        direction: Direction,
        line: &'a [u8],
        method: &str,
        params: Option<&[u8]>,
        came: Came<'_>,
    ) -> Option<(String, Cow<'a, [u8]>)> {
        let known = catalogue::operation(method);
        if known.kind == catalogue::Kind::Cancelled {
            // What it withdraws may have come with it.
            came.turn().await;
            if self.cancel_parked(metric_direction(direction), params) {
                return None;
            }
        }
        let id = new_operation();
        let payload = params.unwrap_or_default();
        let operation = Operation {
            id: &id,
            direction,
            phase: Phase::Notification,
            method,
            known,
            target: None,
            payload,
        };
        let settled = self.settle_unasked(&operation, came).await;
        let line = let_through(line, payload, settled).ok()?;
        Some((id, line))
    }

    /// Lets an operation wait for the user, and goes on with it as the user has decided; false
    /// where too many wait already.
    pub(super) fn park(
        self: &Arc<Self>,
        parked: Parked,
        doubt: Box<Doubt>,
        resume: impl FnOnce(Arc<Self>, Parked, Settled) -> Resume + Send + 'static,
    ) -> bool {
        let Ok(place) = self.places.clone().try_acquire_owned() else { return false };
        let Some(room) = self.room_for(parked.line.len()) else { return false };
        let direction = metric_direction(parked.direction);
        let id = parked.id.clone();
        let key = gate::question_key(&self.parties.session, &parked.operation());
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
                let settled = core.shared.answered(*doubt, answer).await;
                resume(core.clone(), parked, settled).await;
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
    pub(super) fn cancel_parked(&self, direction: MetricDirection, params: Option<&[u8]>) -> bool {
        let id = params.and_then(|params| read::member(params, "requestId")).and_then(Id::parse);
        let Some(id) = id else { return false };
        let id = id.to_owned();
        let parked = self.talk().parked.remove(&(direction, id.clone()));
        let withdrawn = parked.is_some_and(|cancel| cancel.send(()).is_ok());
        if withdrawn && direction == MetricDirection::ToServer {
            self.client_withdrew(&id);
        }
        withdrawn
    }
}

fn metric_direction(direction: Direction) -> MetricDirection {
    match direction {
        Direction::ToServer => MetricDirection::ToServer,
        Direction::ToClient => MetricDirection::ToClient,
    }
}

pub(super) fn malformed(id: Id<'_>, code: i32, text: &str) -> Vec<u8> {
    Refusal {
        operation: None,
        label: catalogue::Label::Operation,
        phase: RefusalPhase::Request,
        cause: Cause::Malformed(code, text),
        reasons: &[],
    }
    .error(id)
}

pub(super) fn over_limit(id: Id<'_>, length: u64, limit: usize) -> Vec<u8> {
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

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &[u8] = b"{\"id\":1,\"params\":{\"a\":1}}\n";

    fn shown(payload: &[u8], settled: Settled) -> Option<String> {
        let line = let_through(LINE, payload, settled).ok()?;
        Some(String::from_utf8(line.into_owned()).unwrap())
    }

    fn params() -> &'static [u8] {
        read::member(LINE.trim_ascii_end(), "params").unwrap()
    }

    #[test]
    fn a_line_passes_as_it_came_or_with_its_new_payload() {
        let whole = std::str::from_utf8(LINE).unwrap();
        assert_eq!(shown(params(), Settled::Forward).as_deref(), Some(whole));
        let new = shown(params(), Settled::Replace(b"{}".to_vec())).unwrap();
        assert_eq!(new, "{\"id\":1,\"params\":{}}\n");
    }

    #[test]
    fn a_request_without_params_passes_where_they_are_to_be_redacted() {
        let whole = std::str::from_utf8(LINE).unwrap();
        assert_eq!(shown(b"", Settled::Replace(Vec::new())).as_deref(), Some(whole));
    }

    #[test]
    fn what_cannot_be_redacted_in_its_line_is_refused() {
        let elsewhere = b"{\"b\":2}".to_vec();
        let refused = let_through(LINE, &elsewhere, Settled::Replace(b"{}".to_vec()));
        assert!(matches!(refused, Err(Refused { .. })));
    }
}
