//! Owns the check digits of European numbers.
//! Accepts, emits and promises as the module above.

use super::{Digits, is_day, luhn, mod11_10};

/// United Kingdom national insurance numbers: prefixes that are never given (HMRC, NIM39110).
pub(crate) fn nino(value: &[u8]) -> bool {
    let prefix = value.first_chunk::<2>().map(|two| two.map(|byte| byte.to_ascii_uppercase()));
    prefix.is_some_and(|prefix| {
        !matches!(&prefix, b"BG" | b"GB" | b"NK" | b"KN" | b"TN" | b"NT" | b"ZZ")
    })
}

/// NHS numbers: mod 11 with weights from 10 to 2 (NHS data dictionary).
pub(crate) fn nhs(value: &[u8]) -> bool {
    Digits::exactly(value, 10).is_some_and(|d| {
        let rest = 11 - d.weighted(&[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11;
        rest % 11 == d.at(9) && rest != 10 && !d.is_uniform()
    })
}

/// German tax identification numbers (Bundeszentralamt für Steuern).
pub(crate) fn de_tax_id(value: &[u8]) -> bool {
    Digits::exactly(value, 11).is_some_and(|d| d.at(0) != 0 && mod11_10(d.all()))
}

/// As [`de_tax_id`], and among the first ten digits exactly one stands twice or three times (since
/// 2016), so that hardly any other number is one.
pub(crate) fn de_tax_id_strict(value: &[u8]) -> bool {
    let Some(d) = Digits::exactly(value, 11) else { return false };
    let mut times = [0_u8; 10];
    for digit in &d.all()[..10] {
        times[usize::from(*digit)] += 1;
    }
    let repeated = times.iter().filter(|count| **count > 1).count();
    repeated == 1 && times.iter().all(|count| *count <= 3) && de_tax_id(value)
}

/// German VAT numbers.
pub(crate) fn de_vat(value: &[u8]) -> bool {
    Digits::exactly(value, 9).is_some_and(|d| d.at(0) != 0 && mod11_10(d.all()))
}

/// The sum of the digits of products with weights, as two German numbers use it.
fn cross_sums(digits: impl Iterator<Item = u32>, weights: &[u32]) -> u32 {
    digits.zip(weights).map(|(digit, weight)| digit * weight).map(|p| p / 10 + p % 10).sum()
}

/// German pension insurance numbers (VKVV § 4).
pub(crate) fn de_social_security(value: &[u8]) -> bool {
    let Some(letter) = value.iter().find(|byte| byte.is_ascii_uppercase()) else { return false };
    let Some(d) = Digits::exactly(value, 11) else { return false };
    let letter = u32::from(letter - b'A') + 1;
    let mut twelve = [0_u32; 12];
    for (index, place) in twelve.iter_mut().enumerate() {
        *place = match index {
            0..8 => d.at(index),
            8 => letter / 10,
            9 => letter % 10,
            _ => d.at(index - 2),
        };
    }
    let sum = cross_sums(twelve.into_iter(), &[2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1]);
    let (day, month) = (d.number(2, 4), d.number(4, 6));
    sum % 10 == d.at(10) && (1..=31).contains(&day) && (1..=12).contains(&month)
}

/// German health insurance numbers (GKV-Spitzenverband).
pub(crate) fn de_health(value: &[u8]) -> bool {
    let Some(letter) = value.first().filter(|byte| byte.is_ascii_uppercase()) else {
        return false;
    };
    let Some(d) = Digits::exactly(value, 9) else { return false };
    let letter = u32::from(letter - b'A') + 1;
    let places = [letter / 10, letter % 10].into_iter().chain((0..8).map(|at| d.at(at)));
    cross_sums(places, &[1, 2, 1, 2, 1, 2, 1, 2, 1, 2]) % 10 == d.at(8)
}

/// French social security numbers: 97 minus the rest, Corsica as 19 and 18 (INSEE).
pub(crate) fn fr_nir(value: &[u8]) -> bool {
    let mut plain = [0_u8; 15];
    let mut count = 0;
    for byte in value.iter().filter(|byte| byte.is_ascii_alphanumeric()) {
        let Some(place) = plain.get_mut(count) else { return false };
        *place = *byte;
        count += 1;
    }
    if count != 15 {
        return false;
    }
    let corsica = match (plain[5], plain[6]) {
        (b'2', b'A') => 1_000_000,
        (b'2', b'B') => 2_000_000,
        _ => 0,
    };
    if corsica > 0 {
        plain[6] = b'0';
    }
    let Some(d) = Digits::exactly(&plain, 15) else { return false };
    97 - (d.number(0, 13) - corsica) % 97 == d.number(13, 15)
}

/// Spanish identity numbers: the letter by mod 23 (Ministerio del Interior).
pub(crate) fn es_nif(value: &[u8]) -> bool {
    const LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    let prefix = match value.first() {
        Some(b'X') => Some(0),
        Some(b'Y') => Some(10_000_000),
        Some(b'Z') => Some(20_000_000),
        _ => None,
    };
    let (Some(d), Some(letter)) = (Digits::of(value), value.last()) else { return false };
    let fits = if prefix.is_some() { d.count == 7 } else { matches!(d.count, 7 | 8) };
    fits && LETTERS[((d.number(0, d.count) + prefix.unwrap_or(0)) % 23) as usize] == *letter
}

/// Spanish social security numbers: mod 97 (Seguridad Social).
pub(crate) fn es_ssn(value: &[u8]) -> bool {
    Digits::exactly(value, 12).is_some_and(|d| d.number(0, 10) % 97 == d.number(10, 12))
}

/// Italian fiscal codes: the last letter from odd and even places (DM 12 March 1974).
pub(crate) fn it_fiscal_code(value: &[u8]) -> bool {
    const ODD: [u32; 26] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24,
        23,
    ];
    let Some(code) = value.first_chunk::<16>().filter(|_| value.len() == 16) else { return false };
    let shape = b"LLLLLLNNLNNLNNNL";
    let fits = code.iter().zip(shape).all(|(byte, &class)| match class {
        b'L' => byte.is_ascii_uppercase(),
        // A digit may be replaced by a letter where two people would have the same code.
        _ => byte.is_ascii_digit() || b"LMNPQRSTUV".contains(byte),
    });
    let place = |byte: u8| u32::from(if byte.is_ascii_digit() { byte - b'0' } else { byte - b'A' });
    fits && code[..15]
        .iter()
        .enumerate()
        .map(|(index, &byte)| if index % 2 == 0 { ODD[place(byte) as usize] } else { place(byte) })
        .sum::<u32>()
        % 26
        == place(code[15])
}

/// Dutch citizen service numbers: the eleven test (RvIG).
pub(crate) fn nl_bsn(value: &[u8]) -> bool {
    let Some(d) = Digits::of(value).filter(|d| matches!(d.count, 8 | 9)) else { return false };
    let pad = 9 - d.count;
    let sum: i64 = d
        .all()
        .iter()
        .zip(&[9, 8, 7, 6, 5, 4, 3, 2, -1][pad..])
        .map(|(&digit, weight)| i64::from(digit) * weight)
        .sum();
    sum % 11 == 0 && !d.is_uniform()
}

/// Belgian national numbers: 97 minus the rest, with a 2 in front for births since 2000.
pub(crate) fn be_nn(value: &[u8]) -> bool {
    Digits::exactly(value, 11).is_some_and(|d| {
        let (body, check) = (d.number(0, 9), d.number(9, 11));
        97 - body % 97 == check || 97 - (2_000_000_000 + body) % 97 == check
    })
}

/// Polish identity numbers: weights 1, 3, 7, 9, and a date (PESEL register).
pub(crate) fn pesel(value: &[u8]) -> bool {
    Digits::exactly(value, 11).is_some_and(|d| {
        let sum = d.weighted(&[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]);
        let (month, day) = (d.number(2, 4) % 20, d.number(4, 6));
        sum % 10 == 0 && (1..=12).contains(&month) && (1..=31).contains(&day)
    })
}

/// Polish tax numbers: mod 11.
pub(crate) fn nip(value: &[u8]) -> bool {
    Digits::exactly(value, 10).is_some_and(|d| {
        d.weighted(&[6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11 == d.at(9) && !d.is_uniform()
    })
}

/// Portuguese tax numbers: mod 11.
pub(crate) fn pt_nif(value: &[u8]) -> bool {
    Digits::exactly(value, 9).is_some_and(|d| {
        let rest = d.weighted(&[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
        (if rest < 2 { 0 } else { 11 - rest }) == d.at(8)
    })
}

/// Irish public service numbers: mod 23, a second letter counting nine times.
pub(crate) fn ie_pps(value: &[u8]) -> bool {
    let Some(d) = Digits::exactly(value, 7) else { return false };
    let letters = &value[7.min(value.len())..];
    let Some(check) = letters.first() else { return false };
    let second = letters.get(1).map_or(0, |byte| match byte {
        b'W' => 0,
        byte => u32::from(byte.saturating_sub(b'A')) + 1,
    });
    let rest = (d.weighted(&[8, 7, 6, 5, 4, 3, 2]) + second * 9) % 23;
    let expected = if rest == 0 { b'W' } else { b'A' + (rest as u8) - 1 };
    *check == expected
}

/// Austrian insurance numbers: the fourth digit is a mod 11 check.
pub(crate) fn at_svnr(value: &[u8]) -> bool {
    Digits::exactly(value, 10)
        .is_some_and(|d| d.weighted(&[3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11 == d.at(3))
}

/// Norwegian identity numbers: two mod 11 checks (Skatteetaten).
pub(crate) fn no_fnr(value: &[u8]) -> bool {
    Digits::exactly(value, 11).is_some_and(|d| {
        d.weighted(&[3, 7, 6, 1, 8, 9, 4, 5, 2, 1, 0]) % 11 == 0
            && d.weighted(&[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11 == 0
            && !d.is_uniform()
    })
}

/// Swedish personal and organisation numbers: Luhn over the last ten digits (Skatteverket).
pub(crate) fn se_pnr(value: &[u8]) -> bool {
    Digits::of(value).is_some_and(|d| match d.count {
        10 | 12 => luhn(&d.all()[d.count - 10..]),
        _ => false,
    })
}

/// Finnish personal identity codes: mod 31 (DVV).
pub(crate) fn fi_hetu(value: &[u8]) -> bool {
    const MARKS: &[u8; 31] = b"0123456789ABCDEFHJKLMNPRSTUVWXY";
    let Some(code) = value.first_chunk::<11>().filter(|_| value.len() == 11) else { return false };
    let (Some(date), Some(serial)) =
        (Digits::exactly(&code[..6], 6), Digits::exactly(&code[7..10], 3))
    else {
        return false;
    };
    let (day, month) = (date.number(0, 2), date.number(2, 4));
    let number = date.number(0, 6) * 1000 + serial.number(0, 3);
    matches!(code[6], b'-' | b'+' | b'A'..=b'F' | b'U'..=b'Y')
        && is_day(day, month)
        && serial.number(0, 3) >= 2
        && MARKS[(number % 31) as usize] == code[10]
}

/// German doctors' numbers: weights 4 and 9, and two digits of a speciality (KBV).
pub(crate) fn de_lanr(value: &[u8]) -> bool {
    Digits::exactly(value, 9).is_some_and(|d| {
        let sum = d.weighted(&[4, 9, 4, 9, 4, 9]);
        (10 - sum % 10) % 10 == d.at(6) && !d.is_uniform()
    })
}

/// Swiss insurance numbers: the prefix 756 and the EAN-13 check digit (ZAS).
pub(crate) fn ch_ahv(value: &[u8]) -> bool {
    Digits::exactly(value, 13).is_some_and(|d| {
        d.number(0, 3) == 756
            && d.weighted(&[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]).is_multiple_of(10)
    })
}

/// United Kingdom tax references: the first digit by weights over the other nine (HMRC).
pub(crate) fn uk_utr(value: &[u8]) -> bool {
    const CHECKS: [u32; 11] = [2, 1, 9, 8, 7, 6, 5, 4, 3, 2, 1];
    Digits::exactly(value, 10).is_some_and(|d| {
        CHECKS[(d.weighted(&[0, 6, 7, 8, 9, 10, 5, 4, 3, 2]) % 11) as usize] == d.at(0)
    })
}

/// Spanish company numbers: a digit or letter by Luhn's sum (Orden EHA/451/2008).
pub(crate) fn es_cif(value: &[u8]) -> bool {
    let (Some(first), Some(last)) = (value.first(), value.last()) else { return false };
    let Some(d) = Digits::of(&value[1..]).filter(|d| d.count == 7 || d.count == 8) else {
        return false;
    };
    let sum: u32 = (0..7)
        .map(|at| if at % 2 == 0 { d.at(at) * 2 / 10 + d.at(at) * 2 % 10 } else { d.at(at) })
        .sum();
    let check = (10 - sum % 10) % 10;
    let fits = *last == b'0' + check as u8 || *last == b"JABCDEFGHI"[check as usize];
    b"ABCDEFGHJNPQRSUVW".contains(&first.to_ascii_uppercase()) && fits
}

/// Polish company numbers of 9 or 14 digits (REGON register).
pub(crate) fn pl_regon(value: &[u8]) -> bool {
    Digits::of(value).is_some_and(|d| match d.count {
        9 => d.weighted(&[8, 9, 2, 3, 4, 5, 6, 7]) % 11 % 10 == d.at(8) && !d.is_uniform(),
        14 => d.weighted(&[2, 4, 8, 5, 0, 9, 7, 3, 6, 1, 2, 4, 8]) % 11 % 10 == d.at(13),
        _ => false,
    })
}

/// Romanian identity numbers: weights 279146358279, mod 11 with 1 for ten (Legea 105/1996).
pub(crate) fn ro_cnp(value: &[u8]) -> bool {
    Digits::exactly(value, 13).is_some_and(|d| {
        let rest = d.weighted(&[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11;
        d.at(0) != 0
            && is_day(d.number(5, 7), d.number(3, 5))
            && (if rest == 10 { 1 } else { rest }) == d.at(12)
    })
}

/// Czech and Slovak birth numbers of ten digits: divisible by 11, 50 more in a woman's month and
/// 20 more where a day has none left (zákon 133/2000 Sb.).
pub(crate) fn cz_rc(value: &[u8]) -> bool {
    Digits::exactly(value, 10).is_some_and(|d| {
        let month = d.number(2, 4) % 50 % 20;
        is_day(d.number(4, 6), month) && d.number(0, 10).is_multiple_of(11)
    })
}

/// Bulgarian identity numbers: weights, mod 11 with 0 for ten (ГРАО).
pub(crate) fn bg_egn(value: &[u8]) -> bool {
    Digits::exactly(value, 10).is_some_and(|d| {
        is_day(d.number(4, 6), d.number(2, 4) % 20)
            && d.weighted(&[2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11 % 10 == d.at(9)
    })
}

/// Croatian identity numbers: ISO 7064 mod 11,10 (Porezna uprava).
pub(crate) fn hr_oib(value: &[u8]) -> bool {
    Digits::exactly(value, 11).is_some_and(|d| mod11_10(d.all()) && !d.is_uniform())
}

/// Estonian and Lithuanian identity numbers: mod 11 with a second set of weights (EVS 585).
pub(crate) fn baltic(value: &[u8]) -> bool {
    Digits::exactly(value, 11).is_some_and(|d| {
        let first = d.weighted(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11;
        let second = d.weighted(&[3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11 % 10;
        (1..=8).contains(&d.at(0))
            && is_day(d.number(5, 7), d.number(3, 5))
            && (if first < 10 { first } else { second }) == d.at(10)
    })
}

/// Greek insurance numbers: a date of birth and Luhn (ΗΔΙΚΑ).
pub(crate) fn gr_amka(value: &[u8]) -> bool {
    Digits::exactly(value, 11)
        .is_some_and(|d| is_day(d.number(0, 2), d.number(2, 4)) && luhn(d.all()))
}

/// Russian taxpayer numbers: one check digit of ten (companies), or two of twelve (persons)
/// (Federal Tax Service, order MMV-7-6/435).
pub(crate) fn ru_inn(value: &[u8]) -> bool {
    let fits = |d: &Digits, at: usize, weights: &[u32]| d.weighted(weights) % 11 % 10 == d.at(at);
    Digits::of(value).is_some_and(|d| match d.count {
        10 => fits(&d, 9, &[2, 4, 10, 3, 5, 9, 4, 6, 8]),
        12 => {
            fits(&d, 10, &[7, 2, 4, 10, 3, 5, 9, 4, 6, 8])
                && fits(&d, 11, &[3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8])
        }
        _ => false,
    } && !d.is_uniform())
}

/// Russian insurance numbers (SNILS): weights from 9 to 1, modulo 101 (Social Fund of Russia).
pub(crate) fn ru_snils(value: &[u8]) -> bool {
    Digits::exactly(value, 11).is_some_and(|d| {
        let sum = u64::from(d.weighted(&[9, 8, 7, 6, 5, 4, 3, 2, 1]));
        sum % 101 % 100 == d.number(9, 11) && d.number(0, 9) > 1_001_998
    })
}

/// Ukrainian taxpayer numbers (State Tax Service).
pub(crate) fn ua_rnokpp(value: &[u8]) -> bool {
    Digits::exactly(value, 10).is_some_and(|d| {
        // The first weight is one less than none.
        let sum = d.weighted(&[10, 5, 7, 9, 4, 6, 10, 5, 7]);
        sum % 11 % 10 == d.at(9) && !d.is_uniform()
    })
}

/// Latvian personal codes: a date and a check digit, or since 2017 the prefix 32 without a date
/// (Pilsonības un migrācijas lietu pārvalde).
pub(crate) fn lv_code(value: &[u8]) -> bool {
    Digits::exactly(value, 11).is_some_and(|d| {
        let sum = d.weighted(&[1, 6, 3, 7, 9, 10, 5, 8, 4, 2]);
        d.number(0, 2) == 32
            || is_day(d.number(0, 2), d.number(2, 4)) && (1101 - sum) % 11 % 10 == d.at(10)
    })
}

/// Hungarian numbers of persons: of taxpayers (ten digits, the first an 8), of insurance (nine) and
/// of identity (eleven) (1996. évi XX. törvény).
pub(crate) fn hu_person(value: &[u8]) -> bool {
    Digits::of(value).is_some_and(|d| match d.count {
        9 => d.weighted(&[3, 7, 3, 7, 3, 7, 3, 7]) % 10 == d.at(8) && !d.is_uniform(),
        10 => d.at(0) == 8 && d.weighted(&[1, 2, 3, 4, 5, 6, 7, 8, 9]) % 11 == d.at(9),
        11 => {
            let falling = d.weighted(&[10, 9, 8, 7, 6, 5, 4, 3, 2, 1]) % 11;
            let rising = d.weighted(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) % 11;
            matches!(d.at(0), 1..=8) && (falling == d.at(10) || rising == d.at(10))
        }
        _ => false,
    })
}

/// Icelandic identity numbers: a date and weights from 3 (Þjóðskrá).
pub(crate) fn is_kennitala(value: &[u8]) -> bool {
    Digits::exactly(value, 10).is_some_and(|d| {
        let sum = d.weighted(&[3, 2, 7, 6, 5, 4, 3, 2]);
        // Companies have 40 more in their day.
        is_day(d.number(0, 2) % 40, d.number(2, 4))
            && matches!(d.at(9), 0 | 8 | 9)
            && (11 - sum % 11) % 11 == d.at(8)
    })
}

/// Identity numbers of what was Yugoslavia (JMBG, EMŠO): a date and mod 11.
pub(crate) fn jmbg(value: &[u8]) -> bool {
    Digits::exactly(value, 13).is_some_and(|d| {
        let sum = d.weighted(&[7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]);
        is_day(d.number(0, 2), d.number(2, 4)) && (11 - sum % 11) % 11 % 10 == d.at(12)
    })
}
