//! Asking the system's service manager.
//!
//! Accepts: the steps of a plan. Emits: what it said, or why it could not.
//! Promises: each wait and each answer is bounded; what does not end is killed.

use std::{
    io::{self, Read},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use super::plan::Step;

/// How long the service manager may take for one step; it waits for the service to stop, which may
/// drain for 30 s.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is looked at meanwhile.
const LOOK: Duration = Duration::from_millis(10);
/// How much of what it says is kept, in bytes.
const MAX_SAID: u64 = 4096;

/// Why a step was not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum AskError {
    /// The program is not there.
    #[error("`{0}` is not on this machine")]
    NoProgram(&'static str),
    /// It could not be run.
    #[error("failed to run `{step}`: {source}")]
    Run {
        /// What was run.
        step: String,
        /// What the system said.
        source: io::Error,
    },
    /// It did not end.
    #[error("`{step}` did not end within {} s", PATIENCE.as_secs())]
    Silent {
        /// What was run.
        step: String,
    },
    /// It said no.
    #[error("`{step}` ended with {status}: {said}")]
    Refused {
        /// What was run.
        step: String,
        /// How it ended.
        status: ExitStatus,
        /// What it said.
        said: String,
    },
}

/// Takes the steps in their order, up to the first that fails and may not.
pub(super) fn all(steps: &[Step]) -> Result<(), AskError> {
    for step in steps {
        let (status, said) = one(step)?;
        if !status.success() && !step.may_fail {
            return Err(AskError::Refused { step: step.to_string(), status, said });
        }
    }
    Ok(())
}

/// The first line of what a step says, however it ends.
pub(super) fn first_line(step: &Step) -> Result<String, AskError> {
    let (status, said) = one(step)?;
    Ok(said.lines().next().map_or_else(|| status.to_string(), str::to_owned))
}

fn one(step: &Step) -> Result<(ExitStatus, String), AskError> {
    let failed = |source| AskError::Run { step: step.to_string(), source };
    let (mut reader, writer) = io::pipe().map_err(failed)?;
    let mut command = Command::new(step.program);
    command.args(&step.args).stdin(Stdio::null());
    command.stdout(writer.try_clone().map_err(failed)?).stderr(writer);
    let child = match command.spawn() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(AskError::NoProgram(step.program));
        }
        other => other.map_err(failed)?,
    };
    // The other end of the pipe is with the child alone.
    drop(command);
    let reader = std::thread::spawn(move || {
        let mut said = Vec::new();
        let kept = (&mut reader).take(MAX_SAID).read_to_end(&mut said);
        // What is beyond is read so that nobody waits for it, and forgotten.
        kept.and_then(|_| io::copy(&mut reader, &mut io::sink())).map(|_| said)
    });
    let status = wait(child).map_err(failed)?;
    let status = status.ok_or_else(|| AskError::Silent { step: step.to_string() })?;
    let said = reader.join().ok().and_then(Result::ok).unwrap_or_default();
    Ok((status, String::from_utf8_lossy(&said).trim().to_owned()))
}

/// Waits for the end of a process; nothing where it was killed for not ending.
fn wait(mut child: Child) -> io::Result<Option<ExitStatus>> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::park_timeout(LOOK);
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn step(script: &str, may_fail: bool) -> Step {
        Step { program: "/bin/sh", args: vec!["-c".to_owned(), script.to_owned()], may_fail }
    }

    #[test]
    fn what_the_manager_says_is_kept_and_what_it_refuses_is_told() {
        assert_eq!(first_line(&step("echo active; echo more", false)).expect("said"), "active");
        assert_eq!(first_line(&step("echo inactive; exit 3", false)).expect("said"), "inactive");
        assert!(all(&[step("exit 1", true), step("true", false)]).is_ok());
        let error = all(&[step("echo no bus >&2; exit 4", false)]).expect_err("refused");
        assert!(error.to_string().ends_with("exit status: 4: no bus"), "{error}");
        let nobody = Step { program: "/nonexistent/x", args: Vec::new(), may_fail: true };
        assert!(matches!(all(&[nobody]), Err(AskError::NoProgram(_))));
    }

    #[test]
    fn much_that_is_said_is_cut() {
        let (status, said) = one(&step("yes x | head -c 1000000", false)).expect("run");
        assert!(status.success() && said.len() as u64 <= MAX_SAID);
    }
}
