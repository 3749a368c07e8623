//! Owns the classes of bytes that a token must start with, which the build script derives from
//! the rules' expressions.
//! Accepts a text's first bytes; emits whether the expression may match there; promises a look at
//! a few bytes instead of a run of the expression.

/// The sets of bytes that gates are made of, one bit a byte.
static CLASSES: &[[u64; 4]] = include!(concat!(env!("OUT_DIR"), "/classes.rs"));

/// Whether `text` starts with bytes of those classes.
#[inline]
pub(crate) fn passes(gate: &[u16], text: &[u8]) -> bool {
    text.len() >= gate.len()
        && gate.iter().zip(text).all(|(&class, &byte)| {
            CLASSES[usize::from(class)][usize::from(byte >> 6)] >> (byte & 63) & 1 != 0
        })
}
