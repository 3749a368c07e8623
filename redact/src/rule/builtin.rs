//! Owns the rules that come with the crate, which the build script made from `rules/*.toml`.

use std::borrow::Cow;

use super::dialect::*;

/// The rules, in the order of the files.
pub(super) static RULES: &[RuleSpec] = include!(concat!(env!("OUT_DIR"), "/rules.rs"));

/// Each rule's id with the texts that it must and must not find something in.
pub(super) static EXAMPLES: &[(&str, &[&str], &[&str])] =
    include!(concat!(env!("OUT_DIR"), "/examples.rs"));
