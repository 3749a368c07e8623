//! Owns the check digits of European VAT numbers.
//! Accepts a number that starts with its country's two letters; emits whether its check digits fit;
//! promises that a number of a country whose rule is not here fits by its form.

use super::{Digits, de_vat, es_cif, es_nif, hr_oib, luhn, nip, nl_bsn, pt_nif};

/// Longest VAT number, in bytes.
const MAX_LENGTH: usize = 16;

/// European VAT numbers, as the member states' administrations define them (the European
/// Commission's VIES lists the forms).
pub(crate) fn eu_vat(value: &[u8]) -> bool {
    let mut plain = [0; MAX_LENGTH];
    let mut count = 0;
    for byte in value.iter().filter(|byte| byte.is_ascii_alphanumeric()) {
        let Some(place) = plain.get_mut(count) else { return false };
        *place = byte.to_ascii_uppercase();
        count += 1;
    }
    let Some((country, number)) = plain[..count].split_first_chunk::<2>() else { return false };
    let exactly = |count: usize| Digits::exactly(number, count);
    match country {
        b"AT" => exactly(8).is_some_and(|d| austrian(&d)),
        b"BE" => exactly(10).is_some_and(|d| 97 - d.number(0, 8) % 97 == d.number(8, 10)),
        b"DE" => de_vat(number),
        b"DK" => exactly(8).is_some_and(|d| d.weighted(&[2, 7, 6, 5, 4, 3, 2, 1]) % 11 == 0),
        b"ES" => es_nif(number) || es_cif(number),
        b"FI" => exactly(8).is_some_and(|d| d.weighted(&[7, 9, 10, 5, 8, 4, 2, 1]) % 11 == 0),
        b"FR" => french(number),
        b"GB" => british(number),
        b"HR" => hr_oib(number),
        b"IT" => exactly(11).is_some_and(|d| luhn(d.all())),
        b"LU" => exactly(8).is_some_and(|d| d.number(0, 6) % 89 == d.number(6, 8)),
        b"NL" => number.len() == 12 && (nl_bsn(&number[..9]) || dutch(&plain[..count])),
        b"PL" => nip(number),
        b"PT" => pt_nif(number),
        b"SE" => exactly(12).is_some_and(|d| luhn(&d.all()[..10])),
        _ => true,
    }
}

/// Luhn's sum and four (Bundesministerium für Finanzen).
fn austrian(d: &Digits) -> bool {
    let sum: u32 = (0..7)
        .map(|at| match at % 2 {
            0 => d.at(at),
            _ => d.at(at) * 2 / 10 + d.at(at) * 2 % 10,
        })
        .sum();
    (10 - (sum + 4) % 10) % 10 == d.at(7)
}

/// A key before the company number, which passes Luhn; a key with letters is not checked.
fn french(number: &[u8]) -> bool {
    let Some((key, siren)) = number.split_first_chunk::<2>() else { return false };
    let Some(d) = Digits::exactly(siren, 9).filter(|d| luhn(d.all())) else { return false };
    Digits::exactly(key, 2)
        .is_none_or(|key| (12 + 3 * (d.number(0, 9) % 97)) % 97 == key.number(0, 2))
}

/// Weights from 8 to 2 and two digits to a multiple of 97, with 55 more since 2010 (HMRC).
fn british(number: &[u8]) -> bool {
    let Some(d) = Digits::of(number).filter(|d| matches!(d.count, 9 | 12)) else { return false };
    let sum = u64::from(d.weighted(&[8, 7, 6, 5, 4, 3, 2])) + d.number(7, 9);
    sum.is_multiple_of(97) || (sum + 55).is_multiple_of(97)
}

/// ISO 7064 mod 97-10 over the whole, letters as numbers from 10 (Belastingdienst, since 2020).
fn dutch(whole: &[u8]) -> bool {
    whole.iter().fold(0_u32, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        _ => (rest * 100 + u32::from(byte - b'A') + 10) % 97,
    }) == 1
}
