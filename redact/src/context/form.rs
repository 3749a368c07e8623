//! Owns values that are known by their form alone, without a word before them: NKEY seeds of NATS,
//! keys of Mailgun, fal and Zhipu, app tokens of Facebook, tokens of Jira, Confluence and Bitwarden,
//! UUIDs.
//! Accepts a text and where a long run of base64, base64url or hex starts; emits the spans of such
//! values; promises one look at each byte of a run.

use std::ops::Range;

use super::value::{entropy, is_machine_made};
use crate::rule::{Detector, base64_prefix};

/// Length of a seed, in characters: 36 bytes in base32 (NKEYS, the wire format of `nkeys`).
const NATS_SEED: usize = 58;
/// Least entropy of a seed, in bits per character; that of 58 random ones is about 4.6.
const LEAST_ENTROPY: f64 = 3.5;
/// Length of 16 bytes in hex.
const HEX: usize = 32;
/// Length of a key of Mailgun: 32, 8 and 8 hexadecimal digits.
const MAILGUN: usize = 50;
/// Length of the second part of a Facebook app token.
const FACEBOOK: usize = 27;
/// Length of a token of Jira: 12 digits, a colon and 20 bytes, in base64.
const JIRA: usize = 44;
/// Length of the second part of a key of Zhipu.
const ZHIPU_SECRET: usize = 16;
/// Lengths of the parts of a Bitwarden access token.
const BITWARDEN_SECRET: usize = 30;
const BITWARDEN_KEY: usize = 24;
/// Length of a UUID (RFC 9562).
const UUID: usize = 36;

/// The value that starts where a run starts, at `start`.
#[inline]
pub(crate) fn known_form(text: &[u8], start: usize) -> Option<(Detector, Range<usize>)> {
    let rest = &text[start..];
    let length = match rest {
        [b'S', b'A' | b'C' | b'N' | b'O' | b'U' | b'X', ..] if is_nats_seed(rest) => {
            return Some((Detector::NatsSeed, start..start + NATS_SEED));
        }
        [b'M' | b'N' | b'O', ..] if is_jira_token(rest) => JIRA,
        _ if rest.get(32) == Some(&b'-') && is_mailgun_key(rest) => {
            return Some((Detector::MailgunKey, start..start + MAILGUN));
        }
        _ => 0,
    };
    match (rest.get(UUID), rest.get(HEX)) {
        (Some(b':'), _) if is_fal_key(rest) => {
            return Some((Detector::FalKey, start..start + UUID + 1 + HEX));
        }
        (Some(b'.'), _) if is_bitwarden_token(text, start) => {
            let end = start + UUID + 1 + BITWARDEN_SECRET + 1 + BITWARDEN_KEY;
            return Some((Detector::BitwardenToken, start - 2..end));
        }
        (_, Some(b'.')) if is_zhipu_key(rest) => {
            return Some((Detector::ZhipuKey, start..start + HEX + 1 + ZHIPU_SECRET));
        }
        _ => {}
    }
    if length > 0 {
        return Some((Detector::JiraToken, start..start + length));
    }
    facebook_app_token(text, start).map(|span| (Detector::FacebookAppToken, span))
}

/// Whether a run that starts here is the seed of an account, cluster, server, operator, user or
/// curve key: `S`, the kind, and base32.
fn is_nats_seed(rest: &[u8]) -> bool {
    rest.len() >= NATS_SEED
        && rest[..NATS_SEED].iter().all(|b| matches!(b, b'A'..=b'Z' | b'2'..=b'7'))
        && ends(rest, NATS_SEED)
        && entropy(&rest[..NATS_SEED]) >= LEAST_ENTROPY
}

fn is_mailgun_key(rest: &[u8]) -> bool {
    let Some(key) = rest.get(..MAILGUN) else { return false };
    ends(rest, MAILGUN)
        && key.iter().enumerate().all(|(at, byte)| match at {
            32 | 41 => *byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
        && entropy(key) >= 3.0
}

/// Whether a run is 12 digits, a colon and bytes that are no text, in base64.
fn is_jira_token(rest: &[u8]) -> bool {
    let Some(token) = rest.get(..JIRA) else { return false };
    if token[16] != b'O' || !ends(rest, JIRA) {
        return false;
    }
    let decoded = base64_prefix(token);
    matches!(decoded.split_at_checked(12), Some((number, [b':', secret @ ..]))
        if number.iter().all(u8::is_ascii_digit)
            && secret.len() == 20
            && secret.iter().any(|byte| !byte.is_ascii_graphic()))
}

/// The app's number, a bar and its secret.
fn facebook_app_token(text: &[u8], start: usize) -> Option<Range<usize>> {
    let before = text[..start].strip_suffix(b"|")?;
    let digits = before.iter().rev().take(18).take_while(|b| b.is_ascii_digit()).count();
    let number = before.len() - digits;
    let apart = !text[..number].last().is_some_and(u8::is_ascii_alphanumeric);
    let secret = text.get(start..start + FACEBOOK)?;
    let is_secret = secret.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    ((13..=17).contains(&digits)
        && apart
        && is_secret
        && ends(&text[start..], FACEBOOK)
        && is_machine_made(secret))
    .then_some(number..start + FACEBOOK)
}

/// Whether a run is a UUID, a colon and 32 hexadecimal digits.
fn is_fal_key(rest: &[u8]) -> bool {
    let secret = rest.get(UUID + 1..UUID + 1 + HEX);
    is_uuid(&rest[..UUID])
        && secret.is_some_and(|secret| {
            secret.iter().all(u8::is_ascii_hexdigit) && entropy(secret) >= 3.0
        })
        && ends(rest, UUID + 1 + HEX)
}

/// Whether a run is the UUID in `0.UUID.secret:key==`.
fn is_bitwarden_token(text: &[u8], start: usize) -> bool {
    let rest = &text[start..];
    let colon = UUID + 1 + BITWARDEN_SECRET;
    let key = rest.get(colon + 1..colon + 1 + BITWARDEN_KEY);
    text[..start].ends_with(b"0.")
        && is_uuid(&rest[..UUID])
        && rest.get(colon) == Some(&b':')
        && rest[UUID + 1..colon].iter().all(u8::is_ascii_alphanumeric)
        && key.is_some_and(|key| key.ends_with(b"=="))
}

/// Whether a run is 32 hexadecimal digits, a dot and 16 random letters and digits.
fn is_zhipu_key(rest: &[u8]) -> bool {
    let Some(secret) = rest.get(HEX + 1..HEX + 1 + ZHIPU_SECRET) else { return false };
    let has = |of: fn(&u8) -> bool| secret.iter().any(of);
    rest[..HEX].iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        && secret.iter().all(u8::is_ascii_alphanumeric)
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_digit)
        && ends(rest, HEX + 1 + ZHIPU_SECRET)
}

/// Whether what is so long is not a part of something longer.
fn ends(rest: &[u8], length: usize) -> bool {
    !rest.get(length).is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'))
}

/// The UUIDs in a run that starts at `start` and ends before `limit` at the latest. Those that say
/// nothing (all digits the same, or counting up) are none.
pub(crate) fn uuids(text: &[u8], start: usize, limit: usize, mut found: impl FnMut(Range<usize>)) {
    let mut from = start;
    while from < limit && crate::blocks::is_run(text[from]) {
        // A word of the run at a time; a UUID's first word has eight digits.
        let word = text[from..limit].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        let whole = text[..limit].get(from..from + UUID);
        if word == 8 && whole.is_some_and(is_telling_uuid) && !continues(text, from + UUID) {
            found(from..from + UUID);
            from += UUID;
        } else {
            from += word + 1;
        }
    }
}

fn continues(text: &[u8], at: usize) -> bool {
    text.get(at).is_some_and(u8::is_ascii_alphanumeric)
}

/// Whether a value has the form of a UUID.
pub(super) fn is_uuid(value: &[u8]) -> bool {
    value.len() == UUID
        && value.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Whether a value is a UUID that nobody typed to fill a place.
fn is_telling_uuid(value: &[u8]) -> bool {
    if !is_uuid(value) {
        return false;
    }
    let digits = || value.iter().filter(|byte| **byte != b'-').map(u8::to_ascii_lowercase);
    let steps = digits().zip(digits().skip(1)).filter(|(a, b)| a == b || follows(*a, *b)).count();
    // Of 31 steps two would do so by chance.
    steps < 20
}

/// Whether `b` is the hexadecimal digit after `a`.
fn follows(a: u8, b: u8) -> bool {
    match a {
        b'9' => matches!(b, b'a' | b'0'),
        b'f' => b == b'0',
        _ => b == a + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uuids_of(text: &str) -> Vec<&str> {
        let mut all = Vec::new();
        uuids(text.as_bytes(), 0, text.len(), |span| all.push(&text[span]));
        all
    }

    #[test]
    fn uuids_are_found_wherever_a_word_starts() {
        let one = "7d9c2f40-1b6e-4a83-9f05-c2d4e6a81b37";
        assert_eq!(uuids_of(one), [one]);
        assert_eq!(uuids_of(&format!("/users/{one}/edit")), [one]);
        assert_eq!(uuids_of(&format!("{one}_{}", one.to_uppercase())).len(), 2);
        for none in [
            "00000000-0000-0000-0000-000000000000",
            "12345678-1234-1234-1234-123456789abc",
            "01234567-89ab-cdef-0123-456789abcdef",
            "7d9c2f40-1b6e-4a83-9f05-c2d4e6a81b37a",
            "a7d9c2f40-1b6e-4a83-9f05-c2d4e6a81b37",
            "7d9c2f40-1b6e-4a83-9f05-c2d4e6a81b3",
            "7d9c2f40-1b6e-4a83-9f05-",
        ] {
            assert!(uuids_of(none).is_empty(), "{none}");
        }
    }

    #[test]
    fn tokens_are_told_from_what_is_like_them() {
        let form = |text: &str, at: usize| known_form(text.as_bytes(), at).map(|(form, _)| form);
        let jira = "MTg0OTIwMzc1NjEyOp/1AJwz7khQ0sXmL2VvU4GdYt8r";
        assert_eq!(form(jira, 0), Some(Detector::JiraToken));
        // Text in base64 that starts alike.
        assert_eq!(form("MTg0OTIwMzc1NjEyOnJvbGUvYWRtaW5pc3RyYXRvcnNz", 0), None);
        let mailgun = "3f9d1c7be0a2468592d7f4b1c6e8a035-7b1d9e42-c05fa381";
        assert_eq!(form(mailgun, 0), Some(Detector::MailgunKey));
        assert_eq!(form(&format!("{mailgun}0"), 0), None);
        let facebook = "482910375561204|Qw8_nT3xLm-Zr7VbKc2YpDsH5fJ";
        assert_eq!(form(facebook, 16), Some(Detector::FacebookAppToken));
        assert_eq!(form("12|Qw8_nT3xLm-Zr7VbKc2YpDsH5fJ", 3), None);
    }
}
