//! Owns which e-mail addresses are not about a person whom a message is about: reserved for
//! documentation, metasyntactic, of machines and mailing lists, and those by which a published
//! work names its authors.
//! Accepts an address, or a text and the place of one; emits whether it is such; promises a look
//! at [`PARAGRAPH`] bytes at most.

use std::ops::Range;

/// How far before an address its attribution may stand, in bytes.
const PARAGRAPH: usize = 320;

/// Top-level domains that no one can have (RFC 2606, section 2).
const RESERVED_TOPS: &[&[u8]] = &[b"test", b"example", b"invalid", b"localhost"];

/// Domains that stand for any (RFC 2606, section 3, and what manuals write in their place).
const ANY_DOMAINS: &[&[u8]] = &[
    b"example.com",
    b"example.org",
    b"example.net",
    b"domain.com",
    b"domain.tld",
    b"yourdomain.com",
    b"your-domain.com",
    b"mydomain.com",
    b"company.com",
    b"yourcompany.com",
    b"hostname.com",
    b"host.com",
    b"server.com",
    b"email.com",
    b"mail.com",
    b"foo.com",
    b"bar.com",
    b"foo.bar",
    b"foobar.com",
];

/// Names that stand for any.
const ANY_NAMES: &[&[u8]] = &[
    b"foo",
    b"bar",
    b"baz",
    b"qux",
    b"foobar",
    b"name",
    b"username",
    b"password",
    b"user.name",
    b"your",
    b"you",
    b"me",
    b"your.name",
    b"your-name",
    b"yourname",
    b"your.email",
    b"your-email",
    b"youremail",
    b"email",
    b"address",
    b"someone",
    b"somebody",
    b"nobody",
    b"author",
    b"example",
    b"sample",
    b"placeholder",
    b"first.last",
    b"firstname.lastname",
    b"x",
    b"xxx",
];

/// Names of mailboxes that only machines write from or to.
const MACHINES: &[&[u8]] = &[
    b"noreply",
    b"no-reply",
    b"no_reply",
    b"donotreply",
    b"do-not-reply",
    b"mailer-daemon",
    b"postmaster",
    b"hostmaster",
    b"root",
    b"nobody",
];

/// How the names of mailing lists end.
const LIST_ENDS: &[&[u8]] = &[
    b"-announce",
    b"-announcements",
    b"-bugs",
    b"-commits",
    b"-devel",
    b"-developers",
    b"-dev",
    b"-discuss",
    b"-list",
    b"-maintainers",
    b"-patches",
    b"-request",
    b"-sig",
    b"-team",
    b"-users",
];

/// First labels of the domains of mailing lists and of the identifiers of messages.
const LIST_HOSTS: &[&[u8]] =
    &[b"lists", b"list", b"googlegroups", b"vger", b"bugs", b"noreply", b"reply"];

/// Least digits of a local part that identifies a message (RFC 5322, section 3.6.4).
const MESSAGE_DIGITS: usize = 12;

/// Whether an address is nobody's: reserved, metasyntactic, a machine's or a mailing list's.
pub(super) fn is_nobodys(local: &[u8], domain: &[u8]) -> bool {
    let (local, domain) = (local.to_ascii_lowercase(), domain.to_ascii_lowercase());
    let top = memchr::memrchr(b'.', &domain).map_or(&domain[..], |dot| &domain[dot + 1..]);
    if RESERVED_TOPS.contains(&top) {
        return true;
    }
    let plain = local.len() - local.iter().rev().take(2).take_while(|b| b.is_ascii_digit()).count();
    if ANY_DOMAINS.contains(&&domain[..]) && ANY_NAMES.contains(&&local[..plain]) {
        return true;
    }
    if MACHINES.contains(&&local[..]) || LIST_ENDS.iter().any(|end| local.ends_with(end)) {
        return true;
    }
    // `ops+robot`, `ci-bot`, `dependabot`.
    let is_bot = |word: &[u8]| matches!(word, b"bot" | b"robot" | b"dependabot" | b"renovate");
    if local.split(|byte| matches!(byte, b'+' | b'-' | b'.' | b'_')).any(is_bot) {
        return true;
    }
    let digits = local.iter().filter(|byte| byte.is_ascii_digit()).count();
    let mut labels = domain.split(|&byte| byte == b'.');
    let first = labels.next().unwrap_or_default();
    digits >= MESSAGE_DIGITS
        || LIST_HOSTS.contains(&first)
        || domain.starts_with(b"users.noreply.")
        || domain == b"mail.gmail.com"
        // Names of algorithms (RFC 4251, section 6).
        || domain == b"openssh.com"
        || domain == b"libssh.org"
}

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
    (b"contributor", After::Operator),
    (b"contributors", After::Operator),
    (b"__author__", After::Operator),
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
}

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

/// Longest word of an attribution, in bytes.
const MAX_WORD: usize = 24;

/// Where in a text no word of an attribution starts, as far as was looked: addresses that stand
/// close together are not looked at in front of each other's again and again.
#[derive(Debug, Default)]
pub(super) struct Quiet(Range<usize>);

impl Quiet {
    /// Whether no word of an attribution starts in `text[from..to]`; looks at each byte once, as
    /// long as that holds and the places come in order.
    fn holds(&mut self, text: &[u8], from: usize, to: usize) -> bool {
        let known = &mut self.0;
        let start = if known.contains(&from) { known.end } else { from };
        if (start..to).any(|at| starts_attribution(text, at)) {
            return false;
        }
        // A word may begin right before the end and go on behind it.
        let safe = to.saturating_sub(MAX_WORD).max(start);
        *known = if known.contains(&from) { known.start..safe } else { from..safe };
        true
    }
}

/// Whether one of the words stands at `at`, whatever follows it.
fn starts_attribution(text: &[u8], at: usize) -> bool {
    let Some(&[one, two]) = text[at..].first_chunk::<2>() else { return false };
    let start = [one.to_ascii_lowercase(), two.to_ascii_lowercase()];
    if !may_start(start) {
        return false;
    }
    ATTRIBUTIONS.iter().any(|(word, _)| {
        word.starts_with(&start)
            && text.get(at..at + word.len()).is_some_and(|found| found.eq_ignore_ascii_case(word))
    })
}

/// Whether the address at `start` is that of an author whom a work names: `Copyright 2026 A <…>`
/// in its line; or, where it stands in angle brackets after a name, any attribution before it in
/// its paragraph (`authors = ["A <…>", "B <…>"]`). A field such as `"author": "jane@…"` is the
/// author of a message and none.
pub(super) fn is_attribution(text: &[u8], start: usize, quiet: &mut Quiet) -> bool {
    let from = start.saturating_sub(PARAGRAPH);
    let before = &text[from..start];
    let bracketed = matches!(before.last(), Some(b'<' | b'('));
    if quiet.holds(text, from, start) {
        return bracketed && starts_with_years(&before[line(before)..]);
    }
    let lower = before[paragraph(before)..].to_ascii_lowercase();
    let last = line(&lower);
    (0..lower.len()).any(|at| is_attributing(&lower, at, bracketed, at >= last))
        || bracketed && starts_with_years(&lower[last..])
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

/// Whether one of the words stands at `at`. Where the address has no brackets only those count
/// that no field of a message is called by, and those that must name someone in their own line.
fn is_attributing(lower: &[u8], at: usize, bracketed: bool, same_line: bool) -> bool {
    if at.checked_sub(1).is_some_and(|at| lower[at].is_ascii_alphanumeric() || lower[at] == b'_') {
        return false;
    }
    let Some(first) = lower[at..].first_chunk::<2>() else { return false };
    if !may_start(*first) {
        return false;
    }
    // Two bytes tell nearly all words apart, and cost less than a comparison.
    ATTRIBUTIONS.iter().filter(|(word, _)| word.starts_with(first)).any(|&(word, after)| {
        let Some(rest) = lower[at..].strip_prefix(word) else { return false };
        match after {
            After::Anything => {
                (bracketed || same_line && !word.starts_with(b"licen"))
                    && !rest.first().is_some_and(u8::is_ascii_alphabetic)
            }
            After::Operator => {
                let list = word.ends_with(b"s") && operator(rest) == Some(b'=');
                let fits = bracketed || list || same_line && is_of_works(word);
                fits && operator(rest).is_some() && memchr::memchr(b']', rest).is_none()
            }
        }
    })
}

/// Whether a word is a trailer's or a manifest's, and no field's of a message.
fn is_of_works(word: &[u8]) -> bool {
    [&b"-by"[..], b"__email__", b"_email", b"-email"].iter().any(|end| word.ends_with(end))
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
    fn knows_addresses_of_nobody() {
        let check = |address: &str, expected: bool| {
            let (local, domain) = address.split_once('@').unwrap();
            assert_eq!(is_nobodys(local.as_bytes(), domain.as_bytes()), expected, "{address}");
        };
        for nobodys in [
            "jane@corp.test",
            "jane@site.example",
            "foo@example.com",
            "your-name@example.org",
            "author2@example.com",
            "noreply@github.com",
            "53935716+jane@users.noreply.github.com",
            "debian-devel@lists.debian.org",
            "tz-announce@iana.org",
            "linux-kernel@vger.kernel.org",
            "20200505095915.11275-7-jane@redhat.com",
            "aes256-gcm@openssh.com",
            "ops+robot@npmjs.com",
        ] {
            check(nobodys, true);
        }
        for someones in [
            "jane.doe@example.org",
            "zoe27@example.com",
            "rogercarr@example.com",
            "jane@corp.com",
            "info@presidio.site",
            "name@corp.com",
            "devel@corp.com",
            "jane1990@test.com",
            "ctalbot@corp.com",
        ] {
            check(someones, false);
        }
    }

    #[test]
    fn tells_authors_from_senders() {
        let check = |text: &str, expected: bool| {
            let start = text.find("jane@").unwrap();
            assert_eq!(
                is_attribution(text.as_bytes(), start, &mut Quiet::default()),
                expected,
                "{text}"
            );
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
        ] {
            check(sender, false);
        }
    }
}
