//! The shim that has found a supervisor: it hands over the client's streams and waits.
//!
//! No runtime, no rules. Should the supervisor die or stop, the shim ends what is left of the
//! server, and goes on with the session: with the next supervisor if there is one, alone
//! otherwise. What it needs for that is in two anonymous files that both have open.

use std::{
    io::{self, Write},
    os::{fd::AsFd, unix::net::UnixStream},
    time::Duration,
};

use defenter_config::Paths;
use defenter_mcp::{
    kept::Kept,
    local::{self, Attach, GO, Notice, Request, VERSION},
};
use rustix::process::{Pid, Signal, kill_process_group};

use super::Job;
use crate::terminal;

/// How long a supervisor may take to answer; one that does not is treated as none.
const PROMPT: Duration = Duration::from_secs(2);
/// How often a session may change its supervisor; more than an upgrade ever needs, and an end to
/// one that dies of the session itself.
const MOVES: u32 = 16;

/// How it went.
pub(super) enum End {
    /// The session was served, and ended with this code.
    Ended(i32),
    /// No supervisor was there to begin with.
    Nobody,
    /// Nobody serves the client any more; what is left of its session.
    Alone(Option<Kept>),
}

pub(super) fn run(paths: &Paths, job: &Job) -> End {
    let Ok(kept) = Kept::new() else { return End::Alone(None) };
    for turn in 0..MOVES {
        let Ok(stream) = UnixStream::connect(&paths.socket) else {
            if turn == 0 {
                return End::Nobody;
            }
            break;
        };
        let Some(stream) = attach(stream, job, &kept) else { break };
        if let Some(code) = wait(stream) {
            return End::Ended(code);
        }
    }
    End::Alone(Some(kept))
}

fn attach(mut stream: UnixStream, job: &Job, kept: &Kept) -> Option<UnixStream> {
    stream.set_read_timeout(Some(PROMPT)).ok()?;
    let parent = rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get());
    let request = Request::Attach(Attach {
        version: VERSION,
        name: job.name.clone(),
        client: job.client.clone(),
        parent: parent.and_then(|pid| u32::try_from(pid).ok()),
    });
    let (input, output, error) = (io::stdin(), io::stdout(), io::stderr());
    let [journal, outbox] = kept.descriptors();
    let streams = [input.as_fd(), output.as_fd(), error.as_fd(), journal, outbox];
    local::send(&mut stream, &request, &local::pack(&job.launch), &streams).ok()?;
    match local::receive(&mut stream) {
        Ok(Some(Notice::Attached { .. })) => {}
        Ok(Some(Notice::Refused { reason })) => {
            terminal::complain(&format!("defenter: working without the supervisor: {reason}\n"));
            return None;
        }
        _ => return None,
    }
    // From here on the client's bytes are the supervisor's.
    stream.write_all(&[GO]).ok()?;
    stream.set_read_timeout(None).ok()?;
    Some(stream)
}

/// Waits for the session's end; nothing where the supervisor is gone and the session is not.
fn wait(mut stream: UnixStream) -> Option<i32> {
    let mut group = None;
    loop {
        match local::receive(&mut stream) {
            Ok(Some(Notice::Serving { group: serving })) => {
                group = i32::try_from(serving).ok().and_then(Pid::from_raw);
            }
            Ok(Some(Notice::Ended { code })) => return Some(code),
            Ok(Some(Notice::Attached { .. } | Notice::Refused { .. })) => {}
            Ok(None) | Err(_) => {
                // The kernel has killed the server itself; this is for what it had started. It
                // fails only where nothing is left.
                if let Some(group) = group {
                    let _ = kill_process_group(group, Signal::KILL);
                }
                return None;
            }
        }
    }
}
