//! Owns credentials in addresses and in `Authorization` headers.
//! Accepts the place of `://` or of a scheme's name; emits the password or token; promises a
//! bounded look.

use super::placeholder::{is_obvious_example, is_unlikely_password};
use super::value::{Shape, is_machine_made, is_named, is_user_and_password};
use crate::engine::{Work, starts_word};
use crate::rule::{MAX_TOKEN, base64_prefix};
use crate::{Confidence, Verdict, barrier};

/// Longest `user:password` in an address, in bytes.
const MAX_USERINFO: usize = 512;

/// Shortest token in a user's place, in bytes.
const MIN_USER_TOKEN: usize = 20;

/// Adds the password of `scheme://user:password@host`, or the token of `scheme://token@host`, where
/// `at` is the place of `://`.
pub(crate) fn url_credentials(work: &mut Work<'_>, text: &[u8], rule: usize, at: usize) {
    let start = at + 3;
    if at == 0 || !text[at - 1].is_ascii_alphanumeric() {
        return;
    }
    let window = &text[start.min(text.len())..text.len().min(start + MAX_USERINFO)];
    let end = window.iter().position(|&b| ends_userinfo(b)).unwrap_or(window.len());
    if !work.spend(end) {
        return;
    }
    // The password may hold an `@` itself: the last one before the path is what counts.
    let Some(host) = memchr::memrchr(b'@', &window[..end]) else { return };
    let (user, password) = match memchr::memchr(b':', &window[..host]) {
        Some(colon) => (&window[..colon], colon + 1..host),
        None => (&window[..host], host..host),
    };
    // GitHub takes a token as the user's name, with this word or nothing as the password.
    let span = if password.is_empty() || window[password.clone()] == *b"x-oauth-basic" {
        let known = memchr::memmem::find(&window[host..end], b"sentry").is_some();
        if known || user.len() < MIN_USER_TOKEN || !is_machine_made(user) {
            return;
        }
        0..user.len()
    } else if is_calm(&window[password.clone()])
        || user.eq_ignore_ascii_case(&window[password.clone()])
    {
        return;
    } else {
        password
    };
    let span = start + span.start..start + span.end;
    work.add(text, span, rule, Confidence::High, Verdict::Unchecked);
}

fn ends_userinfo(byte: u8) -> bool {
    byte <= b' ' || matches!(byte, b'/' | b'"' | b'\'' | b'`' | b'<' | b'>' | b'?' | b'\\')
}

/// Whether a password in an address is a placeholder.
fn is_calm(password: &[u8]) -> bool {
    const WORDS: &[&[u8]] = &[
        b"password",
        b"pass",
        b"pwd",
        b"passwd",
        b"secret",
        b"token",
        b"abc",
        b"xyz",
        b"xxx",
        b"xxxx",
        b"xxxxx",
        b"***",
        b"****",
        b"*****",
        b"your_password",
        b"yourpassword",
        b"x-oauth-basic",
        b"%s",
    ];
    let lower = password.to_ascii_lowercase();
    let digits = lower.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    WORDS.contains(&&lower[..])
        || WORDS.contains(&&lower[..lower.len() - digits])
        // Of one or two letters are the addresses that explain addresses.
        || password.len() < 3
        || digits == password.len() && password.len() <= 4
        || is_unlikely_password(password)
        || is_named(password)
        || barrier::find(password).first().is_some_and(|span| *span == (0..password.len()))
        || matches!(password, [b'<', ..] | [b'{', .., b'}'] | [b'[', .., b']'] | [b'%', .., b'%'])
        || password.starts_with(b"$")
        || memchr::memmem::find(password, b"${").is_some()
        || memchr::memmem::find(password, b"{{").is_some()
        || password.iter().all(|b| matches!(b, b'*' | b'x' | b'X' | b'.'))
}

/// Adds the token after an authorization scheme's name, which stands at `at..end`.
pub(crate) fn authorization(work: &mut Work<'_>, text: &[u8], rule: usize, at: usize, end: usize) {
    if !starts_word(text, at) {
        return;
    }
    let mut start = end;
    while text.get(start) == Some(&b' ') && start < end + 4 {
        start += 1;
    }
    let window = &text[start..text.len().min(start + MAX_TOKEN)];
    let length = window.iter().position(|&b| !is_token68(b)).unwrap_or(window.len());
    if length < 8 || !work.spend(length) {
        return;
    }
    let value = &window[..length];
    let shape = Shape::of(value);
    let basic = text[at..end].eq_ignore_ascii_case(b"basic ")
        && is_user_and_password(&base64_prefix(value));
    if basic {
        work.add(text, start..start + length, rule, Confidence::High, Verdict::Valid);
        return;
    }
    if length < 12
        || shape.digit == 0
        || shape.upper + shape.lower == 0
        || is_obvious_example(value)
    {
        return;
    }
    work.add(text, start..start + length, rule, Confidence::Medium, Verdict::Unchecked);
}

/// RFC 7235's token68, which is also what bearer tokens are made of (RFC 6750).
fn is_token68(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
}
