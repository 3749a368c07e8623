//! Text that a person cannot see, or that shows as something else than it is.
//!
//! Owns: which code points hide text, and which uses of them are ordinary.
//! Accepts: JSON text, escaped or not. Emits: [`Hidden`].
//! Promises: one pass; plain ASCII without `\u` escapes costs a few bytes per nanosecond.

use memchr::memmem;

use crate::json::escape;

/// Shortest run of characters without width that counts as hidden: joiners in emoji and in Indic
/// or Arabic text come in ones and twos, encodings of bits come in dozens.
const ZERO_WIDTH_RUN: u32 = 8;
/// Shortest run of variation selectors that counts as hidden: text uses one after a character.
const SELECTOR_RUN: u32 = 4;
/// The tag sequences in general use: the flags of England, Scotland and Wales (Unicode's
/// emoji-sequences.txt, `RGI_Emoji_Tag_Sequence`).
const FLAGS: [&str; 3] = ["gbeng", "gbsct", "gbwls"];

/// What was found.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hidden {
    /// Tag characters, bidi controls, long runs of invisible characters.
    pub(crate) text: bool,
    /// Terminal escape sequences (ESC, or the C1 control CSI).
    pub(crate) terminal_escapes: bool,
}

/// Looks through a JSON text.
pub(crate) fn scan(raw: &[u8]) -> Hidden {
    if raw.is_ascii() && memmem::find(raw, b"\\u").is_none() && !raw.contains(&0x1b) {
        return Hidden::default();
    }
    let mut state = State::default();
    for chunk in raw.utf8_chunks() {
        scan_valid(chunk.valid(), &mut state);
        if !chunk.invalid().is_empty() {
            state.feed('\u{FFFD}');
        }
    }
    state.finish()
}

fn scan_valid(text: &str, state: &mut State) {
    let mut at = 0;
    while let Some(&byte) = text.as_bytes().get(at) {
        if byte == b'\\' {
            let (c, length) = escape(&text.as_bytes()[at..]);
            state.feed(c);
            at += length;
        } else if byte.is_ascii() {
            state.feed_ascii(byte);
            at += 1;
        } else {
            let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) else { return };
            state.feed(c);
            at += c.len_utf8();
        }
    }
}

#[derive(Default)]
struct State {
    found: Hidden,
    /// Right-to-left embeddings and isolates, ordinary where there is right-to-left text.
    directed: bool,
    right_to_left: bool,
    zero_width: u32,
    selectors: u32,
    /// The letters of a tag sequence after a black flag.
    flag: Option<String>,
}

impl State {
    fn feed_ascii(&mut self, byte: u8) {
        self.zero_width = 0;
        self.selectors = 0;
        self.end_flag();
        self.found.terminal_escapes |= byte == 0x1b;
    }

    fn feed(&mut self, c: char) {
        let code = u32::from(c);
        match code {
            0xE0000..=0xE007F => return self.feed_tag(code),
            0xFE00..=0xFE0F | 0xE0100..=0xE01EF => {
                self.selectors += 1;
                self.zero_width += 1;
            }
            0x00AD
            | 0x034F
            | 0x115F
            | 0x1160
            | 0x180E
            | 0x200B..=0x200D
            | 0x2060..=0x2064
            | 0x3164
            | 0xFEFF
            | 0xFFA0 => self.zero_width += 1,
            _ => {
                self.zero_width = 0;
                self.selectors = 0;
            }
        }
        self.end_flag();
        match code {
            0x1B | 0x9B => self.found.terminal_escapes = true,
            0x202D | 0x202E => self.found.text = true,
            // Left-to-right and first-strong marks around names and numbers are common: address
            // books copy them along.
            0x202B | 0x2067 => self.directed = true,
            0x1F3F4 => self.flag = Some(String::new()),
            0x0590..=0x08FF
            | 0xFB1D..=0xFDFF
            | 0xFE70..=0xFEFE
            | 0x10800..=0x10FFF
            | 0x1E800..=0x1EFFF => self.right_to_left = true,
            _ => {}
        }
        self.found.text |= self.zero_width >= ZERO_WIDTH_RUN || self.selectors >= SELECTOR_RUN;
    }

    fn feed_tag(&mut self, code: u32) {
        let letter = char::from_u32(code - 0xE0000).unwrap_or('\0');
        match &mut self.flag {
            Some(letters) if code == 0xE007F && FLAGS.contains(&letters.as_str()) => {
                self.flag = None;
            }
            Some(letters) if letters.len() < 6 => letters.push(letter),
            _ => self.found.text = true,
        }
    }

    /// A tag sequence that was begun and not finished is no flag.
    fn end_flag(&mut self) {
        if self.flag.take().is_some_and(|letters| !letters.is_empty()) {
            self.found.text = true;
        }
    }

    fn finish(mut self) -> Hidden {
        self.end_flag();
        self.found.text |= self.directed && !self.right_to_left;
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, wanted: bool) {
        assert_eq!(scan(text.as_bytes()).text, wanted, "plain: {text:?}");
        let mut units = [0; 2];
        let escaped: String = text
            .chars()
            .flat_map(|c| c.encode_utf16(&mut units).to_vec())
            .map(|unit| format!("\\u{unit:04x}"))
            .collect();
        assert_eq!(scan(escaped.as_bytes()).text, wanted, "escaped: {text:?}");
    }

    #[test]
    fn ordinary_text_is_not_hidden() {
        for text in [
            "",
            "plain text, 100 % of it",
            "naïve café, Ελληνικά, 日本語",
            "👨‍👩‍👧‍👦 family, ❤️‍🔥 heart",
            "🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F} England",
            "🏴 a black flag",
            "\u{FEFF}with a byte order mark",
            "نص \u{2067}عربي\u{2069} عادي",
            "नमस्\u{200d}ते",
            "call \u{202a}+1 555 0100\u{202c} or \u{2068}Ann\u{2069}",
        ] {
            check(text, false);
        }
    }

    #[test]
    fn hidden_text_is_found() {
        let tags: String =
            "ignore".chars().filter_map(|c| char::from_u32(0xE0000 + u32::from(c))).collect();
        for text in [
            format!("Adds numbers.{tags}"),
            format!("🏴{tags}"),
            "🏴\u{E0067}\u{E0062}".to_owned(),
            "🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}\u{E0041}".to_owned(),
            "access\u{202E}gnp.exe".to_owned(),
            "if (user\u{2067}) return\u{2069}".to_owned(),
            format!("a{}b", "\u{200b}\u{200c}".repeat(4)),
            format!("😀{}", "\u{E0121}".repeat(4)),
        ] {
            check(&text, true);
        }
    }

    #[test]
    fn a_visible_escape_is_not_hidden() {
        assert_eq!(scan(br#"{"code":"const rlo = '\\u202e'"}"#), Hidden::default());
    }

    #[test]
    fn terminal_escapes_are_found() {
        assert!(scan(br#""\u001b[2Jtext""#).terminal_escapes);
        assert!(scan("\"\u{9b}2J\"".as_bytes()).terminal_escapes);
        assert!(!scan(br#""\\u001b is written so""#).terminal_escapes);
    }
}
