//! Owns what is known of a key and what is assigned to it, and of the sign between them.
//! Accepts spans of a text; emits plain data that says nothing of the bytes in them.

use std::ops::Range;

/// What stands between key and value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    /// `=`, `:=`, `?=`, `+=`, `||=`
    Equals,
    /// `:`
    Colon,
    /// `=>`, `->`
    Arrow,
    /// `==`, `!=`, `===`
    Compare,
    /// `,` after a quoted key: an argument of a call, a pair, a column
    Comma,
    /// a blank after `--key`
    Flag,
    /// `>` of an element's tag
    Tag,
    /// `(` after the key: a setter or constructor
    Call,
    /// `is` in a sentence
    Word,
}

/// A key and what is assigned to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Assigned {
    pub(crate) key: Range<usize>,
    pub(crate) value: Range<usize>,
    /// The quote around the value.
    pub(crate) quote: Option<u8>,
    /// Whether the key itself stands in quotes.
    pub(crate) quoted_key: bool,
    pub(crate) operator: Operator,
    /// The name of the function whose first argument the value is.
    pub(crate) call: Option<Range<usize>>,
    /// Whether other words stand between the name with the keyword and the operator.
    pub(crate) spaced: bool,
    /// Whether nothing stands between key, operator and value, as in `KEY=value`.
    pub(crate) tight: bool,
    /// Whether an operator follows the value, so that it is part of an expression.
    pub(crate) computed: bool,
    /// Whether the key is the first thing in its line, or follows `export`, `set`, `-` …
    pub(crate) line_start: bool,
    /// Whether the key follows a comma or an opening brace.
    pub(crate) follows_comma: bool,
    /// Whether the value is encoded in base64 by the call that it is given to.
    pub(crate) encoded: bool,
    /// Whether the key is written in capitals, as variables of the environment are.
    pub(crate) shouted: bool,
}
