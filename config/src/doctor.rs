//! What is wrong, or may go wrong, with the servers of a machine.
//!
//! Owns: the findings, each with a code, what it is about and what to do.
//! Accepts: a discovery, the status of each entry, a [`Host`], and a way to look for programs.
//! Emits: [`Finding`]s, the worst first within a file.
//! Promises: nothing is started and nothing is written; a finding never shows an argument's or a
//! variable's value.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::clients::{
    Approval, Client, ClientId, Discovery, Entry, Environment, Launch, Problem, Protection, Scope,
    Stdio, Unset, VariableForm, by_id, lists_in_use,
};
use crate::host::{Host, Os};
use crate::install::{Drift, Report, State, Status};

/// One thing to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What kind of thing it is.
    pub code: Code,
    /// The client.
    pub client: ClientId,
    /// The server, where it is about one.
    pub server: Option<String>,
    /// The file.
    pub file: PathBuf,
    /// What was found.
    pub message: String,
    /// What to do, where there is something to do.
    pub hint: Option<String>,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// It does not work, or is dangerous.
    Error,
    /// It may not work, or is not protected.
    Warning,
    /// Good to know.
    Info,
}

/// What kind of thing a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Code {
    /// A file cannot be read.
    FileProblem,
    /// An entry is not protected and could be.
    NotProtected,
    /// An entry is reached by address and is not protected.
    RemoteNotProtected,
    /// An entry runs through a program called defenter that is not this one.
    ForeignWrapper,
    /// An entry was wrapped and is not any more.
    Unwrapped,
    /// The command behind an approved name was changed.
    CommandChanged,
    /// An entry that was wrapped is gone.
    Gone,
    /// The program is not found in the environment that the client gives.
    ProgramNotFound,
    /// The defenter that an entry runs through is not found.
    WrapperNotFound,
    /// A variable is not set.
    VariableNotSet,
    /// The client asks again about an entry that was rewritten.
    ApprovalReset,
    /// An allow-list may refuse the wrapped entry.
    AllowList,
    /// The same name stands for different servers.
    SameName,
    /// The administrator's file replaces all others.
    ManagedOnly,
}

/// A way to look for programs.
pub trait Programs {
    /// True where a path is a file that can be executed.
    fn is_program(&self, path: &Path) -> bool;
}

/// The programs of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemPrograms;

impl Code {
    /// The kind as one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FileProblem => "file-problem",
            Self::NotProtected => "not-protected",
            Self::RemoteNotProtected => "remote-not-protected",
            Self::ForeignWrapper => "foreign-wrapper",
            Self::Unwrapped => "unwrapped",
            Self::CommandChanged => "command-changed",
            Self::Gone => "gone",
            Self::ProgramNotFound => "program-not-found",
            Self::WrapperNotFound => "wrapper-not-found",
            Self::VariableNotSet => "variable-not-set",
            Self::ApprovalReset => "approval-reset",
            Self::AllowList => "allow-list",
            Self::SameName => "same-name",
            Self::ManagedOnly => "managed-only",
        }
    }
}

impl Programs for SystemPrograms {
    #[cfg(unix)]
    fn is_program(&self, path: &Path) -> bool {
        use std::os::unix::fs::PermissionsExt;
        std::fs::metadata(path)
            .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
    }

    #[cfg(not(unix))]
    fn is_program(&self, path: &Path) -> bool {
        path.is_file()
    }
}

/// Looks at everything.
pub fn doctor(
    host: &Host,
    discovery: &Discovery,
    report: &Report<'_>,
    programs: &dyn Programs,
) -> Vec<Finding> {
    let mut findings: Vec<Finding> = discovery.problems.iter().map(file_problem).collect();
    for status in &report.entries {
        findings.extend(protection(status));
        findings.extend(drift(status));
        findings.extend(program(host, status.entry, programs));
        findings.extend(wrapper(host, status.entry, programs));
        findings.extend(variables(host, status.entry));
    }
    findings.extend(report.gone.iter().filter_map(|saved| {
        Some(Finding {
            severity: Severity::Info,
            code: Code::Gone,
            client: by_id(&saved.client)?.id,
            server: Some(saved.name.clone()),
            file: saved.file.clone(),
            message: "it was wrapped and is not there any more".to_owned(),
            hint: None,
        })
    }));
    findings.extend(approvals(report));
    findings.extend(allow_lists(host, report));
    findings.extend(same_names(discovery));
    findings.extend(managed(discovery));
    findings.sort_by(|a, b| {
        (&a.file, a.severity, a.code, &a.server).cmp(&(&b.file, b.severity, b.code, &b.server))
    });
    findings
}

fn finding(entry: &Entry, severity: Severity, code: Code, message: impl Into<String>) -> Finding {
    Finding {
        severity,
        code,
        client: entry.client,
        server: Some(entry.name.clone()),
        file: entry.file.clone(),
        message: message.into(),
        hint: None,
    }
}

impl Finding {
    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

fn file_problem(problem: &Problem) -> Finding {
    let place = problem.place.map(|place| format!(" ({place})")).unwrap_or_default();
    // A syntax error's message has the place in it.
    let place = if problem.message.contains("line ") { String::new() } else { place };
    Finding {
        severity: Severity::Error,
        code: Code::FileProblem,
        client: problem.client,
        server: None,
        file: problem.path.clone(),
        message: format!("{}{place}", problem.message),
        hint: Some("its servers are not seen; it is never changed".to_owned()),
    }
}

fn protection(status: &Status<'_>) -> Option<Finding> {
    let entry = status.entry;
    match status.state {
        State::Protected => None,
        State::OtherProgram => Some(
            finding(
                entry,
                Severity::Warning,
                Code::ForeignWrapper,
                "it runs through a program called defenter that is not this one",
            )
            .hint("see that the program is one you trust, then uninstall and install again"),
        ),
        State::NotProtected if entry.disabled => None,
        State::NotProtected => Some(
            finding(entry, Severity::Warning, Code::NotProtected, "it is not protected")
                .hint("run `defenter install`"),
        ),
        State::Remote => Some(finding(
            entry,
            Severity::Info,
            Code::RemoteNotProtected,
            "it is reached by address and is not protected",
        )),
        State::ReportOnly(reason) => Some(finding(
            entry,
            Severity::Info,
            Code::NotProtected,
            format!("it is not protected: {reason}"),
        )),
    }
}

fn drift(status: &Status<'_>) -> Option<Finding> {
    match status.drift? {
        Drift::Unwrapped => Some(
            finding(
                status.entry,
                Severity::Error,
                Code::Unwrapped,
                "it was wrapped, and somebody has changed it back",
            )
            .hint("run `defenter install` again, or `defenter uninstall` if you meant it"),
        ),
        Drift::CommandChanged => Some(
            finding(
                status.entry,
                Severity::Error,
                Code::CommandChanged,
                "its command is not the one that was wrapped under this name",
            )
            .hint("look at the entry; clients approve servers by name and do not ask again"),
        ),
    }
}

/// The server's program, looked for as the client would.
fn program(host: &Host, entry: &Entry, programs: &dyn Programs) -> Option<Finding> {
    let Launch::Stdio(stdio) = entry.server() else { return None };
    if entry.disabled || matches!(entry.protection, Protection::ReportOnly(_)) {
        return None;
    }
    // Only the client knows what a variable stands for.
    let command = stdio.command.as_str();
    if command.contains(['$', '{', '%']) || is_found(host, entry, stdio, programs) {
        return None;
    }
    let message = format!("its program {command:?} is not found");
    let hint = if is_desktop(host, entry) {
        "this client does not have your shell's PATH; write the program's full path"
    } else if command.contains(char::is_whitespace) {
        "a command with arguments in it is taken as one program; put them into args"
    } else {
        "install it, or write its full path"
    };
    Some(finding(entry, Severity::Warning, Code::ProgramNotFound, message).hint(hint))
}

/// The defenter that the entry runs through: without it the server does not start at all.
fn wrapper(host: &Host, entry: &Entry, programs: &dyn Programs) -> Option<Finding> {
    let (Launch::Stdio(stdio), Some(wrapped)) = (&entry.launch, &entry.wrapped) else {
        return None;
    };
    let is_here = entry.scope != Scope::Elsewhere && !entry.disabled;
    if !is_here || is_found(host, entry, stdio, programs) {
        return None;
    }
    let message = format!("the program {:?} that it runs through is not found", wrapped.program);
    let hint = if entry.is_shared() {
        "put defenter on the PATH of its client; the file is shared, so it names no folder"
    } else {
        "run `defenter install` with the one that is there, or put it back"
    };
    Some(finding(entry, Severity::Error, Code::WrapperNotFound, message).hint(hint))
}

fn is_found(host: &Host, entry: &Entry, stdio: &Stdio, programs: &dyn Programs) -> bool {
    let command = stdio.command.as_str();
    let extensions: &[&str] =
        if host.os == Os::Windows { &["", ".exe", ".cmd", ".bat"] } else { &[""] };
    let is_there = |path: &str| {
        extensions.iter().any(|end| programs.is_program(&host.real(&format!("{path}{end}"))))
    };
    if host.is_absolute(command) {
        return is_there(command);
    }
    if command.contains(['/', '\\']) {
        // Relative to a folder that only the client knows, unless the entry or its project says.
        let folder = stdio.cwd.as_deref().filter(|cwd| host.is_absolute(cwd));
        return match folder.or(entry.project.as_deref()) {
            Some(folder) => is_there(&format!("{folder}/{command}")),
            None => true,
        };
    }
    let own = stdio.env.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.as_str());
    let path = match own {
        Some(path) if path.contains('$') => return true,
        Some(path) => path,
        // What launchd gives to programs started from the desktop.
        None if is_desktop(host, entry) => "/usr/bin:/bin:/usr/sbin:/sbin",
        None => match host.var("PATH").or_else(|| host.var("Path")) {
            Some(path) => path,
            None => return true,
        },
    };
    let separator = if host.os == Os::Windows { ';' } else { ':' };
    path.split(separator)
        .filter(|folder| host.is_absolute(folder))
        .any(|folder| is_there(&format!("{}/{command}", folder.trim_end_matches(['/', '\\']))))
}

fn is_desktop(host: &Host, entry: &Entry) -> bool {
    host.os == Os::Macos && client_of(entry).is_some_and(|c| c.environment == Environment::Desktop)
}

fn client_of(entry: &Entry) -> Option<&'static Client> {
    by_id(entry.client.as_str())
}

/// Variables that the client expands and that are not set here.
fn variables(host: &Host, entry: &Entry) -> Vec<Finding> {
    let is_here = !entry.disabled && entry.scope != Scope::Elsewhere;
    let Some(client) = client_of(entry).filter(|_| is_here) else { return Vec::new() };
    let mut names: Vec<String> = texts(entry.server())
        .flat_map(|text| mentioned(text, client.variables.forms))
        .filter(|name| !host.env.contains_key(name))
        .collect();
    names.sort();
    names.dedup();
    let (severity, effect) = match client.variables.unset {
        Unset::Kept => (Severity::Info, "the client leaves it as it is or puts nothing there"),
        Unset::RefusesServer => (Severity::Error, "the client refuses the server"),
        Unset::RefusesFile => (Severity::Error, "the client refuses the whole file"),
    };
    let of = |name: String| {
        let message = format!("it needs the variable {name}, which is not set here; {effect}");
        finding(entry, severity, Code::VariableNotSet, message)
    };
    names.into_iter().map(of).collect()
}

fn texts(launch: &Launch) -> Box<dyn Iterator<Item = &str> + '_> {
    match launch {
        Launch::Stdio(stdio) => Box::new(
            std::iter::once(stdio.command.as_str())
                .chain(stdio.args.iter().map(String::as_str))
                .chain(stdio.env.iter().map(|(_, value)| value.as_str())),
        ),
        Launch::Remote(remote) => Box::new(
            std::iter::once(remote.url.as_str())
                .chain(remote.headers.iter().map(|(_, value)| value.as_str())),
        ),
        Launch::Extension => Box::new(std::iter::empty()),
    }
}

/// The names of variables without a default in a text.
fn mentioned(text: &str, forms: &[VariableForm]) -> Vec<String> {
    let has = |form| forms.contains(&form);
    let mut names = Vec::new();
    for (at, opening) in text.match_indices(['$', '{']) {
        let rest = &text[at + 1..];
        let inside = |rest: &str| rest.split_once('}').map(|(inside, _)| inside.to_owned());
        let name = if opening == "{" {
            let is_bare = has(VariableForm::BareEnv) && !text[..at].ends_with('$');
            rest.strip_prefix("env:").filter(|_| is_bare).and_then(inside)
        } else if let Some(rest) = rest.strip_prefix('{') {
            match rest.strip_prefix("env:") {
                Some(rest) if has(VariableForm::Env) => inside(rest),
                None if has(VariableForm::Braces) => inside(rest),
                _ => None,
            }
        } else if has(VariableForm::Dollar) {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            Some(rest[..end.unwrap_or(rest.len())].to_owned())
        } else {
            None
        };
        names.extend(name.filter(|name| is_name(name)));
    }
    names
}

fn is_name(text: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !text.is_empty() && !text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(word)
}

/// One for each client that asks again about entries that are, or are going to be, wrapped.
fn approvals(report: &Report<'_>) -> Vec<Finding> {
    let mut first: BTreeMap<ClientId, Finding> = BTreeMap::new();
    for entry in wrapped(report) {
        let asks = match client_of(entry).map(|client| client.approval) {
            Some(Approval::Always(what)) => Some(what),
            Some(Approval::Projects(what)) if entry.is_shared() => Some(what),
            _ => None,
        };
        if let Some(what) = asks {
            first.entry(entry.client).or_insert_with(|| Finding {
                server: None,
                ..finding(
                    entry,
                    Severity::Info,
                    Code::ApprovalReset,
                    "this client asks again about servers whose entry was changed, \
                     as `install` and `uninstall` do",
                )
                .hint(what)
            });
        }
    }
    first.into_values().collect()
}

fn wrapped<'r>(report: &'r Report<'_>) -> impl Iterator<Item = &'r Entry> {
    let is_or_may_be =
        |entry: &&Entry| entry.wrapped.is_some() || entry.protection == Protection::Wrappable;
    report.entries.iter().map(|status| status.entry).filter(is_or_may_be)
}

/// One for each client with an allow-list that is in use.
fn allow_lists(host: &Host, report: &Report<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut clients: Vec<&'static Client> = wrapped(report).filter_map(client_of).collect();
    clients.sort_by_key(|client| client.id);
    clients.dedup_by_key(|client| client.id);
    for client in clients {
        findings.extend(lists_in_use(host, client).into_iter().map(|(file, key)| Finding {
            severity: Severity::Warning,
            code: Code::AllowList,
            client: client.id,
            server: None,
            file,
            message: format!("the list `{key}` looks at commands and may refuse wrapped servers"),
            hint: Some("have defenter's path added to it, before servers are wrapped".to_owned()),
        }));
    }
    findings
}

/// Servers that are different and have one name.
fn same_names(discovery: &Discovery) -> Vec<Finding> {
    let mut by_name: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in discovery.entries.iter().filter(|entry| !entry.disabled) {
        by_name.entry(&entry.name).or_default().push(entry);
    }
    by_name
        .into_values()
        .filter_map(|entries| {
            let first = entries.first()?;
            let other = entries.iter().find(|entry| !is_same(first.server(), entry.server()))?;
            let message = format!(
                "the same name stands for another server in {} ({})",
                other.client,
                other.file.display()
            );
            Some(
                finding(first, Severity::Info, Code::SameName, message)
                    .hint("policies and records tell them apart by client; people may not"),
            )
        })
        .collect()
}

fn is_same(a: &Launch, b: &Launch) -> bool {
    match (a, b) {
        (Launch::Stdio(a), Launch::Stdio(b)) => a.command == b.command && a.args == b.args,
        (Launch::Remote(a), Launch::Remote(b)) => a.url == b.url,
        (Launch::Extension, Launch::Extension) => true,
        _ => false,
    }
}

/// Claude Code reads nothing else where the administrator's file is there.
fn managed(discovery: &Discovery) -> Option<Finding> {
    let is_managed =
        |entry: &&Entry| entry.client.as_str() == "claude-code" && entry.scope == Scope::System;
    let entry = discovery.entries.iter().find(is_managed)?;
    Some(finding(
        entry,
        Severity::Info,
        Code::ManagedOnly,
        "the administrator's file is there, so this client uses no other servers",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_found_in_the_forms_that_a_client_expands() {
        let check = |text: &str, forms: &[VariableForm], expected: &[&str]| {
            assert_eq!(mentioned(text, forms), expected, "{text}");
        };
        let all =
            [VariableForm::Braces, VariableForm::Dollar, VariableForm::Env, VariableForm::BareEnv];
        check("${A}/$B/${env:C}/{env:D}", &all, &["A", "B", "C", "D"]);
        check("${A}/$B/${env:C}/{env:D}", &[VariableForm::Braces], &["A"]);
        check("${A}/$B/${env:C}/{env:D}", &[VariableForm::BareEnv], &["D"]);
        check("${A:-x} ${input:y} ${{ secrets.Z }} $ $$ ${ {env: $1", &all, &[]);
        check("{file:~/x} {}", &all, &[]);
    }
}
