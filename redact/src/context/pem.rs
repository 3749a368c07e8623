//! Owns private keys in PEM armour (RFC 7468).
//! Accepts the place of `-----BEGIN`; emits the block up to its end line, or as far as base64
//! goes where there is none; promises one look per byte and a limit of 64 KiB.

use crate::engine::Work;
use crate::{Confidence, Verdict};

/// Longest block, in bytes.
const MAX_BLOCK: usize = 64 << 10;
/// Shortest body between two armour lines, in bytes: the shortest keys (Ed25519, RFC 8410) have 64.
const MIN_BODY: usize = 56;
/// Longest label, as in `RSA PRIVATE KEY`, in bytes.
const MAX_LABEL: usize = 64;

/// What the labels of private keys end with.
const PRIVATE: &[u8] = b"PRIVATE KEY";

/// Adds the private key whose armour starts at `at`.
pub(crate) fn pem(work: &mut Work<'_>, text: &[u8], rule: usize, at: usize) {
    let head = &text[at..text.len().min(at + 16 + MAX_LABEL)];
    let is_private = |&at: &usize| {
        head[at..].get(..PRIVATE.len()).is_some_and(|label| label.eq_ignore_ascii_case(PRIVATE))
    };
    let Some(private) = memchr::memchr2_iter(b'P', b'p', head).find(is_private) else { return };
    let Some(dashes) = memchr::memmem::find(&head[private..], b"-----") else { return };
    let body = at + private + dashes + 5;
    let window = &text[body..text.len().min(body + MAX_BLOCK)];
    // Where another block begins, this one has ended; so no byte is looked at for two of them.
    let mut dashes = memchr::memmem::find_iter(window, b"-----");
    let begins = |&at: &usize| matches!(window.get(at + 5), Some(b'B' | b'b'));
    let window = dashes.find(begins).map_or(window, |next| &window[..next]);
    if !work.spend(window.len().min(4096)) {
        return;
    }
    let end = match memchr::memmem::find(window, b"-----END") {
        Some(end) if end >= MIN_BODY && is_armoured(&window[..end]) => {
            let tail = &window[end..window.len().min(end + 16 + MAX_LABEL)];
            let close = memchr::memmem::find(&tail[8.min(tail.len())..], b"-----");
            body + end + close.map_or(8, |close| close + 8 + 5)
        }
        Some(_) => return,
        None => body + window.iter().position(|&b| !is_body(b)).unwrap_or(window.len()),
    };
    if end < body + 24 {
        return;
    }
    work.spend(end - at);
    work.add(text, at..end, rule, Confidence::High, Verdict::Unchecked);
}

/// Whether the bytes between the armour lines can be a key and its headers.
fn is_armoured(body: &[u8]) -> bool {
    body.len() >= 24 && body.iter().filter(|&&b| is_body(b)).count() * 10 >= body.len() * 8
}

/// Bytes of the base64 body, its line breaks (also escaped ones) and string glue.
fn is_body(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'+' | b'/' | b'=' | b'\n' | b'\r' | b' ' | b'\t' | b'\\' | b'-' | b':' | b','
        )
}
