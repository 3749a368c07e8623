//! TOML as a tree over the text.
//!
//! Owns: the mapping of tables, inline tables, dotted keys and arrays of tables to one kind of
//! map and list.
//! Accepts: text without a byte-order mark.
//! Emits: the root map.
//! Promises: keys and values carry their place; a table, which may be spread over the file, has
//! an empty span.

use toml_edit::{Document, InlineTable, Item, Key, Table};

use super::{DocError, Layout, Member, Node, Place, Value, place_in};

/// Parses a text.
pub(super) fn parse(text: &str) -> Result<Node, DocError> {
    let document = Document::parse(text).map_err(|error| DocError::Syntax {
        place: error.span().map_or(Place { line: 1, column: 1 }, |span| place_in(text, span.start)),
        message: error.message().to_owned(),
    })?;
    Ok(table(document.as_table()))
}

fn table(table: &Table) -> Node {
    let members = table
        .iter()
        .filter_map(|(name, item)| {
            let (key, _) = table.get_key_value(name)?;
            Some(member(key, item_node(item)?))
        })
        .collect();
    Node { span: 0..0, value: Value::Map(members), layout: Layout::Block, shared: false }
}

fn inline_table(table: &InlineTable) -> Node {
    let members = table
        .iter()
        .filter_map(|(name, value)| Some(member(table.key(name)?, value_node(value))))
        .collect();
    let (span, layout) = match table.span() {
        Some(span) if !table.is_dotted() => (span, Layout::Flow),
        _ => (0..0, Layout::Flow),
    };
    Node { span, value: Value::Map(members), layout, shared: false }
}

fn member(key: &Key, node: Node) -> Member {
    Member { key: key.get().to_owned(), key_span: key.span().unwrap_or(0..0), node }
}

fn item_node(item: &Item) -> Option<Node> {
    match item {
        Item::None => None,
        Item::Value(value) => Some(value_node(value)),
        Item::Table(child) => Some(table(child)),
        Item::ArrayOfTables(tables) => Some(Node {
            span: 0..0,
            value: Value::Seq(tables.iter().map(table).collect()),
            layout: Layout::Block,
            shared: false,
        }),
    }
}

fn value_node(value: &toml_edit::Value) -> Node {
    let span = value.span().unwrap_or(0..0);
    let value = match value {
        toml_edit::Value::String(text) => Value::Str(text.value().clone()),
        toml_edit::Value::Integer(number) => Value::Number(number.value().to_string()),
        toml_edit::Value::Float(number) => Value::Number(number.value().to_string()),
        toml_edit::Value::Boolean(truth) => Value::Bool(*truth.value()),
        toml_edit::Value::Datetime(date) => Value::Other(date.value().to_string()),
        toml_edit::Value::Array(array) => Value::Seq(array.iter().map(value_node).collect()),
        toml_edit::Value::InlineTable(table) => return inline_table(table),
    };
    Node { span, value, layout: Layout::Flow, shared: false }
}
