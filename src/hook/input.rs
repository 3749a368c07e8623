//! Reading a hook's input.
//!
//! Accepts: any stream; some clients never close it. Emits: the first JSON object in it.
//! Promises: bounded in size and depth; nothing after the object is waited for.

use std::io::Read;

use super::HookError;

/// The largest input, in bytes.
pub(super) const MAX_INPUT: usize = 1 << 20;
/// How deep values may be nested.
const MAX_DEPTH: usize = 128;
/// The mark that some shells put before what they pipe.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// Follows the nesting of one JSON object as its bytes arrive.
#[derive(Debug, Default)]
struct Nesting {
    depth: usize,
    in_string: bool,
    escaped: bool,
    begun: bool,
}

/// Reads one JSON object.
///
/// # Errors
/// [`HookError`] where there is none, or it is too large.
pub(crate) fn read(mut input: impl Read) -> Result<Vec<u8>, HookError> {
    let mut bytes = Vec::with_capacity(16 << 10);
    let mut chunk = [0; 16 << 10];
    let mut nesting = Nesting::default();
    let mut seen = 0;
    loop {
        match input.read(&mut chunk) {
            Ok(0) if nesting.begun => return Err(HookError::Cut),
            Ok(0) => return Err(HookError::Empty),
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(HookError::Read(error)),
        }
        if bytes.len() > MAX_INPUT {
            return Err(HookError::TooLarge);
        }
        if seen == 0 && BOM.starts_with(&bytes[..bytes.len().min(BOM.len())]) {
            if bytes.len() < BOM.len() {
                continue;
            }
            seen = BOM.len();
        }
        if let Some(end) = nesting.feed(&bytes[seen..])? {
            bytes.truncate(seen + end);
            if bytes.starts_with(BOM) {
                bytes.drain(..BOM.len());
            }
            return Ok(bytes);
        }
        seen = bytes.len();
    }
}

/// Whether a text is no deeper than inputs may be; it is JSON already.
pub(super) fn is_shallow(text: &str) -> bool {
    Nesting::default().feed(text.as_bytes()).is_ok()
}

impl Nesting {
    /// Takes the next bytes; where the object ends in them, if it does.
    fn feed(&mut self, bytes: &[u8]) -> Result<Option<usize>, HookError> {
        for (at, &byte) in bytes.iter().enumerate() {
            if self.in_string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.in_string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'{' | b'[' if self.begun || byte == b'{' => {
                    self.begun = true;
                    self.depth += 1;
                    if self.depth > MAX_DEPTH {
                        return Err(HookError::TooDeep);
                    }
                }
                b'}' | b']' if self.begun => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Ok(Some(at + 1));
                    }
                }
                b'"' if self.begun => self.in_string = true,
                b' ' | b'\t' | b'\r' | b'\n' => {}
                _ if self.begun => {}
                _ => return Err(HookError::NotAnObject),
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Gives its bytes in pieces, and fails the test when it is read after the last one.
    struct Pieces<'a>(Vec<&'a [u8]>);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            assert!(!self.0.is_empty(), "it would wait for ever");
            let piece = self.0.remove(0);
            buffer[..piece.len()].copy_from_slice(piece);
            Ok(piece.len())
        }
    }

    #[test]
    fn nothing_after_the_object_is_waited_for() {
        for (pieces, wanted) in [
            (vec![r#"{"a":1}"#], r#"{"a":1}"#),
            (vec!["\n {\"a\":", "\"}\\\"", "}\"} {\"b\""], "\n {\"a\":\"}\\\"}\"}"),
            (vec!["\u{feff}{}", "x"], "{}"),
            (vec!["{", "}"], "{}"),
        ] {
            let pieces = pieces.into_iter().map(str::as_bytes).collect();
            assert_eq!(read(Pieces(pieces)).unwrap(), wanted.as_bytes());
        }
    }

    #[test]
    fn what_is_no_bounded_object_is_refused() {
        let check = |input: &[u8], wanted: &str| {
            let error = read(input).unwrap_err();
            assert!(format!("{error:?}").starts_with(wanted), "{error:?}");
        };
        check(b"", "Empty");
        check(b"  \n", "Empty");
        check(b"[1]", "NotAnObject");
        check(b"allow", "NotAnObject");
        check(b"}", "NotAnObject");
        check(b"{\"a\":", "Cut");
        check("{\"a\":".repeat(129).as_bytes(), "TooDeep");
        check(format!("{{\"a\":\"{}", "x".repeat(MAX_INPUT + 1)).as_bytes(), "TooLarge");
    }

    proptest! {
        #[test]
        fn any_object_is_found_however_it_is_cut(
            keys in prop::collection::vec(("\\PC{0,6}", "\\PC{0,9}"), 0..4),
            junk in "\\PC{0,9}",
            size in 1usize..9,
        ) {
            let object: serde_json::Map<_, _> =
                keys.into_iter().map(|(key, text)| (key, text.into())).collect();
            let object = serde_json::Value::Object(object).to_string();
            let whole = format!("{object}{junk}");
            let pieces = whole.as_bytes().chunks(size).collect();
            prop_assert_eq!(read(Pieces(pieces)).unwrap(), object.as_bytes());
        }

        #[test]
        fn junk_never_panics(junk in prop::collection::vec(any::<u8>(), 0..99)) {
            let _ = read(&junk[..]);
        }
    }
}
