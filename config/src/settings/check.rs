//! The checks that a schema cannot say.
//!
//! Promises: the error says what would fit, and never the value.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::Value;

/// Checks one value.
pub(super) fn check_text(key: &str, value: &Value) -> Result<(), String> {
    let absolute = |text: &str| Path::new(text).is_absolute();
    match (key, value) {
        ("console.listen", Value::String(text)) => match text.parse::<SocketAddr>() {
            Ok(address) if address.ip().is_loopback() => Ok(()),
            Ok(_) => Err("expected a loopback address, such as 127.0.0.1:7420".to_owned()),
            Err(_) => Err("expected an address and a port, such as 127.0.0.1:7420".to_owned()),
        },
        ("cloud.url", Value::String(text)) if !is_safe_url(text) => {
            Err("expected an https address (http only to a loopback address)".to_owned())
        }
        ("policy.directory", Value::String(text)) if !absolute(text) => {
            Err("expected an absolute path".to_owned())
        }
        ("redaction.rules_files", Value::Array(items)) => {
            let fits = items.iter().filter_map(Value::as_str).all(absolute);
            if fits { Ok(()) } else { Err("expected absolute paths".to_owned()) }
        }
        _ => Ok(()),
    }
}

fn is_safe_url(text: &str) -> bool {
    if let Some(rest) = text.strip_prefix("https://") {
        return !rest.is_empty() && !rest.starts_with('/');
    }
    let Some(rest) = text.strip_prefix("http://") else { return false };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let name = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next(),
        None => host.split(':').next(),
    };
    match name.unwrap_or_default() {
        "localhost" => true,
        name => name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_only_for_this_machine() {
        for good in
            ["https://a.example", "http://localhost:1/x", "http://127.0.0.1", "http://[::1]:8"]
        {
            assert!(is_safe_url(good), "{good}");
        }
        for bad in ["http://a.example", "http://127.0.0.1.example", "https://", "ftp://x", ""] {
            assert!(!is_safe_url(bad), "{bad}");
        }
    }
}
