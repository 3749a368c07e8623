//! The law that work is linear in the input, whatever the input is: counted in steps, not seconds.

use crate::Redactor;
use crate::engine::{Layer, Work};

/// What texts that are slow to scan are made of: the start of something, over and over.
const FAMILIES: &[&str] = &[
    "a",
    "A",
    "a.",
    "=",
    "key=",
    "key='",
    "key '''''",
    "password: ",
    "password=\"",
    "token: \"",
    "curl -H \"",
    "curl -u ",
    "eyJ",
    "eyJhbGciOi.",
    "-----BEGIN ",
    "-----BEGIN PRIVATE KEY-----\n",
    "sk-",
    "sk_live_",
    "ghp_",
    "AKIA",
    "bearer ",
    "[{",
    "{\"a\":",
    "\\",
    "\\\"",
    "\\u0041",
    "\"",
    "'",
    "a@b.",
    "a:1:",
    "::",
    "%41",
    "%",
    "&#65;",
    "a\u{200B}",
    "\u{410}\u{FF21}",
    "a://b:c@",
    "4539",
    "9 ",
    "1.1.",
    "AB12",
    "-",
    "ab\n",
    "abcdefgH\n",
    "AAAA",
    "kind: data:\n",
    "passport ",
    "phone 1",
    "\" + \"",
    "ABCDEFGH\" + \"",
    "0x1",
    "QUtJQUxB",
    "[REDACTED-",
];

/// How many steps a scan of that text takes.
fn steps(redactor: &Redactor, text: &str) -> u64 {
    let mut work = Work::new(redactor, None, text.len());
    let before = work.steps_left();
    let whole = 0..text.len();
    let layer = Layer { text: text.as_bytes(), json: false, depth: 0 };
    work.scan(layer, std::slice::from_ref(&whole));
    assert!(!work.exhausted, "a text of {} bytes is withheld", text.len());
    before - work.steps_left()
}

#[test]
fn twice_the_text_is_twice_the_work() {
    let redactor = Redactor::builtin();
    for part in FAMILIES {
        let of = |size: usize| steps(&redactor, &part.repeat(size / part.len()));
        let (short, long) = (of(16_000), of(32_000));
        // What is done once, such as the last part of a run, counts for little at this size.
        assert!(long * 10 <= short * 22 + 10_000, "{part:?}: {short} steps, then {long}");
    }
}

#[test]
fn a_byte_costs_few_steps() {
    let redactor = Redactor::builtin();
    for part in FAMILIES {
        let text = part.repeat(16_000 / part.len());
        let steps = steps(&redactor, &text);
        assert!(steps <= 64 * text.len() as u64, "{part:?}: {steps} steps");
    }
}
