//! Owns the character model: how unlike words a string is.
//! Accepts bytes; emits bits per letter; promises one look per byte. The table was made by
//! `examples/train_rarity.rs` from Rust, Python and Markdown files.

/// An eighth of a bit a step for each letter after two others; the word's edge is the 27th.
static TABLE: &[u8; 27 * 27 * 27] = include_bytes!("rarity.bin");

/// The edge of a word.
const EDGE: usize = 26;

/// Above this many bits per letter a string is hardly made of words.
pub(super) const RARE: f64 = 5.5;

/// The same for what a password's key says: hardly a word, of whatever language.
pub(super) const RARE_PASSWORD: f64 = 4.3;

/// How surprising the letters of a value are, in bits per letter; 0 where it has none. Words end
/// at everything that is no letter, and before a capital that follows a small letter.
pub(super) fn rarity(value: &[u8]) -> f64 {
    let (mut a, mut b) = (EDGE, EDGE);
    let (mut sum, mut count) = (0_u32, 0_u32);
    let mut step = |a: &mut usize, b: &mut usize, c: usize| {
        sum += u32::from(TABLE[(*a * 27 + *b) * 27 + c]);
        count += 1;
        (*a, *b) = if c == EDGE { (EDGE, EDGE) } else { (*b, c) };
    };
    let mut before = 0;
    for &byte in value {
        let is_letter = byte.is_ascii_alphabetic();
        let new_word = byte.is_ascii_uppercase() && u8::is_ascii_lowercase(&before);
        if b != EDGE && (!is_letter || new_word) {
            step(&mut a, &mut b, EDGE);
        }
        if is_letter {
            step(&mut a, &mut b, usize::from(byte.to_ascii_lowercase() - b'a'));
        }
        before = byte;
    }
    if b != EDGE {
        step(&mut a, &mut b, EDGE);
    }
    if count == 0 { 0.0 } else { f64::from(sum) / 8.0 / f64::from(count) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_common_and_noise_is_rare() {
        for word in ["welcome", "sunshine", "namespaceClient", "old-encrypted-password"] {
            assert!(rarity(word.as_bytes()) < 4.5, "{word}");
        }
        for noise in ["ydrb", "vbqro", "wwlbterkm", "VBGLPTBILLAWDXNMTYUC"] {
            assert!(rarity(noise.as_bytes()) > RARE, "{noise}");
        }
    }
}
