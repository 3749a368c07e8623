//! Any bytes: the copy keeps what was not found, is stable, and does not depend on chunks.
#![no_main]

use std::sync::LazyLock;

use defenter_redact::Redactor;
use libfuzzer_sys::fuzz_target;

static REDACTOR: LazyLock<Redactor> = LazyLock::new(Redactor::builtin);

fuzz_target!(|data: &[u8]| {
    let scan = REDACTOR.scan_text(data);
    let once = scan.apply(data).into_owned();
    let twice = REDACTOR.scan_text(&once).apply(&once).into_owned();
    assert!(once == twice, "redacting twice changes the copy");
    let mut out = Vec::new();
    let mut stream = REDACTOR.stream();
    for chunk in data.chunks(7) {
        stream.push(chunk, &mut out);
    }
    stream.finish(&mut out);
    assert!(out == once, "chunks change the copy");
});
