//! Owns keys that are known by their form alone: NKEY seeds of NATS.
//! Accepts the text from where a run of letters and digits starts; emits whether it is a seed;
//! promises one look at its bytes.

use super::value::entropy;

/// Length of a seed, in characters: 36 bytes in base32 (NKEYS, the wire format of `nkeys`).
pub(crate) const NATS_SEED: usize = 58;

/// Least entropy of a seed, in bits per character; that of 58 random ones is about 4.6.
const LEAST_ENTROPY: f64 = 3.5;

/// Whether a run that starts here is the seed of an account, cluster, server, operator, user or
/// curve key: `S`, the kind, and base32.
pub(crate) fn is_nats_seed(rest: &[u8]) -> bool {
    let [b'S', b'A' | b'C' | b'N' | b'O' | b'U' | b'X', ..] = rest else { return false };
    rest.len() >= NATS_SEED
        && rest[..NATS_SEED].iter().all(|b| matches!(b, b'A'..=b'Z' | b'2'..=b'7'))
        && !rest.get(NATS_SEED).is_some_and(u8::is_ascii_alphanumeric)
        && entropy(&rest[..NATS_SEED]) >= LEAST_ENTROPY
}
