//! The Servers actor: makes the running servers match the entries of the clients' configs.
//!
//! - Owns: one `Server` actor per entry, and one per server that a client started without one.
//! - Accepts: readings of the configs, attachments, and what people ask for.
//! - Emits: messages to its servers.
//! - Dies when: the supervisor drains it and the last server has ended.
//! - Restarts: by the supervisor; sessions are then taken over by their shims.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use defenter_mcp::process::Spawner;
use ractor::{
    Actor, ActorId, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent, rpc::CallResult,
};

use crate::{
    entry::{Entry, EntryKey, Step, reconcile},
    restart::{FailureHistory, Restart, RestartPolicy},
    server::{Arguments as ServerArguments, Server, ServerMsg},
    session::{Attachment, Limits, SessionId},
    shared::Shared,
    status::ServerView,
};

/// How long a server may take to describe itself.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// What the actor is told.
#[cfg_attr(not(unix), expect(dead_code, reason = "only the local socket asks, which is Unix's"))]
pub(crate) enum ServersMsg {
    /// The entries of all configs, as just read.
    Wanted(Vec<Entry>),
    /// A client wants a server.
    Attach(Box<Attachment>),
    /// The limits or the restart policy have changed.
    Tuned(Limits, RestartPolicy),
    /// Describe all servers.
    Status(RpcReplyPort<Vec<ServerView>>),
    /// Start the servers of this name anew; how many there are.
    Restart(String, RpcReplyPort<usize>),
    /// The last standard error of the servers of this name.
    Logs(String, RpcReplyPort<Vec<(ServerView, String)>>),
    /// Start a server's actor again after it failed.
    Revive(EntryKey),
    /// End all sessions and servers, then answer.
    Drain(RpcReplyPort<()>),
}

/// See the module.
pub(crate) struct Servers;

/// What the actor is started with.
#[derive(Clone)]
pub(crate) struct Arguments {
    pub(crate) shared: Arc<Shared>,
    pub(crate) spawner: Spawner,
    pub(crate) limits: Limits,
    pub(crate) policy: RestartPolicy,
}

pub(crate) struct State {
    arguments: Arguments,
    running: HashMap<EntryKey, Running>,
    /// What the configs name; a server of another entry ends with its last session.
    listed: BTreeMap<EntryKey, Entry>,
    failures: FailureHistory,
    epoch: tokio::time::Instant,
    next: u64,
    draining: Option<RpcReplyPort<()>>,
}

struct Running {
    actor: ActorRef<ServerMsg>,
    entry: Entry,
}

impl Actor for Servers {
    type Msg = ServersMsg;
    type State = State;
    type Arguments = Arguments;

    async fn pre_start(
        &self,
        _myself: ActorRef<ServersMsg>,
        arguments: Arguments,
    ) -> Result<State, ActorProcessingErr> {
        Ok(State {
            arguments,
            running: HashMap::new(),
            listed: BTreeMap::new(),
            failures: FailureHistory::default(),
            epoch: tokio::time::Instant::now(),
            next: 1,
            draining: None,
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<ServersMsg>,
        message: ServersMsg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            ServersMsg::Wanted(entries) => state.reconcile(&myself, entries).await,
            ServersMsg::Attach(attachment) => state.attach(&myself, attachment).await,
            ServersMsg::Tuned(limits, policy) => state.tune(limits, policy),
            ServersMsg::Status(reply) => {
                // Asked from a task, so that a slow server holds up nobody but the asker.
                let views = state.views();
                tokio::spawn(async move { reply.send(views.await) });
            }
            ServersMsg::Restart(name, reply) => drop(reply.send(state.restart(&name))),
            ServersMsg::Logs(name, reply) => {
                let logs = state.logs(&name);
                tokio::spawn(async move { reply.send(logs.await) });
            }
            ServersMsg::Revive(key) => state.revive(&myself, &key).await,
            ServersMsg::Drain(reply) => state.drain(reply),
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<ServersMsg>,
        event: SupervisionEvent,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorTerminated(actor, ..) => {
                state.forget(actor.get_id());
            }
            SupervisionEvent::ActorFailed(actor, error) => {
                if let Some(entry) = state.forget(actor.get_id()) {
                    tracing::error!(server = %entry.name, %error, "a server's actor failed");
                    state.revive_later(&myself, entry.key());
                }
            }
            _ => {}
        }
        state.finish_draining();
        Ok(())
    }
}

impl State {
    async fn reconcile(&mut self, myself: &ActorRef<ServersMsg>, entries: Vec<Entry>) {
        let steps = reconcile(&self.listed, &entries);
        self.listed = entries.into_iter().map(|entry| (entry.key(), entry)).collect();
        for step in steps {
            match step {
                Step::Add(entry) => {
                    self.start(myself, entry).await;
                }
                Step::Change(entry) => match self.running.get_mut(&entry.key()) {
                    Some(running) => {
                        running.entry = entry.clone();
                        let _ = running.actor.cast(ServerMsg::Changed(entry));
                    }
                    None => {
                        self.start(myself, entry).await;
                    }
                },
                Step::Remove(key) => {
                    if let Some(running) = self.running.get(&key) {
                        let _ = running.actor.cast(ServerMsg::Drain);
                    }
                }
            }
        }
    }

    async fn start(
        &mut self,
        myself: &ActorRef<ServersMsg>,
        entry: Entry,
    ) -> Option<ActorRef<ServerMsg>> {
        if self.draining.is_some() {
            return None;
        }
        let arguments = ServerArguments {
            entry: entry.clone(),
            shared: self.arguments.shared.clone(),
            spawner: self.arguments.spawner.clone(),
            limits: self.arguments.limits,
            policy: self.arguments.policy,
        };
        match Actor::spawn_linked(None, Server, arguments, myself.get_cell()).await {
            Ok((actor, _)) => {
                let actor_ref = actor.clone();
                self.running.insert(entry.key(), Running { actor, entry });
                Some(actor_ref)
            }
            Err(error) => {
                tracing::error!(server = %entry.name, %error, "failed to start a server's actor");
                None
            }
        }
    }

    async fn attach(&mut self, myself: &ActorRef<ServersMsg>, attachment: Box<Attachment>) {
        let server = match self.server_for(&attachment) {
            Some(server) => Some(server),
            None => {
                let entry = Entry::unlisted(attachment.client.as_deref(), &attachment.name);
                self.start(myself, entry).await
            }
        };
        // Dropping the attachment closes the shim's connection, so that it does the job alone.
        if let Some(server) = server {
            let session = SessionId::new(self.next);
            self.next += 1;
            let _ = server.cast(ServerMsg::Attach(session, attachment));
        }
    }

    /// The server of the entry that a shim was started for: the same client and name, and of
    /// several scopes the one with the same command.
    fn server_for(&self, attachment: &Attachment) -> Option<ActorRef<ServerMsg>> {
        let wanted = std::iter::once(&attachment.launch.command).chain(&attachment.launch.args);
        let wanted: Vec<_> = wanted.map(|word| word.to_string_lossy()).collect();
        let mut same_name: Vec<&Running> = self
            .running
            .values()
            .filter(|running| running.entry.name == attachment.name)
            .filter(|running| {
                attachment.client.as_ref().is_none_or(|client| *client == running.entry.client)
            })
            .collect();
        same_name.sort_by_key(|running| running.entry.key());
        let exact = same_name.iter().find(|running| running.entry.command == wanted);
        exact.or_else(|| same_name.first()).map(|running| running.actor.clone())
    }

    fn tune(&mut self, limits: Limits, policy: RestartPolicy) {
        self.arguments.limits = limits;
        self.arguments.policy = policy;
        for running in self.running.values() {
            let _ = running.actor.cast(ServerMsg::Tuned(limits, policy));
        }
    }

    fn views(&self) -> impl Future<Output = Vec<ServerView>> + use<> {
        let mut servers: Vec<_> = self.running.values().collect();
        servers.sort_by_key(|running| running.entry.key());
        let actors: Vec<_> = servers.into_iter().map(|running| running.actor.clone()).collect();
        async move {
            let mut views = Vec::with_capacity(actors.len());
            for actor in actors {
                let answer = actor.call(ServerMsg::Status, Some(ANSWER_WITHIN)).await;
                if let Ok(CallResult::Success(view)) = answer {
                    views.push(view);
                }
            }
            views
        }
    }

    fn named(&self, name: &str) -> Vec<ActorRef<ServerMsg>> {
        let named = self.running.values().filter(|running| running.entry.name == name);
        named.map(|running| running.actor.clone()).collect()
    }

    fn restart(&self, name: &str) -> usize {
        let named = self.named(name);
        for server in &named {
            let _ = server.cast(ServerMsg::Restart);
        }
        named.len()
    }

    fn logs(&self, name: &str) -> impl Future<Output = Vec<(ServerView, String)>> + use<> {
        let named = self.named(name);
        async move {
            let mut all = Vec::with_capacity(named.len());
            for server in named {
                let view = server.call(ServerMsg::Status, Some(ANSWER_WITHIN)).await;
                let logs = server.call(ServerMsg::Logs, Some(ANSWER_WITHIN)).await;
                if let (Ok(CallResult::Success(view)), Ok(CallResult::Success(logs))) = (view, logs)
                {
                    all.push((view, logs));
                }
            }
            all
        }
    }

    fn forget(&mut self, actor: ActorId) -> Option<Entry> {
        let found = self.running.iter().find(|(_, running)| running.actor.get_id() == actor);
        let key = found.map(|(key, _)| key.clone())?;
        self.running.remove(&key).map(|running| running.entry)
    }

    fn revive_later(&mut self, myself: &ActorRef<ServersMsg>, key: EntryKey) {
        let policy = RestartPolicy::default();
        match self.failures.failed(&policy, self.epoch.elapsed(), 1.0) {
            Restart::After(delay) => {
                myself.send_after(delay, move || ServersMsg::Revive(key));
            }
            Restart::GiveUp => {
                tracing::error!(server = %key.name, "its actor failed too often and stays down until its entry changes");
            }
        }
    }

    async fn revive(&mut self, myself: &ActorRef<ServersMsg>, key: &EntryKey) {
        if let Some(entry) = self.listed.get(key).cloned()
            && !self.running.contains_key(key)
        {
            self.start(myself, entry).await;
        }
    }

    fn drain(&mut self, reply: RpcReplyPort<()>) {
        for running in self.running.values() {
            let _ = running.actor.cast(ServerMsg::Drain);
        }
        self.draining = Some(reply);
        self.finish_draining();
    }

    fn finish_draining(&mut self) {
        if self.running.is_empty()
            && let Some(reply) = self.draining.take()
        {
            let _ = reply.send(());
        }
    }
}
