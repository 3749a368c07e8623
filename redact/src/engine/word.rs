//! Owns where words start and end: a token stands by itself, a keyword in a name may not.
//! Accepts a text and places in it; promises a look at a few bytes around them.

/// Whether a word may start at `at`: nothing, or no letter or digit, stands before it.
#[inline]
pub(crate) fn starts_word(text: &[u8], at: usize) -> bool {
    let Some(before) = at.checked_sub(1) else { return true };
    let inside = |at: usize| text.get(at).is_some_and(u8::is_ascii_alphanumeric);
    if !inside(before) || !inside(at) {
        return true;
    }
    matches!(text[before], b'm' | b'n' | b'r' | b't') && ends_mark(text, before)
}

/// Whether the letter at `at` is no part of a word: that of an escape (`\n`), or of a colour.
fn ends_mark(text: &[u8], at: usize) -> bool {
    if text[at] == b'm' {
        return ends_colour(&text[..at]);
    }
    at.checked_sub(1).is_some_and(|before| text[before] == b'\\')
}

/// Whether the keyword at `start..end` is a word of its own in a name: it starts at a boundary or
/// a capital, and is written in one case, so that `okta` is not in `rookTable`.
pub(super) fn is_word(text: &[u8], start: usize, end: usize) -> bool {
    let word = &text[start..end];
    let begins = start == 0
        || !text[start - 1].is_ascii_alphabetic()
        || word[0].is_ascii_uppercase() && text[start - 1].is_ascii_lowercase();
    let letters = || word.iter().filter(|b| b.is_ascii_alphabetic());
    let one_case =
        letters().skip(1).all(u8::is_ascii_lowercase) || letters().all(u8::is_ascii_uppercase);
    begins && (one_case || !word.iter().all(u8::is_ascii_alphabetic) || word.len() > 6)
}

/// Whether a word goes on at `at`.
pub(super) fn continues_word(text: &[u8], at: usize) -> bool {
    text.get(at).is_some_and(u8::is_ascii_alphanumeric)
}

/// Whether the ending of a web page's file follows at `at`: the word is a file's name with a hash.
pub(super) fn ends_in_file(text: &[u8], at: usize) -> bool {
    const ENDINGS: &[&[u8]] = &[
        b".png", b".jpg", b".jpeg", b".gif", b".svg", b".webp", b".ico", b".css", b".js", b".mjs",
        b".map", b".woff", b".woff2", b".ttf",
    ];
    text.get(at) == Some(&b'.')
        && ENDINGS.iter().any(|ending| {
            text[at..].starts_with(ending) && !continues_word(text, at + ending.len())
        })
}

/// Whether a text ends in a terminal's colour code without its `m` (ECMA-48).
fn ends_colour(text: &[u8]) -> bool {
    let digits =
        text.iter().rev().take(12).take_while(|b| b.is_ascii_digit() || **b == b';').count();
    text[..text.len() - digits].ends_with(b"\x1b[")
}
