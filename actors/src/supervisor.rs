//! The Supervisor actor: the root of the tree.
//!
//! - Owns: every other actor, and the order in which they start and stop.
//! - Accepts: readings of the configs, questions about the state, and the word to stop.
//! - Emits: what was read, to whom it concerns.
//! - Dies when: it has drained, or a part of it fails too often to go on.
//! - Restarts: never; whoever started the program sees it end.
//!
//! One for one: a part that fails is started again by itself, with a growing delay.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use defenter_audit::Timestamp;
use defenter_mcp::process::Spawner;
use ractor::{
    Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, Message, RpcReplyPort,
    SupervisionEvent, rpc::CallResult,
};
use tokio::time::Instant;

#[cfg(unix)]
use crate::listener::{self, Listener};
use crate::{
    audit::{Audit, AuditMsg},
    dialog::{
        Helper,
        actor::{Dialog, DialogMsg},
    },
    entry::Entry,
    findings::Noticed,
    house::{self, House, PolicyInput, Rules},
    notifications::actor::{Notifications, NotificationsMsg},
    policy::{Policy, PolicyMsg},
    redaction::{Redaction, RedactionMsg},
    restart::{FailureHistory, Restart, RestartPolicy},
    servers::{self, Servers, ServersMsg},
    service::{Service, ServiceMaker},
    session::Limits,
    shared::Shared,
    slot::Slot,
    status::{StatusView, SupervisorView},
    watcher::{self, ConfigWatcher, Reading, WatcherMsg},
};

/// How long sessions may take to end when the supervisor drains: the whole stop sequence of a
/// stubborn server, and some more.
const DRAIN: Duration = Duration::from_secs(15);
/// How long the servers may take to be described.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);
/// Failures of one part within a minute that are still followed by a restart.
const PART_POLICY: RestartPolicy = RestartPolicy {
    initial: Duration::from_millis(50),
    max: Duration::from_secs(5),
    reset_after: Duration::from_secs(60),
    intensity: 10,
    window: Duration::from_secs(60),
};

/// What the actor is told.
pub(crate) enum SupervisorMsg {
    /// Describe everything.
    Status(RpcReplyPort<StatusView>),
    /// Read all configs now.
    Reload,
    /// End in good order; said twice, end at once.
    Drain,
    /// All configs, as just read.
    #[doc(hidden)]
    Read(Box<Reading>),
    /// All sessions have ended, or had their time.
    #[doc(hidden)]
    Drained,
    /// Start a part again that failed.
    #[doc(hidden)]
    Revive(Part),
}

/// A part of the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Part {
    /// See [`crate::audit`].
    Audit,
    /// See [`crate::redaction`].
    Redaction,
    /// See [`crate::policy`].
    Policy,
    /// See [`crate::dialog`].
    Dialog,
    /// See [`crate::servers`].
    Servers,
    /// See [`crate::watcher`].
    Watcher,
    /// See [`crate::notifications`].
    Notifications,
    /// See [`crate::listener`].
    Listener,
    /// See [`crate::service`]; the number tells which.
    Service(usize),
}

/// See the module.
pub(crate) struct Supervisor;

/// What the supervisor is started with.
pub(crate) struct Arguments {
    pub(crate) shared: Arc<Shared>,
    pub(crate) slots: Slots,
    pub(crate) spawner: Spawner,
    pub(crate) helper: Helper,
    /// The program that goes into entries of the clients' configs.
    pub(crate) program: PathBuf,
    pub(crate) rules: Rules,
    /// Where configs are read and shims attach; nothing for a supervisor of one session.
    pub(crate) house: Option<Arc<House>>,
    pub(crate) services: Vec<ServiceMaker>,
}

/// Handles to the actors that others speak to.
#[derive(Clone)]
pub(crate) struct Slots {
    pub(crate) dialog: Slot<DialogMsg>,
    pub(crate) servers: Slot<ServersMsg>,
    pub(crate) policy: Slot<PolicyMsg>,
    pub(crate) redaction: Slot<RedactionMsg>,
    pub(crate) watcher: Slot<WatcherMsg>,
    pub(crate) notifications: Slot<NotificationsMsg>,
    pub(crate) audit: Slot<AuditMsg>,
}

impl Slots {
    pub(crate) fn new() -> Self {
        Self {
            dialog: Slot::empty(),
            servers: Slot::empty(),
            policy: Slot::empty(),
            redaction: Slot::empty(),
            watcher: Slot::empty(),
            notifications: Slot::empty(),
            audit: Slot::empty(),
        }
    }
}

pub(crate) struct State {
    arguments: Arguments,
    parts: HashMap<ActorId, (Part, ActorCell)>,
    failures: HashMap<Part, FailureHistory>,
    wanted: Vec<Entry>,
    noticed: Noticed,
    /// Why the settings of the moment are not the newest, where that is so.
    trouble: Option<String>,
    started: String,
    epoch: Instant,
    draining: bool,
}

impl Actor for Supervisor {
    type Msg = SupervisorMsg;
    type State = State;
    type Arguments = Arguments;

    async fn pre_start(
        &self,
        myself: ActorRef<SupervisorMsg>,
        arguments: Arguments,
    ) -> Result<State, ActorProcessingErr> {
        let mut parts =
            vec![Part::Audit, Part::Redaction, Part::Policy, Part::Dialog, Part::Servers];
        if arguments.house.is_some() {
            parts.extend([Part::Notifications, Part::Watcher, Part::Listener]);
        }
        parts.extend((0..arguments.services.len()).map(Part::Service));
        let mut state = State {
            arguments,
            parts: HashMap::new(),
            failures: HashMap::new(),
            wanted: Vec::new(),
            noticed: Noticed::default(),
            trouble: None,
            started: Timestamp::from(SystemTime::now()).to_string(),
            epoch: Instant::now(),
            draining: false,
        };
        for part in parts {
            state.start(&myself, part).await?;
        }
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<SupervisorMsg>,
        message: SupervisorMsg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            SupervisorMsg::Status(reply) => state.status(reply),
            SupervisorMsg::Reload => drop(state.arguments.slots.watcher.cast(WatcherMsg::Read)),
            SupervisorMsg::Read(reading) => state.take(*reading),
            SupervisorMsg::Revive(part) => {
                if let Err(error) = state.start(&myself, part).await {
                    state.failed(&myself, part, &error.to_string());
                }
            }
            SupervisorMsg::Drain if state.draining => myself.stop(Some("in a hurry".into())),
            SupervisorMsg::Drain => state.drain(&myself),
            SupervisorMsg::Drained => myself.stop(None),
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<SupervisorMsg>,
        event: SupervisionEvent,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let (actor, why) = match event {
            SupervisionEvent::ActorTerminated(actor, _, why) => (actor, why.unwrap_or_default()),
            SupervisionEvent::ActorFailed(actor, error) => (actor, error.to_string()),
            _ => return Ok(()),
        };
        if let Some((part, _)) = state.parts.remove(&actor.get_id())
            && !state.draining
        {
            state.failed(&myself, part, &why);
        }
        Ok(())
    }
}

impl State {
    async fn start(
        &mut self,
        myself: &ActorRef<SupervisorMsg>,
        part: Part,
    ) -> Result<(), ActorProcessingErr> {
        let root = myself.get_cell();
        let slots = self.arguments.slots.clone();
        let shared = self.arguments.shared.clone();
        let cell = match part {
            Part::Audit => fill(&slots.audit, spawn(Audit, shared, root).await?),
            Part::Redaction => fill(&slots.redaction, spawn(Redaction, shared, root).await?),
            Part::Policy => {
                let cell = fill(&slots.policy, spawn(Policy, shared, root).await?);
                self.load_policies(&self.arguments.rules.policy);
                cell
            }
            Part::Dialog => {
                let helper = self.arguments.helper.clone();
                fill(&slots.dialog, spawn(Dialog, helper, root).await?)
            }
            Part::Servers => {
                let servers = spawn(Servers, self.for_servers(), root).await?;
                let _ = servers.cast(ServersMsg::Wanted(self.wanted.clone()));
                fill(&slots.servers, servers)
            }
            Part::Watcher => {
                let Some(house) = self.arguments.house.clone() else { return Ok(()) };
                let program = self.arguments.program.clone();
                let arguments = watcher::Arguments {
                    house,
                    program,
                    shared,
                    supervisor: myself.clone(),
                    notifications: slots.notifications.clone(),
                };
                fill(&slots.watcher, spawn(ConfigWatcher, arguments, root).await?)
            }
            Part::Notifications => {
                let tuning = house::notifications(&self.arguments.rules.loaded.settings);
                fill(&slots.notifications, spawn(Notifications, tuning, root).await?)
            }
            Part::Listener => {
                let Some(cell) = self.listen(myself).await? else { return Ok(()) };
                cell
            }
            Part::Service(which) => {
                let Some(maker) = self.arguments.services.get(which) else { return Ok(()) };
                spawn(Service, maker.clone(), root).await?.get_cell()
            }
        };
        self.parts.insert(cell.get_id(), (part, cell));
        Ok(())
    }

    #[cfg(unix)]
    async fn listen(
        &self,
        myself: &ActorRef<SupervisorMsg>,
    ) -> Result<Option<ActorCell>, ActorProcessingErr> {
        let Some(house) = &self.arguments.house else { return Ok(None) };
        let arguments = listener::Arguments {
            socket: house.paths.socket.clone(),
            supervisor: myself.clone(),
            shared: self.arguments.shared.clone(),
            servers: self.arguments.slots.servers.clone(),
        };
        Ok(Some(spawn(Listener, arguments, myself.get_cell()).await?.get_cell()))
    }

    /// Where descriptors cannot be handed over, every shim does the whole job alone.
    #[cfg(not(unix))]
    async fn listen(
        &self,
        _myself: &ActorRef<SupervisorMsg>,
    ) -> Result<Option<ActorCell>, ActorProcessingErr> {
        Ok(None)
    }

    fn for_servers(&self) -> servers::Arguments {
        let settings = &self.arguments.rules.loaded.settings;
        servers::Arguments {
            shared: self.arguments.shared.clone(),
            spawner: self.arguments.spawner.clone(),
            limits: house::limits(settings),
            policy: house::restart_policy(settings),
        }
    }

    fn load_policies(&self, input: &PolicyInput) {
        self.arguments.slots.policy.cast(PolicyMsg::Load(input.clone()));
    }

    fn failed(&mut self, myself: &ActorRef<SupervisorMsg>, part: Part, why: &str) {
        let history = self.failures.entry(part).or_default();
        match history.failed(&PART_POLICY, self.epoch.elapsed(), 1.0) {
            Restart::After(delay) => {
                tracing::error!(
                    ?part,
                    why,
                    ?delay,
                    "a part of the supervisor failed and is started again"
                );
                myself.send_after(delay, move || SupervisorMsg::Revive(part));
            }
            Restart::GiveUp => {
                tracing::error!(
                    ?part,
                    why,
                    "a part of the supervisor fails again and again; stopping"
                );
                myself.stop(Some(format!("{part:?} fails again and again: {why}")));
            }
        }
    }

    fn take(&mut self, reading: Reading) {
        for problem in &reading.discovery.problems {
            tracing::debug!(client = %problem.client, %problem, "a config cannot be read");
        }
        let entries = house::entries(&reading.discovery);
        if entries != self.wanted {
            self.wanted.clone_from(&entries);
            self.arguments.slots.servers.cast(ServersMsg::Wanted(entries));
        }
        let redactors = self.arguments.shared.redactors.load();
        let news = self.noticed.take(reading.findings, redactors.plain());
        let standing = self.noticed.findings().to_vec();
        self.arguments.slots.notifications.cast(NotificationsMsg::Findings(news, standing));
        self.trouble = match reading.rules {
            Ok(rules) => {
                self.adopt(rules);
                None
            }
            Err(error) => {
                let error = chain(&error);
                tracing::error!(
                    error,
                    "the changed settings are not used; the last good ones stay"
                );
                Some(format!("the changed settings are not used: {error}"))
            }
        };
    }

    /// What of the settings is not in force, and why.
    fn problems(&self) -> Vec<String> {
        let shared = &self.arguments.shared;
        let rules = [shared.redaction_trouble.load_full(), shared.policy_trouble.load_full()];
        let rules = rules.into_iter().flatten().map(|trouble| (*trouble).clone());
        let key = self.arguments.rules.key_trouble.clone();
        self.trouble.clone().into_iter().chain(rules).chain(key).collect()
    }

    fn adopt(&mut self, rules: Rules) {
        let old = std::mem::replace(&mut self.arguments.rules, rules);
        let new = &self.arguments.rules;
        let slots = &self.arguments.slots;
        if !same_policy(&old.policy, &new.policy) {
            self.load_policies(&new.policy);
        }
        if old.redaction != new.redaction {
            slots.redaction.cast(RedactionMsg::Load(new.redaction.clone()));
        }
        let settings = &new.loaded.settings;
        if old.loaded.settings != *settings {
            let (limits, policy): (Limits, RestartPolicy) =
                (house::limits(settings), house::restart_policy(settings));
            slots.servers.cast(ServersMsg::Tuned(limits, policy));
            self.arguments.shared.limits.store(Arc::new(limits));
            slots.notifications.cast(NotificationsMsg::Tune(house::notifications(settings)));
            let needs_restart = house::needs_restart(&old.loaded.settings, settings);
            if needs_restart.is_empty() {
                tracing::info!("settings loaded");
            } else {
                let settings = needs_restart.join(", ");
                tracing::warn!(%settings, "settings loaded; of what has changed, these take effect when the supervisor is started again");
            }
        }
    }

    fn status(&self, reply: RpcReplyPort<StatusView>) {
        let supervisor = SupervisorView {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            started: self.started.clone(),
            uptime_s: self.epoch.elapsed().as_secs(),
        };
        let findings = self.noticed.findings().to_vec();
        let problems = self.problems();
        let servers = self.arguments.slots.servers.get();
        tokio::spawn(async move {
            let mut views = Vec::new();
            if let Some(servers) = servers
                && let Ok(CallResult::Success(found)) =
                    servers.call(ServersMsg::Status, Some(ANSWER_WITHIN)).await
            {
                views = found;
            }
            let _ = reply.send(StatusView { supervisor, servers: views, findings, problems });
        });
    }

    /// Nothing new comes in, sessions end in good order, then everything else stops.
    fn drain(&mut self, myself: &ActorRef<SupervisorMsg>) {
        self.draining = true;
        tracing::info!("stopping; a second signal hurries");
        for (part, cell) in self.parts.values() {
            if matches!(part, Part::Listener | Part::Watcher) {
                cell.stop(None);
            }
        }
        let (servers, myself) = (self.arguments.slots.servers.get(), myself.clone());
        tokio::spawn(async move {
            if let Some(servers) = servers {
                let _ = servers.call(ServersMsg::Drain, Some(DRAIN)).await;
            }
            let _ = myself.cast(SupervisorMsg::Drained);
        });
    }
}

async fn spawn<A: Actor>(
    actor: A,
    arguments: A::Arguments,
    root: ActorCell,
) -> Result<ActorRef<A::Msg>, ActorProcessingErr> {
    let (actor, _) = Actor::spawn_linked(None, actor, arguments, root).await?;
    Ok(actor)
}

fn fill<M: Message>(slot: &Slot<M>, actor: ActorRef<M>) -> ActorCell {
    let cell = actor.get_cell();
    slot.fill(actor);
    cell
}

fn same_policy(old: &PolicyInput, new: &PolicyInput) -> bool {
    let texts = |input: &PolicyInput| {
        input
            .layers
            .iter()
            .map(|layer| (layer.path.clone(), layer.text.clone()))
            .collect::<Vec<(PathBuf, String)>>()
    };
    old.preset == new.preset && texts(old) == texts(new)
}

/// An error with all its causes, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
