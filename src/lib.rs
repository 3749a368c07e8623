//! Defenter, the guard between AI clients and their MCP servers.
//!
//! This crate is the command line: what was said is read here, done by the crates below, and the
//! outcome becomes text and an exit code.

mod allocator;
mod cli;
pub mod commands;
mod control;
#[cfg(unix)]
mod detach;
mod exit;
mod failure;
mod here;
mod hook;
mod mask;
mod terminal;

use std::{ffi::OsString, process::ExitCode};

use clap::Parser;

use cli::{AuditCommand, Cli, Command, ConfigCommand, HookArgs, ProxyArgs};
pub use exit::Exit;
use failure::Failure;

/// Runs the `defenter` program.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    match Cli::try_parse_from(args) {
        Ok(cli) => dispatch(cli.command),
        Err(error) => usage(&error),
    }
}

/// Runs the `defenter-proxy` program.
pub fn run_proxy(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    match ProxyArgs::try_parse_from(args) {
        Ok(args) => proxy(args),
        Err(error) => usage(&error),
    }
}

fn usage(error: &clap::Error) -> ExitCode {
    // Nobody is left to tell when standard error is closed.
    let _ = error.print();
    if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() }
}

fn proxy(args: ProxyArgs) -> ExitCode {
    if args.ide_tool {
        return commands::hook::run(&HookArgs { client: args.ide, event: None });
    }
    commands::proxy::run(&args)
}

fn dispatch(command: Command) -> ExitCode {
    let outcome = match command {
        Command::Proxy(args) => return proxy(args),
        Command::Hook(args) => return commands::hook::run(&args),
        Command::Ask => return commands::ask::run(),
        #[cfg(unix)]
        Command::Guard => return commands::guard::run(),
        #[cfg(not(unix))]
        Command::Guard => Ok(Exit::Done),
        Command::Up(args) => commands::up::run(&args),
        Command::Install(args) => commands::install::run(&args),
        Command::Uninstall(args) => commands::uninstall::run(&args),
        Command::Servers(args) => commands::servers::run(&args),
        Command::Doctor(args) => commands::doctor::run(&args),
        Command::Status(args) => commands::status::run(&args),
        #[cfg(unix)]
        Command::Restart { name } => commands::restart::run(&name),
        #[cfg(unix)]
        Command::Logs { name, json } => commands::logs::run(&name, json),
        #[cfg(unix)]
        Command::Down => commands::down::run(),
        Command::Service(command) => commands::service::run(&command),
        #[cfg(not(unix))]
        Command::Restart { .. } | Command::Logs { .. } | Command::Down => {
            Err(control::not_running())
        }
        Command::Config(ConfigCommand::Show { json }) => commands::config::show(json),
        Command::Config(ConfigCommand::Explain { key }) => commands::config::explain(&key),
        Command::Config(ConfigCommand::Schema) => commands::config::schema(),
        Command::Redact(args) => commands::redact::run(&args),
        Command::Audit(AuditCommand::Tail { lines, json }) => commands::audit::tail(lines, json),
        Command::Audit(AuditCommand::Verify { json }) => commands::audit::verify(json),
        Command::Explain { server: Some(server), json, .. } => {
            commands::explain::server(&server, json)
        }
        Command::Explain { id, json, .. } => {
            commands::explain::operation(&id.unwrap_or_default(), json)
        }
        Command::Completions { shell } => commands::completions::run(shell),
    };
    match outcome {
        Ok(exit) => exit.into(),
        Err(failure) => failure.report(),
    }
}

/// What every command ends with.
pub(crate) type Outcome = Result<Exit, Failure>;
