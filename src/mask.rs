//! Other people's commands and addresses, as they may be shown.
//!
//! Owns: what is left out of a line, a command and an address.
//! Accepts: text from clients' configs.
//! Emits: the same text with secrets replaced.
//! Promises: who a URL names as its user, what its query and fragment say, and whatever the redactor
//! knows for a secret are never shown.

use defenter_config::clients::Stdio;
use defenter_redact::Redactor;

/// What stands for a part that is not shown.
const HIDDEN: &str = "***";

/// Shows text without its secrets.
pub(crate) struct Mask(Redactor);

impl Mask {
    pub(crate) fn new() -> Self {
        Self(Redactor::builtin())
    }

    /// One line of a config.
    pub(crate) fn line(&self, line: &str) -> String {
        let scan = self.0.scan_text(line.as_bytes());
        String::from_utf8_lossy(&scan.apply(line.as_bytes())).into_owned()
    }

    /// A program and its arguments, as one would type them. They are looked at together, since
    /// `--token` alone says what the next one is.
    pub(crate) fn command(&self, stdio: &Stdio) -> String {
        let words = std::iter::once(&stdio.command).chain(&stdio.args);
        let words: Vec<String> = words.map(|word| quoted(&without_access(word))).collect();
        self.line(&words.join(" "))
    }

    /// An address.
    pub(crate) fn url(&self, url: &str) -> String {
        self.line(&without_access(url))
    }
}

/// Leaves out what in an address gives access: user and password, the values of the query, the
/// fragment. A word that is no address stays as it is.
fn without_access(word: &str) -> String {
    let Some((scheme, rest)) = word.split_once("://") else { return word.to_owned() };
    let (rest, fragment) = cut(rest, '#');
    let (rest, query) = cut(rest, '?');
    let end = rest.find(['/', '\\']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let authority = match authority.rsplit_once('@') {
        Some((_, host)) => format!("{HIDDEN}@{host}"),
        None => authority.to_owned(),
    };
    let query = query.map_or_else(String::new, |query| {
        let pairs: Vec<String> = query.split('&').map(pair).collect();
        format!("?{}", pairs.join("&"))
    });
    let fragment = fragment.map_or_else(String::new, |_| format!("#{HIDDEN}"));
    format!("{scheme}://{authority}{path}{query}{fragment}")
}

fn cut(text: &str, at: char) -> (&str, Option<&str>) {
    text.split_once(at).map_or((text, None), |(left, right)| (left, Some(right)))
}

fn pair(pair: &str) -> String {
    match pair.split_once('=') {
        Some((name, _)) => format!("{name}={HIDDEN}"),
        None if pair.is_empty() => String::new(),
        // A query without names may be nothing but the key.
        None => HIDDEN.to_owned(),
    }
}

/// A word as a shell would take it for one.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| !c.is_whitespace() && !matches!(c, '\'' | '"' | '\\' | '$' | '`');
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gives_access_to_an_address_is_left_out() {
        let check = |url: &str, shown: &str| assert_eq!(without_access(url), shown);
        check("https://example.com/mcp", "https://example.com/mcp");
        check("https://u:p@example.com:8/x", "https://***@example.com:8/x");
        check("https://a@b@example.com", "https://***@example.com");
        check("https://example.com/@scope/x", "https://example.com/@scope/x");
        check("https://h/x?key=1&name=a=b&&flag#top", "https://h/x?key=***&name=***&&***#***");
        check("--url=wss://u@h?t=1", "--url=wss://***@h?t=***");
        check("@scope/package?x=1", "@scope/package?x=1");
        check("", "");
    }

    #[test]
    fn a_secret_in_a_command_is_not_shown_and_the_rest_is() {
        let secret = ["x7Kq9Zr2", "Tf5Wm8Vb3Lc1"].concat();
        let stdio = Stdio {
            command: "npx".to_owned(),
            args: ["-y", "a server", "--api-key", &secret, "https://h/?k=z"]
                .map(str::to_owned)
                .to_vec(),
            env: Vec::new(),
            env_file: None,
            cwd: None,
        };
        let shown = Mask::new().command(&stdio);
        assert!(!shown.contains(&secret) && !shown.contains("k=z"), "{shown}");
        assert!(shown.starts_with("npx -y 'a server' --api-key ["), "{shown}");
    }
}
