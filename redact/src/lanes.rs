//! Owns the one look at every byte: which class it is of, and whether a keyword may start there.
//! Accepts blocks of 64 bytes; emits a bit for each byte; promises that vector instructions
//! (AVX-512, AVX2, NEON) and plain code agree. The only unsafe code of the crate.

use crate::window::{BUCKETS, Plan, WIDTH};

/// How many tables of eight buckets there are.
const TABLES: usize = BUCKETS / 8;

/// For each table, place and half (low, high), the buckets that take a nibble: what a vector
/// unit's shuffle looks up.
pub(crate) type Nibbles = [[[[u8; 16]; 2]; WIDTH]; TABLES];

/// The tables of a plan.
pub(crate) fn nibbles(plan: &Plan) -> Nibbles {
    let mut nibbles = Nibbles::default();
    for (number, bucket) in plan.buckets.iter().enumerate() {
        let bit = 1 << (number % 8);
        for (place, [low, high]) in nibbles[number / 8].iter_mut().enumerate() {
            for nibble in 0..16 {
                if bucket.low[place] >> nibble & 1 == 1 {
                    low[nibble] |= bit;
                }
                if bucket.high[place] >> nibble & 1 == 1 {
                    high[nibble] |= bit;
                }
            }
        }
    }
    nibbles
}

/// Bytes in a block.
pub(crate) const BLOCK: usize = 64;
/// Bytes that are looked at after a block: a window may start at its last byte.
pub(crate) const BEYOND: usize = WIDTH - 1;

/// What is known of 64 bytes, one bit each, the first byte's bit the lowest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    /// Where a keyword may start.
    pub(crate) keyword: u64,
    /// Digits.
    pub(crate) digit: u64,
    /// ASCII letters and digits.
    pub(crate) word: u64,
    /// Bytes of base64, base64url and hex.
    pub(crate) run: u64,
    /// Bytes of a token: those of a run, dots and equals signs.
    pub(crate) piece: u64,
    /// Hyphens.
    pub(crate) hyphen: u64,
    /// Colons.
    pub(crate) colon: u64,
    /// `@`
    pub(crate) sign: u64,
    /// Quotes and line breaks, after which a token may go on.
    pub(crate) stop: u64,
    /// `%`, `&`, backslashes and first bytes of longer characters: what may encode something.
    pub(crate) odd: u64,
    /// `[`
    pub(crate) bracket: u64,
    /// `R`
    pub(crate) capital_r: u64,
}

impl Marks {
    /// Only the first `count` bytes' bits.
    pub(crate) fn first(self, count: usize) -> Marks {
        let keep = if count >= BLOCK { u64::MAX } else { (1 << count) - 1 };
        Marks {
            keyword: self.keyword & keep,
            digit: self.digit & keep,
            word: self.word & keep,
            run: self.run & keep,
            piece: self.piece & keep,
            hyphen: self.hyphen & keep,
            colon: self.colon & keep,
            sign: self.sign & keep,
            stop: self.stop & keep,
            odd: self.odd & keep,
            bracket: self.bracket & keep,
            capital_r: self.capital_r & keep,
        }
    }
}

/// A set of bytes that a pair of nibble tables can tell: every low nibble of `low` with every high
/// nibble of `high`.
struct Class {
    bit: u8,
    low: u16,
    high: u16,
}

const fn class(bit: u8, low: u16, high: u16) -> Class {
    Class { bit, low, high }
}

const DIGIT: u8 = 1;
const LETTER: u8 = 2 | 4;
const HYPHEN: u8 = 8;
const SLASH: u8 = 16;
const UNDERSCORE: u8 = 32;
const DOT: u8 = 64;
const EQUALS: u8 = 128;
const RUN: u8 = DIGIT | LETTER | HYPHEN | SLASH | UNDERSCORE;

/// The bytes that tokens are made of.
const TOKENS: [Class; 8] = [
    class(DIGIT, 0x03FF, 1 << 3),
    class(2, 0xFFFE, 1 << 4 | 1 << 6),
    class(4, 0x07FF, 1 << 5 | 1 << 7),
    class(HYPHEN, 1 << 13, 1 << 2),
    class(SLASH, 1 << 11 | 1 << 15, 1 << 2),
    class(UNDERSCORE, 1 << 15, 1 << 5),
    class(DOT, 1 << 14, 1 << 2),
    class(EQUALS, 1 << 13, 1 << 3),
];

const COLON: u8 = 1;
const SIGN: u8 = 2;
const QUOTE: u8 = 4;
const LINE: u8 = 8;
const PERCENT: u8 = 16;
const BACKSLASH: u8 = 32;
const BRACKET: u8 = 64;
const CAPITAL_R: u8 = 128;

/// The bytes that stand between tokens, and the `R` of a placeholder.
const OTHERS: [Class; 8] = [
    class(COLON, 1 << 10, 1 << 3),
    class(SIGN, 1, 1 << 4),
    class(QUOTE, 1 << 2 | 1 << 7, 1 << 2),
    class(LINE, 1 << 10 | 1 << 13, 1),
    class(PERCENT, 1 << 5 | 1 << 6, 1 << 2),
    class(BACKSLASH, 1 << 12, 1 << 5),
    class(BRACKET, 1 << 11, 1 << 5),
    class(CAPITAL_R, 1 << 2, 1 << 5),
];

/// The tables of the low and the high nibble.
const fn tables(classes: &[Class; 8]) -> [[u8; 16]; 2] {
    let mut out = [[0; 16]; 2];
    let mut index = 0;
    while index < 8 {
        let mut nibble = 0;
        while nibble < 16 {
            if classes[index].low >> nibble & 1 == 1 {
                out[0][nibble] |= classes[index].bit;
            }
            if classes[index].high >> nibble & 1 == 1 {
                out[1][nibble] |= classes[index].bit;
            }
            nibble += 1;
        }
        index += 1;
    }
    out
}

static TOKEN_TABLES: [[u8; 16]; 2] = tables(&TOKENS);
static OTHER_TABLES: [[u8; 16]; 2] = tables(&OTHERS);

/// Which instructions are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lanes {
    /// None but those that every machine has.
    Plain,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "aarch64")]
    Neon,
}

impl Lanes {
    /// The best that this machine has.
    pub(crate) fn best() -> Lanes {
        Lanes::all().last().unwrap_or(Lanes::Plain)
    }

    /// All that this machine has, the slowest first.
    fn all() -> impl Iterator<Item = Lanes> {
        #[cfg(target_arch = "x86_64")]
        let more = [
            is_x86_feature_detected!("avx2").then_some(Lanes::Avx2),
            is_x86_feature_detected!("avx512bw").then_some(Lanes::Avx512),
        ];
        #[cfg(target_arch = "aarch64")]
        let more = [std::arch::is_aarch64_feature_detected!("neon").then_some(Lanes::Neon)];
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        let more: [Option<Lanes>; 0] = [];
        std::iter::once(Lanes::Plain).chain(more.into_iter().flatten())
    }

    /// Marks as many blocks as there is room for in `out`, or as the text has with [`BEYOND`]
    /// bytes after each; gives how many.
    pub(crate) fn mark(self, nibbles: &Nibbles, text: &[u8], out: &mut [Marks]) -> usize {
        let count = (text.len().saturating_sub(BEYOND) / BLOCK).min(out.len());
        if count == 0 {
            return 0;
        }
        let blocks = (0..count).filter_map(|block| text[block * BLOCK..].first_chunk());
        match self {
            Lanes::Plain => {
                for (marks, block) in out.iter_mut().zip(blocks) {
                    *marks = plain(nibbles, block);
                }
            }
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `all` makes this value only where the processor has AVX2.
            Lanes::Avx2 => unsafe { avx2::mark(nibbles, blocks, out) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `all` makes this value only where the processor has AVX-512BW.
            Lanes::Avx512 => unsafe { avx512::mark(nibbles, blocks, out) },
            #[cfg(target_arch = "aarch64")]
            // SAFETY: `all` makes this value only where the processor has NEON.
            Lanes::Neon => unsafe { neon::mark(nibbles, blocks, out) },
        }
        count
    }
}

/// A block and the bytes after it.
type Block = [u8; BLOCK + BEYOND];

/// The same tables, but the compiler does not know. It would else load all of them before the first
/// block of a few and put them onto the stack, as there are more of them than registers; loading
/// each where it is used costs nothing.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn afresh(nibbles: &Nibbles) -> &Nibbles {
    std::hint::black_box(nibbles)
}

/// Marks a block byte by byte.
fn plain(nibbles: &Nibbles, block: &Block) -> Marks {
    let both = |tables: &[[u8; 16]; 2], byte: u8| {
        tables[0][usize::from(byte & 15)] & tables[1][usize::from(byte >> 4)]
    };
    let mut marks = Marks::default();
    for (at, &byte) in block[..BLOCK].iter().enumerate() {
        let set = |is: bool| u64::from(is) << at;
        let token = both(&TOKEN_TABLES, byte);
        let other = both(&OTHER_TABLES, byte);
        marks.digit |= set(token & DIGIT != 0);
        marks.word |= set(token & (DIGIT | LETTER) != 0);
        marks.run |= set(token & RUN != 0);
        marks.piece |= set(token != 0);
        marks.hyphen |= set(token & HYPHEN != 0);
        marks.colon |= set(other & COLON != 0);
        marks.sign |= set(other & SIGN != 0);
        marks.stop |= set(other & (QUOTE | LINE) != 0);
        marks.odd |= set(other & (PERCENT | BACKSLASH) != 0 || byte >= 0xC0);
        marks.bracket |= set(other & BRACKET != 0);
        marks.capital_r |= set(other & CAPITAL_R != 0);
        let is_taken = |table: &[[[u8; 16]; 2]; WIDTH]| {
            (0..WIDTH).fold(u8::MAX, |left, place| left & both(&table[place], block[at + place]))
                != 0
        };
        marks.keyword |= set(nibbles.iter().any(is_taken));
    }
    marks
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::*;

    use super::*;

    /// As [`plain`], for several blocks.
    #[target_feature(enable = "avx2")]
    pub(super) fn mark<'t>(
        nibbles: &Nibbles,
        blocks: impl Iterator<Item = &'t Block>,
        out: &mut [Marks],
    ) {
        let pair = |tables: &[[u8; 16]; 2]| [wide(&tables[0]), wide(&tables[1])];
        let (tokens, others) = (pair(&TOKEN_TABLES), pair(&OTHER_TABLES));
        for (marks, block) in out.iter_mut().zip(blocks) {
            let (a, b) = (
                half(afresh(nibbles), &tokens, &others, block, 0),
                half(afresh(nibbles), &tokens, &others, block, 32),
            );
            *marks = Marks {
                keyword: join(a.keyword, b.keyword),
                digit: join(a.digit, b.digit),
                word: join(a.word, b.word),
                run: join(a.run, b.run),
                piece: join(a.piece, b.piece),
                hyphen: join(a.hyphen, b.hyphen),
                colon: join(a.colon, b.colon),
                sign: join(a.sign, b.sign),
                stop: join(a.stop, b.stop),
                odd: join(a.odd, b.odd),
                bracket: join(a.bracket, b.bracket),
                capital_r: join(a.capital_r, b.capital_r),
            };
        }
    }

    fn join(low: u64, high: u64) -> u64 {
        low | high << 32
    }

    /// The marks of the 32 bytes from `at`.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn half(
        nibbles: &Nibbles,
        tokens: &[__m256i; 2],
        others: &[__m256i; 2],
        block: &Block,
        at: usize,
    ) -> Marks {
        let bytes = load(block, at);
        // The load of each place, rather than a shift: the windows overlap in memory.
        let places = [
            split(bytes),
            split(load(block, at + 1)),
            split(load(block, at + 2)),
            split(load(block, at + 3)),
        ];
        let token = lookup(tokens, &places[0]);
        let other = lookup(others, &places[0]);
        let lead = _mm256_andnot_si256(
            _mm256_cmpgt_epi8(
                _mm256_setzero_si256(),
                _mm256_add_epi8(bytes, _mm256_set1_epi8(0x40)),
            ),
            bytes,
        );
        let mut taken = _mm256_setzero_si256();
        for table in nibbles {
            let mut left = _mm256_set1_epi8(-1);
            for place in 0..WIDTH {
                let pair = [wide(&table[place][0]), wide(&table[place][1])];
                left = _mm256_and_si256(left, lookup(&pair, &places[place]));
            }
            taken = _mm256_or_si256(taken, left);
        }
        Marks {
            keyword: any(taken),
            digit: top(_mm256_slli_epi16(token, 7)),
            word: some(token, DIGIT | LETTER),
            run: some(token, RUN),
            piece: any(token),
            hyphen: top(_mm256_slli_epi16(token, 4)),
            colon: top(_mm256_slli_epi16(other, 7)),
            sign: top(_mm256_slli_epi16(other, 6)),
            stop: some(other, QUOTE | LINE),
            odd: some(other, PERCENT | BACKSLASH) | top(lead),
            bracket: top(_mm256_slli_epi16(other, 1)),
            capital_r: top(other),
        }
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn load(block: &Block, at: usize) -> __m256i {
        let bytes: &[u8; 32] = block[at..].first_chunk().unwrap_or(&[0; 32]);
        // SAFETY: the reference is to 32 bytes, and the load asks for no alignment.
        unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
    }

    /// A table in both halves of a register.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn wide(table: &[u8; 16]) -> __m256i {
        // SAFETY: the reference is to 16 bytes, and the load asks for no alignment.
        _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128(table.as_ptr().cast()) })
    }

    /// The low and the high nibble of each byte.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn split(bytes: __m256i) -> [__m256i; 2] {
        let nibble = _mm256_set1_epi8(15);
        [_mm256_and_si256(bytes, nibble), _mm256_and_si256(_mm256_srli_epi16(bytes, 4), nibble)]
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn lookup(tables: &[__m256i; 2], nibbles: &[__m256i; 2]) -> __m256i {
        _mm256_and_si256(
            _mm256_shuffle_epi8(tables[0], nibbles[0]),
            _mm256_shuffle_epi8(tables[1], nibbles[1]),
        )
    }

    /// The highest bit of each byte.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn top(bytes: __m256i) -> u64 {
        u64::from(_mm256_movemask_epi8(bytes).cast_unsigned())
    }

    /// Which bytes have any bit.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn any(bytes: __m256i) -> u64 {
        top(_mm256_cmpeq_epi8(bytes, _mm256_setzero_si256())) ^ 0xFFFF_FFFF
    }

    /// Which bytes have any of those bits.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn some(bytes: __m256i, bits: u8) -> u64 {
        any(_mm256_and_si256(bytes, _mm256_set1_epi8(bits.cast_signed())))
    }
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::*;

    use super::*;

    /// As [`plain`], for several blocks.
    #[target_feature(enable = "avx512bw")]
    pub(super) fn mark<'t>(
        nibbles: &Nibbles,
        blocks: impl Iterator<Item = &'t Block>,
        out: &mut [Marks],
    ) {
        let pair = |tables: &[[u8; 16]; 2]| [wide(&tables[0]), wide(&tables[1])];
        let (tokens, others) = (pair(&TOKEN_TABLES), pair(&OTHER_TABLES));
        for (marks, block) in out.iter_mut().zip(blocks) {
            *marks = whole(afresh(nibbles), &tokens, &others, block);
        }
    }

    /// The marks of a block.
    #[target_feature(enable = "avx512bw")]
    #[inline]
    fn whole(
        nibbles: &Nibbles,
        tokens: &[__m512i; 2],
        others: &[__m512i; 2],
        block: &Block,
    ) -> Marks {
        let bytes = load(block, 0);
        let places =
            [split(bytes), split(load(block, 1)), split(load(block, 2)), split(load(block, 3))];
        let token = lookup(tokens, &places[0]);
        let other = lookup(others, &places[0]);
        let mut taken = _mm512_setzero_si512();
        for table in nibbles {
            let mut left = _mm512_set1_epi8(-1);
            for place in 0..WIDTH {
                let pair = [wide(&table[place][0]), wide(&table[place][1])];
                left = _mm512_and_si512(left, lookup(&pair, &places[place]));
            }
            taken = _mm512_or_si512(taken, left);
        }
        let lead = _mm512_cmpge_epu8_mask(bytes, _mm512_set1_epi8(0xC0_u8.cast_signed()));
        Marks {
            keyword: some(taken, u8::MAX),
            digit: some(token, DIGIT),
            word: some(token, DIGIT | LETTER),
            run: some(token, RUN),
            piece: some(token, u8::MAX),
            hyphen: some(token, HYPHEN),
            colon: some(other, COLON),
            sign: some(other, SIGN),
            stop: some(other, QUOTE | LINE),
            odd: some(other, PERCENT | BACKSLASH) | lead,
            bracket: some(other, BRACKET),
            capital_r: some(other, CAPITAL_R),
        }
    }

    #[target_feature(enable = "avx512bw")]
    #[inline]
    fn load(block: &Block, at: usize) -> __m512i {
        let bytes: &[u8; 64] = block[at..].first_chunk().unwrap_or(&[0; 64]);
        // SAFETY: the reference is to 64 bytes, and the load asks for no alignment.
        unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
    }

    /// A table in each quarter of a register.
    #[target_feature(enable = "avx512bw")]
    #[inline]
    fn wide(table: &[u8; 16]) -> __m512i {
        // SAFETY: the reference is to 16 bytes, and the load asks for no alignment.
        _mm512_broadcast_i32x4(unsafe { _mm_loadu_si128(table.as_ptr().cast()) })
    }

    /// The low and the high nibble of each byte.
    #[target_feature(enable = "avx512bw")]
    #[inline]
    fn split(bytes: __m512i) -> [__m512i; 2] {
        let nibble = _mm512_set1_epi8(15);
        [_mm512_and_si512(bytes, nibble), _mm512_and_si512(_mm512_srli_epi16(bytes, 4), nibble)]
    }

    #[target_feature(enable = "avx512bw")]
    #[inline]
    fn lookup(tables: &[__m512i; 2], nibbles: &[__m512i; 2]) -> __m512i {
        _mm512_and_si512(
            _mm512_shuffle_epi8(tables[0], nibbles[0]),
            _mm512_shuffle_epi8(tables[1], nibbles[1]),
        )
    }

    /// Which bytes have any of those bits.
    #[target_feature(enable = "avx512bw")]
    #[inline]
    fn some(bytes: __m512i, bits: u8) -> u64 {
        _mm512_test_epi8_mask(bytes, _mm512_set1_epi8(bits.cast_signed()))
    }
}

#[cfg(target_arch = "aarch64")]
mod neon {
    use std::arch::aarch64::*;

    use super::*;

    /// As [`plain`], for several blocks.
    #[target_feature(enable = "neon")]
    pub(super) fn mark<'t>(
        nibbles: &Nibbles,
        blocks: impl Iterator<Item = &'t Block>,
        out: &mut [Marks],
    ) {
        for (marks, block) in out.iter_mut().zip(blocks) {
            *marks = Marks::default();
            for at in (0..BLOCK).step_by(16) {
                quarter(nibbles, block, at, marks);
            }
        }
    }

    /// Adds the marks of the 16 bytes from `at`.
    #[target_feature(enable = "neon")]
    #[inline]
    fn quarter(nibbles: &Nibbles, block: &Block, at: usize, marks: &mut Marks) {
        let places = [
            split(load(block[at..].first_chunk())),
            split(load(block[at + 1..].first_chunk())),
            split(load(block[at + 2..].first_chunk())),
            split(load(block[at + 3..].first_chunk())),
        ];
        let bytes = load(block[at..].first_chunk());
        let token = lookup(&TOKEN_TABLES, &places[0]);
        let other = lookup(&OTHER_TABLES, &places[0]);
        let mut taken = vdupq_n_u8(0);
        for table in nibbles {
            let mut left = vdupq_n_u8(u8::MAX);
            for place in 0..WIDTH {
                left = vandq_u8(left, lookup(&table[place], &places[place]));
            }
            taken = vorrq_u8(taken, left);
        }
        marks.keyword |= some(taken, u8::MAX) << at;
        marks.digit |= some(token, DIGIT) << at;
        marks.word |= some(token, DIGIT | LETTER) << at;
        marks.run |= some(token, RUN) << at;
        marks.piece |= some(token, u8::MAX) << at;
        marks.hyphen |= some(token, HYPHEN) << at;
        marks.colon |= some(other, COLON) << at;
        marks.sign |= some(other, SIGN) << at;
        marks.stop |= some(other, QUOTE | LINE) << at;
        let lead = gather(vcgeq_u8(bytes, vdupq_n_u8(0xC0)));
        marks.odd |= (some(other, PERCENT | BACKSLASH) | lead) << at;
        marks.bracket |= some(other, BRACKET) << at;
        marks.capital_r |= some(other, CAPITAL_R) << at;
    }

    #[target_feature(enable = "neon")]
    #[inline]
    fn load(bytes: Option<&[u8; 16]>) -> uint8x16_t {
        let bytes = bytes.unwrap_or(&[0; 16]);
        // SAFETY: the reference is to 16 bytes, and the load asks for no alignment.
        unsafe { vld1q_u8(bytes.as_ptr()) }
    }

    /// The low and the high nibble of each byte.
    #[target_feature(enable = "neon")]
    #[inline]
    fn split(bytes: uint8x16_t) -> [uint8x16_t; 2] {
        [vandq_u8(bytes, vdupq_n_u8(15)), vshrq_n_u8::<4>(bytes)]
    }

    #[target_feature(enable = "neon")]
    #[inline]
    fn lookup(tables: &[[u8; 16]; 2], nibbles: &[uint8x16_t; 2]) -> uint8x16_t {
        let [low, high] = [load(Some(&tables[0])), load(Some(&tables[1]))];
        vandq_u8(vqtbl1q_u8(low, nibbles[0]), vqtbl1q_u8(high, nibbles[1]))
    }

    /// Which bytes have any of those bits.
    #[target_feature(enable = "neon")]
    #[inline]
    fn some(bytes: uint8x16_t, bits: u8) -> u64 {
        gather(vtstq_u8(bytes, vdupq_n_u8(bits)))
    }

    /// One bit for each byte that is all ones; the others are all zeros.
    #[target_feature(enable = "neon")]
    #[inline]
    fn gather(bytes: uint8x16_t) -> u64 {
        let bits = vandq_u8(
            bytes,
            load(Some(&[1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128])),
        );
        u64::from(vaddv_u8(vget_low_u8(bits))) | u64::from(vaddv_u8(vget_high_u8(bits))) << 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::window::{candidates, of_keyword};
    use proptest::prelude::*;

    fn of(keywords: &[&str]) -> Nibbles {
        let mut plan = Plan::default();
        for keyword in keywords {
            plan.add(&candidates(keyword.as_bytes(), &of_keyword(keyword.as_bytes()))[..1]);
        }
        nibbles(&plan)
    }

    #[test]
    fn classes_are_what_they_are_called() {
        let all: Vec<u8> = (0..=255).chain([0; 64]).collect();
        let mut marks = [Marks::default(); 4];
        assert_eq!(Lanes::Plain.mark(&of(&[]), &all, &mut marks), 4);
        for byte in 0..=255_u8 {
            let is = |mask: fn(&Marks) -> u64| {
                mask(&marks[usize::from(byte / 64)]) >> (byte % 64) & 1 == 1
            };
            let name = byte.escape_ascii().to_string();
            let run = byte.is_ascii_alphanumeric() || b"/+-_".contains(&byte);
            assert_eq!(is(|m| m.digit), byte.is_ascii_digit(), "{name}");
            assert_eq!(is(|m| m.word), byte.is_ascii_alphanumeric(), "{name}");
            assert_eq!(is(|m| m.run), run, "{name}");
            assert_eq!(is(|m| m.piece), run || b".=".contains(&byte), "{name}");
            assert_eq!(is(|m| m.hyphen), byte == b'-', "{name}");
            assert_eq!(is(|m| m.colon), byte == b':', "{name}");
            assert_eq!(is(|m| m.sign), byte == b'@', "{name}");
            assert_eq!(is(|m| m.stop), b"\"'\r\n".contains(&byte), "{name}");
            assert_eq!(is(|m| m.odd), b"%&\\".contains(&byte) || byte >= 0xC0, "{name}");
            assert_eq!(is(|m| m.bracket), byte == b'[', "{name}");
            assert_eq!(is(|m| m.capital_r), byte == b'R', "{name}");
            assert!(!is(|m| m.keyword), "{name}");
        }
    }

    proptest! {
        #[test]
        fn all_lanes_agree(
            text in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(&b"key-tokn_AB19:@\"\n%[R"[..])], 0..400),
            keywords in prop::collection::vec("[a-z0-9:_-]{3,6}", 0..40),
        ) {
            let keywords: Vec<&str> = keywords.iter().map(String::as_str).collect();
            let nibbles = of(&keywords);
            let mut slow = [Marks::default(); 8];
            let count = Lanes::Plain.mark(&nibbles, &text, &mut slow);
            for lanes in Lanes::all() {
                let mut fast = [Marks::default(); 8];
                prop_assert_eq!(lanes.mark(&nibbles, &text, &mut fast), count);
                prop_assert_eq!(fast, slow, "{:?}", lanes);
            }
            let marked = |at: usize| slow[at / BLOCK].keyword >> (at % BLOCK) & 1 == 1;
            for at in 0..count * BLOCK {
                let fits = |keyword: &&str| {
                    text[at..].get(..keyword.len()).is_some_and(|part| part.eq_ignore_ascii_case(keyword.as_bytes()))
                };
                prop_assert!(marked(at) || !keywords.iter().any(fits), "missed a keyword at {at}");
            }
        }
    }
}
