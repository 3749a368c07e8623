//! The ConfigWatcher actor: notices when a config, a setting, a policy or a rule file changes,
//! and reads everything anew.
//!
//! - Owns: the watch on the folders (not the files: editors save by renaming, which would end a
//!   watch on the old file), and how often entries are wrapped without being asked.
//! - Accepts: the system's notices, and a request to read now.
//! - Emits: readings to the supervisor; wrapped entries, where `install.auto` says so.
//! - Dies when: its supervisor stops it. Restarts: with a new watch and a fresh reading.

use std::{
    collections::{BTreeSet, VecDeque},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use defenter_config::{clients::Discovery, install::JournalError};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::{
    sync::Notify,
    task::JoinHandle,
    time::{Instant, timeout},
};

use crate::{
    findings::{self, Wrapped},
    house::{House, HouseError, Rules},
    notifications::actor::NotificationsMsg,
    shared::Shared,
    slot::Slot,
    status::{FindingKind, FindingView},
    supervisor::SupervisorMsg,
};

/// Quiet time after a change before it is read: a save is several changes in a row.
const QUIET: Duration = Duration::from_millis(100);
/// The longest that changes in a row can put off a reading; changes take effect within a second.
const PATIENCE: Duration = Duration::from_millis(400);
/// How often everything is read without notice, since network homes and some file systems give
/// none.
const POLL: Duration = Duration::from_secs(30);

/// How often within [`WRAP_WINDOW`] entries are wrapped without being asked. A client that changes
/// its file back each time would else be fought for ever.
const MAX_WRAPS: usize = 6;
/// See [`MAX_WRAPS`].
const WRAP_WINDOW: Duration = Duration::from_secs(60);

/// One reading of everything.
#[derive(Debug)]
pub(crate) struct Reading {
    /// Settings and rules, or what is wrong with them.
    pub(crate) rules: Result<Rules, HouseError>,
    /// The clients' configs.
    pub(crate) discovery: Discovery,
    /// What is amiss with them; not redacted.
    pub(crate) findings: Result<Vec<FindingView>, JournalError>,
    /// The folders that decide on both.
    pub(crate) folders: Vec<PathBuf>,
}

impl Reading {
    pub(crate) fn of(house: &House, program: &Path) -> Self {
        let discovery = house.discover();
        let findings = findings::of(house, &discovery, program);
        let loaded = house.settings();
        let folders = house.watched(loaded.as_ref().ok().map(|loaded| &loaded.settings));
        let rules = loaded.and_then(|loaded| house.rules_of(loaded));
        Self { rules, discovery, findings, folders }
    }

    /// Whether there is something to wrap without being asked.
    fn wants_wrapping(&self) -> bool {
        let auto = self.rules.as_ref().is_ok_and(|rules| rules.loaded.settings.install.auto);
        let mut findings = self.findings.iter().flatten();
        auto && findings.any(|finding| finding.kind != FindingKind::CommandChanged)
    }
}

/// What the actor is told.
pub(crate) enum WatcherMsg {
    /// Read now.
    Read,
    /// A reading is done.
    Done(Box<Reading>),
    /// Entries were wrapped, or could not be.
    Wrapped(Wrapped),
}

/// See the module.
pub(crate) struct ConfigWatcher;

/// What the actor is started with.
#[derive(Clone)]
pub(crate) struct Arguments {
    pub(crate) house: Arc<House>,
    /// The program that goes into entries.
    pub(crate) program: PathBuf,
    pub(crate) shared: Arc<Shared>,
    pub(crate) supervisor: ActorRef<SupervisorMsg>,
    pub(crate) notifications: Slot<NotificationsMsg>,
}

pub(crate) struct State {
    arguments: Arguments,
    watcher: RecommendedWatcher,
    watched: BTreeSet<PathBuf>,
    waiting: JoinHandle<()>,
    reading: bool,
    again: bool,
    wrapping: bool,
    /// Set where there was more to wrap while entries were being wrapped.
    more: bool,
    /// When entries were wrapped without being asked, within the window.
    wraps: VecDeque<Instant>,
}

impl Drop for State {
    fn drop(&mut self) {
        self.waiting.abort();
    }
}

impl Actor for ConfigWatcher {
    type Msg = WatcherMsg;
    type State = State;
    type Arguments = Arguments;

    async fn pre_start(
        &self,
        myself: ActorRef<WatcherMsg>,
        arguments: Arguments,
    ) -> Result<State, ActorProcessingErr> {
        let changed = Arc::new(Notify::new());
        let notice = changed.clone();
        // Whatever the notice says, everything is read and compared: a notice that is lost or
        // misread then costs time, never truth.
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if event.is_ok_and(|event| event.kind.is_access()) {
                return;
            }
            notice.notify_one();
        })?;
        let watcher_of = myself.clone();
        let read = move || watcher_of.cast(WatcherMsg::Read).is_ok();
        let waiting = tokio::spawn(wait(changed, read));
        let _ = myself.cast(WatcherMsg::Read);
        Ok(State {
            arguments,
            watcher,
            watched: BTreeSet::new(),
            waiting,
            reading: false,
            again: false,
            wrapping: false,
            more: false,
            wraps: VecDeque::new(),
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<WatcherMsg>,
        message: WatcherMsg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            WatcherMsg::Read if state.reading => state.again = true,
            WatcherMsg::Read => state.read(&myself),
            WatcherMsg::Done(reading) => {
                state.reading = false;
                state.watch(&myself, &reading.folders);
                if reading.wants_wrapping() {
                    state.wrap(&myself);
                }
                let _ = state.arguments.supervisor.cast(SupervisorMsg::Read(reading));
                if std::mem::take(&mut state.again) {
                    state.read(&myself);
                }
            }
            WatcherMsg::Wrapped(wrapped) => {
                state.wrapping = false;
                let news = wrapped.tell(state.arguments.shared.redactors.load().plain());
                state.arguments.notifications.cast(NotificationsMsg::News(news));
                let more = std::mem::take(&mut state.more);
                if !wrapped.done.is_empty() {
                    state.wraps.push_back(Instant::now());
                }
                if more || !wrapped.done.is_empty() {
                    let _ = myself.cast(WatcherMsg::Read);
                }
            }
        }
        Ok(())
    }
}

impl State {
    fn read(&mut self, myself: &ActorRef<WatcherMsg>) {
        self.reading = true;
        let Arguments { house, program, .. } = self.arguments.clone();
        let myself = myself.clone();
        tokio::task::spawn_blocking(move || {
            let _ = myself.cast(WatcherMsg::Done(Box::new(Reading::of(&house, &program))));
        });
    }

    /// Wraps in a thread of its own: it may wait for a client's lock, and readings go on.
    fn wrap(&mut self, myself: &ActorRef<WatcherMsg>) {
        while self.wraps.front().is_some_and(|at| at.elapsed() > WRAP_WINDOW) {
            self.wraps.pop_front();
        }
        if self.wrapping {
            self.more = true;
            return;
        }
        // The next reading without notice comes back to what is left.
        if self.wraps.len() >= MAX_WRAPS {
            return;
        }
        self.wrapping = true;
        let Arguments { house, program, .. } = self.arguments.clone();
        let myself = myself.clone();
        tokio::task::spawn_blocking(move || {
            let _ = myself.cast(WatcherMsg::Wrapped(findings::wrap(&house, &program)));
        });
    }

    fn watch(&mut self, myself: &ActorRef<WatcherMsg>, folders: &[PathBuf]) {
        let wanted: BTreeSet<PathBuf> =
            folders.iter().filter(|folder| folder.is_dir()).cloned().collect();
        for folder in self.watched.difference(&wanted) {
            // It fails when the folder is gone, and its watch with it.
            let _ = self.watcher.unwatch(folder);
        }
        let mut new = false;
        for folder in wanted.difference(&self.watched) {
            match self.watcher.watch(folder, RecursiveMode::NonRecursive) {
                Ok(()) => new = true,
                Err(error) => {
                    tracing::warn!(folder = %folder.display(), %error, "cannot watch a folder; changes in it are seen every 30 s");
                }
            }
        }
        self.watched = wanted;
        // What changed between the reading and the watch was not noticed by either.
        if new {
            let _ = myself.cast(WatcherMsg::Read);
        }
    }
}

/// Has everything read when something has changed, and now and then; ends when nobody reads.
async fn wait(changed: Arc<Notify>, read: impl Fn() -> bool) {
    loop {
        let _ = timeout(POLL, changed.notified()).await;
        let settle = async { while timeout(QUIET, changed.notified()).await.is_ok() {} };
        let _ = timeout(PATIENCE, settle).await;
        if !read() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::{sync::mpsc, time::advance};

    use super::*;

    /// What the settings promise of a change.
    const SOON: Duration = Duration::from_secs(1);

    /// A watcher that waits, and the times at which it reads.
    fn waiting() -> (Arc<Notify>, mpsc::UnboundedReceiver<Instant>) {
        let changed = Arc::new(Notify::new());
        let (send, times) = mpsc::unbounded_channel();
        tokio::spawn(wait(changed.clone(), move || send.send(Instant::now()).is_ok()));
        (changed, times)
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_is_read_when_it_is_quiet_and_within_a_second_where_it_never_is() {
        let (changed, mut times) = waiting();
        let begun = Instant::now();
        changed.notify_one();
        assert_eq!(times.recv().await, Some(begun + QUIET));
        let begun = Instant::now();
        while times.is_empty() {
            changed.notify_one();
            advance(QUIET / 4).await;
            assert!(begun.elapsed() < SOON, "it is put off for ever");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn where_nobody_notices_it_is_read_all_the_same() {
        let (_changed, mut times) = waiting();
        let begun = Instant::now();
        let first = times.recv().await.unwrap();
        assert!(first > begun + SOON && first <= begun + POLL + PATIENCE);
    }
}
