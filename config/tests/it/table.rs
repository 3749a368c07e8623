//! Every place of the table, on every system: written, found, wrapped and given back.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use defenter_config::clients::{Client, Launch, Location, Options, Protection, all, discover};
use defenter_config::doc::Format;
use defenter_config::install::{
    Choice, Journal, NoCheckpoint, SystemPatience, Wrapper, apply, plan_install, plan_uninstall,
};
use defenter_config::{Host, Os};

use crate::trees::scratch;

const PROJECT: &str = "/code/shop";

/// The folders that variables move files to.
const VARIABLES: &[&str] = &["VSCODE_PORTABLE", "OPENCODE_CONFIG_DIR", "CRUSH_GLOBAL_CONFIG"];

fn host(os: Os, root: &Path) -> Host {
    let home = match os {
        Os::Linux => "/home/dev",
        Os::Macos => "/Users/dev",
        Os::Windows => "C:\\Users\\dev",
    };
    let mut env: BTreeMap<String, String> = VARIABLES
        .iter()
        .map(|name| ((*name).to_owned(), in_system(os, &format!("/moved/{name}"))))
        .collect();
    env.insert("OPENCODE_CONFIG".to_owned(), in_system(os, "/moved/opencode.json"));
    Host::new(os, home, env).mounted_at(root)
}

fn in_system(os: Os, path: &str) -> String {
    if os == Os::Windows { format!("C:{path}") } else { path.to_owned() }
}

/// A path that a pattern means.
fn instance(host: &Host, pattern: &str) -> String {
    let home = host.home_text();
    let (token, rest) = match pattern.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
        Some((token, rest)) => (token, rest),
        None => ("", pattern),
    };
    let base = match token {
        "" => String::new(),
        "app" => host.app_data(),
        "cfg" => host.xdg_config(),
        "local" => host.local_app_data(),
        "programdata" => host.program_data(),
        "programfiles" => host.program_files(),
        "proj" => in_system(host.os, PROJECT),
        "workspace" => in_system(host.os, "/code/shop.code-workspace"),
        variable => {
            let (name, default) = variable.split_once(':').expect("a default");
            host.var(name).map_or_else(|| default.to_owned(), str::to_owned)
        }
    };
    let path = format!("{base}{rest}").replace("**", "a/b").replace('*', "one");
    match path.strip_prefix('~') {
        Some(rest) => format!("{home}{rest}"),
        None => path,
    }
}

/// A file with one server under a key.
fn content(format: Format, key: &str, is_single: bool) -> String {
    let keys: Vec<&str> = key.split('/').filter(|key| !key.is_empty()).collect();
    // The project that a star stands for.
    let keys: Vec<&str> = keys.iter().map(|key| if *key == "*" { PROJECT } else { key }).collect();
    match format {
        Format::Toml => format!("[{}.found]\ncommand = \"npx\"\nargs = [\"-y\"]\n", keys.join(".")),
        Format::Yaml => {
            let mut text = String::new();
            for (depth, key) in keys.iter().chain([&"found"]).enumerate() {
                text += &format!("{}{key}:\n", "  ".repeat(depth));
            }
            let indent = "  ".repeat(keys.len() + 1);
            text + &format!("{indent}command: npx\n{indent}args: [-y]\n")
        }
        Format::Shell => "mcp add found --command npx --args -y\n".to_owned(),
        _ => {
            let mut value = serde_json::json!({ "command": "npx", "args": ["-y"] });
            if !is_single {
                value = serde_json::json!({ "found": value });
            }
            for key in keys.iter().rev() {
                value = serde_json::json!({ *key: value });
            }
            serde_json::to_string_pretty(&value).expect("JSON") + "\n"
        }
    }
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
    std::fs::write(path, text).expect("written");
}

fn check(os: Os, client: &Client, location: &Location, pattern: &str, key: &str) {
    let what = format!("{os}: {} {pattern} {key:?}", client.id);
    let root = scratch();
    let host = host(os, root.path());
    let path = host.real(&instance(&host, pattern));
    let original = content(location.format, key, location.single);
    write(&path, &original);
    if pattern.starts_with("{workspace}") {
        let index = instance(&host, "{app}/Code/User/workspaceStorage/1/workspace.json");
        let slash = if os == Os::Windows { "/" } else { "" };
        let workspace = instance(&host, "{workspace}");
        write(&host.real(&index), &format!("{{\"workspace\":\"file://{slash}{workspace}\"}}"));
    }
    let options = Options {
        projects: vec![PathBuf::from(in_system(os, PROJECT))],
        clients: vec![client.id],
        ..Options::default()
    };
    let found = discover(&host, &options);
    assert_eq!(found.problems, [], "{what}");
    let [entry] = &found.entries[..] else { panic!("{what}: {:?}", found.entries) };
    let Launch::Stdio(stdio) = &entry.launch else { panic!("{what}: no program") };
    assert_eq!((stdio.command.as_str(), stdio.args.as_slice()), ("npx", &["-y".to_owned()][..]));
    assert_eq!(entry.scope, location.scope, "{what}");
    assert_eq!(entry.file, path, "{what}");
    let may = location.report_only.is_none() && location.format != Format::Shell;
    assert_eq!(entry.protection == Protection::Wrappable, may, "{what}");

    let journal = Journal::new(root.path().join("journal"));
    let choice = Choice { projects: true, ..Choice::default() };
    let wrapper = Wrapper { program: "/d/defenter".to_owned(), portable: "defenter".to_owned() };
    let plan = plan_install(&found, &choice, &wrapper, &journal).expect("a plan");
    assert_eq!(plan.is_empty(), !may, "{what}");
    apply(&plan, &journal, &SystemPatience, &mut NoCheckpoint).expect("applied");
    let found = discover(&host, &options);
    assert_eq!(found.entries[0].wrapped.is_some(), may, "{what}");
    assert!(!found.entries[0].disabled);
    let plan = plan_uninstall(&found, &choice, &journal).expect("a plan");
    apply(&plan, &journal, &SystemPatience, &mut NoCheckpoint).expect("applied");
    assert_eq!(std::fs::read_to_string(&path).expect("text"), original, "{what}");
}

#[test]
fn every_place_of_the_table_is_found_wrapped_and_given_back_on_every_system() {
    let mut places = 0;
    let mut seen = BTreeSet::new();
    for os in [Os::Linux, Os::Macos, Os::Windows] {
        for client in all() {
            for location in client.locations.iter().filter(|location| location.is_on(os)) {
                let keys = if location.keys.is_empty() { &[""] } else { location.keys };
                for pattern in location.paths {
                    for key in keys {
                        check(os, client, location, pattern, key);
                        places += 1;
                        seen.insert(client.id);
                    }
                }
            }
        }
    }
    assert!(places > 400, "{places}");
    let without: Vec<_> = all().map(|client| client.id).filter(|id| !seen.contains(id)).collect();
    assert_eq!(without, [], "clients without a place that could be tried");
}

#[test]
fn every_client_of_the_manifest_has_a_row() {
    let text = include_str!("../fixtures/MANIFEST.json");
    let manifest: serde_json::Value = serde_json::from_str(text).expect("JSON");
    let ids: BTreeSet<&str> = all().map(|client| client.id.as_str()).collect();
    for id in manifest["clients"].as_array().expect("clients") {
        assert!(ids.contains(id.as_str().expect("an id")), "{id}");
    }
}
