//! The page that shows what runs, and the health answer.
//!
//! - Accepts: the status.
//! - Emits: HTML without script, every text in it escaped and made visible; JSON for `/healthz`.
//! - Promises: a bounded size, whatever the number of servers and sessions.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use defenter_actors::counted::Counted;
use defenter_actors::dialog::visible;
use defenter_actors::status::{ServerState, ServerView, SessionView, StatusView};
use serde::Serialize;

/// How many servers the page lists; the rest is counted.
const MAX_SERVERS: usize = 500;
/// How many problems it lists.
const MAX_PROBLEMS: usize = 8;
/// How many sessions it lists per server; the rest is counted.
const MAX_SESSIONS: usize = 20;
/// How many characters of one text it shows.
const MAX_TEXT: usize = 2000;

/// The page's style.
pub(crate) const STYLE: &str = "\
body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:64rem;padding:0 1rem;color:#222}
h1{font-size:1.3rem}table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.35rem .7rem;border-bottom:1px solid #ddd;vertical-align:top}
code,pre{font:13px/1.4 ui-monospace,monospace}pre{white-space:pre-wrap;margin:.3rem 0 0}
.ready,.busy{color:#116329}.idle,.starting,.draining,.stopped{color:#555}
.backoff{color:#953800}.quarantined{color:#cf222e;font-weight:600}
ul{margin:0;padding-left:1.1rem}
@media(prefers-color-scheme:dark){body{background:#111;color:#ddd}th,td{border-color:#333}
.ready,.busy{color:#56d364}.idle,.starting,.draining,.stopped{color:#aaa}
.backoff{color:#f0a45d}.quarantined{color:#ff7b72}}
";

/// What `/healthz` answers.
#[derive(Debug, Serialize)]
pub(crate) struct Health {
    ok: bool,
    version: String,
    uptime_s: u64,
    servers: BTreeMap<&'static str, usize>,
}

impl Health {
    /// The health of a supervisor that has this status. It is well as long as it answers; servers
    /// that are not are counted by state.
    pub(crate) fn of(status: &StatusView) -> Self {
        let mut servers = BTreeMap::from(ServerState::ALL.map(|state| (state.name(), 0)));
        for server in &status.servers {
            *servers.entry(server.state.name()).or_default() += 1;
        }
        Self {
            ok: true,
            version: status.supervisor.version.clone(),
            uptime_s: status.supervisor.uptime_s,
            servers,
        }
    }
}

/// The page.
pub(crate) fn render(status: &StatusView) -> String {
    let supervisor = &status.supervisor;
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Defenter</title>\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <meta http-equiv=\"refresh\" content=\"10\">\
         <link rel=\"stylesheet\" href=\"/style.css\"></head><body><h1>Defenter</h1>\
         <p>Version {}, process {}, up for {} since {}. <a href=\"/metrics\">Metrics</a>, \
         <a href=\"/healthz\">health</a>.</p>",
        text(&supervisor.version),
        supervisor.pid,
        duration(supervisor.uptime_s),
        text(&supervisor.started),
    );
    for problem in status.problems.iter().take(MAX_PROBLEMS) {
        let _ = write!(out, "<p class=\"backoff\">{}</p>", text(problem));
    }
    if status.servers.is_empty() {
        out.push_str("<p>No server is wrapped. <code>defenter install</code> wraps them.</p>");
    } else {
        table(&mut out, &status.servers);
    }
    out.push_str("</body></html>\n");
    out
}

fn table(out: &mut String, servers: &[ServerView]) {
    out.push_str(
        "<table><thead><tr><th>Server</th><th>Client</th><th>State</th><th>Sessions</th>\
         <th>Restarts</th><th>Last exit</th></tr></thead><tbody>",
    );
    for server in servers.iter().take(MAX_SERVERS) {
        row(out, server);
    }
    out.push_str("</tbody></table>");
    more(out, servers.len(), MAX_SERVERS, "more server");
}

fn row(out: &mut String, server: &ServerView) {
    let state = server.state.name();
    let _ = write!(
        out,
        "<tr><td>{}</td><td>{} ({})</td><td class=\"{state}\">{state}",
        text(&server.name),
        text(&server.client),
        text(&server.scope),
    );
    if let Some(reason) = &server.quarantined {
        let _ = write!(out, "<pre>{}</pre>", lines(reason));
    }
    out.push_str("</td><td>");
    sessions(out, &server.sessions);
    let _ = write!(out, "</td><td>{}</td><td>{}</td></tr>", server.restarts, last_exit(server));
}

fn sessions(out: &mut String, sessions: &[SessionView]) {
    if sessions.is_empty() {
        out.push('–');
        return;
    }
    out.push_str("<ul>");
    for session in sessions.iter().take(MAX_SESSIONS) {
        let _ = write!(
            out,
            "<li><code>{}</code> since {}, {}",
            text(&session.id),
            text(&session.started),
            Counted(session.operations, "operation")
        );
        if let Some(pid) = session.pid {
            let _ = write!(out, ", process {pid}");
        }
        if session.generation > 1 {
            let _ = write!(out, ", recovered {}", Counted(session.generation - 1, "time"));
        }
        if let Some(seconds) = session.unresponsive_s {
            let silent = duration(seconds);
            let _ = write!(out, ", <span class=\"backoff\">unresponsive for {silent}</span>");
        }
        out.push_str("</li>");
    }
    out.push_str("</ul>");
    more(out, sessions.len(), MAX_SESSIONS, "more session");
}

fn last_exit(server: &ServerView) -> String {
    let Some(exit) = &server.last_exit else { return "–".to_owned() };
    let how = match (exit.code, exit.signal) {
        (_, Some(signal)) => format!("signal {signal}"),
        (Some(code), None) => format!("code {code}"),
        (None, None) => "unknown".to_owned(),
    };
    format!("{how} at {}", text(&exit.at))
}

fn more(out: &mut String, all: usize, shown: usize, what: &str) {
    if all > shown {
        let _ = write!(out, "<p>… and {}.</p>", Counted::of(all - shown, what));
    }
}

/// A text for HTML: bounded, nothing hidden in it, and no markup.
fn text(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let bounded: String = raw.chars().take(MAX_TEXT).collect();
    for c in visible(&bounded).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    let cut = raw.chars().count().saturating_sub(MAX_TEXT);
    if cut > 0 {
        let _ = write!(out, "… {}", Counted::of(cut, "more character"));
    }
    out
}

/// A text of several lines.
fn lines(raw: &str) -> String {
    raw.lines().take(50).map(text).collect::<Vec<_>>().join("\n")
}

fn duration(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, ..) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use defenter_actors::status::{ExitView, SupervisorView};
    use proptest::prelude::*;

    pub(crate) fn status(servers: Vec<ServerView>) -> StatusView {
        StatusView {
            problems: Vec::new(),
            supervisor: SupervisorView {
                version: "0.1.0".into(),
                pid: 7,
                started: "2026-11-24T12:00:00Z".into(),
                uptime_s: 4000,
            },
            servers,
            findings: Vec::new(),
        }
    }

    pub(crate) fn server(name: &str, state: ServerState) -> ServerView {
        ServerView {
            name: name.into(),
            client: "cursor".into(),
            scope: "user".into(),
            state,
            sessions: vec![SessionView {
                id: "s1".into(),
                pid: Some(42),
                started: "2026-11-24T12:01:00Z".into(),
                generation: 2,
                operations: 9,
                unresponsive_s: (state == ServerState::Ready).then_some(130),
            }],
            restarts: 1,
            last_exit: Some(ExitView {
                code: None,
                signal: Some(9),
                at: "2026-11-24T12:02:00Z".into(),
            }),
            quarantined: (state == ServerState::Quarantined)
                .then(|| "5 failures\nlast line".into()),
        }
    }

    #[test]
    fn shows_servers_and_sessions() {
        let page = render(&status(vec![
            server("files", ServerState::Ready),
            server("broken", ServerState::Quarantined),
        ]));
        for part in [
            "<td>files</td><td>cursor (user)</td><td class=\"ready\">ready</td>",
            "<pre>5 failures\nlast line</pre>",
            "process 42, recovered 1 time, <span class=\"backoff\">unresponsive for 2 min</span><",
            "process 42, recovered 1 time<",
            "signal 9 at 2026-11-24T12:02:00Z",
            "up for 1 h 6 min",
        ] {
            assert!(page.contains(part), "{part} in {page}");
        }
    }

    #[test]
    fn tells_what_is_not_in_force() {
        let mut status = status(Vec::new());
        status.problems = vec!["rule <b> is wrong".to_owned()];
        assert!(render(&status).contains("<p class=\"backoff\">rule &lt;b&gt; is wrong</p>"));
    }

    #[test]
    fn counts_what_it_does_not_list() {
        let mut many = server("many", ServerState::Ready);
        many.sessions = vec![many.sessions[0].clone(); 120];
        let page = render(&status(vec![many; 503]));
        assert!(page.contains("… and 100 more sessions."));
        assert!(page.contains("… and 3 more servers."));
    }

    #[test]
    fn health_counts_servers_by_state() {
        let health = Health::of(&status(vec![
            server("a", ServerState::Ready),
            server("b", ServerState::Ready),
            server("c", ServerState::Backoff),
        ]));
        let json = serde_json::to_value(health).unwrap();
        assert_eq!(json["ok"], true);
        assert_eq!(json["servers"]["ready"], 2);
        assert_eq!(json["servers"]["backoff"], 1);
        assert_eq!(json["servers"]["quarantined"], 0);
    }

    proptest! {
        #[test]
        fn no_text_becomes_markup(hostile in any::<String>()) {
            let plain = "x".to_owned();
            let tags = |name: &str| {
                let mut one = server(name, ServerState::Quarantined);
                one.client = name.into();
                one.scope = name.into();
                one.quarantined = Some(name.into());
                one.sessions[0].id = name.into();
                one.sessions[0].started = name.into();
                render(&status(vec![one])).matches(['<', '>', '"', '\'']).count()
            };
            prop_assert_eq!(tags(&format!("<script>alert('\"')</script>{hostile}")), tags(&plain));
        }
    }
}
