//! Asking the running supervisor.

use crate::{Exit, failure::Failure};

/// The failure of a command that needs a supervisor.
pub(crate) fn not_running() -> Failure {
    Failure::new(Exit::NotRunning, "no supervisor is running").hint("start one with `defenter up`")
}

#[cfg(unix)]
pub(crate) use unix::{ask, ask_if_running, status};

/// What runs: nothing, where there is no local socket.
#[cfg(not(unix))]
pub(crate) fn status(
    _paths: &defenter_config::Paths,
) -> Result<Option<defenter_actors::status::StatusView>, Failure> {
    Ok(None)
}

#[cfg(unix)]
mod unix {
    use std::{os::unix::net::UnixStream, time::Duration};

    use defenter_actors::{listener::Answer, status::StatusView};
    use defenter_config::Paths;
    use defenter_mcp::local::{self, Request};
    use serde::de::DeserializeOwned;

    use super::not_running;
    use crate::{
        Exit,
        failure::{Failure, OrFail},
    };

    /// How long an answer may take.
    const PATIENCE: Duration = Duration::from_secs(10);

    /// Asks the supervisor; nothing where none runs.
    pub(crate) fn ask_if_running<T: DeserializeOwned>(
        paths: &Paths,
        request: &Request,
    ) -> Result<Option<T>, Failure> {
        let Ok(mut stream) = UnixStream::connect(&paths.socket) else { return Ok(None) };
        stream.set_read_timeout(Some(PATIENCE)).or_fail(Exit::Failed)?;
        local::send(&mut stream, request, &[], &[]).or_fail(Exit::Failed)?;
        match local::receive::<Answer<T>>(&mut stream).or_fail(Exit::Failed)? {
            Some(Answer::Ok(value)) => Ok(Some(value)),
            Some(Answer::Busy) | None => Err(Failure::new(
                Exit::Failed,
                "the supervisor did not answer: it is stopping, or very busy",
            )),
        }
    }

    /// What runs; nothing where no supervisor does.
    pub(crate) fn status(paths: &Paths) -> Result<Option<StatusView>, Failure> {
        ask_if_running(paths, &Request::Status)
    }

    /// Asks the supervisor.
    pub(crate) fn ask<T: DeserializeOwned>(paths: &Paths, request: &Request) -> Result<T, Failure> {
        ask_if_running(paths, request)?.ok_or_else(not_running)
    }
}
