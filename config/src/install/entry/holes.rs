//! Comparing the tree before an edit with the tree after it.
//!
//! Promises: two trees are the same only if nothing differs but the commands and the arguments of
//! the entries that were to change.

use std::collections::HashMap;

use super::parts::Parts;
use crate::doc::{Member, Node, Value};

/// What two trees may differ in: the command and the arguments of the holders, each in the same
/// place in both.
#[derive(Default)]
pub(super) struct Holes<'n> {
    before: HashMap<*const Node, (usize, &'n str)>,
    after: HashMap<*const Node, (usize, &'n str)>,
}

impl<'n> Holes<'n> {
    pub(super) fn add(&mut self, before: &Parts<'n>, after: &Parts<'n>) {
        let index = self.before.len();
        self.before.insert(std::ptr::from_ref(before.holder), (index, &before.command.key));
        self.after.insert(std::ptr::from_ref(after.holder), (index, &after.command.key));
    }

    pub(super) fn are_all_that_differs(&self, a: &Node, b: &Node) -> bool {
        let hole_a = self.before.get(&std::ptr::from_ref(a));
        let hole_b = self.after.get(&std::ptr::from_ref(b));
        if hole_a.map(|(index, _)| index) != hole_b.map(|(index, _)| index) {
            return false;
        }
        match (&a.value, &b.value) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(x), Value::Bool(y)) => x == y,
            (Value::Number(x), Value::Number(y))
            | (Value::Str(x), Value::Str(y))
            | (Value::Other(x), Value::Other(y)) => x == y,
            (Value::Seq(x), Value::Seq(y)) => {
                x.len() == y.len() && x.iter().zip(y).all(|(x, y)| self.are_all_that_differs(x, y))
            }
            (Value::Map(x), Value::Map(y)) => {
                let x = others(x, hole_a.map(|(_, command)| *command));
                let y = others(y, hole_b.map(|(_, command)| *command));
                x.len() == y.len()
                    && x.iter()
                        .zip(&y)
                        .all(|(x, y)| x.key == y.key && self.are_all_that_differs(&x.node, &y.node))
            }
            _ => false,
        }
    }
}

/// The members in an order that does not depend on the place where one was added; of a holder,
/// without the last command and the last arguments.
fn others<'n>(members: &'n [Member], command: Option<&str>) -> Vec<&'n Member> {
    let last = |key: &str| members.iter().rposition(|member| member.key == key);
    let skipped = command.map(|command| [last(command), last("args")]).unwrap_or_default();
    let mut others: Vec<&Member> = members
        .iter()
        .enumerate()
        .filter(|(index, _)| !skipped.contains(&Some(*index)))
        .map(|(_, member)| member)
        .collect();
    others.sort_by(|a, b| a.key.cmp(&b.key));
    others
}
