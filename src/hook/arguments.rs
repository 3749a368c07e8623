//! What an agent gives to its own tools, in one shape whatever the client calls it.
//!
//! Promises: nothing is left out of what is inspected; what is not understood is inspected whole.

use defenter_mcp::read;
use serde_json::{Map, Value, json};

const COMMANDS: &[&str] =
    &["command", "cmd", "commandLine", "command_line", "CommandLine", "script", "input", "chars"];
const FILES: &[&str] = &[
    "file_path",
    "filePath",
    "path",
    "absolute_path",
    "AbsolutePath",
    "TargetFile",
    "target_file",
    "filename",
    "notebook_path",
    "target_notebook",
    "uri",
    "file",
];

/// The marks of a file in a patch that an agent applies.
const PATCH_FILES: &[&str] =
    &["*** Add File: ", "*** Update File: ", "*** Delete File: ", "*** Move to: "];

/// What is given to a tool that runs commands: the command and the folder, or all of it.
pub(super) fn shell(given: &str, cwd: Option<&str>) -> String {
    let cwd = cwd.map_or_else(|| "null".to_owned(), quoted);
    match member(given, COMMANDS) {
        Some((_, command)) => format!(r#"{{"command":{command},"cwd":{cwd}}}"#),
        None => format!(r#"{{"given":{given},"cwd":{cwd}}}"#),
    }
}

/// The command as one line; empty where there is none.
pub(super) fn command_line(given: &str) -> String {
    let Some((_, raw)) = member(given, COMMANDS) else { return String::new() };
    if let Some(text) = read::string(raw.as_bytes()) {
        return text.into_owned();
    }
    let words = read::elements(raw.as_bytes()).filter_map(read::string);
    // Each is one word to the program, so each is quoted here.
    words.map(|word| format!("'{}' ", word.replace('\'', r"'\''"))).collect()
}

/// The file that a tool is given, as an absolute path where that can be told.
pub(super) fn file(given: &str, cwd: Option<&str>) -> Option<String> {
    let (_, raw) = member(only_operation(given).unwrap_or(given), FILES)?;
    let path = read::string(raw.as_bytes())?.into_owned();
    let is_relative = !path.starts_with(['/', '~', '\\', '$']) && !path.contains(':');
    Some(match cwd {
        Some(cwd) if is_relative => format!("{}/{path}", cwd.trim_end_matches('/')),
        _ => path,
    })
}

/// The one of several operations that Amazon Q and Kiro read files with, where there is one.
fn only_operation(given: &str) -> Option<&str> {
    let (_, operations) = member(given, &["operations"])?;
    let mut operations = read::elements(operations.as_bytes());
    let first = operations.next()?;
    operations.next().is_none().then(|| std::str::from_utf8(first).ok())?
}

/// What is given to a tool that writes files: the paths, and all texts as text.
pub(super) fn edit(given: &str, cwd: Option<&str>) -> String {
    if let Some(patch) = patch(given) {
        let paths: Vec<&str> = patch
            .lines()
            .filter_map(|line| PATCH_FILES.iter().find_map(|mark| line.strip_prefix(mark)))
            .map(str::trim)
            .collect();
        return json!({ "paths": paths, "content": patch }).to_string();
    }
    let file = file(given, cwd);
    let mut members = Vec::new();
    let mut texts = Vec::new();
    for (key, value) in read::members(given.as_bytes()) {
        let Ok(value) = std::str::from_utf8(value) else { continue };
        if value.starts_with('"') && !FILES.contains(&&*key) {
            texts.push(value);
        } else {
            members.push(format!("{}:{value}", quoted(&key)));
        }
    }
    members.push(format!(r#""path":{}"#, file.map_or_else(|| "null".to_owned(), |it| quoted(&it))));
    members.push(format!(r#""content":[{}]"#, texts.join(",")));
    format!("{{{}}}", members.join(","))
}

/// The text of a patch, where that is what is given.
fn patch(given: &str) -> Option<String> {
    const BEGIN: &str = "*** Begin Patch";
    if !given.contains(BEGIN) {
        return None;
    }
    let value: Value = serde_json::from_str(given).ok()?;
    let mut texts = value.as_object().map(Map::values)?.flat_map(|value| match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    });
    texts.find(|text| text.trim_start().starts_with(BEGIN))
}

/// The first of these members that an object has, raw; the last of its name, as clients take it.
pub(super) fn member<'a>(
    object: &'a str,
    keys: &[&'static str],
) -> Option<(&'static str, &'a str)> {
    let value = |wanted: &str| {
        let members = read::members(object.as_bytes());
        let (_, value) = members.filter(|(key, _)| key == wanted).last()?;
        std::str::from_utf8(value).ok()
    };
    keys.iter().find_map(|key| Some((*key, value(key)?)))
}

/// A text as JSON.
pub(super) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(got: &str, wanted: &Value) {
        assert_eq!(&serde_json::from_str::<Value>(got).unwrap(), wanted);
    }

    #[test]
    fn commands_are_found_whatever_they_are_called() {
        let wanted = json!({"command": "ls", "cwd": "/w"});
        check(&shell(r#"{"command":"ls","description":"x"}"#, Some("/w")), &wanted);
        check(&shell(r#"{"command":"rm","CommandLine":"y","command":"ls"}"#, Some("/w")), &wanted);
        let wanted = json!({"command": ["sh", "-c", "ls"], "cwd": null});
        check(&shell(r#"{"command":["sh","-c","ls"]}"#, None), &wanted);
        check(&shell(r#"{"x":"ls"}"#, None), &json!({"given": {"x": "ls"}, "cwd": null}));
    }

    #[test]
    fn files_are_found_in_the_workspace() {
        let check = |given: &str, wanted: Option<&str>| {
            assert_eq!(file(given, Some("/w")).as_deref(), wanted, "{given}");
        };
        check(r#"{"file_path":"/a/b"}"#, Some("/a/b"));
        check(r#"{"filePath":"a/b"}"#, Some("/w/a/b"));
        check(r#"{"path":"~/x"}"#, Some("~/x"));
        check(r#"{"path":"C:\\x"}"#, Some("C:\\x"));
        check(r#"{"operations":[{"mode":"Line","path":"x"}]}"#, Some("/w/x"));
        check(r#"{"operations":[{"path":"x"},{"path":"y"}]}"#, None);
        assert_eq!(file(r#"{"path":"b"}"#, None).as_deref(), Some("b"));
    }

    #[test]
    fn texts_of_an_edit_are_texts_and_nothing_is_left_out() {
        let given = r#"{"file_path":"a.rs","CodeContent":"x","edits":[{"old_string":"y"}],"n":1}"#;
        check(
            &edit(given, Some("/w")),
            &json!({"file_path": "a.rs", "edits": [{"old_string": "y"}], "n": 1,
                    "path": "/w/a.rs", "content": ["x"]}),
        );
    }

    #[test]
    fn a_patch_names_its_files() {
        let text = "*** Begin Patch\n*** Update File: a.rs\n+x\n*** Add File: b\n*** End Patch";
        let wanted = json!({"paths": ["a.rs", "b"], "content": text});
        check(&edit(&json!({"input": text}).to_string(), None), &wanted);
        check(&edit(&json!({"command": ["apply_patch", text]}).to_string(), None), &wanted);
    }
}
