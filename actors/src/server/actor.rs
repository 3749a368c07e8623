//! The Server actor: one wrapped server, with all sessions that clients have with it.
//!
//! - Owns: the lifecycle of the server, its restart history and its last standard error.
//! - Accepts: attachments, the events of its sessions, and what people ask for.
//! - Emits: commands to its sessions.
//! - Dies when: its entry is gone, or the supervisor drains, and the last session has ended.
//! - Restarts: by `Servers`, without sessions; theirs are taken over by their shims.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

use defenter_audit::Timestamp;
use defenter_mcp::process::{Exit, Spawner};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent};
use tokio::time::Instant;

use super::{
    StderrTail,
    lifecycle::{Effect, Event, Lifecycle},
};
use crate::{
    entry::Entry,
    metrics::{RestartReason, ServerMetrics},
    restart::RestartPolicy,
    session::{
        Attachment, Figures, Limits, SessionId,
        actor::{self, Session, SessionMsg},
        driver::Command,
    },
    shared::Shared,
    status::{ExitView, ServerState, ServerView},
};

/// How long a server that no config names is remembered after its last session.
const LINGER: Duration = Duration::from_secs(300);

/// What the actor is told.
pub(crate) enum ServerMsg {
    /// A client wants this server.
    Attach(SessionId, Box<Attachment>),
    /// What happened to a session.
    Life(Event),
    /// The entry in the client's config says something else now.
    Changed(Entry),
    /// Start anew.
    Restart,
    /// The limits or the restart policy have changed.
    Tuned(Limits, RestartPolicy),
    /// Describe yourself.
    Status(RpcReplyPort<ServerView>),
    /// The last lines of standard error, redacted.
    Logs(RpcReplyPort<String>),
    /// Nobody has used you for a while.
    Expire,
    /// End all sessions, then yourself.
    Drain,
}

/// See the module.
pub(crate) struct Server;

/// What a server is started with.
pub(crate) struct Arguments {
    pub(crate) entry: Entry,
    pub(crate) shared: Arc<Shared>,
    pub(crate) spawner: Spawner,
    pub(crate) limits: Limits,
    pub(crate) policy: RestartPolicy,
}

pub(crate) struct State {
    entry: Entry,
    shared: Arc<Shared>,
    spawner: Spawner,
    limits: Limits,
    life: Lifecycle,
    sessions: HashMap<SessionId, Running>,
    stderr: Arc<StderrTail>,
    metrics: ServerMetrics,
    last_exit: Option<ExitView>,
    epoch: Instant,
    last_used: Instant,
}

struct Running {
    actor: ActorRef<SessionMsg>,
    figures: Arc<Figures>,
}

impl Actor for Server {
    type Msg = ServerMsg;
    type State = State;
    type Arguments = Arguments;

    async fn pre_start(
        &self,
        _myself: ActorRef<ServerMsg>,
        arguments: Arguments,
    ) -> Result<State, ActorProcessingErr> {
        let Arguments { entry, shared, spawner, limits, policy } = arguments;
        Ok(State {
            metrics: ServerMetrics::new(&entry.name, &entry.client),
            life: Lifecycle::new(policy),
            sessions: HashMap::new(),
            stderr: Arc::default(),
            last_exit: None,
            epoch: Instant::now(),
            last_used: Instant::now(),
            entry,
            shared,
            spawner,
            limits,
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<ServerMsg>,
        message: ServerMsg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            ServerMsg::Attach(session, attachment) => {
                state.attach(&myself, session, *attachment).await;
            }
            ServerMsg::Life(event) => state.step(event),
            ServerMsg::Changed(entry) => state.changed(entry),
            ServerMsg::Restart => state.step(Event::RestartAsked),
            ServerMsg::Tuned(limits, policy) => {
                state.limits = limits;
                state.life.set_policy(policy);
            }
            ServerMsg::Status(reply) => drop(reply.send(state.view())),
            ServerMsg::Logs(reply) => drop(reply.send(state.logs(usize::MAX))),
            ServerMsg::Expire if state.expired() => state.step(Event::Drain),
            ServerMsg::Expire => {}
            ServerMsg::Drain => state.step(Event::Drain),
        }
        if state.life.stopped() {
            myself.stop(None);
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<ServerMsg>,
        event: SupervisionEvent,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let ended = match &event {
            SupervisionEvent::ActorTerminated(actor, ..) => actor.get_id(),
            SupervisionEvent::ActorFailed(actor, error) => {
                tracing::error!(server = %state.entry.name, %error, "a session failed");
                actor.get_id()
            }
            _ => return Ok(()),
        };
        let found = state.sessions.iter().find(|(_, running)| running.actor.get_id() == ended);
        if let Some(session) = found.map(|(session, _)| *session) {
            state.sessions.remove(&session);
            state.step(Event::Closed(session));
            state.last_used = Instant::now();
            if state.sessions.is_empty() && state.entry.is_unlisted() {
                myself.send_after(LINGER, || ServerMsg::Expire);
            }
        }
        if state.life.stopped() {
            myself.stop(None);
        }
        Ok(())
    }
}

impl State {
    async fn attach(
        &mut self,
        myself: &ActorRef<ServerMsg>,
        session: SessionId,
        attachment: Attachment,
    ) {
        let figures = Arc::new(Figures::new(attachment.id.clone(), now()));
        let arguments = actor::Arguments {
            id: session,
            attachment,
            server: myself.clone(),
            shared: self.shared.clone(),
            spawner: self.spawner.clone(),
            limits: self.limits,
            figures: figures.clone(),
            stderr: self.stderr.clone(),
        };
        match Actor::spawn_linked(None, Session, arguments, myself.get_cell()).await {
            Ok((actor, _)) => {
                self.sessions.insert(session, Running { actor, figures });
                self.step(Event::Opened(session));
            }
            // The attachment is dropped with the error, so the shim sees the connection close.
            Err(error) => {
                tracing::error!(server = %self.entry.name, %error, "failed to open a session");
            }
        }
    }

    fn step(&mut self, event: Event) {
        self.note(event);
        let before = self.life.state();
        let effects = self.life.step(event, self.epoch.elapsed(), chance());
        let after = self.life.state();
        if after != before {
            self.report(after);
        }
        for effect in effects {
            self.apply(&effect);
        }
    }

    fn expired(&self) -> bool {
        self.sessions.is_empty() && self.last_used.elapsed() >= LINGER
    }

    fn note(&mut self, event: Event) {
        let exit = match event {
            Event::Failed { exit, .. } => {
                self.metrics.restarted(match exit {
                    Exit::Code(_) => RestartReason::Exit,
                    Exit::Signal(_) => RestartReason::Signal,
                });
                exit
            }
            Event::Finished(_) => Exit::Code(0),
            Event::CannotStart(_) => Exit::Code(1),
            Event::RestartAsked => {
                self.metrics.restarted(RestartReason::Requested);
                return;
            }
            _ => return,
        };
        let (code, signal) = match exit {
            Exit::Code(code) => (Some(code), None),
            Exit::Signal(signal) => (None, Some(signal)),
        };
        self.last_exit = Some(ExitView { code, signal, at: now() });
    }

    fn report(&self, state: ServerState) {
        let server = &self.entry.name;
        if state == ServerState::Quarantined {
            let stderr = self.logs(self.limits.stderr_lines);
            tracing::error!(%server, stderr, "the server failed too often and is in quarantine; `defenter restart {server}` tries again");
        } else {
            tracing::info!(%server, client = %self.entry.client, %state, "the server's state changed");
        }
    }

    fn apply(&self, effect: &Effect) {
        let (session, command) = match *effect {
            Effect::Start { session, after } => (session, Command::Start { after }),
            Effect::Bounce(session) => (session, Command::Bounce),
            Effect::Hold(session) => (session, Command::Hold(self.why_held().into())),
            Effect::End { session, exit } => (session, Command::End(exit)),
            Effect::Stop(session) => (session, Command::Stop),
        };
        if let Some(running) = self.sessions.get(&session) {
            let _ = running.actor.cast(SessionMsg::Command(command));
        }
    }

    fn changed(&mut self, entry: Entry) {
        if let Some(launch) = entry.relaunch(&self.entry) {
            self.metrics.restarted(RestartReason::ConfigChanged);
            for running in self.sessions.values() {
                let command = Command::Relaunch(launch.clone());
                let _ = running.actor.cast(SessionMsg::Command(command));
            }
        }
        self.entry = entry;
    }

    fn why_held(&self) -> String {
        let name = &self.entry.name;
        let exit =
            self.life.last_exit().map_or_else(String::new, |exit| format!(" (last: {exit})"));
        format!("server `{name}` failed too often{exit}; `defenter restart {name}` tries again")
    }

    fn logs(&self, lines: usize) -> String {
        let text = self.stderr.last(lines);
        let redactors = self.shared.redactors.load();
        let redacted = redactors.of(&self.entry.name).scan_text(text.as_bytes());
        String::from_utf8_lossy(&redacted.apply(text.as_bytes())).into_owned()
    }

    fn view(&self) -> ServerView {
        let state = self.life.state();
        let quarantined = (state == ServerState::Quarantined).then(|| {
            let stderr = self.logs(self.limits.stderr_lines);
            if stderr.is_empty() {
                self.why_held()
            } else {
                format!("{}\n{stderr}", self.why_held())
            }
        });
        let mut sessions: Vec<_> = self.sessions.values().map(|s| s.figures.view()).collect();
        sessions.sort_by(|a, b| a.started.cmp(&b.started).then_with(|| a.id.cmp(&b.id)));
        ServerView {
            name: self.entry.name.clone(),
            client: self.entry.client.clone(),
            scope: self.entry.scope.clone(),
            state,
            sessions,
            restarts: self.life.restarts(),
            last_exit: self.last_exit.clone(),
            quarantined,
        }
    }
}

/// A number in `0.0..1.0` that differs between servers that fail together.
fn chance() -> f64 {
    let (high, _) = uuid::Uuid::new_v4().as_u64_pair();
    f64::from(u32::try_from(high >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}

fn now() -> String {
    Timestamp::from(SystemTime::now()).to_string()
}
