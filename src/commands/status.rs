//! `defenter status`: what runs, and which servers of the clients' configs are protected.

use defenter_actors::status::{
    FindingKind, FindingView, ServerView, SessionView, StatusView, SupervisorView,
};
use defenter_actors::{findings, house::House};
use defenter_config::clients::{Discovery, Entry, Launch, Protection};
use defenter_config::install::{Journal, status};
use defenter_redact::Redactor;
use serde::Serialize;

use super::hooks::{self, HookView};
use crate::{
    Exit, Outcome,
    cli::StatusArgs,
    failure::{Failure, OrFail},
    here,
    terminal::{self, plain},
};

#[derive(Serialize)]
struct Report {
    /// Nothing while no supervisor runs.
    supervisor: Option<SupervisorView>,
    servers: Vec<ServerView>,
    entries: Vec<EntryView>,
    /// What is amiss with the entries.
    findings: Vec<FindingView>,
    /// Our hooks in the files of clients that are on the machine.
    hooks: Vec<HookView>,
    problems: Vec<String>,
}

/// One entry of a client's config.
#[derive(Serialize)]
struct EntryView {
    client: String,
    scope: String,
    name: String,
    file: String,
    transport: &'static str,
    disabled: bool,
    wrapped: bool,
    /// Why it is not wrapped, where that is not the user's choice.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
}

pub(crate) fn run(args: &StatusArgs) -> Outcome {
    let house = here::house(Vec::new())?;
    let running = running(&house.paths)?;
    let found = house.discover();
    let Discovery { entries, problems } = &found;
    let report = Report {
        entries: entries.iter().map(EntryView::of).collect(),
        findings: match &running {
            Some(status) => status.findings.clone(),
            None => amiss(&house, &found)?,
        },
        hooks: hooks::views(&house)?,
        problems: {
            let ours = running.iter().flat_map(|status| status.problems.clone());
            ours.chain(problems.iter().map(ToString::to_string)).collect()
        },
        servers: running.as_ref().map_or_else(Vec::new, |status| status.servers.clone()),
        supervisor: running.map(|status| status.supervisor),
    };
    if args.json {
        terminal::say_json(&report)?;
    } else {
        terminal::say(&report.text())?;
    }
    if args.check && drifted(&house.paths, &found)? {
        return Ok(Exit::Drift);
    }
    Ok(Exit::Done)
}

/// What a supervisor would find amiss.
fn amiss(house: &House, found: &Discovery) -> Result<Vec<FindingView>, Failure> {
    let findings = findings::of(house, found, &here::program()?).or_fail(Exit::Failed)?;
    let redactor = Redactor::builtin();
    Ok(findings.iter().map(|finding| finding.redacted(&redactor)).collect())
}

/// Whether an entry that was wrapped is no longer, or has another server.
fn drifted(paths: &defenter_config::Paths, found: &Discovery) -> Result<bool, Failure> {
    let journal = Journal::new(paths.install_journal());
    let wrapper = super::install::wrapper()?;
    let report = status(found, &journal, &[&wrapper.program, &wrapper.portable]);
    let report = report.or_fail(Exit::Failed)?;
    Ok(!report.gone.is_empty() || report.entries.iter().any(|entry| entry.drift.is_some()))
}

#[cfg(unix)]
pub(super) fn running(paths: &defenter_config::Paths) -> Result<Option<StatusView>, Failure> {
    crate::control::ask_if_running(paths, &defenter_mcp::local::Request::Status)
}

#[cfg(not(unix))]
pub(super) fn running(_paths: &defenter_config::Paths) -> Result<Option<StatusView>, Failure> {
    Ok(None)
}

impl EntryView {
    fn of(entry: &Entry) -> Self {
        Self {
            client: entry.client.to_string(),
            scope: entry.scope.to_string(),
            name: entry.name.clone(),
            file: entry.file.display().to_string(),
            transport: match entry.server() {
                Launch::Stdio(_) => "stdio",
                Launch::Remote(_) => "remote",
                Launch::Extension => "extension",
            },
            disabled: entry.disabled,
            wrapped: entry.wrapped.is_some(),
            note: match entry.protection {
                Protection::Wrappable => None,
                Protection::Remote => Some("reached by address, which is not protected yet"),
                Protection::ReportOnly(why) => Some(why),
            },
        }
    }
}

impl Report {
    fn text(&self) -> String {
        let mut text = match &self.supervisor {
            None => "supervisor: not running (start it with `defenter up`)\n".to_owned(),
            Some(view) => format!(
                "supervisor: process {}, version {}, up since {}\n",
                view.pid, view.version, view.started
            ),
        };
        if !self.servers.is_empty() {
            let head = ["SERVER", "CLIENT", "SCOPE", "STATE", "SESSIONS", "RESTARTS"];
            let mut rows = vec![head.map(str::to_owned).to_vec()];
            rows.extend(self.servers.iter().map(server_row));
            text.push('\n');
            text.push_str(&terminal::table(&rows));
            for server in &self.servers {
                if let Some(why) = &server.quarantined {
                    text.push_str(&format!("\n{}: {}\n", plain(&server.name), plain(why)));
                }
                text.extend(server.sessions.iter().filter_map(|session| silence(server, session)));
            }
        }
        if !self.entries.is_empty() {
            let head = ["ENTRY", "CLIENT", "SCOPE", "PROTECTED", "FILE"];
            let mut rows = vec![head.map(str::to_owned).to_vec()];
            rows.extend(self.entries.iter().map(entry_row));
            text.push('\n');
            text.push_str(&terminal::table(&rows));
        }
        // What was never wrapped stands in the table already.
        let is_news = |finding: &&FindingView| finding.kind != FindingKind::Unprotected;
        for finding in self.findings.iter().filter(is_news) {
            let FindingView { kind, client, name, .. } = finding;
            let meaning = kind.meaning();
            text.push_str(&format!("\n{} ({}): {meaning}\n", plain(name), plain(client)));
        }
        if !self.hooks.is_empty() {
            let mut rows = vec![HookView::HEAD.map(str::to_owned).to_vec()];
            rows.extend(self.hooks.iter().map(HookView::row));
            text.push('\n');
            text.push_str(&terminal::table(&rows));
        }
        for problem in &self.problems {
            text.push_str(&format!("problem: {}\n", plain(problem)));
        }
        text
    }
}

fn server_row(server: &ServerView) -> Vec<String> {
    vec![
        plain(&server.name),
        plain(&server.client),
        plain(&server.scope),
        server.state.to_string(),
        server.sessions.len().to_string(),
        server.restarts.to_string(),
    ]
}

/// What there is to say of a session whose server does not answer.
fn silence(server: &ServerView, session: &SessionView) -> Option<String> {
    let seconds = session.unresponsive_s?;
    let process = session.pid.map_or_else(String::new, |pid| format!(" (process {pid})"));
    let name = plain(&server.name);
    Some(format!(
        "\n{name}{process} owes an answer and has said nothing for {seconds} s; \
         `defenter restart {name}` starts it anew\n"
    ))
}

fn entry_row(entry: &EntryView) -> Vec<String> {
    let protected = match (entry.wrapped, entry.note, entry.disabled) {
        (true, ..) => "yes".to_owned(),
        (false, Some(note), _) => format!("no: {note}"),
        (false, None, true) => "no: disabled in the client".to_owned(),
        (false, None, false) => "no: `defenter install` protects it".to_owned(),
    };
    vec![
        plain(&entry.name),
        entry.client.clone(),
        entry.scope.clone(),
        protected,
        entry.file.clone(),
    ]
}
