//! Owns what a value itself says: a secret, or a placeholder, a template, code, a sentence.
//! Accepts the bytes of a value with what is known of its key; emits how sure we are; promises
//! one look per byte.

use super::assigned::{Assigned, Operator};
use super::form::is_uuid;
use super::key::KeyClass;
use super::placeholder::{DOCUMENTED, is_placeholder, is_template, is_unlikely_password};
use super::rarity::{RARE, RARE_PASSWORD, rarity};
use crate::rule::base64_prefix;
use crate::{Confidence, barrier};

/// Longest value that is judged, in bytes; longer ones count as sentences or data.
const MAX_VALUE: usize = 8 << 10;

/// Most blanks in a password.
const MAX_PHRASE: usize = 4;

/// Whether the value of such a key is a secret.
pub(crate) fn judge(
    value: &[u8],
    class: KeyClass,
    assigned: &Assigned,
    json: bool,
) -> Option<Confidence> {
    let barriers = barrier::find(value);
    if !barriers.is_empty() {
        let rest = barrier::subtract(&(0..value.len()), &barriers);
        let longest = rest.into_iter().max_by_key(std::ops::Range::len)?;
        return judge(&value[longest], class, assigned, json);
    }
    if assigned.encoded {
        return is_user_and_password(value).then_some(Confidence::Low);
    }
    let shape = Shape::of(value);
    let shortest = if class == KeyClass::Password { 4 } else { 8 };
    let digits_are_needed = matches!(class, KeyClass::Weak | KeyClass::Nonce);
    if value.len() < shortest
        || value.len() > MAX_VALUE
        // The base64 of a user's name and password may have none.
        || digits_are_needed && shape.digit == 0 && !value.ends_with(b"=")
        || is_placeholder(value, &shape)
        || DOCUMENTED.contains(&value)
    {
        return None;
    }
    if holds_object(value) {
        let sure = class == KeyClass::Secret && longest_random(value) >= 16;
        return sure.then_some(Confidence::Low);
    }
    let quoted = assigned.quote.is_some();
    if is_template(value) || !quoted && is_code(value, &shape, assigned) {
        return None;
    }
    // A sentence, also one in a script without blanks; a pass phrase is of no language.
    let phrase = class == KeyClass::Password
        && quoted
        && shape.blank <= MAX_PHRASE
        && rarity(value) >= RARE_PASSWORD + 0.5;
    if shape.blank > 0 && !phrase || shape.other > 0 && shape.digit == 0 || is_place(value) {
        return None;
    }
    // An address in memory, a number of 64 bits.
    if value.len() <= 18 && value.starts_with(b"0x") {
        return None;
    }
    let constant = !quoted && !assigned.tight && is_constant(value);
    if constant || is_fingerprint(value) && class == KeyClass::Weak {
        return None;
    }
    match class {
        KeyClass::Password => password(value, &shape, assigned, json),
        KeyClass::Secret => secret(value, &shape, assigned),
        KeyClass::Weak | KeyClass::Nonce => weak(value, &shape, class, assigned),
        KeyClass::Other => None,
    }
}

/// Whether a value is `user:password`, as HTTP's basic scheme encodes it (RFC 7617).
pub(super) fn is_user_and_password(value: &[u8]) -> bool {
    let Some(colon) = memchr::memchr(b':', value) else { return false };
    let (user, password) = (&value[..colon], &value[colon + 1..]);
    user.len() >= 2
        && password.len() >= 4
        && value.iter().all(u8::is_ascii_graphic)
        && !is_unlikely_password(password)
}

fn password(value: &[u8], shape: &Shape, assigned: &Assigned, json: bool) -> Option<Confidence> {
    let rare = rarity(value) >= RARE_PASSWORD;
    if is_named(value) {
        return None;
    }
    let letters = shape.lower + shape.upper;
    let marks = shape.symbol - count(value, b"-_.");
    let strong = shape.digit > 0 && letters > 0 || marks > 0 || shape.digit >= 6;
    let mixed = shape.digit >= 2 && letters >= 3 && (shape.upper > 0 || marks > 0);
    // What people write to each other: `the password is …`, `my new password: …`.
    let told = mixed || is_scrambled(value, shape);
    if assigned.operator == Operator::Word && assigned.quote.is_none() {
        return told.then_some(Confidence::Low);
    }
    if matches!(
        assigned.operator,
        Operator::Call | Operator::Word | Operator::Compare | Operator::Comma
    ) || assigned.call.is_some()
    {
        let strong =
            strong && (assigned.operator != Operator::Comma || shape.digit != 1 || marks > 0);
        return (assigned.quote.is_some() && (strong || rare)).then_some(Confidence::Low);
    }
    if assigned.quote.is_some() {
        let stated = json || value.len() >= 8 && assigned.operator == Operator::Colon;
        return (strong || rare || stated).then_some(if strong {
            Confidence::Medium
        } else {
            Confidence::Low
        });
    }
    let written =
        assigned.line_start || assigned.quoted_key || assigned.tight || assigned.follows_comma;
    let varied = shape.digit >= 2 || shape.upper > 0 || marks > 0;
    match assigned.operator {
        Operator::Colon => told || written && (rare || strong && varied),
        // In a list of variables every word is a value.
        Operator::Equals if assigned.tight && assigned.shouted && value.len() >= 5 => true,
        Operator::Equals => rare && written || strong && (assigned.tight || varied),
        Operator::Arrow => strong && varied,
        Operator::Flag | Operator::Tag => strong || rare,
        _ => false,
    }
    .then_some(Confidence::Low)
}

/// Whether a value that only blanks stand before is such a password as a sentence tells.
pub(super) fn is_told_password(value: &[u8]) -> bool {
    let shape = Shape::of(value);
    let mixed = shape.digit >= 2 && shape.lower >= 2 && shape.upper >= 1;
    (mixed || is_scrambled(value, &shape)) && rarity(value) >= RARE_PASSWORD
}

/// Whether a value is letters and digits as people or generators mix them, in no order that a name
/// has: capitals and small letters at random, or a word with a number behind it that is none of an
/// algorithm's (`sha256`, `utf8`) or a type's.
fn is_scrambled(value: &[u8], shape: &Shape) -> bool {
    if value.len() < 8 || shape.symbol > 0 || shape.lower < 2 {
        return false;
    }
    let random = shape.upper >= 2 && rarity(value) >= RARE_PASSWORD;
    let numbered = shape.digit >= 2 && shape.lower >= 5 && shape.upper == 0 && {
        let word = value.iter().take_while(|b| b.is_ascii_lowercase()).count();
        word + shape.digit == value.len() && shape.digit <= 4 && !names_itself(value)
    };
    random || numbered
}

fn secret(value: &[u8], shape: &Shape, assigned: &Assigned) -> Option<Confidence> {
    let made = machine_made(value, shape, 2.7);
    if matches!(assigned.operator, Operator::Call | Operator::Word | Operator::Compare)
        && assigned.quote.is_none()
    {
        return (made && value.len() >= 16).then_some(Confidence::Low);
    }
    let rare = value.len() >= 8
        && rarity(value) >= RARE
        && shape.symbol <= value.len() / 4
        && entropy(value) >= 2.0;
    let written = assigned.quote.is_some() || assigned.line_start || assigned.tight;
    // Every class of signs, as a generator of passwords writes them.
    let mixed = value.len() >= 12
        && shape.symbol >= 2
        && shape.digit > 0
        && shape.lower > 0
        && (shape.upper > 0 || value.len() >= 20)
        && entropy(value) >= 3.2
        && assigned.quote.is_some();
    (made || (rare || mixed) && written).then_some(if made {
        Confidence::Medium
    } else {
        Confidence::Low
    })
}

fn weak(value: &[u8], shape: &Shape, class: KeyClass, assigned: &Assigned) -> Option<Confidence> {
    let shortest = if class == KeyClass::Nonce { 8 } else { 12 };
    let written = assigned.quote.is_some()
        || assigned.line_start
        || assigned.tight
        || value.len() >= 32
        || assigned.operator == Operator::Word && value.len() >= 16;
    let made =
        machine_made(value, shape, 3.0) && (transitions(value) >= 4 || rarity(value) >= RARE);
    // As Docker keeps a registry's user and password.
    let decoded = base64_prefix(value);
    if value.len() >= 8 && written && is_user_and_password(&decoded) {
        return Some(Confidence::Medium);
    }
    if is_prose(&decoded) {
        return None;
    }
    // In base64 whose end is marked, without a digit by chance.
    let marked = value.ends_with(b"=")
        && value.len().is_multiple_of(4)
        && shape.lower > 0
        && shape.upper > 0
        && rarity(value) >= RARE;
    (written && (made || marked) && value.len() >= shortest && !is_uuid(value))
        .then_some(Confidence::Low)
}

/// Whether a text is words with blanks between.
fn is_prose(text: &[u8]) -> bool {
    text.len() >= 12
        && text.contains(&b' ')
        && text.iter().all(|b| b.is_ascii_alphabetic() || b" ,.;:!?'-\n".contains(b))
}

/// Whether a value without its surroundings looks as if a machine had made it.
pub(crate) fn is_machine_made(value: &[u8]) -> bool {
    machine_made(value, &Shape::of(value), 3.0)
        && (transitions(value) >= 4 || rarity(value) >= RARE)
}

/// Whether a value that no operator stands before looks like a token all the same: letters and
/// digits mixed, and neither a fingerprint of a public key nor a UUID.
pub(crate) fn is_random_token(value: &[u8]) -> bool {
    let fingerprint = is_fingerprint(value);
    let joins = count(value, b"_-");
    let digits = value.iter().filter(|b| b.is_ascii_digit()).count();
    machine_made(value, &Shape::of(value), 3.0)
        && (transitions(value) >= 5 && joins <= 4 || joins == 0 && digits >= 4)
        && !fingerprint
        && !is_uuid(value)
}

/// Whether a value looks as if a machine had made it.
fn machine_made(value: &[u8], shape: &Shape, least: f64) -> bool {
    let letters = shape.lower + shape.upper;
    if shape.digit == 0 || letters == 0 && shape.digit < 16 || shape.symbol > value.len() / 3 {
        return false;
    }
    let mixed = shape.digit >= 4 && transitions(value) >= 2
        || transitions(value) >= 3
        || letters == 0
        || is_hex(value) && value.len() >= 12 && shape.digit >= 4 && letters >= 4
        || rarity(value) >= RARE - 0.5;
    mixed && entropy(value) >= least.min(entropy_ceiling(value.len()))
}

/// Whether a value in code is a constant: a number, with its type perhaps, or a name in capitals.
fn is_constant(value: &[u8]) -> bool {
    let digits = value.iter().take_while(|b| b.is_ascii_digit() || **b == b'_').count();
    let suffix = &value[digits..];
    let number = digits > 0
        && value[0].is_ascii_digit()
        && matches!(
            suffix,
            b"u8"
                | b"u16"
                | b"u32"
                | b"u64"
                | b"usize"
                | b"i8"
                | b"i16"
                | b"i32"
                | b"i64"
                | b"isize"
                | b"L"
                | b"U"
                | b"UL"
                | b"ULL"
                | b"LL"
        );
    let name = value[0].is_ascii_uppercase()
        && value.contains(&b'_')
        && value.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_');
    number || name && rarity(value) < RARE
}

/// Whether a value is written as fingerprints of public keys are (OpenPGP): 40 digits in capitals.
fn is_fingerprint(value: &[u8]) -> bool {
    value.len() == 40
        && is_hex(value)
        && value.iter().any(u8::is_ascii_uppercase)
        && !value.iter().any(u8::is_ascii_lowercase)
}

fn is_hex(value: &[u8]) -> bool {
    value.iter().all(u8::is_ascii_hexdigit)
}

/// What a random value of that length can reach, less a margin.
fn entropy_ceiling(length: usize) -> f64 {
    (length as f64).log2() * 0.75
}

/// How often letters and digits take turns.
fn transitions(value: &[u8]) -> usize {
    value
        .windows(2)
        .filter(|pair| {
            pair[0].is_ascii_alphanumeric()
                && pair[1].is_ascii_alphanumeric()
                && pair[0].is_ascii_digit() != pair[1].is_ascii_digit()
        })
        .count()
}

fn count(value: &[u8], of: &[u8]) -> usize {
    value.iter().filter(|byte| of.contains(byte)).count()
}

/// Whether a value without digits says what it is instead of being it, as `test-password` does.
fn names_itself(value: &[u8]) -> bool {
    static NAMES: Parts = Parts::new(&[
        b"pass",
        b"pwd",
        b"secret",
        b"token",
        b"credential",
        b"key",
        b"test",
        b"dummy",
        b"some",
        b"user",
        b"login",
        b"value",
        b"string",
        b"hash",
        b"encrypt",
        b"invalid",
        b"wrong",
        b"none",
        b"prompt",
        b"enter",
        b"field",
        b"input",
        b"demo",
        b"default",
        b"admin",
        b"auth",
        b"null",
        b"require",
        b"empty",
        b"missing",
        b"config",
        b"file",
        b"env",
        b"plain",
    ]);
    let lower = value.to_ascii_lowercase();
    NAMES.are_in(&lower)
}

/// Whether a value without digits, made of words, says what it is instead of being it.
pub(super) fn is_named(value: &[u8]) -> bool {
    !value.iter().any(u8::is_ascii_digit) && names_itself(value) && rarity(value) < RARE
}

/// Words that are looked for anywhere in a text.
pub(super) struct Parts {
    words: &'static [&'static [u8]],
    /// For each byte, whether one of them starts with it, and whether it is the second of one.
    starts: [u8; 256],
}

impl Parts {
    /// Of words of two bytes or more.
    pub(super) const fn new(words: &'static [&'static [u8]]) -> Parts {
        let mut starts = [0; 256];
        let mut at = 0;
        while at < words.len() {
            starts[words[at][0] as usize] |= 1;
            starts[words[at][1] as usize] |= 2;
            at += 1;
        }
        Parts { words, starts }
    }

    /// Whether one of them stands in a short text.
    pub(super) fn are_in(&self, text: &[u8]) -> bool {
        let class = |byte: u8| self.starts[usize::from(byte)];
        text.windows(2).enumerate().any(|(at, two)| {
            class(two[0]) & 1 != 0
                && class(two[1]) & 2 != 0
                && self.words.iter().any(|word| text[at..].starts_with(word))
        })
    }
}

/// Whether a value is an object in itself, as a token that is JSON.
fn holds_object(value: &[u8]) -> bool {
    matches!(value, [b'{', .., b'}']) && value.contains(&b'"')
}

/// The longest run of letters and digits that looks machine-made, in bytes.
fn longest_random(value: &[u8]) -> usize {
    value
        .split(|byte| !byte.is_ascii_alphanumeric())
        .filter(|run| machine_made(run, &Shape::of(run), 3.0))
        .map(<[u8]>::len)
        .max()
        .unwrap_or(0)
}

/// Whether a value is an address, a path, a dotted name or an e-mail address.
fn is_place(value: &[u8]) -> bool {
    let schemes = memchr::memmem::find(value, b"://").is_some() || names_version(value);
    let path = matches!(value, [b'/' | b'.' | b'~', ..]) && value.contains(&b'/')
        || value.iter().filter(|b| **b == b'/').count() >= 1;
    let dotted = count(value, b".:") >= 1;
    let mail = value.contains(&b'@') && value.contains(&b'.');
    schemes || (path || dotted || mail) && rarity(value) < RARE - 0.7 && longest_random(value) < 12
}

/// Whether a value is a package with its version, as in `name-0.11.2`.
fn names_version(value: &[u8]) -> bool {
    let version = value.iter().rev().take_while(|b| b.is_ascii_digit() || **b == b'.').count();
    let (name, version) = value.split_at(value.len() - version);
    let separated = matches!(name, [.., b'-' | b'@' | b'v' | b':']);
    let words =
        name.iter().all(|b| b.is_ascii_alphabetic() || matches!(b, b'-' | b'@' | b'_' | b':'));
    separated && words && count(version, b".") >= 2
}

/// Whether a value has digits and enough variety for something that a machine made.
pub(crate) fn is_random(value: &[u8]) -> bool {
    let least = match value.len() {
        0..16 => 2.0,
        16..32 => 2.6,
        _ => 3.0,
    };
    value.iter().any(u8::is_ascii_digit) && entropy(value) >= least
}

/// Counts of a value's bytes by class.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shape {
    pub(crate) lower: usize,
    pub(crate) upper: usize,
    pub(crate) digit: usize,
    pub(crate) blank: usize,
    pub(crate) symbol: usize,
    pub(crate) other: usize,
}

impl Shape {
    pub(crate) fn of(value: &[u8]) -> Shape {
        let mut shape = Shape::default();
        for byte in value {
            match byte {
                b'a'..=b'z' => shape.lower += 1,
                b'A'..=b'Z' => shape.upper += 1,
                b'0'..=b'9' => shape.digit += 1,
                b' ' | b'\t' | b'\n' | b'\r' => shape.blank += 1,
                0x80.. => shape.other += 1,
                _ => shape.symbol += 1,
            }
        }
        shape
    }
}

/// Shannon entropy in bits per byte.
pub(crate) fn entropy(value: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for &byte in value {
        counts[usize::from(byte)] += 1;
    }
    let total = value.len() as f64;
    counts
        .iter()
        .filter(|&&count| count > 0)
        .map(|&count| {
            let share = f64::from(count) / total;
            -share * share.log2()
        })
        .sum()
}

/// Whether a value without quotes is an expression of a programming language.
fn is_code(value: &[u8], shape: &Shape, assigned: &Assigned) -> bool {
    let opens = value.starts_with(b"__")
        || matches!(value, [b'!', b'0' | b'1', ..])
        || matches!(value[0], b'&' | b'*' | b'(' | b'[' | b'{' | b'|' | b'<' | b'>' | b'\\' | b'-');
    if opens || assigned.computed {
        return true;
    }
    if value[1..].iter().any(|b| matches!(b, b'(' | b'[' | b'{' | b'|')) {
        return true;
    }
    let named = |part: &[u8]| {
        part.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_')
            && part.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_')
    };
    let dotted = value.contains(&b'.') && value.split(|&b| b == b'.').all(named);
    let made = || value.split(|&b| b == b'.').any(is_machine_made);
    dotted && (shape.digit < 4 || !made()) && rarity(value) < RARE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_is_in_bits_per_byte() {
        assert!(entropy(b"aaaa").abs() < 1e-9);
        assert!((entropy(b"abcd") - 2.0).abs() < 1e-9);
    }
}
