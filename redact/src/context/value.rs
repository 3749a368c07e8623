//! Owns what a value itself says: a secret, or a placeholder, a template, code, a sentence.
//! Accepts the bytes of a value with what is known of its key; emits how sure we are; promises
//! one look per byte.

use super::assign::{Assigned, Operator};
use super::key::KeyClass;
use crate::{Confidence, barrier};

/// Longest value that is judged, in bytes; longer ones count as sentences or data.
const MAX_VALUE: usize = 8 << 10;

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
    let quoted = assigned.quote.is_some();
    let shape = Shape::of(value);
    let shortest = if class == KeyClass::Password { 4 } else { 8 };
    if value.len() < shortest || value.len() > MAX_VALUE || is_placeholder(value, &shape) {
        return None;
    }
    if !quoted && is_code(value, &shape, assigned) {
        return None;
    }
    if quoted && is_template(value) {
        return None;
    }
    if assigned.call.is_some() && class != KeyClass::Secret {
        return None;
    }
    if shape.blank > 0 {
        return None;
    }
    match class {
        KeyClass::Password => password(value, &shape, assigned, json),
        KeyClass::Secret => machine_made(value, &shape, 3.0).then_some(Confidence::Medium),
        KeyClass::Weak => {
            (value.len() >= 12 && machine_made(value, &shape, 3.3)).then_some(Confidence::Low)
        }
        KeyClass::Other => None,
    }
}

fn password(value: &[u8], shape: &Shape, assigned: &Assigned, json: bool) -> Option<Confidence> {
    if matches!(assigned.operator, Operator::Call | Operator::Word | Operator::Compare)
        && (assigned.quote.is_none() || shape.digit == 0)
    {
        return None;
    }
    let strong = shape.digit > 0 && (shape.upper + shape.lower > 0) || shape.symbol > 0;
    if json || strong {
        return Some(Confidence::Medium);
    }
    (assigned.quote.is_some() || assigned.operator == Operator::Equals && assigned.line_start)
        .then_some(Confidence::Low)
        .filter(|_| value.len() >= 4)
}

/// Whether a value looks as if a machine had made it.
fn machine_made(value: &[u8], shape: &Shape, least: f64) -> bool {
    shape.digit > 0
        && (shape.lower + shape.upper > 0 || shape.digit >= 16)
        && entropy(value) >= least.min(entropy_ceiling(value.len()))
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

/// What a random value of that length can reach, less a margin.
fn entropy_ceiling(length: usize) -> f64 {
    (length as f64).log2() * 0.85
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

/// Whether a value stands for one that is to be filled in.
fn is_placeholder(value: &[u8], shape: &Shape) -> bool {
    const WHOLE: &[&[u8]] = &[
        b"null",
        b"none",
        b"nil",
        b"true",
        b"false",
        b"undefined",
        b"empty",
        b"string",
        b"password",
        b"passwd",
        b"secret",
        b"token",
        b"changeme",
        b"change_me",
        b"redacted",
        b"hidden",
        b"removed",
        b"masked",
        b"sensitive",
        b"optional",
        b"required",
        b"unknown",
        b"default",
        b"example",
        b"sample",
        b"dummy",
        b"todo",
        b"value",
        b"text",
        b"number",
        b"boolean",
        b"object",
        b"array",
        b"basic",
        b"bearer",
        b"user",
        b"username",
        b"test",
        b"str",
        b"type",
    ];
    const PARTS: &[&[u8]] = &[
        b"example",
        b"your_",
        b"your-",
        b"yours",
        b"xxxx",
        b"placeholder",
        b"changeme",
        b"change-me",
        b"****",
        b"....",
        b"insert",
        b"_here",
        b"-here",
        b"<your",
        b"removed",
        b"redacted",
        b"1234567890",
        b"abcdef123456",
        b"not-a-real",
        b"notreal",
        b"fake",
        b"dummy",
    ];
    let mut lower = [0; 64];
    let head = &value[..value.len().min(64)];
    let lower = &mut lower[..head.len()];
    lower.copy_from_slice(head);
    lower.make_ascii_lowercase();
    let lower = &*lower;
    if WHOLE.contains(&lower)
        || PARTS.iter().any(|part| memchr::memmem::find(lower, part).is_some())
    {
        return true;
    }
    // One byte over and over, or no letter and no digit at all.
    shape.lower + shape.upper + shape.digit + shape.other == 0
        || value.iter().all(|&byte| byte == value[0])
}

/// Whether a quoted value is filled in later.
fn is_template(value: &[u8]) -> bool {
    matches!(value, [b'<', .., b'>'] | [b'%', .., b'%'] | [b'{', .., b'}'] | [b'[', .., b']'])
        || [&b"${"[..], b"{{", b"#{", b"$(", b"%(", b"<%", b"@{"]
            .iter()
            .any(|open| memchr::memmem::find(value, open).is_some())
        || value.starts_with(b"$")
            && value[1..].iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_')
}

/// Whether a value without quotes is an expression of a programming language.
fn is_code(value: &[u8], shape: &Shape, assigned: &Assigned) -> bool {
    if is_template(value)
        || matches!(
            value[0],
            b'$' | b'&'
                | b'*'
                | b'@'
                | b'('
                | b'['
                | b'{'
                | b'|'
                | b'<'
                | b'>'
                | b'!'
                | b'/'
                | b'\\'
        )
    {
        return true;
    }
    if value.iter().any(|b| matches!(b, b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'|')) {
        return true;
    }
    let dotted = value
        .split(|&b| b == b'.')
        .all(|part| part.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_'))
        && value.contains(&b'.');
    let config = assigned.line_start && assigned.operator == Operator::Equals
        || assigned.operator == Operator::Flag;
    dotted && shape.digit < 3 || shape.digit == 0 && !config
}

/// Whether a token is one that documentation uses: runs of one character, `EXAMPLE`.
pub(crate) fn is_obvious_example(value: &[u8]) -> bool {
    let mut run = 0;
    for &byte in value {
        run = if matches!(byte, b'x' | b'X' | b'*') { run + 1 } else { 0 };
        if run >= 8 {
            return true;
        }
    }
    value.ends_with(b"EXAMPLE")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_is_in_bits_per_byte() {
        assert!(entropy(b"aaaa").abs() < 1e-9);
        assert!((entropy(b"abcd") - 2.0).abs() < 1e-9);
    }

    #[test]
    fn knows_documentation() {
        assert!(is_obvious_example(b"AKIAIOSFODNN7EXAMPLE"));
        assert!(is_obvious_example(b"ghp_xxxxxxxxxxxxxxxxxxxx"));
        assert!(!is_obvious_example(b"ghp_Ab3dE6"));
    }
}
