//! Owns the check digits of numbers of Asia, Africa, Australia and New Zealand.
//! Accepts, emits and promises as the module above.

use super::Digits;

/// Aadhaar numbers: Verhoeff's dihedral check (UIDAI).
pub(crate) fn verhoeff(value: &[u8]) -> bool {
    const PERMUTE: [u8; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let Some(d) = Digits::of(value) else { return false };
    let mut check = 0_u8;
    for (index, &digit) in d.all().iter().rev().enumerate() {
        let permuted = (0..index % 8).fold(digit, |digit, _| PERMUTE[usize::from(digit)]);
        check = dihedral(check, permuted);
    }
    check == 0 && !d.is_uniform()
}

/// The product of two elements of the dihedral group of order ten.
fn dihedral(a: u8, b: u8) -> u8 {
    match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => (a + b - 5) % 5 + 5,
        (false, true) => (a - 5 + 5 - b) % 5 + 5,
        (false, false) => (a + 5 - b) % 5,
    }
}

/// Australian tax file numbers: mod 11 (ATO).
pub(crate) fn tfn(value: &[u8]) -> bool {
    Digits::exactly(value, 9)
        .is_some_and(|d| d.weighted(&[1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 == 0 && !d.is_uniform())
}

/// Australian business numbers: mod 89 with one less in the first digit (ABR).
pub(crate) fn abn(value: &[u8]) -> bool {
    Digits::exactly(value, 11).is_some_and(|d| {
        d.at(0) > 0
            && (d.weighted(&[10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]) - 10).is_multiple_of(89)
    })
}

/// Australian company numbers: mod 10 with weights from 8 to 1 (ASIC).
pub(crate) fn acn(value: &[u8]) -> bool {
    Digits::exactly(value, 9)
        .is_some_and(|d| (10 - d.weighted(&[8, 7, 6, 5, 4, 3, 2, 1]) % 10) % 10 == d.at(8))
}

/// Australian Medicare numbers: mod 10 over eight digits.
pub(crate) fn au_medicare(value: &[u8]) -> bool {
    Digits::of(value).is_some_and(|d| {
        matches!(d.count, 10 | 11) && d.weighted(&[1, 3, 7, 9, 1, 3, 7, 9]) % 10 == d.at(8)
    })
}

/// New Zealand tax numbers: mod 11 with a second set of weights (Inland Revenue).
pub(crate) fn nz_ird(value: &[u8]) -> bool {
    let Some(d) = Digits::of(value).filter(|d| matches!(d.count, 8 | 9)) else { return false };
    let skip = 9 - d.count;
    let check = |weights: &[u32; 8]| match d.weighted(&weights[skip..]) % 11 {
        0 => 0,
        rest => 11 - rest,
    };
    let last = d.at(d.count - 1);
    match check(&[3, 2, 7, 6, 5, 4, 3, 2]) {
        10 => check(&[7, 4, 3, 2, 5, 2, 7, 6]) == last,
        rest => rest == last,
    }
}

/// Turkish identity numbers (NVİ).
pub(crate) fn tckn(value: &[u8]) -> bool {
    Digits::exactly(value, 11).is_some_and(|d| {
        let odd = d.at(0) + d.at(2) + d.at(4) + d.at(6) + d.at(8);
        let even = d.at(1) + d.at(3) + d.at(5) + d.at(7);
        d.at(0) != 0
            && (odd * 7 + 100 - even) % 10 == d.at(9)
            && (odd + even + d.at(9)) % 10 == d.at(10)
    })
}

/// Thai identity numbers: mod 11.
pub(crate) fn th_id(value: &[u8]) -> bool {
    Digits::exactly(value, 13).is_some_and(|d| {
        let sum = d.weighted(&[13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
        (11 - sum % 11) % 10 == d.at(12)
    })
}

/// Korean business numbers.
pub(crate) fn kr_brn(value: &[u8]) -> bool {
    Digits::exactly(value, 10).is_some_and(|d| {
        let sum = d.weighted(&[1, 3, 7, 1, 3, 7, 1, 3, 5]) + d.at(8) * 5 / 10;
        (10 - sum % 10) % 10 == d.at(9) && !d.is_uniform()
    })
}

/// Korean resident numbers: a date, a century mark and a mod 11 check.
pub(crate) fn kr_rrn(value: &[u8]) -> bool {
    Digits::exactly(value, 13).is_some_and(|d| {
        let (month, day) = (d.number(2, 4), d.number(4, 6));
        let sum = d.weighted(&[2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]);
        (1..=12).contains(&month)
            && (1..=31).contains(&day)
            && (1..=8).contains(&d.at(6))
            && (11 - sum % 11) % 10 == d.at(12)
    })
}

/// Singaporean identity numbers: weights, an offset by series, and two tables of letters (ICA).
pub(crate) fn sg_nric(value: &[u8]) -> bool {
    let Some(code) = value.first_chunk::<9>().filter(|_| value.len() == 9) else { return false };
    let Some(d) = Digits::exactly(&code[1..8], 7) else { return false };
    let sum = d.weighted(&[2, 7, 6, 5, 4, 3, 2]);
    let (offset, letters): (u32, &[u8; 11]) = match code[0] {
        b'S' => (0, b"JZIHGFEDCBA"),
        b'T' => (4, b"JZIHGFEDCBA"),
        b'F' => (0, b"XWUTRQPNMLK"),
        b'G' => (4, b"XWUTRQPNMLK"),
        b'M' => (3, b"XWUTRQPNJLK"),
        _ => return false,
    };
    letters[((sum + offset) % 11) as usize] == code[8]
}

/// Singaporean entity numbers of companies (`201434292D`) and other entities (`T16RF0037C`): a
/// letter by weights (ACRA).
pub(crate) fn sg_uen(value: &[u8]) -> bool {
    const OTHERS: &[u8; 34] = b"ABCDEFGHJKLMNPQRSTUVWX0123456789??";
    let Some((&check, body)) = value.split_last().filter(|_| value.len() == 10) else {
        return false;
    };
    if let Some(d) = Digits::exactly(body, 9) {
        let year = d.number(0, 4);
        let rest = d.weighted(&[10, 8, 6, 4, 9, 7, 5, 3, 1]) % 11;
        return (1900..2100).contains(&year) && b"ZKCMDNERGWH"[rest as usize] == check;
    }
    let place = |byte: &u8| OTHERS.iter().position(|known| known == byte).map(|at| at as u32);
    let sum = body
        .iter()
        .zip([4, 3, 5, 3, 10, 2, 2, 5, 7])
        .try_fold(0_u32, |sum, (byte, weight)| Some(sum + place(byte)? * weight));
    // Five less, modulo 11.
    sum.is_some_and(|sum| OTHERS[((sum + 6) % 11) as usize] == check)
}

/// Singaporean entity numbers of businesses (`53125226D`): eight digits and a letter by weights
/// (ACRA).
pub(crate) fn sg_business(value: &[u8]) -> bool {
    let Some((check, body)) = value.split_last().filter(|_| value.len() == 9) else {
        return false;
    };
    Digits::exactly(body, 8).is_some_and(|d| {
        let rest = d.weighted(&[10, 4, 9, 3, 8, 2, 7, 1]) % 11;
        b"XMKECAWLJDB"[rest as usize] == *check
    })
}

/// Chinese identity numbers: a date and mod 11-2 (GB 11643-1999).
pub(crate) fn cn_id(value: &[u8]) -> bool {
    const MARKS: &[u8; 11] = b"10X98765432";
    let Some((check, body)) = value.split_last() else { return false };
    let Some(d) = Digits::exactly(body, 17).filter(|_| value.len() == 18) else { return false };
    let (year, month, day) = (d.number(6, 10), d.number(10, 12), d.number(12, 14));
    let sum = d.weighted(&[7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]);
    (1900..2100).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && MARKS[(sum % 11) as usize] == check.to_ascii_uppercase()
}

/// Taiwanese identity numbers: a letter as two digits, and weights from 9 to 1 (National
/// Immigration Agency).
pub(crate) fn tw_id(value: &[u8]) -> bool {
    // The letters in the order of their numbers, from 10.
    const LETTERS: &[u8; 26] = b"ABCDEFGHJKLMNPQRSTUVXYWZIO";
    let Some((first, rest)) = value.split_first().filter(|_| value.len() == 10) else {
        return false;
    };
    let place = LETTERS.iter().position(|letter| *letter == first.to_ascii_uppercase());
    let Some((place, d)) = place.zip(Digits::exactly(rest, 9)) else { return false };
    let letter = 10 + place as u32;
    let sum = letter / 10 + letter % 10 * 9 + d.weighted(&[8, 7, 6, 5, 4, 3, 2, 1, 1]);
    matches!(d.at(0), 1 | 2 | 8 | 9) && sum.is_multiple_of(10)
}

/// Japanese individual numbers (Ministry of Internal Affairs and Communications, ordinance 85 of
/// 2014).
pub(crate) fn jp_individual(value: &[u8]) -> bool {
    Digits::exactly(value, 12).is_some_and(|d| {
        let sum = d.weighted(&[6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]);
        let check = match sum % 11 {
            0 | 1 => 0,
            rest => 11 - rest,
        };
        check == d.at(11) && !d.is_uniform()
    })
}

/// Iranian national codes: weights from 10 to 2, mod 11 (Civil Registration Organization).
pub(crate) fn ir_code(value: &[u8]) -> bool {
    Digits::exactly(value, 10).is_some_and(|d| {
        let rest = d.weighted(&[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11;
        d.at(9) == if rest < 2 { rest } else { 11 - rest } && !d.is_uniform()
    })
}

/// Egyptian national numbers: a century, a date and a governorate (Civil Status Organization).
pub(crate) fn eg_id(value: &[u8]) -> bool {
    Digits::exactly(value, 14).is_some_and(|d| {
        matches!(d.at(0), 2 | 3)
            && (1..=12).contains(&d.number(3, 5))
            && (1..=31).contains(&d.number(5, 7))
            && matches!(d.number(7, 9), 1..=35 | 88)
    })
}

/// Emirati identity numbers: the country's 784 and Luhn's digit (Federal Authority for Identity).
pub(crate) fn ae_id(value: &[u8]) -> bool {
    Digits::exactly(value, 15).is_some_and(|d| d.number(0, 3) == 784 && super::luhn(d.all()))
}

/// Indonesian identity numbers: a province, a date with 40 more in a woman's day (Dukcapil).
pub(crate) fn id_nik(value: &[u8]) -> bool {
    Digits::exactly(value, 16).is_some_and(|d| {
        (11..=96).contains(&d.number(0, 2))
            && (1..=31).contains(&(d.number(6, 8) % 40))
            && (1..=12).contains(&d.number(8, 10))
            && d.number(12, 16) != 0
    })
}

/// Kazakh identity numbers: a date and a check digit by two rows of weights.
pub(crate) fn kz_iin(value: &[u8]) -> bool {
    Digits::exactly(value, 12).is_some_and(|d| {
        let check = match d.weighted(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]) % 11 {
            10 => d.weighted(&[3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2]) % 11,
            rest => rest,
        };
        (1..=12).contains(&d.number(2, 4))
            && (1..=31).contains(&d.number(4, 6))
            && check == d.at(11)
    })
}

/// Hong Kong identity numbers: one or two letters, six digits and a check in brackets (Immigration
/// Department).
pub(crate) fn hk_id(value: &[u8]) -> bool {
    let mut plain = [0_u8; 9];
    let mut count = 0;
    for byte in value.iter().filter(|byte| byte.is_ascii_alphanumeric()) {
        let Some(place) = plain.get_mut(count) else { return false };
        *place = byte.to_ascii_uppercase();
        count += 1;
    }
    let worth = |byte: u8| match byte {
        b'0'..=b'9' => u32::from(byte - b'0'),
        _ => u32::from(byte - b'A') + 10,
    };
    // Where there is one letter a blank, worth 36, stands before it.
    let blank = if count == 8 { 36 * 9 } else { 0 };
    let sum: u32 = plain[..count].iter().rev().zip(1..).map(|(b, weight)| worth(*b) * weight).sum();
    matches!(count, 8 | 9)
        && plain[count - 7..count - 1].iter().all(u8::is_ascii_digit)
        && plain[..count - 7].iter().all(u8::is_ascii_uppercase)
        && (sum + blank).is_multiple_of(11)
}
