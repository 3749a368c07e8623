//! Adding JSON to JSON, and taking it out again.
//!
//! Owns: where a member or an item goes, and how it is laid out there.
//! Accepts: a parsed JSON file, and what is to be in it.
//! Emits: edits, and the keys that were not there before.
//! Promises: what is there stays as it is; removing what was added, and then the keys that were
//! not there before, gives the bytes back.

use serde_json::Value as Json;

use super::{Doc, Edit, Node, Step, Value, apply_edits};

/// What adding does.
pub(crate) struct Merged {
    /// The new text.
    pub(crate) text: String,
    /// The members that were not there before, outermost first.
    pub(crate) created: Vec<Vec<Step>>,
}

/// Adds an object: members that are not there are added, objects are merged, lists get the items
/// at their end, and every other value that is there stays. None where the file holds something
/// else in the place of an object or a list.
pub(crate) fn merge(doc: &Doc, addition: &Json) -> Option<Merged> {
    let Some(root) = doc.root() else {
        // An empty file, or comments alone.
        let text = serde_json::to_string_pretty(addition).ok()?;
        let before = doc.text();
        let gap = if before.is_empty() || before.ends_with('\n') { "" } else { doc.eol() };
        let created = addition.as_object()?.keys().map(|key| vec![Step::Key(key.clone())]);
        let text = format!("{text}\n").replace('\n', doc.eol());
        return Some(Merged { text: format!("{before}{gap}{text}"), created: created.collect() });
    };
    let mut merge = Merge { doc, edits: Vec::new(), created: Vec::new() };
    merge.value(root, addition, &mut Vec::new())?;
    Some(Merged { text: apply_edits(doc.text(), merge.edits)?, created: merge.created })
}

/// Removes the items of lists that are somebody's, anywhere.
pub(crate) fn remove_items(doc: &Doc, is_theirs: &dyn Fn(&Node) -> bool) -> Option<String> {
    let mut edits = Vec::new();
    collect_items(doc.root()?, is_theirs, &mut edits);
    apply_edits(doc.text(), edits)
}

/// Removes a member if it is an empty object or an empty list, or if `value` is what it holds.
pub(crate) fn remove_member(doc: &Doc, path: &[Step], value: Option<&Json>) -> Option<String> {
    let (Step::Key(key), parent) = path.split_last()? else { return None };
    let parent = doc.at(parent)?;
    let members = parent.members();
    let at = members.iter().rposition(|member| member.key == *key)?;
    let member = &members[at];
    let is_empty = match &member.node.value {
        Value::Map(members) => members.is_empty(),
        Value::Seq(items) => items.is_empty(),
        _ => false,
    };
    if !is_empty && value != Some(&member.node.to_json()) {
        return None;
    }
    let range = match (at.checked_sub(1).map(|before| &members[before]), members.get(at + 1)) {
        (Some(before), _) => before.node.span.end..member.node.span.end,
        (None, Some(after)) => member.key_span.start..after.key_span.start,
        (None, None) => member.key_span.start..member.node.span.end,
    };
    apply_edits(doc.text(), vec![Edit::replace(range, "")])
}

struct Merge<'d> {
    doc: &'d Doc,
    edits: Vec<Edit>,
    created: Vec<Vec<Step>>,
}

impl Merge<'_> {
    fn value(&mut self, node: &Node, addition: &Json, path: &mut Vec<Step>) -> Option<()> {
        match (&node.value, addition) {
            (Value::Map(_), Json::Object(members)) => {
                let mut missing = Vec::new();
                for (key, value) in members {
                    path.push(Step::Key(key.clone()));
                    match node.get(key) {
                        Some(child) => self.value(child, value, path)?,
                        None => {
                            self.created.push(path.clone());
                            missing.push((key, value));
                        }
                    }
                    path.pop();
                }
                self.members(node, &missing);
                Some(())
            }
            (Value::Seq(_), Json::Array(items)) => {
                self.items(node, items);
                Some(())
            }
            (Value::Map(_) | Value::Seq(_), _) | (_, Json::Object(_) | Json::Array(_)) => None,
            _ => Some(()),
        }
    }

    fn members(&mut self, node: &Node, missing: &[(&String, &Json)]) {
        let last = node.members().last();
        let gap = last.map_or("", |last| gap(self.doc, last.key_span.start));
        let texts = missing.iter().map(|(key, value)| {
            let colon = if gap.is_empty() && last.is_some() { ":" } else { ": " };
            let key = Json::from(key.as_str());
            format!("{key}{colon}{}", layout(value, gap))
        });
        self.insert(node, last.map(|last| last.node.span.end), gap, &texts.collect::<Vec<_>>());
    }

    fn items(&mut self, node: &Node, items: &[Json]) {
        let last = node.items().last();
        let gap = last.map_or("", |last| gap(self.doc, last.span.start));
        let texts = items.iter().map(|item| layout(item, gap));
        self.insert(node, last.map(|last| last.span.end), gap, &texts.collect::<Vec<_>>());
    }

    fn insert(&mut self, node: &Node, after: Option<usize>, gap: &str, texts: &[String]) {
        if texts.is_empty() {
            return;
        }
        let edit = match after {
            Some(at) => {
                let text: String = texts.iter().map(|text| format!(",{gap}{text}")).collect();
                Edit::insert(at, text)
            }
            // Right after the bracket, so that taking it out leaves what was between.
            None => Edit::insert(node.span.start + 1, texts.join(", ")),
        };
        self.edits.push(edit);
    }
}

/// The white space before an offset, from the start of its line if nothing else is before it.
fn gap(doc: &Doc, at: usize) -> &str {
    let before = &doc.text()[..at];
    let blank = &before[before.trim_end().len()..];
    match blank.rfind('\n') {
        Some(at) if blank[..at].ends_with('\r') => &blank[at - 1..],
        Some(at) => &blank[at..],
        None => blank,
    }
}

/// A value, on several lines where the place has lines.
fn layout(value: &Json, gap: &str) -> String {
    let Some(indent) = gap.strip_prefix("\r\n").or_else(|| gap.strip_prefix('\n')) else {
        return value.to_string();
    };
    let unit = if indent.starts_with('\t') { "\t".to_owned() } else { "  ".to_owned() };
    let pretty = serde_json::to_string_pretty(value).unwrap_or_default();
    let mut lines = pretty.split('\n');
    let mut text = lines.next().unwrap_or_default().to_owned();
    for line in lines {
        let own = line.len() - line.trim_start_matches(' ').len();
        text += &format!("{gap}{}{}", unit.repeat(own / 2), &line[own..]);
    }
    text
}

fn collect_items(node: &Node, is_theirs: &dyn Fn(&Node) -> bool, edits: &mut Vec<Edit>) {
    for member in node.members() {
        collect_items(&member.node, is_theirs, edits);
    }
    let items = node.items();
    let mut kept_end = None;
    for (index, item) in items.iter().enumerate() {
        if !is_theirs(item) {
            collect_items(item, is_theirs, edits);
            kept_end = Some(item.span.end);
            continue;
        }
        let next = items.get(index + 1);
        let range = match (kept_end, next) {
            // From the end of what is before it, comma included.
            (Some(end), _) if edits.last().is_none_or(|edit| edit.range.end <= end) => {
                end..item.span.end
            }
            (Some(_), _) => items[index - 1].span.end..item.span.end,
            (None, Some(next)) => item.span.start..next.span.start,
            (None, None) => item.span.start..item.span.end,
        };
        edits.push(Edit::replace(range, ""));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::doc::Format;

    fn doc(text: &str) -> Doc {
        Doc::parse(text.as_bytes(), Format::Jsonc).expect("JSON")
    }

    /// Adds, compares, takes out, and compares again.
    fn check(before: &str, addition: &Json, after: &str) {
        let merged = merge(&doc(before), addition).expect(before);
        assert_eq!(merged.text, after);
        let is_ours = |node: &Node| node.to_json().to_string().contains("ours");
        let mut text = remove_items(&doc(&merged.text), &is_ours).expect("removed");
        for path in inner_first(addition, &merged.created) {
            let value = path.iter().try_fold(addition, |value, step| match step {
                Step::Key(key) => value.get(key),
                Step::Index(_) => None,
            });
            if let Some(less) = remove_member(&doc(&text), &path, value) {
                text = less;
            }
        }
        assert_eq!(text, before);
    }

    fn inner_first(addition: &Json, created: &[Vec<Step>]) -> Vec<Vec<Step>> {
        let mut paths = Vec::new();
        for path in created {
            let value = path.iter().try_fold(addition, |value, step| match step {
                Step::Key(key) => value.get(key),
                Step::Index(_) => None,
            });
            if let Some(members) = value.and_then(Json::as_object) {
                for key in members.keys() {
                    let inner = [path.clone(), vec![Step::Key(key.clone())]].concat();
                    paths.push(inner);
                }
            }
            paths.push(path.clone());
        }
        paths
    }

    #[test]
    fn what_is_added_can_be_taken_out_again() {
        let add =
            json!({ "version": 1, "hooks": { "A": [{ "c": "ours" }], "B": [{ "c": "ours" }] } });
        check(
            r#"{"version":2,"hooks":{"A":[{"c":"x"}]}}"#,
            &add,
            r#"{"version":2,"hooks":{"A":[{"c":"x"},{"c":"ours"}],"B":[{"c":"ours"}]}}"#,
        );
        check(
            "{\n  \"x\": 1, // why\n}\n",
            &json!({ "hooks": { "A": [{ "c": "ours" }] } }),
            "{\n  \"x\": 1,\n  \"hooks\": {\n    \"A\": [\n      {\n        \"c\": \"ours\"\n      }\n    ]\n  }, // why\n}\n",
        );
        check("{}", &json!({ "hooks": { "A": ["ours"] } }), r#"{"hooks": {"A":["ours"]}}"#);
        check("{ }", &json!({ "hooks": { "A": ["ours"] } }), r#"{"hooks": {"A":["ours"]} }"#);
        check(
            "{\r\n\t\"hooks\": {\r\n\t\t\"A\": [\r\n\t\t\t\"x\",\r\n\t\t]\r\n\t}\r\n}",
            &json!({ "hooks": { "A": ["ours", { "ours": 1 }] } }),
            "{\r\n\t\"hooks\": {\r\n\t\t\"A\": [\r\n\t\t\t\"x\",\r\n\t\t\t\"ours\",\r\n\t\t\t{\r\n\t\t\t\t\"ours\": 1\r\n\t\t\t},\r\n\t\t]\r\n\t}\r\n}",
        );
    }

    #[test]
    fn items_are_removed_wherever_they_are() {
        let remove = |text: &str| {
            remove_items(&doc(text), &|node| node.as_str() == Some("o")).expect("removed")
        };
        assert_eq!(remove(r#"["o"]"#), "[]");
        assert_eq!(remove(r#"["o","a"]"#), r#"["a"]"#);
        assert_eq!(remove(r#"["o","o","a"]"#), r#"["a"]"#);
        assert_eq!(remove(r#"["a","o","b"]"#), r#"["a","b"]"#);
        assert_eq!(remove(r#"["a", "o", "o" , "b","o"]"#), r#"["a" , "b"]"#);
        assert_eq!(remove(r#"{"x":[["a","o"],"o"],"y":["o"]}"#), r#"{"x":[["a"]],"y":[]}"#);
        assert_eq!(remove(r#"["o","o"]"#), "[]");
    }

    #[test]
    fn what_is_something_else_is_left_alone() {
        for text in ["[]", "3", r#"{"hooks":[]}"#, r#"{"hooks":{"A":{}}}"#, r#"{"hooks":1}"#] {
            assert!(merge(&doc(text), &json!({ "hooks": { "A": [1] } })).is_none(), "{text}");
        }
    }
}
