//! Text that shows what it holds.
//!
//! - Accepts: any text, hostile included.
//! - Promises: no character of the result is invisible, moves the cursor, changes the direction of
//!   what surrounds it, or is as wide as a word; such characters are written out as `⟨U+202E⟩`.
//!
//! The ranges are those of Unicode 16's general categories Cc, Cf, Co and Cn (non-characters), the
//! `Default_Ignorable_Code_Point` property, the separators other than the plain blank, and the few
//! signs that are a whole sentence or several dashes in one (U+FDFD, U+2E3A, cuneiform).

use std::fmt::Write as _;

/// Whether a reader could not see `c`, or would see something else than what is there.
#[must_use]
pub const fn is_hidden(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{a0}' | '\u{ad}' | '\u{34f}'
        | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}'
        | '\u{8e2}' | '\u{115f}'..='\u{1160}' | '\u{1680}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{202f}'
        | '\u{205f}'..='\u{206f}' | '\u{2800}' | '\u{2e3a}'..='\u{2e3b}' | '\u{3164}' | '\u{e000}'..='\u{f8ff}'
        | '\u{fdd0}'..='\u{fdef}' | '\u{fdfd}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{fffe}'..='\u{ffff}'
        | '\u{110bd}' | '\u{110cd}' | '\u{12000}'..='\u{1254f}' | '\u{13430}'..='\u{1345f}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{10ffff}')
}

/// The same text with hidden characters written out.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut marks = 0;
    for c in text.chars() {
        push_visible(&mut out, c, &mut marks);
    }
    out
}

/// Appends `c`, written out if it is hidden. `marks` counts the combining marks in a row: more than
/// two (Vietnamese needs two, pointed Hebrew three at most) would draw over the lines around.
pub(super) fn push_visible(out: &mut String, c: char, marks: &mut u8) {
    *marks = if is_mark(c) { marks.saturating_add(1) } else { 0 };
    if is_hidden(c) || *marks > 3 {
        // Writing to a String cannot fail.
        let _ = write!(out, "⟨U+{:04X}⟩", u32::from(c));
    } else {
        out.push(c);
    }
}

/// About how many columns `c` takes, one being the width of an average letter of a proportional
/// font. Rather too many than too few: what is wider than thought pushes buttons off the screen.
pub(super) const fn columns(c: char) -> usize {
    if is_mark(c) {
        0
    } else if is_wide(c) {
        2
    } else {
        1
    }
}

/// Whether `c` is drawn over the character before it: the blocks of combining marks, and the marks
/// of the scripts that have them elsewhere are near enough one column to count as one.
const fn is_mark(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}'
        | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{e31}' | '\u{e34}'..='\u{e3a}'
        | '\u{e47}'..='\u{e4e}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// Whether `c` is drawn much wider than an average letter: the wide letters and signs of ASCII, and
/// everything beyond the alphabets of Europe but punctuation and lines.
const fn is_wide(c: char) -> bool {
    matches!(c, 'M' | 'W' | 'm' | 'w' | '@' | '%')
        || (c as u32 > 0x52f
            && !matches!(c, '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205e}'
            | '\u{2500}'..='\u{257f}' | '\u{27e8}'..='\u{27e9}'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(input: &str, expected: &str) {
        assert_eq!(visible(input), expected);
    }

    #[test]
    fn hidden_characters_are_written_out() {
        check("plain text, ünïcödé, 日本語", "plain text, ünïcödé, 日本語");
        check("a\u{202e}b\u{2066}", "a⟨U+202E⟩b⟨U+2066⟩");
        check("zero\u{200b}width\u{feff}", "zero⟨U+200B⟩width⟨U+FEFF⟩");
        check("tag\u{e0041}\u{e007f}", "tag⟨U+E0041⟩⟨U+E007F⟩");
        check("line\nnext\ttab\r\u{2028}", "line⟨U+000A⟩next⟨U+0009⟩tab⟨U+000D⟩⟨U+2028⟩");
        check("\u{1b}[2Jgone", "⟨U+001B⟩[2Jgone");
        check("nbsp\u{a0}soft\u{ad}", "nbsp⟨U+00A0⟩soft⟨U+00AD⟩");
    }

    #[test]
    fn marks_cannot_pile_up() {
        check("e\u{301}\u{323}", "e\u{301}\u{323}");
        let tower = format!("a{}", "\u{301}".repeat(50));
        assert_eq!(visible(&tower).matches("⟨U+0301⟩").count(), 47);
    }

    proptest! {
        #[test]
        fn nothing_hidden_is_left(text in any::<String>()) {
            prop_assert!(!visible(&text).chars().any(is_hidden));
        }

        #[test]
        fn making_visible_twice_changes_nothing(text in any::<String>()) {
            let once = visible(&text);
            prop_assert_eq!(visible(&once), once);
        }
    }
}
