//! Owns what is told about a match: rule, kind, place, how sure, and a keyed fingerprint.
//! Accepts the value only to fingerprint it; emits findings; promises that no finding holds,
//! shows or serialises the value.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;

use hmac::{Hmac, Mac};
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use sha2::Sha256;

use crate::Kind;

/// The stable name of a rule, such as `github-pat`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleId(Arc<str>);

impl RuleId {
    /// A rule id of that name.
    pub fn new(id: &str) -> RuleId {
        RuleId(Arc::from(id))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for RuleId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Confidence {
    /// The form fits and little speaks against it.
    Low,
    /// The form fits and its context (a key name, a header) says what it is.
    Medium,
    /// The form is distinctive, or a checksum confirms it.
    High,
}

impl Confidence {
    /// The confidence called `low`, `medium` or `high`.
    pub fn from_label(label: &str) -> Option<Confidence> {
        match label {
            "low" => Some(Confidence::Low),
            "medium" => Some(Confidence::Medium),
            "high" => Some(Confidence::High),
            _ => None,
        }
    }
}

/// What a rule's validator (a checksum, a structure) said about the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// The rule has no validator.
    Unchecked,
    /// The validator does not agree; kept, since a new format must not slip through.
    Doubtful,
    /// The validator agrees.
    Valid,
}

/// A keyed hash of a value: equal values have equal fingerprints under one key, and without the
/// key nothing can be guessed from it. All zeros when no key was given.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Fingerprint([u8; 16]);

/// A key that was taken up once, which is half of the work of a fingerprint.
pub(crate) struct FingerprintKey(Hmac<Sha256>);

impl FingerprintKey {
    pub(crate) fn new(key: &[u8; 32]) -> FingerprintKey {
        // SHA-256 takes blocks of 64 bytes, to which HMAC fills a shorter key with zeros (RFC 2104).
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        block[..key.len()].copy_from_slice(key);
        FingerprintKey(Hmac::new(&block))
    }
}

impl Fingerprint {
    /// HMAC-SHA-256 of the value under the key, cut to 128 bits; zeros without a key.
    pub(crate) fn of(key: Option<&FingerprintKey>, value: &[u8]) -> Fingerprint {
        let Some(FingerprintKey(mac)) = key else { return Fingerprint::default() };
        let mut mac = mac.clone();
        mac.update(value);
        let full = mac.finalize().into_bytes();
        let mut cut = [0; 16];
        cut.copy_from_slice(&full[..16]);
        Fingerprint(cut)
    }

    /// The 16 bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Whether this is the empty fingerprint of a redactor without a key.
    pub fn is_none(&self) -> bool {
        self.0 == [0; 16]
    }
}

/// A text is not a fingerprint of 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is 32 hexadecimal digits")]
pub struct NotAFingerprint;

impl FromStr for Fingerprint {
    type Err = NotAFingerprint;

    fn from_str(text: &str) -> Result<Fingerprint, NotAFingerprint> {
        let digits = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if text.len() != 32 || !digits {
            return Err(NotAFingerprint);
        }
        let number = u128::from_str_radix(text, 16).map_err(|_| NotAFingerprint)?;
        Ok(Fingerprint(number.to_be_bytes()))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for Fingerprint {
    /// As hexadecimal digits; null where there was no key.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_none() { serializer.serialize_none() } else { serializer.collect_str(self) }
    }
}

/// One thing that was found. The value itself is not in it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The rule that found it; of overlapping matches the one that is surest.
    pub rule: RuleId,
    /// What it is.
    pub kind: Kind,
    /// How sure the rule is.
    pub confidence: Confidence,
    /// Where it is in the scanned bytes; everything in it is replaced.
    pub span: Range<usize>,
    /// Where it is in the scanned JSON, as a JSON pointer (RFC 6901); segments that are
    /// themselves sensitive are replaced, long pointers are cut.
    pub key_path: Option<Box<str>>,
    /// What the rule's validator said.
    pub verdict: Verdict,
    /// A keyed hash of the value.
    pub fingerprint: Fingerprint,
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Finding", 8)?;
        out.serialize_field("rule", &self.rule)?;
        out.serialize_field("kind", &self.kind)?;
        out.serialize_field("confidence", &self.confidence)?;
        out.serialize_field("start", &self.span.start)?;
        out.serialize_field("end", &self.span.end)?;
        out.serialize_field("key_path", &self.key_path)?;
        out.serialize_field("verdict", &self.verdict)?;
        out.serialize_field("fingerprint", &self.fingerprint)?;
        out.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_depend_on_key_and_value() {
        let (a, b) = (FingerprintKey::new(&[1; 32]), FingerprintKey::new(&[2; 32]));
        assert_eq!(Fingerprint::of(Some(&a), b"x"), Fingerprint::of(Some(&a), b"x"));
        assert_ne!(Fingerprint::of(Some(&a), b"x"), Fingerprint::of(Some(&a), b"y"));
        assert_ne!(Fingerprint::of(Some(&a), b"x"), Fingerprint::of(Some(&b), b"x"));
        assert!(Fingerprint::of(None, b"x").is_none());
    }

    /// The first test vector of RFC 4231 has a key of 20 bytes, which zeros make 32.
    #[test]
    fn a_fingerprint_is_the_beginning_of_an_hmac() {
        let mut key = [0; 32];
        key[..20].fill(0x0b);
        let print = Fingerprint::of(Some(&FingerprintKey::new(&key)), b"Hi There");
        assert_eq!(print.to_string(), "b0344c61d8db38535ca8afceaf0bf12b");
        assert_eq!(print.to_string().parse(), Ok(print));
        for wrong in
            ["", "b0", "+0344c61d8db38535ca8afceaf0bf12b", "é344c61d8db38535ca8afceaf0bf12"]
        {
            assert_eq!(wrong.parse::<Fingerprint>(), Err(NotAFingerprint), "{wrong}");
        }
    }
}
