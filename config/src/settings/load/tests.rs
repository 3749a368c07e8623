//! Layers, origins, locks, and errors that name the place and never the value.

use super::*;
use crate::settings::{Durability, Preset};

fn file(name: &str, text: &str) -> Option<Source> {
    Some(Source { path: PathBuf::from(name), bytes: text.as_bytes().to_vec() })
}

fn user(text: &str) -> Sources {
    Sources { user: file("u.json", text), ..Sources::default() }
}

fn with_env(mut sources: Sources, env: &[(&str, &str)]) -> Sources {
    sources.env = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    sources
}

fn error(sources: &Sources) -> String {
    let error = sources.load().expect_err("an error");
    list(&[error])
}

#[test]
fn nothing_set_is_the_default() {
    let loaded = Sources::default().load().expect("settings");
    assert_eq!(loaded.settings, Settings::default());
    assert_eq!(loaded.settings.proxy.max_line_bytes, 67_108_864);
    assert!(loaded.explain_all().iter().all(|e| e.origin == Origin::Default));
    assert_eq!(user("").load().expect("an empty file").settings, Settings::default());
}

#[test]
fn a_later_layer_wins_and_each_value_knows_its_origin() {
    let sources = Sources {
        organisation: file(
            "o.json",
            r#"{"policy":{"preset":"strict"},"audit":{"durability":"disk"}}"#,
        ),
        user: file("u.json", "{\n  // mine\n  \"audit\": { \"durability\": \"os\" },\n}\n"),
        flags: vec![("dialog.max_pending".to_owned(), "7".to_owned())],
        ..Sources::default()
    };
    let env = [
        ("DEFENTER_RESTART_INTENSITY", "9"),
        ("DEFENTER_REDACTION_DISABLED_KINDS", "email, phone"),
        ("DEFENTER_HOME", "/x"),
        ("DEFENTER_CONSOLE_ENABLED", "off"),
    ];
    let loaded = with_env(sources, &env).load().expect("settings");
    assert_eq!(loaded.settings.policy.preset, Preset::Strict);
    assert_eq!(loaded.settings.audit.durability, Durability::Os);
    assert_eq!(loaded.settings.restart.intensity, 9);
    assert_eq!(loaded.settings.redaction.disabled_kinds, ["email", "phone"]);
    assert_eq!(loaded.settings.dialog.max_pending, 7);
    assert!(!loaded.settings.console.enabled);
    let explained = loaded.explain("audit.durability").expect("explained");
    assert_eq!(explained.origin.to_string(), "u.json:3:14");
    assert_eq!(explained.default, Value::from("os"));
    assert!(!explained.description.is_empty());
    let explained = loaded.explain("restart.intensity").expect("explained");
    assert_eq!(explained.origin, Origin::Env("DEFENTER_RESTART_INTENSITY".to_owned()));
    assert_eq!(loaded.explain("dialog.max_pending").expect("one").origin, Origin::Flag);
}

#[test]
fn an_unknown_key_is_an_error_with_a_suggestion_and_a_place() {
    let check = |sources: &Sources, expected: &str| assert_eq!(error(sources), expected);
    check(
        &user("{\n  \"proxy\": { \"max_line_byte\": 1 }\n}"),
        "u.json:2:14: unknown key `proxy.max_line_byte` (did you mean `proxy.max_line_bytes`?)",
    );
    check(&user("{\"polcy\":{}}"), "u.json:1:2: unknown key `polcy` (did you mean `policy`?)");
    check(
        &user("{\"preset\":\"strict\"}"),
        "u.json:1:2: unknown key `preset` (did you mean `policy.preset`?)",
    );
    check(&user("{\"zzzzzzzz\":1}"), "u.json:1:2: unknown key `zzzzzzzz`");
    check(&user("{\"locked\":[]}"), "u.json:1:2: unknown key `locked`");
    check(
        &with_env(Sources::default(), &[("DEFENTER_AUDIT_DURABILTY", "x")]),
        "environment variable DEFENTER_AUDIT_DURABILTY: unknown key `DEFENTER_AUDIT_DURABILTY` \
         (did you mean `DEFENTER_AUDIT_DURABILITY`?)",
    );
}

#[test]
fn a_value_that_does_not_fit_is_an_error_that_does_not_show_it() {
    let check = |text: &str, expected: &str| {
        let found = error(&user(text));
        assert!(found.contains(expected), "{found}");
        assert!(!found.contains("s3cret"), "{found}");
    };
    check(r#"{"proxy":{"max_line_bytes":"s3cret"}}"#, "expected a whole number");
    check(r#"{"proxy":{"max_line_bytes":1}}"#, "expected a number from 65536 to 1073741824");
    check(r#"{"proxy":{"max_line_bytes":-1}}"#, "expected a whole number");
    check(r#"{"proxy":{"max_line_bytes":1.5}}"#, "expected a whole number");
    check(r#"{"policy":{"preset":"s3cret"}}"#, "one of balanced, strict, read-only, observe");
    check(r#"{"policy":"s3cret"}"#, "expected an object");
    check(r#"{"redaction":{"disabled_kinds":[1]}}"#, "`redaction.disabled_kinds[0]`");
    check(r#"{"redaction":{"disabled_kinds":"s3cret"}}"#, "expected a list");
    check(r#"{"redaction":{"rules":["s3cret"]}}"#, "expected absolute paths");
    check(r#"{"console":{"listen":"0.0.0.0:7420"}}"#, "expected a loopback address");
    check(r#"{"policy":{"directory":"s3cret"}}"#, "expected an absolute path");
    check(r#"{"restart":{"backoff_max_ms":10}}"#, "must not be below the first one");
    check(r#"{"audit":{"max_total_bytes":131072}}"#, "must hold two files");
    check("[]", "line 1, column 1: expected an object");
    check("{\n  \"proxy\" }", "line 2");
}

#[test]
fn every_error_is_told() {
    let found = error(&user("{\"a_very_strange_key\":1,\n\"dialog\":{\"enabled\":3}}"));
    assert_eq!(found.lines().count(), 2, "{found}");
}

#[test]
fn the_organisation_can_lock_a_key() {
    let sources = Sources {
        organisation: file("o.json", r#"{"locked":["policy"],"policy":{"preset":"strict"}}"#),
        user: file("u.json", r#"{"policy":{"preset":"observe"}}"#),
        ..Sources::default()
    };
    let sources = with_env(sources, &[("DEFENTER_POLICY_DIRECTORY", "/mine")]);
    let loaded = sources.load().expect("settings");
    assert_eq!(loaded.settings.policy.preset, Preset::Strict);
    assert_eq!(loaded.settings.policy.directory, None);
    assert_eq!(loaded.warnings.len(), 2);
    assert!(loaded.explain("policy.preset").expect("explained").locked);
    let bad =
        Sources { organisation: file("o.json", r#"{"locked":["polcy"]}"#), ..Sources::default() };
    assert!(error(&bad).contains("did you mean `policy`"));
}

#[test]
fn the_old_file_is_read_when_it_is_all_there_is() {
    let old = "# mine\nAPI_URL=https://p.example\nDEBUG = yes\nALLOW_BLOCK_OVERRIDE=0\n\
               MIN_BLOCK_SEVERITY=high\nCOLOUR=red\n";
    let sources = Sources { legacy: file("config", old), ..Sources::default() };
    let loaded = sources.load().expect("settings");
    assert_eq!(loaded.settings.log.level, crate::settings::Level::Debug);
    assert_eq!(loaded.explain("log.level").expect("one").origin.to_string(), "config:3:1");
    let warnings: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "config:2:1: `API_URL` is not used by this version",
            "config:4:1: `ALLOW_BLOCK_OVERRIDE` is not used by this version",
            "config:5:1: `MIN_BLOCK_SEVERITY` is not used by this version",
            "config:6:1: `COLOUR` is not a setting",
        ]
    );
    let both = Sources { user: file("u.json", "{}"), ..sources };
    let loaded = both.load().expect("settings");
    assert_eq!(loaded.settings, Settings::default());
    assert_eq!(loaded.warnings, [Warning::LegacyIgnored { path: PathBuf::from("config") }]);
}

#[test]
fn a_file_that_cannot_be_read_is_an_error_and_a_missing_one_is_not() {
    let place = tempfile::tempdir().expect("a folder");
    assert!(Source::read(&place.path().join("none")).expect("no error").is_none());
    assert!(Source::read(place.path()).is_err());
}

#[test]
fn a_list_of_objects_is_checked_to_its_last_key() {
    let check = |text: &str, expected: &[&str]| {
        let found = error(&user(&format!("{{\"redaction\":{{\"exceptions\":\n{text}}}}}")));
        assert_eq!(found.lines().collect::<Vec<_>>(), expected, "{text}");
    };
    check(
        r#"[{"kind":["email"],"reason":"x"}]"#,
        &["u.json:2:3: unknown key `redaction.exceptions[0].kind` (did you mean `kinds`?)"],
    );
    check(
        "[{\"kinds\":[\"email\"],\"reason\":\"x\"},\n{\"rules\":[3],\"values\":\"s3cret\"}]",
        &[
            "u.json:3:11: `redaction.exceptions[1].rules[0]` does not fit: expected a string",
            "u.json:3:14: `redaction.exceptions[1].values` does not fit: expected a list",
            "u.json:3:1: `redaction.exceptions[1]` does not fit: expected `reason` in it",
        ],
    );
    check(
        r#"[{"kinds":["email"],"reason":""}]"#,
        &["u.json:2:21: `redaction.exceptions[0].reason` does not fit: \
           expected a text of 1 to 1024 characters"],
    );
    check("[5]", &["u.json:2:2: `redaction.exceptions[0]` does not fit: expected an object"]);
    check("{}", &["u.json:1:15: `redaction.exceptions` does not fit: expected a list"]);
}

#[test]
fn exceptions_are_read_from_files_and_from_the_environment() {
    let text = r#"[{"servers":["files"],"kinds":["email"],"reason":"names of files"}]"#;
    let env = [("DEFENTER_REDACTION_EXCEPTIONS", text)];
    let from_file = user(&format!(r#"{{"redaction":{{"exceptions":{text}}}}}"#));
    for sources in [from_file, with_env(Sources::default(), &env)] {
        let settings = sources.load().expect("settings").settings;
        let [exception] = &settings.redaction.exceptions[..] else { panic!("one exception") };
        assert_eq!(exception.servers, ["files"]);
        assert_eq!(exception.kinds, ["email"]);
        assert_eq!(exception.reason, "names of files");
    }
    let shown = format!(
        "{:?}",
        crate::settings::Exception { values: vec!["s3cret".to_owned()], ..Default::default() }
    );
    assert!(!shown.contains("s3cret"), "{shown}");
}
