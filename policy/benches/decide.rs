//! How long facts, decisions and compiling take.

use std::hint::black_box;
use std::path::{Path, PathBuf};

use criterion::{Criterion, criterion_group, criterion_main};
use defenter_policy::{
    Direction, Layer, LayerKind, OperationView, Phase, PolicySet, Preset, SessionFlags, build,
};

/// A call as a client sends it, about 1 KiB.
fn payload() -> String {
    let text = "The quick brown fox jumps over the lazy dog, version 1.2.3 of it. ".repeat(13);
    format!(
        r#"{{"name":"edit_file","arguments":{{"path":"/home/ann/project/src/main.rs","note_id":"{text}","edits":[{{"oldText":"a","newText":"b"}}],"dryRun":false}}}}"#
    )
}

fn view<'a>(
    payload: &'a str,
    tool: &'a str,
    phase: Phase,
    roots: &'a [PathBuf],
) -> OperationView<'a> {
    OperationView {
        client: "claude-code",
        server: "files",
        method: "tools/call",
        direction: if phase == Phase::Request { Direction::ToServer } else { Direction::ToClient },
        phase,
        tool: Some(tool),
        destructive_hint: false,
        hints: Default::default(),
        uri: None,
        payload: payload.as_bytes(),
        redacted: payload.as_bytes(),
        kinds: &[],
        size: payload.len(),
        home: Some(Path::new("/home/ann")),
        roots,
        intent: false,
        session: SessionFlags::default(),
    }
}

fn benches(criterion: &mut Criterion) {
    let roots = [PathBuf::from("/home/ann/project")];
    let large = payload();
    let small = r#"{"name":"echo","arguments":{"message":"hello"}}"#;
    let request = view(&large, "edit_file", Phase::Request, &roots);
    criterion.bench_function("facts/request 1 KiB", |b| b.iter(|| build(black_box(&request))));
    let result = view(&large, "edit_file", Phase::Result, &roots);
    criterion.bench_function("facts/result 1 KiB", |b| b.iter(|| build(black_box(&result))));
    let echo = view(small, "echo", Phase::Request, &roots);
    criterion.bench_function("facts/request 47 B", |b| b.iter(|| build(black_box(&echo))));

    let Ok(set) = PolicySet::compile(Preset::Balanced, &[]) else { return };
    let facts = build(&echo);
    criterion.bench_function("decide/allow, cold", |b| {
        b.iter(|| set.decide_uncached(black_box(&facts)));
    });
    criterion.bench_function("decide/allow, cached", |b| b.iter(|| set.decide(black_box(&facts))));
    let delete = build(&view(small, "delete_file", Phase::Request, &roots));
    criterion.bench_function("decide/confirm, cold", |b| {
        b.iter(|| set.decide_uncached(black_box(&delete)));
    });
    let answer = build(&view(small, "echo", Phase::Result, &roots));
    criterion.bench_function("decide/result, cold", |b| {
        b.iter(|| set.decide_uncached(black_box(&answer)));
    });

    criterion.bench_function("compile/balanced", |b| {
        b.iter(|| PolicySet::compile(Preset::Balanced, &[]));
    });
    let layers = [Layer {
        kind: LayerKind::User,
        path: PathBuf::from("user.cedar"),
        text: r#"@id("x") forbid (principal, action == Action::"tools/call", resource) when { context.has_secret };"#
            .to_owned(),
    }];
    criterion.bench_function("compile/balanced and a user's rule", |b| {
        b.iter(|| PolicySet::compile(Preset::Balanced, &layers));
    });
}

/// A MiB of what could make a search cost its square.
fn hostile(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("facts/hostile 1 MiB");
    group.sample_size(10);
    for unit in
        ["http:", ":", "a:b@", "//", "%25", "/..", "/a", "~", "\\u202e", "* ", "'", "\",\"", "[["]
    {
        let text = unit.repeat((1 << 20) / unit.len());
        let payload = format!(r#"{{"name":"run","arguments":{{"x":"{text}"}}}}"#);
        let request = view(&payload, "run", Phase::Request, &[]);
        group.bench_function(unit, |b| b.iter(|| build(black_box(&request))));
    }
    group.finish();
}

criterion_group!(all, benches, hostile);
criterion_main!(all);
