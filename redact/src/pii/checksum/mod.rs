//! Owns the check digits of identity, tax, health and bank numbers.
//! Accepts a value with its separators; emits whether its check digits fit; promises no allocation
//! and that a value of another length or alphabet does not fit. Each function names the body that
//! published its rule.

mod americas;
mod asia;
mod europe;
#[cfg(test)]
mod tests;
mod vat;

pub(crate) use americas::*;
pub(crate) use asia::*;
pub(crate) use europe::*;
pub(crate) use vat::eu_vat;

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

/// ISO 7064 mod 11,10, as German tax and VAT numbers use it.
fn mod11_10(digits: &[u8]) -> bool {
    let Some((last, body)) = digits.split_last() else { return false };
    let product = body.iter().fold(10, |product, &digit| {
        let sum = (u32::from(digit) + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (11 - product) % 10 == u32::from(*last)
}

/// Whether a value has at least `count` digits, which tells a number from a word.
pub(crate) fn has_digits(value: &[u8], count: usize) -> bool {
    value.iter().filter(|byte| byte.is_ascii_digit()).count() >= count
}
