//! The Listener actor: the local socket where shims attach and the command line asks.
//!
//! - Owns: the socket and its connections.
//! - Accepts: connections of the same user, a bounded number at once.
//! - Emits: attachments and questions to the supervisor's other actors.
//! - Dies when: the socket fails, or its supervisor stops it.
//! - Restarts: by binding the socket anew; attached sessions are not touched.

use std::{os::fd::OwnedFd, path::PathBuf, sync::Arc, time::Duration};

use defenter_mcp::{
    hook::{HookCall, HookVerdict},
    kept::Kept,
    local::{self, Attach, GO, LocalError, Notice, Packet, Request, VERSION},
    stdio::{ErrorStream, Stream},
};
use ractor::{Actor, ActorProcessingErr, ActorRef, rpc::CallResult};
use serde::Serialize;
use tokio::{
    io::AsyncReadExt,
    net::{UnixListener, UnixStream},
    sync::{Semaphore, mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};

use crate::{
    hook,
    servers::ServersMsg,
    session::{Attachment, SessionEvent, Streams},
    shared::Shared,
    slot::Slot,
    status::{LogsView, StatusView},
    supervisor::SupervisorMsg,
};

/// Connections at once; further ones wait in the system's backlog.
const CONNECTIONS: usize = 1024;
/// How long a peer may take to say what it wants, and to take its place.
const PROMPT: Duration = Duration::from_secs(5);
/// How long an answer may take to be found.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// How long it may take to find out which servers the proxy carries, for a hook.
const SERVERS_WITHIN: Duration = Duration::from_secs(1);
/// Events of a session that wait for its shim.
const EVENTS: usize = 8;

/// The actor takes no messages; it is stopped by its supervisor.
pub(crate) enum ListenerMsg {}

/// See the module.
pub(crate) struct Listener;

/// What the actor is started with.
#[derive(Clone)]
pub(crate) struct Arguments {
    pub(crate) socket: PathBuf,
    pub(crate) supervisor: ActorRef<SupervisorMsg>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) servers: Slot<ServersMsg>,
}

pub(crate) struct State {
    accepting: JoinHandle<()>,
    socket: PathBuf,
}

impl Drop for State {
    fn drop(&mut self) {
        self.accepting.abort();
        // Whoever connects from now on must find nobody rather than wait.
        let _ = std::fs::remove_file(&self.socket);
    }
}

impl Actor for Listener {
    type Msg = ListenerMsg;
    type State = State;
    type Arguments = Arguments;

    async fn pre_start(
        &self,
        myself: ActorRef<ListenerMsg>,
        arguments: Arguments,
    ) -> Result<State, ActorProcessingErr> {
        let socket = arguments.socket.clone();
        let listener = bind(&socket)?;
        let accepting = tokio::spawn(async move {
            let error = accept(listener, arguments).await;
            tracing::error!(%error, "the local socket failed");
            myself.stop(Some(error.to_string()));
        });
        Ok(State { accepting, socket })
    }
}

/// Binds the socket, in the place of one that a dead supervisor left behind. The caller holds the
/// supervisor's lock, so nobody else serves it.
fn bind(socket: &PathBuf) -> std::io::Result<UnixListener> {
    match std::fs::remove_file(socket) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(socket)?;
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(socket, mode)?;
    Ok(listener)
}

async fn accept(listener: UnixListener, arguments: Arguments) -> std::io::Error {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else {
            return std::io::ErrorKind::BrokenPipe.into();
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let arguments = arguments.clone();
                tokio::spawn(async move {
                    if let Err(error) = serve(stream, &arguments).await {
                        tracing::warn!(%error, "a connection to the local socket failed");
                    }
                    drop(place);
                });
            }
            // Out of descriptors: wait until some are given back instead of spinning.
            Err(error) if matches!(error.raw_os_error(), Some(23 | 24)) => {
                tracing::warn!(%error, "cannot accept connections for now");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionAborted => {}
            Err(error) => return error,
        }
    }
}

async fn serve(mut stream: UnixStream, arguments: &Arguments) -> Result<(), LocalError> {
    local::check_peer(&stream)?;
    let Ok(packet) = timeout(PROMPT, local::accept::<Request>(&mut stream)).await else {
        return Err(LocalError::Malformed("nothing was asked for in time".into()));
    };
    let Some(Packet { body, blob, descriptors }) = packet? else { return Ok(()) };
    match body {
        Request::Attach(attach) => {
            self::attach(stream, arguments, attach, &blob, descriptors).await
        }
        Request::Hook(call) => hook(&mut stream, arguments, &call, &blob).await,
        other => answer(&mut stream, arguments, other).await,
    }
}

async fn answer(
    stream: &mut UnixStream,
    arguments: &Arguments,
    request: Request,
) -> Result<(), LocalError> {
    let supervisor = &arguments.supervisor;
    match request {
        Request::Attach(_) | Request::Hook(_) => Ok(()),
        Request::Status => {
            let status = supervisor.call(SupervisorMsg::Status, Some(ANSWER_WITHIN)).await;
            let status: Option<StatusView> = success(status);
            reply(stream, status).await
        }
        Request::Restart { name } => {
            let count = ask_servers(arguments, |port| ServersMsg::Restart(name, port)).await;
            reply(stream, count).await
        }
        Request::Logs { name } => {
            let logs = ask_servers(arguments, |port| ServersMsg::Logs(name, port)).await;
            let view = |(server, stderr)| LogsView { server, stderr };
            let logs: Option<Vec<LogsView>> = logs.map(|logs| logs.into_iter().map(view).collect());
            reply(stream, logs).await
        }
        Request::Reload => reply(stream, supervisor.cast(SupervisorMsg::Reload).ok()).await,
        Request::Stop => reply(stream, supervisor.cast(SupervisorMsg::Drain).ok()).await,
    }
}

/// Answers a hook; its question is closed when it gives up.
async fn hook(
    stream: &mut UnixStream,
    arguments: &Arguments,
    call: &HookCall,
    payload: &[u8],
) -> Result<(), LocalError> {
    if call.version != VERSION {
        return reply::<HookVerdict>(stream, None).await;
    }
    if call.mcp.is_some() {
        let servers = ask_servers(arguments, ServersMsg::Status);
        let servers = timeout(SERVERS_WITHIN, servers).await.ok().flatten();
        if hook::is_proxied(call, &servers.unwrap_or_default()) {
            return reply(stream, Some(HookVerdict::Allow)).await;
        }
    }
    let (mut reader, mut writer) = stream.split();
    let gone = async {
        let mut byte = [0u8; 1];
        // A hook says nothing more: whatever comes is its end.
        let _ = reader.read(&mut byte).await;
    };
    let verdict = arguments.shared.judge(call, payload, gone).await;
    local::reply(&mut writer, &Answer::Ok(verdict)).await
}

fn success<T, E>(answer: Result<CallResult<T>, E>) -> Option<T> {
    match answer {
        Ok(CallResult::Success(value)) => Some(value),
        _ => None,
    }
}

async fn ask_servers<T: Send + 'static>(
    arguments: &Arguments,
    message: impl FnOnce(ractor::RpcReplyPort<T>) -> ServersMsg,
) -> Option<T> {
    let servers = arguments.servers.get()?;
    success(servers.call(message, Some(ANSWER_WITHIN)).await)
}

/// An answer, or the word that none could be had in time.
#[derive(Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer<T> {
    /// What was asked for.
    Ok(T),
    /// The supervisor is too busy, or stopping.
    Busy,
}

async fn reply<T: Serialize>(stream: &mut UnixStream, answer: Option<T>) -> Result<(), LocalError> {
    local::reply(stream, &answer.map_or(Answer::Busy, Answer::Ok)).await
}

async fn attach(
    mut stream: UnixStream,
    arguments: &Arguments,
    attach: Attach,
    blob: &[u8],
    descriptors: Vec<OwnedFd>,
) -> Result<(), LocalError> {
    if attach.version != VERSION {
        let reason = format!("the supervisor speaks version {VERSION} of the local protocol");
        return local::reply(&mut stream, &Notice::Refused { reason }).await;
    }
    let launch = local::unpack(blob)?;
    let id = uuid::Uuid::new_v4().to_string();
    local::reply(&mut stream, &Notice::Attached { session: id.clone() }).await?;
    match timeout(PROMPT, stream.read_u8()).await {
        Ok(Ok(GO)) => {}
        _ => return Err(LocalError::Malformed("the shim did not take its place".into())),
    }
    let (streams, kept) = take(descriptors)?;
    let (here, gone) = oneshot::channel();
    let (events, queue) = mpsc::channel(EVENTS);
    let Attach { name, client, .. } = attach;
    let kept = Some(kept);
    let attachment = Attachment { id, name, client, launch, streams, kept, gone, events };
    // If nobody takes it, it is dropped, and this connection with it: the shim takes over.
    arguments.servers.cast(ServersMsg::Attach(Box::new(attachment)));
    accompany(stream, here, queue).await
}

fn take(descriptors: Vec<OwnedFd>) -> Result<(Streams, Kept), LocalError> {
    let Ok([input, output, error, journal, outbox]) = <[OwnedFd; 5]>::try_from(descriptors) else {
        return Err(LocalError::Malformed("five descriptors were expected".into()));
    };
    let streams = Streams {
        input: Stream::new(input)?,
        output: Stream::new(output)?,
        error: ErrorStream::new(error)?,
    };
    Ok((streams, Kept::from_descriptors([journal, outbox])))
}

/// Keeps a shim informed until its session ends, and its session until the shim is gone.
async fn accompany(
    stream: UnixStream,
    here: oneshot::Sender<()>,
    mut queue: mpsc::Receiver<SessionEvent>,
) -> Result<(), LocalError> {
    let (mut reader, mut writer) = stream.into_split();
    let mut byte = [0u8; 1];
    loop {
        tokio::select! {
            // A shim says nothing after it has taken its place: whatever comes is its end.
            _ = reader.read(&mut byte) => {
                drop(here);
                // The session still has to end its server; nobody listens to how.
                while queue.recv().await.is_some() {}
                return Ok(());
            }
            event = queue.recv() => match event {
                Some(SessionEvent::Serving { group }) => {
                    local::reply(&mut writer, &Notice::Serving { group }).await?;
                }
                // The shim sees the connection close, and takes over.
                Some(SessionEvent::Released) | None => return Ok(()),
                Some(SessionEvent::Ended { code }) => {
                    return local::reply(&mut writer, &Notice::Ended { code }).await;
                }
            },
        }
    }
}
