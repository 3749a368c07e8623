//! While the supervisor runs, a client's config that is not as it should be is noticed, told and,
//! where the settings say so, mended; another command under a known name is only told.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::bed::{Bed, told};
use crate::patience::assert_eventually;
use crate::programs::{DEFENTER, misbehave};

const CURSOR: &str = ".cursor/mcp.json";
const WINDSURF: &str = ".codeium/windsurf/mcp_config.json";

/// A config with servers of these names, each with its first argument.
fn config(servers: &[(&str, &str)]) -> String {
    let entry = |(name, arg): &(&str, &str)| {
        ((*name).to_owned(), json!({"command": misbehave(), "args": [arg]}))
    };
    let servers: serde_json::Map<String, Value> = servers.iter().map(entry).collect();
    serde_json::to_string_pretty(&json!({"mcpServers": servers})).expect("it is JSON")
}

/// The findings that the supervisor tells: kind, client and name.
fn findings(bed: &Bed) -> Vec<(String, String, String)> {
    let status = bed.json(&["status", "--json"]);
    let text = |finding: &Value, key: &str| finding[key].as_str().expect("a text").to_owned();
    let of =
        |finding: &Value| (text(finding, "kind"), text(finding, "client"), text(finding, "name"));
    status["findings"].as_array().expect("findings").iter().map(of).collect()
}

fn finding(kind: &str, name: &str) -> Vec<(String, String, String)> {
    vec![(kind.to_owned(), "cursor".to_owned(), name.to_owned())]
}

fn gauge(bed: &Bed, kind: &str) -> Option<String> {
    let (_, page) = bed.get("/metrics");
    let start = format!("defenter_config_findings{{kind=\"{kind}\"}} ");
    page.lines().find_map(|line| line.strip_prefix(&start).map(str::to_owned))
}

fn text(path: &PathBuf) -> String {
    fs::read_to_string(path).expect("a config")
}

/// Whether a server of a config runs through the program under test.
fn is_wrapped(path: &PathBuf, name: &str) -> bool {
    let config: Value = serde_json::from_str(&text(path)).unwrap_or_default();
    config["mcpServers"][name]["command"] == DEFENTER
}

fn install(bed: &Bed) {
    let output = bed.run(&["install", "--yes"]);
    assert!(output.status.success(), "{}", told(&output));
}

#[test]
fn an_entry_that_appears_or_is_changed_back_is_told_and_left_alone() {
    let bed = Bed::new();
    let path = bed.write(CURSOR, config(&[("one", "serve")]));
    install(&bed);
    let wrapped = text(&path);
    let mut bed = bed.up();
    assert_eventually!(findings(&bed).is_empty(), "{:?}", findings(&bed));

    let mut more: Value = serde_json::from_str(&wrapped).expect("a config");
    more["mcpServers"]["two"] = json!({"command": misbehave()});
    let more = more.to_string();
    bed.write(CURSOR, &more);
    let unprotected = finding("unprotected", "two");
    assert_eventually!(findings(&bed) == unprotected, "{:?}", findings(&bed));
    assert_eq!(gauge(&bed, "unprotected").as_deref(), Some("1"));
    assert_eq!(text(&path), more, "nobody said that it may be changed");

    bed.write(CURSOR, config(&[("one", "serve")]));
    let unwrapped = finding("unwrapped", "one");
    assert_eventually!(findings(&bed) == unwrapped, "{:?}", findings(&bed));
    assert_eq!(gauge(&bed, "unprotected").as_deref(), Some("0"));
    assert_eq!(gauge(&bed, "unwrapped").as_deref(), Some("1"));
    let page = told(&bed.run(&["status"]));
    assert!(page.contains("one (cursor): the entry was changed back"), "{page}");
    assert_eq!(bed.run(&["status", "--check"]).status.code(), Some(7));

    install(&bed);
    assert_eventually!(findings(&bed).is_empty(), "{:?}", findings(&bed));
    let log = bed.supervisor().stderr();
    for line in ["finding=unprotected server=\"two\"", "finding=unwrapped server=\"one\""] {
        assert!(log.contains(line), "{line} is missing in {log}");
    }
}

#[test]
fn where_the_settings_say_so_an_entry_is_wrapped_by_itself() {
    let mut bed = Bed::new().settings(json!({"install": {"auto": true}})).up();
    let path = bed.write(CURSOR, config(&[("one", "serve")]));
    assert_eventually!(is_wrapped(&path, "one"), "{}", text(&path));
    assert_eventually!(findings(&bed).is_empty(), "{:?}", findings(&bed));

    let bare = config(&[("one", "serve"), ("two", "serve")]);
    bed.write(CURSOR, &bare);
    assert_eventually!(is_wrapped(&path, "one") && is_wrapped(&path, "two"), "{}", text(&path));
    assert_eventually!(findings(&bed).is_empty(), "{:?}", findings(&bed));

    let refused = bed.run(&["uninstall", "--yes"]);
    assert!(!refused.status.success(), "{}", told(&refused));
    assert!(told(&refused).contains("install.auto"), "{}", told(&refused));
    assert!(is_wrapped(&path, "one"));

    assert!(bed.down().success());
    let output = bed.run(&["uninstall", "--yes"]);
    assert!(output.status.success(), "{}", told(&output));
    assert_eq!(text(&path), bare);
}

#[test]
fn another_command_under_a_wrapped_name_is_told_and_never_wrapped_by_itself() {
    let bed = Bed::new().settings(json!({"install": {"auto": true}}));
    let path = bed.write(CURSOR, config(&[("one", "serve")]));
    install(&bed);
    let wrapped = text(&path);
    let bed = bed.up();
    assert_eventually!(findings(&bed).is_empty(), "{:?}", findings(&bed));

    // Behind the wrapper, and in its place.
    let behind = wrapped.replace("\"serve\"", "\"count\"");
    for (round, other) in [behind, config(&[("one", "count")])].into_iter().enumerate() {
        bed.write(CURSOR, &other);
        let changed = finding("command_changed", "one");
        assert_eventually!(findings(&bed) == changed, "{:?}", findings(&bed));
        // What comes after it is wrapped, so there was the occasion.
        let name = format!("fresh{round}");
        let fresh = bed.write(WINDSURF, config(&[(&name, "serve")]));
        assert_eventually!(is_wrapped(&fresh, &name), "{}", text(&fresh));
        assert_eq!(text(&path), other);
        assert_eventually!(findings(&bed) == changed, "{:?}", findings(&bed));
        assert_eq!(gauge(&bed, "command_changed").as_deref(), Some("1"));
    }

    bed.write(CURSOR, &wrapped);
    assert_eventually!(findings(&bed).is_empty(), "{:?}", findings(&bed));
}

/// A desktop: a `notify-send` that notes what it is told, and the supervisor's settings for it.
fn with_desktop(bed: Bed) -> Bed {
    let script = "#!/bin/sh\nnote=$(mktemp \"$HOME/note.XXXXXX\")\n\
                  printf '%s\\n' \"$@\" >\"$note\"\nmv \"$note\" \"$note.told\"\n";
    let program = bed.write("desktop/notify-send", script);
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("our file");
    let path = std::env::var("PATH").expect("a path");
    let folder = program.parent().expect("a folder").display().to_string();
    bed.variable("PATH", format!("{folder}:{path}"))
        .settings(json!({"notifications": {"enabled": true, "interval_s": 1}}))
}

/// What the desktop was told, one text a notification.
fn notes(bed: &Bed) -> Vec<String> {
    let files = fs::read_dir(bed.home()).expect("a home").flatten().map(|file| file.path());
    let told = files.filter(|path| path.extension().is_some_and(|end| end == "told"));
    told.map(|path| text(&path)).collect()
}

#[test]
fn findings_are_told_on_the_desktop_gathered_and_without_secrets() {
    let secret = ["glp", "at-", "x7Kq9Zr2Tf5Wm8Vb3Lc1"].concat();
    let hostile = format!("$(touch owned)<b> {secret}");
    let bed = with_desktop(Bed::new()).up();
    bed.write(CURSOR, config(&[(&hostile, "serve"), ("two", "serve"), ("three", "serve")]));
    assert_eventually!(!notes(&bed).is_empty(), "{:?}", findings(&bed));
    let [note] = &notes(&bed)[..] else { panic!("{:?}", notes(&bed)) };
    assert!(note.contains("\n--\n3 findings about MCP servers\n"), "{note}");
    assert!(note.contains("“two” (cursor) does not run through Defenter\n"), "{note}");
    assert!(note.contains("“$(touch owned)‹b› [") && !note.contains(&secret), "{note}");
    assert!(!bed.home().join("owned").exists());

    install(&bed);
    assert_eventually!(findings(&bed).is_empty(), "{:?}", findings(&bed));
    bed.write(CURSOR, config(&[("two", "count")]));
    assert_eventually!(notes(&bed).len() > 1, "{:?}", findings(&bed));
    let is_urgent =
        |note: &String| note.contains("critical\n--\nAn MCP server's command was changed\n");
    assert!(notes(&bed).iter().any(is_urgent), "{:?}", notes(&bed));
}

#[test]
fn what_was_wrapped_by_itself_is_told_and_nothing_where_the_settings_say_so() {
    let bed = with_desktop(Bed::new());
    let mut bed =
        bed.settings(json!({"notifications": {"enabled": false}, "install": {"auto": true}})).up();
    let one = bed.write(CURSOR, config(&[("one", "serve")]));
    assert_eventually!(is_wrapped(&one, "one") && findings(&bed).is_empty());
    bed = bed.settings(json!({"notifications": {"enabled": true}}));
    // It writes the settings, and is answered by who has read them.
    assert!(bed.run(&["status"]).status.success());
    let log = "settings loaded";
    assert_eventually!(bed.supervisor().stderr().contains(log));
    let two = bed.write(WINDSURF, config(&[("two", "serve")]));
    assert_eventually!(is_wrapped(&two, "two"));
    assert_eventually!(!notes(&bed).is_empty(), "{}", bed.supervisor().stderr());
    let [note] = &notes(&bed)[..] else { panic!("{:?}", notes(&bed)) };
    assert!(
        note.contains("\n--\nAn MCP server runs through Defenter now\n“two” (windsurf)"),
        "{note}"
    );
}
