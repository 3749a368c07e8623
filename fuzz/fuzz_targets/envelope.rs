//! Any bytes as a message: agrees with an independent parser on what is JSON, and gives out only
//! parts of what it was given.
#![no_main]

use defenter_mcp::envelope::{Fault, Message, read};
use defenter_mcp::read::{elements, member, members, offset_in, splice, string};
use defenter_mcp::sketch::{Sketch, Sketcher};
use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;

fuzz_target!(|line: &[u8]| {
    let json = serde_json::from_slice::<&RawValue>(line).is_ok();
    match read(line) {
        Ok(message) => {
            let bare = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
            assert!(serde_json::from_slice::<&RawValue>(bare).is_ok(), "read what is not JSON");
            parts(line, &message);
        }
        Err(error) => {
            let not_json = matches!(
                error.fault(),
                Fault::NotJson { .. } | Fault::NotUtf8 { .. } | Fault::TrailingData { .. }
            );
            assert!(!(json && not_json), "refused JSON as none: {error}");
        }
    }
    let mut bytewise = Sketcher::default();
    line.chunks(1).for_each(|byte| bytewise.feed(byte));
    assert_eq!(bytewise.finish(), Sketch::of(line));
    look_around(line);
});

/// Every part lies within the line, and the envelope's own members are the parts.
fn parts(line: &[u8], message: &Message<'_>) {
    let body = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
    if let Some(id) = message.id() {
        assert_eq!(member(body, "id"), Some(id.as_str().as_bytes()));
        let spliced = splice(line, id.as_str().as_bytes(), id.as_str().as_bytes());
        assert_eq!(spliced.as_deref(), Some(line));
        assert_eq!(Sketch::of(line).id.as_ref().map(|id| id.as_str()), Some(id.as_str()));
    }
    if let Some(params) = message.params() {
        assert_eq!(member(body, "params"), Some(params));
        assert!(offset_in(line, params).is_some());
        look_around(params);
    }
}

fn look_around(raw: &[u8]) {
    for (_, value) in members(raw).take(64) {
        assert!(offset_in(raw, value).is_some());
    }
    for element in elements(raw).take(64) {
        assert!(offset_in(raw, element).is_some());
    }
    if let Some(text) = string(raw)
        && let Ok(expected) = serde_json::from_slice::<String>(raw)
    {
        assert_eq!(text, expected);
    }
}
