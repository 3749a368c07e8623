//! How long a record takes to append.

use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use defenter_audit::{FindingSummary, Log, Options, Outcome, Payload, Record, RuleRef, Timestamp};

fn record() -> Record {
    Record {
        id: Arc::from("0190a1b2-7c3d-7e4f-8a5b-6c7d8e9fa0b1"),
        time: Timestamp::from_millis(1_795_520_400_000),
        session: Arc::from("0190a1b2-7c3d-7e4f-8a5b-000000000000"),
        client: Arc::from("claude-code"),
        server: Arc::from("files"),
        method: Arc::from("tools/call"),
        direction: Arc::from("to-server"),
        phase: Arc::from("request"),
        tool: Some(Arc::from("read_file")),
        decision: Arc::from("confirm"),
        rules: vec![RuleRef {
            id: Arc::from("builtin.secret-argument"),
            layer: Arc::from("builtin"),
            effect: Arc::from("confirm"),
        }],
        findings: vec![FindingSummary { kind: Arc::from("email"), count: 2 }],
        answer: Some(Arc::from("allow")),
        outcome: Outcome::Forwarded,
        size: 51,
        payload: Payload::new(br#"{"name":"read_file","arguments":{"path":"a/b.txt"}}"#, 1000),
        ..Record::default()
    }
}

fn benches(criterion: &mut Criterion) {
    let Ok(dir) = tempfile::tempdir() else { return };
    let now = Timestamp::from_millis(1_795_520_400_000);
    let Ok(mut log) = Log::open(dir.path(), Options::default(), now) else { return };
    let record = record();
    criterion.bench_function("append/one, with its write", |b| b.iter(|| log.append(&record)));
    let batch: Vec<Record> = vec![record; 64];
    criterion.bench_function("append/64 in a batch", |b| b.iter(|| log.append_batch(&batch)));
    drop(log);
    criterion.bench_function("open/after all that", |b| {
        b.iter(|| Log::open(dir.path(), Options::default(), now).is_ok());
    });
}

criterion_group!(all, benches);
criterion_main!(all);
