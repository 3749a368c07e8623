//! What was found, told: a line for people, or a line of JSON.
//!
//! Promises: no value is in it.

use std::{
    io::{self, Write},
    path::Path,
};

use defenter_redact::Finding;
use serde::Serialize;

use super::{STDIN, place::Lines};
use crate::terminal::plain;

/// The findings of one input.
pub(super) struct Report {
    json: bool,
    /// Nothing for standard input.
    file: Option<String>,
    lines: Lines,
    out: io::BufWriter<io::Stdout>,
}

#[derive(Serialize)]
struct Line<'a> {
    file: Option<&'a str>,
    line: usize,
    column: usize,
    #[serde(flatten)]
    finding: &'a Finding,
}

impl Report {
    pub(super) fn new(json: bool, file: &Path) -> Self {
        let name = (file != Path::new(STDIN)).then(|| file.display().to_string());
        Self { json, file: name, lines: Lines::new(), out: io::BufWriter::new(io::stdout()) }
    }

    /// Takes the next bytes of the input.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.lines.feed(bytes);
    }

    /// Tells of a finding whose span is one of the whole input, as far as it was fed.
    pub(super) fn tell(&mut self, finding: &Finding) -> io::Result<()> {
        let (line, column) = self.lines.place(finding.span.start);
        if self.json {
            let file = self.file.as_deref();
            serde_json::to_writer(&mut self.out, &Line { file, line, column, finding })?;
            return self.out.write_all(b"\n");
        }
        let name = self.file.as_deref().map_or_else(|| STDIN.to_owned(), plain);
        let key = finding.key_path.as_deref();
        let key = key.map_or_else(String::new, |key| format!(" at {}", plain(key)));
        let (kind, rule) = (finding.kind, &finding.rule);
        writeln!(self.out, "{name}:{line}:{column}: {kind} by {}{key}", plain(rule.as_str()))
    }

    /// Brings what was told to whoever reads it.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
