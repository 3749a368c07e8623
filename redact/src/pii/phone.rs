//! Owns telephone numbers.
//! Accepts the place of a first digit, `+` or `(`; emits numbers in international form, in the
//! written forms of national ones (North America; those that start with a trunk `0`; a few more),
//! and in any form beside a word that says so; promises a bounded look.

use std::ops::Range;

use super::named::{is_counted, is_named};
use super::nearby::is_apart;

/// Longest number with its separators, in bytes.
const MAX_LENGTH: usize = 26;

/// Most digits of an extension.
const MAX_EXTENSION: usize = 6;

/// Most digits before an area code in brackets: a prefix and the longest country code.
const MAX_BEFORE_AREA: usize = 5;

/// The telephone number that starts at `at`, which may be a `+`, a `(` or a digit.
pub(crate) fn number(text: &[u8], at: usize) -> Option<Range<usize>> {
    let before = at.checked_sub(1).map(|at| text[at]);
    let joined = matches!(before, Some(b'+' | b'_' | b'.' | b'/' | b'$' | b'#'));
    if joined || !is_apart(text, at) {
        return None;
    }
    let window = &text[at..text.len().min(at + MAX_LENGTH)];
    let whole = split(window, false);
    let first = split(window, true);
    let ends_sooner = first.0 < whole.0;
    let found = is_number(text, at, whole)
        .or_else(|| ends_sooner.then(|| is_number(text, at, first)).flatten());
    found.or_else(|| is_number(text, at, first_of_row(text, at)?))
}

/// Where a number ends after which another one stands, both in groups with blanks between: `415 555
/// 0132 415 555 0133`.
fn first_of_row(text: &[u8], at: usize) -> Option<(usize, Groups)> {
    const ROWS: &[[usize; 3]] = &[[3, 3, 4], [3, 4, 4]];
    let rest = &text[at..];
    let (shape, end) = ROWS.iter().find_map(|shape| Some((shape, grouped(rest, shape)?)))?;
    let next = rest.get(end..).filter(|next| next.first() == Some(&b' '))?;
    let ends = grouped(&next[1..], shape)?;
    if next[1..].get(ends).is_some_and(u8::is_ascii_alphanumeric) {
        return None;
    }
    let mut groups = Groups { count: shape.len(), ..Groups::default() };
    groups.lengths[..shape.len()].copy_from_slice(shape);
    Some((end, groups))
}

/// Where groups of digits of these lengths end, with blanks between them.
fn grouped(text: &[u8], lengths: &[usize]) -> Option<usize> {
    let mut end = 0;
    for (index, length) in lengths.iter().enumerate() {
        if index > 0 {
            (text.get(end) == Some(&b' ')).then_some(())?;
            end += 1;
        }
        text.get(end..end + length)?.iter().all(u8::is_ascii_digit).then_some(())?;
        end += length;
    }
    Some(end)
}

/// The number that starts at `at`, whose digits end after `end` bytes, if it is one.
fn is_number(text: &[u8], at: usize, (end, groups): (usize, Groups)) -> Option<Range<usize>> {
    let before = at.checked_sub(1).map(|at| text[at]);
    let candidate = &text[at..at + end];
    let digits = candidate.iter().filter(|b| b.is_ascii_digit()).count();
    if is_made_up(candidate) {
        return None;
    }
    let end = at + end + extension(&text[at + end..]);
    if text.get(end).is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'%')) {
        return None;
    }
    let fits = match candidate.first()? {
        b'+' => international(candidate, digits, &groups),
        _ if before == Some(b'-') => false,
        b'(' => digits == 10 && american(candidate, &groups) || bracketed(candidate, &groups),
        _ => american(candidate, &groups) || national(candidate, &groups, text, at),
    };
    let named = || (7..=15).contains(&digits) && groups.len() > 0 && is_named(text, at, candidate);
    (fits || before != Some(b'-') && named()).then_some(at..end)
}

/// How long the extension is that a number goes on with: `x123`.
fn extension(after: &[u8]) -> usize {
    let Some(rest) = after.strip_prefix(b"x") else { return 0 };
    let digits = rest.iter().take(MAX_EXTENSION + 1).take_while(|b| b.is_ascii_digit()).count();
    if (1..=MAX_EXTENSION).contains(&digits) { digits + 1 } else { 0 }
}

/// Lengths of a number's groups of digits.
#[derive(Default)]
struct Groups {
    lengths: [usize; 8],
    count: usize,
}

impl Groups {
    fn len(&self) -> usize {
        self.count
    }

    fn all(&self) -> &[usize] {
        &self.lengths[..self.count]
    }
}

/// Where a number ends, and its groups: digits with single blanks, hyphens, dots, slashes, or a
/// blank beside a bracket between them. With `at_blank` it ends at a blank after other signs, where
/// another number may stand.
fn split(window: &[u8], at_blank: bool) -> (usize, Groups) {
    let mut groups = Groups::default();
    let mut signs = 0;
    let (mut end, mut run, mut gap) = (0, 0, 0);
    for (index, &byte) in window.iter().enumerate() {
        match byte {
            b'0'..=b'9' => {
                if run == 0 {
                    if groups.count == groups.lengths.len() {
                        break;
                    }
                    groups.count += 1;
                }
                run += 1;
                groups.lengths[groups.count - 1] = run;
                gap = 0;
                end = index + 1;
            }
            b'+' if index == 0 => {}
            b' ' if at_blank && signs > 0 && gap == 0 => break,
            // Brackets are around an area code, which few digits stand before: another number.
            b'(' if groups.all().iter().sum::<usize>() > MAX_BEFORE_AREA => break,
            b' ' | b'-' | b'.' | b'(' | b')' | b'/' if gap < 2 => {
                // A second separator only beside a bracket.
                let bracket = matches!(byte, b'(' | b')')
                    || index > 0 && matches!(window[index - 1], b'(' | b')');
                if gap == 1 && !bracket {
                    break;
                }
                gap += 1;
                run = 0;
                signs += usize::from(matches!(byte, b'-' | b'.' | b'/'));
            }
            _ => break,
        }
    }
    (end, groups)
}

/// Lengths of national numbers by country code, where the plan has narrow ones (the national
/// numbering plans that ITU-T E.164 member states publish). Elsewhere 6 to 12 digits.
const LENGTHS: &[(&[u8], usize, usize)] = &[
    (b"1", 10, 10),
    (b"7", 10, 10),
    (b"20", 8, 10),
    (b"27", 9, 9),
    (b"30", 10, 10),
    (b"31", 9, 9),
    (b"32", 8, 9),
    (b"33", 9, 9),
    (b"34", 9, 9),
    (b"36", 8, 9),
    (b"39", 6, 11),
    (b"40", 9, 9),
    (b"41", 9, 9),
    (b"43", 5, 13),
    (b"44", 9, 10),
    (b"45", 8, 8),
    (b"46", 7, 9),
    (b"47", 8, 8),
    (b"48", 9, 9),
    (b"49", 6, 13),
    (b"52", 10, 10),
    (b"54", 10, 11),
    (b"55", 10, 11),
    (b"56", 9, 9),
    (b"57", 10, 10),
    (b"60", 8, 10),
    (b"61", 9, 9),
    (b"62", 8, 12),
    (b"63", 8, 10),
    (b"64", 8, 10),
    (b"65", 8, 8),
    (b"66", 8, 9),
    (b"81", 9, 10),
    (b"82", 8, 10),
    (b"84", 9, 10),
    (b"86", 10, 11),
    (b"90", 10, 10),
    (b"91", 10, 10),
    (b"92", 9, 10),
    (b"234", 8, 10),
    (b"254", 9, 9),
    (b"351", 9, 9),
    (b"353", 7, 9),
    (b"358", 6, 11),
    (b"380", 9, 9),
    (b"420", 9, 9),
    (b"852", 8, 8),
    (b"971", 8, 9),
    (b"972", 8, 9),
];

/// Whether a number after a `+` fits ITU-T E.164 and its country's plan, and is neither a date nor
/// an offset of time.
fn international(candidate: &[u8], digits: usize, groups: &Groups) -> bool {
    let mut plain = [0; MAX_LENGTH];
    let mut count = 0;
    for byte in candidate.iter().filter(|byte| byte.is_ascii_digit()) {
        plain[count] = *byte;
        count += 1;
    }
    let plain = &plain[..count];
    // A trunk prefix that is written but not dialled: `+44 (0)20`.
    let trunk = usize::from(candidate.windows(3).any(|three| three == b"(0)"));
    let known = LENGTHS.iter().find(|(code, ..)| plain.starts_with(code));
    let length = match known {
        Some((code, least, most)) => {
            (least + code.len() + trunk..=most + code.len() + trunk).contains(&digits)
        }
        None => is_assigned(plain) && (9..=15).contains(&digits),
    };
    let date = matches!(groups.all(), [4 | 8, 2, 2, ..]);
    length && !date && groups.all().last().is_some_and(|last| *last >= 2)
}

/// Whether a number is made up or a row of code points in hexadecimal: each of its groups is one
/// digit over and over (`111-222-3333`), or four digits that start with a zero.
fn is_made_up(candidate: &[u8]) -> bool {
    let groups = || candidate.split(|byte| !byte.is_ascii_digit()).filter(|one| !one.is_empty());
    let uniform = |group: &[u8]| group.len() > 1 && group.iter().all(|digit| *digit == group[0]);
    groups().count() >= 2
        && (groups().all(uniform) || groups().all(|one| one.len() == 4 && one[0] == b'0'))
}

/// Whether a number starts with a country code that is assigned (ITU-T E.164, its list of assigned
/// codes).
fn is_assigned(plain: &[u8]) -> bool {
    match plain {
        [b'2', b'0' | b'7', ..]
        | [b'3', b'0'..=b'4' | b'6' | b'9', ..]
        | [b'4', b'0' | b'1' | b'3'..=b'9', ..]
        | [b'5', b'1'..=b'8', ..]
        | [b'6', b'0'..=b'6', ..]
        | [b'8', b'1' | b'2' | b'4' | b'6', ..]
        | [b'9', b'0'..=b'5' | b'8', ..] => true,
        [b'2', b'1'..=b'6' | b'9', _, ..]
        | [b'3', b'5' | b'7' | b'8', _, ..]
        | [b'4', b'2', _, ..]
        | [b'5', b'0' | b'9', _, ..]
        | [b'6', b'7'..=b'9', _, ..]
        | [b'8', b'0' | b'5' | b'7' | b'8', _, ..] => true,
        [b'9', b'6' | b'7' | b'9', last, ..] => *last != b'9' && *last != b'7' || plain[1] != b'9',
        _ => false,
    }
}

/// Whether a number has the form of the North American plan: area and exchange start with 2–9,
/// and one kind of separator.
fn american(candidate: &[u8], groups: &Groups) -> bool {
    let mut digits = candidate.iter().copied().filter(u8::is_ascii_digit);
    let skip = match groups.all() {
        [3, 3, 4] => 0,
        [1, 3, 3, 4] if candidate[0] == b'1' => 1,
        [3, 3, 3, 4] if candidate.starts_with(b"001") => 3,
        [3, 7] if candidate[0] == b'(' => 0,
        _ => return false,
    };
    let area = digits.nth(skip);
    let exchange = digits.nth(2);
    let is_first = |digit: Option<u8>| digit.is_some_and(|digit| digit >= b'2');
    let has = |byte: u8| candidate.contains(&byte);
    let mixed = has(b'.') && has(b'-') || has(b'.') && has(b' ');
    is_first(area) && is_first(exchange) && !has(b'/') && !mixed
}

/// Whether a number that starts with a bracket is a national one: `(020) 7946 0958` with a trunk
/// `0`, or Brazil's `(11) 91234-5678`.
fn bracketed(candidate: &[u8], groups: &Groups) -> bool {
    let digits: usize = groups.all().iter().sum();
    let closes = |length: usize| candidate.get(length + 1) == Some(&b')');
    match groups.all() {
        [2, 4 | 5, 4] if candidate[1] != b'0' => closes(2) && candidate.contains(&b'-'),
        // (351) 933 123 351: a country's code.
        [3, rest @ ..] if candidate[1] >= b'2' && digits == 12 => {
            closes(3)
                && rest.iter().all(|group| *group >= 3)
                && international(candidate, digits, groups)
        }
        [first @ 2..=5, rest @ ..] => {
            closes(*first)
                && candidate[1] == b'0'
                && candidate[2] != b'0'
                && (8..=12).contains(&digits)
                && rest.len() <= 3
                && rest.last().is_some_and(|last| *last >= 2)
        }
        _ => false,
    }
}

/// Whether a number is written as a national one, by the lengths of its groups.
fn national(candidate: &[u8], groups: &Groups, text: &[u8], at: usize) -> bool {
    let (first, second) = (candidate[0], candidate.get(1).copied().unwrap_or_default());
    let bracket = candidate.contains(&b'(');
    let mut kinds = candidate.iter().filter(|b| matches!(b, b' ' | b'-' | b'.' | b'/'));
    let separator = kinds.next().copied();
    let uniform = separator.is_none_or(|one| kinds.all(|other| *other == one));
    match (first, groups.all()) {
        // 0 (917) 123 4567, 0(532) 123 45 67, 8 (912) 345-67-89
        (b'0' | b'8', [1, 3, 3, 4] | [1, 3, 3, 2, 2] | [1, 3, 7]) if bracket => true,
        _ if bracket => false,
        // Brazil's mobile numbers; Sweden's.
        (b'1'..=b'9', [2, 5, 4]) => {
            candidate[2] == b' ' && candidate[3] == b'9' && candidate[8] == b'-'
        }
        (b'0', [area @ 2..=4, 2 | 3, 2 | 3, 2]) if candidate[*area] == b'-' => {
            second != b'0' && candidate[area + 1..].iter().all(|b| *b == b' ' || b.is_ascii_digit())
        }
        _ if !uniform => false,
        (b'0' | b'8', [1, 3, 3, 2, 2]) => true,
        // 0044 20 7946 0958
        (b'0', [3..=6, _, _, ..]) if candidate.starts_with(b"00") => {
            let digits: usize = groups.all().iter().sum();
            let hexadecimal = candidate[1..].windows(3).any(|three| three == b" 00");
            candidate[2] != b'0'
                && !hexadecimal
                && (11..=15).contains(&digits)
                && separator != Some(b'.')
        }
        (b'0', _) if second == b'0' => false,
        (b'0', [2, 2, 2, 2, 2]) => separator != Some(b'/') && !is_dump(candidate, text, at),
        (b'0', [11]) => is_mobile(candidate) && !is_counted(text, at),
        (b'0', [3, 3, 3] | [2, 3, 4]) => separator == Some(b' '),
        (b'0', groups) => match separator {
            Some(b'.') => matches!(groups, [2, 4, 4] | [3, 3, 4] | [4, 3, 3]),
            Some(b'/') => is_trunk(groups) && matches!(groups, [3..=5, 5..=8]),
            _ => is_trunk(groups),
        },
        // Turkey's and China's mobile numbers.
        (b'5', [3, 3, 2, 2]) => true,
        (b'1', [3, 4, 4]) => second >= b'3',
        _ => false,
    }
}

/// Whether five pairs are rather bytes in hexadecimal: another pair stands before or after them, or
/// they are a count (`01 02 03 04 05`) or mostly zeros.
fn is_dump(candidate: &[u8], text: &[u8], at: usize) -> bool {
    let is_pair = |pair: &[u8]| pair.iter().all(u8::is_ascii_hexdigit);
    let end = at + candidate.len();
    let before = at >= 3 && matches!(text[at - 1], b' ' | b'-') && is_pair(&text[at - 3..at - 1]);
    let after = matches!(text.get(end), Some(b' ' | b'-'))
        && text.get(end + 1..end + 3).is_some_and(is_pair)
        && !text.get(end + 3).is_some_and(u8::is_ascii_alphanumeric);
    let pairs = || candidate.chunks(3);
    let zeros = pairs().filter(|pair| pair.starts_with(b"00")).count();
    let counts =
        pairs().zip(pairs().skip(1)).all(|(one, next)| one[0] == next[0] && one[1] + 1 == next[1]);
    before || after || zeros >= 2 || counts
}

/// Whether groups are those of a national number with its trunk `0`, of 10 or 11 digits, as
/// published numbers are written in Europe, Asia and Australia.
fn is_trunk(groups: &[usize]) -> bool {
    matches!(
        groups,
        [2, 4, 4]
            | [2, 8]
            | [3, 3, 4]
            | [3, 7]
            | [4, 3, 3]
            | [4, 6]
            | [3, 3, 2, 2]
            | [2, 3, 5]
            | [3, 4, 4]
            | [5, 6]
            | [4, 3, 4]
            | [4, 7]
            | [4, 3, 2, 2]
            | [5, 3, 3]
            | [3, 8]
    )
}

/// Whether eleven digits are a mobile number: United Kingdom 07, Japan 070–090, Korea 010,
/// Nigeria 070–091, the Philippines 09, Turkey 05; and China's 13–19.
pub(super) fn is_mobile(candidate: &[u8]) -> bool {
    candidate.len() == 11
        && matches!(
            candidate,
            [b'0', b'5' | b'7' | b'8' | b'9', ..]
                | [b'0', b'1', b'0', ..]
                | [b'1', b'3'..=b'9', ..]
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_written_forms() {
        let check = |text: &str, expected: Option<&str>| {
            let start = text.find(|c: char| c.is_ascii_digit() || "+(".contains(c)).unwrap();
            let found = number(text.as_bytes(), start).map(|span| &text[span]);
            assert_eq!(found, expected, "{text}");
        };
        for whole in [
            "+44 20 7946 0958",
            "+44 (0)20 7946 0958",
            "+1-318-593-4078",
            "+49 30 1234567",
            "+33612345678",
            "001-415-555-0132",
            "(415)555-0132",
            "(415) 555-0132x204",
            "1-800-555-0199",
            "0044 20 7946 0958",
            "06 12 34 56 78",
            "01.42.68.53.00",
            "020 7946 0958",
            "(020) 7946 0958",
            "07700 900123",
            "0171 1234567",
            "089/1234567",
            "0412 345 678",
            "(02) 9374 4000",
            "06-12345678",
            "(11) 91234-5678",
            "090-1234-5678",
            "0532 123 45 67",
            "0 (532) 123 45 67",
            "8 (912) 345-67-89",
            "138 1234 5678",
            "09171234567",
            "(351) 933 123 351",
            "+(370) 72314658",
            "+34729 36 33 42",
            "11 91234-5678",
            "061-969 74 22",
            "08-123 456 78",
            "022 856 565",
            "02 780 5504",
            "03.6639.1861",
        ] {
            check(whole, Some(whole));
        }
        check("tel 292-6073", Some("292-6073"));
        check("טלפון: 02-6159-480", Some("02-6159-480"));
        check("Телефон 604 04 01", Some("604 04 01"));
        check("contact: 63918616", Some("63918616"));
        check("contact_id: 63918616", None);
        check("\"homePhone\":\"63918616\"", Some("63918616"));
        check("\"faxNumber\": 63918616", Some("63918616"));
        check("415 555 0132 415 555 0133", Some("415 555 0132"));
        check("415 555 0132 94103 17 8", None);
        check("phone_number: 4155550132", Some("4155550132"));
        check("order_id: 09171234567", None);
        check("My CN number is 13812345678", Some("13812345678"));
        check("The size is 13812345678", None);
        check("telemetry 292-6073", None);
        // Too short for its country; a clause of a regulation; a date; an ISBN; a CVE.
        for none in [
            "+44 1234567",
            "252.227-7013",
            "+2024-01-15",
            "0-13-110362-8",
            "call CVE-2026-9358",
            "1746313109504",
            "00000000123",
            "06 12 34 56 78 90",
            "01 02 03 04 05",
            "48 8b 05 12 00 00 00",
            "+9999-365 23",
            "+35236450.6",
            "phone: 111-222-3333",
            "0062 0061 0072",
            "0031 2044 0034",
        ] {
            check(none, None);
        }
    }
}
