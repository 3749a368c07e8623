//! Owns addresses of crypto currencies.
//! Accepts a whole token; emits whether it is an address: base58check (Bitcoin, version 0 and 5),
//! bech32 and bech32m (BIP 173, BIP 350), and 20 bytes in hex (Ethereum, EIP-55).

use sha2::{Digest, Sha256};

/// Whether a token is an address, and whether its checksum says so.
pub(crate) fn is_address(token: &[u8]) -> Option<bool> {
    match token {
        [b'0', b'x' | b'X', hex @ ..] => {
            (hex.len() == 40 && hex.iter().all(u8::is_ascii_hexdigit) && varied(hex))
                .then_some(false)
        }
        [b'1' | b'3', ..] if (26..=35).contains(&token.len()) => base58check(token).then_some(true),
        [b'b' | b'B', b'c' | b'C', b'1', ..] if (14..=90).contains(&token.len()) => {
            bech32(token).then_some(true)
        }
        _ => None,
    }
}

/// Whether digits are not all the same, as in the zero address.
fn varied(hex: &[u8]) -> bool {
    hex.iter().any(|byte| *byte != hex[0])
}

fn base58check(token: &[u8]) -> bool {
    const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let mut bytes = [0_u8; 25];
    for byte in token {
        let Some(digit) = ALPHABET.iter().position(|known| known == byte) else { return false };
        let mut carry = digit as u32;
        for place in bytes.iter_mut().rev() {
            carry += u32::from(*place) * 58;
            *place = (carry & 0xFF) as u8;
            carry >>= 8;
        }
        if carry != 0 {
            return false;
        }
    }
    let (body, check) = bytes.split_at(21);
    matches!(body[0], 0 | 5) && Sha256::digest(Sha256::digest(body))[..4] == *check
}

fn bech32(token: &[u8]) -> bool {
    const ALPHABET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    let lower = token.iter().any(u8::is_ascii_lowercase);
    if lower && token.iter().any(u8::is_ascii_uppercase) {
        return false;
    }
    // "bc" expanded: the high bits, a zero, the low bits.
    let mut sum = [3_u32, 3, 0, 2, 3].into_iter().fold(1, polymod);
    for byte in &token[3..] {
        let low = byte.to_ascii_lowercase();
        let Some(digit) = ALPHABET.iter().position(|known| *known == low) else { return false };
        sum = polymod(sum, digit as u32);
    }
    matches!(sum, 1 | 0x2BC8_30A3)
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

    #[test]
    fn knows_addresses() {
        assert_eq!(is_address(b"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"), Some(true));
        assert_eq!(is_address(b"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb"), None);
        assert_eq!(is_address(b"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"), Some(true));
        assert_eq!(is_address(b"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5"), None);
        assert_eq!(is_address(b"0x0000000000000000000000000000000000000000"), None);
    }
}
