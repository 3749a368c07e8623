//! Personal data as a whole: every kind is found, and can be switched off by itself; what only looks
//! like it is left alone, in prose, logs, code and JSON.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use defenter_redact::{Kind, Options, Redactor};

#[expect(clippy::expect_used, reason = "a test's own rules are the built-in ones")]
static REDACTOR: LazyLock<Redactor> =
    LazyLock::new(|| Redactor::with_options(&enabled()).expect("the built-in rules"));

/// With the kinds that are not looked for by default.
fn enabled() -> Options {
    Options { enabled_kinds: [Kind::Uuid].into(), ..Options::default() }
}

/// One value of each kind, in a text that says nothing else.
const VALUES: &[(Kind, &str)] = &[
    (Kind::CreditCard, "pay with 4539 1488 0343 6467 please"),
    (Kind::Iban, "IBAN GB82 WEST 1234 5698 7654 32"),
    (Kind::BankAccount, "routing number 121000358"),
    (Kind::Email, "write to jane.doe@example.org now"),
    (Kind::Phone, "ring (415) 555-0132 or so"),
    (Kind::Ip, "client 92.21.51.233 connected"),
    (Kind::PrivateIp, "client 192.168.7.31 connected"),
    (Kind::Mac, "28:2a:6e:83:50:6d joined"),
    (Kind::Ssn, "189-70-5349 is on file"),
    (Kind::NationalId, "55555555K is on file"),
    (Kind::TaxId, "USt-IdNr. DE136695976"),
    (Kind::Passport, "passport no. C01X00T47"),
    (Kind::DriverLicence, "MORGA657054SM9IJ is on file"),
    (Kind::MedicalId, "NHS 401-023-2137"),
    (Kind::CryptoAddress, "send it to 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
    (Kind::Uuid, "the order 7d9c2f40-1b6e-4a83-9f05-c2d4e6a81b37 left"),
];

fn kinds(redactor: &Redactor, text: &str) -> Vec<Kind> {
    redactor.scan_text(text.as_bytes()).kinds().collect()
}

#[test]
fn every_kind_is_found_and_can_be_switched_off() {
    let personal: BTreeSet<Kind> =
        Kind::ALL.iter().copied().filter(|kind| !kind.is_secret()).collect();
    assert_eq!(VALUES.iter().map(|(kind, _)| *kind).collect::<BTreeSet<_>>(), personal);
    for (kind, text) in VALUES {
        assert_eq!(kinds(&REDACTOR, text), [*kind], "{text}");
        let options = Options { disabled_kinds: [*kind].into(), ..enabled() };
        let without = Redactor::with_options(&options).unwrap();
        assert_eq!(kinds(&without, text), [], "{text}");
        for (other, text) in VALUES.iter().filter(|(other, _)| other != kind) {
            assert_eq!(kinds(&without, text), [*other], "without {kind}: {text}");
        }
    }
}

#[test]
fn a_kind_that_is_not_enabled_is_not_found() {
    let redactor = Redactor::builtin();
    for (kind, text) in VALUES {
        let found = kinds(&redactor, text);
        assert_eq!(found.is_empty(), kind.is_opt_in(), "{text}");
    }
}

#[test]
fn values_are_found_in_every_surrounding() {
    // A line that starts with the value itself, and one with a number in front of it.
    let alone = [
        (Kind::Ip, "92.21.51.233"),
        (Kind::Mac, "28:2a:6e:83:50:6d"),
        (Kind::Mac, "28-2A-6E-83-50-6D"),
        (Kind::Ip, "2a00:1450:4001:82a::200e"),
        (Kind::Phone, "415-555-0132"),
        (Kind::Phone, "+44 20 7946 0958"),
        (Kind::Ssn, "189-70-5349"),
        (Kind::CreditCard, "4539148803436467"),
        (Kind::CreditCard, "4539 1488 0343 6467"),
        (Kind::CreditCard, "4539-1488-0343-6467"),
        (Kind::Iban, "DE89370400440532013000"),
        (Kind::NationalId, "55555555K"),
        (Kind::NationalId, "S2740116C"),
        (Kind::NationalId, "871220-2384"),
        (Kind::NationalId, "529.982.247-25"),
        (Kind::CryptoAddress, "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
        (Kind::CryptoAddress, "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"),
        (Kind::CryptoAddress, "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"),
    ];
    for (kind, value) in alone {
        for outer in [
            format!("one\\n{value}\\nthree"),
            format!("one\n{value}\nthree"),
            format!("200 {value} ok\n17 {value}"),
            format!("17,{value},9"),
            format!("17\t{value}\t9"),
        ] {
            assert_eq!(kinds(&REDACTOR, &outer), [kind], "{outer}");
        }
    }
    for (kind, text) in VALUES {
        let quoted = serde_json::to_string(text).unwrap();
        for outer in [
            format!("2026-11-02T10:11:12Z INFO {text}"),
            format!("note: \"{text}\""),
            format!("{{\"note\":{quoted}}}"),
            format!("{{\"note\":{}}}", serde_json::to_string(&quoted).unwrap()),
            format!("<td>{text}</td>"),
            format!("INSERT INTO t VALUES (17, '{text}', 'x');"),
            format!("first line\n{text}\nlast line"),
            format!("first line\\n{text}\\nlast line"),
        ] {
            assert!(kinds(&REDACTOR, &outer).contains(kind), "{kind} in {outer}");
        }
    }
}

#[test]
fn what_only_looks_like_it_is_left_alone() {
    let redactor = Redactor::builtin();
    let hard = [
        "v2.5.92.9373",
        "version 10.7.193.22",
        "Chrome/120.0.6099.71",
        "file.rs:9587:21",
        "std::collections::HashMap",
        "12:30:45.123",
        "2026-11-02T10:11:12+02:00",
        "2024-01-15 - 2024-02-20",
        "20240115-0930",
        "1746313109504",
        "1661714848753555648",
        "36.365332, 65.119828",
        "948634.3036886888",
        "48,587,408 bytes",
        "48 587 408 bytes",
        "978-1-56342-223-2",
        "0-13-110362-8",
        "647-5591",
        "000-51-8775",
        "987-93-1103",
        "4539148803436468",
        "GB73GOEN17549724647940",
        "ceb2df7b-2598-4d86-9a0a-6ec0b40209bb",
        "24b22bc01611a1086e658628887e3df8602851c5",
        "#a8d919",
        "209 87 39 125 206 188 42 106 128 199 98 92",
        "01 02 03 04 05",
        "48 8b 05 12 00 00 00",
        "git@github.com:org/repo.git",
        "@babel/core@7.24.1",
        "lodash@4.17.21",
        "icon@2x.png",
        "@app.route",
        "getty@tty1.service",
        "CVE-2026-9358",
        "REQ-415-555-0132",
        "order 10000000146",
        "127.0.0.1:8080",
        "192.0.2.33",
        "2001:db8::1",
        "10.0.0.0/8",
        "2.5.29.14",
        "00:00:00:00:00:00",
        "0x0000000000000000000000000000000000000000",
        "noreply@github.com",
        "Copyright (c) 2026 Jane Doe <jane@corp.com>",
        "Co-authored-by: Jane Doe <jane@corp.com>",
    ];
    for value in hard {
        for text in [
            value.to_owned(),
            format!("value: {value}"),
            format!("processed {value} in 12ms"),
            format!("{value},{value}"),
            serde_json::json!({ "id": value }).to_string(),
        ] {
            assert_eq!(kinds(&redactor, &text), [], "{text}");
        }
    }
}
