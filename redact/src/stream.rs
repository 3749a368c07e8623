//! Owns redacting a text that does not fit in memory.
//! Accepts chunks of any size; emits the redacted copy and the findings, as far as they are sure;
//! promises constant memory, a result that does not depend on where the chunks end, and that
//! nothing more is given out once a part had to be withheld.

use crate::engine::Cutting;
use crate::{Finding, Redactor, WITHHELD, blocks};

/// Most threads that a stream reads ahead for.
const MAX_THREADS: usize = 16;
/// How much is given out at a time, in bytes, where one thread looks.
const BLOCK: usize = 256 << 10;
/// How far a match may reach beyond what is given out, in bytes: a private key with its armour.
const TAIL: usize = 68 << 10;
/// How much of what was given out is looked at again as context, in bytes.
const CONTEXT: usize = 1 << 10;

/// A text that is redacted as it comes.
pub struct Stream<'r> {
    redactor: &'r Redactor,
    /// The path of the file, where it is known.
    path: Option<Box<str>>,
    buffer: Vec<u8>,
    /// How many bytes at the start of the buffer were given out before.
    context: usize,
    /// The place of the buffer's first byte in the whole text.
    offset: usize,
    withheld: bool,
    /// How much is given out at a time, in bytes.
    block: usize,
}

impl std::fmt::Debug for Stream<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream")
            .field("offset", &self.offset)
            .field("withheld", &self.withheld)
            .finish_non_exhaustive()
    }
}

impl<'r> Stream<'r> {
    pub(crate) fn new(redactor: &'r Redactor, path: Option<&str>) -> Stream<'r> {
        let path = path.map(Box::from);
        let Cutting { part, threads, .. } = redactor.cutting();
        let shared = 2 * part * threads.get().min(MAX_THREADS);
        let block = if threads.get() > 1 { shared } else { BLOCK };
        Stream { redactor, path, buffer: Vec::new(), context: 0, offset: 0, withheld: false, block }
    }

    /// Takes the next part of the text; appends to `out` what of the copy is sure by now, and
    /// gives the findings in it, with spans of the whole text.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut rest = chunk;
        while !rest.is_empty() && !self.withheld {
            let room = (self.context + self.block + TAIL).saturating_sub(self.buffer.len());
            let (now, later) = rest.split_at(room.min(rest.len()));
            self.buffer.extend_from_slice(now);
            rest = later;
            while self.buffer.len() >= self.context + self.block + TAIL && !self.withheld {
                self.give(false, out, &mut findings);
            }
        }
        findings
    }

    /// Ends the text; appends the rest of the copy to `out` and gives the findings in it.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Vec<Finding> {
        let mut findings = Vec::new();
        while self.buffer.len() > self.context && !self.withheld {
            self.give(true, out, &mut findings);
        }
        findings
    }

    /// Whether a part had to be withheld; nothing after it is given out.
    pub fn withheld(&self) -> bool {
        self.withheld
    }

    /// Gives out a block, or all there is where the text has ended: never a part of a match or of a
    /// character.
    fn give(&mut self, has_ended: bool, out: &mut Vec<u8>, findings: &mut Vec<Finding>) {
        let end = self.buffer.len().min(self.context + self.block + TAIL);
        let is_last = has_ended && end == self.buffer.len();
        let cut = if is_last { end } else { self.context + self.block };
        let scan = self.redactor.scan_text_in(self.path.as_deref(), &self.buffer[..end]);
        if scan.withheld() && self.block > BLOCK {
            // More is found in so much than is kept at a time.
            self.block = BLOCK;
            return self.give(has_ended, out, findings);
        }
        if scan.withheld() {
            self.withheld = true;
            out.extend_from_slice(WITHHELD.as_bytes());
            return;
        }
        let mut cut = cut;
        while cut < end && cut > self.context + 1 && self.buffer[cut] & 0xC0 == 0x80 {
            cut -= 1;
        }
        if let Some(across) =
            scan.findings().iter().find(|f| f.span.start < cut && cut < f.span.end)
        {
            // A match that may go on is left for the next look, if it is not all there is.
            let goes_on = across.span.end == end && across.span.start > self.context;
            cut = if goes_on { across.span.start } else { across.span.end };
        }
        let mut at = self.context;
        for finding in scan.findings() {
            if finding.span.end > cut || finding.span.end <= at {
                continue;
            }
            out.extend_from_slice(&self.buffer[at..finding.span.start.max(at)]);
            out.extend_from_slice(finding.kind.placeholder().as_bytes());
            at = finding.span.end;
            let mut finding = finding.clone();
            finding.span = finding.span.start + self.offset..finding.span.end + self.offset;
            findings.push(finding);
        }
        out.extend_from_slice(&self.buffer[at..cut]);
        let keep = self.whole_groups(cut.saturating_sub(CONTEXT));
        self.buffer.drain(..keep);
        self.offset += keep;
        self.context = cut - keep;
    }

    /// A place at or a little before `at` that is a multiple of four bytes after the start of the
    /// run of base64 or hex that it stands in: what goes on there is decoded from there.
    fn whole_groups(&self, at: usize) -> usize {
        let run = self.buffer[..at].iter().rev().take_while(|byte| blocks::is_run(**byte)).count();
        at - run % 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text() -> Vec<u8> {
        let mut text = Vec::new();
        for index in 0..40_000 {
            text.extend_from_slice(format!("line {index} of a long text, né\n").as_bytes());
            if index % 97 == 0 {
                text.extend_from_slice(b"token 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 here\n");
            }
        }
        text
    }

    #[test]
    fn chunks_do_not_change_the_result() {
        let redactor = Redactor::builtin();
        let text = text();
        let whole = redactor.scan_text(&text);
        for size in [1_000, 65_537, 300_000, text.len()] {
            let (mut out, mut findings) = (Vec::new(), Vec::new());
            let mut stream = redactor.stream();
            for chunk in text.chunks(size) {
                findings.extend(stream.push(chunk, &mut out));
                assert!(stream.buffer.len() <= CONTEXT + BLOCK + TAIL, "memory grows");
            }
            findings.extend(stream.finish(&mut out));
            assert!(out == *whole.apply(&text), "chunks of {size}");
            assert_eq!(findings, whole.findings());
        }
    }

    #[test]
    fn a_key_across_the_cut_is_found_whole() {
        let redactor = Redactor::builtin();
        let mut text = vec![b' '; BLOCK + TAIL - 900];
        let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDAC4AWkdwKYSd8\n".repeat(30);
        text.extend_from_slice(
            format!("-----BEGIN PRIVATE KEY-----\n{body}-----END PRIVATE KEY-----\n").as_bytes(),
        );
        let mut out = Vec::new();
        let mut stream = redactor.stream();
        let mut findings = stream.push(&text, &mut out);
        findings.extend(stream.finish(&mut out));
        assert_eq!(findings.len(), 1);
        assert!(out.ends_with(b" [REDACTED-SECRET]\n"));
    }

    #[test]
    fn where_much_is_found_less_is_looked_at_at_a_time() {
        let budget = crate::Budget { max_findings: 20_000, ..crate::Budget::default() };
        let options = crate::Options { budget, ..crate::Options::default() };
        let one = Redactor::with_options(&options).unwrap();
        let text = "token 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 here\n".repeat(14_000);
        assert!(one.scan_text(text.as_bytes()).withheld());
        let two = one.with_threads(std::num::NonZeroUsize::new(2).unwrap());
        for redactor in [&one, &two] {
            let mut out = Vec::new();
            let mut stream = redactor.stream();
            let mut findings = stream.push(text.as_bytes(), &mut out);
            findings.extend(stream.finish(&mut out));
            assert_eq!(findings.len(), 14_000);
            assert_eq!(
                String::from_utf8(out).unwrap(),
                "token [REDACTED-SECRET] here\n".repeat(14_000)
            );
        }
    }

    #[test]
    fn what_is_encoded_goes_on_across_cuts() {
        let redactor = Redactor::builtin();
        // `of no interest `, and a key between such words, as base64 writes them.
        let (words, key) = ("b2Ygbm8gaW50ZXJlc3Qg", "QUtJQVEzRUdSVFBMV1g3Tlo1VkQg");
        for before in ["", "x ", "xy ", "xyz "] {
            let text = format!("{before}{}{key}{}", words.repeat(30_000), words.repeat(3));
            let mut out = Vec::new();
            let mut stream = redactor.stream();
            let mut findings = stream.push(text.as_bytes(), &mut out);
            findings.extend(stream.finish(&mut out));
            assert!(!findings.is_empty(), "{before:?}");
        }
    }

    #[test]
    fn withheld_is_the_end() {
        let budget = crate::Budget { max_bytes: 100, ..crate::Budget::default() };
        let options = crate::Options { budget, ..crate::Options::default() };
        let redactor = Redactor::with_options(&options).unwrap();
        let mut out = Vec::new();
        let mut stream = redactor.stream();
        stream.push(&vec![b'a'; BLOCK + TAIL + 1], &mut out);
        assert!(stream.withheld());
        stream.push(b"more", &mut out);
        stream.finish(&mut out);
        assert_eq!(out, WITHHELD.as_bytes());
    }
}
