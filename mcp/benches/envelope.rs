//! How long reading one message takes, beside what serde_json takes for the same envelope.
//!
//! The aim is at most one microsecond for each kilobyte. Run with
//! `cargo bench -p defenter-mcp --bench envelope`.

use std::collections::BTreeMap;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use defenter_mcp::recovery::{FromClient, Limits, Recovery, Resend};
use defenter_mcp::{FrameReader, envelope, read};
use serde::Deserialize;
use serde_json::value::RawValue;

/// The envelope as a derived parser borrows it; it checks no more than the top level's keys.
#[derive(Deserialize)]
struct Derived<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    method: Option<&'a str>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
}

/// A tool's result of one long text, about `size` bytes.
fn text_result(size: usize) -> String {
    let sentence = "The quick brown fox said \\\"no\\\" and ran.\\n";
    let text = sentence.repeat(size / sentence.len());
    format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{{\"content\":[{{\"type\":\"text\",\"text\":\"{text}\"}}]}}}}\n"
    )
}

/// A tool call with structured arguments, about `size` bytes.
fn structured_call(size: usize) -> String {
    let row =
        r#"{"path":"/home/user/file.txt","line":120,"tags":["a","b"],"done":false,"note":null}"#;
    let rows = vec![row; (size / row.len()).max(1)].join(",");
    format!(
        "{{\"method\":\"tools/call\",\"params\":{{\"name\":\"edit\",\"arguments\":{{\"rows\":[{rows}]}}}},\"jsonrpc\":\"2.0\",\"id\":7}}\n"
    )
}

fn envelopes(criterion: &mut Criterion) {
    let lines = BTreeMap::from([
        ("text 1 KB", text_result(1_000)),
        ("text 100 KB", text_result(100_000)),
        ("structured 1 KB", structured_call(1_000)),
        ("structured 100 KB", structured_call(100_000)),
        ("ping", "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"ping\"}\n".to_owned()),
    ]);
    let mut group = criterion.benchmark_group("envelope");
    for (name, line) in &lines {
        group.throughput(Throughput::Bytes(line.len() as u64));
        group.bench_function(*name, |bencher| {
            bencher.iter(|| envelope::read(black_box(line.as_bytes())).is_ok());
        });
        group.bench_function(format!("{name}, serde_json"), |bencher| {
            bencher.iter(|| {
                let derived = serde_json::from_slice::<Derived<'_>>(black_box(line.as_bytes()));
                derived.is_ok_and(|d| black_box((d.id, d.method, d.params, d.result)).0.is_some())
            });
        });
    }
    group.finish();
}

fn members(criterion: &mut Criterion) {
    let line = structured_call(1_000);
    criterion.bench_function("member: params.name", |bencher| {
        bencher.iter(|| read::member_at(black_box(line.as_bytes()), &["params", "name"]));
    });
}

fn frames(criterion: &mut Criterion) {
    let stream = text_result(1_000).repeat(1_000);
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let Ok(runtime) = runtime else { return };
    let mut group = criterion.benchmark_group("frame");
    group.throughput(Throughput::Elements(1_000));
    group.bench_function("1000 lines of 1 KB", |bencher| {
        bencher.iter(|| {
            runtime.block_on(async {
                let mut reader = FrameReader::new(black_box(stream.as_bytes()));
                let mut lines = 0;
                while let Ok(Some(_)) = reader.next().await {
                    lines += 1;
                }
                lines
            })
        });
    });
    group.finish();
}

fn recovery(criterion: &mut Criterion) {
    let call = structured_call(1_000);
    let answer = text_result(1_000);
    let lines = (envelope::read(call.as_bytes()), envelope::read(answer.as_bytes()));
    let (Ok(call_read), Ok(answer_read)) = lines else { return };
    let mut session = Recovery::new("bench", Limits::default());
    if session.on_server_started().is_err() {
        return;
    }
    criterion.bench_function("recovery: a call and its answer", |bencher| {
        bencher.iter(|| {
            let call = black_box(call.as_bytes());
            let sent = session.on_client_message(&call_read, call, 1, Resend::AsCatalogued);
            let answer = black_box(answer.as_bytes());
            (sent == FromClient::Forward, session.on_server_message(&answer_read, answer))
        });
    });
}

criterion_group!(benches, envelopes, members, frames, recovery);
criterion_main!(benches);
