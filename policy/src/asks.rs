//! What a server asks of the client and its user.
//!
//! Owns: recognising sampling and elicitation, in the requests of the legacy protocol and in the
//! `inputRequests` of a result of the modern one (2026-07-28), and what in them is risky.
//! Accepts: the raw params or result. Emits: [`Asks`]. Promises: linear.

use memchr::memmem;

use crate::facts::Phase;
use crate::json::{Event, walk};
use crate::verbs::words;

/// What a message asks for.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asks {
    /// A completion of the client's model.
    pub(crate) sampling: bool,
    /// That the user opens an address.
    pub(crate) url: bool,
    /// What looks like a secret.
    pub(crate) secret: bool,
}

/// Looks at a message that goes to the client.
pub(crate) fn scan(method: &str, phase: Phase, raw: &[u8]) -> Asks {
    match (phase, method) {
        (Phase::Request, "sampling/createMessage") => Asks { sampling: true, ..Asks::default() },
        (Phase::Request, "elicitation/create") => elicitation(raw, true),
        // A key can be written with escapes, so these are a reason to look closer too.
        (Phase::Result, _)
            if memmem::find(raw, b"inputRequests").is_some()
                || memmem::find(raw, b"\\u00").is_some() =>
        {
            elicitation(raw, false)
        }
        _ => Asks::default(),
    }
}

fn elicitation(raw: &[u8], mut inside: bool) -> Asks {
    let mut asks = Asks::default();
    walk(raw, &mut |event| match event {
        Event::Key("inputRequests") => inside = true,
        Event::Key(name) if inside => asks.secret |= is_secret_name(name),
        Event::Text { key, text } if inside => {
            asks.sampling |= key == "method" && text == "sampling/createMessage";
            asks.url |= key == "mode" && text == "url";
            asks.secret |= match key {
                "title" => is_secret_name(text) || is_secret_question(text),
                "message" | "description" | "format" => is_secret_question(text),
                _ => false,
            };
        }
        _ => {}
    });
    asks
}

/// Whether a field's name or title is that of a secret.
fn is_secret_name(name: &str) -> bool {
    let mut previous = String::new();
    let mut found = false;
    words(name, |word| {
        found |= matches!(
            word,
            "password"
                | "passwd"
                | "passphrase"
                | "passcode"
                | "pwd"
                | "secret"
                | "token"
                | "apikey"
                | "credential"
                | "credentials"
                | "mnemonic"
                | "cvv"
                | "cvc"
                | "otp"
                | "totp"
                | "ssn"
                | "privatekey"
                | "accesskey"
                | "secretkey"
        );
        found |= matches!(
            (previous.as_str(), word),
            (
                "api" | "private" | "access" | "secret" | "signing" | "encryption" | "recovery",
                "key"
            ) | ("seed", "phrase" | "words")
                | ("card", "number")
                | ("pin", "code")
                | (
                    "recovery" | "backup" | "verification" | "auth" | "authentication",
                    "code" | "codes"
                )
        );
        word.clone_into(&mut previous);
    });
    found
}

/// Whether a sentence asks for a secret. Single words such as "token" are too common in prose.
fn is_secret_question(text: &str) -> bool {
    let text = text.to_lowercase();
    [
        "password",
        "passphrase",
        "private key",
        "seed phrase",
        "recovery phrase",
        "api key",
        "secret key",
        "access token",
        "credit card",
        "card number",
        "security code",
        "one-time code",
        "verification code",
    ]
    .iter()
    .any(|phrase| text.contains(phrase))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &str, phase: Phase, raw: &str, sampling: bool, url: bool, secret: bool) {
        assert_eq!(scan(method, phase, raw.as_bytes()), Asks { sampling, url, secret }, "{raw}");
    }

    #[test]
    fn legacy_requests() {
        let request = Phase::Request;
        check("sampling/createMessage", request, "{}", true, false, false);
        check(
            "elicitation/create",
            request,
            r#"{"message":"Your name?","requestedSchema":{"type":"object","properties":{"name":{"type":"string"},"key_points":{"type":"string"},"max_count":{"type":"integer"}}}}"#,
            false,
            false,
            false,
        );
        for schema in [
            r#"{"message":"Sign in","requestedSchema":{"properties":{"userPassword":{"type":"string"}}}}"#,
            r#"{"message":"x","requestedSchema":{"properties":{"api_key":{"type":"string"}}}}"#,
            r#"{"message":"x","requestedSchema":{"properties":{"a":{"type":"string","title":"Card Number"}}}}"#,
            r#"{"message":"Please enter your seed phrase","requestedSchema":{"properties":{"a":{}}}}"#,
            r#"{"message":"x","requestedSchema":{"properties":{"p\u0061ssword":{}}}}"#,
        ] {
            check("elicitation/create", request, schema, false, false, true);
        }
        check(
            "elicitation/create",
            request,
            r#"{"mode":"url","url":"https://x.example/","message":"Sign in"}"#,
            false,
            true,
            false,
        );
    }

    #[test]
    fn modern_results() {
        let raw = r#"{"resultType":"input_required","inputRequests":{"a":{"method":"sampling/createMessage","params":{}},"b":{"method":"elicitation/create","params":{"mode":"url","url":"https://x.example"}}}}"#;
        check("tools/call", Phase::Result, raw, true, true, false);
        let escaped = raw.replace("inputRequests", r"input\u0052equests");
        check("tools/call", Phase::Result, &escaped, true, true, false);
    }

    #[test]
    fn ordinary_results_ask_for_nothing() {
        let raw = r#"{"content":[{"type":"text","text":"the inputRequests password \u00e9"}],"mode":"url"}"#;
        check("tools/call", Phase::Result, raw, false, false, false);
    }
}
