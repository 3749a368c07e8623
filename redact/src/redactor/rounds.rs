//! Owns the way from an input to a [`Scan`]: a look at all of it, then looks around what was found,
//! until nothing more is.
//! Accepts texts and JSON; emits scans; promises that a scan of the copy finds nothing: where what
//! was found makes more be found again and again, all around it is taken for sensitive.

use std::collections::BTreeSet;
use std::ops::Range;

use super::Redactor;
use super::known::{Known, without_barriers};
use crate::engine::{self, Cutting, Layer, Match, Work};
use crate::json::{self, NotJson, Token};
use crate::locate::Piece;
use crate::offsets::Derived;
use crate::{Finding, Scan, unescape};

/// How often an input is looked at before what has not settled is redacted with all around it.
const FINE_ROUNDS: usize = 8;

/// The same for an input of at most [`SHORT`] bytes, which is soon copied.
const FINE_ROUNDS_SHORT: usize = 48;

/// The longest input that is short, in bytes.
const SHORT: usize = 64 << 10;

/// How far around what has not settled all is redacted at first, in bytes; then twice as far, and
/// so on, so that the end comes soon.
const FIRST_REACH: usize = 256;

/// How often an input is looked at, at most; by then the reach is that of any input.
const MAX_ROUNDS: usize = FINE_ROUNDS_SHORT + 32;

/// How many bytes of unescaped strings are looked at together.
const BATCH: usize = 32 << 10;

/// How many parts for threads are unescaped together in a long input.
const PARTS: usize = 8;

impl Redactor {
    pub(super) fn scan(&self, path: Option<&str>, input: &[u8], json: bool) -> Scan {
        // A text is never refused for being no JSON.
        let scanned = self.try_scan(path, input, json);
        scanned.or_else(|_| self.try_scan(path, input, false)).unwrap_or_else(|_| withheld(json))
    }

    /// Scans, and scans again around what was found: what a match stood next to may be one itself.
    pub(super) fn try_scan(
        &self,
        path: Option<&str>,
        input: &[u8],
        json: bool,
    ) -> Result<Scan, NotJson> {
        let mut work = Work::new(self, path, input.len());
        let whole = 0..input.len();
        self.look(&mut work, input, json, std::slice::from_ref(&whole))?;
        work.whole(input);
        let mut known = Known::default();
        let fine = if input.len() <= SHORT { FINE_ROUNDS_SHORT } else { FINE_ROUNDS };
        let mut reach = FIRST_REACH;
        let mut saw_all = true;
        for round in 0..MAX_ROUNDS {
            if work.exhausted {
                return Ok(withheld(json));
            }
            let found = std::mem::take(&mut work.found);
            let has_changed = known.add(input, found, json);
            if !has_changed && saw_all {
                return Ok(self.finish(known.pieces, &work.exempted, json));
            }
            // Where rules look next depends on where they began, so that the end is a look at all.
            saw_all = !has_changed || round == 0;
            if has_changed && round >= fine {
                known.widen(input, json, reach, self.fingerprint_key());
                reach = reach.saturating_mul(2);
            }
            let (copy, near) = known.copy(input, saw_all);
            if self.look(&mut work, &copy.text, json, &near).is_err() {
                return Ok(withheld(json));
            }
            let outside =
                without_barriers(&copy.text, engine::merge(std::mem::take(&mut work.found)));
            work.found = outside
                .into_iter()
                .map(|found| Match { span: copy.origin(&found.span), ..found })
                .collect();
        }
        Ok(withheld(json))
    }

    /// Adds what is in `near` parts of a text to the work.
    fn look(
        &self,
        work: &mut Work<'_>,
        input: &[u8],
        json: bool,
        near: &[Range<usize>],
    ) -> Result<(), NotJson> {
        if work.exhausted {
            return Ok(());
        }
        if !json {
            work.scan(Layer { text: input, json: false, depth: 0 }, near);
            return Ok(());
        }
        let mut plain: Vec<Range<usize>> = Vec::new();
        // Strings with escapes, and the values of keys with escapes, each with its key.
        let mut escaped: Vec<(Option<Range<usize>>, Range<usize>)> = Vec::new();
        let mut from = 0;
        let mut key: Option<Range<usize>> = None;
        json::walk(input, |token, has_escapes| {
            if let (true, Token::String(span) | Token::Key(span)) = (has_escapes, &token) {
                plain.push(from..span.start);
                from = span.end;
            }
            match token {
                Token::Key(span) if has_escapes => key = Some(span),
                Token::String(span) if has_escapes || key.is_some() => {
                    escaped.push((key.take(), span));
                }
                _ => escaped.extend(key.take().map(|span| (None, span))),
            }
        })?;
        let layer = Layer { text: input, json: true, depth: 0 };
        if plain.is_empty() {
            work.scan(layer, near);
        } else {
            plain.push(from..input.len());
            let is_all = matches!(near, [part] if *part == (0..input.len()));
            if !is_all {
                plain = intersect(&plain, near);
            }
            work.scan(layer, &plain);
        }
        // Many strings are looked at as one text, parted by empty lines.
        let Cutting { part, .. } = work.cutting;
        let batch = if input.len() >= 2 * part { PARTS * part } else { BATCH };
        let mut derived = Derived::default();
        for (key, span) in escaped {
            let start = key.as_ref().map_or(span.start, |key| key.start);
            let wanted = near.partition_point(|part| part.end <= start);
            if near.get(wanted).is_none_or(|part| part.start >= span.end) {
                continue;
            }
            if !work.spend(span.end - start) {
                break;
            }
            let end = span.end;
            if let Some(key) = key {
                let after = key.end;
                derived.unit(b"\"", key.start - 1, 1);
                unescape::unescape(input, key, &mut derived);
                derived.unit(b"\": \"", after, 1);
                unescape::unescape(input, span, &mut derived);
                derived.unit(b"\"\n\n", end, 1);
            } else {
                unescape::unescape(input, span, &mut derived);
                derived.unit(b"\n\n", end, 1);
            }
            if derived.text.len() >= batch {
                work.scan_derived(&derived, 1);
                derived.clear();
            }
        }
        work.scan_derived(&derived, 1);
        Ok(())
    }

    fn finish(&self, pieces: Vec<Piece>, exempted: &BTreeSet<usize>, json: bool) -> Scan {
        let reasons = exempted.iter().filter_map(|&one| self.exceptions.get(one));
        let exceptions = reasons.map(|one| one.reason.clone()).collect();
        let mut scan = Scan { json, exceptions, ..Scan::default() };
        for Piece { found, quoted, key_path } in pieces {
            scan.findings.push(Finding {
                rule: self.rule(usize::from(found.rule)).id.clone(),
                kind: found.kind,
                confidence: found.confidence,
                span: found.span,
                key_path,
                verdict: found.verdict,
                fingerprint: found.fingerprint,
            });
            scan.quoted.push(quoted);
        }
        scan
    }
}

fn withheld(json: bool) -> Scan {
    Scan { json, withheld: true, ..Scan::default() }
}

/// What two sorted lists of ranges have in common.
fn intersect(ranges: &[Range<usize>], near: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    for range in ranges {
        let first = near.partition_point(|part| part.end <= range.start);
        for part in near[first..].iter().take_while(|part| part.start < range.end) {
            out.push(range.start.max(part.start)..range.end.min(part.end));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Budget, Options};

    fn json(input: &str) -> String {
        let redactor = Redactor::builtin();
        let out = redactor.scan_json(input.as_bytes()).apply(input.as_bytes()).into_owned();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn json_is_spliced_not_rewritten() {
        for (input, output) in [
            (r#"{"password":"hunter2-x9"}"#, r#"{"password":"[REDACTED-SECRET]"}"#),
            (
                r#"{"password":"hun\"ter2-x9", "n":1.0e5}"#,
                r#"{"password":"[REDACTED-SECRET]", "n":1.0e5}"#,
            ),
            (r#"{"n": 4539148803436467, "k":1}"#, r#"{"n": "[REDACTED-CREDIT-CARD]", "k":1}"#),
            (
                r#"{"pass\u0077ord":"hunter2-x9","a":"b"}"#,
                r#"{"pass\u0077ord":"[REDACTED-SECRET]","a":"b"}"#,
            ),
            (r#"{"pass\u0077ord":1,"a":"hunter2-x9"}"#, r#"{"pass\u0077ord":1,"a":"hunter2-x9"}"#),
            (r#"{"jane@example.org":"x"}"#, r#"{"[REDACTED-EMAIL]":"x"}"#),
            (r#"["a\njane\u0040example.org\n"]"#, r#"["a\n[REDACTED-EMAIL]\n"]"#),
            (
                r#"{"t":"{\"api_key\": \"9f8e7d6c5b4a39281706\"}"}"#,
                r#"{"t":"{\"api_key\": \"[REDACTED-SECRET]\"}"}"#,
            ),
        ] {
            assert_eq!(json(input), output, "{input}");
        }
    }

    #[test]
    fn key_paths_hide_sensitive_keys() {
        let redactor = Redactor::builtin();
        let scan =
            redactor.scan_json(br#"{"a@example.org":{"x/y":[1,{"password":"hunter2-x9"}]}}"#);
        let paths: Vec<_> = scan.findings().iter().filter_map(|f| f.key_path.clone()).collect();
        assert_eq!(paths.last().unwrap().as_ref(), "/[REDACTED-EMAIL]/x~1y/1/password");
    }

    #[test]
    fn an_empty_budget_withholds() {
        let options =
            Options { budget: Budget { max_bytes: 8, ..Budget::default() }, ..Options::default() };
        let redactor = Redactor::with_options(&options).unwrap();
        let scan = redactor.scan_json(b"{\"a\":\"bcdef\"}");
        assert!(scan.withheld() && !scan.is_clean());
        assert_eq!(&*scan.apply(b"{\"a\":\"bcdef\"}"), b"\"[REDACTED-WITHHELD]\"");
    }

    #[test]
    fn what_stands_beside_a_number_or_another_finding_is_found_at_once() {
        let redactor = Redactor::builtin();
        for (one, placeholder) in [
            ("93.184.216.34", "[REDACTED-IP]"),
            ("4539148803436467", "[REDACTED-CREDIT-CARD]"),
            ("4539 1488 0343 6467", "[REDACTED-CREDIT-CARD]"),
            ("536-22-8145", "[REDACTED-SSN]"),
            ("jane.doe@corp-mail.net", "[REDACTED-EMAIL]"),
            ("+49 30 9018203", "[REDACTED-PHONE]"),
        ] {
            let many = [one; 40].join(" ");
            let scan = redactor.scan_text(many.as_bytes());
            assert!(!scan.withheld(), "{one}");
            let copy = scan.apply(many.as_bytes()).into_owned();
            let expected = [placeholder; 40].join(" ");
            assert_eq!(String::from_utf8_lossy(&copy), expected);
        }
        for (text, expected) in [
            ("2026-11-24 93.184.216.34", "2026-11-24 [REDACTED-IP]"),
            ("10:38:21 93.184.216.34 200", "10:38:21 [REDACTED-IP] 200"),
            ("order 12 4539148803436467", "order 12 [REDACTED-CREDIT-CARD]"),
            ("order 12 4539 1488 0343 6467", "order 12 [REDACTED-CREDIT-CARD]"),
            ("no 7 536-22-8145", "no 7 [REDACTED-SSN]"),
            ("1234 4539 1488 0343 6467 9", "1234 4539 1488 0343 6467 9"),
            ("v 1.93.184.216.34", "v 1.93.184.216.34"),
        ] {
            let copy = redactor.scan_text(text.as_bytes()).apply(text.as_bytes()).into_owned();
            assert_eq!(String::from_utf8_lossy(&copy), expected);
        }
    }

    /// Each of these numbers is seen only once the one before it is gone.
    #[test]
    fn what_is_found_one_after_another_is_redacted_to_the_end() {
        let redactor = Redactor::builtin();
        for (count, is_fine) in [(40, true), (500, false), (6_000, false)] {
            let text = format!("before {} after", "06 12 34 56 78)".repeat(count));
            for json in [false, true] {
                let text = if json { format!("{{\"a\": [\"{text}\", 1]}}") } else { text.clone() };
                let scan = redactor.scan(None, text.as_bytes(), json);
                assert!(!scan.withheld(), "{count}");
                let copy = scan.apply(text.as_bytes()).into_owned();
                assert!(redactor.scan(None, &copy, json).is_clean(), "{count}");
                let copy = String::from_utf8(copy).unwrap();
                assert!(copy.contains("[REDACTED-"), "{count}");
                let fine = "[REDACTED-PHONE])".repeat(count);
                assert_eq!(copy.contains(&format!("before {fine} after")), is_fine, "{count}");
            }
        }
    }

    #[test]
    fn ordinary_traffic_is_clean() {
        let redactor = Redactor::builtin();
        for text in [
            r#"{"jsonrpc":"2.0","id":"3f2b8c1e-9d4a-4c7b-8e21-5a6f7b8c9d0e","method":"tools/call","params":{"name":"read_file","arguments":{"path":"/home/me/src/main.rs"},"_meta":{"progressToken":"c9f1a2b3-4d5e"}}}"#,
            r#"{"tools":[{"name":"login","description":"Logs in with a password and returns a token.","inputSchema":{"type":"object","properties":{"password":{"type":"string","description":"The user's password"},"api_key":{"type":"string"}},"required":["password","api_key"]}}],"nextCursor":"eyJwYWdlIjoyfQ=="}"#,
            r#"{"content":[{"type":"text","text":"commit 24b22bc01611a1086e658628887e3df8602851c5\nAuthor: someone\nDate: 2026-11-24T10:38:21Z\n\n  Bump lodash@4.17.21 to 4.17.22 (#1234)\n"}],"isError":false}"#,
            r#"{"protocolVersion":"2025-11-25","capabilities":{"tools":{"listChanged":true}},"serverInfo":{"name":"everything","version":"1.0.0"},"max_tokens":4096,"stop_token":"<|endoftext|>"}"#,
            r#"{"token_endpoint":"https://auth.example.org/oauth2/v1/token","grant_types_supported":["authorization_code","refresh_token"],"credentials":"same-origin","apiKeyEnvVar":"OPENAI_API_KEY"}"#,
            r#"{"data":"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==","mimeType":"image/png","size":1746313109504}"#,
            "fn main() {\n    let token = lexer.next_token();\n    let key = map.get(&name)?;\n    password: &str,\n}\n",
            "2026-11-24 10:38:21,123 INFO 10.3 s, 12.5%, v1.2.3.4567, build 20261124.1, pid 4242\n",
        ] {
            let scan = redactor.scan_json(text.as_bytes());
            assert!(scan.is_clean(), "{:?} in {text}", scan.findings());
        }
    }

    #[test]
    fn findings_never_show_the_value() {
        let scan = Redactor::builtin().scan_text(b"password=hunter2-x9");
        assert_eq!(scan.findings().len(), 1);
        let shown = format!("{scan:?} {}", serde_json::to_string(&scan.findings()).unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn placeholders_stay_and_shield_nothing() {
        let redactor = Redactor::builtin();
        let text = b"k [REDACTED-SECRET]npm_aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hJ6 password=[REDACTED-SECRET]";
        let scan = redactor.scan_text(text);
        let out = scan.apply(text);
        assert_eq!(
            String::from_utf8_lossy(&out),
            "k [REDACTED-SECRET][REDACTED-SECRET] password=[REDACTED-SECRET]"
        );
        assert!(redactor.scan_text(&out).is_clean());
    }
}
