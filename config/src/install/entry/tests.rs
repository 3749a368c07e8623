//! Every shape in every format: wrapped as expected, and given back byte for byte.

use proptest::prelude::*;

use super::parts::texts;
use super::*;
use crate::doc::{Format, Node};

const WORDS: [&str; 6] = ["proxy", "--name", "x", "--client", "c", "--"];

fn wrap(
    doc: &Doc,
    steps: &[Step],
    program: &str,
    words: &[&str],
) -> Result<(String, Texts), EntryError> {
    let (text, done) = change(doc, &[Job { steps, task: Task::Wrap { program, words } }]);
    let [done] = <[Done; 1]>::try_from(done).expect("one result");
    Ok((text, done?.expect("texts")))
}

fn unwrap(doc: &Doc, steps: &[Step], saved: Option<&Texts>) -> Result<String, EntryError> {
    let (text, done) = change(doc, &[Job { steps, task: Task::Unwrap { saved } }]);
    let [done] = <[Done; 1]>::try_from(done).expect("one result");
    done.map(|_| text)
}

fn doc(text: &str, format: Format) -> Doc {
    Doc::parse(text.as_bytes(), format).expect("a document")
}

fn steps(path: &str) -> Vec<Step> {
    let step = |part: &str| match part.parse() {
        Ok(index) => Step::Index(index),
        Err(_) => Step::Key(part.to_owned()),
    };
    path.split('/').map(step).collect()
}

/// Wraps, compares, and unwraps with what was saved and from the entry alone.
fn check(format: Format, path: &str, before: &str, after: &str) {
    let steps = steps(path);
    let (wrapped, texts) = wrap(&doc(before, format), &steps, "/d/defenter", &WORDS).expect(before);
    assert_eq!(wrapped, after);
    let wrapped = doc(&wrapped, format);
    assert_eq!(program(&wrapped, &steps).as_deref(), Some("/d/defenter"));
    assert_eq!(unwrap(&wrapped, &steps, Some(&texts)).expect("unwrapped"), before);
    let again = wrap(&wrapped, &steps, "/d/defenter", &WORDS);
    assert_eq!(again.expect_err("no second time"), EntryError::AlreadyWrapped);
    let alone = unwrap(&wrapped, &steps, None).expect("unwrapped from the entry alone");
    // What was absent or null cannot be told from what was empty.
    if texts.args.as_deref().is_some_and(|text| text.starts_with(['[', '-']))
        || texts.args.as_deref() == Some("")
    {
        assert_eq!(alone, before);
    }
    assert_eq!(server(&doc(&alone, format), &steps), server(&doc(before, format), &steps));
}

fn server(doc: &Doc, steps: &[Step]) -> (Option<String>, Vec<String>) {
    let parts = Parts::of(doc, steps).expect("parts");
    let args = parts.list().map(|list| texts(list).expect("texts")).unwrap_or_default();
    (parts.program().map(str::to_owned), args)
}

#[test]
fn json_keeps_the_style_of_what_is_there() {
    let check = |before: &str, after: &str| check(Format::Jsonc, "s", before, after);
    check(
        r#"{ "s": { "command": "npx", "args": ["-y", "x"] } }"#,
        r#"{ "s": { "command": "/d/defenter", "args": ["proxy", "--name", "x", "--client", "c", "--", "npx", "-y", "x"] } }"#,
    );
    check(
        r#"{"s":{"args":["-y","x"],"command":"npx"}}"#,
        r#"{"s":{"args":["proxy","--name","x","--client","c","--","npx","-y","x"],"command":"/d/defenter"}}"#,
    );
    check(
        "{\r\n\t\"s\" : {\r\n\t\t\"command\" : \"a\\u0062\"\r\n\t}\r\n}",
        "{\r\n\t\"s\" : {\r\n\t\t\"command\" : \"/d/defenter\",\r\n\t\t\"args\" : [\"proxy\", \"--name\", \"x\", \"--client\", \"c\", \"--\", \"a\\u0062\"]\r\n\t}\r\n}",
    );
    check(
        "{\"s\": {\"command\": \"a\", \"args\": [\n    // first\n    \"1\", // one\n    \"2\",\n  ], \"env\": {}}}",
        "{\"s\": {\"command\": \"/d/defenter\", \"args\": [\n    // first\n    \"proxy\",\n    \"--name\",\n    \"x\",\n    \"--client\",\n    \"c\",\n    \"--\",\n    \"a\",\n    \"1\", // one\n    \"2\",\n  ], \"env\": {}}}",
    );
    check(
        r#"{"s":{"command":"a","args":[]}}"#,
        r#"{"s":{"command":"/d/defenter","args":["proxy","--name","x","--client","c","--","a"]}}"#,
    );
    check(
        r#"{"s":{"command":"a","args":null,"z":1}}"#,
        r#"{"s":{"command":"/d/defenter","args":["proxy","--name","x","--client","c","--","a"],"z":1}}"#,
    );
    check(
        r#"{"s":{"command":"a","z":[1.50, 1e3]}}"#,
        r#"{"s":{"command":"/d/defenter","args":["proxy","--name","x","--client","c","--","a"],"z":[1.50, 1e3]}}"#,
    );
}

#[test]
fn of_duplicates_the_last_is_wrapped() {
    check(
        Format::JsonStrict,
        "s",
        r#"{"s":{"command":"1"},"s":{"command":"a","command":"2","args":["b"]}}"#,
        r#"{"s":{"command":"1"},"s":{"command":"a","command":"/d/defenter","args":["proxy","--name","x","--client","c","--","2","b"]}}"#,
    );
}

#[test]
fn other_shapes_of_json() {
    check(
        Format::Jsonc,
        "s",
        r#"{ "s": { "type": "local", "command": ["bunx", "k"] } }"#,
        r#"{ "s": { "type": "local", "command": ["/d/defenter", "proxy", "--name", "x", "--client", "c", "--", "bunx", "k"] } }"#,
    );
    check(
        Format::JsonStrict,
        "s",
        r#"{ "s": { "transport": { "type": "stdio", "command": "npx", "args": ["y"] } } }"#,
        r#"{ "s": { "transport": { "type": "stdio", "command": "/d/defenter", "args": ["proxy", "--name", "x", "--client", "c", "--", "npx", "y"] } } }"#,
    );
    check(
        Format::Jsonc,
        "s",
        r#"{ "s": { "command": { "path": "p", "args": ["y"], "env": {} } } }"#,
        r#"{ "s": { "command": { "path": "/d/defenter", "args": ["proxy", "--name", "x", "--client", "c", "--", "p", "y"], "env": {} } } }"#,
    );
    check(
        Format::Json5,
        "mcp/s",
        "{ mcp: { s: { command: 'npx', args: ['-y'], }, } }",
        "{ mcp: { s: { command: \"/d/defenter\", args: [\"proxy\", \"--name\", \"x\", \"--client\", \"c\", \"--\", 'npx', '-y'], }, } }",
    );
}

#[test]
fn toml_of_every_kind() {
    let check = |path: &str, before: &str, after: &str| check(Format::Toml, path, before, after);
    check(
        "m/s",
        "# top\n[m.s]  # here\ncommand = 'C:\\x'  # why\nargs = [\n  \"--flag\", # a\n  \"va#lue\",\n]\n[m.t]\n",
        "# top\n[m.s]  # here\ncommand = \"/d/defenter\"  # why\nargs = [\n  \"proxy\",\n  \"--name\",\n  \"x\",\n  \"--client\",\n  \"c\",\n  \"--\",\n  'C:\\x',\n  \"--flag\", # a\n  \"va#lue\",\n]\n[m.t]\n",
    );
    check(
        "m/s",
        "[m.s]\r\ncommand = \"a\" # c\r\n[m.s.env]\nK = \"v\"\r\n",
        "[m.s]\r\nargs = [\"proxy\", \"--name\", \"x\", \"--client\", \"c\", \"--\", \"a\"]\r\ncommand = \"/d/defenter\" # c\r\n[m.s.env]\nK = \"v\"\r\n",
    );
    check(
        "m/s",
        "m.s = { command = \"node\", cwd = \"t\" }\n",
        "m.s = { command = \"/d/defenter\", args = [\"proxy\", \"--name\", \"x\", \"--client\", \"c\", \"--\", \"node\"], cwd = \"t\" }\n",
    );
    check(
        "m/s",
        "m.s.command = \"node\"\nm.s.cwd = \"t\"",
        "m.s.args = [\"proxy\", \"--name\", \"x\", \"--client\", \"c\", \"--\", \"node\"]\nm.s.command = \"/d/defenter\"\nm.s.cwd = \"t\"",
    );
    check(
        "m/1",
        "[[m]]\nname = \"a\"\n[[m]]\nname = \"b\"\ncommand = \"uvx\"\nargs = [\"v\"]\n",
        "[[m]]\nname = \"a\"\n[[m]]\nname = \"b\"\ncommand = \"/d/defenter\"\nargs = [\"proxy\", \"--name\", \"x\", \"--client\", \"c\", \"--\", \"uvx\", \"v\"]\n",
    );
}

#[test]
fn yaml_of_every_kind() {
    let check = |path: &str, before: &str, after: &str| check(Format::Yaml, path, before, after);
    check(
        "m/s",
        "# top\nm:\n  s:\n    cmd: npx # c\n    args:\n    - -y\n    - '@p/m'\n    timeout: 3\n",
        "# top\nm:\n  s:\n    cmd: \"/d/defenter\" # c\n    args:\n    - \"proxy\"\n    - \"--name\"\n    - \"x\"\n    - \"--client\"\n    - \"c\"\n    - \"--\"\n    - npx\n    - -y\n    - '@p/m'\n    timeout: 3\n",
    );
    check(
        "m/0",
        "m:\n  - name: Ünï # é\n    command: \"a b\"\n    args: [ \"-y\", '@p' ]\n  - uses: z\n",
        "m:\n  - name: Ünï # é\n    command: \"/d/defenter\"\n    args: [ \"proxy\", \"--name\", \"x\", \"--client\", \"c\", \"--\", \"a b\", \"-y\", '@p' ]\n  - uses: z\n",
    );
    check(
        "m/0",
        "m:\r\n  - command: npx # c\r\n    name: q\r\n",
        "m:\r\n  - command: \"/d/defenter\" # c\r\n    args: [\"proxy\", \"--name\", \"x\", \"--client\", \"c\", \"--\", npx]\r\n    name: q\r\n",
    );
    check(
        "m/s",
        "m: {s: {command: npx, env: {}}}\n",
        "m: {s: {command: \"/d/defenter\", args: [\"proxy\", \"--name\", \"x\", \"--client\", \"c\", \"--\", npx], env: {}}}\n",
    );
    check(
        "m/0",
        "m:\n- command: uvx\n  args:\n    - srv\n    - |-\n      /a b.db\n  n: 1\n",
        "m:\n- command: \"/d/defenter\"\n  args:\n    - \"proxy\"\n    - \"--name\"\n    - \"x\"\n    - \"--client\"\n    - \"c\"\n    - \"--\"\n    - uvx\n    - srv\n    - |-\n      /a b.db\n  n: 1\n",
    );
}

#[test]
fn a_plain_scalar_that_means_something_else_in_a_list_is_quoted_there() {
    let before = "s:\n  command: a,b [x]\n  args: [c]";
    let path = steps("s");
    let (wrapped, texts) =
        wrap(&doc(before, Format::Yaml), &path, "/d/defenter", &WORDS).expect("wrapped");
    assert!(wrapped.ends_with("\"--\", \"a,b [x]\", c]"), "{wrapped}");
    let wrapped = doc(&wrapped, Format::Yaml);
    assert_eq!(unwrap(&wrapped, &path, Some(&texts)).as_deref(), Ok(before));
    let alone = unwrap(&wrapped, &path, None);
    assert_eq!(alone.as_deref(), Ok("s:\n  command: \"a,b [x]\"\n  args: [c]"));
}

#[test]
fn what_cannot_be_edited_safely_is_refused() {
    let refused = |format: Format, path: &str, text: &str| {
        wrap(&doc(text, format), &steps(path), "/d/defenter", &WORDS).expect_err(text)
    };
    let unsupported = |error: EntryError| matches!(error, EntryError::Unsupported(_));
    assert!(unsupported(refused(
        Format::Yaml,
        "s",
        "b: &b {command: x}\ns:\n  <<: *b\n  args: []\n"
    )));
    assert!(unsupported(refused(Format::Yaml, "s", "s:\n  command: &c npx\nt: *c\n")));
    assert!(unsupported(refused(Format::Yaml, "s", "s:\n  command: |-\n    npx\n")));
    assert!(unsupported(refused(Format::Jsonc, "s", r#"{"s":{"command":"a","args":"b"}}"#)));
    assert!(unsupported(refused(Format::Jsonc, "s", r#"{"s":{"command":"a","args":[{}]}}"#)));
    assert!(unsupported(refused(Format::Jsonc, "s", r#"{"s":{"command":"a","url":"b"}}"#)));
    assert_eq!(
        refused(Format::Yaml, "s", "s: &s\n  command: a\nt: *s\n"),
        EntryError::Verification
    );
    assert_eq!(refused(Format::Jsonc, "s", r#"{"s":{"url":"x"}}"#), EntryError::NoCommand);
    assert_eq!(refused(Format::Jsonc, "t", r#"{"s":{"command":"x"}}"#), EntryError::Gone);
}

#[test]
fn what_changed_since_is_kept() {
    let before = r#"{"s":{"command":"npx","args":["-y"],"env":{"A":"1"}}}"#;
    let path = steps("s");
    let (wrapped, texts) =
        wrap(&doc(before, Format::Json), &path, "/d/defenter", &WORDS).expect("wrapped");
    // The client writes the file anew, and the user adds an argument and a variable.
    let changed = wrapped
        .replace(",", ", ")
        .replace("\"-y\"", "\"-y\", \"new\"")
        .replace("\"A\":\"1\"", "\"A\": \"1\", \"B\": \"2\"");
    let restored = unwrap(&doc(&changed, Format::Json), &path, Some(&texts)).expect("restored");
    assert_eq!(
        restored,
        r#"{"s":{"command":"npx", "args":["-y", "new"], "env":{"A": "1", "B": "2"}}}"#
    );
}

#[test]
fn arguments_that_were_absent_are_absent_again_after_the_client_wrote_the_file() {
    for (format, text) in [
        (Format::Json, "{\n  \"s\": {\n    \"command\": \"npx\",\n    \"z\": 1\n  }\n}"),
        (Format::Toml, "[s]\ncommand = \"npx\"\nz = 1\n"),
        (Format::Yaml, "s:\n  command: npx\n  z: 1\n"),
    ] {
        let path = steps("s");
        let (wrapped, texts) =
            wrap(&doc(text, format), &path, "/d/defenter", &WORDS).expect("wrapped");
        let rewritten = wrapped.replace("\", \"", "\",  \"");
        assert_ne!(rewritten, wrapped);
        let restored = unwrap(&doc(&rewritten, format), &path, Some(&texts)).expect("restored");
        assert_eq!(restored, text);
    }
}

#[test]
fn a_list_that_the_client_spread_over_lines_is_empty_again() {
    let path = steps("s");
    let (wrapped, texts) = wrap(
        &doc(r#"{"s":{"command":"npx","args":[]}}"#, Format::Json),
        &path,
        "/d/defenter",
        &WORDS,
    )
    .expect("wrapped");
    let value: serde_json::Value = serde_json::from_str(&wrapped).expect("JSON");
    let spread = serde_json::to_string_pretty(&value).expect("JSON");
    let restored = unwrap(&doc(&spread, Format::Json), &path, Some(&texts)).expect("restored");
    let expected = "{\n  \"s\": {\n    \"command\": \"npx\",\n    \"args\": []\n  }\n}";
    assert_eq!(restored, expected);
}

#[test]
fn an_entry_that_only_looks_wrapped_is_left_alone() {
    let text = r#"{"s":{"command":"/x/defenter","args":["run","--","npx"]}}"#;
    let error = unwrap(&doc(text, Format::Json), &steps("s"), None).expect_err("not ours");
    assert_eq!(error, EntryError::NotWrapped);
    let text = r#"{"s":{"command":"npx","args":["proxy","--","npx"]}}"#;
    let error = unwrap(&doc(text, Format::Json), &steps("s"), None).expect_err("not ours");
    assert_eq!(error, EntryError::NotWrapped);
}

fn argument() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,12}",
        "\\PC{0,8}",
        Just("--".to_owned()),
        Just("proxy".to_owned()),
        "[\\x00-\\x1f\\x7f]{1,3}",
    ]
}

fn json_string(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

proptest! {
    /// Whatever command and arguments an entry has, in each format: the wrapper gets them
    /// unchanged, and unwrapping gives the bytes back.
    #[test]
    fn unwrap_inverts_wrap(
        command in "[!-~]{1,12}",
        args in proptest::option::of(proptest::collection::vec(argument(), 0..5)),
        space in "[ \t\n]{0,3}",
        block in any::<bool>(),
        crlf in any::<bool>(),
    ) {
        let quoted: Option<Vec<String>> =
            args.as_ref().map(|args| args.iter().map(|arg| json_string(arg)).collect());
        let cases = [
            (Format::Json, json_text(&command, quoted.as_deref(), &space)),
            (Format::Toml, toml_text(&command, quoted.as_deref(), block)),
            (Format::Yaml, yaml_text(&command, quoted.as_deref(), block)),
        ];
        let path = steps("m/s");
        for (format, text) in cases {
            let text = if crlf { text.replace('\n', "\r\n") } else { text };
            let before = doc(&text, format);
            let (program, arguments) = server(&before, &path);
            prop_assert_eq!(program.as_deref(), Some(command.as_str()));
            if is_defenter(&command) {
                continue;
            }
            let (wrapped, texts) = wrap(&before, &path, "/d e/defenter", &WORDS)
                .unwrap_or_else(|error| panic!("{error}: {text}"));
            let wrapped = doc(&wrapped, format);
            let (outer, words) = server(&wrapped, &path);
            prop_assert_eq!(outer.as_deref(), Some("/d e/defenter"));
            let expected: Vec<String> = WORDS.iter().map(|word| (*word).to_owned())
                .chain([command.clone()]).chain(arguments.clone()).collect();
            prop_assert_eq!(words, expected);
            let restored = unwrap(&wrapped, &path, Some(&texts));
            prop_assert_eq!(restored.as_deref(), Ok(text.as_str()));
            let alone = unwrap(&wrapped, &path, None);
            if args.as_ref().is_some_and(|args| !args.is_empty()) {
                prop_assert_eq!(alone.as_deref(), Ok(text.as_str()));
            }
            prop_assert_eq!(server(&doc(&alone.expect("alone"), format), &path), (program, arguments));
        }
    }

    /// No text makes the parsers or the editor panic.
    #[test]
    fn hostile_text_is_refused_or_edited_and_never_panics(text in "\\PC{0,60}|[\\[\\]{}:,\"'#&*!|>a \n-]{0,60}") {
        for format in [Format::Jsonc, Format::Json5, Format::Toml, Format::Yaml] {
            let Ok(doc) = Doc::parse(text.as_bytes(), format) else { continue };
            for member in doc.root().map(Node::members).unwrap_or_default() {
                let path = [Step::Key(member.key.clone())];
                let _ = wrap(&doc, &path, "/d/defenter", &WORDS);
                let _ = unwrap(&doc, &path, None);
            }
        }
    }
}

fn json_text(command: &str, args: Option<&[String]>, space: &str) -> String {
    let command = json_string(command);
    let args =
        args.map(|args| format!(",{space}\"args\":{space}[{}]", args.join(&format!(",{space}"))));
    format!(
        "{{\"m\":{{{space}\"s\":{space}{{{space}\"command\":{space}{command}{}}}}}}}",
        args.unwrap_or_default()
    )
}

fn toml_text(command: &str, args: Option<&[String]>, block: bool) -> String {
    let command = json_string(command);
    let args = args.map(|args| format!("args = [{}]", args.join(", ")));
    match (block, args) {
        (true, args) => format!("[m.s]\ncommand = {command} # c\n{}\n", args.unwrap_or_default()),
        (false, Some(args)) => format!("m.s = {{ command = {command}, {args} }}\n"),
        (false, None) => format!("m.s = {{ command = {command} }}\n"),
    }
}

fn yaml_text(command: &str, args: Option<&[String]>, block: bool) -> String {
    let command = json_string(command);
    let args = args.map(|args| match (block, args) {
        (_, []) => "    args: []\n".to_owned(),
        (true, args) => {
            let items: String = args.iter().map(|arg| format!("    - {arg}\n")).collect();
            format!("    args:\n{items}")
        }
        (false, args) => format!("    args: [{}]\n", args.join(", ")),
    });
    format!("m:\n  s:\n    command: {command} # c\n{}    z: 1\n", args.unwrap_or_default())
}

#[test]
fn many_are_done_at_once_and_one_that_cannot_be_does_not_stop_the_others() {
    let text = r#"{"a":{"command":"1"},"b":{"url":"x"},"c":{"command":"2","args":["y"]}}"#;
    let doc = doc(text, Format::Json);
    let paths = ["a", "b", "c", "a", "d"].map(steps);
    let jobs = paths.each_ref().map(|steps| Job {
        steps,
        task: Task::Wrap { program: "/d/defenter", words: &["proxy", "--"] },
    });
    let (text, done) = change(&doc, &jobs);
    assert_eq!(
        text,
        r#"{"a":{"command":"/d/defenter","args":["proxy","--","1"]},"b":{"url":"x"},"c":{"command":"/d/defenter","args":["proxy","--","2","y"]}}"#
    );
    let errors = done.into_iter().map(Result::err).collect::<Vec<_>>();
    let expected = [
        None,
        Some(EntryError::NoCommand),
        None,
        Some(EntryError::AlreadyWrapped),
        Some(EntryError::Gone),
    ];
    assert_eq!(errors, expected);
}

/// White space and comments that may stand between two tokens.
fn filler(format: Format) -> impl Strategy<Value = String> {
    match format {
        Format::Toml => prop_oneof![
            Just(String::new()),
            Just(" ".to_owned()),
            Just("\n  ".to_owned()),
            Just(" # [c], \"x\"\n\t".to_owned()),
            Just("\n\n".to_owned()),
        ]
        .boxed(),
        _ => prop_oneof![
            Just(String::new()),
            Just(" ".to_owned()),
            Just("\n    ".to_owned()),
            Just("\r\n\t".to_owned()),
            Just(" // [c], \"x\"\n ".to_owned()),
            Just("/* , ] */".to_owned()),
        ]
        .boxed(),
    }
}

/// A list with anything between its parts.
fn styled_list(format: Format) -> impl Strategy<Value = String> {
    let item = (filler(format), "[a-z]{0,4}", filler(format));
    (proptest::collection::vec(item, 0..4), filler(format), any::<bool>()).prop_map(
        |(items, end, trailing)| {
            let count = items.len();
            let mut text = "[".to_owned();
            for (index, (before, word, after)) in items.into_iter().enumerate() {
                let comma = if index + 1 < count || trailing { "," } else { "" };
                text += &format!("{before}\"{word}\"{after}{comma}");
            }
            text + &end + "]"
        },
    )
}

/// One line of a YAML block list in any style.
fn yaml_item() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z][a-z0-9./_-]{0,6}",
        "'[a-z ,#]{0,5}'",
        "\"[a-z :\\[]{0,5}\"",
        Just("--flag  # why".to_owned()),
        Just("'it''s' # x".to_owned()),
        Just("plain with spaces".to_owned()),
        Just("|-\n              block\n".to_owned()),
    ]
}

proptest! {
    /// Whatever the style of a list, it is given back byte for byte, from what was saved and from
    /// the entry alone.
    #[test]
    fn every_style_is_given_back(
        jsonc in styled_list(Format::Jsonc),
        toml in styled_list(Format::Toml),
        gap in filler(Format::Jsonc),
        first in any::<bool>(),
    ) {
        let mut members = [format!("\"command\":{gap}\"npx\""), format!("\"args\"{gap}:{jsonc}")];
        if first {
            members.reverse();
        }
        let cases = [
            (Format::Jsonc, format!("{{\"s\":{gap}{{{}{gap},{gap}{}}},\"t\":1}}", members[0], members[1])),
            (Format::Toml, format!("[s] # x\ncommand = 'npx' # y\nargs = {toml} # z\n[t]\nu = 1\n")),
            (Format::Toml, format!("s.args = {toml}\ns.command = 'npx'\n")),
        ];
        for (format, text) in cases {
            given_back(&text, format, "s")?;
        }
    }

    /// The same for blocks of YAML.
    #[test]
    fn every_block_is_given_back(
        items in proptest::collection::vec((yaml_item(), any::<bool>()), 1..5),
        deeper in any::<bool>(),
        crlf in any::<bool>(),
        inside_list in any::<bool>(),
    ) {
        let indent = if inside_list { "      " } else { "    " };
        let item_indent = if deeper { format!("{indent}  ") } else { indent.to_owned() };
        let lines: String = items
            .iter()
            .map(|(item, comment)| {
                let comment = if *comment { "  # between\n" } else { "" };
                format!("{comment}{item_indent}- {}\n", item.trim_end())
            })
            .collect();
        let text = if inside_list {
            format!("m:\n  s:\n    - x: 1\n      command: npx # c\n      args: # d\n{lines}      z: 2\n")
        } else {
            format!("m:\n  s:\n    command: npx # c\n    args: # d\n{lines}    z: 2\n")
        };
        let text = if crlf { text.replace('\n', "\r\n") } else { text };
        given_back(&text, Format::Yaml, if inside_list { "m/s/0" } else { "m/s" })?;
    }
}

fn given_back(text: &str, format: Format, path: &str) -> Result<(), TestCaseError> {
    let path = steps(path);
    let before = doc(text, format);
    let (_, arguments) = server(&before, &path);
    let (wrapped, texts) = match wrap(&before, &path, "/d/defenter", &WORDS) {
        Ok(wrapped) => wrapped,
        Err(error) => return Err(TestCaseError::fail(format!("{error}: {text}"))),
    };
    let wrapped = doc(&wrapped, format);
    let (_, words) = server(&wrapped, &path);
    prop_assert_eq!(&words[WORDS.len() + 1..], &arguments[..]);
    let restored = unwrap(&wrapped, &path, Some(&texts));
    prop_assert_eq!(restored.as_deref(), Ok(text));
    let alone = unwrap(&wrapped, &path, None);
    if arguments.is_empty() {
        prop_assert!(alone.is_ok());
    } else {
        prop_assert_eq!(alone.as_deref(), Ok(text));
    }
    Ok(())
}
