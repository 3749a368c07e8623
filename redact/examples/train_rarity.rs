//! Trains the character model that tells made-up strings from words, and the table of how often
//! three bytes follow each other, by which the prefilter chooses what to look for:
//! `cargo run --release -p defenter-redact --example train_rarity -- RARITY.bin COMMON.bin FILE…`.
//!
//! Reads words (runs of letters, split at capitals as names in code are) from prose and source
//! files, keeps those seen in at least three places, and writes, for each pair of letters and each
//! next one (27 × 27 × 27, the word's edge being the 27th), how surprising the next one is: an
//! eighth of a bit a step, one byte each. Counts of three letters are mixed with those of two and
//! of one, so that nothing is impossible.
//! The second table has one byte for each 16-bit hash of three case-folded bytes (the hash of
//! `src/window.rs`): eight times the logarithm of its count in a hundred million.

use std::collections::HashMap;
use std::error::Error;
use std::fs;

/// Letters and the edge of a word.
const SYMBOLS: usize = 27;
/// How often a word must be seen.
const LEAST: u32 = 3;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let usage = "usage: train_rarity RARITY.bin COMMON.bin FILE…";
    let (out, common) = (args.next().ok_or(usage)?, args.next().ok_or(usage)?);
    let mut threes = vec![0_u64; 65_536];
    let mut words: HashMap<Vec<u8>, u32> = HashMap::new();
    for file in args {
        let Ok(text) = fs::read(&file) else { continue };
        collect(&text, &mut words);
        count(&text, &mut threes);
    }
    let all: u64 = threes.iter().sum();
    let logarithms: Vec<u8> = threes
        .iter()
        .map(|&count| {
            let share = count as f64 * 1e8 / all.max(1) as f64;
            ((share + 1.0).log2() * 8.0).clamp(0.0, 255.0) as u8
        })
        .collect();
    fs::write(common, logarithms)?;
    let mut three = vec![0.0_f64; SYMBOLS.pow(3)];
    let mut two = vec![0.0_f64; SYMBOLS.pow(2)];
    let mut one = vec![0.0_f64; SYMBOLS];
    for (word, &count) in words.iter().filter(|(_, count)| **count >= LEAST) {
        // A word counts for its kind more than for how often it is used.
        let weight = f64::from(count).ln() + 1.0;
        let (mut a, mut b) = (26, 26);
        for c in word.iter().map(|letter| usize::from(letter - b'a')).chain([26]) {
            three[(a * SYMBOLS + b) * SYMBOLS + c] += weight;
            two[b * SYMBOLS + c] += weight;
            one[c] += weight;
            (a, b) = (b, c);
        }
    }
    fs::write(out, table(&three, &two, &one))?;
    Ok(())
}

/// Counts the hashes of three bytes, as `src/window.rs` computes them.
fn count(text: &[u8], threes: &mut [u64]) {
    for three in text.windows(3) {
        let word = u32::from_le_bytes([three[0], three[1], three[2], 0]) | 0x0020_2020;
        threes[(word.wrapping_mul(0x9E37_79B1) >> 16) as u16 as usize] += 1;
    }
}

fn collect(text: &[u8], words: &mut HashMap<Vec<u8>, u32>) {
    let mut word: Vec<u8> = Vec::new();
    let mut before = 0;
    for &byte in text.iter().chain(b" ") {
        let splits = !byte.is_ascii_alphabetic()
            || byte.is_ascii_uppercase() && u8::is_ascii_lowercase(&before);
        if splits {
            if (3..=18).contains(&word.len()) {
                *words.entry(std::mem::take(&mut word)).or_default() += 1;
            }
            word.clear();
        }
        if byte.is_ascii_alphabetic() {
            word.push(byte.to_ascii_lowercase());
        }
        before = byte;
    }
}

fn table(three: &[f64], two: &[f64], one: &[f64]) -> Vec<u8> {
    let total: f64 = one.iter().sum();
    let mut out = Vec::with_capacity(three.len());
    for a in 0..SYMBOLS {
        for b in 0..SYMBOLS {
            let row = (a * SYMBOLS + b) * SYMBOLS;
            let seen: f64 = three[row..row + SYMBOLS].iter().sum();
            let pair: f64 = two[b * SYMBOLS..(b + 1) * SYMBOLS].iter().sum();
            for c in 0..SYMBOLS {
                let single = (one[c] + 1.0) / (total + 27.0);
                let double = (two[b * SYMBOLS + c] + 20.0 * single) / (pair + 20.0);
                let chance = (three[row + c] + 20.0 * double) / (seen + 20.0);
                out.push((-chance.log2() * 8.0).clamp(0.0, 255.0) as u8);
            }
        }
    }
    out
}
