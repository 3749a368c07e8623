//! Exit codes: the one table of what our programs return.
//!
//! `defenter proxy` is the exception: it returns what the wrapped server returned.

use std::process::ExitCode;

/// What a command's end means to whoever started it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Failed; standard error says why and what to do.
    Failed = 1,
    /// The command line is wrong (clap's own code too).
    Usage = 2,
    /// There was nothing to do.
    NothingToDo = 3,
    /// The policy or the user refused.
    Refused = 4,
    /// The settings, a policy or a rule file is invalid.
    ConfigInvalid = 5,
    /// No supervisor runs.
    NotRunning = 6,
    /// What is installed differs from what should be, or `doctor` found an error.
    Drift = 7,
    /// `defenter redact` found something.
    Found = 10,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
