//! The shapes an entry comes in.
//!
//! Owns: where the command, the arguments and the address are in an object, whatever a client
//! calls them.
//! Accepts: a node of any file.
//! Emits: a [`Shape`], or nothing for what is not a server.
//! Promises: an entry that a client could read two ways is said to be ambiguous.

use super::entry::{Launch, Remote, Stdio, Transport};
use crate::doc::{Node, Step, Value};

/// Where the parts of an entry are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A command and a list of arguments beside it.
    Split {
        /// The way from the entry to the object that holds them.
        at: Vec<Step>,
        /// The command's key.
        command: &'static str,
    },
    /// One list of the command and its arguments.
    List {
        /// The way from the entry to the object that holds it.
        at: Vec<Step>,
        /// The list's key.
        command: &'static str,
    },
    /// An address.
    Remote {
        /// The way from the entry to the object that holds it.
        at: Vec<Step>,
        /// The address's key.
        url: &'static str,
    },
    /// Both a command and an address and nothing that says which counts, or a command that is
    /// declared to be an address.
    Ambiguous {
        /// The command's key.
        command: &'static str,
    },
    /// Settings of an extension that knows the command.
    Settings,
}

const COMMAND_KEYS: [&str; 2] = ["command", "cmd"];
const URL_KEYS: [&str; 5] = ["url", "httpUrl", "serverUrl", "uri", "baseUrl"];
const ENV_KEYS: [&str; 3] = ["env", "envs", "environment"];
const CWD_KEYS: [&str; 3] = ["cwd", "working_directory", "workingDirectory"];

/// The shape of an entry; none where the node is no server.
pub(crate) fn shape_of(entry: &Node) -> Option<Shape> {
    if !entry.is_map() {
        return None;
    }
    if let Some(transport) = entry.get("transport").filter(|node| node.is_map()) {
        return flat(transport, vec![Step::Key("transport".to_owned())]);
    }
    if let Some(command) = entry.get("command").filter(|node| node.is_map()) {
        command.get("path")?.as_str()?;
        return Some(Shape::Split { at: vec![Step::Key("command".to_owned())], command: "path" });
    }
    flat(entry, Vec::new())
}

fn flat(node: &Node, at: Vec<Step>) -> Option<Shape> {
    let command = COMMAND_KEYS.into_iter().find(|key| {
        node.get(key).is_some_and(|value| matches!(value.value, Value::Str(_) | Value::Seq(_)))
    });
    let url = URL_KEYS.into_iter().find(|key| node.get(key).and_then(Node::as_str).is_some());
    let remote_type = declared(node).is_some_and(is_remote);
    match (command, url) {
        (Some(command), Some(url)) => match declared(node) {
            Some(_) if remote_type => Some(Shape::Remote { at, url }),
            Some(_) => split_or_list(node, at, command),
            None => Some(Shape::Ambiguous { command }),
        },
        (Some(command), None) if remote_type => Some(Shape::Ambiguous { command }),
        (Some(command), None) => split_or_list(node, at, command),
        (None, Some(url)) => Some(Shape::Remote { at, url }),
        (None, None) if node.get("settings").is_some_and(Node::is_map) => Some(Shape::Settings),
        (None, None) => None,
    }
}

fn split_or_list(node: &Node, at: Vec<Step>, command: &'static str) -> Option<Shape> {
    match &node.get(command)?.value {
        Value::Str(_) => Some(Shape::Split { at, command }),
        Value::Seq(items) if items.first().and_then(Node::as_str).is_some() => {
            Some(Shape::List { at, command })
        }
        _ => None,
    }
}

/// The transport that an entry declares.
fn declared(node: &Node) -> Option<&str> {
    ["type", "transport"].into_iter().find_map(|key| node.get(key).and_then(Node::as_str))
}

fn is_remote(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    matches!(word.as_str(), "remote" | "ws")
        || ["http", "sse", "websocket"].iter().any(|kind| word.contains(kind))
}

/// Reads an entry of a known shape.
pub(super) fn launch(entry: &Node, shape: &Shape) -> Option<Launch> {
    match shape {
        Shape::Settings => Some(Launch::Extension),
        Shape::Ambiguous { command } => stdio(entry, entry, command),
        Shape::Split { at, command } => stdio(entry, inner(entry, at)?, command),
        Shape::List { at, command } => list(entry, inner(entry, at)?, command),
        Shape::Remote { at, url } => remote(entry, inner(entry, at)?, url),
    }
}

fn inner<'n>(entry: &'n Node, at: &[Step]) -> Option<&'n Node> {
    at.iter().try_fold(entry, |node, step| node.step(step))
}

fn stdio(entry: &Node, node: &Node, command: &str) -> Option<Launch> {
    if node.get(command)?.is_seq() {
        return list(entry, node, command);
    }
    Some(Launch::Stdio(Stdio {
        command: node.get(command)?.as_str()?.to_owned(),
        args: node.get("args").map(texts).unwrap_or_default(),
        env: pairs(entry, node, &ENV_KEYS),
        env_file: text(entry, node, &["envFile", "env_file"]),
        cwd: text(entry, node, &CWD_KEYS),
    }))
}

fn list(entry: &Node, node: &Node, command: &str) -> Option<Launch> {
    let mut words = texts(node.get(command)?).into_iter();
    let program = words.next()?;
    let args = words.chain(node.get("args").map(texts).unwrap_or_default()).collect();
    Some(Launch::Stdio(Stdio {
        command: program,
        args,
        env: pairs(entry, node, &ENV_KEYS),
        env_file: text(entry, node, &["envFile", "env_file"]),
        cwd: text(entry, node, &CWD_KEYS),
    }))
}

fn remote(entry: &Node, node: &Node, url: &str) -> Option<Launch> {
    let transport = match declared(node).map(str::to_ascii_lowercase) {
        Some(word) if word.contains("sse") => Transport::Sse,
        Some(word) if word.starts_with("ws") || word.contains("websocket") => Transport::WebSocket,
        _ => Transport::Http,
    };
    let mut headers = pairs(entry, node, &["headers", "http_headers"]);
    if let Some(options) = node.get("requestOptions") {
        headers.extend(pairs(options, options, &["headers"]));
    }
    Some(Launch::Remote(Remote {
        url: node.get(url)?.as_str()?.to_owned(),
        url_key: url.to_owned(),
        transport,
        headers,
    }))
}

fn texts(node: &Node) -> Vec<String> {
    node.items().iter().map(scalar).collect()
}

fn scalar(node: &Node) -> String {
    match &node.value {
        Value::Str(text) | Value::Number(text) | Value::Other(text) => text.clone(),
        Value::Bool(value) => value.to_string(),
        _ => String::new(),
    }
}

fn pairs(entry: &Node, node: &Node, keys: &[&str]) -> Vec<(String, String)> {
    keys.iter()
        .find_map(|key| node.get(key).or_else(|| entry.get(key)))
        .map(|map| map.members().iter().map(|m| (m.key.clone(), scalar(&m.node))).collect())
        .unwrap_or_default()
}

fn text(entry: &Node, node: &Node, keys: &[&str]) -> Option<String> {
    keys.iter()
        .find_map(|key| node.get(key).or_else(|| entry.get(key)))
        .and_then(Node::as_str)
        .map(str::to_owned)
}
