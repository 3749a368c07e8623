//! Owns Keccak-256 as Ethereum uses it: Keccak[c = 512] with the padding of the submission to the
//! SHA-3 competition (`0x01`), not FIPS 202's.
//! Accepts one block of input at most; emits its digest; promises no allocation.

/// Bytes that one permutation takes in (the rate of c = 512).
const RATE: usize = 136;

/// Rounds of Keccak-f[1600].
const ROUNDS: usize = 24;

/// Rotations of step ρ, in the order in which step π visits the lanes.
const ROTATIONS: [u32; 24] =
    [1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2, 14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44];

/// Lanes that step π visits.
const LANES: [usize; 24] =
    [10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1];

/// The digest of `input`, which must be shorter than 136 bytes; what is longer is cut.
pub(super) fn keccak256(input: &[u8]) -> [u8; 32] {
    let mut block = [0_u8; RATE];
    let input = &input[..input.len().min(RATE - 1)];
    block[..input.len()].copy_from_slice(input);
    block[input.len()] ^= 0x01;
    block[RATE - 1] ^= 0x80;
    let mut state = [0_u64; 25];
    for (lane, bytes) in state.iter_mut().zip(block.as_chunks::<8>().0) {
        *lane = u64::from_le_bytes(*bytes);
    }
    permute(&mut state);
    let mut digest = [0; 32];
    for (bytes, lane) in digest.as_chunks_mut::<8>().0.iter_mut().zip(state) {
        *bytes = lane.to_le_bytes();
    }
    digest
}

/// Keccak-f[1600].
fn permute(state: &mut [u64; 25]) {
    let mut register = 1_u8;
    for _ in 0..ROUNDS {
        // θ
        let mut columns = [0_u64; 5];
        for (index, lane) in state.iter().enumerate() {
            columns[index % 5] ^= lane;
        }
        for (index, lane) in state.iter_mut().enumerate() {
            let x = index % 5;
            *lane ^= columns[(x + 4) % 5] ^ columns[(x + 1) % 5].rotate_left(1);
        }
        // ρ and π
        let mut moving = state[1];
        for (lane, rotation) in LANES.into_iter().zip(ROTATIONS) {
            moving = std::mem::replace(&mut state[lane], moving.rotate_left(rotation));
        }
        // χ
        for row in state.as_chunks_mut::<5>().0 {
            let old = *row;
            for (x, lane) in row.iter_mut().enumerate() {
                *lane = old[x] ^ (!old[(x + 1) % 5] & old[(x + 2) % 5]);
            }
        }
        // ι: bits of a linear feedback shift register at the places 2^j - 1.
        for place in 0..7 {
            if register & 1 == 1 {
                state[0] ^= 1 << ((1 << place) - 1);
            }
            let carry = register >> 7;
            register = register << 1 ^ if carry == 1 { 0x71 } else { 0 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Digests that the Keccak team published for the empty string (`ShortMsgKAT_256.txt`), and
    /// Ethereum's hashes of `abc`, and of `transfer(address,uint256)`, whose first four bytes are
    /// the selector of ERC-20 (`a9059cbb`).
    #[test]
    fn known_answers() {
        let check = |input: &str, expected: &str| {
            let hex: String =
                keccak256(input.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
            assert!(hex.starts_with(expected), "{input}: {hex}");
        };
        check("", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
        check("abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
        check("transfer(address,uint256)", "a9059cbb");
    }
}
