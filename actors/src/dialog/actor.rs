//! The Dialog actor: asks the user, one question at a time.
//!
//! - Owns: the [`Desk`] and the helper process of the question that is shown.
//! - Accepts: [`DialogMsg`], at most as many as requests may be parked.
//! - Emits: an [`Answer`] to each who waits.
//! - Dies when: its supervisor drains it; open questions are then refused, and their window closed.
//! - Restarts: with an empty desk; who waited sees its question refused.

use std::{ffi::OsString, time::Duration};

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::{sync::oneshot, task::JoinHandle, time::Instant};

use super::{Answer, Asked, Desk, Effect, Helper, Key, Question, Shown};
use crate::{metrics, slot::Slot};

/// Who waits for an answer.
pub(crate) type Waiter = oneshot::Sender<Answer>;

/// What the actor is told.
pub(crate) enum DialogMsg {
    /// Ask this.
    Ask(Box<Asked<Waiter>>),
    /// Whoever asked this no longer wants to know.
    Withdraw(Key),
    /// The helper's answer.
    Answered(Key, Answer),
}

/// See the module.
pub(crate) struct Dialog;

pub(crate) struct State {
    desk: Desk<Waiter>,
    helper: Helper,
    shown: Option<AbortOnDrop>,
    epoch: Instant,
    depth: metrics::QueueDepth,
}

/// A task that ends with its owner, and with it the helper's process group.
struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Actor for Dialog {
    type Msg = DialogMsg;
    type State = State;
    type Arguments = Helper;

    async fn pre_start(
        &self,
        _myself: ActorRef<DialogMsg>,
        helper: Helper,
    ) -> Result<State, ActorProcessingErr> {
        let desk = Desk::new(|waiter: &Waiter| !waiter.is_closed());
        let depth = metrics::QueueDepth::of(metrics::Queue::Questions);
        Ok(State { desk, helper, shown: None, epoch: Instant::now(), depth })
    }

    async fn handle(
        &self,
        myself: ActorRef<DialogMsg>,
        message: DialogMsg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let now = state.epoch.elapsed();
        let effects = match message {
            DialogMsg::Ask(asked) => state.desk.ask(*asked, now),
            DialogMsg::Withdraw(key) => state.desk.withdraw(key, now),
            DialogMsg::Answered(key, answer) => state.desk.answered(key, answer, now),
        };
        for effect in effects {
            state.apply(&myself, effect);
        }
        state.depth.set(u32::try_from(state.desk.len()).unwrap_or(u32::MAX));
        Ok(())
    }
}

impl State {
    fn apply(&mut self, myself: &ActorRef<DialogMsg>, effect: Effect<Waiter>) {
        match effect {
            Effect::Show(shown) => {
                let Shown { key, question, environment } = *shown;
                let helper = self.helper.clone().with_environment(environment);
                let myself = myself.clone();
                self.shown = Some(AbortOnDrop(tokio::spawn(async move {
                    let answer = helper.ask(&question).await;
                    let _ = myself.cast(DialogMsg::Answered(key, answer));
                })));
            }
            Effect::Close => self.shown = None,
            Effect::Tell { waiters, answer, open } => {
                metrics::confirmation(answer, open);
                for waiter in waiters {
                    let _ = waiter.send(answer);
                }
            }
        }
    }
}

/// How sessions ask.
#[derive(Clone)]
pub(crate) struct DialogHandle(Slot<DialogMsg>);

/// What came of a question within the time that a request may be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// Somebody or something answered.
    Answered(Answer),
    /// The question is still open; a late yes will pass the retry.
    StillOpen,
}

/// Takes the question back unless it was answered or may stay open.
struct Withdraw<'a> {
    slot: &'a Slot<DialogMsg>,
    key: Option<Key>,
}

impl Drop for Withdraw<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.slot.cast(DialogMsg::Withdraw(key));
        }
    }
}

impl DialogHandle {
    pub(crate) fn new(slot: Slot<DialogMsg>) -> Self {
        Self(slot)
    }

    /// Asks, and holds the request at most `hold`. Dropping the future takes the question back.
    pub(crate) async fn ask(
        &self,
        key: Key,
        question: Question,
        environment: Vec<(OsString, OsString)>,
        hold: Duration,
    ) -> Reply {
        let (waiter, answer) = oneshot::channel();
        if !self.0.cast(DialogMsg::Ask(Box::new(Asked { key, question, environment, waiter }))) {
            return Reply::Answered(Answer::Unavailable);
        }
        // The receiver must be gone before the question is taken back, or it would look wanted;
        // locals are dropped in reverse order, so the guard comes first.
        let mut guard = Withdraw { slot: &self.0, key: Some(key) };
        let reply = match tokio::time::timeout(hold, answer).await {
            Ok(Ok(answer)) => Reply::Answered(answer),
            Ok(Err(_)) => Reply::Answered(Answer::Unavailable),
            Err(_) => Reply::StillOpen,
        };
        guard.key = None;
        reply
    }
}
