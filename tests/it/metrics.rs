//! What Prometheus sees: the names it wants, the numbers that are true, and nothing from elsewhere.

use std::io::Write;
use std::net::TcpStream;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::bed::{Bed, free_address, run, told};
use crate::endings::echo;
use crate::http;
use crate::patience::{PATIENCE, assert_eventually};
use crate::programs::system;

/// A bed on which some operations were carried out.
fn used() -> (Bed, crate::client::Client) {
    let bed = Bed::new().up();
    let mut client = echo(&bed, &[]);
    client.request("tools/list", json!({}));
    for number in 0..7 {
        let message = format!("call {number}");
        assert_eq!(client.tool("echo", json!({"message": message})), message);
    }
    (bed, client)
}

/// The sum of the samples of a family whose labels hold all of `labels`.
fn sum(page: &str, family: &str, labels: &[&str]) -> f64 {
    let samples = page.lines().filter(|line| {
        line.strip_prefix(family).is_some_and(|rest| rest.starts_with(['{', ' ']))
            && labels.iter().all(|label| line.contains(label))
    });
    samples.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

#[test]
fn the_page_is_what_promtool_wants() {
    let (bed, _client) = used();
    let (status, page) = bed.get("/metrics");
    assert!(status.contains("200"), "{status}");
    let mut command = Command::new(system("promtool"));
    command.args(["check", "metrics"]);
    let output = run(command, page.as_bytes());
    assert!(output.status.success(), "{}", told(&output));
    assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{}", told(&output));
}

#[test]
fn operations_are_counted_by_what_they_were() {
    let (bed, _client) = used();
    let labels = [r#"server="echo""#, r#"method="tools/call""#, r#"decision="allow""#];
    assert_eventually!(
        sum(&bed.get("/metrics").1, "defenter_operations_total", &labels) >= 7.0,
        "{}",
        bed.get("/metrics").1
    );
    let page = bed.get("/metrics").1;
    let requests = [&labels[..], &[r#"direction="to_server""#]].concat();
    assert_eq!(sum(&page, "defenter_operations_total", &requests), 7.0, "{page}");
    assert_eq!(sum(&page, "defenter_sessions", &[r#"server="echo""#]), 1.0, "{page}");
    for family in ["defenter_build_info", "process_resident_memory_bytes"] {
        assert!(sum(&page, family, &[]) >= 1.0, "{family} is not in {page}");
    }
    for text in ["call 3", "HOME", bed.home().to_str().expect("text")] {
        assert!(!page.contains(text), "{text} is in {page}");
    }
}

#[test]
fn a_session_that_ended_is_not_counted_any_more() {
    let (bed, client) = used();
    assert_eq!(client.finish(), Some(0));
    assert_eventually!(
        sum(&bed.get("/metrics").1, "defenter_sessions", &[r#"server="echo""#]) < 0.5,
        "{}",
        bed.get("/metrics").1
    );
}

#[test]
fn the_console_answers_only_under_its_own_name() {
    let bed = Bed::new().up();
    let (status, body) = bed.get("/healthz");
    assert!(status.contains("200"), "{status} {body}");
    for host in ["evil.example", "evil.example:7420", "127.0.0.1.evil.example"] {
        let (status, body) = http::get_as(bed.console(), "/metrics", host);
        assert!(status.contains(" 4"), "{host} gave {status}");
        assert!(!body.contains("defenter_operations"), "{host} gave {body}");
    }
    let local = format!("localhost:{}", bed.console().port());
    assert!(http::get_as(bed.console(), "/healthz", &local).0.contains("200"));
}

#[test]
fn the_console_survives_rubbish_and_slow_clients() {
    let bed = Bed::new().up();
    let mut slow: Vec<TcpStream> =
        (0..40).map(|_| TcpStream::connect(bed.console()).expect("it listens")).collect();
    for stream in &mut slow {
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: ").expect("it listens");
    }
    let mut rubbish = TcpStream::connect(bed.console()).expect("it listens");
    let _ = rubbish.write_all(&[0xff; 100_000]);
    drop(slow);
    assert_eventually!(bed.get("/healthz").0.contains("200"));
}

#[test]
fn a_browser_shows_the_servers() {
    let (bed, _client) = used();
    let mut command = bed.command(system("chromium"));
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"]);
    command.args(["--no-first-run", "--disable-background-networking"]);
    command.args(["--disable-component-update", "--disable-sync", "--dump-dom"]);
    command.arg(format!("--user-data-dir={}", bed.path("chromium").display()));
    command.arg(format!("http://{}/", bed.console()));
    let output = run(command, b"");
    let page = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && page.contains("echo"), "{}", told(&output));
}

#[test]
fn a_real_prometheus_scrapes_it() {
    let (bed, _client) = used();
    let address = free_address();
    let settings = bed.write(
        "prometheus.yml",
        format!(
            "global: {{scrape_interval: 250ms, scrape_timeout: 200ms}}\nscrape_configs:\n  - job_name: defenter\n    static_configs: [{{targets: [\"{}\"]}}]\n",
            bed.console()
        ),
    );
    let mut command = bed.command(system("prometheus"));
    command
        .arg(format!("--config.file={}", settings.display()))
        .arg(format!("--storage.tsdb.path={}", bed.path("tsdb").display()))
        .arg(format!("--web.listen-address={address}"))
        .args(["--log.level=error"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut prometheus = command.spawn().expect("Prometheus starts");
    let ask = |query: &str| -> Value {
        let (_, body) = http::get(address, &format!("/api/v1/query?query={query}"));
        let answer: Value = serde_json::from_str(&body).unwrap_or_default();
        answer["data"]["result"][0]["value"][1].clone()
    };
    let query =
        "sum(defenter_operations_total%7Bmethod=%22tools/call%22,direction=%22to_server%22%7D)";
    let scraped = crate::patience::eventually(|| (ask(query) == "7").then_some(()));
    let last = (ask("up"), ask(query));
    let _ = kill_process(Pid::from_child(&prometheus), Signal::KILL);
    prometheus.wait().expect("it ends");
    assert!(scraped.is_some(), "up and calls were {last:?} after {:?}", *PATIENCE);
}
