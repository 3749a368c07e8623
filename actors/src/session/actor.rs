//! The Session actor: ties the tasks of one client's connection to its server.
//!
//! - Owns: the driver task, which owns the pumps and the running process.
//! - Accepts: commands of its server, and the driver's reports.
//! - Emits: lifecycle events to its server.
//! - Dies when: the driver has ended, by itself or by a panic; the client's streams are closed
//!   and the server's process group is gone by then.
//! - Restarts: never; a shim that loses its session takes over.

use std::{panic::AssertUnwindSafe, sync::Arc};

use defenter_mcp::process::{Exit, Spawner};
use futures_util::FutureExt;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::{sync::mpsc, task::JoinHandle};

use super::{
    Attachment, Figures, Limits, SessionId,
    driver::{Command, Driver},
};
use crate::{
    server::{ServerMsg, StderrTail, lifecycle::Event},
    shared::Shared,
};

/// Commands that wait for a driver; it takes them at once, so a few are enough.
const COMMANDS: usize = 16;

/// What the actor is told.
pub(crate) enum SessionMsg {
    /// By its server.
    Command(Command),
    /// By its driver.
    Report(Event),
    /// By its driver: it has ended.
    Ended,
}

/// See the module.
pub(crate) struct Session;

/// What a session is started with.
pub(crate) struct Arguments {
    pub(crate) id: SessionId,
    pub(crate) attachment: Attachment,
    pub(crate) server: ActorRef<ServerMsg>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) spawner: Spawner,
    pub(crate) limits: Limits,
    pub(crate) figures: Arc<Figures>,
    pub(crate) stderr: Arc<StderrTail>,
}

pub(crate) struct State {
    id: SessionId,
    server: ActorRef<ServerMsg>,
    commands: mpsc::Sender<Command>,
    driver: JoinHandle<()>,
}

impl Drop for State {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Actor for Session {
    type Msg = SessionMsg;
    type State = State;
    type Arguments = Arguments;

    async fn pre_start(
        &self,
        myself: ActorRef<SessionMsg>,
        arguments: Arguments,
    ) -> Result<State, ActorProcessingErr> {
        let (commands, queue) = mpsc::channel(COMMANDS);
        let (id, server) = (arguments.id, arguments.server.clone());
        let report = {
            let myself = myself.clone();
            Box::new(move |event| {
                let _ = myself.cast(SessionMsg::Report(event));
            })
        };
        let driver = Driver::new(arguments, queue, report)?;
        let driver = tokio::spawn(async move {
            if AssertUnwindSafe(driver.run()).catch_unwind().await.is_err() {
                tracing::error!(session = %id, "a session's driver panicked; the session is over");
            }
            let _ = myself.cast(SessionMsg::Ended);
        });
        Ok(State { id, server, commands, driver })
    }

    async fn handle(
        &self,
        myself: ActorRef<SessionMsg>,
        message: SessionMsg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            SessionMsg::Command(command) => {
                if state.commands.try_send(command).is_err() {
                    tracing::warn!(session = %state.id, "a session does not take its commands");
                }
            }
            SessionMsg::Report(event) => {
                let _ = state.server.cast(ServerMsg::Life(event));
            }
            SessionMsg::Ended => myself.stop(None),
        }
        Ok(())
    }
}

/// How a process that could not be started counts.
pub(super) const NOT_STARTED: Exit = Exit::Code(127);
