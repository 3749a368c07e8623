//! Owns the choice of the four bytes that a keyword is looked for by, and of the buckets these are
//! put in: a place where no bucket takes the four bytes that stand there belongs to no keyword.
//! Accepts windows, the sets of bytes that may stand at four places in a row; emits the
//! nibbles that each bucket takes; promises that a place where a window fits is never
//! missed. Also built into the build script, which does this for the built-in rules; it must not
//! name anything of the crate.

/// How many bytes a window has.
pub(crate) const WIDTH: usize = 4;
/// How many buckets there are.
pub(crate) const BUCKETS: usize = 64;

/// A set of bytes, one bit each.
pub(crate) type ByteSet = [u64; 4];

/// The sets of bytes at each place of a window.
pub(crate) type Window = [ByteSet; WIDTH];

/// How often each ASCII byte is seen in source code, Markdown, logs and JSON, in 100 000.
#[rustfmt::skip]
const FREQUENCY: [u32; 128] = [
    0, 0, 0, 0, 0, 0, 0, 0, 0, 50, 1790, 0, 0, 10, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    15070, 70, 1480, 320, 20, 10, 70, 440, 570, 570, 180, 60, 1040, 1380, 1920, 2180,
    880, 780, 830, 450, 480, 270, 410, 270, 310, 210, 1250, 210, 80, 410, 160, 30,
    30, 330, 120, 300, 250, 390, 140, 100, 80, 450, 30, 30, 310, 170, 240, 230,
    240, 20, 280, 350, 380, 140, 70, 140, 30, 50, 30, 280, 710, 280, 50, 790,
    580, 3200, 1050, 2080, 1900, 5710, 1140, 980, 1410, 3660, 180, 400, 2500, 1380, 4150, 3420,
    1780, 80, 3170, 3860, 4850, 1770, 570, 470, 440, 900, 100, 230, 70, 230, 50, 0,
];
/// How often each other byte is.
const FREQUENCY_BEYOND: u32 = 50;

/// The nibbles that a bucket takes at each place, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bucket {
    pub(crate) low: [u16; WIDTH],
    pub(crate) high: [u16; WIDTH],
}

/// What each bucket takes.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) buckets: [Bucket; BUCKETS],
}

impl Bucket {
    /// The bucket that takes that window alone.
    pub(crate) fn of(window: &Window) -> Bucket {
        let mut bucket = Bucket::default();
        for (place, set) in window.iter().enumerate() {
            for byte in 0..=255_u8 {
                if set[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1 {
                    bucket.low[place] |= 1 << (byte & 15);
                    bucket.high[place] |= 1 << (byte >> 4);
                }
            }
        }
        bucket
    }

    /// The bucket that takes what either takes.
    pub(crate) fn with(&self, other: &Bucket) -> Bucket {
        let mut both = *self;
        for place in 0..WIDTH {
            both.low[place] |= other.low[place];
            both.high[place] |= other.high[place];
        }
        both
    }

    /// Roughly how often the bucket takes a place of a text that holds none of its windows.
    pub(crate) fn cost(&self) -> f64 {
        (0..WIDTH).map(|place| share(self.low[place], self.high[place])).product()
    }
}

/// The share of bytes with those nibbles.
fn share(low: u16, high: u16) -> f64 {
    let mut sum = 0_u32;
    for row in (0..16).filter(|row| high >> row & 1 == 1) {
        if row >= 8 {
            sum += low.count_ones() * FREQUENCY_BEYOND;
            continue;
        }
        let mut rest = low;
        while rest != 0 {
            sum += FREQUENCY[row * 16 + rest.trailing_zeros() as usize];
            rest &= rest - 1;
        }
    }
    f64::from(sum) / 100_000.0
}

impl Default for Plan {
    fn default() -> Plan {
        Plan { buckets: [Bucket::default(); BUCKETS] }
    }
}

impl Plan {
    /// Puts one of a few windows into the bucket that it costs least in; gives which window and
    /// which bucket.
    pub(crate) fn add(&mut self, windows: &[Candidate]) -> (usize, usize) {
        let costs = self.buckets.map(|bucket| bucket.cost());
        let mut best = (f64::INFINITY, (0, 0));
        for (number, candidate) in windows.iter().enumerate() {
            for (at, bucket) in self.buckets.iter().enumerate() {
                let both = bucket.with(&candidate.takes);
                let more = if both == *bucket { 0.0 } else { both.cost() - costs[at] };
                let cost = more + candidate.share * WEIGHT;
                if cost < best.0 {
                    best = (cost, (number, at));
                }
            }
        }
        let (number, at) = best.1;
        if let Some(candidate) = windows.get(number) {
            self.buckets[at] = self.buckets[at].with(&candidate.takes);
        }
        best.1
    }
}

/// The sets of bytes of a keyword in any case, and any byte after it.
pub(crate) fn of_keyword(keyword: &[u8]) -> Vec<ByteSet> {
    let mut sets: Vec<ByteSet> = keyword
        .iter()
        .map(|byte| {
            let mut set = [0; 4];
            for byte in [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()] {
                set[usize::from(byte >> 6)] |= 1 << (byte & 63);
            }
            set
        })
        .collect();
    sets.push([u64::MAX; 4]);
    sets
}

/// How often three bytes follow each other in prose and code, by a hash of them: eight times the
/// logarithm of their count in a hundred million; made by `examples/train_rarity.rs`.
static COMMON: &[u8; 65_536] = include_bytes!("common.bin");

/// How much more a place costs where a keyword's own bytes stand than one that a bucket takes.
const WEIGHT: f64 = 3.0;

/// Furthest place in a keyword where a window may start.
const MAX_OFFSET: usize = 32;

/// A window that a keyword may be looked for by.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    /// Where in the keyword it starts.
    pub(crate) offset: usize,
    /// Its nibbles.
    pub(crate) takes: Bucket,
    /// About how often its bytes are seen in texts, as a share of the places.
    share: f64,
}

/// The windows of a keyword. `sets` has one set more than the keyword has bytes.
pub(crate) fn candidates(keyword: &[u8], sets: &[ByteSet]) -> Vec<Candidate> {
    let last = keyword.len().saturating_sub(WIDTH - 1).min(MAX_OFFSET);
    let windows = sets.windows(WIDTH).take(last + 1).enumerate();
    windows
        .filter_map(|(offset, window)| {
            let three: [u8; 3] = *keyword.get(offset..)?.first_chunk()?;
            let folded = u32::from_le_bytes([three[0], three[1], three[2], 0]) | 0x0020_2020;
            let seen = COMMON[(folded.wrapping_mul(0x9E37_79B1) >> 16) as u16 as usize];
            let three = ((f64::from(seen) / 8.0).exp2() - 1.0) / 1e8;
            let takes = Bucket::of(window.first_chunk()?);
            // A byte after three others is some four times likelier than it is alone.
            let fourth = (4.0 * share(takes.low[3], takes.high[3])).min(1.0);
            Some(Candidate { offset, takes, share: three * fourth })
        })
        .collect()
}
