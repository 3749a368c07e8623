//! JSON and its relatives, as a tree over the text.
//!
//! Owns: the mapping of each [`Format`] to what the parser may accept.
//! Accepts: text without a byte-order mark.
//! Emits: the root node, or nothing for an empty text.
//! Promises: duplicates of a key are all kept, in order; a format never accepts more than the
//! client that reads the file, except where that is unknown.

use jsonc_parser::ast;
use jsonc_parser::common::{Range, Ranged};
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use super::{DocError, Format, Layout, MAX_DEPTH, Member, Node, Place, Value};

/// Parses a text.
pub(super) fn parse(text: &str, format: Format) -> Result<Option<Node>, DocError> {
    let result =
        parse_to_ast(text, &CollectOptions::default(), &options(format)).map_err(|error| {
            DocError::Syntax {
                place: Place { line: error.line_display(), column: error.column_display() },
                message: error.kind().to_string(),
            }
        })?;
    result.value.map(|value| node(value, 0)).transpose()
}

fn options(format: Format) -> ParseOptions {
    let json5 = format == Format::Json5;
    ParseOptions {
        allow_comments: format != Format::JsonStrict,
        allow_trailing_commas: !matches!(format, Format::JsonStrict | Format::JsonComments),
        allow_missing_commas: false,
        allow_loose_object_property_names: json5,
        allow_single_quoted_strings: json5,
        allow_hexadecimal_numbers: json5,
        allow_unary_plus_numbers: json5,
        allow_bare_decimal_point_numbers: json5,
        allow_non_finite_numbers: json5,
        allow_extended_string_escapes: json5,
    }
}

fn node(value: ast::Value<'_>, depth: usize) -> Result<Node, DocError> {
    if depth > MAX_DEPTH {
        return Err(DocError::TooLarge { what: "the nesting", limit: MAX_DEPTH as u64 });
    }
    let span = span(value.range());
    let value = match value {
        ast::Value::NullKeyword(_) => Value::Null,
        ast::Value::BooleanLit(literal) => Value::Bool(literal.value),
        ast::Value::NumberLit(literal) => Value::Number(literal.value.to_owned()),
        ast::Value::StringLit(literal) => Value::Str(literal.value.into_owned()),
        ast::Value::Array(array) => Value::Seq(
            array
                .elements
                .into_iter()
                .map(|item| node(item, depth + 1))
                .collect::<Result<_, _>>()?,
        ),
        ast::Value::Object(object) => Value::Map(
            object
                .properties
                .into_iter()
                .map(|property| member(property, depth + 1))
                .collect::<Result<_, _>>()?,
        ),
    };
    Ok(Node { span, value, layout: Layout::Flow, shared: false })
}

fn member(property: ast::ObjectProp<'_>, depth: usize) -> Result<Member, DocError> {
    let key_span = span(property.name.range());
    Ok(Member { key: property.name.into_string(), key_span, node: node(property.value, depth)? })
}

fn span(range: Range) -> std::ops::Range<usize> {
    range.start..range.end
}
