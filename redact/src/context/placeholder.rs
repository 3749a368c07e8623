//! Owns what stands in the place of a value: placeholders, templates, examples of documentation.
//! Accepts the bytes of a value; emits whether it is one; promises one look per byte.

use super::value::{Parts, Shape};

/// Longest value, in bytes, that counting makes a placeholder.
const COUNTED: usize = 20;

/// Whether a value stands for one that is to be filled in.
pub(super) fn is_placeholder(value: &[u8], shape: &Shape) -> bool {
    static PARTS: Parts = Parts::new(&[
        b"example",
        b"your_",
        b"your-",
        b"yours",
        b"xxxx",
        b"placeholder",
        b"changeme",
        b"change-me",
        b"****",
        b"####",
        b"....",
        b"insert",
        b"_here",
        b"-here",
        b"<your",
        b"removed",
        b"redacted",
        b"not-a-real",
        b"notreal",
        b"fake",
        b"dummy",
        b"scram-sha",
        b"aws4-hmac-sha256",
    ]);
    static COUNTING: Parts = Parts::new(&[b"1234567890", b"abcdef123456"]);
    let mut lower = [0; 64];
    let head = &value[..value.len().min(64)];
    let lower = &mut lower[..head.len()];
    lower.copy_from_slice(head);
    lower.make_ascii_lowercase();
    let lower = &*lower;
    if matches!(
        lower,
        b"null"
            | b"none"
            | b"nil"
            | b"true"
            | b"false"
            | b"undefined"
            | b"empty"
            | b"string"
            | b"password"
            | b"passwd"
            | b"pass"
            | b"pwd"
            | b"userpass"
            | b"secret"
            | b"token"
            | b"changeme"
            | b"change_me"
            | b"redacted"
            | b"hidden"
            | b"removed"
            | b"masked"
            | b"sensitive"
            | b"optional"
            | b"required"
            | b"unknown"
            | b"default"
            | b"example"
            | b"sample"
            | b"dummy"
            | b"todo"
            | b"value"
            | b"text"
            | b"number"
            | b"boolean"
            | b"object"
            | b"array"
            | b"basic"
            | b"bearer"
            | b"user"
            | b"username"
            | b"test"
            | b"str"
            | b"type"
            | b"utf8"
            | b"utf-8"
            | b"utf16"
            | b"utf-16"
            | b"utf-16le"
            | b"ascii"
            | b"latin1"
            | b"latin-1"
            | b"iso-8859-1"
            | b"base64"
            | b"base64url"
            | b"sha1"
            | b"sha256"
            | b"sha512"
            | b"passwort"
            | b"kennwort"
            | b"salasana"
            | b"heslo"
            | b"wachtwoord"
            | b"lozinka"
            | b"parola"
            | b"senha"
            | b"jelszo"
            | b"adgangskode"
            | b"losenord"
            | b"contrasena"
            | b"contrasenya"
            | b"sandi"
            | b"always"
            | b"never"
            | b"enabled"
            | b"disabled"
            | b"prompt"
            | b"plain"
            | b"login"
            | b"ident"
            | b"trust"
            | b"random"
            | b"generate"
            | b"generated"
            | b"inherit"
    ) || PARTS.are_in(lower)
        || lower.len() <= COUNTED && COUNTING.are_in(lower)
    {
        return true;
    }
    // `1234-1234-1234`: the same part again and again.
    let mut parts = lower.split(|b| matches!(b, b'-' | b'.' | b'_')).filter(|part| part.len() >= 4);
    if parts.next().is_some_and(|first| {
        let rest: Vec<_> = std::iter::once(first).chain(parts).collect();
        rest.windows(3).any(|three| three[0] == three[1] && three[1] == three[2])
    }) {
        return true;
    }
    // One byte over and over, or no letter and no digit at all.
    shape.lower + shape.upper + shape.digit + shape.other == 0
        || value.iter().all(|&byte| byte == value[0])
        || is_counting(lower)
}

/// Whether a value is hardly more than counting up, as `123456` and `abc123`.
fn is_counting(lower: &[u8]) -> bool {
    let steps = lower
        .windows(2)
        .filter(|pair| {
            let next = if pair[0] == b'9' { b'0' } else { pair[0].wrapping_add(1) };
            pair[1] == next || pair[1] == pair[0]
        })
        .count();
    lower.len() >= 4 && steps * 4 >= (lower.len() - 1) * 3
}

/// Whether what stands where a password is given is a placeholder; of `user:password` the second
/// part is looked at.
pub(crate) fn is_unlikely_password(value: &[u8]) -> bool {
    let plain = value.strip_suffix(b"\"").unwrap_or(value);
    let last = plain.rsplit(|byte| *byte == b':').next().filter(|part| !part.is_empty());
    let part = last.unwrap_or(plain);
    let part = part.strip_suffix(b">").unwrap_or(part);
    let shape = Shape::of(part);
    // Words of a script without capitals are a translation of `password`.
    let foreign = shape.other > 0 && shape.digit == 0 && shape.symbol == 0;
    is_template(part) || is_placeholder(part, &shape) || foreign
}

/// Whether a quoted value is filled in later.
pub(super) fn is_template(value: &[u8]) -> bool {
    static CLASSES: Parts =
        Parts::new(&[b"A-Za-z", b"a-zA-Z", b"[a-z", b"[A-Z", b"[0-9", b"a-z0-9"]);
    matches!(value, [b'<', .., b'>'] | [b'%', .., b'%'] | [b'{', .., b'}'] | [b'[', .., b']'])
        || memchr::memmem::find(value, b"%s").is_some()
        || names_source(value)
        // Cut short, or a class of an expression.
        || value.ends_with(b"...")
        || value.ends_with("…".as_bytes())
        || CLASSES.are_in(value)
        || is_time(value)
        // A pattern: `abc*`.
        || matches!(value, [start @ .., b'*'] if start.iter().all(u8::is_ascii_alphabetic))
        || value.windows(2).any(|w| matches!(w, [b'$' | b'{' | b'#' | b'@', b'{'] | [b'<', b'%']))
        || value.windows(3).any(|w| matches!(w, [b'$' | b'%', b'(', c] if c.is_ascii_alphabetic()))
        || matches!(value, [b'$', b'A'..=b'Z' | b'_', b'A'..=b'Z' | b'_', ..])
        || value.starts_with(b"$")
            && value[1..].iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_')
}

/// Whether a value is a date, perhaps with a time (ISO 8601).
fn is_time(value: &[u8]) -> bool {
    matches!(value, [a, b, c, d, b'-', e, f, b'-', g, h, rest @ ..]
        if [a, b, c, d, e, f, g, h].into_iter().all(u8::is_ascii_digit)
            && rest.iter().all(|b| b.is_ascii_digit() || b"-:.+TZ ".contains(b)))
}

/// Whether a value says where the password is to be read, as OpenSSL's options do
/// (openssl-passphrase-options(1)).
fn names_source(value: &[u8]) -> bool {
    [&b"file:"[..], b"env:", b"fd:"].iter().any(|source| value.starts_with(source))
}

/// Tokens that RFC 6749 and RFC 6750 print in their examples, and all who quote them.
pub(super) const DOCUMENTED: &[&[u8]] = &[
    b"2YotnFZFEjr1zCsicMWpAA",
    b"tGzv3JOkF0XG5Qx2TlKWIA",
    b"czZCaGRSa3F0MzpnWDFmQmF0M2JW",
    b"7Fjfp0ZBr1KtDRbnfVdmIw",
    b"gX1fBat3bV",
    b"mF_9.B5f-4.1JqM",
];

/// Whether a token is one that documentation uses: runs of one character, `EXAMPLE` (as AWS
/// writes its ids and keys).
pub(crate) fn is_obvious_example(value: &[u8]) -> bool {
    let mut run = 0;
    for &byte in value {
        run = if matches!(byte, b'x' | b'X' | b'*') { run + 1 } else { 0 };
        if run >= 8 {
            return true;
        }
    }
    value.ends_with(b"EXAMPLE") || value.ends_with(b"EXAMPLEKEY") || DOCUMENTED.contains(&value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_documentation() {
        assert!(is_obvious_example(b"AKIAIOSFODNN7EXAMPLE"));
        assert!(is_obvious_example(b"ghp_xxxxxxxxxxxxxxxxxxxx"));
        assert!(is_obvious_example(b"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"));
        assert!(!is_obvious_example(b"ghp_Ab3dE6"));
    }
}
