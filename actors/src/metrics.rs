//! What Defenter counts and measures.
//!
//! - Owns: the name, type, unit and help text of every metric, the closed sets of label values, and
//!   the handles that the data path keeps.
//! - Accepts: events from pumps, servers, the dialog and the queues.
//! - Emits: nothing by itself; a recorder that is installed before the first handle is made keeps
//!   the numbers. Where none is installed (a shim that works alone) every handle is a no-op.
//! - Promises: a bounded number of series, whatever the servers and clients are called and whatever
//!   they send; no value of a message ever becomes a label.
//!
//! Names follow Prometheus' conventions: base units, `_total` on counters, and what belongs to the
//! process itself under the customary `process_` names.

mod labels;
mod process;
mod redaction;
mod session;

pub use labels::{
    Decision, Direction, DropReason, LabelPair, MAX_LABEL_CHARS, MAX_LABEL_PAIRS, OTHER, Place,
    Queue, RestartReason,
};
pub use process::ProcessFigures;
pub use redaction::RedactionMetrics;
pub use session::{Entry, QueueDepth, ServerMetrics, SessionMetrics};

use std::time::Duration;

use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

use crate::{dialog::Answer, status::FindingKind};

/// Counter: operations by server, client, method, direction and decision.
pub const OPERATIONS: &str = "defenter_operations_total";
/// Counter: bytes of messages forwarded, by server, client and direction.
pub const FORWARDED_BYTES: &str = "defenter_forwarded_bytes_total";
/// Histogram, seconds: what Defenter added to an operation, waiting for a person not included.
pub const ADDED: &str = "defenter_added_seconds";
/// Histogram, seconds: from a request's last byte given to the server to its answer's first.
pub const UPSTREAM: &str = "defenter_upstream_seconds";
/// Counter: values redacted, by server, client and kind.
pub const REDACTIONS: &str = "defenter_redactions_total";
/// Counter: bytes of payloads that the redactor looked through, by the place where.
pub const SCANNED_BYTES: &str = "defenter_redaction_scanned_bytes_total";
/// Histogram, seconds: how long the redactor looked through a payload, by the place where.
pub const SCAN: &str = "defenter_redaction_scan_seconds";
/// Histogram, seconds: how long a large payload waited for a place in the pool.
pub const SCAN_WAIT: &str = "defenter_redaction_wait_seconds";
/// Counter: operations refused since the redactor's budget ran out.
pub const WITHHELD: &str = "defenter_redaction_withheld_total";
/// Gauge: 1 where the redaction rules in force are the newest, 0 where those cannot be used.
pub const REDACTION_LOADED: &str = "defenter_redaction_load_successful";
/// Counter: questions to the user by how they ended.
pub const CONFIRMATIONS: &str = "defenter_confirmations_total";
/// Histogram, seconds: how long a question was open.
pub const CONFIRMATION_WAIT: &str = "defenter_confirmation_wait_seconds";
/// Gauge: open sessions by server and client.
pub const SESSIONS: &str = "defenter_sessions";
/// Counter: sessions opened since the supervisor started.
pub const SESSIONS_OPENED: &str = "defenter_sessions_opened_total";
/// Gauge: 1 where a server can be used (idle included), 0 in backoff or quarantine.
pub const SERVER_UP: &str = "defenter_server_up";
/// See [`SERVER_UP`] for where it is told: sessions whose server does not answer.
pub const SESSIONS_UNRESPONSIVE: &str = "defenter_sessions_unresponsive";
/// Gauge: 1 where a server failed too often and waits for somebody to act.
pub const SERVER_QUARANTINED: &str = "defenter_server_quarantined";
/// Counter: starts of a server after the first one, by reason.
pub const SERVER_RESTARTS: &str = "defenter_server_restarts_total";
/// Gauge: entries waiting in a bounded queue, all sessions together.
pub const QUEUE_DEPTH: &str = "defenter_queue_depth";
/// Counter: input or events that were not carried on, by reason.
pub const DROPPED: &str = "defenter_dropped_total";
/// Gauge: entries of the clients' configs that are not as they should be, by kind.
pub const CONFIG_FINDINGS: &str = "defenter_config_findings";
/// Gauge, always 1: version, operating system and architecture as labels.
pub const BUILD_INFO: &str = "defenter_build_info";
/// Gauge, bytes: resident memory of this process.
pub const PROCESS_RESIDENT_MEMORY: &str = "process_resident_memory_bytes";
/// Gauge, bytes: virtual memory of this process.
pub const PROCESS_VIRTUAL_MEMORY: &str = "process_virtual_memory_bytes";
/// Counter, seconds: user and system time of this process.
pub const PROCESS_CPU: &str = "process_cpu_seconds_total";
/// Gauge: open file descriptors of this process.
pub const PROCESS_OPEN_FDS: &str = "process_open_fds";
/// Gauge: the soft limit on open file descriptors.
pub const PROCESS_MAX_FDS: &str = "process_max_fds";
/// Gauge: threads of this process.
pub const PROCESS_THREADS: &str = "process_threads";
/// Gauge, seconds since the Unix epoch: when this process started.
pub const PROCESS_START_TIME: &str = "process_start_time_seconds";

/// The upper bounds of every histogram's buckets, in seconds: 50 µs (about what one copy of a
/// message costs) to 60 s (the customary deadline of a client).
pub const SECONDS_BUCKETS: [f64; 19] = [
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
    1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
];

/// The upper bounds of [`SCAN`]'s buckets, in seconds: 1 µs (about what a short message takes) to
/// 1 s (about what 256 MiB take).
pub const SCAN_BUCKETS: [f64; 14] = [
    0.000_001,
    0.000_002_5,
    0.000_005,
    0.000_01,
    0.000_025,
    0.000_05,
    0.000_1,
    0.000_25,
    0.000_5,
    0.001,
    0.01,
    0.05,
    0.25,
    1.0,
];

/// What kind of number a metric is, in Prometheus' words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// Only ever grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Samples in buckets.
    Histogram,
}

/// Who renders a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The recorder, from the handles of this module.
    Recorder,
    /// The scrape, from the status of the moment, so that a removed server leaves no stale series.
    Status,
    /// The scrape, from the operating system.
    Process,
}

/// One metric: all there is to know about it besides its series.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// The full name.
    pub name: &'static str,
    /// The type.
    pub kind: MetricKind,
    /// One sentence for people.
    pub help: &'static str,
    /// The label names it carries.
    pub labels: &'static [&'static str],
    /// Who renders it.
    pub source: Source,
}

/// Every metric there is.
pub const METRICS: &[Metric] = &[
    recorded(
        OPERATIONS,
        MetricKind::Counter,
        &["server", "client", "method", "direction", "decision"],
        "Operations seen, by what was decided.",
    ),
    recorded(
        FORWARDED_BYTES,
        MetricKind::Counter,
        &["server", "client", "direction"],
        "Bytes of messages forwarded.",
    ),
    recorded(
        ADDED,
        MetricKind::Histogram,
        &["server", "client", "direction"],
        "Time added by Defenter to an operation, waiting for a person not included.",
    ),
    recorded(
        UPSTREAM,
        MetricKind::Histogram,
        &["server", "client"],
        "Time a server took to answer a request.",
    ),
    recorded(
        REDACTIONS,
        MetricKind::Counter,
        &["server", "client", "kind"],
        "Sensitive values found in messages, by kind.",
    ),
    recorded(
        SCANNED_BYTES,
        MetricKind::Counter,
        &["place"],
        "Bytes of payloads that the redactor looked through.",
    ),
    recorded(
        SCAN,
        MetricKind::Histogram,
        &["place"],
        "Time that the redactor took to look through a payload.",
    ),
    recorded(
        SCAN_WAIT,
        MetricKind::Histogram,
        &[],
        "Time that a large payload waited for a place in the redactor's pool.",
    ),
    recorded(
        WITHHELD,
        MetricKind::Counter,
        &[],
        "Operations refused since looking through them took too much work.",
    ),
    recorded(
        REDACTION_LOADED,
        MetricKind::Gauge,
        &[],
        "Whether the newest redaction rules are in force: 1 yes, 0 they cannot be used.",
    ),
    recorded(
        CONFIRMATIONS,
        MetricKind::Counter,
        &["answer"],
        "Questions to the user, by how they ended.",
    ),
    recorded(CONFIRMATION_WAIT, MetricKind::Histogram, &[], "How long a question was open."),
    recorded(
        SESSIONS_OPENED,
        MetricKind::Counter,
        &["server", "client"],
        "Sessions opened since the supervisor started.",
    ),
    recorded(
        SERVER_RESTARTS,
        MetricKind::Counter,
        &["server", "client", "reason"],
        "Starts of a server after its first one.",
    ),
    recorded(QUEUE_DEPTH, MetricKind::Gauge, &["queue"], "Entries waiting in a bounded queue."),
    recorded(
        DROPPED,
        MetricKind::Counter,
        &["reason"],
        "Input or events that were not carried on.",
    ),
    recorded(
        CONFIG_FINDINGS,
        MetricKind::Gauge,
        &["kind"],
        "Servers in the clients' configs that are not as they should be, by kind.",
    ),
    recorded(
        BUILD_INFO,
        MetricKind::Gauge,
        &["version", "os", "arch"],
        "The build that runs; always 1.",
    ),
    Metric {
        name: SESSIONS,
        kind: MetricKind::Gauge,
        help: "Open sessions.",
        labels: &["server", "client"],
        source: Source::Status,
    },
    Metric {
        name: SESSIONS_UNRESPONSIVE,
        kind: MetricKind::Gauge,
        help: "Open sessions whose server owes an answer and says nothing.",
        labels: &["server", "client"],
        source: Source::Status,
    },
    Metric {
        name: SERVER_UP,
        kind: MetricKind::Gauge,
        help: "Whether a server can be used: 1 yes (idle included), 0 in backoff or quarantine.",
        labels: &["server", "client"],
        source: Source::Status,
    },
    Metric {
        name: SERVER_QUARANTINED,
        kind: MetricKind::Gauge,
        help: "Whether a server failed too often and waits for somebody to act.",
        labels: &["server", "client"],
        source: Source::Status,
    },
    process_figure(
        PROCESS_RESIDENT_MEMORY,
        MetricKind::Gauge,
        "Resident memory of this process in bytes.",
    ),
    process_figure(
        PROCESS_VIRTUAL_MEMORY,
        MetricKind::Gauge,
        "Virtual memory of this process in bytes.",
    ),
    process_figure(
        PROCESS_CPU,
        MetricKind::Counter,
        "User and system CPU time spent by this process in seconds.",
    ),
    process_figure(PROCESS_OPEN_FDS, MetricKind::Gauge, "Open file descriptors."),
    process_figure(PROCESS_MAX_FDS, MetricKind::Gauge, "Soft limit on open file descriptors."),
    process_figure(PROCESS_THREADS, MetricKind::Gauge, "Threads of this process."),
    process_figure(
        PROCESS_START_TIME,
        MetricKind::Gauge,
        "Start of this process in seconds since the Unix epoch.",
    ),
];

/// Looks a metric up by its full name; a histogram's `_bucket`, `_sum` and `_count` count as it.
#[must_use]
pub fn find(name: &str) -> Option<&'static Metric> {
    let exact = |name: &str| METRICS.iter().find(|metric| metric.name == name);
    exact(name).or_else(|| {
        ["_bucket", "_sum", "_count"]
            .iter()
            .filter_map(|suffix| name.strip_suffix(suffix))
            .filter_map(exact)
            .find(|metric| metric.kind == MetricKind::Histogram)
    })
}

/// Tells the installed recorder the help texts and makes the series whose labels are known in
/// advance, so that a rate is right from the first event on. Call it once, right after the recorder
/// is installed.
pub fn describe_all() {
    labels::guard_values();
    for metric in METRICS.iter().filter(|metric| metric.source == Source::Recorder) {
        match metric.kind {
            MetricKind::Counter => describe_counter!(metric.name, metric.help),
            MetricKind::Gauge => describe_gauge!(metric.name, metric.help),
            MetricKind::Histogram => {
                describe_histogram!(metric.name, Unit::Seconds, metric.help);
            }
        }
    }
    for answer in Answer::ALL {
        counter!(CONFIRMATIONS, "answer" => answer.label()).increment(0);
    }
    for reason in DropReason::ALL {
        counter!(DROPPED, "reason" => reason.label()).increment(0);
    }
    for queue in Queue::ALL {
        gauge!(QUEUE_DEPTH, "queue" => queue.label()).set(0.0);
    }
    for kind in FindingKind::ALL {
        config_findings(kind, 0);
    }
    counter!(WITHHELD).increment(0);
    gauge!(
        BUILD_INFO,
        "version" => env!("CARGO_PKG_VERSION"),
        "os" => std::env::consts::OS,
        "arch" => std::env::consts::ARCH
    )
    .set(1.0);
}

/// Counts a question that ended with `answer` after it had been open for `wait`.
pub fn confirmation(answer: Answer, wait: Duration) {
    counter!(CONFIRMATIONS, "answer" => answer.label()).increment(1);
    histogram!(CONFIRMATION_WAIT).record(wait);
}

/// Counts something that was not carried on.
pub fn dropped(reason: DropReason) {
    counter!(DROPPED, "reason" => reason.label()).increment(1);
}

/// Counts an operation that is refused since the redactor's budget ran out.
pub fn withheld() {
    counter!(WITHHELD).increment(1);
}

/// Tells whether the newest redaction rules are in force.
pub fn redaction_loaded(successfully: bool) {
    gauge!(REDACTION_LOADED).set(if successfully { 1.0 } else { 0.0 });
}

/// Tells how many entries of the clients' configs are amiss in one way.
pub fn config_findings(kind: FindingKind, count: usize) {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    gauge!(CONFIG_FINDINGS, "kind" => kind.label()).set(f64::from(count));
}

const fn recorded(
    name: &'static str,
    kind: MetricKind,
    labels: &'static [&'static str],
    help: &'static str,
) -> Metric {
    Metric { name, kind, help, labels, source: Source::Recorder }
}

const fn process_figure(name: &'static str, kind: MetricKind, help: &'static str) -> Metric {
    Metric { name, kind, help, labels: &[], source: Source::Process }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_conventions() {
        for metric in METRICS {
            let name = metric.name;
            assert!(name.starts_with("defenter_") || name.starts_with("process_"), "{name}");
            assert_eq!(name.ends_with("_total"), metric.kind == MetricKind::Counter, "{name}");
            if metric.kind == MetricKind::Histogram {
                assert!(name.ends_with("_seconds"), "{name}");
            }
            assert!(metric.help.ends_with('.'), "{name}: help is a sentence");
            assert_eq!(METRICS.iter().filter(|other| other.name == name).count(), 1, "{name}");
        }
    }

    #[test]
    fn finds_a_histogram_by_its_parts_but_not_a_counter() {
        assert_eq!(find("defenter_added_seconds_bucket").map(|m| m.name), Some(ADDED));
        assert_eq!(find(OPERATIONS).map(|m| m.name), Some(OPERATIONS));
        assert!(find("defenter_operations_total_count").is_none());
        assert!(find("defenter_unheard_of").is_none());
    }

    #[test]
    fn buckets_rise() {
        assert!(SECONDS_BUCKETS.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(SCAN_BUCKETS.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
