//! Owns what a value's surroundings say: key names, operators, headers, addresses, PEM armour.
//! Accepts a text and the place of a keyword; emits matches into the work; promises that looking
//! around is bounded, so that many keywords in a row cost no more than one.

mod address;
mod assign;
mod key;
mod pem;
mod rarity;
mod value;

use std::ops::Range;

pub(crate) use address::{authorization, url_credentials};
pub(crate) use assign::{Assigned, Assignments, may_assign};
pub(crate) use pem::pem;
pub(crate) use value::{
    entropy, is_machine_made, is_obvious_example, is_random, is_unlikely_password,
};

use crate::engine::{Layer, Work};
use crate::offsets::Derived;
use crate::{Kind, Verdict, unescape};
use key::KeyClass;

/// Judges an assignment by its key and its value, and adds a match if it is a secret's.
pub(crate) fn judge(work: &mut Work<'_>, layer: &Layer<'_>, rule: usize, assigned: &Assigned) {
    let text = layer.text;
    let class = key::classify(&text[assigned.key.clone()]);
    if class == KeyClass::Other || !work.spend(assigned.value.len()) {
        return;
    }
    let raw = &text[assigned.value.clone()];
    let decoded;
    let meant = if layer.json && assigned.quote.is_some() && raw.contains(&b'\\') {
        let mut derived = Derived::default();
        unescape::unescape(raw, 0..raw.len(), &mut derived);
        decoded = derived.text;
        &decoded[..]
    } else {
        raw
    };
    let Some(confidence) = value::judge(meant, class, assigned, layer.json) else { return };
    let kind = if class == KeyClass::Password { Kind::Password } else { Kind::Secret };
    work.add_kind(text, assigned.value.clone(), rule, kind, confidence, Verdict::Unchecked);
}

/// Longest part of a line that is looked at around a match, on each side.
const LINE_REACH: usize = 256;

/// The line around a match, cut where it is long.
pub(crate) fn line_around<'t>(text: &'t [u8], whole: &Range<usize>) -> &'t [u8] {
    let from = whole.start.saturating_sub(LINE_REACH);
    let to = text.len().min(whole.end + LINE_REACH);
    let start = memchr::memrchr(b'\n', &text[from..whole.start]).map_or(from, |at| from + at + 1);
    let end = memchr::memchr(b'\n', &text[whole.end..to]).map_or(to, |at| whole.end + at);
    &text[start..end]
}
