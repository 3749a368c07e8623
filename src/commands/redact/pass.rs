//! One input on its way through the redactor.
//!
//! Owns: telling JSON, lines of JSON and text apart. Accepts: an input of any length.
//! Emits: the redacted copy, or findings, or both. Promises: memory does not grow with the input;
//! JSON stays JSON where a document or a line of it is not over [`WHOLE`].

use std::{
    io::{self, Read, Write},
    path::Path,
};

use defenter_redact::{Finding, Redactor, Stream};

use super::{fill, report::Report};
use crate::{Exit, failure::Failure, terminal};

/// The longest JSON that is looked at as JSON, in bytes; a longer document is text.
const WHOLE: usize = 16 << 20;
/// How much is read at a time, in bytes.
const CHUNK: usize = 64 << 10;

/// Why an input was left before its end.
pub(super) enum Stop {
    /// Nobody reads on.
    Closed {
        /// Whether something had been found by then.
        found: bool,
    },
    /// Something went wrong.
    Failed(Failure),
}

/// Where the result goes.
pub(super) struct Output<'o> {
    copy: Option<Box<dyn Write + 'o>>,
    report: Option<Report>,
    found: bool,
    withheld: bool,
}

/// See the module.
pub(super) struct Pass<'r, 'o> {
    redactor: &'r Redactor,
    /// The file's path, for rules that want one.
    path: Option<&'r str>,
    output: Output<'o>,
    /// Text that is not looked through yet, and where it starts.
    text: Option<(Stream<'r>, usize)>,
    /// How many bytes were taken.
    taken: usize,
}

impl<'o> Output<'o> {
    pub(super) fn new(copy: Option<Box<dyn Write + 'o>>, report: Option<Report>) -> Self {
        Self { copy, report, found: false, withheld: false }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.copy.as_mut().map_or(Ok(()), |copy| copy.write_all(bytes))
    }

    fn tell(&mut self, findings: &[Finding]) -> io::Result<()> {
        self.found |= !findings.is_empty();
        let Some(report) = &mut self.report else { return Ok(()) };
        findings.iter().try_for_each(|finding| report.tell(finding))
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Some(copy) = &mut self.copy {
            copy.flush()?;
        }
        self.report.as_mut().map_or(Ok(()), Report::flush)
    }
}

impl<'r, 'o> Pass<'r, 'o> {
    pub(super) fn new(redactor: &'r Redactor, path: Option<&'r str>, output: Output<'o>) -> Self {
        Self { redactor, path, output, text: None, taken: 0 }
    }

    /// Takes an input to its end; whether something was found.
    pub(super) fn run(mut self, input: &mut dyn Read, name: &Path) -> Result<bool, Stop> {
        let passed = self.pass(input);
        let found = self.output.found;
        let name = || terminal::plain(&name.display().to_string());
        match passed.and_then(|()| self.output.flush().map_err(Trouble::Write)) {
            Ok(()) if self.output.withheld => {
                let message = format!("{} was not looked through to its end", name());
                let hint = "it takes more work than its size allows; the rest is withheld";
                Err(Stop::Failed(Failure::new(Exit::Failed, message).hint(hint)))
            }
            Ok(()) => Ok(found),
            Err(Trouble::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                Err(Stop::Closed { found })
            }
            Err(Trouble::Write(error)) => {
                let message = format!("failed to write the result for {}: {error}", name());
                Err(Stop::Failed(Failure::new(Exit::Failed, message)))
            }
            Err(Trouble::Read(error)) => {
                let message = format!("failed to read {}: {error}", name());
                Err(Stop::Failed(Failure::new(Exit::Failed, message)))
            }
        }
    }

    fn pass(&mut self, input: &mut dyn Read) -> Result<(), Trouble> {
        let mut head = vec![0; CHUNK];
        let length = fill(input, &mut head).map_err(Trouble::Read)?;
        head.truncate(length);
        if !may_be_json(&head) {
            return self.texts(head, input);
        }
        let room = (WHOLE - head.len()) as u64;
        input.take(room).read_to_end(&mut head).map_err(Trouble::Read)?;
        if head.len() < WHOLE && self.json(&head)? {
            return Ok(());
        }
        self.lines(head, input)
    }

    /// Text from here to the end.
    fn texts(&mut self, mut chunk: Vec<u8>, input: &mut dyn Read) -> Result<(), Trouble> {
        while !chunk.is_empty() && !self.output.withheld {
            self.text(&chunk).map_err(Trouble::Write)?;
            chunk.resize(CHUNK, 0);
            let length = input.read(&mut chunk);
            let length = match length {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                length => length.map_err(Trouble::Read)?,
            };
            chunk.truncate(length);
        }
        self.end_text().map_err(Trouble::Write)
    }

    /// Lines from here to the end, of which each may be JSON.
    fn lines(&mut self, mut buffer: Vec<u8>, input: &mut dyn Read) -> Result<(), Trouble> {
        // Set while a line goes on that was too long to be kept.
        let mut long = false;
        // How much of the buffer is known to hold no end of a line.
        let mut looked = 0;
        loop {
            let mut begun = 0;
            while let Some(end) = buffer[looked..].iter().position(|byte| *byte == b'\n') {
                let end = looked + end + 1;
                self.line(&buffer[begun..end], std::mem::take(&mut long))?;
                (begun, looked) = (end, end);
            }
            buffer.drain(..begun);
            if buffer.len() >= WHOLE || long {
                long = true;
                self.text(&buffer).map_err(Trouble::Write)?;
                buffer.clear();
            }
            let kept = buffer.len();
            looked = kept;
            buffer.resize(kept + CHUNK, 0);
            let read = fill(input, &mut buffer[kept..]).map_err(Trouble::Read)?;
            buffer.truncate(kept + read);
            if read == 0 || self.output.withheld {
                if !buffer.is_empty() {
                    self.line(&buffer, long)?;
                }
                return self.end_text().map_err(Trouble::Write);
            }
        }
    }

    fn line(&mut self, line: &[u8], long: bool) -> Result<(), Trouble> {
        if long || !may_be_json(line) || !self.json(line)? {
            self.text(line).map_err(Trouble::Write)?;
        }
        Ok(())
    }

    /// Redacts a JSON value; false where it is none.
    fn json(&mut self, raw: &[u8]) -> Result<bool, Trouble> {
        let Some(scan) = self.redactor.scan_only_json_in(self.path, raw) else {
            return Ok(false);
        };
        self.end_text().map_err(Trouble::Write)?;
        self.output.withheld |= scan.withheld();
        let copied = if self.output.copy.is_some() {
            let copy = scan.apply(raw);
            // The notice in the place of a line is a line too.
            let end: &[u8] = if scan.withheld() && raw.ends_with(b"\n") { b"\n" } else { b"" };
            self.output.write(&copy).and_then(|()| self.output.write(end))
        } else {
            Ok(())
        };
        let told = copied.and_then(|()| self.tell_all(raw, scan.findings()));
        self.taken += raw.len();
        told.map(|()| true).map_err(Trouble::Write)
    }

    /// Tells of findings whose spans are places in `raw`.
    fn tell_all(&mut self, raw: &[u8], findings: &[Finding]) -> io::Result<()> {
        let mut fed = 0;
        for finding in findings {
            let mut finding = finding.clone();
            if let Some(report) = &mut self.output.report {
                report.feed(&raw[fed..finding.span.start]);
                fed = finding.span.start;
            }
            finding.span = finding.span.start + self.taken..finding.span.end + self.taken;
            self.output.tell(&[finding])?;
        }
        if let Some(report) = &mut self.output.report {
            report.feed(&raw[fed..]);
        }
        Ok(())
    }

    /// Takes more text.
    fn text(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some(report) = &mut self.output.report {
            report.feed(bytes);
        }
        let start = self.taken;
        self.taken += bytes.len();
        let (stream, start) =
            self.text.get_or_insert_with(|| (self.redactor.stream_in(self.path), start));
        let mut copy = Vec::new();
        let mut findings = stream.push(bytes, &mut copy);
        self.output.withheld |= stream.withheld();
        shift(&mut findings, *start);
        self.output.write(&copy)?;
        self.output.tell(&findings)
    }

    /// Ends the text that was taken.
    fn end_text(&mut self) -> io::Result<()> {
        let Some((mut stream, start)) = self.text.take() else { return Ok(()) };
        let mut copy = Vec::new();
        let mut findings = stream.finish(&mut copy);
        self.output.withheld |= stream.withheld();
        shift(&mut findings, start);
        self.output.write(&copy)?;
        self.output.tell(&findings)
    }
}

/// What went wrong with which side.
enum Trouble {
    Read(io::Error),
    Write(io::Error),
}

fn shift(findings: &mut [Finding], start: usize) {
    for finding in findings {
        finding.span = finding.span.start + start..finding.span.end + start;
    }
}

/// Whether a text starts as an object or an array does.
fn may_be_json(text: &[u8]) -> bool {
    text.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|byte| b"{[".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The redacted copy of an input that comes in pieces.
    fn copy(input: &[u8]) -> (String, bool) {
        struct Pieces<'a>(&'a [u8]);
        impl Read for Pieces<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let length = buffer.len().min(self.0.len()).min(7_001);
                let (now, later) = self.0.split_at(length);
                buffer[..length].copy_from_slice(now);
                self.0 = later;
                Ok(length)
            }
        }
        let redactor = Redactor::builtin();
        let mut copy = Vec::new();
        let output = Output::new(Some(Box::new(&mut copy)), None);
        let passed = Pass::new(&redactor, None, output).run(&mut Pieces(input), Path::new("x"));
        let Ok(found) = passed else { panic!("it failed") };
        (String::from_utf8_lossy(&copy).into_owned(), found)
    }

    #[test]
    fn json_lines_of_json_and_text_stay_what_they_are() {
        let check = |input: &str, expected: &str| {
            assert_eq!(copy(input.as_bytes()), (expected.to_owned(), input != expected), "{input}");
        };
        check("", "");
        check("hello\n", "hello\n");
        check("mail jane.doe@corp-mail.net", "mail [REDACTED-EMAIL]");
        check("{\n\"n\":\n4539148803436467}", "{\n\"n\":\n\"[REDACTED-CREDIT-CARD]\"}");
        check(
            "{\"n\":4539148803436467}\n{\"n\":1}\r\n[4539148803436467]",
            "{\"n\":\"[REDACTED-CREDIT-CARD]\"}\n{\"n\":1}\r\n[\"[REDACTED-CREDIT-CARD]\"]",
        );
        check(
            "{\"a\":1}\nnote: 4539148803436467\n[info] x\n{\"n\":4539148803436467}\n",
            "{\"a\":1}\nnote: [REDACTED-CREDIT-CARD]\n[info] x\n{\"n\":\"[REDACTED-CREDIT-CARD]\"}\n",
        );
        check("[section]\nmail=jane.doe@corp-mail.net\n", "[section]\nmail=[REDACTED-EMAIL]\n");
    }

    #[test]
    fn bytes_that_are_no_text_pass_as_they_are() {
        let redactor = Redactor::builtin();
        let input = b"\xff\x00\xfe{\x80 jane.doe@corp-mail.net\x00\xc3\n\x1b[0m".to_vec();
        let mut copy = Vec::new();
        let output = Output::new(Some(Box::new(&mut copy)), None);
        let found = Pass::new(&redactor, None, output).run(&mut &input[..], Path::new("x"));
        assert!(matches!(found, Ok(true)));
        assert_eq!(copy, b"\xff\x00\xfe{\x80 [REDACTED-EMAIL]\x00\xc3\n\x1b[0m");
    }

    #[test]
    fn what_is_longer_than_a_buffer_is_whole_in_the_copy() {
        let line = format!("{{\"text\":\"{}\",\"n\":4539148803436467}}\n", "lorem ".repeat(1_000));
        let input = line.repeat(3 * WHOLE / line.len());
        assert!(input.len() > 2 * WHOLE);
        let (copy, found) = copy(input.as_bytes());
        assert!(found && copy == input.replace("4539148803436467", "\"[REDACTED-CREDIT-CARD]\""));
    }

    #[test]
    fn a_line_that_is_too_long_to_be_kept_is_text() {
        let input = format!("{{\"a\":1}}\n{{\"t\":\"{}\",", "x".repeat(WHOLE));
        let input = input + "\"m\":\"jane.doe@corp-mail.net\"}\n{\"n\":4539148803436467}\n";
        let (copy, _) = copy(input.as_bytes());
        let expected = input.replace("jane.doe@corp-mail.net", "[REDACTED-EMAIL]");
        let expected = expected.replace("4539148803436467", "\"[REDACTED-CREDIT-CARD]\"");
        assert!(copy == expected, "{}", &copy[copy.len() - 100..]);
    }

    #[test]
    fn a_reader_that_has_seen_enough_is_no_failure() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let redactor = Redactor::builtin();
        let output = Output::new(Some(Box::new(Closed)), None);
        let passed = Pass::new(&redactor, None, output).run(&mut &b"hello"[..], Path::new("x"));
        assert!(matches!(passed, Err(Stop::Closed { found: false })));
    }
}
