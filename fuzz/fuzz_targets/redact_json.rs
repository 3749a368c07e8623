//! Any bytes as JSON: what was JSON stays JSON, and the copy is stable.
#![no_main]

use std::sync::LazyLock;

use defenter_redact::Redactor;
use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;

static REDACTOR: LazyLock<Redactor> = LazyLock::new(Redactor::builtin);

fuzz_target!(|data: &[u8]| {
    let scan = REDACTOR.scan_json(data);
    let once = scan.apply(data).into_owned();
    if serde_json::from_slice::<&RawValue>(data).is_ok() {
        assert!(serde_json::from_slice::<&RawValue>(&once).is_ok(), "the copy is no JSON");
    }
    let twice = REDACTOR.scan_json(&once).apply(&once).into_owned();
    assert!(once == twice, "redacting twice changes the copy");
});
