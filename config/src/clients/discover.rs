//! Finding every server of every client.
//!
//! Owns: reading the files of the table, and making entries of what is in them.
//! Accepts: a [`Host`] and [`Options`]; files are hostile.
//! Emits: [`Discovery`].
//! Promises: reads only regular files, at most
//! [`MAX_FILE_BYTES`](crate::doc::MAX_FILE_BYTES) of each; a file that is not there is no
//! problem, and every other failure is one; entries come in the order of the table, each once.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::entry::{Entry, Launch, Protection, Scope};
use super::find::{Context, expand};
use super::location::{Client, ClientId, Location};
use super::projects::{Projects, listed};
use super::read::{ReadError, read_bytes};
use super::shape::{Shape, launch, shape_of};
use super::{shell, table, wrapped};
use crate::doc::{Doc, DocError, Format, Node, Place, Step};
use crate::host::Host;

/// What to look for.
#[derive(Clone, Debug)]
pub struct Options {
    /// Projects to look into besides those that clients list; absolute paths.
    pub projects: Vec<PathBuf>,
    /// Whether to look into the projects that clients list.
    pub listed_projects: bool,
    /// The clients to look for; empty means all.
    pub clients: Vec<ClientId>,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Discovery {
    /// The servers.
    pub entries: Vec<Entry>,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

/// A file that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The client that reads it.
    pub client: ClientId,
    /// The file.
    pub path: PathBuf,
    /// Where in the file, for a syntax error.
    pub place: Option<Place>,
    /// What kind of problem it is.
    pub kind: ProblemKind,
    /// What happened.
    pub message: String,
}

/// The kind of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProblemKind {
    /// A link leads nowhere.
    BrokenLink,
    /// Something other than a file is there.
    NotAFile,
    /// It may not be read, or reading failed.
    Unreadable,
    /// It is over a bound.
    TooLarge,
    /// It is not in its format.
    Malformed,
    /// It starts with a byte-order mark that the client refuses.
    ByteOrderMark,
}

impl Default for Options {
    fn default() -> Self {
        Self { projects: Vec::new(), listed_projects: true, clients: Vec::new() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.message)
    }
}

/// Why an entry of a Linux within this system is left alone.
const LINUX_WITHIN: &str = "it is of a Linux within this system; install Defenter there";

/// Finds the servers of a user's clients, and those of the Linux systems within this one.
pub fn discover(host: &Host, options: &Options) -> Discovery {
    let mut found = discover_own(host, options);
    for user in host.linux_within.iter().flat_map(|root| Host::linux_users_at(root)) {
        let own = Options { projects: Vec::new(), ..options.clone() };
        let within = discover_own(&user, &own);
        found.problems.extend(within.problems);
        found.entries.extend(within.entries.into_iter().map(|entry| Entry {
            scope: Scope::Elsewhere,
            protection: Protection::ReportOnly(LINUX_WITHIN),
            ..entry
        }));
    }
    found
}

fn discover_own(host: &Host, options: &Options) -> Discovery {
    let mut scan = Scan::new(host);
    let projects = projects(&mut scan, options);
    for client in selected(options) {
        for location in client.locations.iter().filter(|location| location.is_on(host.os)) {
            for (path, context) in files(host, location, &projects) {
                scan.file(client, location, &path, context.project);
            }
        }
    }
    scan.found
}

/// The allow-lists of a client that are there: file and key.
pub(crate) fn lists_in_use(host: &Host, client: &Client) -> Vec<(PathBuf, &'static str)> {
    let mut scan = Scan::new(host);
    let mut found = Vec::new();
    for list in client.allow_lists {
        for path in list.paths.iter().flat_map(|path| expand(host, path, Context::default())) {
            let doc = scan.quiet(&path, list.format);
            if doc.is_some_and(|doc| doc.root().is_some_and(|root| root.get(list.key).is_some())) {
                found.push((host.real(&path), list.key));
            }
        }
    }
    found
}

/// The clients to look for.
pub(super) fn selected(options: &Options) -> impl Iterator<Item = &'static Client> {
    table::all().filter(|client| options.clients.is_empty() || options.clients.contains(&client.id))
}

/// The projects to look into.
pub(super) fn projects(scan: &mut Scan<'_>, options: &Options) -> Projects {
    let mut projects = if options.listed_projects { listed(scan) } else { Projects::default() };
    for project in &options.projects {
        projects.add_folder(scan, &project.to_string_lossy());
    }
    projects
}

/// The files that a location means.
pub(super) fn files<'p>(
    host: &Host,
    location: &Location,
    projects: &'p Projects,
) -> Vec<(String, Context<'p>)> {
    let mut found = Vec::new();
    for pattern in location.paths {
        let contexts: Vec<Context<'p>> = if pattern.starts_with("{proj}") {
            let context = |project| Context { project: Some(project), workspace: None };
            projects.folders.iter().map(|project| context(project.as_str())).collect()
        } else if pattern.starts_with("{workspace}") {
            let context = |workspace| Context { project: None, workspace: Some(workspace) };
            projects.workspaces.iter().map(|workspace| context(workspace.as_str())).collect()
        } else {
            vec![Context::default()]
        };
        for context in contexts {
            found.extend(expand(host, pattern, context).into_iter().map(|path| (path, context)));
        }
    }
    found
}

/// One run of discovery.
pub(super) struct Scan<'h> {
    host: &'h Host,
    docs: HashMap<(PathBuf, Format), Option<Rc<Doc>>>,
    seen: HashSet<(PathBuf, Vec<Step>)>,
    reported: HashSet<PathBuf>,
    found: Discovery,
}

impl<'h> Scan<'h> {
    pub(super) fn new(host: &'h Host) -> Self {
        Self {
            host,
            docs: HashMap::new(),
            seen: HashSet::new(),
            reported: HashSet::new(),
            found: Discovery::default(),
        }
    }

    /// The machine.
    pub(super) fn host(&self) -> &'h Host {
        self.host
    }

    /// A file that is only looked into; a failure is nobody's problem here.
    pub(super) fn quiet(&mut self, path: &str, format: Format) -> Option<Rc<Doc>> {
        self.open(&self.host.real(path), format)
    }

    /// A file of this machine that is only looked into.
    pub(super) fn open(&mut self, real: &Path, format: Format) -> Option<Rc<Doc>> {
        self.docs
            .entry((real.to_owned(), format))
            .or_insert_with_key(|(real, _)| {
                let bytes = read_bytes(real).ok()?;
                Doc::parse(&bytes, format).ok().map(Rc::new)
            })
            .clone()
    }

    fn file(
        &mut self,
        client: &'static Client,
        location: &'static Location,
        path: &str,
        project: Option<&str>,
    ) {
        let real = self.host.real(path);
        let doc = match self.docs.get(&(real.clone(), location.format)) {
            Some(Some(doc)) => Rc::clone(doc),
            _ => match self.read(client, location, &real) {
                Some(doc) => doc,
                None => return,
            },
        };
        let file = FileIn { client, location, real: &real, project, doc: &doc };
        if location.format == Format::Shell {
            self.script(&file);
            return;
        }
        for (project, steps, node) in collections(&doc, location.keys) {
            self.collection(&file, project.as_deref(), &steps, node);
        }
    }

    fn read(
        &mut self,
        client: &'static Client,
        location: &'static Location,
        real: &Path,
    ) -> Option<Rc<Doc>> {
        let result = read_bytes(real)
            .map_err(|error| Some((problem_kind(&error)?, None, chain(&error))))
            .and_then(|bytes| {
                Doc::parse(&bytes, location.format).map_err(|error| {
                    let kind = match error {
                        DocError::TooLarge { .. } => ProblemKind::TooLarge,
                        _ => ProblemKind::Malformed,
                    };
                    Some((kind, error.place(), error.to_string()))
                })
            });
        match result {
            Ok(doc) => {
                if doc.has_bom() && location.format == Format::JsonComments {
                    let message = "it starts with a byte-order mark, which this client refuses";
                    let problem = (ProblemKind::ByteOrderMark, None, message.to_owned());
                    self.problem(client, real, problem);
                }
                let doc = Rc::new(doc);
                self.docs.insert((real.to_owned(), location.format), Some(Rc::clone(&doc)));
                Some(doc)
            }
            Err(problem) => {
                if let Some(problem) = problem {
                    self.problem(client, real, problem);
                }
                None
            }
        }
    }

    fn problem(
        &mut self,
        client: &Client,
        real: &Path,
        (kind, place, message): (ProblemKind, Option<Place>, String),
    ) {
        if self.reported.insert(real.to_owned()) {
            let path = real.to_owned();
            self.found.problems.push(Problem { client: client.id, path, place, kind, message });
        }
    }

    fn collection(
        &mut self,
        file: &FileIn<'_>,
        project: Option<&str>,
        steps: &[Step],
        node: &Node,
    ) {
        if file.location.single {
            let name = file.single_name();
            self.entry(file, project, name, steps.to_vec(), node, node.span.start);
            return;
        }
        for (index, member) in node.members().iter().enumerate() {
            // Of duplicates, the last is the one.
            let later = &node.members()[index + 1..];
            if later.iter().all(|other| other.key != member.key) {
                let mut steps = steps.to_vec();
                steps.push(Step::Key(member.key.clone()));
                let at = member.key_span.start;
                self.entry(file, project, member.key.clone(), steps, &member.node, at);
            }
        }
        for (index, item) in node.items().iter().enumerate() {
            if let Some(name) = item.get("name").and_then(Node::as_str) {
                let mut steps = steps.to_vec();
                steps.push(Step::Index(index));
                self.entry(file, project, name.to_owned(), steps, item, first_offset(item));
            }
        }
    }

    fn entry(
        &mut self,
        file: &FileIn<'_>,
        project: Option<&str>,
        name: String,
        steps: Vec<Step>,
        node: &Node,
        at: usize,
    ) {
        let Some(shape) = shape_of(node) else { return };
        let Some(launch) = launch(node, &shape) else { return };
        let wrapped = match &launch {
            Launch::Stdio(stdio) => wrapped::detect(stdio),
            Launch::Remote(remote) => wrapped::detect_local(remote, file.client.id, &name),
            Launch::Extension => None,
        };
        let protection = protection(file.location, node, &shape);
        let mut entry = Entry {
            client: file.client.id,
            scope: file.location.scope,
            project: project.or(file.project).map(str::to_owned),
            name,
            file: file.real.to_owned(),
            format: file.location.format,
            locked: file.location.locked,
            steps,
            place: file.doc.place(at),
            launch,
            disabled: is_disabled(node),
            wrapped,
            protection,
            also_read_by: file.location.also,
        };
        if let Some(refine) = file.location.refine {
            refine(self, &mut entry);
        }
        self.push(entry);
    }

    fn script(&mut self, file: &FileIn<'_>) {
        for (index, (name, at, launch)) in shell::servers(file.doc.text()).into_iter().enumerate() {
            let entry = Entry {
                client: file.client.id,
                scope: file.location.scope,
                project: file.project.map(str::to_owned),
                name,
                file: file.real.to_owned(),
                format: file.location.format,
                locked: false,
                steps: vec![Step::Index(index)],
                place: file.doc.place(at),
                launch,
                disabled: false,
                wrapped: None,
                protection: Protection::ReportOnly(
                    "it is added by a shell script; put `defenter proxy` into it by hand",
                ),
                also_read_by: file.location.also,
            };
            self.push(entry);
        }
    }

    fn push(&mut self, entry: Entry) {
        let file = std::fs::canonicalize(&entry.file).unwrap_or_else(|_| entry.file.clone());
        if self.seen.insert((file, entry.steps.clone())) {
            self.found.entries.push(entry);
        }
    }
}

struct FileIn<'a> {
    client: &'static Client,
    location: &'static Location,
    real: &'a Path,
    project: Option<&'a str>,
    doc: &'a Doc,
}

impl FileIn<'_> {
    /// The name of a file's only server: what the file calls itself, or its folder.
    fn single_name(&self) -> String {
        let own = self.doc.root().and_then(|root| root.get("name")).and_then(Node::as_str);
        own.map_or_else(
            || {
                let folder = self.real.parent().and_then(Path::file_name);
                folder.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
            },
            str::to_owned,
        )
    }
}

/// The collections of entries that the keys lead to, with the project that `*` stood for.
fn collections<'d>(doc: &'d Doc, keys: &[&str]) -> Vec<(Option<String>, Vec<Step>, &'d Node)> {
    let Some(root) = doc.root() else { return Vec::new() };
    let mut found = Vec::new();
    for key in keys {
        if key.is_empty() {
            if found.is_empty() {
                found.push((None, Vec::new(), root));
            }
            continue;
        }
        let parts: Vec<&str> = key.split('/').collect();
        follow(root, &parts, None, &mut Vec::new(), &mut found);
    }
    found
}

fn follow<'d>(
    node: &'d Node,
    parts: &[&str],
    star: Option<&str>,
    steps: &mut Vec<Step>,
    found: &mut Vec<(Option<String>, Vec<Step>, &'d Node)>,
) {
    let [part, rest @ ..] = parts else {
        found.push((star.map(str::to_owned), steps.clone(), node));
        return;
    };
    let stars = node.members().iter().filter(|_| *part == "*").map(|m| (Some(&*m.key), &*m.key));
    let one = (*part != "*").then_some((star, *part));
    for (star, key) in stars.chain(one) {
        if let Some(next) = node.get(key) {
            steps.push(Step::Key(key.to_owned()));
            follow(next, rest, star, steps, found);
            steps.pop();
        }
    }
}

fn protection(location: &Location, node: &Node, shape: &Shape) -> Protection {
    if let Some(reason) = location.report_only {
        return Protection::ReportOnly(reason);
    }
    let yes = |key: &str| node.get(key).and_then(Node::as_bool) == Some(true);
    match shape {
        Shape::Remote { .. } => Protection::Remote,
        Shape::Settings => Protection::ReportOnly("an extension of the client starts it"),
        Shape::Ambiguous { .. } => Protection::ReportOnly(
            "it has both a command and an address, or a type that does not fit; remove one",
        ),
        Shape::Split { .. } | Shape::List { .. } if yes("sandboxEnabled") => {
            Protection::ReportOnly("it runs in the client's sandbox, where Defenter is not")
        }
        // A debugger of VS Code wants the interpreter itself as the command.
        Shape::Split { .. } | Shape::List { .. } if is_debugged(node) => {
            Protection::ReportOnly("its client debugs it, which a wrapper would stop")
        }
        Shape::Split { .. } | Shape::List { .. } => Protection::Wrappable,
    }
}

fn is_debugged(node: &Node) -> bool {
    node.get("dev").and_then(|dev| dev.get("debug")).is_some_and(Node::is_map)
}

/// The ways in which clients say that an entry is off.
fn is_disabled(node: &Node) -> bool {
    let says = |key: &str, value: bool| node.get(key).and_then(Node::as_bool) == Some(value);
    says("disabled", true) || says("enabled", false) || says("isActive", false)
}

fn first_offset(node: &Node) -> usize {
    let member = |node: &Node| node.members().first().map(|member| member.key_span.start);
    if node.span.is_empty() { member(node).unwrap_or(0) } else { node.span.start }
}

fn problem_kind(error: &ReadError) -> Option<ProblemKind> {
    match error {
        ReadError::Missing => None,
        ReadError::BrokenLink { .. } => Some(ProblemKind::BrokenLink),
        ReadError::NotAFile => Some(ProblemKind::NotAFile),
        ReadError::Io(_) => Some(ProblemKind::Unreadable),
        ReadError::TooLarge => Some(ProblemKind::TooLarge),
    }
}

fn chain(error: &ReadError) -> String {
    match error {
        ReadError::Io(source) => format!("{error}: {source}"),
        _ => error.to_string(),
    }
}
