//! Owns identity, tax, health and bank numbers that are told by how their digits are grouped, with
//! a checksum or a date; and a few without groups that hardly anything else is.
//! Accepts the place of a first digit; emits the number with its kind; promises a bounded look, and
//! that a number without groups is left alone beside a word that says what it counts.

use std::ops::Range;

use super::checksum::{self, Digits};
use super::named::is_counted;
use super::nearby::is_apart;
use crate::{Confidence, Kind, Verdict};

/// Longest number with its separators, in bytes.
const MAX_LENGTH: usize = 24;

/// Least digits that are a number without any groups.
const LEAST_WHOLE: usize = 11;

/// Most groups of a number.
const MAX_GROUPS: usize = 7;

/// A number that was found.
pub(super) struct Number {
    pub(super) span: Range<usize>,
    pub(super) kind: Kind,
    pub(super) confidence: Confidence,
    pub(super) verdict: Verdict,
}

/// The number that starts with the digit at `at`.
pub(super) fn number(text: &[u8], at: usize) -> Option<Number> {
    let before = at.checked_sub(1).map(|at| text[at]);
    let joined = matches!(before, Some(b'.' | b'_' | b'/' | b'+' | b'$' | b'#' | b'('));
    if joined || !is_apart(text, at) {
        return None;
    }
    let groups = Groups::read(text, at)?;
    let (start, found) = match german_vat(text, at, &groups) {
        Some(start) => (start, (Kind::TaxId, Confidence::High, Verdict::Valid)),
        None if before == Some(b'-') => return None,
        None => (at, judge(&groups, text, at)?),
    };
    let (kind, confidence, verdict) = found;
    Some(Number { span: start..groups.end, kind, confidence, verdict })
}

/// Digits in groups with one kind of separator between them.
struct Groups<'t> {
    value: &'t [u8],
    lengths: [usize; MAX_GROUPS],
    count: usize,
    separator: u8,
    end: usize,
}

impl<'t> Groups<'t> {
    /// Reads them from `at`; nothing where they are too many, or something goes on behind them.
    fn read(text: &'t [u8], at: usize) -> Option<Groups<'t>> {
        let window = &text[at..text.len().min(at + MAX_LENGTH + 2)];
        let mut groups =
            Groups { value: &[], lengths: [0; MAX_GROUPS], count: 1, separator: 0, end: at };
        let mut length = 0;
        while let Some(byte) = window.get(length) {
            let is_digit = |at: usize| window.get(at).is_some_and(u8::is_ascii_digit);
            if byte.is_ascii_digit() {
                groups.lengths[groups.count - 1] += 1;
            } else if matches!(byte, b' ' | b'-' | b'.' | b'/') && is_digit(length + 1) {
                // After a blank another number may stand, if this one has other signs or none.
                let whole = groups.separator != 0 && groups.separator != b' '
                    || groups.count == 1 && length >= LEAST_WHOLE;
                if *byte == b' ' && whole {
                    break;
                }
                if groups.separator != 0 && groups.separator != *byte || groups.count == MAX_GROUPS
                {
                    return None;
                }
                groups.separator = *byte;
                groups.count += 1;
            } else {
                break;
            }
            length += 1;
        }
        groups.value = window.get(..length).filter(|value| value.len() <= MAX_LENGTH)?;
        groups.end = at + length;
        let after = text.get(groups.end);
        let goes_on = after
            .is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'%' | b'/' | b'*'));
        (!goes_on).then_some(groups)
    }

    fn all(&self) -> &[usize] {
        &self.lengths[..self.count]
    }
}

/// Where a German VAT number starts whose digits are these: `DE 136 695 976`, `DE-136-695-976`.
fn german_vat(text: &[u8], at: usize, groups: &Groups<'_>) -> Option<usize> {
    let start = at.checked_sub(3)?;
    let apart = is_apart(text, start);
    let fits = matches!(
        (groups.all(), groups.separator, text[at - 1]),
        ([9], _, b' ')
            | ([3, 3, 3], b' ', b' ')
            | ([3, 3, 3], b'-', b'-')
            | ([3, 3, 3], b'.', b'.')
    );
    (apart && fits && &text[start..at - 1] == b"DE" && checksum::de_vat(groups.value))
        .then_some(start)
}

/// How far around groups of four digits the words of a dump are looked for, in bytes.
const AROUND_DUMP: usize = 24;

/// Whether groups of four digits are rather code points or a dump in hexadecimal: such groups go on
/// before or after them, and one soon has a letter in it.
pub(super) fn is_dump(text: &[u8], span: &Range<usize>) -> bool {
    let before = &text[span.start.saturating_sub(AROUND_DUMP)..span.start];
    let after = &text[span.end..text.len().min(span.end + AROUND_DUMP)];
    goes_on_in_hexadecimal(before.rsplit(u8::is_ascii_whitespace))
        || goes_on_in_hexadecimal(after.split(u8::is_ascii_whitespace))
}

/// Whether words are groups of four or five digits in hexadecimal up to one with a letter.
fn goes_on_in_hexadecimal<'t>(words: impl Iterator<Item = &'t [u8]>) -> bool {
    let fits = |byte: &u8| byte.is_ascii_hexdigit() && !byte.is_ascii_lowercase();
    words
        .filter(|word| !word.is_empty())
        .take_while(|word| matches!(word.len(), 4 | 5) && word.iter().all(fits))
        .any(|word| word.iter().any(u8::is_ascii_alphabetic))
}

/// What a number is by its groups.
fn judge(groups: &Groups<'_>, text: &[u8], at: usize) -> Option<(Kind, Confidence, Verdict)> {
    let value = groups.value;
    let valid = |kind: Kind| Some((kind, Confidence::Medium, Verdict::Valid));
    let bare =
        |kind: Kind| (!is_counted(text, at)).then_some((kind, Confidence::Low, Verdict::Valid));
    match (groups.all(), groups.separator) {
        // United States: social security, routing, provider.
        ([3, 2, 4], b' ') if checksum::ssn(value) => {
            Some((Kind::Ssn, Confidence::Low, Verdict::Unchecked))
        }
        ([4, 4, 1], b'-') if checksum::aba(value) => valid(Kind::BankAccount),
        ([4, 3, 3], b' ' | b'-') if matches!(value[0], b'1' | b'2') && checksum::npi(value) => {
            valid(Kind::MedicalId)
        }
        // India.
        ([4, 4, 4], b' ' | b'-')
            if value[0] >= b'2'
                && checksum::verhoeff(value)
                && !is_dump(text, &(at..groups.end)) =>
        {
            valid(Kind::NationalId)
        }
        // Australia, Germany.
        ([2, 3, 3, 3], b' ') if checksum::abn(value) => valid(Kind::TaxId),
        ([4, 5, 1], b' ') if matches!(value[0], b'2'..=b'6') && checksum::au_medicare(value) => {
            valid(Kind::MedicalId)
        }
        ([2, 3, 3, 3], b' ') if checksum::de_tax_id_strict(value) => valid(Kind::TaxId),
        ([3, 3, 3], b' ') if value[0] == b'0' && checksum::acn(value) => valid(Kind::TaxId),
        // Canada.
        ([3, 3, 3], b'-') if checksum::luhn_nonzero(value) => valid(Kind::NationalId),
        // Korea: businesses, residents (the check digit ended in 2020), driving licences.
        ([3, 2, 5], b'-') if checksum::kr_brn(value) => valid(Kind::TaxId),
        ([6, 7], b'-') if checksum::kr_rrn(value) => valid(Kind::NationalId),
        ([6, 7], b'-') if is_resident(value) => {
            Some((Kind::NationalId, Confidence::Medium, Verdict::Unchecked))
        }
        ([2, 2, 6, 2], b'-' | b' ') if is_korean_region(value) => {
            Some((Kind::DriverLicence, Confidence::Medium, Verdict::Unchecked))
        }
        // Sweden.
        ([6, 4] | [8, 4], b'-') if is_swedish(value) => valid(Kind::NationalId),
        ([6, 4], b'-') if is_swedish_organisation(value) => {
            Some((Kind::TaxId, Confidence::Low, Verdict::Valid))
        }
        // United Kingdom.
        ([3, 3, 4], b' ' | b'-') if checksum::nhs(value) => valid(Kind::MedicalId),
        // Thailand, France.
        ([1, 4, 5, 2, 1], b' ' | b'-') if checksum::th_id(value) => valid(Kind::NationalId),
        ([1, 2, 2, 2, 3, 3, 2], b' ') if checksum::fr_nir(value) => valid(Kind::NationalId),
        // Without groups: two checks, or a check and a date.
        ([11], _) if checksum::tckn(value) || is_pesel(value) || is_norwegian(value) => {
            bare(Kind::NationalId)
        }
        ([11], _) if checksum::de_tax_id_strict(value) => bare(Kind::TaxId),
        ([12], _) if is_swedish(value) => bare(Kind::NationalId),
        ([13], _) if is_south_african(value) || is_korean(value) => bare(Kind::NationalId),
        ([15], _) if matches!(value[0], b'1' | b'2') && checksum::fr_nir(value) => {
            bare(Kind::NationalId)
        }
        _ => None,
    }
}

/// Whether two digits from `at` are a month and the next two a day of one.
fn is_month_and_day(digits: &[u8], at: usize) -> bool {
    let Some(&[a, b, c, d]) = digits.get(at..at + 4) else { return false };
    (1..=12).contains(&(a * 10 + b)) && (1..=31).contains(&(c * 10 + d))
}

/// Whether a Korean number has a date and the mark of a century and sex.
fn is_resident(value: &[u8]) -> bool {
    Digits::of(value).is_some_and(|digits| {
        is_month_and_day(digits.all(), 2) && (1..=8).contains(&digits.all()[6])
    })
}

/// Whether a Korean driving licence starts with a region (11 to 26, 28).
fn is_korean_region(value: &[u8]) -> bool {
    matches!(value, [b'1', b'1'..=b'9', ..] | [b'2', b'0'..=b'6' | b'8', ..])
}

/// Whether a Swedish personal number has a date; with a century, one that is no time of writing:
/// names of logs and backups look like `20240115-0930`.
fn is_swedish(value: &[u8]) -> bool {
    let Some(digits) = Digits::of(value) else { return false };
    let all = digits.all();
    let (date, born) = match all {
        [1, 8 | 9, ..] if all.len() == 12 => (4, true),
        [2, 0, tens, ones, .., a, b, c, _] if all.len() == 12 => {
            (4, tens * 10 + ones < 16 && (a * 10 + b > 23 || *c > 5))
        }
        _ => (2, all.len() == 10 && !is_time(all)),
    };
    born && is_month_and_day(all, date) && checksum::se_pnr(value)
}

/// Whether a Swedish organisation's number has a group of its own, no month, and Luhn's digit
/// (Skatteverket, SKV 709).
fn is_swedish_organisation(value: &[u8]) -> bool {
    Digits::of(value).is_some_and(|digits| {
        let all = digits.all();
        !matches!(all[0], 0 | 4) && all[2] >= 2 && checksum::luhn_nonzero(value)
    })
}

/// Whether a Norwegian number has a date (a temporary one has 40 more in its day) and its checks.
fn is_norwegian(value: &[u8]) -> bool {
    Digits::of(value).is_some_and(|digits| {
        let &[a, b, c, d, ..] = digits.all() else { return false };
        (1..=31).contains(&((a % 4) * 10 + b)) && (1..=12).contains(&(c * 10 + d))
    }) && checksum::no_fnr(value)
}

/// Whether thirteen digits are a Korean number and no time in milliseconds (of 2017 to 2030).
fn is_korean(value: &[u8]) -> bool {
    !matches!(value, [b'1', b'5'..=b'8', ..]) && checksum::kr_rrn(value)
}

/// Whether a Polish number has a date of the 20th or 21st century, which has 20 more in its month.
fn is_pesel(value: &[u8]) -> bool {
    Digits::of(value).is_some_and(|digits| {
        let &[_, _, a, b, c, d, ..] = digits.all() else { return false };
        let (month, day) = (a * 10 + b, c * 10 + d);
        matches!(month, 1..=12 | 21..=32) && (1..=31).contains(&day)
    }) && checksum::pesel(value)
}

/// Whether a number is rather a day and a time, as names of logs and backups have them:
/// `240115-0930`. Who was born in those years is a child, or has the century in front.
fn is_time(all: &[u8]) -> bool {
    let &[tens, _, .., a, b, c, _] = all else { return false };
    (1..=3).contains(&tens) && a * 10 + b < 24 && c < 6
}

/// Whether a South African number has a date, a citizenship, the fixed digit and Luhn's
/// (Department of Home Affairs).
fn is_south_african(value: &[u8]) -> bool {
    Digits::of(value).is_some_and(|digits| {
        let all = digits.all();
        is_month_and_day(all, 2)
            && matches!(all[10], 0..=2)
            && matches!(all[11], 8 | 9)
            && checksum::luhn(all)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<(&str, Kind)> {
        let start = text.find(|c: char| c.is_ascii_digit()).unwrap();
        number(text.as_bytes(), start).map(|number| (&text[number.span], number.kind))
    }

    /// Numbers that their issuers or their documentation show, and the same with another digit.
    #[test]
    fn knows_groups_with_check_digits() {
        for (whole, kind) in [
            ("3222-7162-7", Kind::BankAccount),
            ("1234-567-893", Kind::MedicalId),
            ("3998 7654 3211", Kind::NationalId),
            ("51 824 753 556", Kind::TaxId),
            ("005 499 981", Kind::TaxId),
            ("347-677-452", Kind::NationalId),
            ("104-86-56659", Kind::TaxId),
            ("871220-2384", Kind::NationalId),
            ("20110925-2385", Kind::NationalId),
            ("556703-7485", Kind::TaxId),
            ("1234 567 893", Kind::MedicalId),
            ("19910924-2397", Kind::NationalId),
            ("401 023 2137", Kind::MedicalId),
            ("DE 136 695 976", Kind::TaxId),
            ("10000000146", Kind::NationalId),
            ("44051401458", Kind::NationalId),
            ("199109242397", Kind::NationalId),
            ("9202201234088", Kind::NationalId),
            ("255081416802538", Kind::NationalId),
            ("2 55 08 14 168 025 38", Kind::NationalId),
        ] {
            assert_eq!(found(whole), Some((whole, kind)), "{whole}");
            let (body, last) = whole.split_at(whole.len() - 1);
            let other = (last.as_bytes()[0] - b'0' + 1) % 10;
            assert_eq!(found(&format!("{body}{other}")), None, "{body}{other}");
        }
    }

    #[test]
    fn knows_groups_without_check_digits() {
        assert_eq!(found("911124-5678901"), Some(("911124-5678901", Kind::NationalId)));
        assert_eq!(found("911324-5678901"), None);
        assert_eq!(found("2123 45670 1"), Some(("2123 45670 1", Kind::MedicalId)));
        assert_eq!(found("2123 45671 1"), None);
        assert_eq!(found("11-22-123456-12"), Some(("11-22-123456-12", Kind::DriverLicence)));
        assert_eq!(found("31-22-123456-12"), None);
        assert_eq!(found("078 05 1123"), Some(("078 05 1123", Kind::Ssn)));
        assert_eq!(found("078 05 0000"), None);
    }

    #[test]
    fn leaves_what_counts_or_goes_on() {
        for text in [
            "order_id: 10000000146",
            "68AD 6886 6885 6894\n689D",
            "A = 10000000146*x",
            "\"ts\": \"8001015009087\"",
            "3998 7654 3211 0000",
            "v.3998 7654 3211",
            "10000000146.5",
            "/10000000146/",
            "1746313109504",
            "20240115-0930",
            "190521-1148",
            "20230202-9760",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
