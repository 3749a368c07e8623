//! `defenter servers`: every server that a client's config names, and whether it is protected.

use defenter_actors::status::{ServerState, ServerView};
use defenter_config::{
    clients::{self, Discovery, Entry, Launch, Transport},
    install::{Drift, Journal, State, Status, status},
};
use serde::Serialize;

use crate::{
    Exit, Outcome,
    cli::LookArgs,
    control,
    failure::{Failure, OrFail},
    here,
    mask::Mask,
    terminal::{self, plain},
};

#[derive(Serialize)]
struct Report {
    servers: Vec<Row>,
    problems: Vec<String>,
}

/// One entry.
#[derive(Serialize)]
struct Row {
    name: String,
    client: String,
    scope: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    file: String,
    transport: &'static str,
    /// The server's own command, secrets masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<String>,
    /// The server's address, secrets masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// The names of the variables or headers that the entry sets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sets: Vec<String>,
    disabled: bool,
    wrapped: bool,
    /// Why it is not wrapped, or what is odd about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// What it is doing, where a supervisor runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<ServerState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sessions: Option<usize>,
}

pub(crate) fn run(args: &LookArgs) -> Outcome {
    let house = here::house_and_linux()?;
    let running = control::status(&house.paths)?.map(|status| status.servers);
    let found = clients::discover(&house.host, &options(args)?);
    let journal = Journal::new(house.paths.install_journal());
    let wrapper = super::install::wrapper()?;
    let statuses = status(&found, &journal, &[&wrapper.program, &wrapper.portable]);
    let statuses = statuses.or_fail(Exit::Failed)?;
    let mask = Mask::new();
    let row = |status: &Status<'_>| Row::of(status, running.as_deref(), &mask);
    let report =
        Report { servers: statuses.entries.iter().map(row).collect(), problems: problems(&found) };
    if args.json {
        terminal::say_json(&report)?;
    } else {
        terminal::say(&report.text())?;
    }
    Ok(Exit::Done)
}

/// Which configs to look at.
pub(super) fn options(args: &LookArgs) -> Result<clients::Options, Failure> {
    let chosen = args.client.iter().map(|id| super::install::client(id));
    let projects = args.project.iter().map(std::path::absolute).collect::<Result<Vec<_>, _>>();
    Ok(clients::Options {
        projects: projects.or_fail(Exit::Usage)?,
        clients: chosen.collect::<Result<_, _>>()?,
        ..clients::Options::default()
    })
}

fn problems(found: &Discovery) -> Vec<String> {
    let say = |problem: &clients::Problem| plain(&problem.to_string());
    found.problems.iter().map(say).collect()
}

impl Row {
    fn of(status: &Status<'_>, running: Option<&[ServerView]>, mask: &Mask) -> Self {
        let entry = status.entry;
        let server = entry.server();
        let seen = running.and_then(|servers| servers.iter().find(|server| is_of(server, entry)));
        Self {
            name: entry.name.clone(),
            client: entry.client.to_string(),
            scope: entry.scope.as_str(),
            project: entry.project.clone(),
            file: entry.file.display().to_string(),
            transport: transport(server),
            command: match server {
                Launch::Stdio(stdio) => Some(mask.command(stdio)),
                Launch::Remote(_) | Launch::Extension => None,
            },
            url: match server {
                Launch::Remote(remote) => Some(mask.url(&remote.url)),
                Launch::Stdio(_) | Launch::Extension => None,
            },
            sets: sets(server),
            disabled: entry.disabled,
            wrapped: status.state == State::Protected,
            why: why(status),
            state: seen.map(|server| server.state),
            sessions: seen.map(|server| server.sessions.len()),
        }
    }
}

fn transport(launch: &Launch) -> &'static str {
    match launch {
        Launch::Stdio(_) => "stdio",
        Launch::Extension => "extension",
        Launch::Remote(remote) => match remote.transport {
            Transport::Http => "http",
            Transport::Sse => "sse",
            Transport::WebSocket => "websocket",
        },
    }
}

fn sets(launch: &Launch) -> Vec<String> {
    let pairs = match launch {
        Launch::Stdio(stdio) => &stdio.env[..],
        Launch::Remote(remote) => &remote.headers[..],
        Launch::Extension => &[],
    };
    pairs.iter().map(|(name, _)| name.clone()).collect()
}

/// Whether a running server is the one that an entry names.
fn is_of(server: &ServerView, entry: &Entry) -> bool {
    let scope = match &entry.project {
        Some(project) => format!("{} {project}", entry.scope),
        None => entry.scope.to_string(),
    };
    server.name == entry.name && server.client == entry.client.as_str() && server.scope == scope
}

fn why(status: &Status<'_>) -> Option<String> {
    let drift = match status.drift {
        Some(Drift::CommandChanged) => {
            return Some("its command is not the one that was wrapped under this name".to_owned());
        }
        Some(Drift::Unwrapped) => ", and was changed back",
        None => "",
    };
    match &status.state {
        State::Protected => None,
        State::OtherProgram => {
            Some("it runs through a program called defenter that is not this one".to_owned())
        }
        State::NotProtected if status.entry.disabled => {
            Some("it is disabled in the client".to_owned())
        }
        State::NotProtected => Some(format!("`defenter install` wraps it{drift}")),
        State::Remote => Some("it is reached by address, which is not protected yet".to_owned()),
        State::ReportOnly(why) => Some((*why).to_owned()),
    }
}

impl Report {
    fn text(&self) -> String {
        let mut text = if self.servers.is_empty() {
            "no client's config names a server\n".to_owned()
        } else {
            let head = ["SERVER", "CLIENT", "SCOPE", "TRANSPORT", "WRAPPED", "STATE", "RUNS"];
            let mut rows = vec![head.map(str::to_owned).to_vec()];
            rows.extend(self.servers.iter().map(cells));
            terminal::table(&rows)
        };
        for problem in &self.problems {
            text.push_str(&format!("problem: {problem}\n"));
        }
        text
    }
}

fn cells(row: &Row) -> Vec<String> {
    let wrapped = match (row.wrapped, &row.why) {
        (true, None) => "yes".to_owned(),
        (true, Some(why)) => format!("yes: {why}"),
        (false, why) => format!("no: {}", why.as_deref().unwrap_or("not known")),
    };
    let runs = row.command.as_ref().or(row.url.as_ref()).map_or("-", String::as_str);
    vec![
        plain(&row.name),
        row.client.clone(),
        row.scope.to_owned(),
        row.transport.to_owned(),
        wrapped,
        row.state.map_or_else(|| "-".to_owned(), |state| state.to_string()),
        plain(runs),
    ]
}
