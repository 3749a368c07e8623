//! One line of the record: how it is written, taken apart and hashed.

use std::io::Write as _;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::error::AuditError;
use crate::time::Timestamp;

/// Longest line, in bytes: the largest payload that the settings allow, twice (every byte of a cut
/// one may need an escape), and room for the rest.
pub(crate) const MAX_LINE: usize = 40 * 1024 * 1024;
/// What stands before the hash at the end of a line.
const MARK: &[u8] = b",\"hash\":\"";
/// What stands after it.
const END: &[u8] = b"\"}";

/// The hash of a line.
pub(crate) type Hash = [u8; 32];

/// The hash before the first line of a stream.
pub(crate) const ZERO: Hash = [0; 32];

/// What the log itself writes between the records.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(crate) enum Marker {
    /// The first line of every file.
    Start {
        time: Timestamp,
        stream: String,
        file: u64,
        /// The hash of the line before, in the file before.
        prev: String,
        /// Set where the line before could not be read, so that the chain starts anew.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        gap: bool,
    },
    /// A crash left half a line, which was set aside.
    Torn { time: Timestamp, bytes: u64 },
}

/// A line, taken apart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts<'a> {
    /// Its number.
    pub(crate) seq: u64,
    /// What the hash covers.
    pub(crate) covered: &'a [u8],
    /// The hash that it states.
    pub(crate) hash: Hash,
}

/// Appends a line to `out` and returns its hash.
pub(crate) fn write(
    out: &mut Vec<u8>,
    seq: u64,
    prev: &Hash,
    content: &impl Serialize,
) -> Result<Hash, AuditError> {
    let start = out.len();
    let result = write_covered(out, seq, content);
    let size = out.len() - start;
    if let Err(error) = result {
        out.truncate(start);
        return Err(error);
    }
    if size > MAX_LINE - 128 {
        out.truncate(start);
        return Err(AuditError::TooLarge { size, limit: MAX_LINE });
    }
    let hash = hash(prev, &out[start..]);
    out.extend_from_slice(MARK);
    push_hex(out, &hash);
    out.extend_from_slice(END);
    out.push(b'\n');
    Ok(hash)
}

fn write_covered(out: &mut Vec<u8>, seq: u64, content: &impl Serialize) -> Result<(), AuditError> {
    // Writing to a Vec does not fail.
    let _ = write!(out, "{{\"seq\":{seq}");
    let brace = out.len();
    serde_json::to_writer(&mut *out, content).map_err(AuditError::Encode)?;
    // The content is an object with members: its opening brace becomes a comma, and its closing
    // one is left to what follows.
    out[brace] = b',';
    out.pop();
    Ok(())
}

/// The hash of a line, given the one before.
pub(crate) fn hash(prev: &Hash, covered: &[u8]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(prev);
    hasher.update(covered);
    hasher.finalize().into()
}

/// Takes a line (without its line break) apart.
pub(crate) fn split(line: &[u8]) -> Option<Parts<'_>> {
    let inner = line.strip_suffix(END)?;
    let (rest, hex) = inner.split_at_checked(inner.len().checked_sub(64)?)?;
    let covered = rest.strip_suffix(MARK)?;
    Some(Parts { seq: seq_of(covered)?, covered, hash: from_hex(hex)? })
}

fn seq_of(covered: &[u8]) -> Option<u64> {
    let digits = covered.strip_prefix(b"{\"seq\":")?;
    let end = digits.iter().position(|b| !b.is_ascii_digit())?;
    str::from_utf8(&digits[..end]).ok()?.parse().ok()
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(hash: &Hash) -> String {
    let mut out = Vec::with_capacity(64);
    push_hex(&mut out, hash);
    String::from_utf8(out).unwrap_or_default()
}

fn push_hex(out: &mut Vec<u8>, hash: &Hash) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in hash {
        out.push(DIGITS[usize::from(byte >> 4)]);
        out.push(DIGITS[usize::from(byte & 15)]);
    }
}

/// Reads lower-case hexadecimal digits; no others, so that a hash has one spelling.
pub(crate) fn from_hex(hex: &[u8]) -> Option<Hash> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut hash = ZERO;
    if hex.len() != 64 {
        return None;
    }
    for (out, pair) in hash.iter_mut().zip(hex.chunks_exact(2)) {
        *out = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_taken_apart() {
        let mut out = Vec::new();
        let marker = Marker::Torn { time: Timestamp::default(), bytes: 3 };
        let hash = write(&mut out, 7, &ZERO, &marker).unwrap();
        let line = out.strip_suffix(b"\n").unwrap();
        let parts = split(line).unwrap();
        assert_eq!((parts.seq, parts.hash), (7, hash));
        assert_eq!(super::hash(&ZERO, parts.covered), hash);
        let value: serde_json::Value = serde_json::from_slice(line).unwrap();
        assert_eq!(value["event"], "torn");
        assert_eq!(value["hash"], hex(&hash));
    }

    #[test]
    fn what_is_no_line_is_not_taken_apart() {
        for line in ["", "{}", "\"}", "{\"seq\":1,\"hash\":\"00\"}", &"x".repeat(200)] {
            assert!(split(line.as_bytes()).is_none(), "{line}");
        }
    }
}
