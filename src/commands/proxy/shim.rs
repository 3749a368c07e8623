//! The shim that has found a supervisor: it hands over the client's streams and waits.
//!
//! No runtime, no rules. Promises: should the supervisor die, the server's process group is ended.

use std::{
    io::Write,
    os::{fd::AsFd, unix::net::UnixStream},
    time::Duration,
};

use defenter_config::Paths;
use defenter_mcp::local::{self, Attach, GO, Notice, Request, VERSION};
use rustix::process::Pid;

use super::Job;
use crate::{commands::guard, terminal};

/// How long a supervisor may take to answer; one that does not is treated as none.
const PROMPT: Duration = Duration::from_secs(2);

/// How it went.
pub(super) enum End {
    /// The session was served, and ended with this code.
    Ended(i32),
    /// Nobody took the client; its streams are untouched.
    NoSupervisor,
}

pub(super) fn run(paths: &Paths, job: &Job) -> End {
    match attach(paths, job) {
        Some(stream) => wait(stream),
        None => End::NoSupervisor,
    }
}

fn attach(paths: &Paths, job: &Job) -> Option<UnixStream> {
    let mut stream = UnixStream::connect(&paths.socket).ok()?;
    stream.set_read_timeout(Some(PROMPT)).ok()?;
    let request = Request::Attach(Attach {
        version: VERSION,
        name: job.name.clone(),
        client: job.client.clone(),
        parent: rustix::process::getppid().and_then(|pid| u32::try_from(pid.as_raw_nonzero().get()).ok()),
    });
    let (input, output, error) = (std::io::stdin(), std::io::stdout(), std::io::stderr());
    let streams = [input.as_fd(), output.as_fd(), error.as_fd()];
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

fn wait(mut stream: UnixStream) -> End {
    let mut group = None;
    loop {
        match local::receive(&mut stream) {
            Ok(Some(Notice::Serving { group: serving })) => {
                group = i32::try_from(serving).ok().and_then(Pid::from_raw);
            }
            Ok(Some(Notice::Ended { code })) => return End::Ended(code),
            Ok(Some(Notice::Attached { .. } | Notice::Refused { .. })) => {}
            Ok(None) | Err(_) => {
                if let Some(group) = group {
                    guard::end(group);
                }
                terminal::complain("defenter: the supervisor is gone and the session with it\n");
                return End::Ended(1);
            }
        }
    }
}
