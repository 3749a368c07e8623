//! Owns the check digits of numbers of the Americas.
//! Accepts, emits and promises as the module above.

use super::{Digits, is_day, luhn};

/// United States social security numbers: no area 000, 666 or 900–999, no group 00, no serial
/// 0000 (Social Security Administration, since 2011), and none of the advertised ones.
pub(crate) fn ssn(value: &[u8]) -> bool {
    let Some(digits) = Digits::exactly(value, 9) else { return false };
    let (area, group, serial) = (digits.number(0, 3), digits.number(3, 5), digits.number(5, 9));
    area != 0
        && area != 666
        && area < 900
        && group != 0
        && serial != 0
        && !digits.is_uniform()
        && !is_uniform_by_group(digits.all())
        && digits.number(0, 9) != 123_456_789
        && digits.number(0, 9) != 78_051_120
}

/// Whether each group of a social security number is one digit over and over: `111-22-3333`.
fn is_uniform_by_group(digits: &[u8]) -> bool {
    [&digits[..3], &digits[3..5], &digits[5..]]
        .iter()
        .all(|group| group.iter().all(|digit| *digit == group[0]))
}

/// United States provider numbers: Luhn after the prefix 80840 (CMS).
pub(crate) fn npi(value: &[u8]) -> bool {
    let Some(digits) = Digits::exactly(value, 10) else { return false };
    let mut whole = [8, 0, 8, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    whole[5..].copy_from_slice(digits.all());
    luhn(&whole)
}

/// United States DEA numbers: odd places plus twice the even places end in the last digit.
pub(crate) fn dea(value: &[u8]) -> bool {
    Digits::exactly(value, 7).is_some_and(|d| d.weighted(&[1, 2, 1, 2, 1, 2]) % 10 == d.at(6))
}

/// United States routing numbers: a district of the Federal Reserve, of thrifts or electronic, and
/// weights 3, 7, 1 (American Bankers Association).
pub(crate) fn aba(value: &[u8]) -> bool {
    Digits::exactly(value, 9).is_some_and(|d| {
        matches!(d.number(0, 2), 0..=12 | 21..=32 | 61..=72 | 80)
            && d.weighted(&[3, 7, 1, 3, 7, 1, 3, 7, 1]) % 10 == 0
            && !d.is_uniform()
    })
}

/// A pair of mod 11 checks with weights rising from the right, as Brazil uses them.
fn brazil(d: &Digits, top: u32) -> bool {
    let check = |length: usize| {
        let sum: u32 = (0..length)
            .map(|at| {
                let from_right = (length - 1 - at) as u32;
                d.at(at) * (from_right % (top - 1) + 2)
            })
            .sum();
        match sum % 11 {
            0 | 1 => 0,
            rest => 11 - rest,
        }
    };
    let body = d.count - 2;
    check(body) == d.at(body) && check(body + 1) == d.at(body + 1) && !d.is_uniform()
}

/// Brazilian taxpayer numbers (Receita Federal).
pub(crate) fn cpf(value: &[u8]) -> bool {
    Digits::exactly(value, 11).is_some_and(|d| brazil(&d, 12))
}

/// Brazilian company numbers (Receita Federal).
pub(crate) fn cnpj(value: &[u8]) -> bool {
    Digits::exactly(value, 14).is_some_and(|d| brazil(&d, 9))
}

/// Chilean identity numbers: mod 11 with K for ten.
pub(crate) fn cl_rut(value: &[u8]) -> bool {
    let Some((check, body)) = value.split_last() else { return false };
    let Some(d) = Digits::of(body).filter(|d| matches!(d.count, 7 | 8)) else { return false };
    let sum: u32 = d
        .all()
        .iter()
        .rev()
        .zip([2, 3, 4, 5, 6, 7, 2, 3])
        .map(|(&digit, weight)| u32::from(digit) * weight)
        .sum();
    let expected = match 11 - sum % 11 {
        11 => b'0',
        10 => b'K',
        rest => b'0' + rest as u8,
    };
    check.to_ascii_uppercase() == expected
}

/// Argentine tax numbers: mod 11.
pub(crate) fn ar_cuit(value: &[u8]) -> bool {
    Digits::exactly(value, 11).is_some_and(|d| {
        match 11 - d.weighted(&[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11 {
            11 => d.at(10) == 0,
            10 => d.at(10) == 9,
            check => d.at(10) == check,
        }
    })
}

/// Mexican population codes: a date, sex and a digit by weights (RENAPO).
pub(crate) fn mx_curp(value: &[u8]) -> bool {
    let Some((&check, body)) = value.split_last().filter(|_| value.len() == 18) else {
        return false;
    };
    // The alphabet has an Ñ after the N.
    let place = |byte: u8| match byte {
        b'0'..=b'9' => Some(u32::from(byte - b'0')),
        b'A'..=b'N' => Some(u32::from(byte - b'A') + 10),
        b'O'..=b'Z' => Some(u32::from(byte - b'A') + 11),
        _ => None,
    };
    let sum = body
        .iter()
        .zip((2..=18).rev())
        .try_fold(0, |sum, (byte, weight)| Some(sum + place(*byte)? * weight));
    let Some(date) = Digits::exactly(&body[4..10], 6) else { return false };
    let fits = sum.is_some_and(|sum| (10 - sum % 10) % 10 == u32::from(check.wrapping_sub(b'0')));
    fits && is_day(date.number(4, 6), date.number(2, 4)) && matches!(body[10], b'H' | b'M' | b'X')
}

/// Colombian tax numbers: primes as weights, mod 11 (DIAN).
pub(crate) fn co_nit(value: &[u8]) -> bool {
    let Some(d) = Digits::of(value).filter(|d| (9..=10).contains(&d.count)) else { return false };
    let (last, body) = (d.at(d.count - 1), &d.all()[..d.count - 1]);
    let sum: u32 = body
        .iter()
        .rev()
        .zip([3, 7, 13, 17, 19, 23, 29, 37, 41])
        .map(|(&digit, weight)| u32::from(digit) * weight)
        .sum();
    last == if sum % 11 < 2 { sum % 11 } else { 11 - sum % 11 }
}

/// Peruvian tax numbers: mod 11 (SUNAT).
pub(crate) fn pe_ruc(value: &[u8]) -> bool {
    Digits::exactly(value, 11).is_some_and(|d| {
        let sum = d.weighted(&[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]);
        matches!(d.number(0, 2), 10 | 15 | 16 | 17 | 20) && (11 - sum % 11) % 10 == d.at(10)
    })
}

/// Ecuadorian identity numbers of persons: a province and Luhn's digit (Registro Civil).
pub(crate) fn ec_id(value: &[u8]) -> bool {
    Digits::exactly(value, 10)
        .is_some_and(|d| matches!(d.number(0, 2), 1..=24 | 30) && d.at(2) < 6 && luhn(d.all()))
}

/// Uruguayan identity numbers: weights and mod 10 (Dirección Nacional de Identificación Civil).
pub(crate) fn uy_ci(value: &[u8]) -> bool {
    Digits::exactly(value, 8).is_some_and(|d| {
        let sum = d.weighted(&[2, 9, 8, 7, 6, 3, 4]);
        (10 - sum % 10) % 10 == d.at(7) && !d.is_uniform()
    })
}
