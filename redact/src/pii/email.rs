//! Owns e-mail addresses (the dot-atom form of RFC 5322).
//! Accepts the place of an `@`; emits the address; promises a bounded look, and that package
//! scopes, remote addresses, file names, units and handles are not taken for one, nor an address
//! that is nobody's ([`super::nobody`]) or an author's ([`super::author`]).

use super::author::Seen;
use super::nobody;
use crate::engine::Work;
use crate::rule::Detector;
use crate::{Confidence, Verdict};

/// Longest local part (RFC 5321), in bytes.
const MAX_LOCAL: usize = 64;
/// Longest domain (RFC 5321), in bytes.
const MAX_DOMAIN: usize = 255;

/// Adds the address around the `@` at `at`.
pub(super) fn at_sign(work: &mut Work<'_>, text: &[u8], at: usize, authors: &mut Seen) {
    let Some(rule) = work.redactor.detector(Detector::Email) else { return };
    let before = &text[at.saturating_sub(MAX_LOCAL + 1)..at];
    let local = before.iter().rev().take_while(|&&b| is_local(b)).count();
    let mut start = at - local;
    // `to=jane@…` is a field and its value.
    if let Some(equals) = memchr::memrchr(b'=', &text[start..at]) {
        start += equals + 1;
    }
    while start < at && matches!(text[start], b'.' | b'-' | b'\'' | b'/' | b'&' | b'*') {
        start += 1;
    }
    let local = at - start;
    let after = &text[at + 1..text.len().min(at + 1 + MAX_DOMAIN)];
    let mut domain = after.iter().take_while(|&&b| is_domain(b)).count();
    work.spend(local + domain);
    while domain > 0 && matches!(after[domain - 1], b'.' | b'-') {
        domain -= 1;
    }
    if local == 0 || local > MAX_LOCAL || domain == 0 || text[at - 1] == b'.' {
        return;
    }
    // A name in code goes on: `imports@env.await_promise`.
    if after.get(domain) == Some(&b'_') {
        return;
    }
    let name = &after[..domain];
    let Some(dot) = memchr::memrchr(b'.', name) else { return };
    let top = &name[dot + 1..];
    if !is_top(top) || name.split(|&b| b == b'.').any(|label| !is_label(label)) {
        return;
    }
    // `git@host:path` and `user@host:/path` are remote addresses.
    let is_remote = after.get(domain) == Some(&b':')
        && after
            .get(domain + 1)
            .is_some_and(|&b| b.is_ascii_alphanumeric() || b == b'/' || b == b'~')
        && text[start..at].eq_ignore_ascii_case(b"git");
    if is_remote || text[start..at].eq_ignore_ascii_case(b"git") {
        return;
    }
    if in_address(text, start) || nobody::is_nobodys(&text[start..at], name) {
        return;
    }
    if authors.is_author(text, start) {
        return;
    }
    work.add(text, start..at + 1 + domain, rule, Confidence::High, Verdict::Unchecked);
}

fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'.' | b'_' | b'%' | b'+' | b'-' | b'\'' | b'=' | b'&' | b'*')
        || byte >= 0x80
}

fn is_domain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-') || byte >= 0x80
}

fn is_label(label: &[u8]) -> bool {
    !label.is_empty() && label.len() <= 63 && label[0] != b'-' && label[label.len() - 1] != b'-'
}

/// Whether a last label can be a top-level domain rather than a file's extension, a number, or the
/// type of a unit (systemd.unit(5): `getty@tty1.service`).
fn is_top(top: &[u8]) -> bool {
    const EXTENSIONS: &[&[u8]] = &[
        b"png",
        b"jpg",
        b"jpeg",
        b"gif",
        b"svg",
        b"webp",
        b"ico",
        b"js",
        b"ts",
        b"jsx",
        b"tsx",
        b"mjs",
        b"cjs",
        b"json",
        b"css",
        b"scss",
        b"html",
        b"htm",
        b"md",
        b"txt",
        b"log",
        b"py",
        b"rb",
        b"go",
        b"java",
        b"kt",
        b"php",
        b"xml",
        b"yml",
        b"yaml",
        b"toml",
        b"lock",
        b"so",
        b"dll",
        b"exe",
        b"pdf",
        b"tgz",
        b"gz",
        b"tar",
        b"bz2",
        b"jar",
        b"class",
        b"service",
        b"socket",
        b"mount",
        b"automount",
        b"swap",
        b"slice",
        b"scope",
        b"timer",
        b"sh",
        b"rs",
        b"lua",
        b"vue",
        b"map",
        b"wasm",
        b"zip",
        b"deb",
        b"rpm",
        b"whl",
        b"gem",
        b"conf",
    ];
    let lower = top.to_ascii_lowercase();
    top.starts_with(b"xn--")
        || (2..=24).contains(&top.len())
            && top.iter().all(|b| b.is_ascii_alphabetic() || *b >= 0x80)
            && !EXTENSIONS.contains(&&lower[..])
}

/// Whether the local part that starts at `start` is the user or password of `scheme://…@host`.
fn in_address(text: &[u8], start: usize) -> bool {
    let before = &text[start.saturating_sub(MAX_LOCAL)..start];
    match before {
        [.., b'/', b'/'] => true,
        [.., b':'] => {
            let user =
                before[..before.len() - 1].iter().rev().take_while(|&&b| is_local(b)).count();
            before[..before.len() - 1 - user].ends_with(b"//")
        }
        _ => false,
    }
}
