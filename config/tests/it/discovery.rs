//! Everything in the trees is found, and nothing else.

use std::collections::BTreeSet;

use defenter_config::Os;
use defenter_config::clients::{
    self, Entry, Launch, Options, ProblemKind, Protection, Transport, discover, watch_paths,
};
use defenter_config::doc::Step;
use defenter_config::install::{
    Choice, Journal, State, Status, Wrapper, plan_install, plan_uninstall, status,
};
use serde_json::Value;

use crate::trees::{Tree, Trees};

/// What an entry of the trees looks like in the manifest's words.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    client: String,
    file: String,
    key_path: String,
    name: String,
    transport: String,
    command: String,
    args: Vec<String>,
    url: String,
    cwd: String,
    project: String,
    disabled: bool,
    wrap: String,
}

fn rows_of_manifest(tree: &Tree<'_>) -> BTreeSet<Row> {
    let text = |server: &Value, key: &str| server[key].as_str().unwrap_or_default().to_owned();
    let strings = |value: &Value| {
        let items = value.as_array().into_iter().flatten();
        items.map(|item| item.as_str().expect("a string").to_owned()).collect()
    };
    tree.servers()
        .iter()
        .map(|server| Row {
            client: text(server, "client"),
            file: text(server, "file"),
            key_path: text(server, "key_path").replace("/transport", ""),
            name: text(server, "name"),
            transport: text(server, "transport"),
            command: text(server, "command"),
            args: strings(&server["args"]),
            url: text(server, "url"),
            cwd: text(server, "cwd"),
            project: text(server, "project"),
            disabled: server["disabled"].as_bool().expect("a truth value"),
            wrap: server["wrap"].to_string(),
        })
        .collect()
}

fn row_of_entry(tree: &Tree<'_>, entry: &Entry) -> Row {
    let root = tree.root.canonicalize().expect("a root");
    let real = entry.file.canonicalize().expect("a file");
    let file = real.strip_prefix(&root).expect("inside").to_string_lossy().into_owned();
    let (mut command, mut args, mut url, mut cwd) = Default::default();
    let mut transport = "extension";
    match &entry.launch {
        Launch::Stdio(stdio) => {
            transport = "stdio";
            command = stdio.command.clone();
            args = stdio.args.clone();
            cwd = stdio.cwd.clone().unwrap_or_default();
        }
        Launch::Remote(remote) => {
            transport = if remote.transport == Transport::Sse { "sse" } else { "http" };
            url = remote.url.clone();
        }
        Launch::Extension => {}
    }
    let manual = file.ends_with("crushrc");
    Row {
        client: entry.client.to_string(),
        key_path: key_path(entry, &file),
        name: entry.name.clone(),
        transport: transport.to_owned(),
        command,
        args,
        url,
        cwd,
        // The manifest gives a project only where the file is the user's.
        project: match entry.scope {
            clients::Scope::Local => entry.project.clone().unwrap_or_default(),
            _ => String::new(),
        },
        disabled: entry.disabled,
        wrap: match &entry.protection {
            _ if manual => "\"manual\"".to_owned(),
            Protection::ReportOnly(_) => "false".to_owned(),
            Protection::Wrappable if entry.wrapped.is_some() => "false".to_owned(),
            Protection::Wrappable | Protection::Remote => "true".to_owned(),
        },
        file,
    }
}

/// The manifest does not say every working directory; one that it does not say is not compared.
fn without_cwd(mut row: Row, expected: &BTreeSet<Row>) -> Row {
    let same = |other: &&Row| other.file == row.file && other.key_path == row.key_path;
    if expected.iter().find(same).is_some_and(|other| other.cwd.is_empty()) {
        row.cwd.clear();
    }
    row
}

fn key_path(entry: &Entry, file: &str) -> String {
    if file.ends_with("crushrc") {
        return format!("mcp add {}", entry.name);
    }
    let steps = entry.steps.iter();
    if !file.ends_with(".toml") {
        let escaped = |key: &String| key.replace('~', "~0").replace('/', "~1");
        return steps
            .map(|step| match step {
                Step::Key(key) => format!("/{}", escaped(key)),
                Step::Index(index) => format!("/{index}"),
            })
            .collect();
    }
    let parts = steps.map(|step| match step {
        Step::Key(key) if key.contains([' ', '.']) => format!(".\"{key}\""),
        Step::Key(key) => format!(".{key}"),
        Step::Index(index) => format!("[{index}]"),
    });
    parts.collect::<String>().trim_start_matches('.').to_owned()
}

fn options(tree: &Tree<'_>) -> Options {
    Options { projects: tree.projects(), ..Options::default() }
}

#[test]
fn every_server_of_every_tree_is_found_and_no_other() {
    let trees = Trees::new();
    for tree in trees.each() {
        let found = discover(&tree.host(), &options(&tree));
        let rows: BTreeSet<Row> =
            found.entries.iter().map(|entry| row_of_entry(&tree, entry)).collect();
        assert_eq!(rows.len(), found.entries.len(), "an entry came twice");
        let mut expected = rows_of_manifest(&tree);
        let rows: BTreeSet<Row> = rows.into_iter().map(|row| without_cwd(row, &expected)).collect();
        if tree.os == Os::Linux {
            // The manifest would wrap it; where the client puts a server in a sandbox, a wrapper
            // could neither reach the supervisor nor ask, so it is shown instead.
            let sandboxed = |row: &Row| row.name == "sandboxed";
            let mut row = expected.extract_if(.., sandboxed).next().expect("the sandboxed server");
            row.wrap = "false".to_owned();
            expected.insert(row);
        }
        let missing: Vec<&Row> = expected.difference(&rows).collect();
        let extra: Vec<&Row> = rows.difference(&expected).collect();
        assert!(
            missing.is_empty() && extra.is_empty(),
            "{}: missing {missing:#?} extra {extra:#?}",
            tree.os
        );
    }
}

#[test]
fn what_cannot_be_read_is_a_problem_with_its_place() {
    let trees = Trees::new();
    let tree = trees.tree(Os::Linux);
    let found = discover(&tree.host(), &options(&tree));
    let problems: Vec<_> = found
        .problems
        .iter()
        .map(|problem| (problem.client.as_str(), problem.kind, problem.place.map(|p| p.line)))
        .collect();
    assert_eq!(
        problems,
        [("junie", ProblemKind::BrokenLink, None), ("trae", ProblemKind::Malformed, Some(1))]
    );
    for os in [Os::Macos, Os::Windows] {
        let tree = trees.tree(os);
        assert_eq!(discover(&tree.host(), &options(&tree)).problems, []);
    }
}

#[test]
fn every_folder_of_a_file_is_watched() {
    let trees = Trees::new();
    for tree in trees.each() {
        let options = options(&tree);
        let watched = watch_paths(&tree.host(), &options);
        for entry in discover(&tree.host(), &options).entries {
            let folder = entry.file.parent().expect("a folder");
            let deep = matches!(entry.protection, Protection::ReportOnly(_));
            assert!(deep || watched.iter().any(|path| path == folder), "{}", folder.display());
        }
        assert!(watched.iter().all(|path| path.is_dir()));
    }
}

#[test]
fn debug_output_shows_no_secret() {
    let trees = Trees::new();
    for tree in trees.each() {
        let text = format!("{:?}", discover(&tree.host(), &options(&tree)));
        for secret in ["ghp_", "s3cr3t", "AKIA", "hf_EXAMPLE", "zed-0000", "ab-EXAMPLE"] {
            assert!(!text.contains(secret), "{secret}");
        }
    }
}

#[test]
fn the_clients_of_a_linux_within_windows_are_shown_and_left_alone() {
    let trees = Trees::new();
    let (windows, linux) = (trees.tree(Os::Windows), trees.tree(Os::Linux));
    let own = discover(&windows.host(), &Options::default());
    let mut host = windows.host();
    host.linux_within = vec![linux.root.clone()];
    let both = discover(&host, &Options::default());
    let (here, there) = both.entries.split_at(own.entries.len());
    assert_eq!(here, own.entries);
    assert!(there.len() > 50, "{}", there.len());
    for entry in there {
        assert_eq!(entry.scope, clients::Scope::Elsewhere);
        let Protection::ReportOnly(why) = entry.protection else { panic!("{entry:?}") };
        assert!(why.contains("Linux within"), "{why}");
    }
    let state = crate::trees::scratch();
    let journal = Journal::new(state.path().join("install"));
    let wrapper = Wrapper { program: "C:/d/defenter.exe".into(), portable: "defenter".into() };
    let choice = Choice { projects: true, ..Choice::default() };
    for plan in [
        plan_install(&both, &choice, &wrapper, &journal).expect("a plan"),
        plan_uninstall(&both, &choice, &journal).expect("a plan"),
    ] {
        assert!(plan.files.iter().all(|file| !file.file.starts_with(&linux.root)), "{plan:?}");
    }
    let report = status(&both, &journal, &["C:/d/defenter.exe", "defenter"]).expect("a report");
    let is_shown = |status: &Status<'_>| matches!(status.state, State::ReportOnly(_));
    assert!(report.entries[own.entries.len()..].iter().all(is_shown));
}
