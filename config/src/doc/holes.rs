//! Comparing the tree before an edit with the tree after it.
//!
//! Owns: which places of two trees may differ.
//! Accepts: the places, each as a node of both trees.
//! Emits: whether all else is the same.
//! Promises: keys, values, order and duplicates count; where a text lies and how it is laid out
//! does not.

use std::collections::HashMap;

use super::{Doc, Member, Node, Step, Value};

/// What two trees may differ in.
#[derive(Default)]
pub(crate) struct Holes<'n> {
    before: HashMap<*const Node, Hole<'n>>,
    after: HashMap<*const Node, Hole<'n>>,
}

/// What may differ of a node. The number is the same on both sides, and on no other node.
#[derive(Clone, Copy)]
enum Hole<'n> {
    Whole(usize),
    Members(usize, [&'n str; 2]),
}

impl Hole<'_> {
    fn number(&self) -> usize {
        let (Self::Whole(number) | Self::Members(number, _)) = self;
        *number
    }
}

impl<'n> Holes<'n> {
    /// The one hole of two trees is everything at a place; none where one of them lacks it.
    pub(crate) fn at(before: &'n Doc, after: &'n Doc, steps: &[Step]) -> Option<Self> {
        let mut holes = Self::default();
        holes.before.insert(before.at(steps)?, Hole::Whole(0));
        holes.after.insert(after.at(steps)?, Hole::Whole(0));
        Some(holes)
    }

    /// Adds two members of a map, each the last of its key.
    pub(crate) fn add_members(
        &mut self,
        (before, before_keys): (&'n Node, [&'n str; 2]),
        (after, after_keys): (&'n Node, [&'n str; 2]),
    ) {
        let number = self.before.len();
        self.before.insert(before, Hole::Members(number, before_keys));
        self.after.insert(after, Hole::Members(number, after_keys));
    }

    /// Whether the holes are all that differs.
    pub(crate) fn are_all_that_differs(&self, before: &Doc, after: &Doc) -> bool {
        match (before.root(), after.root()) {
            (Some(before), Some(after)) => self.is_same(before, after),
            _ => false,
        }
    }

    fn is_same(&self, a: &Node, b: &Node) -> bool {
        let hole_a = self.before.get(&std::ptr::from_ref(a));
        let hole_b = self.after.get(&std::ptr::from_ref(b));
        if hole_a.map(Hole::number) != hole_b.map(Hole::number) {
            return false;
        }
        match (&a.value, &b.value) {
            _ if matches!(hole_a, Some(Hole::Whole(_))) => true,
            (Value::Null, Value::Null) => true,
            (Value::Bool(x), Value::Bool(y)) => x == y,
            (Value::Number(x), Value::Number(y))
            | (Value::Str(x), Value::Str(y))
            | (Value::Other(x), Value::Other(y)) => x == y,
            (Value::Seq(x), Value::Seq(y)) => {
                x.len() == y.len() && x.iter().zip(y).all(|(x, y)| self.is_same(x, y))
            }
            (Value::Map(x), Value::Map(y)) => {
                let (mut x, mut y) = (others(x, hole_a), others(y, hole_b));
                loop {
                    match (x.next(), y.next()) {
                        (None, None) => break true,
                        (Some(x), Some(y)) if x.key == y.key && self.is_same(&x.node, &y.node) => {}
                        _ => break false,
                    }
                }
            }
            _ => false,
        }
    }
}

/// The members of a map that have to be the same.
fn others<'m>(
    members: &'m [Member],
    hole: Option<&Hole<'_>>,
) -> impl Iterator<Item = &'m Member> + use<'m> {
    let last = |key: &str| members.iter().rposition(|member| member.key == key);
    let skipped = match hole {
        Some(Hole::Members(_, keys)) => keys.map(last),
        Some(Hole::Whole(_)) | None => [None; 2],
    };
    let kept = move |(index, member)| (!skipped.contains(&Some(index))).then_some(member);
    members.iter().enumerate().filter_map(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doc::Format;

    const BEFORE: &str = r#"{"a":{"command":"x","env":{"K":"v"}},"b":[1,{"url":"u","n":null}]}"#;

    fn doc(text: &str) -> Doc {
        Doc::parse(text.as_bytes(), Format::JsonStrict).unwrap()
    }

    fn key(name: &str) -> Step {
        Step::Key(name.to_owned())
    }

    #[track_caller]
    fn check_members(after: &str, same: bool) {
        let (before, after) = (doc(BEFORE), doc(after));
        let mut holes = Holes::default();
        let keys = ["command", "args"];
        let a = before.at(&[key("a")]).unwrap();
        holes.add_members((a, keys), (after.at(&[key("a")]).unwrap(), keys));
        assert_eq!(holes.are_all_that_differs(&before, &after), same, "{}", after.text());
    }

    #[test]
    fn the_members_of_a_hole_may_differ_and_nothing_else() {
        check_members(BEFORE, true);
        for (from, to, same) in [
            (r#""command":"x""#, r#""command":"y","args":["x"]"#, true),
            (r#"{"command":"x","#, r#"{"args":["x"],"command":"y","#, true),
            (r#""command":"x","#, "", true),
            (r#""command":"x""#, r#""args":[],"command":"y","args":["x"]"#, false),
            (r#""K":"v""#, r#""K":"w""#, false),
            (r#""env":"#, r#""environment":"#, false),
            (r#""n":null"#, r#""n":null,"args":[]"#, false),
            ("[1,", "[2,", false),
            (r#""url":"u","n":null"#, r#""n":null,"url":"u""#, false),
        ] {
            let after = BEFORE.replace(from, to);
            assert_ne!(after, BEFORE);
            check_members(&after, same);
        }
    }

    #[test]
    fn everything_at_a_place_may_differ_and_nothing_else() {
        let steps = [key("b"), Step::Index(1)];
        for (from, to, same) in [
            (r#"{"url":"u","n":null}"#, r#""anything""#, true),
            (r#"{"url":"u","n":null}"#, r#"{"url":["else"]}"#, true),
            ("[1,", "[1,1,", false),
            ("[1,", "[true,", false),
            (r#""command":"x""#, r#""command":"y""#, false),
        ] {
            let (before, after) = (doc(BEFORE), doc(&BEFORE.replace(from, to)));
            let holes = Holes::at(&before, &after, &steps).unwrap();
            assert_eq!(holes.are_all_that_differs(&before, &after), same, "{}", after.text());
        }
        let (before, after) = (doc(BEFORE), doc("{}"));
        assert!(Holes::at(&before, &after, &steps).is_none());
    }

    #[test]
    fn of_duplicates_the_last_is_the_hole() {
        let before = doc(r#"{"a":1,"a":2}"#);
        for (after, same) in [(r#"{"a":1,"a":3}"#, true), (r#"{"a":3,"a":2}"#, false)] {
            let after = doc(after);
            let holes = Holes::at(&before, &after, &[key("a")]).unwrap();
            assert_eq!(holes.are_all_that_differs(&before, &after), same, "{}", after.text());
        }
    }
}
