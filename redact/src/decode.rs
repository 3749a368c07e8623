//! Owns what a text means beyond its bytes: escapes, entities, percent signs, look-alike and
//! invisible characters, and the runs of base64 or hex in it; also tokens broken over lines or
//! string literals.
//! Accepts a text and ranges of it; emits derived texts with a map back; promises that only the
//! neighbourhood of something encoded is derived, so that clean text costs one quick look.

use std::ops::Range;

use crate::blocks::View;
use crate::offsets::Derived;
use crate::rule::Detector;
use crate::{blocks, context, unescape};

/// How far around something encoded the derived text reaches, in bytes.
const REACH: usize = 256;
/// How much further it reaches where a token would be cut, in bytes.
const WHOLE: usize = 64;
/// Shortest run of base64 or hex that is decoded, in bytes.
const MIN_RUN: usize = 20;
/// How much of a run is decoded at a time, in bytes.
const MAX_RUN: usize = 1 << 20;
/// How much of it is decoded again with what follows, in bytes; a multiple of four, as it is.
const SEAM: usize = 16 << 10;

/// Where in a text something may be encoded or broken, gathered block by block.
pub(crate) struct Encoded<'t> {
    text: &'t [u8],
    /// Whether backslashes escape something.
    escapes: bool,
    /// The range that is looked at.
    range: Range<usize>,
    /// What stands before this place lies within reach of something encoded anyway.
    next: usize,
    /// The neighbourhoods of what is encoded, each within its range.
    regions: Vec<Range<usize>>,
    /// How many regions are of ranges before this one.
    earlier: usize,
    /// From where each long run starts to where its range ends.
    runs: Vec<Range<usize>>,
    /// Where a token may be broken, with its range.
    breaks: Vec<(usize, Range<usize>)>,
    /// Whether UUIDs are wanted.
    uuids: bool,
    /// What is known by its form alone.
    forms: Vec<(Detector, Range<usize>)>,
}

impl<'t> Encoded<'t> {
    pub(crate) fn new(text: &'t [u8], escapes: bool, uuids: bool) -> Encoded<'t> {
        Encoded {
            text,
            escapes,
            range: 0..0,
            next: 0,
            regions: Vec::new(),
            earlier: 0,
            runs: Vec::new(),
            breaks: Vec::new(),
            uuids,
            forms: Vec::new(),
        }
    }

    /// Goes on to another range.
    pub(crate) fn start(&mut self, range: &Range<usize>) {
        self.range = range.clone();
        self.next = range.start;
        self.earlier = self.regions.len();
    }

    /// Gathers what is in a block of the range.
    #[inline]
    pub(crate) fn block(&mut self, view: &View<'_>) {
        if view.now.odd != 0 {
            self.odd(view);
        }
        for start in blocks::places(view.at, view.long_runs()) {
            let rest = &self.text[start..self.range.end];
            if is_promising(rest) {
                self.runs.push(start..self.range.end);
            }
            if let Some(known) = context::known_form(&self.text[..self.range.end], start) {
                self.forms.push(known);
            }
            if self.uuids {
                let forms = &mut self.forms;
                context::uuids(self.text, start, self.range.end, |span| {
                    forms.push((Detector::Uuid, span));
                });
            }
        }
        for here in blocks::places(view.at, view.broken()) {
            if sign_after(&self.text[..self.range.end], here).is_some() {
                self.breaks.push((here, self.range.clone()));
            }
        }
    }

    fn odd(&mut self, view: &View<'_>) {
        for at in blocks::places(view.at, view.now.odd) {
            if at < self.next || !triggers(&self.text[at..self.range.end], self.escapes) {
                continue;
            }
            let start = at.saturating_sub(REACH).max(self.range.start);
            let end = (at + REACH).min(self.range.end);
            // Part of a number or an address may be one of another kind.
            let before = self.text[self.range.start..start].iter().rev();
            let start = start - before.take(WHOLE).take_while(|b| is_of_token(**b)).count();
            let after = self.text[end..self.range.end].iter();
            let end = end + after.take(WHOLE).take_while(|b| is_of_token(**b)).count();
            match self.regions[self.earlier..].last_mut() {
                Some(open) if start <= open.end => open.end = end,
                _ => self.regions.push(start..end),
            }
            // What lies within reach anyway needs no further look, save the last bytes.
            self.next = (at + 1).max(end.saturating_sub(REACH / 2));
        }
    }

    /// Whether nothing was found.
    pub(crate) fn is_empty(&self) -> bool {
        self.regions.is_empty()
            && self.runs.is_empty()
            && self.breaks.is_empty()
            && self.forms.is_empty()
    }

    /// What is known by its form alone, with the detector of its rule.
    pub(crate) fn forms(&self) -> &[(Detector, Range<usize>)] {
        &self.forms
    }

    /// The parts that hold something encoded, decoded one level.
    pub(crate) fn meaning(&self) -> Derived {
        let mut out = Derived::default();
        for region in &self.regions {
            derive(&mut out, self.text, region.clone(), self.escapes);
        }
        out
    }
}

/// Whether a byte may be within a token.
fn is_of_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b':' | b'-' | b'_' | b'@' | b'+')
}

/// Whether something is encoded at the start of a text.
fn triggers(rest: &[u8], escapes: bool) -> bool {
    match rest[0] {
        b'\\' => escapes && matches!(rest.get(1), Some(b'u' | b'U' | b'x' | b'"' | b'/')),
        b'%' => hex_pair(rest).is_some(),
        b'&' => entity(rest).is_some(),
        // Dashes and quotes of prose are no reason to look again.
        _ => look_alike(rest)
            .is_some_and(|(meant, _)| meant.is_none_or(|b| b.is_ascii_alphanumeric() || b == b'@')),
    }
}

/// Decodes one region, apart from the region before it.
fn derive(out: &mut Derived, text: &[u8], region: Range<usize>, escapes: bool) {
    if !out.is_empty() {
        out.unit(b"\n", region.start, 1);
    }
    let mut at = region.start;
    let mut plain = at;
    let mut buffer = [0; 4];
    while at < region.end {
        let rest = &text[at..region.end];
        let decoded: Option<(&[u8], usize)> = match rest[0] {
            b'\\' if escapes => unescape::escape(rest, &mut buffer),
            b'%' => hex_pair(rest).map(|byte| {
                buffer[0] = byte;
                (&buffer[..1], 3)
            }),
            b'&' => entity(rest).map(|(c, length)| (c.encode_utf8(&mut buffer).as_bytes(), length)),
            0x80.. => look_alike(rest).map(|(meant, length)| match meant {
                Some(byte) => {
                    buffer[0] = byte;
                    (&buffer[..1], length)
                }
                None => (&buffer[..0], length),
            }),
            _ => None,
        };
        if let Some((meant, length)) = decoded {
            out.copy(&text[plain..at], plain);
            out.unit(meant, at, length);
            at += length;
            plain = at;
        } else {
            at += 1;
        }
    }
    out.copy(&text[plain..region.end], plain);
}

/// The byte of `%41`.
fn hex_pair(text: &[u8]) -> Option<u8> {
    let digit = |at: usize| hex_digit(*text.get(at)?);
    Some(digit(1)? << 4 | digit(2)?)
}

/// What a hex digit stands for.
#[inline]
fn hex_digit(byte: u8) -> Option<u8> {
    /// A load is less than comparisons, as hashes are made of digits and letters.
    static DIGITS: [u8; 256] = {
        let mut digits = [16; 256];
        let mut digit = 0;
        while digit < 16 {
            digits[b"0123456789abcdef"[digit] as usize] = digit as u8;
            digits[b"0123456789ABCDEF"[digit] as usize] = digit as u8;
            digit += 1;
        }
        digits
    };
    let digit = DIGITS[usize::from(byte)];
    (digit < 16).then_some(digit)
}

/// The character of an HTML entity, and its length.
fn entity(text: &[u8]) -> Option<(char, usize)> {
    const NAMED: &[(&[u8], char)] = &[
        (b"&amp;", '&'),
        (b"&lt;", '<'),
        (b"&gt;", '>'),
        (b"&quot;", '"'),
        (b"&apos;", '\''),
        (b"&colon;", ':'),
        (b"&equals;", '='),
        (b"&lowbar;", '_'),
        (b"&period;", '.'),
        (b"&sol;", '/'),
        (b"&commat;", '@'),
    ];
    if text.get(1) != Some(&b'#') {
        let short = &text[..text.len().min(8)];
        memchr::memchr(b';', short)?;
        let (name, c) = NAMED.iter().find(|(name, _)| text.starts_with(name))?;
        return Some((*c, name.len()));
    }
    let (radix, start) = if matches!(text.get(2), Some(b'x' | b'X')) { (16, 3) } else { (10, 2) };
    let mut code = 0_u32;
    let mut at = start;
    while let Some(digit) = text.get(at).and_then(|byte| char::from(*byte).to_digit(radix)) {
        code = code.checked_mul(radix)?.checked_add(digit)?;
        at += 1;
        if at > start + 8 {
            return None;
        }
    }
    let closed = text.get(at) == Some(&b';');
    (at > start).then_some(())?;
    Some((char::from_u32(code)?, at + usize::from(closed)))
}

/// The ASCII byte that a character is taken for, or nothing for one that is not seen, and the
/// character's length. `None` for every other character.
fn look_alike(text: &[u8]) -> Option<(Option<u8>, usize)> {
    let (c, length) = char_of(text)?;
    if is_ignorable(c) {
        return Some((None, length));
    }
    ascii_of(c).map(|byte| (Some(byte), length))
}

/// The character of two bytes or more at the start of a text, and its length.
fn char_of(text: &[u8]) -> Option<(char, usize)> {
    let more = |at: usize| text.get(at).filter(|b| **b & 0xC0 == 0x80).map(|b| u32::from(b & 0x3F));
    let lead = u32::from(*text.first()?);
    let (code, length, least) = match lead {
        0xC2..=0xDF => ((lead & 0x1F) << 6 | more(1)?, 2, 0x80),
        0xE0..=0xEF => ((lead & 0x0F) << 12 | more(1)? << 6 | more(2)?, 3, 0x800),
        0xF0..=0xF4 => {
            ((lead & 0x07) << 18 | more(1)? << 12 | more(2)? << 6 | more(3)?, 4, 0x1_0000)
        }
        _ => return None,
    };
    Some((char::from_u32(code).filter(|_| code >= least)?, length))
}

/// Characters that are not shown: Unicode's `Default_Ignorable_Code_Point` (DerivedCoreProperties)
/// and the other format controls.
fn is_ignorable(c: char) -> bool {
    let code = u32::from(c);
    // Most writing has none in its blocks of 256.
    let may_be = matches!(
        code >> 8,
        0x00 | 0x03 | 0x06 | 0x11 | 0x17 | 0x18 | 0x20 | 0x31 | 0xFE | 0xFF | 0x1BC | 0x1D1 | 0xE00
            ..=0xE0F
    );
    may_be
        && matches!(code,
        0xAD | 0x034F | 0x061C | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F
        | 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x206F | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF
        | 0xFFA0 | 0xFFF0..=0xFFFB | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF)
}

/// Characters that look like ASCII ones: the confusables (UTS #39) of Cyrillic, Greek, Armenian
/// and Latin, dashes, dots and quotes, and the compatibility forms (NFKC) among letter-like symbols
/// and Roman numerals.
const PAIRS: &[(&str, &str)] = &[
    ("АВЕЅІӀЈКМНОРСТУХҮԚԜԌѴЬЗбаеҽѕіјорсухһԁԛԝѡ", "ABESIIJKMHOPCTYXYQWGVb36aeesijopcyxhdqww"),
    ("кмптѵгӏү", "kmntvrly"),
    ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϜϹͿαοικηνυρϱσχϲϳϝτγ", "ABEZHIKMNOPTYXFCJaoiknvuppoxcjfty"),
    ("ՍՏՕօսոռհցզգքա", "USOounnhgqqfw"),
    ("ɑƄƒſɡƍıɩɪɭǀʟɴʀƽʋʏʐʑʙɢʜ", "abffggiiilllnrsuyzzBGH"),
    ("‐‑‒–—―․‚′‘’“”−", "------.''''\"\"-"),
    ("ℂℊℋℌℍℎℐℑℒℓℕℙℚℛℜℝℤℨKℬℭℯ℮ℰℱℳℴⅠⅤⅩⅬⅭⅮⅯⅰⅴⅹⅼⅽⅾ", "CgHHHhIILlNPQRRRZZKBCeeEFMoIVXLCDMivxlcd"),
    ("ⅿ", "m"),
];

/// The same of scripts that are written less: Cherokee, and small capitals.
const SELDOM: &[(&str, &str)] = &[
    ("ᎠᎡᏒᎢᎪᎫᎬᎳᎷᎻᏀᏂᏃᏎᏏᏙᏚᏞᏟᏢᏦᏧᏴ", "DRRTAJEWMHGhZ4bVSLCPKdB"),
    ("ᴀᴄᴅᴇᴊᴋᴍᴏᴘᴛᴜᴠᴡᴢᴦ", "AcDEJkMoPTuvwzr"),
];

/// How many characters [`LOOKS`] knows: all up to Armenian, then punctuation to the operators.
const LOOKS_LENGTH: usize = 0x600 + 0x300;

/// What the characters of [`PAIRS`] look like, 0 for the others.
static LOOKS: [u8; LOOKS_LENGTH] = {
    let mut looks = [0; LOOKS_LENGTH];
    let mut pair = 0;
    while pair < PAIRS.len() {
        let (from, to) = (PAIRS[pair].0.as_bytes(), PAIRS[pair].1.as_bytes());
        let (mut at, mut index) = (0, 0);
        while at < from.len() {
            // All of them are two or three bytes long.
            let long = from[at] >= 0xE0;
            let first = (from[at] & if long { 0x0F } else { 0x1F }) as usize;
            let mut code = first << 6 | (from[at + 1] & 0x3F) as usize;
            if long {
                code = code << 6 | (from[at + 2] & 0x3F) as usize;
            }
            looks[if code < 0x600 { code } else { code - 0x2000 + 0x600 }] = to[index];
            at += if long { 3 } else { 2 };
            index += 1;
        }
        pair += 1;
    }
    looks
};

/// The ASCII character that another one looks like: compatibility forms (Unicode NFKC) of letters
/// and digits, and [`PAIRS`].
fn ascii_of(c: char) -> Option<u8> {
    let code = u32::from(c);
    let byte = match code {
        0..0x600 => u32::from(LOOKS[code as usize]),
        0x600..=0x1099 => decimal_digit(code).unwrap_or(0),
        0x24B6..=0x24CF => 0x41 + code - 0x24B6,
        0x24D0..=0x24E9 => 0x61 + code - 0x24D0,
        0x2000..0x2300 => u32::from(LOOKS[(code - 0x2000 + 0x600) as usize]),
        0x13A0..=0x13FF | 0x1D00..=0x1D7F => u32::from(seldom(c).unwrap_or(0)),
        0xA731 => u32::from(b's'),
        0xFE58 | 0xFE63 => 0x2D,
        0xFF01..=0xFF5E => code - 0xFEE0,
        0x1D400..=0x1D6A3 => {
            // Mathematical alphabets: 26 capitals and 26 small letters, over and over.
            let index = (code - 0x1D400) % 52;
            if index < 26 { 0x41 + index } else { 0x61 + index - 26 }
        }
        0x1D7CE..=0x1D7FF => 0x30 + (code - 0x1D7CE) % 10,
        0x1F130..=0x1F149 => 0x41 + code - 0x1F130,
        _ => 0,
    };
    u8::try_from(byte).ok().filter(|byte| *byte != 0)
}

/// Where the digits of the scripts of Asia and Africa start (Unicode, general category Nd).
const ZEROS: &[usize] = &[
    0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66,
    0x0DE6, 0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090,
];

/// Which rows of sixteen characters from U+0600 have digits, and where in the row plus one.
static DIGIT_ROWS: [u8; 0xAA] = {
    let mut rows = [0; 0xAA];
    let mut index = 0;
    while index < ZEROS.len() {
        rows[(ZEROS[index] >> 4) - 0x60] = (ZEROS[index] & 0xF) as u8 + 1;
        index += 1;
    }
    rows
};

/// The digit that one of those means: telephones and cards are written with them, too.
fn decimal_digit(code: u32) -> Option<u32> {
    let first = u32::from(*DIGIT_ROWS.get((code >> 4) as usize - 0x60)?).checked_sub(1)?;
    let digit = (code & 0xF).checked_sub(first)?;
    (digit < 10).then_some(0x30 + digit)
}

/// What a character of [`SELDOM`] looks like.
fn seldom(c: char) -> Option<u8> {
    SELDOM.iter().find_map(|(from, to)| {
        let at = from.chars().position(|known| known == c)?;
        to.as_bytes().get(at).copied()
    })
}

impl Encoded<'_> {
    /// Tells every run of base64, base64url or hex that decodes to text, with the text.
    pub(crate) fn runs(&self, mut found: impl FnMut(Range<usize>, Vec<u8>)) {
        for run in &self.runs {
            let (mut start, limit) = (run.start, run.end);
            // A longer run is decoded piece by piece.
            loop {
                let window = &self.text[start..limit.min(start + MAX_RUN)];
                let end = start + blocks::run_length(window);
                if let Some(decoded) = decode_run(&self.text[start..end]) {
                    let after = self.text[end..limit].iter().take(2);
                    let padding = after.take_while(|b| **b == b'=').count();
                    found(start..end + padding, decoded);
                }
                if end - start < MAX_RUN {
                    break;
                }
                start = end - SEAM;
            }
        }
    }
}

/// A quick look whether a run of at least twenty bytes may encode text.
fn is_promising(run: &[u8]) -> bool {
    let Some(head) = run.first_chunk::<MIN_RUN>() else { return false };
    // Sixteen characters are twelve bytes, of which all must be printable.
    let text = head[..16].chunks_exact(4).all(|four| {
        let bits = four.iter().fold(0, |bits, &byte| bits << 6 | u32::from(sextet(byte)));
        let [_, a, b, c] = bits.to_be_bytes();
        is_printable(a) && is_printable(b) && is_printable(c)
    });
    text || head.iter().all(|byte| hex_digit(*byte).is_some())
}

/// What a byte of a run stands for in base64 or base64url.
#[inline]
fn sextet(byte: u8) -> u8 {
    static SEXTETS: [u8; 256] = {
        let mut sextets = [63; 256];
        let mut at = 0;
        while at < 62 {
            let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
            sextets[letters[at] as usize] = at as u8;
            at += 1;
        }
        sextets[b'+' as usize] = 62;
        sextets[b'-' as usize] = 62;
        sextets
    };
    SEXTETS[usize::from(byte)]
}

/// What a run encodes, where that is text.
fn decode_run(run: &[u8]) -> Option<Vec<u8>> {
    if run.len().is_multiple_of(2)
        && run.len() >= 2 * MIN_RUN
        && run.iter().all(|byte| hex_digit(*byte).is_some())
    {
        let digit = |byte: u8| hex_digit(byte).unwrap_or(0);
        let pairs = || run.chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1]));
        let most = run.len() / 2 / ODD_SHARE;
        let is_text = pairs().filter(|byte| !is_printable(*byte)).nth(most).is_none();
        return is_text.then(|| pairs().collect());
    }
    if !is_promising(run) || run.len() % 4 == 1 && run.len() < 64 {
        return None;
    }
    Some(crate::rule::base64_prefix(run)).filter(|text| is_text(text))
}

/// One byte in so many may be odd in a text.
const ODD_SHARE: usize = 20;

fn is_printable(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t')
}

/// Whether bytes are nearly all printable.
fn is_text(bytes: &[u8]) -> bool {
    let odd = bytes.iter().filter(|byte| !is_printable(**byte)).count();
    !bytes.is_empty() && odd * ODD_SHARE <= bytes.len()
}

/// Shortest first piece of a broken token, in bytes.
const MIN_PIECE: usize = 7;

/// Most blanks before a sign that joins literals.
const MAX_GLUE: usize = 16;

impl Encoded<'_> {
    /// Tells tokens in pieces, put together: over a line break, or over quotes with a sign between
    /// them.
    pub(crate) fn joins(&self, mut found: impl FnMut(Derived)) {
        let mut next = 0;
        for (here, range) in &self.breaks {
            let text = &self.text[..range.end];
            let Some(sign) = sign_after(text, *here).filter(|sign| *sign >= next) else { continue };
            if let Some((joined, after)) = join(text, range.start, *here) {
                next = (sign + 1).max(after.saturating_sub(1));
                found(joined);
            }
        }
    }
}

/// The sign after a token's first piece, which ends at `here`: a line break, or one that joins
/// literals after a quote.
fn sign_after(text: &[u8], here: usize) -> Option<usize> {
    match text[here] {
        b'\n' => Some(here),
        b'\r' => Some(here + 1).filter(|&sign| text.get(sign) == Some(&b'\n')),
        _ => {
            let rest = &text[here + 1..];
            let glue = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\\');
            let blanks = rest.iter().take(MAX_GLUE).take_while(glue).count();
            matches!(rest.get(blanks), Some(b'\n' | b'+')).then_some(here + 1 + blanks)
        }
    }
}

/// The token whose first piece ends at `here`, and where its last piece starts.
fn join(text: &[u8], floor: usize, here: usize) -> Option<(Derived, usize)> {
    let mut after = glue_end(text, here, text.len())?;
    let left = piece_before(text, floor, here);
    let marked = |b: &u8| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-');
    if here - left < MIN_PIECE || !text[left..here].iter().any(marked) {
        return None;
    }
    let mut joined = Derived::default();
    joined.copy(&text[left..here], left);
    // Up to 64 pieces: a long key is wrapped into many lines.
    for _ in 0..64 {
        let end = piece_after(text, after, text.len());
        joined.copy(&text[after..end], after);
        match glue_end(text, end, text.len()) {
            Some(next) if end > after => after = next,
            _ => break,
        }
    }
    (joined.text.len() >= 18).then_some((joined, after))
}

/// Where the glue that starts at `at` ends: a line break with the indentation around it, or the
/// end of a literal, a sign, and the start of the next.
fn glue_end(text: &[u8], at: usize, limit: usize) -> Option<usize> {
    let blanks = |mut at: usize| {
        while at < limit && matches!(text[at], b' ' | b'\t') {
            at += 1;
        }
        at
    };
    let line_break = |at: usize| match text.get(at..limit)? {
        [b'\r', b'\n', ..] => Some(at + 2),
        [b'\n', ..] => Some(at + 1),
        _ => None,
    };
    let quote = match text.get(at..limit)?.first()? {
        quote @ (b'"' | b'\'') => *quote,
        _ => {
            let next = line_break(at)?;
            // An empty line, or a literal that starts the line, ends the token.
            let after = blanks(next).min(next + 12);
            return text.get(after).filter(|b| is_piece(**b)).map(|_| after);
        }
    };
    let mut next = blanks(at + 1);
    let mut signed = false;
    for _ in 0..2 {
        if let Some(b'+' | b'.' | b'&' | b'\\' | b'~') = text.get(next).filter(|_| next < limit) {
            signed = true;
            next = blanks(next + 1);
        }
        if let Some(after) = line_break(next) {
            signed = true;
            next = blanks(after);
        }
    }
    let adjacent = signed || next > at + 1;
    (adjacent && text.get(next) == Some(&quote) && text.get(next + 1).is_some_and(|b| is_piece(*b)))
        .then_some(next + 1)
        .filter(|after| *after < limit)
}

/// Which bytes pieces of a token are made of.
static PIECES: [bool; 256] = {
    let mut pieces = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        pieces[byte] = (byte as u8).is_ascii_alphanumeric()
            || matches!(byte as u8, b'_' | b'-' | b'.' | b'+' | b'/' | b'=' | b'~');
        byte += 1;
    }
    pieces
};

#[inline]
fn is_piece(byte: u8) -> bool {
    PIECES[usize::from(byte)]
}

fn piece_before(text: &[u8], floor: usize, end: usize) -> usize {
    let mut start = end;
    while start > floor && end - start < 512 && is_piece(text[start - 1]) {
        start -= 1;
    }
    start
}

fn piece_after(text: &[u8], start: usize, limit: usize) -> usize {
    let window = &text[start..limit.min(start + 512)];
    start + window.iter().take_while(|b| is_piece(**b)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(text: &[u8]) -> Encoded<'_> {
        let filter = crate::prefilter::Prefilter::new(Vec::new());
        let mut encoded = Encoded::new(text, true, false);
        encoded.start(&(0..text.len()));
        let mut marks = blocks::Marked::default();
        filter.blocks(text, &(0..text.len()), &mut marks, |view| encoded.block(&view));
        encoded
    }

    fn check(text: &str, meant: &str) {
        let derived = encoded(text.as_bytes()).meaning();
        assert_eq!(String::from_utf8_lossy(&derived.text), meant, "{text}");
    }

    #[test]
    fn one_level_is_undone() {
        check("v=%41%4b&#73;&#x41;\\u0041", "v=AKIAA");
        check("\u{410}K\u{200B}I\u{AD}A\u{FF21}", "AKIAA");
        check("v=\\U00000041\\u{4b}\\x49", "v=AKI");
        check("\u{13aa}\u{212a}\u{2160}\u{1d00}", "AKIA");
        check("\u{664}\u{6f4}\u{96a}\u{9ea} \u{e50}\u{1049}\u{66a}", "4444 09\u{66a}");
        check("plain & 100% \\n text", "");
    }

    #[test]
    fn a_run_is_decoded_to_its_end() {
        let hex = |text: &str| text.bytes().map(|b| format!("{b:02x}")).collect::<String>();
        let (words, key) = (hex("of no interest "), hex("AKIAQ3EGRTPLWX7NZ5VD "));
        let text = format!("{}{key}{}", words.repeat(50_000), words.repeat(3));
        let scan = crate::Redactor::builtin().scan_text(text.as_bytes());
        assert!(scan.findings().iter().any(|found| found.span.end > text.len() - 200));
    }

    #[test]
    fn tokens_are_not_cut() {
        let filler = " .".repeat(REACH / 2 - 2);
        let text = format!("2001:db8:7::1{filler}%41{filler}2001:db8:7::1");
        let derived = encoded(text.as_bytes()).meaning();
        assert_eq!(String::from_utf8_lossy(&derived.text), text.replace("%41", "A"));
        let long = "x".repeat(2 * REACH);
        let derived = encoded(format!("{long} %41 {long}").as_bytes()).meaning();
        assert!(derived.text.len() < 2 * (REACH + WHOLE) + 9);
    }

    #[test]
    fn characters_are_read_as_the_standard_library_does() {
        for code in (0x80..0x11_0000_u32).step_by(97).chain([0x7FF, 0x800, 0xFFFF, 0x1_0000]) {
            let Some(c) = char::from_u32(code) else { continue };
            assert_eq!(char_of(c.to_string().as_bytes()), Some((c, c.len_utf8())));
        }
        for bytes in
            [&b"\xC0\x80"[..], b"\xE0\x80\x80", b"\xED\xA0\x80", b"\xF4\x90\x80\x80", b"\xC3"]
        {
            assert_eq!(char_of(bytes), None, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn every_pair_is_known() {
        for (from, to) in PAIRS.iter().chain(SELDOM) {
            assert_eq!(from.chars().count(), to.len());
            assert!(from.chars().zip(to.bytes()).all(|(c, byte)| ascii_of(c) == Some(byte)));
        }
        assert_eq!(ascii_of('é').or(ascii_of('中')).or(ascii_of('☃')), None);
    }

    #[test]
    fn runs_are_decoded_where_they_are_text() {
        let mut found = Vec::new();
        let text = b"x dG9rZW4gYWJjZGVmZ2hpamtsbW5v y 746f6b656e3d414b49414c414c454d454c33333234334f4c4942";
        encoded(text).runs(|span, decoded| found.push((span, decoded)));
        assert_eq!(found[0], (2..30, b"token abcdefghijklmno".to_vec()));
        assert_eq!(found[1].1, b"token=AKIALALEMEL33243OLIB");
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn broken_tokens_are_joined() {
        let mut found = Vec::new();
        for text in ["k = \"AKIALALEME\" + \"L33243OLIB\"", "token AKIALALEME\n  L33243OLIB"] {
            encoded(text.as_bytes()).joins(|joined| found.push(joined.text));
        }
        assert_eq!(found, [b"AKIALALEMEL33243OLIB", b"AKIALALEMEL33243OLIB"]);
    }
}
