//! `defenter redact`: copies text or JSON with secrets and personal data replaced.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use defenter_actors::redaction::Redactors;
use defenter_redact::{Redactor, Scan};
use serde_json::json;

use crate::{
    Exit, Outcome,
    cli::RedactArgs,
    failure::{Failure, OrFail},
    here, terminal,
};

/// The largest input. What is larger would be cut somewhere, and a cut can hide half a secret.
const MAX_INPUT: u64 = 256 << 20;

pub(crate) fn run(args: &RedactArgs) -> Outcome {
    let rules = here::house(Vec::new())?.rules().or_fail(Exit::ConfigInvalid)?;
    let redactors = Redactors::compile(&rules.redaction).or_fail(Exit::ConfigInvalid)?;
    let redactor = match &args.server {
        Some(server) => redactors.of(server),
        None => redactors.plain(),
    };
    let mut found = false;
    if args.files.is_empty() {
        found |= one(redactor, args, None, &read(io::stdin(), Path::new("standard input"))?)?;
    }
    for path in &args.files {
        let file = File::open(path).map_err(|error| cannot_read(path, &error))?;
        found |= one(redactor, args, Some(path), &read(file, path)?)?;
    }
    Ok(if found { Exit::Found } else { Exit::Done })
}

fn read(input: impl Read, name: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = input.take(MAX_INPUT + 1).read_to_end(&mut bytes);
    read.map_err(|error| cannot_read(name, &error))?;
    if bytes.len() as u64 > MAX_INPUT {
        let message = format!("{} is over the limit of {MAX_INPUT} bytes", name.display());
        return Err(Failure::new(Exit::Failed, message).hint("split it at line ends"));
    }
    Ok(bytes)
}

fn cannot_read(name: &Path, error: &io::Error) -> Failure {
    Failure::new(Exit::Failed, format!("failed to read {}: {error}", name.display()))
}

fn one(
    redactor: &Redactor,
    args: &RedactArgs,
    path: Option<&Path>,
    bytes: &[u8],
) -> Result<bool, Failure> {
    let scan = redactor.scan_json(bytes);
    if args.findings || args.json {
        report(&scan, args.json, path, bytes)?;
    } else {
        terminal::say_bytes(&scan.apply(bytes))?;
    }
    Ok(!scan.is_clean())
}

fn report(scan: &Scan, json: bool, path: Option<&Path>, bytes: &[u8]) -> Result<(), Failure> {
    for finding in scan.findings() {
        if json {
            let path = path.map(|path| path.display().to_string());
            terminal::say_json(&json!({"file": path, "finding": finding}))?;
            continue;
        }
        let before = &bytes[..finding.span.start.min(bytes.len())];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = before.len()
            - before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1)
            + 1;
        let name = path.map_or_else(|| "-".to_owned(), |path| path.display().to_string());
        let key = finding
            .key_path
            .as_deref()
            .map_or_else(String::new, |key| format!(" at {}", terminal::plain(key)));
        terminal::say(&format!(
            "{name}:{line}:{column}: {} by {}{key}\n",
            finding.kind.label(),
            finding.rule.as_str(),
        ))?;
    }
    Ok(())
}
