//! What holds for every input: the laws of `defenter_redact`, on generated texts that are made of
//! the pieces which the matchers look for.

use defenter_redact::{Budget, Options, Redactor, Scan};
use proptest::prelude::*;
use std::sync::LazyLock;

static REDACTOR: LazyLock<Redactor> = LazyLock::new(Redactor::builtin);

/// Secrets with a form of their own, and the piece of each that must not survive.
const SECRETS: &[&str] = &[
    "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",
    "AKIAS2SM7MMZWEGUGGD2",
    "xoxb-781236542736-2364535789652-GkwFDQoHqzXDVsC6GzqYUypD",
    "glpat-8d5ri2n9g85LAnC9YW85",
    "dop_v1_e3c6c5d75353fee0ced9653474f01a118fa5977089c18bb40efe46f32ec036ac",
    "4539 1488 0343 6467",
    "DE89370400440532013000",
    "jane.doe@example.org",
    "189-70-5349",
];

/// The rules' own examples and counterexamples.
static EXAMPLES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let details = REDACTOR.rules().filter_map(|rule| REDACTOR.rule_details(rule.id.as_str()));
    details
        .flat_map(|rule| rule.examples.into_iter().chain(rule.counterexamples))
        .map(String::from)
        .collect()
});

/// An example, as it is or encoded.
fn example() -> impl Strategy<Value = String> {
    let hex = |text: &str, sign: &str| -> String {
        text.bytes().map(|byte| format!("{sign}{byte:02x}")).collect()
    };
    (any::<prop::sample::Index>(), 0..6).prop_map(move |(index, encoding)| {
        let example = &EXAMPLES[index.index(EXAMPLES.len())];
        match encoding {
            0 => hex(example, ""),
            1 => hex(example, "%"),
            2 => hex(&hex(example, "%"), "%"),
            _ => example.clone(),
        }
    })
}

/// A piece of text: secrets, keys, operators, quotes, escapes, placeholders, noise.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(SECRETS).prop_map(str::to_owned),
        prop::sample::select(
            &[
                "password",
                "api_key",
                "\"token\"",
                "secret",
                "Authorization",
                "key",
                "Bearer ",
                "curl -u ",
                "passport",
                "phone",
                "-----BEGIN PRIVATE KEY-----",
                "-----END",
                "[REDACTED-SECRET]",
                "[REDACTED-EMAIL]",
                "[REDACTED-",
                "postgres://u:",
                "@host.example.org/",
            ][..]
        )
        .prop_map(str::to_owned),
        prop::sample::select(
            &[
                "=", ": ", " := ", "\"", "'", "\n", " ", "\\n", "\\\"", "%41", "&#65;", "\u{200B}",
                "\u{FF21}", ",", "{", "}", "[", "]", "+", "\" + \"", "/", "\\u0041", "é", "0x",
                "::",
            ][..]
        )
        .prop_map(str::to_owned),
        "[a-zA-Z0-9]{1,24}",
        "[0-9.:-]{1,16}",
        "\\PC{0,6}",
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), 0..14).prop_map(|pieces| pieces.concat())
}

fn value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        text().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        Just(serde_json::Value::from(4_539_148_803_436_467_u64)),
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::vec((text(), inner), 0..4)
                .prop_map(|pairs| serde_json::Value::Object(pairs.into_iter().collect())),
        ]
    })
}

/// Spans are in order, apart, inside, and everything outside them is as it was.
fn check_splice(input: &[u8], scan: &Scan) -> Result<(), TestCaseError> {
    let out = scan.apply(input);
    let mut rest = &out[..];
    let mut at = 0;
    for finding in scan.findings() {
        prop_assert!(at <= finding.span.start && finding.span.start < finding.span.end);
        let kept = &input[at..finding.span.start];
        prop_assert!(rest.starts_with(kept));
        rest = &rest[kept.len()..];
        let placeholder = finding.kind.placeholder().as_bytes();
        let quoted = rest.first() == Some(&b'"') && rest[1..].starts_with(placeholder);
        let quotes = if quoted && !rest.starts_with(placeholder) { 2 } else { 0 };
        rest = &rest[placeholder.len() + quotes..];
        at = finding.span.end;
    }
    prop_assert_eq!(rest, &input[at..]);
    Ok(())
}

proptest! {
    // More with PROPTEST_CASES.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn text_is_spliced_and_stable(text in text()) {
        let scan = REDACTOR.scan_text(text.as_bytes());
        check_splice(text.as_bytes(), &scan)?;
        prop_assert!(scan == REDACTOR.scan_text(text.as_bytes()), "scans of one text differ");
        let once = scan.apply(text.as_bytes()).into_owned();
        prop_assert!(std::str::from_utf8(&once).is_ok(), "characters were cut");
    }

    #[test]
    fn text_is_idempotent(text in text()) {
        let once = REDACTOR.scan_text(text.as_bytes()).apply(text.as_bytes()).into_owned();
        let twice = REDACTOR.scan_text(&once).apply(&once).into_owned();
        prop_assert_eq!(String::from_utf8_lossy(&twice), String::from_utf8_lossy(&once), "of {:?}", text);
    }

    #[test]
    fn json_stays_json(value in value()) {
        let raw = serde_json::to_vec(&value).unwrap();
        let scan = REDACTOR.scan_json(&raw);
        check_splice(&raw, &scan)?;
        let once = scan.apply(&raw).into_owned();
        prop_assert!(serde_json::from_slice::<serde_json::Value>(&once).is_ok(), "{}", String::from_utf8_lossy(&once));
        let twice = REDACTOR.scan_json(&once).apply(&once).into_owned();
        prop_assert_eq!(String::from_utf8_lossy(&twice), String::from_utf8_lossy(&once));
    }

    #[test]
    fn no_secret_survives(before in "[ -~]{0,12}", secret in prop::sample::select(&SECRETS[..5]), after in "[ -~]{0,12}") {
        let text = format!("{before} {secret} {after}");
        let out = REDACTOR.scan_text(text.as_bytes()).apply(text.as_bytes()).into_owned();
        let out = String::from_utf8_lossy(&out);
        let half = secret.len() / 2;
        for start in 0..=secret.len() - half {
            prop_assert!(!out.contains(&secret[start..start + half]), "{out}");
        }
        let raw = serde_json::to_vec(&serde_json::json!({ "a": [text] })).unwrap();
        let out = REDACTOR.scan_json(&raw).apply(&raw).into_owned();
        prop_assert!(!String::from_utf8_lossy(&out).contains(&secret[half..]));
    }

    #[test]
    fn broken_characters_are_idempotent(parts in prop::collection::vec((piece(), prop::collection::vec(0x80_u8.., 0..4)), 0..8)) {
        let bytes: Vec<u8> = parts.into_iter().flat_map(|(text, broken)| [text.into_bytes(), broken].concat()).collect();
        for scan in [Redactor::scan_text, Redactor::scan_json] {
            let once = scan(&REDACTOR, &bytes).apply(&bytes).into_owned();
            let twice = scan(&REDACTOR, &once).apply(&once).into_owned();
            prop_assert_eq!(twice.escape_ascii().to_string(), once.escape_ascii().to_string());
        }
        let quoted = [b"[\"", &*bytes.escape_ascii().to_string().replace('\\', "").into_bytes(), b"\"]"].concat();
        let once = REDACTOR.scan_json(&quoted).apply(&quoted).into_owned();
        prop_assert!(REDACTOR.scan_json(&once).apply(&once) == once);
        let raw: Vec<u8> = bytes.iter().copied().filter(|b| !matches!(b, b'"' | b'\\' | 0..0x20)).collect();
        let raw = [b"[\"", &*raw, b"\"]"].concat();
        let once = REDACTOR.scan_json(&raw).apply(&raw).into_owned();
        let twice = REDACTOR.scan_json(&once).apply(&once).into_owned();
        prop_assert_eq!(twice.escape_ascii().to_string(), once.escape_ascii().to_string());
    }

    #[test]
    fn any_bytes_are_scanned(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let scan = REDACTOR.scan_text(&bytes);
        check_splice(&bytes, &scan)?;
        check_splice(&bytes, &REDACTOR.scan_json(&bytes))?;
    }

    #[test]
    fn a_small_budget_withholds_everything(text in text(), steps in 0_u64..200) {
        let budget = Budget { steps_base: steps, steps_per_byte: 0, ..Budget::default() };
        let redactor = Redactor::with_options(&Options { budget, ..Options::default() }).unwrap();
        let scan = redactor.scan_text(text.as_bytes());
        if scan.withheld() {
            prop_assert_eq!(&*scan.apply(text.as_bytes()), defenter_redact::WITHHELD.as_bytes());
        } else {
            prop_assert!(scan == REDACTOR.scan_text(text.as_bytes()), "found less without saying so");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn texts_full_of_secrets_settle(
        parts in prop::collection::vec(example(), 1..24),
        one in example(),
        same in any::<bool>(),
        between in prop::sample::select(vec!["", " ", ", ", "\n", "=", ":", "/", "-", ".", "_", "@", "\"", "+", "%", ")", "\u{200b}", "0", "key: "]),
    ) {
        let parts = if same { vec![one; parts.len()] } else { parts };
        let text = parts.join(between);
        let scan = REDACTOR.scan_text(text.as_bytes());
        prop_assert!(!scan.withheld(), "{text:?}");
        let once = scan.apply(text.as_bytes()).into_owned();
        prop_assert!(REDACTOR.scan_text(&once).is_clean(), "{text:?}");
        let raw = serde_json::to_vec(&serde_json::json!({ &text: [&text, { "token": &text }] })).unwrap();
        let scan = REDACTOR.scan_json(&raw);
        prop_assert!(!scan.withheld(), "{text:?}");
        let once = scan.apply(&raw).into_owned();
        prop_assert!(serde_json::from_slice::<serde_json::Value>(&once).is_ok());
        prop_assert!(REDACTOR.scan_json(&once).is_clean(), "{text:?}");
    }
}
