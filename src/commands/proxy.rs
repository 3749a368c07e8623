//! `defenter proxy`: runs one server behind Defenter, in its place.
//!
//! It hands the client to the supervisor where one runs, and does the whole job alone elsewhere.
//! Until it knows which, it costs no runtime and no rule set.

use std::{ffi::OsString, fs::File, ops::ControlFlow, path::PathBuf, process::ExitCode};

use defenter_actors::house::House;
use defenter_config::Given;
use defenter_mcp::{kept::Kept, process::Launch};

#[cfg(unix)]
mod autostart;
#[cfg(unix)]
mod shim;
mod solo;

pub(super) use solo::start_failure;

use crate::{
    Exit,
    cli::ProxyArgs,
    failure::{Failure, OrFail},
    here,
};

/// The largest wrapped config.
const MAX_CONFIG: u64 = 1 << 20;

/// A server to run for a client.
struct Job {
    name: String,
    client: Option<String>,
    launch: Launch,
}

pub(crate) fn run(args: &ProxyArgs) -> ExitCode {
    match try_run(args) {
        Ok(code) => exit_code(code),
        Err(failure) => failure.report(),
    }
}

/// Exit codes are a byte; what does not fit is a failure all the same.
fn exit_code(code: i32) -> ExitCode {
    u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from)
}

fn try_run(args: &ProxyArgs) -> Result<i32, Failure> {
    let job = Job::of(args)?;
    let house = here::house(Vec::new())?;
    let kept = match joined(args, &house, &job) {
        ControlFlow::Break(code) => return Ok(code),
        ControlFlow::Continue(kept) => kept,
    };
    drop(house);
    solo::run(job, kept)
}

/// Has a supervisor serve the client. Goes on where there is none, with what one that is gone has
/// left.
#[cfg(unix)]
fn joined(args: &ProxyArgs, house: &House, job: &Job) -> ControlFlow<i32, Option<Kept>> {
    if args.alone {
        return ControlFlow::Continue(None);
    }
    let mut end = shim::run(&house.paths, job);
    if matches!(end, shim::End::Nobody) && autostart::start(house) {
        end = shim::run(&house.paths, job);
    }
    match end {
        shim::End::Ended(code) => ControlFlow::Break(code),
        shim::End::Nobody => ControlFlow::Continue(None),
        shim::End::Alone(left) => ControlFlow::Continue(left),
    }
}

/// Without a local socket every proxy works alone.
#[cfg(not(unix))]
fn joined(_args: &ProxyArgs, _house: &House, _job: &Job) -> ControlFlow<i32, Option<Kept>> {
    ControlFlow::Continue(None)
}

impl Job {
    fn of(args: &ProxyArgs) -> Result<Self, Failure> {
        let mut words = args.server.iter().cloned();
        if let Some(command) = words.next() {
            let launch = launch(command, words.collect(), Vec::new(), None);
            return Ok(Self { name: args.name.clone(), client: args.client.clone(), launch });
        }
        let Some(text) = &args.wrapped_config else {
            return Err(Failure::new(Exit::Usage, "no server is named")
                .hint("give its command after `--`, or its entry with `--wrapped-config`"));
        };
        let given = Given::read(&config_text(text)?).or_fail(Exit::Usage)?;
        let env = given.env.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        let args_of = given.args.into_iter().map(Into::into).collect();
        let launch = launch(given.command.into(), args_of, env, given.cwd.map(Into::into));
        // The name on the command line is the client's; the config's own stands in for none.
        let name = match given.name {
            Some(name) if args.name == crate::cli::DEFAULT_NAME => name,
            _ => args.name.clone(),
        };
        Ok(Self { name, client: args.client.clone(), launch })
    }
}

fn config_text(given: &str) -> Result<String, Failure> {
    use std::io::Read;
    let (name, mut input): (String, Box<dyn Read>) = match given.strip_prefix('@') {
        Some(path) => (
            path.to_owned(),
            Box::new(File::open(path).map_err(|error| {
                Failure::new(Exit::Usage, format!("failed to read {path}: {error}"))
            })?),
        ),
        None if given == "-" => ("standard input".to_owned(), Box::new(Line(std::io::stdin()))),
        None => return Ok(given.to_owned()),
    };
    let mut text = String::new();
    let read = input.by_ref().take(MAX_CONFIG).read_to_string(&mut text);
    read.map_err(|error| Failure::new(Exit::Usage, format!("failed to read {name}: {error}")))?;
    Ok(text)
}

/// The first line of standard input, byte by byte: what follows it is the client's.
struct Line(std::io::Stdin);

impl std::io::Read for Line {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let Some(first) = buffer.first_mut() else { return Ok(0) };
        let mut byte = [0];
        if read_unbuffered(&self.0, &mut byte)? == 0 || byte == *b"\n" {
            return Ok(0);
        }
        *first = byte[0];
        Ok(1)
    }
}

#[cfg(unix)]
fn read_unbuffered(stdin: &std::io::Stdin, byte: &mut [u8; 1]) -> std::io::Result<usize> {
    Ok(rustix::io::retry_on_intr(|| rustix::io::read(stdin, &mut *byte))?)
}

#[cfg(not(unix))]
fn read_unbuffered(stdin: &std::io::Stdin, byte: &mut [u8; 1]) -> std::io::Result<usize> {
    use std::io::Read;
    stdin.lock().read(byte)
}

fn launch(
    command: OsString,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    cwd: Option<PathBuf>,
) -> Launch {
    let mut all: Vec<(OsString, OsString)> = std::env::vars_os().collect();
    all.retain(|(key, _)| !env.iter().any(|(name, _)| name == key));
    all.extend(env);
    let cwd = cwd.or_else(|| std::env::current_dir().ok());
    Launch { command, args, env: all, cwd }
}
