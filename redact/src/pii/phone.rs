//! Owns telephone numbers.
//! Accepts the place of a first digit, `+` or `(`; emits numbers in international form, in the
//! forms of North America, and in any form beside a word that says so; promises a bounded look.

use std::ops::Range;

/// Longest number with its separators, in bytes.
const MAX_LENGTH: usize = 26;

/// The telephone number that starts at `at`, which may be a `+`, a `(` or a digit.
pub(crate) fn number(text: &[u8], at: usize) -> Option<Range<usize>> {
    let before = at.checked_sub(1).map(|at| text[at]);
    if before.is_some_and(|b| {
        b.is_ascii_alphanumeric() || matches!(b, b'+' | b'_' | b'.' | b'/' | b'$' | b'#')
    }) {
        return None;
    }
    let window = &text[at..text.len().min(at + MAX_LENGTH)];
    let (end, groups) = split(window);
    let candidate = &window[..end];
    let digits = candidate.iter().filter(|b| b.is_ascii_digit()).count();
    let after = text.get(at + end);
    if after.is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'%')) {
        return None;
    }
    let fits = match candidate.first()? {
        b'+' => international(candidate, digits, &groups),
        b'(' => digits == 10 && american(candidate, &groups),
        _ => american(candidate, &groups) && digits >= 10 && before != Some(b'-'),
    };
    let named = || (7..=15).contains(&digits) && groups.len() > 0 && is_named(text, at, candidate);
    (fits || named()).then(|| at..at + end)
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
/// blank beside a bracket between them.
fn split(window: &[u8]) -> (usize, Groups) {
    let mut groups = Groups::default();
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
            b' ' | b'-' | b'.' | b'(' | b')' | b'/' if gap < 2 => {
                // A second separator only beside a bracket.
                let bracket = matches!(byte, b'(' | b')')
                    || index > 0 && matches!(window[index - 1], b'(' | b')');
                if gap == 1 && !bracket {
                    break;
                }
                gap += 1;
                run = 0;
            }
            _ => break,
        }
    }
    (end, groups)
}

/// Whether a number after a `+` fits ITU-T E.164, and is neither a date nor an offset of time.
fn international(candidate: &[u8], digits: usize, groups: &Groups) -> bool {
    let length = match candidate.get(1) {
        // North America: always eleven digits.
        Some(b'1') => digits == 11,
        Some(b'2'..=b'9') => (9..=15).contains(&digits),
        _ => false,
    };
    length && !matches!(groups.all(), [first, 2, 2, ..] if *first >= 4)
}

/// Whether a number has the form of the North American plan: area and exchange start with 2–9.
fn american(candidate: &[u8], groups: &Groups) -> bool {
    let digits: Vec<u8> = candidate.iter().copied().filter(u8::is_ascii_digit).collect();
    let national = match groups.all() {
        [3, 3, 4] => &digits[..],
        [1, 3, 3, 4] if digits[0] == b'1' => &digits[1..],
        [3, 7] if candidate[0] == b'(' => &digits[..],
        _ => return false,
    };
    national[0] >= b'2' && national[3] >= b'2' && !candidate.contains(&b'/')
}

/// Whether a word before the number says that it is one of a telephone.
fn is_named(text: &[u8], at: usize, candidate: &[u8]) -> bool {
    const WORDS: &[&[u8]] = &[
        b"phone",
        b"tel",
        b"mobile",
        b"cell",
        b"fax",
        b"whatsapp",
        b"call ",
        b"handy",
        b"telefon",
        b"portable",
        b"movil",
        b"celular",
        b"msisdn",
        b"contact number",
        b"hotline",
    ];
    // A date or a version is none.
    if candidate.iter().filter(|b| **b == b'.').count() > 4 {
        return false;
    }
    let mut lower = [0; 40];
    let from = at.saturating_sub(lower.len());
    let before = &mut lower[..at - from];
    before.copy_from_slice(&text[from..at]);
    before.make_ascii_lowercase();
    let line = memchr::memrchr(b'\n', before).map_or(&before[..], |at| &before[at + 1..]);
    // A number without separators could be anything; its word must stand right before it.
    let plain = candidate.iter().all(u8::is_ascii_digit);
    let line = if plain { &line[line.len().saturating_sub(18)..] } else { line };
    let starts = |at: usize| at == 0 || !line[at - 1].is_ascii_alphabetic();
    let named = (0..line.len()).any(|at| {
        line[at].is_ascii_alphabetic()
            && starts(at)
            && WORDS.iter().any(|word| word[0] == line[at] && line[at..].starts_with(word))
    });
    named || !plain && [&b" number is "[..], b" number: "].iter().any(|end| line.ends_with(end))
}
