//! `defenter hook`: answers one event of a client's hooks.
//!
//! Reads one JSON object, lets the supervisor decide where one runs (no runtime and no rule set is
//! needed then), decides alone elsewhere, and answers in the words of the client. Whatever goes wrong
//! is a denial with the reason.

use std::{process::ExitCode, sync::mpsc, time::Duration};

use defenter_actors::hook::DISPLAY_VARIABLES;
use defenter_mcp::hook::{HookCall, HookVerdict};

mod alone;
#[cfg(unix)]
mod joined;

use crate::{
    cli::HookArgs,
    failure::Failure,
    here,
    hook::{self, Dialect, Heard, Hint, HookError, Operation, Said, Stage},
    terminal,
};

/// How long the input may take. Some clients never close it, none takes its time.
const INPUT_WITHIN: Duration = Duration::from_secs(5);
/// The version of the local protocol that we speak.
#[cfg(unix)]
const VERSION: u32 = defenter_mcp::local::VERSION;
#[cfg(not(unix))]
const VERSION: u32 = 1;

pub(crate) fn run(args: &HookArgs) -> ExitCode {
    let hint = Hint { client: args.client.as_deref(), event: args.event.as_deref() };
    let said = match hear(hint) {
        Ok(heard) => hook::answer(heard.dialect, &heard.event, &verdict(&heard)),
        Err(error) => {
            let dialect = Dialect::of_client(hint.client);
            let event = hint.event.unwrap_or_default();
            hook::answer(dialect, event, &denied(&error.to_string()))
        }
    };
    say(&said)
}

fn denied(why: &str) -> HookVerdict {
    HookVerdict::Deny { text: format!("Operation blocked by Defenter: {}", terminal::plain(why)) }
}

fn say(said: &Said) -> ExitCode {
    terminal::complain(&said.error);
    if terminal::say(&said.output).is_err() {
        // Where an answer was due and could not be given, nothing may pass.
        return ExitCode::from(2);
    }
    ExitCode::from(said.code)
}

fn hear(hint: Hint<'_>) -> Result<Heard, HookError> {
    let (sender, input) = mpsc::sync_channel(1);
    // A read cannot be given up; the thread ends with the process.
    std::thread::spawn(move || sender.send(hook::read(std::io::stdin().lock())));
    let input = input.recv_timeout(INPUT_WITHIN);
    let input = input.map_err(|_| HookError::Slow(INPUT_WITHIN.as_secs()))??;
    Heard::of(&input, hint)
}

fn verdict(heard: &Heard) -> HookVerdict {
    let Some(operation) = &heard.operation else { return HookVerdict::Allow };
    if is_ours(heard.command.as_deref()) {
        return HookVerdict::Allow;
    }
    let call = call(heard, operation);
    decide(&call, operation.payload.as_bytes()).unwrap_or_else(|failure| denied(&failure.reason()))
}

#[cfg(unix)]
fn decide(call: &HookCall, payload: &[u8]) -> Result<HookVerdict, Failure> {
    let house = here::house(Vec::new())?;
    match joined::decide(&house.paths, call, payload)? {
        Some(verdict) => Ok(verdict),
        None => alone::decide(call, payload),
    }
}

#[cfg(not(unix))]
fn decide(call: &HookCall, payload: &[u8]) -> Result<HookVerdict, Failure> {
    alone::decide(call, payload)
}

/// Whether a server is started by this very program: then the proxy sees the call.
fn is_ours(command: Option<&str>) -> bool {
    let Some(command) = command else { return false };
    let Ok(program) = here::program() else { return false };
    let Some(program) = program.to_str() else { return false };
    command.strip_prefix(program).is_some_and(|rest| rest.is_empty() || rest.starts_with(" proxy "))
}

fn call(heard: &Heard, operation: &Operation) -> HookCall {
    let own = || format!("hook:{}", heard.client);
    let display = |name: &&str| Some(((*name).to_owned(), std::env::var(name).ok()?));
    HookCall {
        version: VERSION,
        client: heard.client.clone(),
        session: heard.session.clone(),
        server: operation.server.clone().unwrap_or_else(own),
        mcp: operation.mcp.clone(),
        method: operation.method.to_owned(),
        target: Some(operation.target.clone()),
        cwd: heard.cwd.clone(),
        happened: heard.stage == Stage::After,
        destructive: operation.destructive,
        client_asks: heard.asks,
        environment: DISPLAY_VARIABLES.iter().filter_map(display).collect(),
    }
}
