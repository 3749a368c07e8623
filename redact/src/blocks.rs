//! Owns finding where something may start, 64 bytes at a time: personal data, and long runs of
//! letters and digits.
//! Accepts a text and a range; emits places in order; promises a few instructions a byte, and to
//! name every place that the matchers want to see (they decide; a place too many costs only time).

/// Which of 64 bytes are of a class, one bit each, the first byte's bit the lowest.
#[derive(Clone, Copy, Default)]
struct Masks {
    digit: u64,
    colon: u64,
    hyphen: u64,
    /// `@`
    sign: u64,
}

/// Tells every place in `text[from..to]` where personal data may start, in order, and how many
/// digits are in the 32 bytes from there.
///
/// That is: an `@`; the start of a run of digits with three more digits or a letter
/// soon after; a colon that another one follows within five bytes; a hyphen that another one
/// follows three bytes on.
#[inline]
pub(crate) fn places(text: &[u8], from: usize, to: usize, mut tell: impl FnMut(usize, u32)) {
    let mut start = from;
    let mut now = masks(text, start, to);
    let mut digit_before = false;
    while start < to {
        let next = if start + 64 < to { masks(text, start + 64, to) } else { Masks::default() };
        let ahead = |mask: u64, more: u64, by: u32| mask >> by | more << (64 - by);
        let starts = now.digit & !(now.digit << 1 | u64::from(digit_before));
        // Colons that another one follows within five bytes, by doubling: 1, 2, 4, 5.
        let c1 = ahead(now.colon, next.colon, 1);
        let c2 = c1 | ahead(now.colon, next.colon, 2);
        let c4 = c2 | ahead(now.colon, next.colon, 3) | ahead(now.colon, next.colon, 4);
        let c5 = c4 | ahead(now.colon, next.colon, 5);
        let hyphens = now.hyphen & ahead(now.hyphen, next.hyphen, 3);
        let mut wanted = now.sign | starts | now.colon & c5 | hyphens;
        while wanted != 0 {
            let bit = wanted.trailing_zeros();
            wanted &= wanted - 1;
            let at = start + bit as usize;
            let window = if bit == 0 { now.digit } else { ahead(now.digit, next.digit, bit) };
            let digits = (window & 0xFFFF_FFFF).count_ones();
            if starts >> bit & 1 == 1 {
                let few = digits < 4;
                let length = (!window).trailing_zeros() as usize;
                if few && !text.get(at + length).is_some_and(u8::is_ascii_alphabetic) {
                    continue;
                }
            }
            tell(at, digits);
        }
        digit_before = now.digit >> 63 == 1;
        now = next;
        start += 64;
    }
}

/// The masks of up to 64 bytes from `start`, none of which is at or after `to`.
#[inline]
fn masks(text: &[u8], start: usize, to: usize) -> Masks {
    if let Some(block) = text[..to].get(start..).and_then(|rest| rest.first_chunk::<64>()) {
        return of_block(block);
    }
    let mut padded = [0; 64];
    let rest = &text[start..to];
    padded[..rest.len()].copy_from_slice(rest);
    of_block(&padded)
}

/// The class bits of one byte: digit, colon, hyphen, sign.
#[inline(always)]
fn class(byte: u8) -> u8 {
    u8::from(byte.wrapping_sub(b'0') < 10)
        | u8::from(byte == b':') << 1
        | u8::from(byte == b'-') << 2
        | u8::from(byte == b'@') << 3
}

#[inline]
fn of_block(block: &[u8; 64]) -> Masks {
    // The compiler turns this loop into vector instructions.
    let mut classes = [0; 64];
    for (class_of, &byte) in classes.iter_mut().zip(block) {
        *class_of = class(byte);
    }
    let mut masks = Masks::default();
    for (index, part) in classes.chunks_exact(8).enumerate() {
        let Ok(eight) = part.try_into() else { continue };
        let word = u64::from_le_bytes(eight);
        if word == 0 {
            continue;
        }
        // Gathers the lowest bit of each of eight bytes.
        let gather = |word: u64| {
            (word & 0x0101_0101_0101_0101).wrapping_mul(0x0102_0408_1020_4080) >> 56 << (index * 8)
        };
        masks.digit |= gather(word);
        masks.colon |= gather(word >> 1);
        masks.hyphen |= gather(word >> 2);
        masks.sign |= gather(word >> 3);
    }
    masks
}

/// Bytes of base64, base64url and hex.
#[inline(always)]
pub(crate) fn is_run(byte: u8) -> bool {
    ((byte | 0x20).wrapping_sub(b'a') < 26)
        | (byte.wrapping_sub(b'/') < 11)
        | (byte == b'+')
        | (byte == b'-')
        | (byte == b'_')
}

/// Which of up to 64 bytes from `start`, none of which is at or after `to`, are of a run.
#[inline]
fn runs(text: &[u8], start: usize, to: usize) -> u64 {
    let mut padded = [0; 64];
    let block = match text[..to].get(start..).and_then(|rest| rest.first_chunk::<64>()) {
        Some(block) => block,
        None => {
            let rest = text.get(start..to).unwrap_or_default();
            padded[..rest.len()].copy_from_slice(rest);
            &padded
        }
    };
    let mut classes = [0; 64];
    for (class_of, &byte) in classes.iter_mut().zip(block) {
        *class_of = u8::from(is_run(byte));
    }
    classes.chunks_exact(8).enumerate().fold(0, |mask, (index, part)| {
        let word = part.try_into().map_or(0, u64::from_le_bytes);
        mask | word.wrapping_mul(0x0102_0408_1020_4080) >> 56 << (index * 8)
    })
}

/// Tells where each run of twenty bytes or more starts in `text[from..to]`, in order.
#[inline]
pub(crate) fn long_runs(text: &[u8], from: usize, to: usize, mut tell: impl FnMut(usize)) {
    let mut start = from;
    let mut now = runs(text, start, to);
    let mut before = false;
    while start < to {
        let next = if start + 64 < to { runs(text, start + 64, to) } else { 0 };
        // Where 2, 4, 8, 16, 20 bytes of a run follow; a block and the next make 128 bits.
        let both = u128::from(now) | u128::from(next) << 64;
        let two = both & both >> 1;
        let four = two & two >> 2;
        let eight = four & four >> 4;
        let twenty = eight & eight >> 8 & four >> 16;
        let starts = both & !(both << 1 | u128::from(before));
        let mut wanted = (twenty & starts) as u64;
        while wanted != 0 {
            tell(start + wanted.trailing_zeros() as usize);
            wanted &= wanted - 1;
        }
        before = now >> 63 == 1;
        now = next;
        start += 64;
    }
}

/// As `of_block`, byte by byte.
#[cfg(test)]
fn plain(block: &[u8; 64]) -> Masks {
    let mut masks = Masks::default();
    for (index, &byte) in block.iter().enumerate() {
        let bit = 1 << index;
        match byte {
            b'0'..=b'9' => masks.digit |= bit,
            b':' => masks.colon |= bit,
            b'-' => masks.hyphen |= bit,
            b'@' => masks.sign |= bit,
            _ => {}
        }
    }
    masks
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn blocks_agree_with_bytes(block in prop::array::uniform32(any::<u8>()), more in prop::array::uniform32(0x28_u8..0x42)) {
            let mut whole = [0; 64];
            whole[..32].copy_from_slice(&block);
            whole[32..].copy_from_slice(&more);
            let (fast, slow) = (of_block(&whole), plain(&whole));
            prop_assert_eq!(fast.digit, slow.digit);
            prop_assert_eq!(fast.colon, slow.colon);
            prop_assert_eq!(fast.hyphen, slow.hyphen);
            prop_assert_eq!(fast.sign, slow.sign);
        }
    }

    proptest! {
        #[test]
        fn long_runs_agree_with_plain_search(text in "[aZ0_ ]{0,20}([a-z]{0,30}[ .]){0,8}") {
            let bytes = text.as_bytes();
            let mut fast = Vec::new();
            long_runs(bytes, 0, bytes.len(), |at| fast.push(at));
            let slow: Vec<usize> = (0..bytes.len())
                .filter(|&at| at == 0 || !is_run(bytes[at - 1]))
                .filter(|&at| bytes[at..].iter().take_while(|b| is_run(**b)).count() >= 20)
                .collect();
            prop_assert_eq!(fast, slow);
        }
    }

    #[test]
    fn places_are_told_across_blocks() {
        let mut text = vec![b' '; 200];
        text[60..72].copy_from_slice(b"192.168.7.11");
        text[126..143].copy_from_slice(b"aa:bb:cc:dd:ee:ff");
        let mut found = Vec::new();
        places(&text, 0, text.len(), |at, _| found.push(at));
        assert!(found.contains(&60) && found.contains(&128), "{found:?}");
    }
}
