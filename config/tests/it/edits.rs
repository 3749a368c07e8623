//! What a client or a user changes between install and uninstall is kept, and nothing else stays.

use std::path::PathBuf;

use defenter_config::clients::{Options, discover};
use defenter_config::doc::{Doc, Format, Node, Step, Value};
use defenter_config::install::{
    Choice, Journal, NoCheckpoint, RemoteVia, SystemPatience, Wrapper, apply, plan_install,
    plan_uninstall,
};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};

use crate::trees::{Tree, Trees, scratch};

/// A file as it was and as it is after install.
struct Case {
    path: PathBuf,
    format: Format,
    before: Vec<u8>,
    after: Vec<u8>,
}

/// An edit of a value that is not part of how a server is started.
#[derive(Clone, Debug)]
enum Change {
    /// Another value.
    Set(Index),
    /// The member is gone.
    Remove(Index),
    /// Another member in front of it.
    Add(Index),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        any::<Index>().prop_map(Change::Set),
        any::<Index>().prop_map(Change::Remove),
        any::<Index>().prop_map(Change::Add),
    ]
}

/// The ways to every scalar that has nothing to do with how a server is started.
fn free_scalars(node: &Node, path: &mut Vec<Step>, found: &mut Vec<Vec<Step>>) {
    if is_address(node) {
        return;
    }
    match &node.value {
        Value::Map(members) => {
            for member in members {
                let is_last =
                    node.member(&member.key).is_some_and(|last| std::ptr::eq(last, member));
                let part = [
                    "command",
                    "cmd",
                    "args",
                    "path",
                    "type",
                    "transport",
                    "url",
                    "name",
                    "<<",
                    "disabled",
                    "sandboxEnabled",
                ];
                if is_last && !part.contains(&member.key.as_str()) {
                    path.push(Step::Key(member.key.clone()));
                    free_scalars(&member.node, path, found);
                    path.pop();
                }
            }
        }
        Value::Seq(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push(Step::Index(index));
                free_scalars(item, path, found);
                path.pop();
            }
        }
        _ if node.shared || node.span.is_empty() => {}
        _ => found.push(path.clone()),
    }
}

/// True for an entry that is reached by address, wrapped or not: it changes its form.
fn is_address(node: &Node) -> bool {
    let has = |key: &str| node.get(key).is_some_and(|node| node.as_str().is_some());
    let args = node.get("args").or_else(|| node.get("command")).map_or(&[][..], Node::items);
    ["url", "httpUrl", "serverUrl", "uri", "baseUrl"].iter().any(|key| has(key))
        || args.iter().any(|arg| arg.as_str() == Some("--url-env"))
        || node.get("transport").is_some_and(|inner| inner.is_map() && is_address(inner))
}

fn edit(bytes: &[u8], format: Format, change: &Change, number: usize) -> Option<Vec<u8>> {
    let doc = Doc::parse(bytes, format).expect("a document");
    let mut paths = Vec::new();
    free_scalars(doc.root()?, &mut Vec::new(), &mut paths);
    if paths.is_empty() {
        return None;
    }
    let (Change::Set(index) | Change::Remove(index) | Change::Add(index)) = change;
    let path = index.get(&paths);
    let node = doc.at(path)?;
    let text = doc.text();
    let new = match change {
        Change::Set(_) => {
            let value = match node.value {
                Value::Str(_) => format!("\"edited {number}\""),
                _ => format!("{number}"),
            };
            format!("{}{value}{}", &text[..node.span.start], &text[node.span.end..])
        }
        // Only in JSON is a member one piece of text.
        Change::Remove(_) | Change::Add(_) if !format.is_json() => return None,
        Change::Remove(_) => {
            let (Step::Key(key), parent) = path.split_last()? else { return None };
            let members = doc.at(parent)?.members();
            let at = members.iter().rposition(|member| member.key == *key)?;
            let next = members.get(at + 1)?;
            let gone = members[at].key_span.start..next.key_span.start;
            format!("{}{}", &text[..gone.start], &text[gone.end..])
        }
        Change::Add(_) => {
            let (Step::Key(key), parent) = path.split_last()? else { return None };
            let at = doc.at(parent)?.member(key)?.key_span.start;
            format!("{}\"added {number}\": [{number}],\n{}", &text[..at], &text[at..])
        }
    };
    let mut out = if doc.has_bom() { b"\xef\xbb\xbf".to_vec() } else { Vec::new() };
    out.extend_from_slice(new.as_bytes());
    Some(out)
}

fn format_of(path: &std::path::Path) -> Format {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("toml") => Format::Toml,
        Some("yaml" | "yml") => Format::Yaml,
        _ if path.ends_with("openclaw.json") => Format::Json5,
        _ => Format::Jsonc,
    }
}

struct Bed<'t> {
    tree: Tree<'t>,
    state: tempfile::TempDir,
    remote: Option<RemoteVia>,
}

impl Bed<'_> {
    fn journal(&self) -> Journal {
        Journal::new(self.state.path().join("install"))
    }

    fn options(&self) -> Options {
        Options { projects: self.tree.projects(), ..Options::default() }
    }

    fn install(&self) -> Vec<PathBuf> {
        let wrapper =
            Wrapper { program: "/d/defenter".to_owned(), portable: "defenter".to_owned() };
        let remote = self.remote.clone();
        let choice = Choice { projects: true, remote, ..Choice::default() };
        let found = discover(&self.tree.host(), &self.options());
        let plan = plan_install(&found, &choice, &wrapper, &self.journal()).expect("a plan");
        let outcomes = apply(&plan, &self.journal(), &SystemPatience, &mut NoCheckpoint);
        outcomes.expect("applied").into_iter().map(|outcome| outcome.file).collect()
    }

    fn uninstall(&self) {
        let choice = Choice { projects: true, ..Choice::default() };
        let found = discover(&self.tree.host(), &self.options());
        let plan = plan_uninstall(&found, &choice, &self.journal()).expect("a plan");
        for outcome in
            apply(&plan, &self.journal(), &SystemPatience, &mut NoCheckpoint).expect("applied")
        {
            outcome.result.expect("given back");
            assert!(outcome.failed.is_empty(), "{:?}", outcome.failed);
        }
    }

    fn cases(&self, files: &[PathBuf], originals: &[Vec<u8>]) -> Vec<Case> {
        let case = |(path, before): (&PathBuf, &Vec<u8>)| Case {
            path: path.clone(),
            format: format_of(path),
            before: before.clone(),
            after: std::fs::read(path).expect("a file"),
        };
        files.iter().zip(originals).map(case).collect()
    }
}

/// `uninstall(edit(install(x))) == edit(x)`, for every file at once and several edits in each.
#[test]
fn edits_in_between_are_kept_and_everything_else_is_as_it_was() {
    edits_are_kept(None);
}

/// The same where entries that are reached by address are changed too.
#[test]
fn edits_in_between_are_kept_beside_addresses() {
    edits_are_kept(Some(&crate::remote::via()));
}

fn edits_are_kept(remote: Option<&RemoteVia>) {
    let trees = Trees::new();
    for tree in trees.each() {
        let bed = Bed { tree, state: scratch(), remote: remote.cloned() };
        let files = bed.install();
        bed.uninstall();
        let originals: Vec<Vec<u8>> =
            files.iter().map(|path| std::fs::read(path).expect("a file")).collect();
        let strategy =
            proptest::collection::vec(proptest::collection::vec(change(), 2..6), files.len());
        let mut runner =
            TestRunner::new(Config { cases: 4, failure_persistence: None, ..Config::default() });
        let edits = std::cell::Cell::new(0);
        runner
            .run(&strategy, |changes| {
                bed.install();
                let cases = bed.cases(&files, &originals);
                let mut expected = Vec::new();
                for (case, changes) in cases.iter().zip(&changes) {
                    let (mut before, mut after) = (case.before.clone(), case.after.clone());
                    for (number, change) in changes.iter().enumerate() {
                        // An edit that one of the two does not admit is left out of both.
                        let edited = edit(&before, case.format, change, number).zip(edit(
                            &after,
                            case.format,
                            change,
                            number,
                        ));
                        if let Some(edited) = edited {
                            (before, after) = edited;
                            edits.set(edits.get() + 1);
                        }
                    }
                    std::fs::write(&case.path, &after).expect("written");
                    expected.push(before);
                }
                bed.uninstall();
                for (case, expected) in cases.iter().zip(&expected) {
                    let found = std::fs::read(&case.path).expect("a file");
                    prop_assert_eq!(
                        String::from_utf8_lossy(&found),
                        String::from_utf8_lossy(expected),
                        "{}",
                        case.path.display()
                    );
                    std::fs::write(&case.path, &case.before).expect("written");
                }
                Ok(())
            })
            .unwrap_or_else(|error| panic!("{error}"));
        assert!(edits.get() > files.len(), "too few edits: {}", edits.get());
    }
}

/// A client that writes its file anew keeps the values and loses the form; so does uninstall.
#[test]
fn a_file_that_the_client_wrote_anew_gets_its_servers_back() {
    let trees = Trees::new();
    for tree in trees.each() {
        let bed = Bed { tree, state: scratch(), remote: None };
        let files = bed.install();
        let mut expected = Vec::new();
        for path in files.iter().filter(|path| format_of(path).is_json()) {
            let bytes = std::fs::read(path).expect("a file");
            let value =
                Doc::parse(&bytes, format_of(path)).expect("JSON").root().map(Node::to_json);
            let text = serde_json::to_string_pretty(&value).expect("JSON");
            std::fs::write(path, text).expect("written");
            expected.push(path);
        }
        bed.uninstall();
        let written: Vec<serde_json::Value> = expected
            .iter()
            .map(|path| {
                let text = std::fs::read(path).expect("a file");
                serde_json::from_slice(&text).expect("strict JSON")
            })
            .collect();
        // The same as writing the originals anew.
        let fresh = Trees::new();
        let root = fresh.tree(bed.tree.os).root;
        for (path, value) in expected.iter().zip(written) {
            let inside = path.strip_prefix(&bed.tree.root).expect("inside");
            let bytes = std::fs::read(root.join(inside)).expect("a file");
            let original =
                Doc::parse(&bytes, format_of(path)).expect("JSON").root().map(Node::to_json);
            assert_eq!(Some(value), original, "{}", path.display());
        }
    }
}
