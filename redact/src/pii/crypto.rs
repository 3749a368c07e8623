//! Owns addresses of crypto currencies.
//! Accepts a whole token; emits how sure it is that it is an address: base58check (Bitcoin,
//! Litecoin, Dogecoin, Dash, Tron, Ripple), bech32 and bech32m (BIP 173, BIP 350), and 20 bytes in
//! hex (Ethereum, EIP-55). Promises that a base58 or bech32 token with a wrong checksum is none.

use sha2::{Digest, Sha256};

use super::keccak::keccak256;
use crate::{Confidence, Verdict};

/// Longest token that can be an address, in bytes (BIP 173).
pub(super) const MAX_LENGTH: usize = 90;

/// Bitcoin's alphabet of base 58.
const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// Ripple's alphabet of base 58 (XRP Ledger, "base58 encodings").
const RIPPLE: &[u8; 58] = b"rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz";

/// BIP 173's alphabet of base 32.
const BASE32: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// What the checksum of bech32 comes to (BIP 173), and that of bech32m (BIP 350).
const BECH32: u32 = 1;
const BECH32M: u32 = 0x2BC8_30A3;

/// Whether a token is an address, and what its checksum says.
pub(super) fn is_address(token: &[u8]) -> Option<(Confidence, Verdict)> {
    let valid = Some((Confidence::High, Verdict::Valid));
    match token {
        [b'0', b'x' | b'X', hex @ ..] => ethereum(hex),
        [b'1', ..] if base58check(token, BASE58) == Some(0x00) => valid,
        [b'3', ..] if base58check(token, BASE58) == Some(0x05) => valid,
        [b'L', ..] if base58check(token, BASE58) == Some(0x30) => valid,
        [b'M', ..] if base58check(token, BASE58) == Some(0x32) => valid,
        [b'D', ..] if base58check(token, BASE58) == Some(0x1E) => valid,
        [b'X', ..] if base58check(token, BASE58) == Some(0x4C) => valid,
        [b'T', ..] if base58check(token, BASE58) == Some(0x41) => valid,
        [b'r', ..] if base58check(token, RIPPLE) == Some(0x00) => valid,
        _ if is_segwit(token) => valid,
        _ => None,
    }
}

/// Twenty bytes in hex. EIP-55 puts a checksum into the case of the letters; where all have one
/// case there is none, and where it does not fit the address was at least typed as one.
fn ethereum(hex: &[u8]) -> Option<(Confidence, Verdict)> {
    let varied = hex.iter().any(|byte| *byte != hex[0]);
    if hex.len() != 40 || !hex.iter().all(u8::is_ascii_hexdigit) || !varied {
        return None;
    }
    let upper = hex.iter().any(u8::is_ascii_uppercase);
    if !upper || !hex.iter().any(u8::is_ascii_lowercase) {
        return Some((Confidence::High, Verdict::Unchecked));
    }
    let digest = keccak256(&hex.to_ascii_lowercase());
    let fits = hex.iter().enumerate().filter(|(_, b)| b.is_ascii_alphabetic()).all(|(at, byte)| {
        let nibble = digest[at / 2] >> (4 * (1 - at % 2)) & 0xF;
        byte.is_ascii_uppercase() == (nibble >= 8)
    });
    Some(match fits {
        true => (Confidence::High, Verdict::Valid),
        false => (Confidence::Low, Verdict::Doubtful),
    })
}

/// The version byte of 20 bytes in base58check (four bytes of a double SHA-256), if it fits.
fn base58check(token: &[u8], alphabet: &[u8; 58]) -> Option<u8> {
    if !(25..=35).contains(&token.len()) {
        return None;
    }
    let mut bytes = [0_u8; 25];
    for byte in token {
        let mut carry = alphabet.iter().position(|known| known == byte)? as u32;
        for place in bytes.iter_mut().rev() {
            carry += u32::from(*place) * 58;
            *place = (carry & 0xFF) as u8;
            carry >>= 8;
        }
        if carry != 0 {
            return None;
        }
    }
    let (body, check) = bytes.split_at(21);
    (Sha256::digest(Sha256::digest(body))[..4] == *check).then_some(body[0])
}

/// Whether a token is an address of Bitcoin's or Litecoin's witness programs (BIP 141): version 0
/// in bech32 with 20 or 32 bytes, later ones in bech32m with 2 to 40.
fn is_segwit(token: &[u8]) -> bool {
    let Some(split) = memchr::memrchr(b'1', token) else { return false };
    let (hrp, data) = (&token[..split], &token[split + 1..]);
    let known = [&b"bc"[..], b"tb", b"ltc"].iter().any(|known| hrp.eq_ignore_ascii_case(known));
    let mixed =
        token.iter().any(u8::is_ascii_lowercase) && token.iter().any(u8::is_ascii_uppercase);
    if !known || mixed || token.len() > MAX_LENGTH || data.len() < 8 {
        return false;
    }
    let hrp = || hrp.iter().map(|byte| u32::from(byte.to_ascii_lowercase()));
    let expanded = hrp().map(|byte| byte >> 5).chain([0]).chain(hrp().map(|byte| byte & 31));
    let mut sum = expanded.fold(1, polymod);
    let mut version = None;
    for byte in data {
        let low = byte.to_ascii_lowercase();
        let Some(digit) = BASE32.iter().position(|known| *known == low) else { return false };
        version = version.or(Some(digit));
        sum = polymod(sum, digit as u32);
    }
    // Five bits a letter, without the version and six letters of checksum; at most four bits pad.
    let bits = (data.len() - 7) * 5;
    let program = bits / 8;
    bits % 8 < 5
        && match version {
            Some(0) => sum == BECH32 && matches!(program, 20 | 32),
            Some(1..=16) => sum == BECH32M && (2..=40).contains(&program),
            _ => false,
        }
}

/// One step of BIP 173's checksum.
fn polymod(sum: u32, value: u32) -> u32 {
    const GENERATOR: [u32; 5] = [0x3B6A_57B2, 0x2650_8E6D, 0x1EA1_19FA, 0x3D42_33DD, 0x2A14_62B3];
    let top = sum >> 25;
    let next = (sum & 0x01FF_FFFF) << 5 ^ value;
    GENERATOR
        .iter()
        .enumerate()
        .fold(next, |next, (bit, mask)| if top >> bit & 1 == 1 { next ^ mask } else { next })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const VALID: Option<(Confidence, Verdict)> = Some((Confidence::High, Verdict::Valid));

    /// The genesis block's address and other well-known ones of each currency.
    const BASE58_ADDRESSES: &[&str] = &[
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
        "3P14159f73E4gFr7JterCCQh9QjiTjiZrG",
        "DH5yaieqoZN36fDVciNyRueRGvGLR3mr7L",
        "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t",
        "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh",
    ];

    /// BIP 173 and BIP 350, their test vectors.
    const SEGWIT_ADDRESSES: &[&str] = &[
        "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
        "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y",
        "bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs",
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
        "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7",
    ];

    #[test]
    fn knows_addresses() {
        for address in BASE58_ADDRESSES.iter().chain(SEGWIT_ADDRESSES) {
            assert_eq!(is_address(address.as_bytes()), VALID, "{address}");
        }
    }

    /// BIP 350's invalid addresses: a wrong checksum algorithm, letter, version and length.
    #[test]
    fn refuses_invalid_segwit_addresses() {
        for address in [
            "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
            "bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4",
            "BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R",
            "bc1pw5dgrnzv",
            "BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P",
            "tb1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq24jc47",
            "bc1gmk9yu",
        ] {
            assert_eq!(is_address(address.as_bytes()), None, "{address}");
        }
    }

    /// EIP-55's test cases, and one of them with the case of a letter changed.
    #[test]
    fn reads_the_case_of_ethereum_addresses() {
        for mixed in [
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
            "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
            "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
        ] {
            assert_eq!(is_address(mixed.as_bytes()), VALID, "{mixed}");
        }
        let unchecked = Some((Confidence::High, Verdict::Unchecked));
        for plain in [
            "0x52908400098527886E0F7030069857D2E4169EE7",
            "0xde709f2102306220921060314715629080e2fb77",
        ] {
            assert_eq!(is_address(plain.as_bytes()), unchecked, "{plain}");
        }
        let doubtful = Some((Confidence::Low, Verdict::Doubtful));
        assert_eq!(is_address(b"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1Beaed"), doubtful);
        assert_eq!(is_address(b"0x0000000000000000000000000000000000000000"), None);
        assert_eq!(is_address(b"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe"), None);
    }

    proptest! {
        /// A checksum finds every changed letter (bech32 up to four, base58check but for chance).
        #[test]
        fn a_changed_letter_fails(
            index in any::<prop::sample::Index>(), place in 4_usize..26, letter in "[02-9ac-hj-np-z]"
        ) {
            let all: Vec<&str> = BASE58_ADDRESSES.iter().chain(SEGWIT_ADDRESSES).copied().collect();
            let address = *index.get(&all);
            let mut changed = address.as_bytes().to_vec();
            changed[place] = letter.as_bytes()[0];
            prop_assume!(!changed.eq_ignore_ascii_case(address.as_bytes()));
            prop_assert_eq!(is_address(&changed), None);
        }
    }
}
