//! Both shapes, for every client and format: as expected, and given back byte for byte, whatever
//! was changed in between.

use proptest::prelude::*;

use super::*;
use crate::clients::{BestRemote, Client, all};
use crate::doc::{Format, Member, Node, Value};

const PROGRAM: &str = "/d/defenter";
const HEADER: &str = "X-Defenter-Token";

fn local() -> RemoteShape {
    RemoteShape::Local {
        base_url: "http://127.0.0.1:7421/mcp/".to_owned(),
        token_header: HEADER.to_owned(),
        token: "tok".to_owned(),
    }
}

fn doc(text: &str, format: Format) -> Doc {
    Doc::parse(text.as_bytes(), format).expect(text)
}

fn steps(path: &str) -> Vec<Step> {
    let step = |part: &str| match part.parse() {
        Ok(index) => Step::Index(index),
        Err(_) => Step::Key(part.to_owned()),
    };
    path.split('/').map(step).collect()
}

fn changed(
    client: &str,
    format: Format,
    path: &str,
    text: &str,
    shape: &RemoteShape,
) -> Result<RemoteChange, EntryError> {
    let steps = steps(path);
    let client = by_id(client).expect(client).id;
    let entry = RemoteEntry { client, name: "my s", steps: &steps };
    change_remote(&doc(text, format), &entry, shape, PROGRAM)
        .map(|change| change.expect("another shape than the one that leaves alone"))
}

/// Changes, compares, and gives back; also by way of the journal's form.
fn check(client: &str, format: Format, path: &str, before: &str, shape: &RemoteShape, after: &str) {
    let change = changed(client, format, path, before, shape).expect(before);
    assert_eq!(change.text, after);
    let journal = serde_json::to_string(&change.saved).expect("JSON");
    let saved: SavedRemote = serde_json::from_str(&journal).expect("a saved entry");
    let restored = restore_remote(&doc(after, format), &steps(path), &saved);
    assert_eq!(restored.expect("given back"), before);
}

#[test]
fn an_entry_stays_remote() {
    let check = |client: &str, format: Format, path: &str, before: &str, after: &str| {
        check(client, format, path, before, &local(), after);
    };
    check(
        "cursor",
        Format::Json,
        "s",
        r#"{"s": {"url": "https://a/b", "headers": {"A": "${env:B}"}}}"#,
        r#"{"s": {"url": "http://127.0.0.1:7421/mcp/cursor/my%20s", "headers": {"X-Defenter-Token": "tok", "A": "${env:B}"}}}"#,
    );
    check(
        "windsurf",
        Format::Json,
        "s",
        "{\"s\":{\"serverUrl\":\"https://a\"}}",
        "{\"s\":{\"serverUrl\":\"http://127.0.0.1:7421/mcp/windsurf/my%20s\",\"headers\":{\"X-Defenter-Token\":\"tok\"}}}",
    );
    check(
        "codex",
        Format::Toml,
        "mcp_servers/s",
        "[mcp_servers.s]\nurl = \"https://a\" # mine\nbearer_token_env_var = \"B\"\n",
        "[mcp_servers.s]\nurl = \"http://127.0.0.1:7421/mcp/codex/my%20s\" # mine\nhttp_headers = { X-Defenter-Token = \"tok\" }\nbearer_token_env_var = \"B\"\n",
    );
    check(
        "codex",
        Format::Toml,
        "mcp_servers/s",
        "[mcp_servers.s]\nurl = \"https://a\"\n[mcp_servers.s.http_headers]\nA = \"1\"",
        "[mcp_servers.s]\nurl = \"http://127.0.0.1:7421/mcp/codex/my%20s\"\n[mcp_servers.s.http_headers]\nX-Defenter-Token = \"tok\"\nA = \"1\"",
    );
    check(
        "continue",
        Format::Yaml,
        "mcpServers/0",
        "mcpServers:\n  - name: s\n    url: https://a\n    requestOptions:\n      timeout: 5\n",
        "mcpServers:\n  - name: s\n    url: \"http://127.0.0.1:7421/mcp/continue/my%20s\"\n    requestOptions:\n      headers: {X-Defenter-Token: \"tok\"}\n      timeout: 5\n",
    );
    check(
        "goose",
        Format::Yaml,
        "extensions/s",
        "extensions:\r\n  s:\r\n    uri: https://a\r\n    type: streamable_http\r\n",
        "extensions:\r\n  s:\r\n    uri: \"http://127.0.0.1:7421/mcp/goose/my%20s\"\r\n    headers: {X-Defenter-Token: \"tok\"}\r\n    type: streamable_http\r\n",
    );
}

#[test]
fn an_entry_becomes_a_program() {
    let check = |client: &str, format: Format, path: &str, before: &str, after: &str| {
        check(client, format, path, before, &RemoteShape::Stdio, after);
    };
    check(
        "cursor",
        Format::Json,
        "s",
        "{\"s\": {\n  \"type\": \"http\",\n  \"url\": \"https://a/?k=1\",\n  \"headers\": {\"Authorization\": \"Bearer ${env:B}\"},\n  \"oauth\": {\"x\": 1},\n  \"z\": 1\n}}",
        "{\"s\": {\n  \"type\": \"stdio\",\n  \"command\": \"/d/defenter\",\n  \"args\": [\"proxy\", \"--name\", \"my s\", \"--client\", \"cursor\", \"--url-env\", \"MCP_REMOTE_URL\", \"--header-env\", \"Authorization=MCP_REMOTE_HEADER_1\"],\n  \"env\": {\"MCP_REMOTE_URL\": \"https://a/?k=1\", \"MCP_REMOTE_HEADER_1\": \"Bearer ${env:B}\"},\n  \"z\": 1\n}}",
    );
    check(
        "opencode",
        Format::Jsonc,
        "s",
        r#"{"s":{"type":"remote","url":"https://a","enabled":true,}}"#,
        r#"{"s":{"type":"local","command":["/d/defenter", "proxy", "--name", "my s", "--client", "opencode", "--url-env", "MCP_REMOTE_URL"],"environment":{"MCP_REMOTE_URL":"https://a"},"enabled":true,}}"#,
    );
    check(
        "gemini-cli",
        Format::JsonComments,
        "s",
        r#"{"s": {"timeout": 5, "headers": {}, "url": "https://a"}}"#,
        r#"{"s": {"timeout": 5, "command": "/d/defenter", "args": ["proxy", "--name", "my s", "--client", "gemini-cli", "--url-env", "MCP_REMOTE_URL", "--transport", "sse"], "env": {"MCP_REMOTE_URL": "https://a"}}}"#,
    );
    check(
        "codex",
        Format::Toml,
        "mcp_servers/s",
        "[mcp_servers.s]\nbearer_token_env_var = \"B\"\nurl = \"https://a\" # mine\ntool_timeout_sec = 5\n\n[mcp_servers.s.http_headers]\nA = \"1\"\n\n[other]\nx = 1\n",
        "[mcp_servers.s]\ncommand = \"/d/defenter\"\nargs = [\"proxy\", \"--name\", \"my s\", \"--client\", \"codex\", \"--url-env\", \"MCP_REMOTE_URL\", \"--header-env\", \"A=MCP_REMOTE_HEADER_1\", \"--bearer-env\", \"B\"]\nenv = { MCP_REMOTE_URL = \"https://a\", MCP_REMOTE_HEADER_1 = \"1\" }\nenv_vars = [\"B\"] # mine\ntool_timeout_sec = 5\n\n[other]\nx = 1\n",
    );
    check(
        "cline",
        Format::JsonStrict,
        "s",
        r#"{"s": {"transport": {"type": "streamableHttp", "url": "https://a", "headers": {"A": "1"}}, "disabled": false, "oauth": {"tokens": "t"}}}"#,
        r#"{"s": {"transport": {"type": "stdio", "command": "/d/defenter", "args": ["proxy", "--name", "my s", "--client", "cline", "--url-env", "MCP_REMOTE_URL", "--header-env", "A=MCP_REMOTE_HEADER_1"], "env": {"MCP_REMOTE_URL": "https://a", "MCP_REMOTE_HEADER_1": "1"}}, "disabled": false}}"#,
    );
    check(
        "continue",
        Format::Yaml,
        "m/0",
        "m:\n  - type: sse\n    url: https://a # mine\n    apiKey: ${{ secrets.K }}\n    requestOptions:\n      headers:\n        A: b\n    name: s\n",
        "m:\n  - type: \"stdio\"\n    command: \"/d/defenter\"\n    args: [\"proxy\", \"--name\", \"my s\", \"--client\", \"continue\", \"--url-env\", \"MCP_REMOTE_URL\", \"--transport\", \"sse\", \"--header-env\", \"A=MCP_REMOTE_HEADER_1\", \"--bearer-env\", \"MCP_REMOTE_BEARER\"]\n    env: {MCP_REMOTE_URL: \"https://a\", MCP_REMOTE_HEADER_1: \"b\", MCP_REMOTE_BEARER: \"${{ secrets.K }}\"} # mine\n    name: s\n",
    );
}

#[test]
fn what_cannot_be_carried_is_refused() {
    let why = |client: &str, text: &str| {
        let error = changed(client, Format::Json, "s", text, &RemoteShape::Stdio);
        error.expect_err("refused").to_string()
    };
    let cases = [
        ("cursor", r#"{"s": {"command": "x"}}"#, "no address"),
        ("claude-code", r#"{"s": {"type": "ws", "url": "wss://a"}}"#, "WebSocket"),
        (
            "claude-code",
            r#"{"s": {"url": "https://a", "headersHelper": "x"}}"#,
            "makes its headers",
        ),
        ("cursor", r#"{"s": {"url": "https://a", "headers": {"a b": "c"}}}"#, "whose name is none"),
        ("cursor", r#"{"s": {"url": "https://a", "headers": {"a": null}}}"#, "no text"),
        ("cursor", r#"{"s": {"url": "https://a", "env": {"MCP_REMOTE_URL": "b"}}}"#, "would set"),
        ("cursor", r#"{"s": {"url": "https://a", "url": "https://b"}}"#, "twice"),
    ];
    for (client, text, reason) in cases {
        let error = why(client, text);
        assert!(error.contains(reason), "{text}: {error}");
    }
}

#[test]
fn what_was_written_anew_is_not_guessed_at() {
    let before = r#"{"s": {"url": "https://a", "headers": {"A": "secret"}}}"#;
    let change =
        changed("cursor", Format::Json, "s", before, &RemoteShape::Stdio).expect("changed");
    for now in [r#"{"s": {"command": "other"}}"#, r#"{"s": {"url": "https://c"}}"#] {
        let restored = restore_remote(&doc(now, Format::Json), &steps("s"), &change.saved);
        assert!(matches!(restored, Err(EntryError::Unsupported(_))), "{now}");
    }
    let gone = restore_remote(&doc("{}", Format::Json), &steps("s"), &change.saved);
    assert_eq!(gone, Err(EntryError::Gone));
}

#[test]
fn nothing_is_told_of_what_is_saved() {
    let before = r#"{"s": {"url": "https://a/?sesame", "headers": {"A": "sesame"}}}"#;
    let change =
        changed("cursor", Format::Json, "s", before, &RemoteShape::Stdio).expect("changed");
    let shape = RemoteShape::Local {
        base_url: String::new(),
        token_header: String::new(),
        token: "sesame".to_owned(),
    };
    let shown = format!("{change:?} {:?} {shape:?}", change.saved);
    assert!(!shown.contains("sesame"), "{shown}");
}

#[test]
fn the_default_leaves_an_entry_alone() {
    let steps = steps("s");
    let entry = RemoteEntry { client: ClientId::of("cursor"), name: "s", steps: &steps };
    let text = doc(r#"{"s": {"url": "https://a"}}"#, Format::Json);
    let change = change_remote(&text, &entry, &RemoteShape::default(), PROGRAM);
    assert!(change.expect("left alone").is_none());
}

/// One client's remote entry in one format, with another entry beside it.
#[derive(Debug, Clone)]
struct Case {
    client: &'static Client,
    format: Format,
    /// Lines or members of the entry: key and value.
    members: Vec<(&'static str, String)>,
    is_multiline: bool,
}

/// The values that must not get among the arguments.
const SECRET: &str = "sesame";

impl Case {
    fn text(&self) -> String {
        let pair = |(key, value): &(&str, String)| match self.format {
            Format::Toml => format!("{key} = {value}"),
            Format::Yaml => format!("{key}: {value}"),
            _ => format!("\"{key}\": {value}"),
        };
        let pairs: Vec<String> = self.members.iter().map(pair).collect();
        match self.format {
            Format::Toml => {
                format!(
                    "top = 1\n[e.other]\ncommand = \"x\"\n[e.s]\n{}\n\n[e.last]\ny = 2\n",
                    pairs.join("\n")
                )
            }
            Format::Yaml => {
                format!(
                    "top: 1\ne:\n  other:\n    command: x\n  s:\n    {}\n  last:\n    y: 2\n",
                    pairs.join("\n    ")
                )
            }
            _ if self.is_multiline => format!(
                "{{\n  \"e\": {{\n    \"other\": {{\"command\": \"x\"}},\n    \"s\": {{\n      {}\n    }},\n    \"last\": {{\"y\": 2}}\n  }}\n}}\n",
                pairs.join(",\n      ")
            ),
            _ => format!(
                "{{\"e\": {{\"other\": {{\"command\": \"x\"}}, \"s\": {{{}}}, \"last\": {{\"y\": 2}}}}}}",
                pairs.join(", ")
            ),
        }
    }
}

fn map(format: Format, pairs: &[(&str, &str)]) -> String {
    let pair = |(key, value): &(&str, &str)| match format {
        Format::Toml => format!("{key} = {value}"),
        Format::Yaml => format!("{key}: {value}"),
        _ => format!("\"{key}\": {value}"),
    };
    let pairs: Vec<String> = pairs.iter().map(pair).collect();
    format!("{{{}}}", pairs.join(", "))
}

fn cases() -> impl Strategy<Value = Case> {
    let places: Vec<(&'static Client, Format)> = all()
        .flat_map(|client| client.locations.iter().map(move |location| (client, location.format)))
        .filter(|(_, format)| *format != Format::Shell)
        .collect();
    let place = proptest::sample::select(places);
    (place, any::<[bool; 6]>(), any::<bool>(), Just(()).prop_perturb(|(), rng| rng)).prop_map(
        |((client, format), has, is_multiline, mut rng)| {
            let form = &client.remote;
            let secret = format!("\"Bearer {SECRET}1\"");
            let headers = map(format, &[("Authorization", &secret), ("X-A", "\"b\"")]);
            let headers = match form.headers {
                [_] => headers,
                [_, inner] => map(format, &[(inner, &headers)]),
                _ => unreachable!("no client nests deeper"),
            };
            let mut members = vec![("url", format!("\"https://h/?k={SECRET}2\""))];
            let more = [
                ("type", if form.is_list { "\"remote\"" } else { "\"http\"" }.to_owned()),
                (form.headers[0], headers),
                ("oauth", map(format, &[("secret", &format!("\"{SECRET}3\""))])),
                ("timeout", "5".to_owned()),
                ("tools", "[\"a\", \"b\"]".to_owned()),
                (form.env, map(format, &[("HOME", "\"h\"")])),
            ];
            members.extend(more.into_iter().zip(has).filter(|(_, has)| *has).map(|(one, _)| one));
            for at in (1..members.len()).rev() {
                members.swap(at, rng.random_range(0..=at));
            }
            Case { client, format, members, is_multiline }
        },
    )
}

/// What a user or a client may do in between, done to any text of the same entry.
#[derive(Debug, Clone, Copy, PartialEq)]
enum EditOf {
    Timeout,
    Tool,
    Other,
    Last,
    BesideTools,
}

impl EditOf {
    fn done(self, text: &str, format: Format) -> Option<String> {
        let now = doc(text, format);
        let entry = now.at(&steps("e/s"))?;
        let replaced = |node: &Node, new: &str| {
            let (before, after) = (&text[..node.span.start], &text[node.span.end..]);
            Some(format!("{before}{new}{after}"))
        };
        match self {
            Self::Timeout => replaced(entry.get("timeout")?, "71"),
            Self::Tool => replaced(entry.get("tools")?.items().first()?, "\"other\""),
            Self::Other => replaced(now.at(&steps("e/other/command"))?, "\"y, z\""),
            Self::Last => replaced(now.at(&steps("e/last/y"))?, "\"https://h\""),
            Self::BesideTools => {
                let Member { key_span, .. } = entry.member("tools")?;
                let pair = match format {
                    Format::Toml => "fresh = [1]\n",
                    Format::Yaml => "fresh: [1]\n    ",
                    _ => "\"fresh\": [1], ",
                };
                let (before, after) = text.split_at(key_span.start);
                Some(format!("{before}{pair}{after}"))
            }
        }
    }
}

fn edits() -> impl Strategy<Value = Vec<EditOf>> {
    let edits = [EditOf::Timeout, EditOf::Tool, EditOf::Other, EditOf::Last, EditOf::BesideTools];
    proptest::sample::subsequence(edits.to_vec(), 0..=edits.len())
}

/// What a node says, whatever the order of keys.
fn meaning(node: &Node) -> String {
    let mut members: Vec<String> = node
        .members()
        .iter()
        .map(|member| format!("{}={}", member.key, meaning(&member.node)))
        .collect();
    members.sort();
    let items: Vec<String> = node.items().iter().map(meaning).collect();
    match &node.value {
        Value::Map(_) => format!("{{{}}}", members.join(";")),
        Value::Seq(_) => format!("[{}]", items.join(";")),
        Value::Str(text) | Value::Number(text) | Value::Other(text) => text.clone(),
        Value::Bool(value) => value.to_string(),
        Value::Null => "null".to_owned(),
    }
}

fn arguments(doc: &Doc) -> Vec<String> {
    let entry = doc.at(&steps("e/s")).expect("the entry");
    let lists = ["args", "command"].into_iter().filter_map(|key| entry.get(key));
    lists.flat_map(Node::items).map(|item| item.as_str().expect("a text").to_owned()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// `uninstall(edit(install(x))) == edit(x)`, and no secret among the arguments.
    #[test]
    fn edits_in_between_are_kept(case in cases(), edits in edits(), is_local in any::<bool>()) {
        let shape = if is_local { local() } else { RemoteShape::Stdio };
        let before = case.text();
        let steps = steps("e/s");
        let entry = RemoteEntry { client: case.client.id, name: "s", steps: &steps };
        let change = change_remote(&doc(&before, case.format), &entry, &shape, PROGRAM);
        let change = change.expect(&before).expect("a change");
        let after = doc(&change.text, case.format);
        let secrets = |text: &str| text.contains(SECRET);
        prop_assert!(!arguments(&after).iter().any(|arg| secrets(arg)), "{}", change.text);
        if !is_local {
            for gone in ["\"url\"", "oauth", "Bearer \"", "requestOptions"] {
                prop_assert!(!change.text.contains(gone), "{gone} in {}", change.text);
            }
        }
        let is_added = edits.contains(&EditOf::BesideTools);
        let (mut expected, mut edited) = (before, change.text.clone());
        for edit in edits {
            if let Some(done) = edit.done(&expected, case.format) {
                expected = done;
                edited = edit.done(&edited, case.format).expect("the same edit");
            }
        }
        let restored = restore_remote(&doc(&edited, case.format), &steps, &change.saved);
        let restored = restored.expect(&edited);
        if is_added {
            // Of a key that was added where another was removed, only the place is not certain.
            let meaning = |text: &str| doc(text, case.format).root().map(meaning);
            prop_assert_eq!(meaning(&restored), meaning(&expected), "{}", restored);
            prop_assert_eq!(restored.len(), expected.len());
        } else {
            prop_assert_eq!(restored, expected);
        }
    }

    /// Whatever is there, nothing panics.
    #[test]
    fn any_text_is_borne(text in "[\\{\\}\\[\\]:,\" \na-c]{0,60}", now in "[\\{\\}:,\" a-c]{0,40}") {
        for format in [Format::Json, Format::Toml, Format::Yaml] {
            let text = format!("{{\"s\": {{\"url\": \"https://a\", \"b\": {text}}}}}");
            let Ok(parsed) = Doc::parse(text.as_bytes(), format) else { continue };
            let steps = steps("s");
            let entry = RemoteEntry { client: ClientId::of("cursor"), name: "s", steps: &steps };
            for shape in [local(), RemoteShape::Stdio] {
                let Ok(Some(change)) = change_remote(&parsed, &entry, &shape, PROGRAM) else {
                    continue;
                };
                let now = format!("{{\"s\": {{{now}}}}}");
                if let Ok(now) = Doc::parse(now.as_bytes(), format) {
                    let _ = restore_remote(&now, &steps, &change.saved);
                }
            }
        }
    }
}

#[test]
fn a_client_whose_headers_are_not_known_gets_a_program() {
    let best = |id: &str| by_id(id).expect(id).remote.best;
    assert_eq!(best("cursor"), BestRemote::Local);
    assert_eq!(best("codex"), BestRemote::Local);
    assert_eq!(best("claude-desktop"), BestRemote::Stdio);
    assert_eq!(best("raycast"), BestRemote::Stdio);
}
