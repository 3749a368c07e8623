//! `defenter redact`: copies text or JSON of any length with secrets and personal data replaced, or
//! shows what was found.
//!
//! Exits with 0 where nothing was found, with 10 where something was, and with 1 where an input
//! could not be read or looked through to its end; the others are still done.

mod in_place;
mod pass;
mod place;
mod report;
mod rules;

use std::{
    fs::File,
    io::{self, Read},
    num::NonZeroUsize,
    path::Path,
};

use defenter_actors::{
    house::Rules,
    redaction::{RedactionInput, Redactors, ServerException},
};
use defenter_redact::{Exception, Kind, Redactor};

use self::{
    pass::{Output, Pass, Stop},
    report::Report,
};
use crate::{
    Exit, Outcome,
    cli::RedactArgs,
    failure::{Failure, OrFail},
    here, terminal,
};

/// How standard input is named on the command line.
const STDIN: &str = "-";

pub(crate) fn run(args: &RedactArgs) -> Outcome {
    let settings = here::house(Vec::new())?.rules().or_fail(Exit::ConfigInvalid)?;
    let Rules { redaction, .. } = settings;
    let redactors = Redactors::compile(&redaction).or_fail(Exit::ConfigInvalid)?;
    if args.list {
        return rules::list(redactors.plain(), args.json);
    }
    if let Some(rule) = &args.explain {
        return rules::explain(redactors.plain(), rule, args.json);
    }
    let redactors = chosen(redaction, redactors.plain(), args)?;
    let redactor = match &args.server {
        Some(server) => redactors.of(server),
        None => redactors.common(),
    };
    let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let redactor = &redactor.with_threads(threads);
    let stdin = [STDIN.into()];
    let files = if args.files.is_empty() { &stdin[..] } else { &args.files[..] };
    let mut exit = Exit::Done;
    for file in files {
        match one(redactor, args, file) {
            Ok(true) if exit == Exit::Done => exit = Exit::Found,
            Ok(_) => {}
            // Nobody reads on.
            Err(Stop::Closed { found }) => {
                return Ok(if found && exit == Exit::Done { Exit::Found } else { exit });
            }
            Err(Stop::Failed(failure)) => {
                terminal::complain(&failure.text());
                exit = Exit::Failed;
            }
        }
    }
    Ok(exit)
}

/// The redactors of the settings, limited to the kinds and rules that were asked for.
fn chosen(
    mut input: RedactionInput,
    all: &Redactor,
    args: &RedactArgs,
) -> Result<Redactors, Failure> {
    if args.kinds.is_empty() && args.rules.is_empty() {
        return Redactors::compile(&input).or_fail(Exit::ConfigInvalid);
    }
    for rule in &args.rules {
        if !all.rules().any(|info| info.id.as_str() == rule) {
            return Err(rules::unknown(all, rule));
        }
    }
    let is_asked_for = |kind: &Kind| args.kinds.iter().any(|label| label == kind.label());
    let mut others = Exception {
        reason: "it was not asked for".to_owned(),
        kinds: Kind::ALL.iter().copied().filter(|kind| !is_asked_for(kind)).collect(),
        ..Exception::default()
    };
    if !args.rules.is_empty() {
        let ids = all.rules().map(|info| info.id.to_string());
        others.rules = ids.filter(|id| !args.rules.contains(id)).collect();
    }
    // Where every rule or every kind is asked for, there are no others.
    if !others.kinds.is_empty() && (args.rules.is_empty() || !others.rules.is_empty()) {
        input.exceptions.push(ServerException { servers: Vec::new(), exception: others });
    }
    Redactors::compile(&input).or_fail(Exit::ConfigInvalid)
}

/// Redacts one input; whether something was found.
fn one(redactor: &Redactor, args: &RedactArgs, file: &Path) -> Result<bool, Stop> {
    let report = (args.findings || args.json).then(|| Report::new(args.json, file));
    if args.in_place {
        return in_place::redact(redactor, file, report);
    }
    let copy = report.is_none().then(|| Box::new(io::stdout().lock()) as Box<dyn io::Write>);
    let output = Output::new(copy, report);
    if file == Path::new(STDIN) {
        return Pass::new(redactor, None, output).run(&mut io::stdin().lock(), file);
    }
    let path = file.to_string_lossy();
    Pass::new(redactor, Some(&path), output).run(&mut open(file)?, file)
}

fn open(file: &Path) -> Result<File, Stop> {
    let opened = File::open(file).map_err(|error| cannot_read(file, &error))?;
    // Reading a folder fails on some systems only, and then in other words.
    if opened.metadata().is_ok_and(|metadata| metadata.is_dir()) {
        return Err(cannot_read(file, &io::ErrorKind::IsADirectory.into()));
    }
    Ok(opened)
}

fn cannot_read(file: &Path, error: &io::Error) -> Stop {
    let name = terminal::plain(&file.display().to_string());
    Stop::Failed(Failure::new(Exit::Failed, format!("failed to read {name}: {error}")))
}

/// Reads until `buffer` is full or the input ends; how much was read.
fn fill(input: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match input.read(&mut buffer[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}
