//! The law that work is linear in the input, whatever the input is: counted in steps, not seconds.

use crate::Redactor;
use crate::engine::{Layer, Work};

/// What texts that are slow to scan are made of: the start of something, over and over.
pub(crate) const FAMILIES: &[&str] = &[
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

/// A text of about so many bytes that says the same over and over.
fn repeated(part: &str, size: usize) -> String {
    part.repeat(size / part.len())
}

/// The same with something else between the parts now and then, so that it is not all one echo.
fn varied(part: &str, size: usize) -> String {
    let mut text = String::with_capacity(size + 64);
    let mut number = 7_u32;
    while text.len() < size {
        number = number.wrapping_mul(0x9E37_79B1).wrapping_add(1);
        text.push_str(&part.repeat(1 + (number >> 30) as usize));
        text.push(char::from(b"qvwzQVWZ_-.+~,;:"[(number >> 12 & 15) as usize]));
    }
    text
}

/// What makes a text of about so many bytes from a part.
type Maker = fn(&str, usize) -> String;

#[test]
fn twice_the_text_is_twice_the_work() {
    let redactor = Redactor::builtin();
    for (name, make) in [("repeated", repeated as Maker), ("varied", varied)] {
        for part in FAMILIES {
            let of = |size: usize| steps(&redactor, &make(part, size));
            let (short, long) = (of(16_000), of(32_000));
            // What is done once, such as the last part of a run, counts for little at this size.
            assert!(
                long * 10 <= short * 22 + 10_000,
                "{part:?} {name}: {short} steps, then {long}"
            );
        }
    }
}

#[test]
fn a_byte_costs_few_steps() {
    let redactor = Redactor::builtin();
    for make in [repeated as Maker, varied] {
        for part in FAMILIES {
            let text = make(part, 16_000);
            let steps = steps(&redactor, &text);
            assert!(steps <= 64 * text.len() as u64, "{part:?}: {steps} steps");
        }
    }
}

/// Where nothing is found, saying the same for longer costs no close inspection, but for decoding a
/// run of base64 or hex once.
#[test]
fn what_repeats_itself_is_looked_at_once() {
    let redactor = Redactor::builtin();
    for part in FAMILIES {
        if !redactor.scan_text(repeated(part, 64_000).as_bytes()).is_clean() {
            continue;
        }
        let of = |size: usize| steps(&redactor, &repeated(part, size));
        let (short, long) = (of(32_000), of(64_000));
        assert!(long <= short + 33_000, "{part:?}: {short} steps, then {long}");
    }
}

/// Rules as users write them are tried where their words stand, as often as that is.
#[test]
fn rules_of_files_are_linear_too() {
    let rules = r#"
[[rules]]
id = "named"
regex = '(?i)[\w.-]{0,50}?(?:key|token)(?:[ \t\w.-]{0,20})[\s"]{0,3}(?:=|:)[\s"=]{0,5}([a-z0-9]{9,}={0,2})(?:["\s;]|$)'
keywords = ["key", "token"]
[[rules]]
id = "line"
regex = 'curl .*-u (\w+:\w+);'
keywords = ["curl"]
[[rules]]
id = "block"
regex = '-----BEGIN[\s\S]+?-----END'
keywords = ["-----begin"]
"#;
    let redactor = Redactor::of_file(rules, false);
    for part in FAMILIES.iter().chain(&["curl -u a", "key=abcdefghij", "tokentoken", "curl"]) {
        let of = |size: usize| steps(&redactor, &part.repeat(size / part.len()));
        let (short, long) = (of(16_000), of(32_000));
        assert!(long * 10 <= short * 22 + 10_000, "{part:?}: {short} steps, then {long}");
        assert!(long <= 256 * 32_000, "{part:?}: {long} steps");
    }
}
