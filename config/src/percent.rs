//! Percent encoding, as addresses of files have it (RFC 3986, section 2.1).
//!
//! Owns: nothing. Accepts: a text. Emits: what it means. Promises: no guess at what is not valid.

/// The text without its percent encoding; nothing where a `%` has no two hexadecimal digits behind
/// it, or where the bytes are not UTF-8.
#[must_use]
pub fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        let (high, low) = (digit(rest.next())?, digit(rest.next())?);
        bytes.push(u8::try_from(high << 4 | low).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_valid_is_decoded() {
        for (text, meant) in [
            ("/w/a%20b", Some("/w/a b")),
            ("%c3%A9", Some("é")),
            ("", Some("")),
            ("%zz", None),
            ("%+1", None),
            ("%4", None),
            ("%ff", None),
        ] {
            assert_eq!(decoded(text).as_deref(), meant, "{text}");
        }
    }
}
