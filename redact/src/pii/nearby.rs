//! Owns the words in front of a number: what they say that it is.
//! Accepts a text, a place and lists of lower-case words; emits which word stands nearest; promises
//! to look at one line and [`REACH`] bytes of it at most.

/// How far before a number its words may stand, in bytes.
const REACH: usize = 48;

/// Whether no letter or digit stands before a place, but for the letter of an escape (`\\n`).
pub(super) fn is_apart(text: &[u8], at: usize) -> bool {
    match &text[..at] {
        [.., b'\\', b'n' | b'r' | b't'] => true,
        [.., before] => !before.is_ascii_alphanumeric(),
        [] => true,
    }
}

/// Whether a word may start with that byte.
fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte >= 0x80
}

/// What stands before a place in its line, in lower case.
pub(super) struct Nearby {
    written: [u8; REACH],
    lower: [u8; REACH],
    from: usize,
}

impl Nearby {
    /// What stands before `at`; an escaped end of line (`\n` in a JSON string) ends the line too.
    pub(super) fn before(text: &[u8], at: usize) -> Nearby {
        let start = at.saturating_sub(REACH);
        let mut lower = [0; REACH];
        let from = REACH - (at - start);
        lower[from..].copy_from_slice(&text[start..at]);
        let written = lower;
        lower.make_ascii_lowercase();
        let line = memchr::memrchr(b'\n', &lower[from..]).map_or(from, |end| from + end + 1);
        let escaped =
            memchr::memmem::rfind(&lower[line..], b"\\n").map_or(line, |end| line + end + 2);
        Nearby { written, lower, from: escaped }
    }

    fn line(&self) -> &[u8] {
        &self.lower[self.from..]
    }

    /// Whether a word ends before that place of the line, and another may start there: no letter
    /// stands before it, or a small one before a capital (`homePhone`).
    fn parts(&self, at: usize) -> bool {
        let line = &self.written[self.from..];
        at == 0
            || !line[at - 1].is_ascii_alphabetic()
            || line[at - 1].is_ascii_lowercase() && line.get(at).is_some_and(u8::is_ascii_uppercase)
    }

    /// How far before the place the nearest of the words starts; a word starts where no letter
    /// stands before it, and may go on (`address` is told by `addr`).
    pub(super) fn nearest(&self, words: &[&[u8]]) -> Option<usize> {
        let line = self.line();
        (0..line.len())
            .rev()
            .find(|&at| {
                is_letter(line[at])
                    && self.parts(at)
                    && words.iter().any(|word| line[at..].starts_with(word))
            })
            .map(|at| line.len() - at)
    }

    /// As [`Nearby::nearest`], for words that end there.
    pub(super) fn nearest_whole(&self, words: &[&[u8]]) -> Option<usize> {
        let line = self.line();
        let ends = |at: usize| !line.get(at).is_some_and(u8::is_ascii_alphabetic) || self.parts(at);
        let whole = |at: usize, word: &[u8]| line[at..].starts_with(word) && ends(at + word.len());
        (0..line.len())
            .rev()
            .find(|&at| {
                is_letter(line[at]) && self.parts(at) && words.iter().any(|word| whole(at, word))
            })
            .map(|at| line.len() - at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_at_one_line() {
        let check = |text: &str, expected: Option<usize>| {
            let found = Nearby::before(text.as_bytes(), text.len()).nearest(&[b"addr", b"ip"]);
            assert_eq!(found, expected, "{text}");
        };
        check("IP ", Some(3));
        check("ip: address=", Some(8));
        check("ship ", None);
        check("clientIp ", Some(3));
        check("CLIENTIP ", None);
        check("ip\n", None);
        check(r#""ip\n"#, None);
        check(&format!("ip{}", "x".repeat(REACH)), None);
        check(&format!("ip{}", " ".repeat(REACH - 2)), Some(REACH));
    }

    #[test]
    fn tells_whole_words() {
        let found = |text: &str| {
            Nearby::before(text.as_bytes(), text.len()).nearest_whole(&[b"id"]).is_some()
        };
        assert!(found("{\"id\": \""));
        assert!(found("order_id="));
        assert!(found("userIdText="));
        assert!(!found("ideal "));
        assert!(!found("humid "));
        assert!(!found("valid "));
    }
}
