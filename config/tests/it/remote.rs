//! Every remote entry of the home trees, in both shapes, and back.

use std::collections::{BTreeMap, BTreeSet};

use defenter_config::Os;
use defenter_config::clients::{Form, Launch, Options, Protection, discover};
use defenter_config::doc::Doc;
use defenter_config::install::{
    Drift, RemoteEntry, RemoteShape, RemoteVia, State, Status, change_remote, restore_remote,
    status,
};

use crate::install::{Bed, PROGRAM};
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

/// A way for entries that are reached by address.
pub(crate) fn via() -> RemoteVia {
    RemoteVia {
        base_url: "http://127.0.0.1:7421/mcp".to_owned(),
        token_header: "X-Defenter-Token".to_owned(),
        token: "token".to_owned(),
    }
}

#[test]
fn servers_that_are_reached_by_address_are_wrapped_where_there_is_a_way_and_given_back() {
    let trees = Trees::new();
    let mut forms = BTreeMap::new();
    for tree in trees.each() {
        let mut bed = Bed::new(tree);
        bed.choice.remote = Some(via());
        let original = bed.tree.snapshot();
        let plan = bed.install_plan();
        // A program makes the headers of one entry, and only its client knows how it is run.
        for skipped in &plan.skipped {
            assert!(!skipped.reason.contains("stays as it is"), "{skipped:?}");
        }
        bed.apply(&plan);
        let found = bed.discover();
        let report = status(&found, &bed.journal(), &[PROGRAM, "defenter"]).expect("a report");
        for status in &report.entries {
            assert_eq!(status.drift, None, "{status:?}");
            let Some(wrapped) = &status.entry.wrapped else { continue };
            if matches!(wrapped.form, Form::Local | Form::Address) {
                assert_eq!(status.state, State::Protected, "{status:?}");
                *forms.entry(format!("{:?}", wrapped.form)).or_insert(0) += 1;
            }
            if status.entry.is_shared() {
                let text = std::fs::read_to_string(&status.entry.file).expect("text");
                assert!(!text.contains("X-Defenter-Token"), "{status:?}");
            }
        }
        assert!(bed.install_plan().is_empty(), "the second time changes nothing");

        bed.uninstall();
        assert!(bed.tree.snapshot() == original, "a file is not as it was");
        assert_eq!(bed.kept(), Vec::<String>::new());
    }
    assert_eq!(forms.len(), 2, "both shapes: {forms:?}");
}

#[test]
fn an_address_that_the_journal_has_lost_is_left_alone_and_told() {
    let trees = Trees::new();
    let mut bed = Bed::new(trees.tree(Os::Linux));
    bed.choice.remote = Some(via());
    bed.install();
    std::fs::remove_dir_all(bed.state.path().join("install")).expect("the journal is lost");
    let found = bed.discover();
    let report = status(&found, &bed.journal(), &[PROGRAM, "defenter"]).expect("a report");
    let local = |status: &&Status<'_>| {
        status.entry.wrapped.as_ref().is_some_and(|wrapped| wrapped.form == Form::Local)
    };
    let locals: Vec<_> = report.entries.iter().filter(local).collect();
    assert!(!locals.is_empty());
    assert!(locals.iter().all(|status| status.state == State::OtherProgram), "{locals:?}");
    let plan = bed.uninstall_plan();
    let told = plan.skipped.iter().filter(|skipped| skipped.reason.contains("not in the journal"));
    assert!(told.count() >= locals.len(), "{:?}", plan.skipped);
    bed.apply(&plan);
    let text = std::fs::read_to_string(&locals[0].entry.file).expect("text");
    assert!(text.contains("http://127.0.0.1:7421/mcp/"), "{text}");
}

#[test]
fn another_address_under_a_wrapped_name_is_told_and_not_wrapped() {
    let trees = Trees::new();
    let mut bed = Bed::new(trees.tree(Os::Linux));
    bed.choice.remote = Some(via());
    bed.install();
    let found = bed.discover();
    let entry = found
        .entries
        .iter()
        .find(|entry| entry.wrapped.as_ref().is_some_and(|it| it.form == Form::Local))
        .expect("one that stays remote");
    let text = std::fs::read_to_string(&entry.file).expect("text");
    let Launch::Remote(remote) = &entry.launch else { panic!("no address") };
    std::fs::write(&entry.file, text.replace(&remote.url, "https://evil.example/mcp")).expect("ok");
    let found = bed.discover();
    let report = status(&found, &bed.journal(), &[PROGRAM, "defenter"]).expect("a report");
    let drifted: Vec<_> = report.entries.iter().filter(|status| status.drift.is_some()).collect();
    let [status] = &drifted[..] else { panic!("{drifted:?}") };
    assert_eq!((status.drift, &status.entry.name), (Some(Drift::CommandChanged), &entry.name));
    assert!(bed.install_plan().files.is_empty(), "it is not wrapped silently");
}
