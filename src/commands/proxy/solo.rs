//! The shim that works alone: a supervisor of one session.

use defenter_actors::{
    session::{Attachment, SessionEvent, Streams},
    supervision::{Options, Prepared, StartError, Supervision},
};
use defenter_mcp::kept::Kept;
use tokio::{
    runtime::Builder,
    sync::{mpsc, oneshot},
};

use super::Job;
use crate::{
    Exit, allocator,
    commands::up::{self, Signals},
    failure::{Failure, OrFail},
    here,
};

/// Events that wait for us; we take them at once.
const EVENTS: usize = 8;

pub(super) fn run(job: Job, kept: Option<Kept>) -> Result<i32, Failure> {
    allocator::tame();
    let (house, rules) = here::furnished(Vec::new())?;
    up::log(&rules.loaded.settings, Some("warn"));
    let options = Options { house, rules, program: here::program()?, machine: false };
    let runtime = Builder::new_current_thread().enable_all().build().or_fail(Exit::Failed)?;
    let code = runtime.block_on(serve(options, job, kept));
    // A read of a terminal or a file may be stuck in the blocking pool.
    runtime.shutdown_background();
    code
}

async fn serve(options: Options, job: Job, kept: Option<Kept>) -> Result<i32, Failure> {
    let signals = Signals::new().or_fail(Exit::Failed)?;
    let prepared = Prepared::new(options).map_err(|error| start_failure(&error))?;
    let supervision = prepared.start().await.map_err(|error| start_failure(&error))?;
    let (here, gone) = oneshot::channel();
    let (events, mut news) = mpsc::channel(EVENTS);
    let Job { name, client, launch } = job;
    let id = uuid::Uuid::new_v4().to_string();
    let streams = streams().or_fail(Exit::Failed)?;
    supervision.attach(Attachment { id, name, client, launch, streams, kept, gone, events });
    let code = accompany(signals, here, &mut news).await;
    end(supervision).await;
    Ok(code)
}

/// How a failed start ends the program.
pub(in crate::commands) fn start_failure(error: &StartError) -> Failure {
    let exit = match error {
        StartError::Redaction(_) | StartError::Policy(_) => Exit::ConfigInvalid,
        _ => Exit::Failed,
    };
    Failure::of(exit, error)
}

async fn accompany(
    mut signals: Signals,
    here: oneshot::Sender<()>,
    news: &mut mpsc::Receiver<SessionEvent>,
) -> i32 {
    let mut here = Some(here);
    let mut signalled = None;
    loop {
        tokio::select! {
            number = signals.next() => {
                // The client wants us gone: its server goes the way of every server.
                signalled.get_or_insert(128 + number);
                here.take();
            }
            event = news.recv() => match event {
                Some(SessionEvent::Serving { .. }) => {}
                Some(SessionEvent::Released) => return signalled.unwrap_or(0),
                Some(SessionEvent::Ended { code }) => {
                    return signalled.unwrap_or(code);
                }
                None => return signalled.unwrap_or(1),
            },
        }
    }
}

async fn end(mut supervision: Supervision) {
    supervision.drain();
    supervision.ended().await;
}

#[cfg(unix)]
fn streams() -> std::io::Result<Streams> {
    use std::os::fd::AsFd;

    use defenter_mcp::stdio::{ErrorStream, Stream};
    Ok(Streams {
        input: Stream::new(std::io::stdin().as_fd().try_clone_to_owned()?)?,
        output: Stream::new(std::io::stdout().as_fd().try_clone_to_owned()?)?,
        error: ErrorStream::new(std::io::stderr().as_fd().try_clone_to_owned()?)?,
    })
}

#[cfg(not(unix))]
fn streams() -> std::io::Result<Streams> {
    use defenter_mcp::stdio::{ErrorStream, Stream};
    Ok(Streams { input: Stream::input(), output: Stream::output(), error: ErrorStream::own() })
}
