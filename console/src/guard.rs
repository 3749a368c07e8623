//! Who may ask.
//!
//! - Accepts: the head of a request and the address it came in on.
//! - Emits: leave to go on, or the status to refuse with.
//! - Promises: a page in a browser gets nothing through this: neither one of another origin, nor one
//!   whose own name was made to point at this machine (DNS rebinding, as in CVE-2025-66414), since
//!   neither can name the address itself as its host.

use std::net::SocketAddr;

use axum::http::header::{HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode};

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The names under which a listener may be asked.
#[derive(Debug, Clone)]
pub(crate) struct Names(Vec<String>);

impl Names {
    /// The names of a listener on `address`: the address itself, and `localhost`.
    pub(crate) fn of(address: SocketAddr) -> Self {
        let port = address.port();
        let mut names = vec![address.to_string(), format!("localhost:{port}")];
        // Clients leave out the protocol's own port.
        if port == 80 {
            names.push(address.ip().to_string());
            names.push("localhost".to_owned());
        }
        Self(names)
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|known| known.eq_ignore_ascii_case(name))
    }

    /// Whether a request may be answered; where not, how it is refused.
    ///
    /// # Errors
    /// 421 where it is meant for another host, 403 where another origin makes it, 413 where it has a
    /// body.
    pub(crate) fn check(&self, request: &Parts, has_body: bool) -> Result<(), Refusal> {
        let host = single(&request.headers, &HOST).map_err(|()| Refusal::Host)?;
        if !host.is_some_and(|host| self.has(host)) {
            return Err(Refusal::Host);
        }
        // A request for a proxy names its host a second time.
        if request.uri.authority().is_some_and(|authority| !self.has(authority.as_str())) {
            return Err(Refusal::Host);
        }
        let origin = single(&request.headers, &ORIGIN).map_err(|()| Refusal::Origin)?;
        if origin.is_some_and(|origin| !origin.strip_prefix("http://").is_some_and(|o| self.has(o)))
        {
            return Err(Refusal::Origin);
        }
        let site = single(&request.headers, &FETCH_SITE).map_err(|()| Refusal::Origin)?;
        if site.is_some_and(|site| !matches!(site, "same-origin" | "none")) {
            return Err(Refusal::Origin);
        }
        if has_body { Err(Refusal::Body) } else { Ok(()) }
    }
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Its host is not this listener.
    Host,
    /// It comes from a page of another origin.
    Origin,
    /// It has a body, which nothing here takes.
    Body,
}

impl Refusal {
    /// The status and the text to refuse with.
    pub(crate) const fn answer(self) -> (StatusCode, &'static str) {
        match self {
            Self::Host => (
                StatusCode::MISDIRECTED_REQUEST,
                "not this host; use the address that the console listens on, or localhost\n",
            ),
            Self::Origin => (StatusCode::FORBIDDEN, "not for pages of another origin\n"),
            Self::Body => (StatusCode::PAYLOAD_TOO_LARGE, "a request here has no body\n"),
        }
    }
}

/// The one value of a header; an error where there are two, or it is not text.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, ()> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| ()),
        (Some(_), Some(_)) => Err(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    #[track_caller]
    fn check(address: &str, uri: &str, headers: &[(&str, &str)], expected: Result<(), Refusal>) {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let names = Names::of(address.parse().unwrap());
        assert_eq!(names.check(&parts, false), expected, "{address} {uri} {headers:?}");
    }

    #[test]
    fn only_its_own_names_are_answered() {
        let ours = "127.0.0.1:7420";
        check(ours, "/", &[("host", "127.0.0.1:7420")], Ok(()));
        check(ours, "/", &[("host", "LocalHost:7420")], Ok(()));
        check("[::1]:7420", "/", &[("host", "[::1]:7420")], Ok(()));
        check("127.0.0.1:80", "/", &[("host", "127.0.0.1")], Ok(()));
        check(ours, "http://localhost:7420/", &[("host", "localhost:7420")], Ok(()));
        for host in [
            "evil.example",
            "evil.example:7420",
            "127.0.0.1",
            "127.0.0.1:7421",
            "localhost",
            "localhost:7420.evil.example",
            "127.0.0.1:7420@evil.example",
            "127.1:7420",
            "",
        ] {
            check(ours, "/", &[("host", host)], Err(Refusal::Host));
        }
        check(ours, "/", &[], Err(Refusal::Host));
        let two = [("host", "localhost:7420"), ("host", "evil.example")];
        check(ours, "/", &two, Err(Refusal::Host));
        let proxied = [("host", "localhost:7420")];
        check(ours, "http://evil.example/", &proxied, Err(Refusal::Host));
    }

    #[test]
    fn pages_of_other_origins_are_refused() {
        let host = ("host", "localhost:7420");
        let ours = "127.0.0.1:7420";
        check(ours, "/", &[host, ("origin", "http://localhost:7420")], Ok(()));
        check(ours, "/", &[host, ("sec-fetch-site", "none")], Ok(()));
        check(ours, "/", &[host, ("sec-fetch-site", "same-origin")], Ok(()));
        for (name, value) in [
            ("origin", "null"),
            ("origin", "https://localhost:7420"),
            ("origin", "http://evil.example"),
            ("origin", "http://localhost:3000"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-site", "new-word"),
        ] {
            check(ours, "/", &[host, (name, value)], Err(Refusal::Origin));
        }
    }

    #[test]
    fn a_body_is_refused() {
        let (parts, ()) =
            Request::builder().header("host", "localhost:1").body(()).unwrap().into_parts();
        let names = Names::of("127.0.0.1:1".parse().unwrap());
        assert_eq!(names.check(&parts, true), Err(Refusal::Body));
    }
}
