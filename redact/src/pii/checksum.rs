//! Owns the check digits of identity, tax, health and bank numbers.
//! Accepts a value with its separators; emits whether its check digits fit; promises no allocation
//! and that a value of another length or alphabet does not fit. Each function names the body that
//! published its rule.

/// The digits of a value, at most 24; `None` where there are more or none.
pub(crate) struct Digits {
    digits: [u8; 24],
    count: usize,
}

impl Digits {
    /// The digits in `value`, whatever stands between them.
    pub(crate) fn of(value: &[u8]) -> Option<Digits> {
        let mut out = Digits { digits: [0; 24], count: 0 };
        for byte in value.iter().filter(|byte| byte.is_ascii_digit()) {
            *out.digits.get_mut(out.count)? = byte - b'0';
            out.count += 1;
        }
        (out.count > 0).then_some(out)
    }

    fn exactly(value: &[u8], count: usize) -> Option<Digits> {
        Digits::of(value).filter(|digits| digits.count == count)
    }

    pub(crate) fn all(&self) -> &[u8] {
        &self.digits[..self.count]
    }

    fn weighted(&self, weights: &[u32]) -> u32 {
        self.all().iter().zip(weights).map(|(&digit, weight)| u32::from(digit) * weight).sum()
    }

    fn number(&self, from: usize, to: usize) -> u64 {
        self.all()[from..to].iter().fold(0, |sum, &digit| sum * 10 + u64::from(digit))
    }

    fn at(&self, index: usize) -> u32 {
        u32::from(self.digits[index])
    }

    fn is_uniform(&self) -> bool {
        self.all().iter().all(|&digit| digit == self.digits[0])
    }
}

/// Luhn's checksum (ISO/IEC 7812-1, annex B) over digits from 0 to 9.
pub(crate) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, &digit)| match (index % 2, u32::from(digit) * 2) {
            (0, _) => u32::from(digit),
            (_, doubled) => doubled / 10 + doubled % 10,
        })
        .sum();
    !digits.is_empty() && sum.is_multiple_of(10)
}

/// A value all of whose digits pass Luhn.
pub(crate) fn luhn_value(value: &[u8]) -> bool {
    Digits::of(value).is_some_and(|digits| luhn(digits.all()))
}

/// As [`luhn_value`], and not one digit over and over.
pub(crate) fn luhn_nonzero(value: &[u8]) -> bool {
    Digits::of(value).is_some_and(|digits| luhn(digits.all()) && !digits.is_uniform())
}

/// Whether a month has that day in some year.
fn is_day(day: u64, month: u64) -> bool {
    let last = match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=last).contains(&day)
}

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

/// United States routing numbers: weights 3, 7, 1 (American Bankers Association).
pub(crate) fn aba(value: &[u8]) -> bool {
    Digits::exactly(value, 9)
        .is_some_and(|d| d.weighted(&[3, 7, 1, 3, 7, 1, 3, 7, 1]) % 10 == 0 && !d.is_uniform())
}

/// United Kingdom national insurance numbers: prefixes that are never given (HMRC, NIM39110).
pub(crate) fn nino(value: &[u8]) -> bool {
    let prefix = value.first_chunk::<2>();
    !matches!(prefix, None | Some(b"BG" | b"GB" | b"NK" | b"KN" | b"TN" | b"NT" | b"ZZ"))
}

/// NHS numbers: mod 11 with weights from 10 to 2 (NHS data dictionary).
pub(crate) fn nhs(value: &[u8]) -> bool {
    Digits::exactly(value, 10).is_some_and(|d| {
        let rest = 11 - d.weighted(&[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11;
        rest % 11 == d.at(9) && rest != 10 && !d.is_uniform()
    })
}

/// ISO 7064 mod 11,10, as German tax and VAT numbers use it.
fn mod11_10(digits: &[u8]) -> bool {
    let Some((last, body)) = digits.split_last() else { return false };
    let product = body.iter().fold(10, |product, &digit| {
        let sum = (u32::from(digit) + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (11 - product) % 10 == u32::from(*last)
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
    let number = d.number(0, d.count) + prefix.unwrap_or(0);
    fits && LETTERS[(number % 23) as usize] == *letter
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
    Digits::exactly(value, 11)
        .is_some_and(|d| d.weighted(&[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11 == 0)
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

/// Whether a value has at least `count` digits, which tells a number from a word.
pub(crate) fn has_digits(value: &[u8], count: usize) -> bool {
    value.iter().filter(|byte| byte.is_ascii_digit()).count() >= count
}
