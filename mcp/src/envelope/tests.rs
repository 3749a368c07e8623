//! What is read, what is refused, and that both agree with an independent parser.

use super::*;
use crate::read::offset_in;
use proptest::prelude::*;

/// Reads `line` and writes what came of it in one line.
fn shown(line: &str) -> String {
    let text = |raw: &[u8]| String::from_utf8(raw.to_vec()).unwrap();
    let params = |params: Option<&[u8]>| params.map_or("-".to_owned(), text);
    match read(line.as_bytes()) {
        Ok(Message::Request { id, method, params: p }) => {
            format!("? {} {method} {}", id.as_str(), params(p))
        }
        Ok(Message::Notification { method, params: p }) => format!("! {method} {}", params(p)),
        Ok(Message::Response { id, outcome }) => {
            let id = id.map_or("-", Id::as_str);
            match outcome {
                Outcome::Result(raw) => format!("= {id} {}", text(raw)),
                Outcome::Error(raw) => format!("x {id} {}", text(raw)),
            }
        }
        Ok(Message::Batch) => "batch".to_owned(),
        Err(error) => format!("{} {:?} {}", error.code(), error.id(), error.fault()),
    }
}

#[track_caller]
fn check(line: &str, expected: &str) {
    assert_eq!(shown(line), expected, "{line}");
}

#[track_caller]
fn refused(line: &str, fault: Fault) {
    assert_eq!(read(line.as_bytes()).map_err(|e| e.fault()), Err(fault), "{line}");
}

#[test]
fn messages_of_every_kind() {
    check(r#"{"method":"initialize","params":{},"jsonrpc":"2.0","id":0}"#, "? 0 initialize {}");
    check(r#"{"jsonrpc":"2.0","id":"1","method":"x/y"}"#, r#"? "1" x/y -"#);
    check(r#"{"jsonrpc":"2.0","id":1.0,"method":"x","params":null}"#, "? 1.0 x null");
    check(
        r#"{"id":12345678901234567890123,"method":"x","params":[1e400]}"#,
        "? 12345678901234567890123 x [1e400]",
    );
    check(r#"{"id":null,"method":"x"}"#, "? null x -");
    check(
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        "! notifications/initialized -",
    );
    check(r#"{"id":1,"m\u0065thod":"to\u006fls/call"}"#, "? 1 tools/call -");
    check(r#"{"id":1,"result":{"a":"\ud800"}}"#, r#"= 1 {"a":"\ud800"}"#);
    check(r#"{"id":1,"result":null}"#, "= 1 null");
    check(r#"{"id":1,"result":{},"error":null}"#, "= 1 {}");
    check(
        r#"{"id":1,"error":{"code":-32601,"message":"x","extra":1}}"#,
        r#"x 1 {"code":-32601,"message":"x","extra":1}"#,
    );
    check(r#"{"id":1,"result":null,"error":{"code":1}}"#, r#"x 1 {"code":1}"#);
    check(r#"{"error":{"code":1}}"#, r#"x - {"code":1}"#);
    check(r#"{"id":null,"error":{}}"#, "x null {}");
    check("[{\"id\":1,\"method\":\"x\"}]", "batch");
    check("\u{FEFF} {\"id\":1,\t\"method\":\"x\"} \r\n", "? 1 x -");
    check("{\"id\":1,\"method\":\"x\u{2028}\"}", "? 1 x\u{2028} -");
    check(r#"{"vendor":1,"vendor":2,"id":1,"method":"x"}"#, "? 1 x -");
}

#[test]
fn lines_that_are_no_message() {
    check("", "-32700 None not valid JSON from byte 0 on");
    check("hello", "-32700 None not valid JSON from byte 0 on");
    check(r#"{"id":3,"method":"x","params":{"#, "-32700 Some(3) not valid JSON from byte 31 on");
    check(
        r#"{"id":3,"method":"x"} {"id":4,"method":"x"}"#,
        "-32700 None more than one message in the line, from byte 22 on; send one message a line",
    );
    for (line, fault) in [
        ("1", Fault::NeitherRequestNorResponse),
        ("null", Fault::NeitherRequestNorResponse),
        ("{}", Fault::NeitherRequestNorResponse),
        (r#"{"id":1}"#, Fault::NeitherRequestNorResponse),
        (r#"{"result":{}}"#, Fault::NeitherRequestNorResponse),
        (r#"{"id":1,"result":{},"error":{}}"#, Fault::Ambiguous),
        (r#"{"id":1,"method":"x","result":{}}"#, Fault::Ambiguous),
        (r#"{"method":"x","error":{}}"#, Fault::Ambiguous),
        (r#"{"id":true,"method":"x"}"#, Fault::BadId),
        (r#"{"id":[1],"method":"x"}"#, Fault::BadId),
        (r#"{"id":{},"result":1}"#, Fault::BadId),
        (r#"{"id":1,"method":1}"#, Fault::BadMethod),
        (r#"{"id":1,"method":null}"#, Fault::BadMethod),
        (r#"{"id":1,"method":"\ud800"}"#, Fault::BadMethod),
    ] {
        refused(line, fault);
    }
    let long = format!(r#"{{"id":"{}","method":"x"}}"#, "a".repeat(MAX_ID));
    refused(&long, Fault::BadId);
    let deep = format!(r#"{{"id":9,"method":"x","params":{}}}"#, "[".repeat(2_000_000));
    let error = read(deep.as_bytes()).unwrap_err();
    assert!(matches!(error.fault(), Fault::TooDeep { .. }));
    assert_eq!((error.code(), error.id(), error.is_noise()), (-32600, Id::parse(b"9"), false));
    let error = read(b"{\"id\":5,\"method\":\"\xff\"}").unwrap_err();
    assert_eq!((error.fault(), error.id()), (Fault::NotUtf8 { at: 18 }, Id::parse(b"5")));
    assert!(error.is_noise());
}

#[test]
fn twins_of_protocol_keys() {
    let alike = |key| Fault::LookAlikeKey { key };
    for (line, key) in [
        (r#"{"id":1,"method":"x","Method":"y"}"#, "method"),
        (r#"{"id":1,"METHOD":"y"}"#, "method"),
        (r#"{"ID":1,"method":"x"}"#, "id"),
        (r#"{"id":1,"method":"x","method\u0000":"y"}"#, "method"),
        (r#"{"id":1,"method":"x","me\u0000thod":"y"}"#, "method"),
        (r#"{"id":1,"method":"x","method\u0000z":"y"}"#, "method"),
        (r#"{"id":1,"method":"x","param\u017f":{}}"#, "params"),
        (r#"{"id":1,"method":"x","paramſ":{}}"#, "params"),
        (r#"{"id":1,"\u004dethod":"x"}"#, "method"),
        (r#"{"id":1,"Result":{},"result":{}}"#, "result"),
        (r#"{"id":1,"method":"tools/call","params":{"Name":"x"}}"#, "name"),
        (
            r#"{"params":{"name":"x","arguments":{},"argumentſ":{}},"id":1,"method":"tools/call"}"#,
            "arguments",
        ),
        (r#"{"id":1,"method":"vendor/x","params":{"name":"a","NAME":"x"}}"#, "name"),
        (r#"{"id":1,"method":"x","params":{"_meta":{"ProgressToken":1}}}"#, "progressToken"),
        (
            r#"{"id":1,"method":"x","params":{"_meta":{"io.modelcontextprotocol/protocolversion":1}}}"#,
            "io.modelcontextprotocol/protocolVersion",
        ),
        (r#"{"id":1,"result":{"ResultType":"input_required"}}"#, "resultType"),
        (r#"{"id":1,"result":{"isError":false,"iserror":true}}"#, "isError"),
    ] {
        refused(line, alike(key));
        assert_eq!(read(line.as_bytes()).unwrap_err().code(), -32600);
    }
    for line in [
        r#"{"id":1,"method":"vendor/x","params":{"Name":"a"}}"#,
        r#"{"id":1,"method":"tools/call","params":{"name":"x","arguments":{"Name":1,"name":2,"NAME":3}}}"#,
        r#"{"id":1,"result":{"IsError":true}}"#,
        r#"{"id":1,"result":{"structuredContent":{"a":1,"A":2,"a":3}}}"#,
    ] {
        assert!(read(line.as_bytes()).is_ok(), "{line}");
    }
}

#[test]
fn keys_that_occur_twice() {
    for line in [
        r#"{"id":1,"id":1,"method":"x"}"#,
        r#"{"id":1,"method":"x","\u006dethod":"x"}"#,
        r#"{"id":1,"method":"x","params":{},"params":{}}"#,
        r#"{"id":1,"method":"x","params":{"name":"a","name":"b"}}"#,
        r#"{"id":1,"method":"x","params":{"name":"a","n\u0061me":"b"}}"#,
        r#"{"id":1,"method":"x","params":{"v":1,"v":2}}"#,
        r#"{"id":1,"method":"x","params":{"arguments":{"deep":[{"path":"/a","path":"/b"}]}}}"#,
        r#"{"id":1,"method":"x","params":[{"a":1,"a":1}]}"#,
        r#"{"id":1,"method":"x","params":{"_meta":{"v":1,"v":2}}}"#,
        r#"{"id":1,"result":{"content":[],"content":[]}}"#,
        r#"{"id":1,"result":{"resultType":"input_required","inputRequests":{"a":{"method":"x","method":"y"}}}}"#,
        r#"{"id":1,"result":{"tools":[{"name":"a","name":"b"}]}}"#,
        r#"{"id":1,"error":{"code":1,"code":2}}"#,
    ] {
        let error = read(line.as_bytes()).unwrap_err();
        assert!(matches!(error.fault(), Fault::DuplicateKey { .. }), "{line}: {error}");
    }
}

#[test]
fn messages_between_carriage_returns() {
    let call = r#"{"id":2,"method":"tools/call","params":{"name":"rm"}}"#;
    for (line, at) in [
        (format!("{{\"id\":1,\"method\":\"x\",\"params\":[\r{call}\r]}}"), 32),
        (format!("{{\"id\":1,\"result\":\r {call} \r}}\r\n"), 18),
        (format!("{{\"id\":1,\"result\":[\r[{call}]\r]}}"), 19),
    ] {
        refused(&line, Fault::HiddenMessage { at });
    }
    for line in [
        "{\"id\":1,\r\"method\":\"x\",\r\"params\":\r{\"a\"\r:1}}\r\n",
        "{\"id\":1,\"method\":\"x\"}\r\r\n",
        "\r{\"id\":1,\"method\":\"x\"}\n",
        "{\"id\":1,\"method\":\"x\",\"params\":\r[\r[]\r]}\n",
    ] {
        assert!(read(line.as_bytes()).is_ok(), "{line:?}");
    }
}

#[test]
fn debug_output_shows_no_content() {
    let line = br#"{"id":1,"method":"tools/call","params":{"token":"hunter2"}}"#;
    assert_eq!(format!("{:?}", read(line).unwrap()), "Request(1, \"tools/call\", Some(19) bytes)");
    let line = br#"{"id":1,"method":"hunter2","result":1}"#;
    assert!(!format!("{:?}", read(line)).contains("hunter2"));
}

/// JSON text of any shape, with odd spacing, spellings and numbers; keys may occur twice.
fn json() -> impl Strategy<Value = String> {
    let string = prop_oneof![
        r#"[ -!#-\[\]-~é𝄞\x{2028}]{0,12}"#,
        Just(r"\ud800".to_owned()),
        Just(r#"\"\\\/\b\f\n\r\t\u00e9\u0000"#.to_owned()),
        Just("method".to_owned()),
    ]
    .prop_map(|s| format!("\"{s}\""));
    let leaf = prop_oneof![
        string.clone(),
        "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,4})?",
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("false".to_owned()),
    ];
    let space = "[ \t\r\n]{0,2}";
    leaf.prop_recursive(5, 40, 5, move |inner| {
        let member = (space, string.clone(), space, inner.clone())
            .prop_map(|(a, key, b, value)| format!("{a}{key}{b}:{value}{b}"));
        prop_oneof![
            (proptest::collection::vec(inner, 0..5), space)
                .prop_map(|(v, s)| format!("[{s}{}]", v.join(&format!("{s},{s}")))),
            proptest::collection::vec(member, 0..5).prop_map(|v| format!("{{{}}}", v.join(","))),
        ]
    })
}

/// Whether an independent parser takes `text` for one JSON value.
fn serde_takes(text: &[u8]) -> bool {
    serde_json::from_slice::<&serde_json::value::RawValue>(text).is_ok()
}

/// Damages `text` in one place.
fn damaged(text: &str, at: prop::sample::Index, with: u8) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    let at = at.index(bytes.len());
    bytes[at] = with;
    bytes
}

proptest! {
    #[test]
    fn takes_json_exactly_as_serde_does(text in json(), at: prop::sample::Index, with: u8, cut: bool) {
        let mut variants = vec![text.clone().into_bytes(), damaged(&text, at, with)];
        if cut {
            variants.push(text.as_bytes()[..at.index(text.len())].to_vec());
        }
        for text in variants {
            let mine = read(&text).map_err(|e| e.fault());
            let refused_as_json = matches!(
                mine,
                Err(Fault::NotJson { .. } | Fault::NotUtf8 { .. } | Fault::TrailingData { .. })
            );
            // A duplicate may be found before the end, so that a later flaw is never seen.
            if !matches!(mine, Err(Fault::DuplicateKey { .. })) {
                prop_assert_eq!(!refused_as_json, serde_takes(&text), "{:?} {}", mine, String::from_utf8_lossy(&text));
            }
        }
    }

    #[test]
    fn parts_are_the_ones_that_were_put_in(params in json(), id in "(0|[1-9][0-9]{0,30}|\"[a-z]{0,9}\")", order in Just([0, 1, 2, 3]).prop_shuffle()) {
        let members = [format!("\"id\": {id}"), "\"method\":\"vendor/x\"".to_owned(), format!("\"params\" :{params}"), "\"x\":[]".to_owned()];
        let line = format!("{{{}}}\n", order.map(|n| members[n].clone()).join(" , "));
        match read(line.as_bytes()) {
            Ok(Message::Request { id: got_id, method, params: Some(got) }) => {
                prop_assert_eq!((got_id.as_str(), &*method), (&*id, "vendor/x"));
                prop_assert_eq!(got, params.trim().as_bytes());
                let at = offset_in(line.as_bytes(), got).unwrap();
                prop_assert_eq!(&line.as_bytes()[at], got);
            }
            Err(error) => prop_assert!(matches!(error.fault(), Fault::DuplicateKey { .. } | Fault::LookAlikeKey { .. } | Fault::HiddenMessage { .. }), "{}", error),
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        if let Err(error) = read(&bytes) {
            prop_assert!(error.code() == -32700 || error.code() == -32600);
        }
    }
}
