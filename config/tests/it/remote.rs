//! Every remote entry of the home trees, in both shapes, and back.

use std::collections::BTreeSet;

use defenter_config::clients::{Options, Protection, discover};
use defenter_config::doc::Doc;
use defenter_config::install::{RemoteEntry, RemoteShape, change_remote, restore_remote};

use crate::trees::Trees;

#[test]
fn every_remote_entry_takes_both_shapes_and_is_given_back() {
    let local = RemoteShape::Local {
        base_url: "http://127.0.0.1:7421/mcp".to_owned(),
        token_header: "X-Defenter-Token".to_owned(),
        token: "token".to_owned(),
    };
    let trees = Trees::new();
    let (mut clients, mut refused) = (BTreeSet::new(), Vec::new());
    for tree in trees.each() {
        let options = Options { projects: tree.projects(), ..Options::default() };
        for entry in discover(&tree.host(), &options).entries {
            if entry.protection != Protection::Remote {
                continue;
            }
            let bytes = std::fs::read(&entry.file).expect("a file");
            let doc = Doc::parse(&bytes, entry.format).expect("a document");
            let named =
                RemoteEntry { client: entry.client, name: &entry.name, steps: &entry.steps };
            for shape in [&local, &RemoteShape::Stdio] {
                let change = match change_remote(&doc, &named, shape, "/d/defenter") {
                    Ok(change) => change.expect("a change"),
                    Err(error) => {
                        refused.push(format!("{} {}: {error}", entry.client, entry.name));
                        continue;
                    }
                };
                clients.insert(entry.client);
                let after = Doc::parse(change.text.as_bytes(), entry.format).expect("a document");
                let back = restore_remote(&after, &entry.steps, &change.saved);
                assert_eq!(back.expect("given back"), doc.text(), "{}", entry.file.display());
            }
        }
    }
    // A program makes its headers, and only the client knows how it is run.
    let [helper] = refused.as_slice() else { panic!("{refused:?}") };
    assert!(helper.starts_with("claude-code docs") && helper.contains("headers"), "{helper}");
    assert!(clients.len() > 10, "{clients:?}");
}
