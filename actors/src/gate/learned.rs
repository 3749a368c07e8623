//! What a session's own messages tell about later ones: the roots of the client's workspace, what
//! the client calls itself, and what the server says about its tools.
//!
//! Owns: the newest word on both. Accepts: results as they pass. Emits: what goes into facts.
//! Promises: bounded; both sides' words are claims, and only add to what is known without them.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use defenter_config::percent;
use defenter_mcp::read;
use defenter_policy::ToolHints;

/// The most roots that are kept, and bytes of each.
const MAX_ROOTS: usize = 64;
const MAX_ROOT: usize = 4096;
/// The most answers of one request that are looked at.
const MAX_ANSWERS: usize = 64;
/// The most tools whose hints are kept, and bytes of a name; facts keep as much of it.
const MAX_TOOLS: usize = 4096;
const MAX_NAME: usize = 256;

/// See the module.
#[derive(Debug)]
pub(crate) struct Learned(Mutex<State>);

#[derive(Debug)]
struct State {
    roots: Arc<[PathBuf]>,
    hints: HashMap<Box<str>, ToolHints>,
    client: Option<String>,
}

impl Learned {
    /// What is known before anybody has said a word: the folder that the client has started its
    /// server in, where that is a workspace at all.
    pub(crate) fn of(cwd: Option<&Path>, home: Option<&Path>) -> Self {
        let is_workspace = |cwd: &&Path| {
            let holds_home = home.is_some_and(|home| home.starts_with(cwd));
            cwd.is_absolute() && cwd.parent().is_some() && !holds_home
        };
        let roots = cwd.filter(is_workspace).map(Path::to_owned).into_iter().collect();
        Self(Mutex::new(State { roots, hints: HashMap::new(), client: None }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The roots of the workspace; none where they are not known.
    pub(crate) fn roots(&self) -> Arc<[PathBuf]> {
        self.state().roots.clone()
    }

    /// What the server says about a tool.
    pub(crate) fn hints(&self, tool: &str) -> ToolHints {
        self.state().hints.get(tool).copied().unwrap_or_default()
    }

    /// What the client calls itself, redacted, where nobody else says what it is.
    pub(crate) fn client(&self) -> Option<String> {
        self.state().client.clone()
    }

    /// The client says what it is called.
    pub(super) fn learn_client(&self, name: String) {
        self.state().client = Some(name).filter(|name| !name.trim().is_empty());
    }

    /// The result of a request of this method passes.
    pub(crate) fn learn(&self, method: &str, result: &[u8]) {
        match method {
            "roots/list" => self.learn_roots(result),
            "tools/list" => self.learn_tools(result),
            _ => {}
        }
    }

    /// The params of a request of the modern era pass: a retry carries the answers to what the
    /// server has asked for in its result, each as the bare result of its own request
    /// (specification 2026-07-28, `inputResponses`). Only a list of roots has `roots` in it.
    pub(crate) fn learn_answers(&self, params: &[u8]) {
        let Some(answers) = read::member(params, "inputResponses") else { return };
        for (_, result) in read::members(answers).take(MAX_ANSWERS) {
            self.learn_roots(result);
        }
    }

    fn learn_roots(&self, result: &[u8]) {
        let Some(roots) = read::member(result, "roots") else { return };
        let uris = read::elements(roots).filter_map(|root| read::member(root, "uri"));
        let paths = uris.filter_map(|uri| path_of(&read::string(uri)?));
        let roots: Vec<PathBuf> = paths.take(MAX_ROOTS).collect();
        // A client that names none of its roots has not said that there are none.
        if !roots.is_empty() {
            self.state().roots = roots.into();
        }
    }

    fn learn_tools(&self, result: &[u8]) {
        let Some(tools) = read::member(result, "tools") else { return };
        let mut state = self.state();
        for tool in read::elements(tools) {
            let Some(name) = read::member(tool, "name").and_then(read::string) else { continue };
            let hints = read::member(tool, "annotations").map(hints_of).unwrap_or_default();
            let is_new = !state.hints.contains_key(&*name);
            let says_nothing = hints == ToolHints::default();
            if is_new && (says_nothing || state.hints.len() >= MAX_TOOLS || name.len() > MAX_NAME) {
                continue;
            }
            state.hints.insert(name.into(), hints);
        }
    }
}

fn hints_of(annotations: &[u8]) -> ToolHints {
    let says = |key| read::member(annotations, key) == Some(b"true");
    ToolHints {
        read_only: says("readOnlyHint"),
        destructive: says("destructiveHint"),
        idempotent: says("idempotentHint"),
        open_world: says("openWorldHint"),
    }
}

/// The path of a `file:` address on this machine (RFC 8089).
fn path_of(uri: &str) -> Option<PathBuf> {
    let scheme = uri.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("file://"))?;
    let rest = &uri[scheme.len()..];
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    let path = percent::decoded(path).filter(|path| path.len() <= MAX_ROOT)?;
    // A drive of Windows stands behind a slash.
    let bytes = path.as_bytes();
    let has_drive = bytes.len() > 2 && bytes[1].is_ascii_alphabetic() && bytes[2] == b':';
    let path = if has_drive { &path[1..] } else { &path };
    (path.starts_with('/') || has_drive).then(|| PathBuf::from(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roots(learned: &Learned) -> Vec<String> {
        learned.roots().iter().map(|root| root.display().to_string()).collect()
    }

    fn fresh() -> Learned {
        Learned::of(None, None)
    }

    #[test]
    fn a_folder_that_holds_the_home_is_no_workspace() {
        let of = |cwd: &str| roots(&Learned::of(Some(cwd.as_ref()), Some("/home/ann".as_ref())));
        assert_eq!(of("/home/ann/project"), ["/home/ann/project"]);
        assert_eq!(of("/srv/data"), ["/srv/data"]);
        for cwd in ["/", "/home", "/home/ann", "relative"] {
            assert!(of(cwd).is_empty(), "{cwd}");
        }
    }

    #[test]
    fn the_clients_roots_take_the_place_of_what_was_known() {
        let learned = Learned::of(Some("/srv/data".as_ref()), None);
        let list = |uris: &[&str]| {
            let roots: Vec<String> =
                uris.iter().map(|uri| format!("{{\"uri\":\"{uri}\"}}")).collect();
            format!("{{\"roots\":[{}]}}", roots.join(","))
        };
        let check = |uris: &[&str], expected: &[&str]| {
            learned.learn("roots/list", list(uris).as_bytes());
            assert_eq!(roots(&learned), expected, "{uris:?}");
        };
        check(&["file:///w/a%20b", "FILE://localhost/x"], &["/w/a b", "/x"]);
        check(&["file:///C:/Users/ann", "file:///c%3A/x"], &["C:/Users/ann", "c:/x"]);
        // Nothing that is a folder of this machine: what was known stays.
        for uri in ["https://a.example/", "file://server/share", "file:", "", "file:///%zz", "/w"] {
            check(&[uri], &["C:/Users/ann", "c:/x"]);
        }
        check(&[], &["C:/Users/ann", "c:/x"]);
        let many: Vec<String> = (0..1000).map(|n| format!("file:///{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        learned.learn("roots/list", list(&many).as_bytes());
        assert_eq!(learned.roots().len(), MAX_ROOTS);
    }

    #[test]
    fn roots_are_also_found_among_the_answers_of_a_retried_request() {
        let learned = fresh();
        learned.learn_answers(
            br#"{"name":"t","arguments":{"inputResponses":{"x":{"roots":[{"uri":"file:///no"}]}}},
            "inputResponses":{"ask":{"action":"accept","content":{"roots":1}},
            "where":{"roots":[{"uri":"file:///w/a"}]}}}"#,
        );
        assert_eq!(roots(&learned), ["/w/a"]);
        for params in ["", "null", r#"{"inputResponses":[{"roots":[{"uri":"file:///x"}]}]}"#] {
            learned.learn_answers(params.as_bytes());
        }
        assert_eq!(roots(&learned), ["/w/a"]);
        let many: Vec<String> = (0..=MAX_ANSWERS)
            .map(|n| format!(r#""{n}":{{"roots":[{{"uri":"file:///{n}"}}]}}"#))
            .collect();
        learned.learn_answers(format!(r#"{{"inputResponses":{{{}}}}}"#, many.join(",")).as_bytes());
        assert_eq!(roots(&learned), [format!("/{}", MAX_ANSWERS - 1)]);
    }

    #[test]
    fn hints_are_what_is_said_outright_and_the_newest_word_counts() {
        let learned = fresh();
        let tools = br#"{"tools":[
            {"name":"a","annotations":{"destructiveHint":true,"readOnlyHint":false}},
            {"name":"b","annotations":{"openWorldHint":true,"idempotentHint":true,"readOnlyHint":"true"}},
            {"name":"c"}, {"annotations":{"readOnlyHint":true}}, 7]}"#;
        learned.learn("tools/list", tools);
        let a = ToolHints { destructive: true, ..ToolHints::default() };
        let b = ToolHints { open_world: true, idempotent: true, ..ToolHints::default() };
        assert_eq!(["a", "b", "c"].map(|tool| learned.hints(tool)), [a, b, ToolHints::default()]);
        learned.learn("tools/list", br#"{"tools":[{"name":"a"}]}"#);
        assert_eq!(["a", "b"].map(|tool| learned.hints(tool)), [ToolHints::default(), b]);
    }

    #[test]
    fn what_is_no_list_teaches_nothing_and_tools_without_end_are_bounded() {
        let learned = fresh();
        for result in
            [&b""[..], b"null", b"[]", b"{\"tools\":{}}", b"{\"roots\":1}", b"{\"tools\":[{"]
        {
            learned.learn("tools/list", result);
            learned.learn("roots/list", result);
        }
        assert!(roots(&learned).is_empty() && learned.state().hints.is_empty());
        let tools: Vec<String> = (0..2 * MAX_TOOLS)
            .map(|n| format!("{{\"name\":\"t{n}\",\"annotations\":{{\"readOnlyHint\":true}}}}"))
            .collect();
        learned.learn("tools/list", format!("{{\"tools\":[{}]}}", tools.join(",")).as_bytes());
        assert_eq!(learned.state().hints.len(), MAX_TOOLS);
    }
}
