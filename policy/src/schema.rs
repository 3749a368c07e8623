//! The Cedar schema of the facts.
//!
//! Owns: the text that policies are validated against. It is made from the same tables as the
//! requests are, so the two cannot differ.

use std::fmt::Write as _;
use std::sync::LazyLock;

use defenter_redact::Kind;

use crate::action::{Action, GROUPS};
use crate::facts::{Direction, FACTS_VERSION, ProtectedPath, ToolClass};

/// The parts that are the same whatever the tables hold.
const FIXED: &str = include_str!("facts.cedarschema");

static SCHEMA: LazyLock<String> = LazyLock::new(write);

/// The schema as Cedar text.
pub(crate) fn text() -> &'static str {
    &SCHEMA
}

fn write() -> String {
    let mut out = format!("// Facts, version {FACTS_VERSION}.\n\n{FIXED}\n");
    enumeration(&mut out, "ToolClass", ToolClass::ALL.map(ToolClass::as_str));
    enumeration(
        &mut out,
        "Direction",
        [Direction::ToServer, Direction::ToClient].map(Direction::as_str),
    );
    enumeration(&mut out, "ProtectedPath", ProtectedPath::ALL.map(ProtectedPath::as_str));
    enumeration(&mut out, "FindingKind", Kind::ALL.iter().map(|kind| kind.label()));
    out.push_str("\n// Groups of actions.\n");
    for group in GROUPS {
        push(&mut out, format_args!("action {group:?};\n"));
    }
    out.push_str("\n// One action for each method and phase.\n");
    for action in Action::all() {
        let resource = if action.on_tool() { "Tool" } else { "Server" };
        push(
            &mut out,
            format_args!(
                "action {:?} in {:?} appliesTo {{ principal: Client, resource: {resource}, context: Facts }};\n",
                action.id(),
                action.groups(),
            ),
        );
    }
    out
}

fn enumeration<'a>(out: &mut String, name: &str, values: impl IntoIterator<Item = &'a str>) {
    let values: Vec<_> = values.into_iter().map(|value| format!("{value:?}")).collect();
    push(out, format_args!("entity {name} enum [{}];\n", values.join(", ")));
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String does not fail.
    let _ = out.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The copy is for people and their editors; `cargo run -p defenter-policy --example schema`
    /// writes it.
    #[test]
    fn the_copy_in_the_repository_is_current() {
        assert_eq!(include_str!("../schema/facts.cedarschema"), text());
    }
}
