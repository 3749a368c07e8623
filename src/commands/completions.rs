//! `defenter completions`: a completion script for a shell.

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use crate::{Exit, Outcome, cli::Cli, terminal};

pub(crate) fn run(shell: Shell) -> Outcome {
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "defenter", &mut script);
    terminal::say_bytes(&script)?;
    Ok(Exit::Done)
}
