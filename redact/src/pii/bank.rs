//! Owns payment cards and bank accounts.
//! Accepts the place of a digit or capital; emits numbers whose checksum fits; promises a bounded
//! look, and to skip a run of digits at once.

use super::checksum::luhn;
use super::grouped::is_dump;
use super::named::counting_word;
use crate::engine::{Work, starts_word};
use crate::rule::Detector;
use crate::{Confidence, Verdict};

/// How far before a short number a word may start that says that it is no card's: `ean: `.
const MAX_COUNTED: usize = 12;

/// Adds the card number that starts with the digits at `at`; gives where it ends.
pub(crate) fn card(work: &mut Work<'_>, text: &[u8], at: usize, limit: usize) -> Option<usize> {
    let rule = work.redactor.detector(Detector::Card)?;
    let mut number = [0_u8; 19];
    let mut count = 0;
    let mut end = at;
    let mut separator = None;
    for (index, &byte) in text[at..limit.min(at + 32)].iter().enumerate() {
        if byte.is_ascii_digit() {
            if count == number.len() {
                return None;
            }
            number[count] = byte - b'0';
            count += 1;
            end = at + index + 1;
        } else if matches!(byte, b' ' | b'-' | b'.')
            && separator.is_none_or(|used| used == byte)
            && at + index == end
            && count < 13
        {
            separator = Some(byte);
        } else {
            break;
        }
    }
    work.spend(count);
    let number = &number[..count];
    if text.get(end).is_some_and(u8::is_ascii_alphanumeric) || !is_card(number) {
        return None;
    }
    let grouped = separator.is_some();
    if grouped && (after_account(text, at) || is_dump(text, &(at..end))) {
        return None;
    }
    // A weight of a collation (`[.4300.0020.…`); an account in the name of a resource
    // (`arn:aws:iam::675946970638:user`).
    let before = at.checked_sub(1).map(|at| text[at]);
    if count <= 13
        && !grouped
        && counting_word(text, at).is_some_and(|before| before <= MAX_COUNTED)
    {
        return None;
    }
    if separator == Some(b' ') && !starts_card(text, end + 1) && is_row(&text[end..]) {
        return None;
    }
    let named = count == 12 && before == Some(b':') && text.get(end) == Some(&b':');
    if named || grouped && before == Some(b'.') {
        return None;
    }
    work.add(text, at..end, rule, Confidence::High, Verdict::Valid);
    Some(end)
}

/// Whether a text goes on with two or more numbers of three to five digits: a row of a table.
fn is_row(text: &[u8]) -> bool {
    let mut numbers = text[..text.len().min(13)].split(|byte| *byte == b' ');
    numbers.next().is_some_and(<[u8]>::is_empty)
        && numbers
            .take(2)
            .filter(|word| (3..=5).contains(&word.len()) && word.iter().all(u8::is_ascii_digit))
            .count()
            == 2
}

/// Whether a card in groups of four digits starts at `at`.
fn starts_card(text: &[u8], at: usize) -> bool {
    let Some(candidate) = text.get(at..at + 19) else { return false };
    let mut number = [0; 16];
    let fits = candidate.iter().enumerate().all(|(index, byte)| match index % 5 {
        4 => *byte == b' ',
        _ => {
            number[index - index / 5] = byte.wrapping_sub(b'0');
            byte.is_ascii_digit()
        }
    });
    fits && is_card(&number)
}

/// Whether the head of an account number stands before a group of digits: `RS35 2600 …`.
fn after_account(text: &[u8], at: usize) -> bool {
    matches!(text[..at], [.., a, b, c, d, b' ' | b'-']
        if a.is_ascii_uppercase() && b.is_ascii_uppercase() && c.is_ascii_digit() && d.is_ascii_digit())
}

/// Whether digits are a card number: an issuer's range and length (ISO/IEC 7812-1 and what the
/// networks publish of theirs), and Luhn.
fn is_card(number: &[u8]) -> bool {
    if !(12..=19).contains(&number.len()) {
        return false;
    }
    let first = number.iter().take(4).fold(0_u32, |sum, &digit| sum * 10 + u32::from(digit));
    let lengths: &[usize] = match first {
        // Visa.
        4000..=4999 => &[13, 16, 19],
        // Mastercard.
        5100..=5599 | 2221..=2720 => &[16],
        // American Express.
        3400..=3499 | 3700..=3799 => &[15],
        // Diners Club.
        3000..=3059 | 3095 | 3600..=3699 | 3800..=3999 => &[14, 16, 19],
        // UATP, and JCB's older numbers.
        1220 | 1354 | 1800 | 2131 => &[15],
        // Discover, UnionPay.
        6011 | 6440..=6599 | 6200..=6299 => &[16, 17, 18, 19],
        // JCB.
        3528..=3589 => &[16, 17, 18, 19],
        3500..=3599 => &[16],
        // Dankort, Mir, RuPay, Troy, Hipercard, InterPayment.
        5019 | 2200..=2204 | 6070..=6079 | 6080..=6085 | 8172 | 9792 | 6062 | 6360..=6369 => &[16],
        // Maestro.
        604 | 5018 | 5020 | 5038 | 5600..=5899 | 6304 | 6390 | 6759 | 6761..=6763 => {
            &[12, 13, 14, 15, 16, 17, 18, 19]
        }
        _ => &[],
    };
    lengths.contains(&number.len()) && luhn(number) && !is_even(number)
}

/// Whether each digit is as much more than the one before it: `0000…`, `567890123456`.
fn is_even(number: &[u8]) -> bool {
    let step = |pair: &[u8]| (pair[1] + 10 - pair[0]) % 10;
    number.windows(2).all(|pair| step(pair) == step(&number[..2]))
}

/// Lengths of an IBAN by country (the SWIFT registry of ISO 13616).
const IBAN_LENGTHS: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HN", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
    (b"YE", 30),
];

/// Adds the IBAN that starts with the capital at `at`.
pub(crate) fn capital(work: &mut Work<'_>, text: &[u8], at: usize) {
    let Some(rule) = work.redactor.detector(Detector::Iban) else { return };
    let Some(&[a, b, c, d]) = text.get(at..at + 4) else { return };
    if !b.is_ascii_uppercase() || !c.is_ascii_digit() || !d.is_ascii_digit() {
        return;
    }
    if !starts_word(text, at) {
        return;
    }
    let country = [a, b];
    let Some(&(_, length)) = IBAN_LENGTHS.iter().find(|(code, _)| **code == country) else {
        return;
    };
    let Some(end) = iban_end(text, at, length) else { return };
    work.spend(64);
    if mod97(&text[at..end]) {
        work.add(text, at..end, rule, Confidence::High, Verdict::Valid);
    }
}

/// Where `length` letters and digits from `at` end, with single blanks or hyphens between groups.
fn iban_end(text: &[u8], at: usize, length: usize) -> Option<usize> {
    let mut count = 0;
    let mut blank = false;
    for (index, &byte) in text[at..].iter().enumerate().take(64) {
        if byte.is_ascii_alphanumeric() {
            count += 1;
            blank = false;
            if count == length {
                let end = at + index + 1;
                return (!text.get(end).is_some_and(u8::is_ascii_alphanumeric)).then_some(end);
            }
        } else if matches!(byte, b' ' | b'-') && !blank {
            blank = true;
        } else {
            return None;
        }
    }
    None
}

/// ISO 7064's mod-97-10 over an IBAN, its first four characters moved to the end.
fn mod97(iban: &[u8]) -> bool {
    let plain: Vec<u8> = iban.iter().copied().filter(u8::is_ascii_alphanumeric).collect();
    let Some((head, tail)) = plain.split_at_checked(4) else { return false };
    let rest = tail.iter().chain(head).fold(0_u32, |rest, &byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        _ => (rest * 100 + u32::from(byte.to_ascii_uppercase() - b'A') + 10) % 97,
    });
    rest == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_what_only_counts() {
        assert!(is_card(&[4, 5, 3, 9, 1, 4, 8, 8, 0, 3, 4, 3, 6, 4, 6, 7]));
        assert!(!is_card(&[5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6]));
    }

    #[test]
    fn checksums() {
        assert!(luhn(&[4, 5, 3, 9, 1, 4, 8, 8, 0, 3, 4, 3, 6, 4, 6, 7]));
        assert!(!luhn(&[4, 5, 3, 9, 1, 4, 8, 8, 0, 3, 4, 3, 6, 4, 6, 8]));
        assert!(mod97(b"GB82 WEST 1234 5698 7654 32"));
        assert!(!mod97(b"GB82 WEST 1234 5698 7654 33"));
    }
}
