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
        ("policy.directory", Value::String(text)) if !absolute(text) => {
            Err("expected an absolute path".to_owned())
        }
        ("redaction.rules", Value::Array(items)) => {
            let fits = |path: &str| absolute(path) || path.starts_with("~/");
            if items.iter().filter_map(Value::as_str).all(fits) {
                Ok(())
            } else {
                Err("expected absolute paths, or such as ~/gitleaks.toml".to_owned())
            }
        }
        _ => Ok(()),
    }
}
