//! Owns the rules that come with the crate, which the build script packed from `rules/*.toml`.
//! Accepts nothing; emits them unpacked; promises that a process that asks for none of them pays
//! for none, and that texts are not copied out of the pack.

use std::sync::LazyLock;

use serde::Deserialize;

use super::dialect::{RuleSpec, Text};

/// The rules, in the order of the files.
pub(super) static RULES: LazyLock<Vec<RuleSpec>> =
    LazyLock::new(|| unpack(include_bytes!(concat!(env!("OUT_DIR"), "/rules.bin"))));

/// A rule's id, with the texts that it must and must not find something in.
pub(super) type Examples = (Text, Vec<Text>, Vec<Text>);

/// The examples of each rule.
pub(super) fn examples() -> Vec<Examples> {
    unpack(include_bytes!(concat!(env!("OUT_DIR"), "/examples.bin")))
}

#[expect(
    clippy::expect_used,
    reason = "the pack is a constant, which a test unpacks; without rules nothing would be found"
)]
fn unpack<T: Deserialize<'static>>(pack: &'static [u8]) -> T {
    postcard::from_bytes(pack).expect("the rules packed by the build script can be unpacked")
}
