//! A writer that is killed in the middle of its work.
//!
//! In a program of its own: a child has its parent's locks in hand between fork and exec, so that
//! a test that starts one may make any other test of the same process find a log locked.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use defenter_audit::{Log, Options, Record, Timestamp, verify};
use tempfile::TempDir;

/// Set for the writer: where to write.
const DIR: &str = "DEFENTER_TEST_KILLED_WRITER";

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(1_795_520_400_000 + millis)
}

fn record(n: u64) -> Record {
    Record { id: Arc::from(format!("0190a1b2-{n:04}")), time: at(n), ..Record::default() }
}

fn open(dir: &Path) -> Log {
    Log::open(dir, Options::default(), at(0)).unwrap()
}

/// The test starts itself as a writer that never ends, and kills it.
#[test]
fn a_killed_writer_loses_nothing_that_was_appended() {
    if let Some(dir) = std::env::var_os(DIR) {
        return append_for_ever(Path::new(&dir));
    }
    let dir = TempDir::new().unwrap();
    let mut seen = 0;
    for round in 1..4 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_killed_writer_loses_nothing_that_was_appended"])
            .env(DIR, dir.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let started = Instant::now();
        let told = dir.path().join("told");
        // The writer tells how far it is after each append, so that much must be there.
        let mut appended = 0;
        while appended < seen + 50 {
            assert!(started.elapsed() < Duration::from_secs(60), "the writer does not write");
            let text = fs::read_to_string(&told).unwrap_or_default();
            appended = text.parse().unwrap_or(0).max(appended);
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();

        let mut log = open(dir.path());
        assert_eq!(log.stream(), "main");
        log.append(&record(round)).unwrap();
        drop(log);
        let report = verify(dir.path()).unwrap();
        assert!(report.is_intact(), "{report:?}");
        assert!(report.records() > appended, "{} of {appended}", report.records());
        seen = report.records();
    }
}

fn append_for_ever(dir: &Path) {
    let mut log = open(dir);
    let before = verify(dir).unwrap().records();
    let parent_is_gone = Duration::from_secs(90);
    let started = Instant::now();
    for n in 1.. {
        log.append(&record(n)).unwrap();
        fs::write(dir.join("telling"), (before + n).to_string()).unwrap();
        fs::rename(dir.join("telling"), dir.join("told")).unwrap();
        if started.elapsed() > parent_is_gone {
            return;
        }
    }
}
