//! A server given on the command line, the way clients write one.
//!
//! Accepts: `{"command","args","env",…}`, `{"mcpServers":{NAME:…}}` or `{NAME:…}`, as JSON with
//! comments and trailing commas. Emits: [`Given`].

use std::collections::BTreeMap;

use jsonc_parser::{ParseOptions, parse_to_serde_value};
use serde_json::{Map, Value};
use thiserror::Error;

/// A server to start.
#[derive(Clone, PartialEq, Eq)]
pub struct Given {
    /// Its name, where the config gives it one.
    pub name: Option<String>,
    /// The program.
    pub command: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// Variables to add to the environment.
    pub env: BTreeMap<String, String>,
    /// The working directory, if not the caller's.
    pub cwd: Option<String>,
}

impl std::fmt::Debug for Given {
    // Arguments and variables can hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Given")
            .field("name", &self.name)
            .field("command", &self.command)
            .finish_non_exhaustive()
    }
}

/// Why a wrapped config cannot be used.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum GivenError {
    /// It is not JSON.
    #[error("the wrapped config is not JSON: {0}")]
    Syntax(String),
    /// It is JSON, and no server.
    #[error(
        "the wrapped config names no server: an object with `command`, or with one named server, is expected"
    )]
    NoServer,
    /// It names several servers.
    #[error("the wrapped config names {0} servers; give one")]
    Several(usize),
    /// A member has the wrong type.
    #[error("`{key}` of the wrapped config must be {expected}")]
    Type {
        /// The member.
        key: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// It is reached by address.
    #[error(
        "the wrapped config names a server by its `url`; only servers that are started by a command can be wrapped so far"
    )]
    Remote,
}

impl Given {
    /// Reads a wrapped config.
    ///
    /// # Errors
    /// See [`GivenError`].
    pub fn read(text: &str) -> Result<Self, GivenError> {
        let options = ParseOptions {
            allow_comments: true,
            allow_trailing_commas: true,
            allow_loose_object_property_names: false,
            ..ParseOptions::default()
        };
        let text = text.trim_start_matches('\u{feff}');
        let value: Value = parse_to_serde_value(text, &options)
            .map_err(|error| GivenError::Syntax(error.to_string()))?;
        let Value::Object(object) = value else { return Err(GivenError::NoServer) };
        let named = match object.get("mcpServers") {
            Some(Value::Object(servers)) => servers,
            Some(_) => return Err(GivenError::Type { key: "mcpServers", expected: "an object" }),
            None if is_server(&object) => return server(None, &object),
            None => &object,
        };
        let mut servers =
            named.iter().filter_map(|(name, server)| Some((name, server.as_object()?)));
        match (servers.next(), named.len()) {
            (Some((name, object)), 1) => server(Some(name), object),
            (_, 0) | (None, _) => Err(GivenError::NoServer),
            (Some(_), count) => Err(GivenError::Several(count)),
        }
    }
}

fn is_server(object: &Map<String, Value>) -> bool {
    ["command", "url", "serverUrl", "httpUrl"].iter().any(|key| object.contains_key(*key))
}

fn server(name: Option<&String>, object: &Map<String, Value>) -> Result<Given, GivenError> {
    let text = |key: &'static str| match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(GivenError::Type { key, expected: "a string" }),
    };
    let Some(command) = text("command")? else {
        return Err(if is_server(object) { GivenError::Remote } else { GivenError::NoServer });
    };
    let args = match object.get("args") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(args)) => {
            let text = |arg: &Value| arg.as_str().map(str::to_owned);
            args.iter().map(text).collect::<Option<_>>().ok_or(BAD_ARGS)?
        }
        Some(_) => return Err(BAD_ARGS),
    };
    let env = match object.get("env") {
        None | Some(Value::Null) => BTreeMap::new(),
        Some(Value::Object(env)) => {
            env.iter().map(variable).collect::<Option<_>>().ok_or(BAD_ENV)?
        }
        Some(_) => return Err(BAD_ENV),
    };
    Ok(Given { name: name.cloned(), command, args, env, cwd: text("cwd")? })
}

const BAD_ARGS: GivenError = GivenError::Type { key: "args", expected: "an array of strings" };
const BAD_ENV: GivenError = GivenError::Type { key: "env", expected: "an object of strings" };

fn variable((key, value): (&String, &Value)) -> Option<(String, String)> {
    let value = match value {
        Value::String(text) => text.clone(),
        // Some clients write numbers and switches as such.
        Value::Number(number) => number.to_string(),
        Value::Bool(bool) => bool.to_string(),
        _ => return None,
    };
    Some((key.clone(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<(Option<&str>, &str, &[&str]), GivenError>) {
        let given = Given::read(text);
        let brief = given.as_ref().map(|given| {
            let args: Vec<&str> = given.args.iter().map(String::as_str).collect();
            (given.name.as_deref(), given.command.as_str(), args)
        });
        let expected = expected.map(|(name, command, args)| (name, command, args.to_vec()));
        assert_eq!(
            brief.map_err(ToString::to_string),
            expected.map_err(|e| e.to_string()),
            "{text}"
        );
    }

    #[test]
    fn every_shape_that_the_python_proxy_took_is_read() {
        check(r#"{"command":"x"}"#, Ok((None, "x", &[])));
        check(r#"{"command":"x","args":["a","b"],}"#, Ok((None, "x", &["a", "b"])));
        check(r#"{"mcpServers":{"s":{"command":"x"}}}"#, Ok((Some("s"), "x", &[])));
        check("{ // mine\n \"s\": {\"command\":\"x\"} }", Ok((Some("s"), "x", &[])));
    }

    #[test]
    fn what_is_no_server_is_told() {
        check("[]", Err(GivenError::NoServer));
        check("{}", Err(GivenError::NoServer));
        check(r#"{"mcpServers":{}}"#, Err(GivenError::NoServer));
        check(r#"{"a":{"command":"x"},"b":{"command":"y"}}"#, Err(GivenError::Several(2)));
        check(r#"{"url":"http://localhost/"}"#, Err(GivenError::Remote));
        check(r#"{"command":1}"#, Err(GivenError::Type { key: "command", expected: "a string" }));
        check(r#"{"command":"x","args":[1]}"#, Err(BAD_ARGS));
        assert!(matches!(Given::read("{"), Err(GivenError::Syntax(_))));
    }

    #[test]
    fn numbers_in_the_environment_are_taken_as_text() {
        let given = Given::read(r#"{"command":"x","env":{"A":1,"B":true,"C":"c"}}"#).unwrap();
        let env: Vec<_> = given.env.iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(env, ["A=1", "B=true", "C=c"]);
    }
}
