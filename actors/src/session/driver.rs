//! The driver of one session: decides when a process of its server starts and ends.
//!
//! Owns: the client's input, the running process and all tasks of the session.
//! Accepts: commands of the server's actor. Emits: lifecycle events, and the shim's news.
//! Promises: the session ends exactly when the client has left, or the server's actor says so; by
//! then every request has its answer and no process of the server is left.

use std::{io, sync::Arc, time::Duration};

use defenter_mcp::{
    process::{Exit, Grace, Launch, Life, ServerProcess, Spawner},
    stdio::Stream,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval, sleep, sleep_until, timeout},
};

use super::{
    SessionEvent,
    actor::{Arguments, NOT_STARTED},
    core::{Core, Parts},
    pump::{PumpEnd, client_to_server, server_to_client},
};
use crate::{entry::Relaunch, gate::Parties, server::lifecycle::Event};

/// How long what a dead server has written to its standard error is still waited for; a child of
/// its that lives on may hold the stream open for ever.
const LAST_WORDS: Duration = Duration::from_millis(250);
/// How long a server that has closed its output may take to end before it is made to.
const CLOSED_OUTPUT: Duration = Duration::from_millis(500);
/// How long an ending supervisor waits for requests in flight without hearing of any.
const STOPPING: Duration = Duration::from_secs(3);
/// How many bytes of a line over the limit are kept, so that whoever takes over refuses it too.
const KEPT_BEYOND: u64 = 128 << 10;
/// How often it is looked at most rarely whether the server still answers.
const LOOK: Duration = Duration::from_secs(15);
/// How long the last line to a client that may not read is waited for.
const LAST_LINES: Duration = Duration::from_secs(2);

/// What the server's actor wants.
#[derive(Debug)]
pub(crate) enum Command {
    /// Start a process after the delay.
    Start {
        /// The delay.
        after: Duration,
    },
    /// Replace the running process.
    Bounce,
    /// Start future processes like this, and replace the running one.
    Relaunch(Relaunch),
    /// No process until the next start; why.
    Hold(Arc<str>),
    /// End as the server ended.
    End(Exit),
    /// End in good order.
    Stop,
}

/// See the module.
pub(crate) struct Driver {
    core: Arc<Core>,
    launch: Launch,
    spawner: Spawner,
    input: Option<Stream>,
    commands: mpsc::Receiver<Command>,
    events: mpsc::Sender<SessionEvent>,
    gone: oneshot::Receiver<()>,
    running: Option<Running>,
    start_at: Option<Instant>,
    /// A process was started, or could not be.
    begun: bool,
    /// The client has closed its end, or we were told to stop: nothing new comes.
    closing: bool,
    client_closed: bool,
    /// The client is read no more, and everything that was read is passed on.
    parted: bool,
    kept: bool,
    /// We were told to stop: the session goes on elsewhere, if its shim can take it over.
    stopping: bool,
    last: Option<Exit>,
}

struct Running {
    group: u32,
    core: Arc<Core>,
    life: Life,
    pump: JoinHandle<PumpEnd>,
    relay: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.pump.abort();
        self.relay.abort();
        // Its group was ended before, or is by the drop of `life`.
        self.core.shared.warden.release(self.group);
    }
}

/// Aborts the client's pump with the driver.
struct ClientPump(JoinHandle<PumpEnd>);

impl Drop for ClientPump {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Driver {
    /// # Errors
    /// When what the one before us has left cannot be used.
    pub(crate) fn new(
        arguments: Arguments,
        commands: mpsc::Receiver<Command>,
        report: Box<dyn Fn(Event) + Send + Sync>,
    ) -> io::Result<Self> {
        let Arguments { id, attachment, shared, spawner, limits, figures, stderr, server: _ } =
            arguments;
        let parties = Arc::new(Parties::of(
            &attachment,
            shared.redactors.load().plain(),
            shared.home.as_deref(),
        ));
        let streams = attachment.streams;
        let longest = (limits.line as u64).saturating_add(KEPT_BEYOND);
        let opened = attachment.kept.map(|kept| kept.open(longest)).transpose()?;
        let kept = opened.is_some();
        let core = Core::new(Parts {
            id,
            parties,
            shared,
            limits,
            figures,
            stderr,
            output: streams.output,
            error: streams.error,
            kept: opened,
            report,
        })?;
        Ok(Self {
            core: Arc::new(core),
            launch: attachment.launch,
            spawner,
            input: Some(streams.input),
            commands,
            events: attachment.events,
            gone: attachment.gone,
            running: None,
            start_at: None,
            begun: false,
            closing: false,
            client_closed: false,
            parted: false,
            kept,
            stopping: false,
            last: None,
        })
    }

    /// Runs the session to its end.
    pub(crate) async fn run(mut self) {
        let Some(input) = self.input.take() else { return };
        let pump = client_to_server(self.core.clone(), input);
        let mut client = ClientPump(tokio::spawn(pump));
        self.core.settle_earlier().await;
        let code = self.serve(&mut client).await;
        drop(client);
        let handed_on = self.stopping && self.kept && !self.client_closed;
        self.core.close();
        self.core.figures.process(None, self.core.talk().recovery.generation());
        let event = if handed_on { SessionEvent::Released } else { SessionEvent::Ended { code } };
        // A shim that is gone does not wait for the news.
        let _ = self.events.try_send(event);
    }

    async fn serve(&mut self, client: &mut ClientPump) -> i32 {
        let mut look = interval(
            (self.core.limits.unresponsive_after / 4).clamp(Duration::from_millis(1), LOOK),
        );
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let begun = self.begun || self.stopping;
            let heard_out = self.client_closed || self.parted;
            if self.closing && heard_out && begun && self.core.is_idle() && self.start_at.is_none()
            {
                return self.finish().await;
            }
            let (core, drain) = (self.core.clone(), self.core.limits.drain);
            let drain = if self.stopping { drain.min(STOPPING) } else { drain };
            let quiet = drain.saturating_sub(self.core.silence());
            tokio::select! {
                biased;
                _ = &mut self.gone => return self.abandon(client).await,
                () = core.lost.notified() => return self.abandon(client).await,
                command = self.commands.recv() => {
                    if let Some(code) = self.obey(command.unwrap_or(Command::Stop)).await {
                        return code;
                    }
                }
                () = sleep_until(self.start_at.unwrap_or_else(Instant::now)),
                    if self.start_at.is_some() => self.start().await,
                end = ended(&mut self.running) => {
                    if let Some(code) = self.lost(end).await {
                        return code;
                    }
                }
                end = &mut client.0, if !self.client_closed && !self.parted => {
                    self.closing = true;
                    let parted = matches!(end, Ok(PumpEnd::Stopped));
                    self.parted |= parted;
                    self.client_closed |= !parted;
                }
                _ = look.tick(), if self.running.is_some() => self.look_after(),
                () = core.wanted.notified(), if self.running.is_none() => {
                    core.report(Event::Wanted(core.id));
                }
                () = core.moved.notified(), if self.closing => {}
                () = sleep(quiet), if self.closing => {
                    if self.core.silence() >= drain {
                        return self.finish().await;
                    }
                }
            }
        }
    }

    async fn obey(&mut self, command: Command) -> Option<i32> {
        match command {
            Command::Start { after } => self.start_at = Some(Instant::now() + after),
            Command::Bounce => self.bounce().await,
            Command::Relaunch(relaunch) => {
                self.relaunch(relaunch);
                if self.running.is_some() {
                    self.bounce().await;
                }
            }
            Command::Hold(reason) => {
                self.start_at = None;
                self.core.hold(reason).await;
            }
            Command::End(exit) => {
                self.core.hold("the server has ended".into()).await;
                return Some(exit.shell_code());
            }
            Command::Stop => {
                self.core.end_reading();
                self.closing = true;
                self.stopping = true;
            }
        }
        None
    }

    fn relaunch(&mut self, relaunch: Relaunch) {
        let mut words = relaunch.command.into_iter();
        let Some(command) = words.next() else { return };
        self.launch.command = command.into();
        self.launch.args = words.map(Into::into).collect();
        let env = &mut self.launch.env;
        env.retain(|(key, _)| {
            let key = key.to_string_lossy();
            !relaunch.unset.contains(&*key) && !relaunch.set.contains_key(&*key)
        });
        env.extend(relaunch.set.into_iter().map(|(key, value)| (key.into(), value.into())));
    }

    async fn start(&mut self) {
        self.begun = true;
        self.start_at = None;
        let process = match self.spawner.spawn(self.launch.clone()).await {
            Ok(process) => process,
            Err(error) => {
                self.core.say(&error.to_string()).await;
                let session = self.core.id;
                self.core.report(if self.core.was_answered() {
                    Event::Failed { session, exit: NOT_STARTED }
                } else {
                    Event::CannotStart(session)
                });
                return;
            }
        };
        let ServerProcess { pid, stdin, stdout, stderr, life } = process;
        let relay = tokio::spawn(relay(self.core.clone(), stderr));
        self.core.shared.warden.watch(pid);
        let core = self.core.clone();
        match self.core.server_started(stdin).await {
            Ok(generation) => {
                self.core.figures.process(Some(pid), generation);
                let pump = tokio::spawn(server_to_client(self.core.clone(), stdout));
                self.running = Some(Running { group: pid, core, life, pump, relay });
                let _ = self.events.try_send(SessionEvent::Serving { group: pid });
            }
            Err(error) => {
                let pump = tokio::spawn(async move { PumpEnd::Unrecoverable(error) });
                self.running = Some(Running { group: pid, core, life, pump, relay });
            }
        }
    }

    /// The running process has closed its output: makes sure that it is gone, and decides what
    /// its end means. Some code where the session ends with it.
    async fn lost(&mut self, end: PumpEnd) -> Option<i32> {
        let mut running = self.running.take()?;
        self.core.figures.unresponsive(None);
        let busy = !self.core.is_idle();
        // A dead process' input stays open, since it tells what the process has not read; one
        // that lives on is told to end by closing it.
        if timeout(CLOSED_OUTPUT, running.life.wait()).await.is_err() {
            self.core.close_input_now();
        }
        let grace = Grace { eof: Duration::ZERO, term: self.core.limits.grace.term };
        let exit = running.life.stop(grace).await;
        self.last = Some(exit);
        let _ = timeout(LAST_WORDS, &mut running.relay).await;
        drop(running);
        self.core.figures.process(None, self.core.talk().recovery.generation());
        self.core.server_gone().await;
        let session = self.core.id;
        if let PumpEnd::Unrecoverable(error) = end {
            self.core.say(&error.to_string()).await;
            self.core.hold(error.to_string().into()).await;
            return Some(1);
        }
        if self.closing && self.core.is_idle() {
            return Some(exit.shell_code());
        }
        let voluntary = exit.success() && !busy && self.core.was_answered();
        self.core.report(if voluntary {
            Event::Finished(session)
        } else {
            Event::Failed { session, exit }
        });
        None
    }

    /// Sees whether the server still answers. Nothing is ever asked of it: a probe of ours could
    /// decide on its protocol, or end it.
    fn look_after(&self) {
        let silent = self.core.unresponsive();
        let is_news = self.core.figures.unresponsive(silent);
        let (Some(silent), Some(running)) = (silent, &self.running) else { return };
        let (server, kill) = (&self.core.parties.server, self.core.limits.kill_unresponsive);
        if is_news {
            let seconds = silent.as_secs();
            tracing::warn!(%server, process = running.group, seconds, kill, "the server owes an answer and says nothing");
        }
        if kill {
            // Its end is then seen like that of any other crash.
            running.life.group().kill();
        }
    }

    async fn bounce(&mut self) {
        if let Some(mut running) = self.running.take() {
            self.core.close_input().await;
            self.last = Some(running.life.stop(self.core.limits.grace).await);
            // What it had written before it ended still counts.
            let _ = timeout(LAST_WORDS, &mut running.pump).await;
            let _ = timeout(LAST_WORDS, &mut running.relay).await;
            drop(running);
            self.core.server_gone().await;
        }
        self.start_at = Some(Instant::now());
    }

    /// The client has closed its end and nothing is in flight: passes the end on, and what the
    /// server still says; ends as the server ends.
    async fn finish(&mut self) -> i32 {
        let Some(mut running) = self.running.take() else {
            return self.last.map_or(0, Exit::shell_code);
        };
        // Nothing is in flight, so at most an answer of our own is still being written.
        let _ = timeout(LAST_WORDS, self.core.close_input()).await;
        let stop = running.life.stop(self.core.limits.grace);
        let exit = tokio::select! {
            exit = stop => exit,
            _ = &mut self.gone => running.life.kill().await,
        };
        let _ = timeout(LAST_LINES, &mut running.pump).await;
        let _ = timeout(LAST_WORDS, &mut running.relay).await;
        exit.shell_code()
    }

    /// The client is gone: nobody reads or answers any more. Its streams are closed at once, as
    /// they would be had it been connected to the server itself.
    async fn abandon(&mut self, client: &ClientPump) -> i32 {
        client.0.abort();
        self.core.close();
        if let Some(running) = &self.running {
            running.pump.abort();
        }
        self.core.close_output().await;
        let Some(mut running) = self.running.take() else { return 0 };
        self.core.close_input_now();
        running.life.stop(self.core.limits.grace).await.shell_code()
    }
}

async fn ended(running: &mut Option<Running>) -> PumpEnd {
    match running {
        // A pump that panicked has lost its place in the stream, so its process is replaced.
        Some(running) => (&mut running.pump).await.unwrap_or(PumpEnd::Closed),
        None => std::future::pending().await,
    }
}

/// Passes on what a server writes to its standard error, as it comes.
async fn relay(core: Arc<Core>, mut stderr: impl AsyncRead + Unpin) {
    let mut buffer = vec![0u8; 4096];
    while let Ok(count @ 1..) = stderr.read(&mut buffer).await {
        core.to_stderr(&buffer[..count]).await;
    }
}
