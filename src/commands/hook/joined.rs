//! The hook that has found a supervisor: it asks, and waits for the verdict.

use std::{io, os::unix::net::UnixStream, time::Duration};

use defenter_actors::listener::Answer;
use defenter_config::Paths;
use defenter_mcp::{
    hook::{HookCall, HookVerdict},
    local::{self, LocalError, Request},
};

use crate::{Exit, failure::Failure};

/// How long a verdict may take: a question to the user, and some more. It stays below the 30 s
/// after which several clients go on by themselves.
const VERDICT_WITHIN: Duration = Duration::from_secs(28);

/// The supervisor's verdict; nothing where none is there to give one.
pub(super) fn decide(
    paths: &Paths,
    call: &HookCall,
    payload: &[u8],
) -> Result<Option<HookVerdict>, Failure> {
    let Ok(mut stream) = UnixStream::connect(&paths.socket) else { return Ok(None) };
    if stream.set_read_timeout(Some(VERDICT_WITHIN)).is_err()
        || stream.set_write_timeout(Some(VERDICT_WITHIN)).is_err()
    {
        return Ok(None);
    }
    let request = Request::Hook(Box::new(call.clone()));
    if local::send(&mut stream, &request, payload, &[]).is_err() {
        return Ok(None);
    }
    match local::receive::<Answer<HookVerdict>>(&mut stream) {
        Ok(Some(Answer::Ok(verdict))) => Ok(Some(verdict)),
        Err(LocalError::Io(error)) if is_late(&error) => {
            Err(Failure::new(Exit::Failed, "the supervisor did not decide in time"))
        }
        // It stops, or is of another version.
        Ok(Some(Answer::Busy) | None) | Err(_) => Ok(None),
    }
}

fn is_late(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}
