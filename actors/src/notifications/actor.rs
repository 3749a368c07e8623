//! The Notifications actor: tells findings on the desktop.
//!
//! - Owns: the [`Digest`] and the helper process of the notification that is being shown.
//! - Accepts: findings, redacted; the settings.
//! - Emits: notifications, at most one in an interval and one at a time.
//! - Dies when: its supervisor stops it; what was not told yet is in the log.
//! - Restarts: with nothing to tell.

use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep_until},
};

use super::{Digest, News, show};
use crate::{status::FindingView, supervisor::chain};

/// What the settings say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tuning {
    /// Whether anything is shown.
    pub(crate) enabled: bool,
    /// The time between two notifications.
    pub(crate) interval: Duration,
}

/// What the actor is told.
pub(crate) enum NotificationsMsg {
    /// What is new, and everything that is amiss.
    Findings(Vec<News>, Vec<FindingView>),
    /// What is new.
    News(Vec<News>),
    /// Other settings.
    Tune(Tuning),
    /// A notification is due.
    Due,
    /// The helper is done, or why nothing was shown.
    Shown(Result<(), String>),
}

/// See the module.
pub(crate) struct Notifications;

pub(crate) struct State {
    digest: Digest,
    tuning: Tuning,
    timer: Option<JoinHandle<()>>,
    showing: Option<JoinHandle<()>>,
    /// Set once it was told that nothing can be shown.
    complained: bool,
}

impl Drop for State {
    fn drop(&mut self) {
        for task in [self.timer.take(), self.showing.take()].into_iter().flatten() {
            task.abort();
        }
    }
}

impl Actor for Notifications {
    type Msg = NotificationsMsg;
    type State = State;
    type Arguments = Tuning;

    async fn pre_start(
        &self,
        _myself: ActorRef<NotificationsMsg>,
        tuning: Tuning,
    ) -> Result<State, ActorProcessingErr> {
        let digest = Digest::default();
        Ok(State { digest, tuning, timer: None, showing: None, complained: false })
    }

    async fn handle(
        &self,
        myself: ActorRef<NotificationsMsg>,
        message: NotificationsMsg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            NotificationsMsg::Findings(news, standing) => {
                state.digest.add(news, Instant::now());
                state.digest.keep(&standing);
            }
            NotificationsMsg::News(news) => state.digest.add(news, Instant::now()),
            NotificationsMsg::Tune(tuning) => state.tuning = tuning,
            NotificationsMsg::Due => state.timer = None,
            NotificationsMsg::Shown(outcome) => {
                state.showing = None;
                state.complain(outcome);
            }
        }
        if !state.tuning.enabled {
            state.digest.clear();
        }
        state.go_on(&myself);
        Ok(())
    }
}

impl State {
    /// Shows what is due, or waits until it is.
    fn go_on(&mut self, myself: &ActorRef<NotificationsMsg>) {
        let waits = self.showing.as_ref().is_some_and(|task| !task.is_finished());
        let Some(due) = self.digest.due(self.tuning.interval).filter(|_| !waits) else { return };
        if let Some(timer) = self.timer.take() {
            timer.abort();
        }
        let myself = myself.clone();
        let Some(notice) = self.digest.take(self.tuning.interval, Instant::now()) else {
            self.timer = Some(tokio::spawn(async move {
                sleep_until(due).await;
                let _ = myself.cast(NotificationsMsg::Due);
            }));
            return;
        };
        self.showing = Some(tokio::spawn(async move {
            let outcome = show::show(&notice).await.map_err(|error| chain(&error));
            let _ = myself.cast(NotificationsMsg::Shown(outcome));
        }));
    }

    /// Says once that nothing can be shown: many machines have no desktop.
    fn complain(&mut self, outcome: Result<(), String>) {
        let Err(error) = outcome else { return };
        if std::mem::replace(&mut self.complained, true) {
            tracing::debug!(error, "a notification was not shown");
        } else {
            tracing::warn!(
                error,
                "a finding was not shown as a notification; where there is no desktop, set \
                 `notifications.enabled` to false"
            );
        }
    }
}
