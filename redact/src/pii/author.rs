//! Owns by what words and places a published work names its authors: a copyright line, a trailer, a
//! list under a heading, a comment in code, a package's manifest. Their addresses are part of the
//! work, which anyone may read.
//! Accepts a text and the places of its addresses, in order; emits whether one is an author's;
//! promises that a field of a message is none, and to look at each byte a few times at most,
//! however many addresses there are.

use std::ops::Range;

/// How far before an address the words of its paragraph may stand, in bytes.
const PARAGRAPH: usize = 320;

/// How far before an address the heading of its list may stand, and how far around it the fields of
/// a manifest, in bytes; as much as is looked at around a change.
const SECTION: usize = 960;

/// Words before an address of an author, each with what must follow it.
const ATTRIBUTIONS: &[(&[u8], After)] = &[
    (b"copyright", After::Anything),
    (b"(c)", After::Anything),
    ("©".as_bytes(), After::Anything),
    (b"author", After::Operator),
    (b"authors", After::Operator),
    (b"author_email", After::Operator),
    (b"author-email", After::Operator),
    (b"maintainer", After::Operator),
    (b"maintainers", After::Operator),
    (b"maintainer_email", After::Operator),
    (b"maintainer-email", After::Operator),
    (b"contributor", After::Operator),
    (b"contributors", After::Operator),
    (b"contributers", After::Operator),
    (b"collaborators", After::Operator),
    (b"acknowledgements", After::Operator),
    (b"acknowledgments", After::Operator),
    (b"credits", After::Operator),
    (b"__author__", After::Operator),
    (b"__author_email__", After::Operator),
    (b"__email__", After::Operator),
    (b"@author", After::Anything),
    (b"@copyright", After::Anything),
    (b"license", After::Anything),
    (b"licensed", After::Anything),
    (b"written by", After::Anything),
    (b"contributed by", After::Anything),
    (b"debianized by", After::Anything),
    (b"maintained by", After::Anything),
    (b"packaged by", After::Anything),
    (b"put together by", After::Anything),
    (b"created by", After::Name),
    (b"developed by", After::Name),
    (b"implemented by", After::Name),
    (b"modified by", After::Name),
    (b"ported by", After::Name),
    (b"upstream-contact", After::Operator),
    (b"signed-off-by", After::Operator),
    (b"co-authored-by", After::Operator),
    (b"co-developed-by", After::Operator),
    (b"reviewed-by", After::Operator),
    (b"acked-by", After::Operator),
    (b"reported-by", After::Operator),
    (b"suggested-by", After::Operator),
    (b"tested-by", After::Operator),
];

/// What follows a word of an attribution.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    Anything,
    /// A colon or an equals sign, perhaps after a quote or blanks.
    Operator,
    /// A name after a blank, in the same line: a ticket has a colon there.
    Name,
}

/// Names of fields that a package's manifest has (package.json, composer.json and their like).
const MANIFEST: &[&[u8]] = &[
    b"bugs",
    b"dependencies",
    b"devDependencies",
    b"engines",
    b"exports",
    b"files",
    b"homepage",
    b"keywords",
    b"license",
    b"main",
    b"peerDependencies",
    b"scripts",
    b"types",
    b"version",
];

/// Least different fields that tell a manifest from a message.
const LEAST_FIELDS: usize = 3;

/// How many hashes of two bytes there are.
const HASHES: usize = 1024;

/// One bit for each hash of the first two bytes of a word.
static STARTS: [u64; HASHES / 64] = {
    let mut bits = [0; HASHES / 64];
    let mut index = 0;
    while index < ATTRIBUTIONS.len() {
        let hash = hash([ATTRIBUTIONS[index].0[0], ATTRIBUTIONS[index].0[1]]);
        bits[hash / 64] |= 1 << (hash % 64);
        index += 1;
    }
    bits
};

const fn hash(two: [u8; 2]) -> usize {
    (two[0] as usize * 33 + two[1] as usize) % HASHES
}

/// Whether a word may start with those two bytes, in small letters.
fn may_start(two: [u8; 2]) -> bool {
    let hash = hash(two);
    STARTS[hash / 64] >> (hash % 64) & 1 == 1
}

/// Most words that are kept: with more before one address the nearest count.
const KEPT: usize = 16;

/// A word of an attribution in a text.
#[derive(Clone, Copy, Default)]
struct Word {
    at: usize,
    index: u8,
}

/// Words of attributions and fields of manifests in one text, as far as was looked. Addresses come
/// in order, so that each byte is looked at once for all of them.
#[derive(Default)]
pub(crate) struct Seen {
    looked: Range<usize>,
    words: [Word; KEPT],
    /// How many words were seen since the start of `looked`.
    count: usize,
    fields: Fields,
}

/// Where fields of a manifest were seen last.
#[derive(Default)]
struct Fields {
    looked: Range<usize>,
    last: [usize; MANIFEST.len()],
}

impl Seen {
    /// Whether the address at `start` is that of an author whom a work names: `Copyright 2026 A
    /// <…>` in its line; or, where it stands in brackets after a name, any attribution before it in
    /// its paragraph (`authors = ["A <…>", "B <…>"]`), a heading, or the mark of a comment; or any
    /// in a manifest. A field such as `"author": "jane@…"` is the author of a message and none.
    pub(super) fn is_author(&mut self, text: &[u8], start: usize) -> bool {
        let near = &text[start.saturating_sub(PARAGRAPH)..start];
        let bracketed = is_bracketed(near);
        if bracketed {
            let last_line = &near[line(near)..];
            if starts_with_years(last_line) || is_comment(last_line) {
                return true;
            }
        }
        let from = start.saturating_sub(if bracketed { SECTION } else { PARAGRAPH });
        self.look(text, from, start);
        if self.words(from).any(|word| word.at < start) {
            let place = Place::new(text, start, bracketed);
            if self.words(from).any(|word| place.is_attributed(text, *word)) {
                return true;
            }
        }
        let quoted = matches!(near.last(), Some(b'"' | b'<' | b'('));
        quoted && self.fields.are_around(text, start)
    }

    /// Looks for words that start from `from` to `to`.
    fn look(&mut self, text: &[u8], from: usize, to: usize) {
        if !self.looked.contains(&from) {
            self.looked = from..from;
            self.count = 0;
        }
        for at in self.looked.end..to {
            if let Some(index) = attribution(text, at) {
                self.words[self.count % KEPT] = Word { at, index };
                self.count += 1;
            }
        }
        self.looked.end = self.looked.end.max(to);
    }

    /// The last words that were seen, from `from` on.
    fn words(&self, from: usize) -> impl Iterator<Item = &Word> {
        self.words[..self.count.min(KEPT)].iter().filter(move |word| word.at >= from)
    }
}

impl Fields {
    /// Whether enough different fields of a manifest stand around a place.
    fn are_around(&mut self, text: &[u8], at: usize) -> bool {
        let from = at.saturating_sub(SECTION);
        let to = text.len().min(at + SECTION);
        if !self.looked.contains(&from) {
            *self = Fields { looked: from..from, last: Default::default() };
        }
        let start = self.looked.end;
        for quote in memchr::memchr_iter(b'"', text.get(start..to).unwrap_or_default()) {
            if let Some(index) = field(&text[start + quote + 1..]) {
                self.last[index] = start + quote + 1;
            }
        }
        self.looked.end = start.max(to);
        self.last.iter().filter(|last| **last > from).count() >= LEAST_FIELDS
    }
}

/// Which field of a manifest a text starts with, after its quote.
fn field(text: &[u8]) -> Option<usize> {
    MANIFEST.iter().position(|name| {
        text.first() == name.first()
            && text.strip_prefix(*name).is_some_and(|rest| {
                matches!(rest, [b'"', ..] | [b'\\', b'"', ..]) && operator(rest) == Some(b':')
            })
    })
}

/// Which of the words stands at `at`, whatever follows it; the longest one.
fn attribution(text: &[u8], at: usize) -> Option<u8> {
    let &[one, two] = text[at..].first_chunk::<2>()?;
    let start = [one.to_ascii_lowercase(), two.to_ascii_lowercase()];
    if !may_start(start)
        || at.checked_sub(1).is_some_and(|at| text[at].is_ascii_alphanumeric() || text[at] == b'_')
    {
        return None;
    }
    // Two bytes tell nearly all words apart, and cost less than a comparison.
    let mut found: Option<usize> = None;
    for (index, (word, _)) in ATTRIBUTIONS.iter().enumerate() {
        let longer = found.is_none_or(|known| ATTRIBUTIONS[known].0.len() < word.len());
        if longer
            && word.starts_with(&start)
            && text.get(at..at + word.len()).is_some_and(|found| found.eq_ignore_ascii_case(word))
        {
            found = Some(index);
        }
    }
    found.and_then(|index| u8::try_from(index).ok())
}

/// Where an address stands.
struct Place {
    start: usize,
    /// Where its paragraph, the line before its own, and its line start.
    paragraph: usize,
    previous: usize,
    line: usize,
    bracketed: bool,
    /// Whether nothing but marks of a comment stands before it in its line.
    alone: bool,
    /// Whether its line is a comment in code.
    comment: bool,
}

impl Place {
    fn new(text: &[u8], start: usize, bracketed: bool) -> Place {
        let from = start.saturating_sub(PARAGRAPH);
        let before = &text[from..start];
        let line_at = line(before);
        let alone =
            before[line_at..].iter().all(|b| b.is_ascii_whitespace() || b"*/#;".contains(b));
        Place {
            start,
            paragraph: from + paragraph(before),
            previous: from + line(&before[..line_at.saturating_sub(1)]),
            line: from + line_at,
            bracketed,
            alone,
            comment: is_marked(&before[line_at..]),
        }
    }

    /// Whether a word names the author whose address this is. Where the address has no brackets
    /// only those count that no field of a message is called by, and those that must name someone
    /// in their own line.
    fn is_attributed(&self, text: &[u8], word: Word) -> bool {
        let (name, after) = ATTRIBUTIONS[usize::from(word.index)];
        let end = word.at + name.len();
        let Some(rest) = text.get(end..self.start) else { return false };
        if self.bracketed && is_heading(text, word.at, rest) {
            return true;
        }
        if word.at < self.paragraph {
            return false;
        }
        let same_line = word.at >= self.line;
        match after {
            After::Anything => {
                let near = same_line || self.alone && word.at >= self.previous;
                (self.bracketed || near && !name.starts_with(b"licen"))
                    && !rest.first().is_some_and(u8::is_ascii_alphabetic)
            }
            After::Name => self.bracketed && same_line && rest.starts_with(b" "),
            After::Operator => {
                let list = name.ends_with(b"s") && operator(rest) == Some(b'=');
                let fits =
                    self.bracketed || list || same_line && (self.comment || is_of_works(name));
                fits && operator(rest).is_some() && memchr::memchr(b']', rest).is_none()
            }
        }
    }
}

/// Whether an address stands in brackets: after `<` or `(`, written in HTML, or as a link of
/// Markdown.
fn is_bracketed(before: &[u8]) -> bool {
    matches!(before.last(), Some(b'<' | b'('))
        || [&b"&lt;"[..], b"<lt>", b"([", b"(mailto:"].iter().any(|end| before.ends_with(end))
}

/// How far before a word the mark of its heading may stand, in bytes.
const HEADING: usize = 40;

/// Whether a word is all of its line, but for marks of a heading (`=head1 AUTHOR`) or a colon at its
/// end, or stands in a heading of Markdown (`## Our contributors`); `rest` follows it.
fn is_heading(text: &[u8], at: usize, rest: &[u8]) -> bool {
    let before = &text[at.saturating_sub(HEADING)..at];
    let start = &before[line(before)..];
    if start.len() < before.len() && start.starts_with(b"##") {
        return true;
    }
    let marks = start.strip_prefix(b"=head").map_or(start, |rest| rest.get(1..).unwrap_or(rest));
    let marked = marks.iter().all(|b| matches!(b, b'#' | b'=' | b'*' | b' ' | b'\t'));
    let ends = rest.iter().take(8).find(|b| !matches!(b, b' ' | b':' | b'*' | b'#' | b'\r'));
    marked && (ends == Some(&b'\n') || rest.starts_with(b"\\n") || rest.starts_with(b":\\n"))
}

/// Whether a line starts as a comment in code does, and has a name right before its bracket:
/// `// Jane Doe <`, ` * Jane Doe <`, `# Created by Jane Doe <`.
fn is_comment(line: &[u8]) -> bool {
    let Some((b'<' | b'(', name)) = line.split_last() else { return false };
    let blank = name.iter().rev().take_while(|b| matches!(b, b' ' | b'\t' | b',')).count();
    let last = name[..name.len() - blank].last();
    is_marked(line)
        && blank > 0
        && last.is_some_and(|b| b.is_ascii_alphabetic() || *b == b'.' || *b >= 0x80)
}

/// Whether a line starts with the mark of a comment in code.
fn is_marked(line: &[u8]) -> bool {
    let trimmed = line.trim_ascii_start();
    let indented = trimmed.len() < line.len();
    match trimmed {
        [b'/', b'/' | b'*', ..] | [b';', b';', ..] => true,
        [b'#', b' ' | b'\t', ..] => true,
        [b'*', b' ' | b'\t', ..] => indented,
        _ => false,
    }
}

/// Whether a line starts with years as a copyright file's does: `2014, 2016-2018, Jane Doe`.
fn starts_with_years(line: &[u8]) -> bool {
    let line = line.trim_ascii_start();
    let length = line.iter().take_while(|b| b.is_ascii_digit() || matches!(b, b',' | b'-')).count();
    let years = line[..length].split(|byte| matches!(byte, b',' | b'-')).filter(|y| !y.is_empty());
    length >= 4
        && line.get(length) == Some(&b' ')
        && years.into_iter().all(|year| year.len() == 4 && matches!(year[0], b'1' | b'2'))
}

/// Whether a word is a trailer's or a manifest's, and no field's of a message.
fn is_of_works(word: &[u8]) -> bool {
    [&b"-by"[..], b"email__", b"_email", b"-email"].iter().any(|end| word.ends_with(end))
}

/// The `:` or `=` that a text starts with, after a quote or blanks.
fn operator(rest: &[u8]) -> Option<u8> {
    let skipped = rest
        .iter()
        .take(8)
        .take_while(|b| matches!(b, b' ' | b'\t' | b'"' | b'\'' | b'\\'))
        .count();
    rest.get(skipped).copied().filter(|byte| matches!(byte, b':' | b'='))
}

/// Where the last line of a text starts; an escaped end of line ends one too.
fn line(before: &[u8]) -> usize {
    let real = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
    let escaped = memchr::memmem::rfind(&before[real..], b"\\n").map_or(0, |at| real + at + 2);
    real.max(escaped)
}

/// Where the last paragraph of a text starts: after a line without letters or digits, or after a
/// list's end.
fn paragraph(before: &[u8]) -> usize {
    let mut start = before.len();
    while start > 0 {
        let from = line(&before[..start - 1]);
        let one = &before[from..start];
        let is_empty = !one.iter().any(u8::is_ascii_alphanumeric);
        if is_empty && start < before.len() {
            return start;
        }
        if memchr::memchr(b']', one).is_some() && !one.contains(&b'[') {
            return start;
        }
        start = from;
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_authors_from_senders() {
        let check = |text: &str, expected: bool| {
            let start = text.find("jane@").unwrap();
            assert_eq!(Seen::default().is_author(text.as_bytes(), start), expected, "{text}");
        };
        for author in [
            "Copyright (c) 2026 Jane <jane@corp.com>",
            "// Copyright 2018 Joe <joe@corp.com>,\n// Jane <jane@corp.com>, and",
            "authors = [\"Jane <jane@corp.com>\"]",
            "authors = [\n    \"Joe <joe@corp.com>\",\n    \"Jane <jane@corp.com>\",\n]",
            "authors = [\"jane@corp.com\"]",
            "{\"author\": \"Jane <jane@corp.com>\"}",
            "Signed-off-by: Jane <jane@corp.com>",
            "__author__ = 'Jane (jane@corp.com)'",
            "__email__ = \"jane@corp.com\"",
            " * @author Jane <jane@corp.com>",
            "MIT License. Jane <jane@corp.com>",
            "  2014, 2016-2018, Jane <jane@corp.com>",
            "Maintainer-email: jane@corp.com",
            "# Created by Jane Doe <jane@corp.com>",
            "// Jane Doe <jane@corp.com>",
            " *  Jane Doe (jane@corp.com)",
            " *\t\tJane Doe, <jane@corp.com>",
            "# Author: Jane Doe, jane@corp.com",
            "   Copyright (C) 2017 Jane Doe\n      jane@corp.com\n",
            "## Authors\n\n* Joe <joe@corp.com>\n\n* Jane <jane@corp.com>\n",
            "## Author\n\n[Jane](https://x.org) ([jane@corp.com](mailto:jane@corp.com))",
            "x\n\n## Our contributors\n\nJane Doe <jane@corp.com>",
            "=head1 AUTHOR\n\nJane Doe E<lt>jane@corp.comE<gt>",
            "AUTHORS\n-------\nJane Doe &lt;jane@corp.com&gt;",
            "# Authors\\n\\nJane Doe <jane@corp.com>",
            "{\"name\":\"x\",\"version\":\"1.0.0\",\"author\":{\"name\":\"Jane\",\"email\":\"jane@corp.com\"},\
             \"license\":\"MIT\",\"main\":\"x.js\"}",
            "{\\\"version\\\": \\\"1.0.0\\\", \\\"author\\\": \\\"jane@corp.com\\\", \\\"license\\\": \
             \\\"MIT\\\", \\\"scripts\\\": {}}",
        ] {
            check(author, true);
        }
        for sender in [
            "write to jane@corp.com",
            "From: Jane <jane@corp.com>",
            "{\"author\": \"jane@corp.com\"}",
            "{\"author\":{\"email\":\"jane@corp.com\"}}",
            "The author said: jane@corp.com",
            "Copyright 2026 ACME\n\nTo: Jane <jane@corp.com>",
            "authorized: Jane <jane@corp.com>",
            "2026-11-02T10:11:12Z mail to Jane <jane@corp.com>",
            "authors = [\"Joe\"]\n[mail]\nto = \"jane@corp.com\"",
            "* Jane Doe <jane@corp.com>",
            "Created by: Jane Doe <jane@corp.com>",
            "Thanks\n\nJane Doe <jane@corp.com>",
            "# to: jane@corp.com",
            "## Guests\n\nJane <jane@corp.com>",
            "{\"license\":\"MIT\",\"homepage\":\"x\",\"email\":\"jane@corp.com\"}",
        ] {
            check(sender, false);
        }
    }

    /// What is seen for one address is used for the next, and does not change what is said of it.
    #[test]
    fn looks_once_for_many() {
        let text = "## Authors\n\n".to_owned()
            + &"Jane Doe <jane@corp.com>\n".repeat(60)
            + "\"version\": 1, \"jane@corp.com\" \"main\": 2\n"
            + &"(jane@corp.com) license \"bugs\": Copyright\n".repeat(60)
            + &"to jane@corp.com\n".repeat(60);
        let mut seen = Seen::default();
        let places = memchr::memmem::find_iter(text.as_bytes(), b"jane@");
        let verdicts: Vec<bool> = places
            .map(|start| {
                let verdict = seen.is_author(text.as_bytes(), start);
                assert_eq!(verdict, Seen::default().is_author(text.as_bytes(), start), "{start}");
                verdict
            })
            .collect();
        assert!(verdicts.contains(&true) && verdicts.contains(&false));
    }
}
