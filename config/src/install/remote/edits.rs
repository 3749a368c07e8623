//! The edits that change a remote entry.
//!
//! Owns: which members go, which come, and how they are written in the style of what is there.
//! Accepts: an entry of any remote shape in any format.
//! Emits: edits of the file's text.
//! Promises: address and headers become values of variables; arguments hold names only.

use std::ops::Range;

use super::super::entry::EntryError;
use super::super::plan::is_argument;
use super::RemoteEntry;
use crate::clients::{RemoteForm, Shape, shape_of};
use crate::doc::{Doc, Edit, Format, Layout, Member, Node, Value};

/// The variable that holds the address.
const URL: &str = "MCP_REMOTE_URL";
/// How the variables that hold headers start; a number follows.
const HEADER: &str = "MCP_REMOTE_HEADER_";
/// The variable that holds a token that the entry names without its header.
const BEARER: &str = "MCP_REMOTE_BEARER";

/// What only a remote entry has, besides the address and `oauth…`.
const REMOTE_ONLY: [&str; 12] = [
    "headers",
    "http_headers",
    "env_http_headers",
    "requestOptions",
    "auth",
    "bearer_token_env_var",
    "api_key_env",
    "apiKey",
    "scopes",
    "authProviderType",
    "requiresOAuth",
    "headersHelper",
];

/// An entry whose parts are known.
pub(super) struct Builder<'d> {
    doc: &'d Doc,
    entry: &'d Node,
    /// The object that holds the address: the entry, or its transport.
    holder: &'d Node,
    url: &'d Member,
    form: &'static RemoteForm,
    is_sse: bool,
}

/// What the program is started with.
#[derive(Default)]
struct Launch {
    args: Vec<String>,
    /// Variables with their values as text of the file.
    env: Vec<(String, String)>,
    /// Names of variables that the client is to hand on.
    handed_on: Vec<String>,
}

impl<'d> Builder<'d> {
    pub(super) fn of(
        doc: &'d Doc,
        entry: &RemoteEntry<'_>,
        form: &'static RemoteForm,
    ) -> Result<Self, EntryError> {
        let node = doc.at(entry.steps).ok_or(EntryError::Gone)?;
        let Some(Shape::Remote { at, url: key }) = shape_of(node) else {
            return Err(EntryError::Unsupported("it has no address"));
        };
        let holder = at.iter().try_fold(node, |node, step| node.step(step));
        let holder = holder.ok_or(EntryError::Gone)?;
        let url = holder.member(key).ok_or(EntryError::Gone)?;
        let declared = kind(holder).and_then(|kind| kind.node.as_str()).unwrap_or_default();
        let declared = declared.to_ascii_lowercase();
        if declared.starts_with("ws") || declared.contains("websocket") {
            return Err(EntryError::Unsupported("a WebSocket"));
        }
        let is_sse =
            declared.contains("sse") || (form.sse_key == Some(key) && !declared.contains("http"));
        let builder = Self { doc, entry: node, holder, url, form, is_sse };
        builder.check_editable()?;
        Ok(builder)
    }

    /// The address, as it is written.
    pub(super) fn url(&self) -> &str {
        self.url.node.as_str().unwrap_or_default()
    }

    fn check_editable(&self) -> Result<(), EntryError> {
        for map in self.maps() {
            for (index, member) in map.members().iter().enumerate() {
                if member.node.shared || member.key_span.is_empty() {
                    return Err(EntryError::Unsupported("an anchor, an alias or a merged key"));
                }
                if map.members()[index + 1..].iter().any(|later| later.key == member.key) {
                    return Err(EntryError::Unsupported("a key that is there twice"));
                }
            }
        }
        if self.url.node.layout == Layout::Block || self.url.node.span.is_empty() {
            return Err(EntryError::Unsupported("a block of text as the address"));
        }
        Ok(())
    }

    /// The objects that the parts may be in.
    fn maps(&self) -> impl Iterator<Item = &'d Node> {
        let outer = (!std::ptr::eq(self.entry, self.holder)).then_some(self.entry);
        std::iter::once(self.holder).chain(outer)
    }

    fn member(&self, key: &str) -> Option<&'d Member> {
        self.maps().find_map(|map| map.member(key))
    }

    /// The edits for an entry that stays remote.
    pub(super) fn local(
        &self,
        address: &str,
        header: &str,
        token: &str,
    ) -> Result<Vec<Edit>, EntryError> {
        check_header(header)?;
        let address = Edit::replace(self.url.node.span.clone(), encoded(address));
        Ok(vec![address, self.add_header(header, &encoded(token))?])
    }

    fn add_header(&self, header: &str, value: &str) -> Result<Edit, EntryError> {
        let pair = [(header.to_owned(), value.to_owned())];
        let mut map = None;
        let mut rest = self.form.headers;
        while let Some((key, deeper)) = rest.split_first() {
            let next = match map {
                None => self.member(key),
                Some(node) => Node::member(node, key),
            };
            let Some(next) = next else { break };
            map = Some(&next.node);
            rest = deeper;
        }
        let Some((first, deeper)) = rest.split_first() else {
            return self.insert(map.ok_or(EntryError::Gone)?, &pair);
        };
        let value = deeper
            .iter()
            .rev()
            .fold(self.map(&pair), |inner, key| self.map(&[((*key).to_owned(), inner)]));
        match map {
            Some(map) => self.insert(map, &[((*first).to_owned(), value)]),
            None => Ok(self.after_url(&self.pair(first, &value))),
        }
    }

    /// The edits for an entry that becomes a program.
    pub(super) fn stdio(
        &self,
        program: &str,
        entry: &RemoteEntry<'_>,
    ) -> Result<Vec<Edit>, EntryError> {
        if self.member("headersHelper").is_some() {
            return Err(EntryError::Unsupported("a program makes its headers"));
        }
        let launch = self.launch(entry)?;
        let mut edits = vec![self.program(program, &launch)?];
        edits.extend(self.variables(&launch)?);
        let kind = kind(self.holder);
        if let (Some(kind), Some(word)) = (kind, self.form.kind) {
            edits.push(Edit::replace(kind.node.span.clone(), encoded(word)));
        }
        let is_kind = |member: &Member| {
            self.form.kind.is_none() && kind.is_some_and(|kind| std::ptr::eq(kind, member))
        };
        for map in self.maps() {
            edits.extend(
                self.without(map, |member| is_remote_only(&member.key) || is_kind(member))?,
            );
        }
        Ok(edits)
    }

    fn launch(&self, entry: &RemoteEntry<'_>) -> Result<Launch, EntryError> {
        if !is_argument(entry.name) {
            return Err(EntryError::Unsupported("a name that cannot be an argument"));
        }
        let words =
            ["proxy", "--name", entry.name, "--client", entry.client.as_str(), "--url-env", URL];
        let mut launch = Launch {
            args: words.map(str::to_owned).to_vec(),
            env: vec![(URL.to_owned(), self.literal(&self.url.node)?)],
            handed_on: Vec::new(),
        };
        if self.is_sse {
            launch.args.extend(["--transport", "sse"].map(str::to_owned));
        }
        let options = self.member("requestOptions").and_then(|options| options.node.get("headers"));
        let plain =
            ["headers", "http_headers"].map(|key| self.member(key).map(|found| &found.node));
        for header in plain.into_iter().chain([options]).flatten().flat_map(Node::members) {
            let name = format!("{HEADER}{}", launch.env.len());
            launch.env.push((name.clone(), self.literal(&header.node)?));
            launch.header(&header.key, &name)?;
        }
        let named = self.member("env_http_headers").map(|found| found.node.members());
        for header in named.unwrap_or_default() {
            let name = variable(&header.node)?;
            launch.header(&header.key, name)?;
            launch.handed_on.push(name.to_owned());
        }
        self.bearer(&mut launch)?;
        Ok(launch)
    }

    /// A token that the entry names without its header.
    fn bearer(&self, launch: &mut Launch) -> Result<(), EntryError> {
        let named = ["bearer_token_env_var", "api_key_env"];
        let name = if let Some(key) = self.member("apiKey") {
            launch.env.push((BEARER.to_owned(), self.literal(&key.node)?));
            BEARER
        } else if let Some(key) = named.iter().find_map(|key| self.member(key)) {
            let name = variable(&key.node)?;
            launch.handed_on.push(name.to_owned());
            name
        } else {
            return Ok(());
        };
        launch.args.extend(["--bearer-env".to_owned(), name.to_owned()]);
        Ok(())
    }

    /// Puts the program in the place of the address.
    fn program(&self, program: &str, launch: &Launch) -> Result<Edit, EntryError> {
        let args = launch.args.iter().map(|arg| encoded(arg));
        let command = self.form.command;
        let mut members = if self.form.is_list {
            vec![self.pair(command, &list(std::iter::once(encoded(program)).chain(args)))]
        } else {
            vec![self.pair(command, &encoded(program)), self.pair("args", &list(args))]
        };
        if self.member(self.form.env).is_none() {
            members.push(self.pair(self.form.env, &self.map(&launch.env)));
        }
        if let Some(key) = self.form.handed_on.filter(|_| !launch.handed_on.is_empty()) {
            if self.member(key).is_some() {
                return Err(EntryError::Unsupported("a list of variables beside an address"));
            }
            let names = launch.handed_on.iter().map(|name| encoded(name));
            members.push(self.pair(key, &list(names)));
        }
        let text = members.join(&self.separator(self.holder, self.url));
        Ok(Edit::replace(self.url.key_span.start..self.url.node.span.end, text))
    }

    /// Adds the variables to those that are there.
    fn variables(&self, launch: &Launch) -> Result<Option<Edit>, EntryError> {
        let Some(there) = self.member(self.form.env) else { return Ok(None) };
        if launch.env.iter().any(|(name, _)| there.node.get(name).is_some()) {
            return Err(EntryError::Unsupported("a variable that Defenter would set"));
        }
        self.insert(&there.node, &launch.env).map(Some)
    }

    /// Inserts members in front of a map's.
    fn insert(&self, map: &Node, pairs: &[(String, String)]) -> Result<Edit, EntryError> {
        let texts: Vec<String> = pairs.iter().map(|(key, value)| self.pair(key, value)).collect();
        let first = map.members().iter().min_by_key(|member| member.key_span.start);
        match first {
            Some(first) if !first.key_span.is_empty() && !map.shared => {
                let separator = self.separator(map, first);
                let text: String = texts.iter().map(|text| format!("{text}{separator}")).collect();
                Ok(Edit::insert(first.key_span.start, text))
            }
            None if map.is_map() && is_flow(self.doc, map) => {
                Ok(Edit::insert(map.span.start + 1, texts.join(", ")))
            }
            _ => Err(EntryError::Unsupported("a map that cannot be added to")),
        }
    }

    /// Adds a member behind the address.
    fn after_url(&self, member: &str) -> Edit {
        let text = format!("{}{member}", self.separator(self.holder, self.url));
        let end = self.url.node.span.end;
        let is_block = !is_flow(self.doc, self.holder);
        Edit::insert(if is_block { line_end(self.doc, end) } else { end }, text)
    }

    /// Removes members, in runs.
    fn without(&self, map: &Node, goes: impl Fn(&Member) -> bool) -> Result<Vec<Edit>, EntryError> {
        let mut members: Vec<&Member> = map.members().iter().collect();
        members.sort_by_key(|member| member.key_span.start);
        let mut edits = Vec::new();
        let mut at = 0;
        while at < members.len() {
            let run = members[at..].iter().take_while(|member| goes(member)).count();
            if run > 0 {
                let before = at.checked_sub(1).map(|before| members[before]);
                let last = members[at + run - 1];
                let after = members.get(at + run);
                let range = match (before, after) {
                    (Some(before), _) => self.end(map, before)..self.end(map, last),
                    (None, Some(after)) => members[at].key_span.start..after.key_span.start,
                    (None, None) => return Err(EntryError::Unsupported("nothing else in it")),
                };
                edits.push(Edit::replace(range, ""));
            }
            at += run + 1;
        }
        Ok(edits)
    }

    /// Where a member ends; in a block, where its line does.
    fn end(&self, map: &Node, member: &Member) -> usize {
        let covered = covered(self.doc, &member.node).unwrap_or_else(|| member.key_span.clone());
        let end = covered.end.max(member.key_span.end);
        if is_flow(self.doc, map) { end } else { line_end(self.doc, end) }
    }

    /// What stands between a member and a new one beside it.
    fn separator(&self, map: &Node, member: &Member) -> String {
        let start = line_start(self.doc, member.key_span.start);
        let lead = self.doc.raw(&(start..member.key_span.start));
        let is_first_of_line = lead.trim_matches([' ', '\t']).is_empty();
        if !is_flow(self.doc, map) {
            // The dash of a list's item counts as space; dotted keys of TOML are said again.
            let lead = if self.doc.format() == Format::Yaml {
                lead.replace('-', " ")
            } else {
                lead.to_owned()
            };
            return format!("{}{lead}", self.doc.eol());
        }
        match (is_first_of_line, self.doc.format().is_json()) {
            // An inline table of TOML stays on its line.
            (true, _) if self.doc.format() != Format::Toml => format!(",{}{lead}", self.doc.eol()),
            (_, true) if self.colon() == ":" => ",".to_owned(),
            _ => ", ".to_owned(),
        }
    }

    fn pair(&self, key: &str, value: &str) -> String {
        match self.doc.format() {
            Format::Toml => format!("{} = {value}", toml_key(key)),
            Format::Yaml => format!("{}: {value}", yaml_key(key)),
            _ => format!("{}{}{value}", encoded(key), self.colon()),
        }
    }

    fn map(&self, pairs: &[(String, String)]) -> String {
        let texts: Vec<String> = pairs.iter().map(|(key, value)| self.pair(key, value)).collect();
        match self.doc.format() {
            Format::Toml => format!("{{ {} }}", texts.join(", ")),
            _ => format!("{{{}}}", texts.join(", ")),
        }
    }

    /// What stands between a key and its value in JSON.
    fn colon(&self) -> &str {
        let between = self.url.key_span.end..self.url.node.span.start;
        let text = self.doc.raw(&between);
        if text.trim() == ":" { text } else { ": " }
    }

    /// A value as it is written where it can be moved, so that the client goes on expanding its
    /// variables in it.
    fn literal(&self, node: &Node) -> Result<String, EntryError> {
        let raw = self.doc.raw(&node.span);
        match &node.value {
            Value::Str(_) if raw.starts_with(['"', '\'']) && !raw.contains('\n') => {
                Ok(raw.to_owned())
            }
            Value::Str(text) | Value::Number(text) => Ok(encoded(text)),
            Value::Bool(value) => Ok(encoded(&value.to_string())),
            _ => Err(EntryError::Unsupported("a header that is no text")),
        }
    }
}

impl Launch {
    fn header(&mut self, header: &str, variable: &str) -> Result<(), EntryError> {
        check_header(header)?;
        self.args.extend(["--header-env".to_owned(), format!("{header}={variable}")]);
        Ok(())
    }
}

/// The member that declares the transport.
fn kind(holder: &Node) -> Option<&Member> {
    let mut kinds = ["type", "transport"].into_iter().filter_map(|key| holder.member(key));
    kinds.find(|kind| kind.node.as_str().is_some())
}

fn is_remote_only(key: &str) -> bool {
    REMOTE_ONLY.contains(&key) || key.starts_with("oauth")
}

/// A name of a header is a token (RFC 9110, section 5.6.2); `=` would end it among the arguments.
fn check_header(name: &str) -> Result<(), EntryError> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if !name.is_empty() && name.bytes().all(is_token) {
        Ok(())
    } else {
        Err(EntryError::Unsupported("a header whose name is none"))
    }
}

fn variable(node: &Node) -> Result<&str, EntryError> {
    let is_name = |name: &&str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    node.as_str().filter(is_name).ok_or(EntryError::Unsupported("a variable whose name is none"))
}

/// A string as every format takes it: JSON's, but for the one character that TOML does not take.
fn encoded(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

fn is_bare(key: &str) -> bool {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    key.starts_with(|c: char| c.is_ascii_alphabetic()) && key.bytes().all(is_bare)
}

fn toml_key(key: &str) -> String {
    if is_bare(key) { key.to_owned() } else { encoded(key) }
}

fn yaml_key(key: &str) -> String {
    // Words that YAML 1.1 reads as something else are not among the keys that are written.
    if is_bare(key) { key.to_owned() } else { encoded(key) }
}

/// True for a container between brackets, which is one piece of text.
pub(super) fn is_flow(doc: &Doc, node: &Node) -> bool {
    let closed = doc.raw(&node.span).ends_with(['}', ']']);
    node.layout == Layout::Flow
        && !node.span.is_empty()
        && (closed || !(node.is_map() || node.is_seq()))
}

/// The range from a node's first byte to its last; a table may have others' text in between.
pub(super) fn covered(doc: &Doc, node: &Node) -> Option<Range<usize>> {
    let trimmed = |span: Range<usize>| {
        let length = doc.raw(&span).trim_end().len();
        (length > 0).then_some(span.start..span.start + length)
    };
    if is_flow(doc, node) {
        return trimmed(node.span.clone());
    }
    let keys = node.members().iter().map(|member| Some(member.key_span.clone()));
    let values = node.members().iter().map(|member| covered(doc, &member.node));
    let items = node.items().iter().map(|item| covered(doc, item));
    let parts = keys.chain(values).chain(items).flatten().filter(|span| !span.is_empty());
    let whole = parts.reduce(|a, b| a.start.min(b.start)..a.end.max(b.end));
    whole.or_else(|| trimmed(node.span.clone()))
}

pub(super) fn line_start(doc: &Doc, at: usize) -> usize {
    doc.text()[..at].rfind('\n').map_or(0, |newline| newline + 1)
}

/// The end of a line, before its line break.
pub(super) fn line_end(doc: &Doc, at: usize) -> usize {
    let rest = &doc.text()[at..];
    let end = rest.find('\n').unwrap_or(rest.len());
    at + if rest[..end].ends_with('\r') { end - 1 } else { end }
}
