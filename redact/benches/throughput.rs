//! How fast texts are scanned: clean ones of several sorts and sizes, a mix with secrets in it,
//! inputs made to be slow, and how soon the rules are ready. `cargo bench -p defenter-redact`, or
//! with a filter such as `-- 100000`; all texts are generated.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use defenter_redact::Redactor;

/// A small generator of pseudo-random numbers (Marsaglia's xorshift).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn pick<'a>(&mut self, items: &[&'a str]) -> &'a str {
        items[(self.next() % items.len() as u64) as usize]
    }
}

const WORDS: &[&str] = &[
    "the", "server", "of", "request", "and", "returns", "a", "list", "with", "every", "path", "in",
    "order", "that", "client", "may", "read", "it", "again", "when", "session", "is", "closed",
    "before", "result", "was", "sent", "to", "window", "number", "between", "default", "value",
    "must", "not", "be", "changed", "by", "another", "process", "while", "running", "example",
];

fn prose(size: usize) -> String {
    let mut numbers = Numbers(7);
    let mut out = String::new();
    while out.len() < size {
        for _ in 0..(6 + numbers.next() % 9) {
            out.push_str(numbers.pick(WORDS));
            out.push(' ');
        }
        out.push_str(". ");
        if numbers.next().is_multiple_of(5) {
            out.push('\n');
        }
    }
    out.truncate(size);
    out
}

fn source(size: usize) -> String {
    let text = concat!(
        include_str!("../src/json.rs"),
        include_str!("../src/prefilter.rs"),
        include_str!("../src/offsets.rs"),
        include_str!("../src/locate.rs"),
        include_str!("../src/scan.rs"),
        include_str!("../src/options.rs"),
    );
    let mut out = text.repeat(size / text.len() + 1);
    out.truncate((0..=size).rev().find(|&at| out.is_char_boundary(at)).unwrap_or(0));
    out
}

fn logs(size: usize) -> String {
    let mut numbers = Numbers(11);
    let mut out = String::new();
    while out.len() < size {
        let (a, b) = (numbers.next() % 60, numbers.next() % 1000);
        let _ = writeln!(
            out,
            "2026-11-24T10:{:02}:{a:02}.{b:03}Z {} [{}] {} id={:016x} took {}ms",
            b % 60,
            numbers.pick(&["INFO", "WARN", "DEBUG"]),
            numbers.pick(&["http", "pool", "worker-3", "cache"]),
            numbers.pick(&["request finished", "connection reused", "retrying", "entry expired"]),
            numbers.next(),
            b
        );
    }
    out.truncate(size);
    out
}

/// A JSON value of about that size, as a tool's result would be.
fn json(size: usize) -> String {
    let mut numbers = Numbers(13);
    let mut out = String::from("{\"content\":[");
    while out.len() < size {
        if out.len() > 12 {
            out.push(',');
        }
        let text = prose(200 + (numbers.next() % 400) as usize).replace('\n', "\\n");
        let _ = write!(
            out,
            "{{\"type\":\"text\",\"index\":{},\"score\":0.{},\"text\":\"{text}\"}}",
            numbers.next() % 1000,
            numbers.next() % 100_000
        );
    }
    out.push_str("],\"isError\":false}");
    out
}

/// Source, prose, JSON and logs with about thirty made-up secrets a megabyte.
fn mix(size: usize) -> String {
    let mut numbers = Numbers(17);
    let mut out = String::new();
    let parts = [source(12_000), prose(6_000), json(8_000), logs(7_000)];
    while out.len() < size {
        for part in &parts {
            out.push_str(part);
            out.push('\n');
        }
        let letters: String = (0..36)
            .map(|_| {
                char::from(
                    b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789"
                        [(numbers.next() % 55) as usize],
                )
            })
            .collect();
        let _ = match numbers.next() % 4 {
            0 => writeln!(out, "token = \"ghp_{letters}\""),
            1 => writeln!(out, "API_KEY={letters}"),
            2 => writeln!(out, "postgres://app:{}@db.internal/main", &letters[..12]),
            _ => writeln!(out, "mail {}@example.org about it", &letters[..8]),
        };
    }
    out.truncate(size);
    out
}

/// What is repeated to make a text that is slow to scan: the start of something, over and over.
const ADVERSARIAL: &[(&str, &str)] = &[
    ("a", "a"),
    ("capital-a", "A"),
    ("base64", "QUtJQUxBTEVNRUwzMzI0M09MSUI"),
    ("dots", "a."),
    ("digits", "4539"),
    ("digits-apart", "9 "),
    ("dotted-digits", "1.1."),
    ("quotes", "key '''''"),
    ("curl", "curl -H \""),
    ("eyJ", "eyJ"),
    ("begin", "-----BEGIN "),
    ("begin-key", "-----BEGIN PRIVATE KEY-----\n"),
    ("key=", "key="),
    ("key-quote", "key='"),
    ("password-colon", "password: "),
    ("token-quote", "token: \""),
    ("sk-", "sk-"),
    ("sk_live_", "sk_live_"),
    ("ghp_", "ghp_"),
    ("bearer", "bearer "),
    ("brackets", "[{"),
    ("backslashes", "\\"),
    ("escaped-quotes", "\\\""),
    ("escapes", "\\u0041"),
    ("quote-marks", "\""),
    ("joins", "\" + \""),
    ("lines", "abcdefghijk\n"),
    ("at", "a@b."),
    ("colons", "a:1:"),
    ("hyphens", "-"),
    ("percent", "%41"),
    ("entities", "&#65;"),
    ("zero-width", "a\u{200B}"),
    ("cyrillic", "\u{430}\u{431}"),
    ("urls", "a://b:c@"),
    ("passport", "passport "),
    ("token_", "token_"),
    ("glpat-", "glpat-"),
    ("sk-proj-", "sk-proj-"),
    ("names", "api_key_secret_token_"),
];

/// The same with something else between the parts now and then, so that it is not all one echo.
fn varied(part: &str, size: usize) -> String {
    let mut numbers = Numbers(19);
    let mut text = String::with_capacity(size + 64);
    while text.len() < size {
        text.push_str(&part.repeat(1 + (numbers.next() % 4) as usize));
        text.push(char::from(b"qvwzQVWZ_-.+~,;:"[(numbers.next() % 16) as usize]));
    }
    text
}

/// What tools are called with and answer.
const CALLS: &[(&str, &str)] = &[
    (
        "call",
        r#"{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"read_file","arguments":{"path":"/home/jo/project/src/main.rs"},"_meta":{"progressToken":3}}}"#,
    ),
    (
        "answer",
        r#"{"content":[{"type":"text","text":"Found 3 files:\n/home/jo/a/b.txt\n/home/jo/a/c.txt\n/home/jo/a/d.txt"}],"isError":false}"#,
    ),
];

/// Makes a text of about so many bytes.
type Generator = fn(usize) -> String;

/// Every sort of text at every size.
fn texts(criterion: &mut Criterion) {
    let redactor = Redactor::builtin();
    let sorts: [(&str, Generator); 5] =
        [("prose", prose), ("source", source), ("logs", logs), ("json", json), ("mix", mix)];
    for (name, generate) in sorts {
        let mut group = criterion.benchmark_group(name);
        for size in [300, 1_000, 10_000, 100_000, 10_000_000] {
            let text = generate(size);
            group.throughput(Throughput::Bytes(text.len() as u64));
            group.bench_with_input(BenchmarkId::from_parameter(size), &text, |b, text| {
                b.iter(|| match name {
                    "json" => redactor.scan_json(black_box(text.as_bytes())),
                    _ => redactor.scan_text(black_box(text.as_bytes())),
                });
            });
        }
        group.finish();
    }
}

/// Texts made to be slow.
fn slow(criterion: &mut Criterion) {
    const SIZE: usize = 100_000;
    let redactor = Redactor::builtin();
    let mut group = criterion.benchmark_group("adversarial");
    for (name, part) in ADVERSARIAL {
        let text = part.repeat(SIZE / part.len());
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(*name, |b| b.iter(|| redactor.scan_text(black_box(text.as_bytes()))));
        let text = varied(part, SIZE);
        let name = format!("{name}-varied");
        group.bench_function(name, |b| b.iter(|| redactor.scan_text(black_box(text.as_bytes()))));
    }
    group.finish();
}

/// Messages as most are: short, and JSON.
fn calls(criterion: &mut Criterion) {
    let redactor = Redactor::builtin();
    let mut group = criterion.benchmark_group("calls");
    for (name, text) in CALLS {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(*name, |b| b.iter(|| redactor.scan_json(black_box(text.as_bytes()))));
    }
    group.finish();
}

/// From nothing to the first scan.
fn start(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ready");
    group.bench_function("builtin", |b| b.iter(Redactor::builtin));
    group.bench_function("first-scan", |b| {
        b.iter(|| Redactor::builtin().scan_text(black_box(b"a text of little interest")));
    });
    group.finish();
}

fn quick() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(700))
}

criterion_group!(name = benches; config = quick(); targets = texts, calls, slow, start);
criterion_main!(benches);
