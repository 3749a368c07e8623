//! Files that are not what they should be.

use std::collections::BTreeMap;
use std::path::PathBuf;

use defenter_config::clients::{Discovery, Launch, Options, ProblemKind, by_id, discover};
use defenter_config::install::{Choice, Journal, Wrapper, plan_install};
use defenter_config::{Host, Os};
use tempfile::TempDir;

/// A home with nothing in it.
struct Home {
    folder: TempDir,
}

impl Home {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    fn path(&self, path: &str) -> PathBuf {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        path
    }

    fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(path), bytes).expect("written");
    }

    fn discover(&self) -> Discovery {
        let host = Host::new(Os::Linux, self.folder.path(), BTreeMap::new());
        discover(&host, &Options::default())
    }

    /// The kind, the place and the message of the only problem; nothing was found besides.
    fn problem(&self) -> (ProblemKind, Option<(usize, usize)>, String) {
        let found = self.discover();
        assert!(found.entries.is_empty());
        let [problem] = &found.problems[..] else { panic!("{:?}", found.problems) };
        let place = problem.place.map(|place| (place.line, place.column));
        (problem.kind, place, problem.message.clone())
    }

    /// Nothing is planned, since nothing can be changed.
    fn plan_is_empty(&self) -> bool {
        let wrapper = Wrapper { program: "/d/defenter".to_owned(), portable: "d".to_owned() };
        let journal = Journal::new(self.folder.path().join(".defenter"));
        plan_install(&self.discover(), &Choice::default(), &wrapper, &journal)
            .expect("a plan")
            .is_empty()
    }
}

const CURSOR: &str = ".cursor/mcp.json";
const SERVER: &str = r#"{"mcpServers":{"a":{"command":"npx","args":[]}}}"#;

#[test]
fn a_file_that_is_missing_is_no_problem() {
    let home = Home::new();
    let found = home.discover();
    assert_eq!((found.entries.len(), found.problems.len()), (0, 0));
    // A file where a folder should be, neither.
    home.write(".cursor", "");
    assert_eq!(home.discover().problems, []);
}

#[test]
fn an_empty_file_names_no_server() {
    for text in ["", " \n", "{}", "[]", "null", "// nothing\n", "{\"mcpServers\":null}", "3"] {
        let home = Home::new();
        home.write(CURSOR, text);
        let found = home.discover();
        assert_eq!((found.entries.len(), found.problems.len()), (0, 0), "{text}");
    }
}

#[test]
fn a_folder_in_the_place_of_a_file() {
    let home = Home::new();
    std::fs::create_dir_all(home.path(CURSOR)).expect("a folder");
    assert_eq!(home.problem().0, ProblemKind::NotAFile);
}

#[test]
fn a_link_that_leads_nowhere() {
    let home = Home::new();
    std::os::unix::fs::symlink("/nonexistent/x", home.path(CURSOR)).expect("a link");
    let (kind, _, message) = home.problem();
    assert_eq!(kind, ProblemKind::BrokenLink);
    assert!(message.contains("/nonexistent/x"), "{message}");
}

#[test]
fn a_link_to_itself() {
    let home = Home::new();
    let path = home.path(CURSOR);
    std::os::unix::fs::symlink(&path, &path).expect("a link");
    assert_eq!(home.problem().0, ProblemKind::Unreadable);
}

#[test]
fn a_pipe_is_never_opened() {
    let home = Home::new();
    let path = home.path(CURSOR);
    let status = std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo");
    assert!(status.success());
    assert_eq!(home.problem().0, ProblemKind::NotAFile);
}

#[test]
fn an_unreadable_file() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    home.write(CURSOR, SERVER);
    let path = home.path(CURSOR);
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o000)).expect("a mode");
    if std::fs::read(&path).is_ok() {
        // The superuser reads everything; then a plan is what must refuse.
        assert!(home.plan_is_empty());
        return;
    }
    assert_eq!(home.problem().0, ProblemKind::Unreadable);
}

#[test]
fn a_read_only_file_is_read_and_not_changed() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    home.write(CURSOR, SERVER);
    std::fs::set_permissions(home.path(CURSOR), PermissionsExt::from_mode(0o444)).expect("a mode");
    assert_eq!(home.discover().entries.len(), 1);
    assert!(home.plan_is_empty());
}

#[test]
fn a_file_with_another_hard_link_is_read_and_not_changed() {
    let home = Home::new();
    home.write(CURSOR, SERVER);
    std::fs::hard_link(home.path(CURSOR), home.path("other")).expect("a link");
    assert_eq!(home.discover().entries.len(), 1);
    assert!(home.plan_is_empty());
}

#[test]
fn malformed_files_are_told_with_line_and_column() {
    let check = |file: &str, text: &str, place: (usize, usize)| {
        let home = Home::new();
        home.write(file, text);
        let (kind, found, message) = home.problem();
        assert_eq!((kind, found), (ProblemKind::Malformed, Some(place)), "{text}: {message}");
        assert!(home.plan_is_empty());
        assert_eq!(std::fs::read(home.path(file)).expect("text"), text.as_bytes());
    };
    check(CURSOR, "{\n  \"mcpServers\": {\n    \"a\": {,}\n", (3, 11));
    check(CURSOR, "{\"a\":1} x", (1, 9));
    check(CURSOR, "{'a':1}", (1, 2));
    check(".codex/config.toml", "a = 1\n[mcp_servers.x\ncommand = 1\n", (2, 15));
    check(".codex/config.toml", "a = 1\na = 2\n", (2, 1));
    check(".config/goose/config.yaml", "a:\n  - b\n c: d\n", (3, 2));
    check(".config/goose/config.yaml", "a: 1\n---\nb: 2\n", (2, 1));
    // What the client refuses is malformed for us.
    check(".gemini/settings.json", "{\n  \"a\": 1,\n}", (2, 9));
    check(".claude.json", "{\n  // x\n}", (2, 3));
}

#[test]
fn bytes_that_are_no_text() {
    let utf16: Vec<u8> = SERVER.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let with_mark = [b"\xff\xfe".to_vec(), utf16].concat();
    for (bytes, hint) in [(b"{\"a\":\"\xff\"}".to_vec(), false), (with_mark, true)] {
        let home = Home::new();
        home.write(CURSOR, bytes);
        let (kind, _, message) = home.problem();
        assert_eq!((kind, message.contains("UTF-16")), (ProblemKind::Malformed, hint));
    }
}

#[test]
fn a_mark_that_the_client_refuses_is_told_and_the_servers_too() {
    let home = Home::new();
    home.write(".gemini/settings.json", format!("\u{feff}{SERVER}"));
    let found = home.discover();
    assert_eq!(found.entries.len(), 1);
    assert_eq!(found.problems[0].kind, ProblemKind::ByteOrderMark);
}

#[test]
fn depth_and_size_are_bounded() {
    let deep = |open: &str, close: &str| open.repeat(100_000) + &close.repeat(100_000);
    for (file, text) in [
        (CURSOR, deep("{\"a\":", "}")),
        (CURSOR, deep("[", "]")),
        (".codex/config.toml", format!("a = {}", deep("[", "]"))),
        (".config/goose/config.yaml", deep("[", "]")),
        (".config/goose/config.yaml", deep("- ", "x")),
    ] {
        let home = Home::new();
        home.write(file, text);
        let kind = home.problem().0;
        assert!(matches!(kind, ProblemKind::TooLarge | ProblemKind::Malformed), "{kind:?}");
    }
    let home = Home::new();
    let file = std::fs::File::create(home.path(CURSOR)).expect("a file");
    file.set_len(defenter_config::doc::MAX_FILE_BYTES + 1).expect("a length");
    assert_eq!(home.problem().0, ProblemKind::TooLarge);
}

#[test]
fn aliases_do_not_expand_for_ever() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let before = format!("*a{}, ", level - 1).repeat(9);
        text += &format!("a{level}: &a{level} [{}]\n", before.trim_end_matches(", "));
    }
    let home = Home::new();
    home.write(".config/goose/config.yaml", text);
    assert_eq!(home.problem().0, ProblemKind::TooLarge);
}

#[test]
fn of_duplicate_keys_the_last_counts() {
    let home = Home::new();
    let text = r#"{"mcpServers":{"a":{"command":"0"}},
        "mcpServers":{"a":{"command":"1"},"a":{"command":"2","command":"3"}}}"#;
    home.write(CURSOR, text);
    let found = home.discover();
    let [entry] = &found.entries[..] else { panic!("{:?}", found.entries) };
    let Launch::Stdio(stdio) = &entry.launch else { panic!("a program") };
    assert_eq!(stdio.command, "3");
}

#[test]
fn entries_of_the_wrong_type_are_no_servers() {
    let home = Home::new();
    let text = r#"{"mcpServers":{"a":1,"b":[],"c":{"command":7},"d":{"command":[]},"e":{"command":[1]},
        "f":{"url":null},"g":{},"h":{"command":{"path":1}},"i":{"transport":{}}}}"#;
    home.write(CURSOR, text);
    let found = home.discover();
    assert_eq!((found.entries.len(), found.problems.len()), (0, 0));
}

#[test]
fn a_listed_project_that_is_no_path_is_left_out() {
    let home = Home::new();
    let projects = r#"{"projects":{"relative":{},"":{},"/":{},"\u0000":{},"/nonexistent/*":{}}}"#;
    home.write(".claude.json", projects);
    assert_eq!(home.discover().problems, []);
    let client = by_id("claude-code").expect("a client");
    let host = Host::new(Os::Linux, home.folder.path(), BTreeMap::new());
    let options = Options { clients: vec![client.id], ..Options::default() };
    assert!(discover(&host, &options).entries.is_empty());
}

#[test]
fn a_name_that_cannot_be_an_argument_is_not_wrapped() {
    let home = Home::new();
    home.write(
        CURSOR,
        r#"{"mcpServers":{"--":{"command":"a"},"-x":{"command":"a"},"":{"command":"a"},"a\u0000":{"command":"a"}}}"#,
    );
    assert_eq!(home.discover().entries.len(), 4);
    assert!(home.plan_is_empty());
}

#[test]
fn the_home_may_be_a_project_and_its_files_come_once() {
    let home = Home::new();
    home.write(CURSOR, SERVER);
    home.write(".mcp.json", SERVER);
    let listed =
        serde_json::json!({ "projects": { home.folder.path().to_str().expect("a path"): {} } });
    home.write(".claude.json", listed.to_string());
    let found = home.discover();
    let found: Vec<_> =
        found.entries.iter().map(|entry| (entry.client.as_str(), entry.scope.as_str())).collect();
    assert_eq!(found, [("claude-code", "project"), ("cursor", "user")]);
}
