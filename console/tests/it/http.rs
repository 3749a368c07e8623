//! Requests, good and bad.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use defenter_actors::dialog::Answer;
use defenter_actors::metrics::{
    Decision, Direction, DropReason, METRICS, MetricKind, Place, Queue, QueueDepth,
    RedactionMetrics, RestartReason, ServerMetrics, SessionMetrics, Source, confirmation, dropped,
    redaction_loaded,
};
use defenter_actors::status::{ServerState, ServerView, SessionView, StatusView, SupervisorView};
use defenter_console::{
    ConsoleError, HEADER_READ_TIMEOUT, MAX_CONNECTIONS, PrometheusHandle, STATUS_TIMEOUT,
    StatusFuture, StatusSource, bind, install_recorder, serve,
};
use tokio::sync::oneshot;

use crate::promtool;

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// A console that runs on a port of its own until it is dropped.
struct Bed {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    done: Option<std::thread::JoinHandle<Result<(), ConsoleError>>>,
}

impl Bed {
    fn new() -> Self {
        Self::with(|| Some(status()))
    }

    fn with(status: impl StatusSource) -> Self {
        let handle = recorder();
        let (stop, stopped) = oneshot::channel::<()>();
        let (tell, told) = std::sync::mpsc::channel();
        let done = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                let stopped = async {
                    let _ = stopped.await;
                };
                serve(listener, Arc::new(status), handle, stopped).await
            })
        });
        Self { address: told.recv().unwrap(), stop: Some(stop), done: Some(done) }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Sends a head as it is and reads until the other side closes.
    fn raw(&self, head: &str) -> String {
        let mut stream = self.connect();
        stream.write_all(head.as_bytes()).unwrap();
        read_all(&mut stream)
    }

    fn get(&self, path: &str) -> String {
        self.raw(&format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.address
        ))
    }

    fn stop(&mut self) -> Result<(), ConsoleError> {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        self.done.take().map_or(Ok(()), |done| done.join().unwrap())
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        let result = self.stop();
        if !std::thread::panicking() {
            result.unwrap();
        }
    }
}

fn recorder() -> PrometheusHandle {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    RECORDER.get_or_init(|| install_recorder().unwrap()).clone()
}

fn status() -> StatusView {
    StatusView {
        problems: Vec::new(),
        supervisor: SupervisorView {
            version: "1.2.3".into(),
            pid: 4,
            started: "2026-11-24T12:00:00Z".into(),
            uptime_s: 5,
        },
        servers: vec![ServerView {
            name: "<files>".into(),
            client: "cursor".into(),
            scope: "user".into(),
            state: ServerState::Ready,
            sessions: vec![SessionView {
                id: "s1".into(),
                pid: Some(9),
                started: "2026-11-24T12:00:01Z".into(),
                generation: 1,
                operations: 3,
                unresponsive_s: None,
            }],
            restarts: 0,
            last_exit: None,
            quarantined: None,
        }],
        findings: Vec::new(),
    }
}

fn read_all(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A connection that is cut is read up to the cut.
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn body(response: &str) -> &str {
    response.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

#[track_caller]
fn check(bed: &Bed, head: &str, status: &str) {
    let response = bed.raw(&head.replace("OURS", &bed.address.to_string()));
    assert!(response.starts_with(&format!("HTTP/1.1 {status}")), "{head:.200}: {response:.200}");
}

#[test]
fn a_scrape_has_every_metric_and_promtool_likes_it() {
    let bed = Bed::new();
    let session = SessionMetrics::new("files", "cursor");
    for direction in Direction::ALL {
        session.operation("tools/call", direction, Decision::Allow);
        session.added(direction, Duration::from_micros(60));
        session.forwarded(direction, 100);
    }
    session.operation("tools/call", Direction::ToServer, Decision::Block);
    session.upstream(Duration::from_millis(3));
    session.redactions("email", 2);
    ServerMetrics::new("files", "cursor").restarted(RestartReason::Signal);
    let depth = QueueDepth::of(Queue::Redaction);
    depth.entered(3);
    drop(depth.occupy());
    let _inside = depth.occupy();
    confirmation(Answer::Deny, Duration::from_secs(2));
    dropped(DropReason::Noise);
    let scans = RedactionMetrics::new();
    scans.scanned(Place::Inline, 300, Duration::from_nanos(700));
    scans.admitted(Duration::from_millis(1));
    redaction_loaded(true);

    let response = bed.get("/metrics");
    assert!(response.contains("content-type: text/plain; version=0.0.4"), "{response:.400}");
    let text = body(&response);
    for metric in METRICS.iter().filter(|metric| metric.source != Source::Process) {
        let name = metric.name;
        let series = if metric.kind == MetricKind::Histogram {
            format!("{name}_bucket{{")
        } else {
            format!("\n{name}")
        };
        assert!(text.contains(&series), "{name} is missing in {text}");
        let labelled = text.lines().find(|line| line.starts_with(series.trim_start())).unwrap();
        for label in metric.labels {
            assert!(labelled.contains(&format!("{label}=\"")), "{label} is missing in {labelled}");
        }
    }
    for series in [
        r#"defenter_redactions_total{server="files",client="cursor",kind="email"} 2"#,
        r#"defenter_server_restarts_total{server="files",client="cursor",reason="signal"} 1"#,
        r#"defenter_added_seconds_bucket{server="files",client="cursor",direction="to_server",le="0.00005"} 0"#,
        r#"defenter_added_seconds_bucket{server="files",client="cursor",direction="to_server",le="0.0001"} 1"#,
        r#"defenter_queue_depth{queue="redaction"} 4"#,
        r#"defenter_dropped_total{reason="oversize"} 0"#,
        r#"defenter_server_up{server="<files>",client="cursor"} 1"#,
    ] {
        assert!(text.lines().any(|line| line == series), "{series} is missing in {text}");
    }
    #[cfg(target_os = "linux")]
    for metric in METRICS.iter().filter(|metric| metric.source == Source::Process) {
        assert!(text.contains(&format!("\n{} ", metric.name)), "{} is missing", metric.name);
    }
    promtool::run(&["check", "metrics"], std::path::Path::new("."), text).unwrap();
}

/// Never tells what runs.
struct Silent;

impl StatusSource for Silent {
    fn status(&self) -> StatusFuture<'_> {
        Box::pin(std::future::pending())
    }
}

#[test]
fn a_status_that_nobody_tells_is_unknown_and_takes_no_longer_than_its_time() {
    let bed = Bed::with(Silent);
    let begun = Instant::now();
    let health = bed.get("/healthz");
    assert!(health.starts_with("HTTP/1.1 503"), "{health}");
    assert_eq!(body(&health), "{\"ok\":false}\n");
    assert!(begun.elapsed() >= STATUS_TIMEOUT, "{:?}", begun.elapsed());
    let scrape = bed.get("/metrics");
    assert!(scrape.starts_with("HTTP/1.1 200"), "{scrape:.200}");
    assert!(scrape.contains("defenter_build_info") && !scrape.contains("defenter_server_up{"));
}

#[test]
fn while_it_starts_the_page_says_so() {
    let bed = Bed::with(|| None);
    let page = bed.get("/");
    assert!(page.starts_with("HTTP/1.1 503") && page.contains("starting or stopping"), "{page}");
}

#[test]
fn health_is_json() {
    let response = Bed::new().get("/healthz");
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    let health: serde_json::Value = serde_json::from_str(body(&response)).unwrap();
    assert_eq!(health["ok"], true);
    assert_eq!(health["version"], "1.2.3");
    assert_eq!(health["uptime_s"], 5);
    assert_eq!(health["servers"]["ready"], 1);
}

#[test]
fn the_page_is_escaped_and_allows_no_script() {
    let response = Bed::new().get("/");
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    assert!(response.contains("content-security-policy: default-src 'none'"), "{response}");
    assert!(response.contains("x-content-type-options: nosniff"), "{response}");
    assert!(body(&response).contains("<td>&lt;files&gt;</td>"), "{response}");
    assert!(!body(&response).contains("<script"), "{response}");
}

#[test]
fn what_a_foreign_page_could_send_is_refused() {
    let bed = Bed::new();
    for path in ["/", "/metrics", "/healthz", "/style.css", "/nowhere"] {
        for (headers, status) in [
            ("Host: evil.example", "421"),
            ("Host: evil.example:7420", "421"),
            ("Host: OURS\r\nOrigin: http://evil.example", "403"),
            ("Host: OURS\r\nOrigin: null", "403"),
            ("Host: OURS\r\nSec-Fetch-Site: cross-site", "403"),
            ("Host: OURS\r\nHost: evil.example", "421"),
        ] {
            let head = format!("GET {path} HTTP/1.1\r\n{headers}\r\nConnection: close\r\n\r\n");
            check(&bed, &head, status);
        }
    }
}

#[test]
fn odd_requests_get_an_error() {
    let bed = Bed::new();
    let close = "Host: OURS\r\nConnection: close";
    check(&bed, &format!("GET /nowhere HTTP/1.1\r\n{close}\r\n\r\n"), "404");
    check(&bed, &format!("POST / HTTP/1.1\r\n{close}\r\n\r\n"), "405");
    check(&bed, &format!("DELETE /metrics HTTP/1.1\r\n{close}\r\n\r\n"), "405");
    check(&bed, &format!("POST / HTTP/1.1\r\n{close}\r\nContent-Length: 3\r\n\r\nabc"), "413");
    check(
        &bed,
        &format!("GET / HTTP/1.1\r\n{close}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        "413",
    );
    check(&bed, &format!("HEAD /healthz HTTP/1.1\r\n{close}\r\n\r\n"), "200");
    check(&bed, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n", "421");
    check(&bed, "complete nonsense\r\n\r\n", "400");
    let long = format!("GET / HTTP/1.1\r\n{close}\r\nX: {}\r\n\r\n", "x".repeat(1 << 20));
    let mut stream = bed.connect();
    // The other side may stop reading before all is written, which is the point.
    let _ = stream.write_all(long.as_bytes());
    let response = read_all(&mut stream);
    assert!(response.is_empty() || response.starts_with("HTTP/1.1 431"), "{response:.200}");
    assert!(bed.get("/healthz").starts_with("HTTP/1.1 200"), "it goes on");
}

#[test]
fn a_head_that_never_ends_is_cut() {
    let bed = Bed::new();
    let mut stream = bed.connect();
    let begun = Instant::now();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: ").unwrap();
    assert_eq!(read_all(&mut stream), "");
    let took = begun.elapsed();
    assert!(took >= HEADER_READ_TIMEOUT - Duration::from_millis(100), "{took:?}");
    assert!(took < PATIENCE, "{took:?}");
}

#[test]
fn connections_beyond_the_limit_wait_for_a_place() {
    let bed = Bed::new();
    let idle: Vec<TcpStream> = (0..MAX_CONNECTIONS).map(|_| bed.connect()).collect();
    let begun = Instant::now();
    // It is answered when the idle ones have been cut, not before.
    assert!(bed.get("/healthz").starts_with("HTTP/1.1 200"));
    let waited = begun.elapsed();
    assert!(waited >= HEADER_READ_TIMEOUT - Duration::from_secs(1), "{waited:?}");
    drop(idle);
}

#[test]
fn it_stops_when_told_and_cuts_idle_connections() {
    let mut bed = Bed::new();
    let mut idle = bed.connect();
    assert!(bed.get("/healthz").starts_with("HTTP/1.1 200"));
    bed.stop().unwrap();
    assert_eq!(read_all(&mut idle), "");
    assert!(TcpStream::connect(bed.address).is_err());
}

#[test]
fn only_loopback_addresses_are_listened_on() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:7420"] {
        let error = runtime.block_on(bind(address.parse().unwrap())).unwrap_err();
        assert!(matches!(error, ConsoleError::NotLoopback(_)), "{error}");
    }
    let taken = runtime.block_on(bind("127.0.0.1:0".parse().unwrap())).unwrap();
    let error = runtime.block_on(bind(taken.local_addr().unwrap())).unwrap_err();
    assert!(error.to_string().contains("console.listen"), "{error}");
}
