//! The part of a scrape that is true of the moment.
//!
//! - Accepts: the status, where it is known, and the process's figures.
//! - Emits: text in Prometheus' exposition format, version 0.0.4, to follow the recorder's.
//! - Promises: one series per set of labels, whatever servers are called; none for a server that is
//!   gone.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use defenter_actors::metrics::{
    self, LabelPair, MetricKind, ProcessFigures, SERVER_QUARANTINED, SERVER_UP, SESSIONS,
    SESSIONS_UNRESPONSIVE,
};
use defenter_actors::status::{ServerState, StatusView};

/// The content type of a scrape.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What the servers of one pair of labels have in common.
#[derive(Debug, Clone, Copy)]
struct Together {
    up: bool,
    quarantined: bool,
    sessions: usize,
    unresponsive: usize,
}

/// Writes the metrics that are read when somebody asks.
pub(crate) fn render(status: Option<&StatusView>, figures: &ProcessFigures) -> String {
    let mut out = String::new();
    let servers = status.map(by_labels).unwrap_or_default();
    let truth = |yes: bool| if yes { 1.0 } else { 0.0 };
    series(&mut out, SERVER_UP, &servers, |server| truth(server.up));
    series(&mut out, SERVER_QUARANTINED, &servers, |server| truth(server.quarantined));
    #[expect(clippy::cast_precision_loss, reason = "sessions are far fewer than 2^52")]
    let count = |sessions: usize| sessions as f64;
    series(&mut out, SESSIONS, &servers, |server| count(server.sessions));
    series(&mut out, SESSIONS_UNRESPONSIVE, &servers, |server| count(server.unresponsive));
    for (name, value) in figures.known() {
        head(&mut out, name);
        let _ = writeln!(out, "{name} {value}");
    }
    out
}

/// Servers of the same name and client (in two of its scopes, or beyond the limit of labels) are
/// one: down if one of them is.
fn by_labels(status: &StatusView) -> BTreeMap<LabelPair, Together> {
    let mut servers = BTreeMap::new();
    for server in &status.servers {
        let entry = servers
            .entry(LabelPair::new(&server.name, &server.client))
            .or_insert(Together { up: true, quarantined: false, sessions: 0, unresponsive: 0 });
        entry.up &= server.state.is_up();
        entry.quarantined |= server.state == ServerState::Quarantined;
        entry.sessions += server.sessions.len();
        let silent = server.sessions.iter().filter(|session| session.unresponsive_s.is_some());
        entry.unresponsive += silent.count();
    }
    servers
}

fn series(
    out: &mut String,
    name: &str,
    servers: &BTreeMap<LabelPair, Together>,
    value: impl Fn(&Together) -> f64,
) {
    if servers.is_empty() {
        return;
    }
    head(out, name);
    for (LabelPair { server, client }, together) in servers {
        // Label values have neither quotes, backslashes nor line ends left in them.
        let _ =
            writeln!(out, "{name}{{server=\"{server}\",client=\"{client}\"}} {}", value(together));
    }
}

fn head(out: &mut String, name: &str) {
    let Some(metric) = metrics::find(name) else { return };
    let kind = match metric.kind {
        MetricKind::Counter => "counter",
        MetricKind::Gauge => "gauge",
        MetricKind::Histogram => "histogram",
    };
    let _ = writeln!(out, "# HELP {name} {}\n# TYPE {name} {kind}", metric.help);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::tests::{server, status};

    #[test]
    fn servers_of_one_name_are_one_series() {
        metrics::describe_all();
        let mut up = server("exposition \"x\"\n", ServerState::Ready);
        up.sessions.truncate(1);
        let mut down = up.clone();
        down.scope = "project".into();
        down.state = ServerState::Quarantined;
        let text = render(Some(&status(vec![up, down])), &ProcessFigures::default());
        let name = r#"server="exposition _x_�",client="cursor""#;
        for line in [
            format!("defenter_server_up{{{name}}} 0"),
            format!("defenter_server_quarantined{{{name}}} 1"),
            format!("defenter_sessions{{{name}}} 2"),
        ] {
            assert_eq!(text.lines().filter(|found| **found == line).count(), 1, "{line}\n{text}");
        }
        assert_eq!(text.matches("# TYPE defenter_server_up gauge").count(), 1);
    }

    #[test]
    fn figures_keep_their_fractions() {
        let figures = ProcessFigures { cpu_seconds: Some(1.25), ..ProcessFigures::default() };
        let text = render(None, &figures);
        assert!(text.ends_with(
            "# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total 1.25\n"
        ));
        assert!(!text.contains("defenter_server_up"), "{text}");
    }
}
