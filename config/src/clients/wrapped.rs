//! Telling an entry that runs through Defenter, and what it runs.
//!
//! Owns: the forms in which Defenter appears in an entry.
//! Accepts: a program and its arguments, as written.
//! Emits: [`Wrapped`], with the original where the entry alone says it.
//! Promises: a program counts as Defenter by its file name only; whether it is ours is for the
//! caller to compare.

use super::entry::{Launch, Remote, Stdio, Transport};
use super::location::ClientId;
use super::shape::{launch, shape_of};
use crate::doc::Node;

/// How an entry runs through Defenter.
#[derive(Clone, Debug, PartialEq)]
pub struct Wrapped {
    /// The wrapper's program, as written.
    pub program: String,
    /// The form of its arguments.
    pub form: Form,
    /// The server's name among them.
    pub name: Option<String>,
    /// The client's id among them.
    pub client: Option<String>,
    /// The server behind it, where the entry says it.
    pub original: Option<Launch>,
}

/// The form of a wrapper's arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `defenter proxy --name NAME --client ID -- COMMAND ARGS…`: what `install` writes.
    Proxy,
    /// `defenter proxy --name NAME --client ID --url-env VARIABLE …`: a server that is reached by
    /// address, whose address and headers are in the entry's variables.
    Address,
    /// An address of the supervisor's own, which ends with the client and the name. What the
    /// server's address was, the journal knows.
    Local,
    /// `--wrapped-config JSON`: Defenter 0.0.96.
    WrappedConfig,
    /// A program called `defenter` with other arguments.
    Other,
}

/// True where a program, by its file name, is Defenter.
pub(crate) fn is_defenter(program: &str) -> bool {
    let file = program.rsplit(['/', '\\']).next().unwrap_or(program);
    let stem = match file.len().checked_sub(4).and_then(|at| file.split_at_checked(at)) {
        Some((stem, extension)) if extension.eq_ignore_ascii_case(".exe") => stem,
        _ => file,
    };
    matches!(stem.to_ascii_lowercase().as_str(), "defenter" | "defenter-proxy")
}

/// Looks at a program; none where it is not Defenter.
pub(super) fn detect(stdio: &Stdio) -> Option<Wrapped> {
    if !is_defenter(&stdio.command) {
        return None;
    }
    let mut wrapped = Wrapped {
        program: stdio.command.clone(),
        form: Form::Other,
        name: option(&stdio.args, "--name"),
        client: option(&stdio.args, "--client"),
        original: None,
    };
    if let Some(at) = unwrap(&stdio.args) {
        let mut words = stdio.args[at..].iter().cloned();
        wrapped.form = Form::Proxy;
        wrapped.original = words.next().map(|command| {
            Launch::Stdio(Stdio { command, args: words.collect(), ..stdio.clone() })
        });
    } else if let Some(remote) = address(stdio) {
        wrapped.form = Form::Address;
        wrapped.original = Some(Launch::Remote(remote));
    } else if option(&stdio.args, "--wrapped-config").is_some() {
        wrapped.form = Form::WrappedConfig;
    }
    Some(wrapped)
}

/// Looks at an address; none where it is not the supervisor's.
pub(super) fn detect_local(remote: &Remote, client: ClientId, name: &str) -> Option<Wrapped> {
    let base = remote.url.strip_suffix(&local_path(client.as_str(), name))?;
    let rest = base.strip_prefix("http://")?;
    let authority = rest.split('/').next().unwrap_or_default();
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if is_port(port) => host,
        _ => authority,
    };
    matches!(host, "127.0.0.1" | "localhost" | "[::1]").then(|| Wrapped {
        program: base.to_owned(),
        form: Form::Local,
        name: Some(name.to_owned()),
        client: Some(client.to_string()),
        original: None,
    })
}

/// How an entry runs through Defenter; none where it does not.
pub(crate) fn wrapped_in(entry: &Node, client: ClientId, name: &str) -> Option<Wrapped> {
    match launch(entry, &shape_of(entry)?)? {
        Launch::Stdio(stdio) => detect(&stdio),
        Launch::Remote(remote) => detect_local(&remote, client, name),
        Launch::Extension => None,
    }
}

/// How an address of the supervisor's ends: `/CLIENT/NAME`, the name percent-encoded (RFC 3986,
/// unreserved characters stay).
pub(crate) fn local_path(client: &str, name: &str) -> String {
    let mut path = format!("/{client}/");
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                path.push(byte.into());
            }
            _ => path.push_str(&format!("%{byte:02X}")),
        }
    }
    path
}

/// The server that the arguments of a wrapper name by the variables that hold its address and
/// headers; none where the arguments are not what `install` writes.
fn address(stdio: &Stdio) -> Option<Remote> {
    let [proxy, options @ ..] = &stdio.args[..] else { return None };
    if proxy != "proxy" || !options.len().is_multiple_of(2) {
        return None;
    }
    let known = ["--name", "--client", "--url-env", "--transport", "--header-env", "--bearer-env"];
    let pairs = || options.chunks_exact(2).map(|pair| (pair[0].as_str(), pair[1].as_str()));
    if !pairs().all(|(option, _)| known.contains(&option)) {
        return None;
    }
    let value = |name: &str| {
        let found = stdio.env.iter().find(|(key, _)| key == name);
        // One that the client hands on from its own environment.
        found.map_or_else(|| format!("${{{name}}}"), |(_, value)| value.clone())
    };
    let (_, url) = pairs().find(|(option, _)| *option == "--url-env")?;
    let header = |(option, text): (&str, &str)| match option {
        "--header-env" => {
            let (header, name) = text.split_once('=')?;
            Some((header.to_owned(), value(name)))
        }
        "--bearer-env" => Some(("Authorization".to_owned(), format!("Bearer {}", value(text)))),
        _ => None,
    };
    let is_sse = pairs().any(|pair| pair == ("--transport", "sse"));
    Some(Remote {
        url: stdio.env.iter().find(|(key, _)| key == url)?.1.clone(),
        url_key: "url".to_owned(),
        transport: if is_sse { Transport::Sse } else { Transport::Http },
        headers: pairs().filter_map(header).collect(),
    })
}

/// Where the original command starts in the arguments of a wrapper; none where the arguments are
/// not what `install` writes. Nothing but `proxy` and its options may stand before the `--`.
pub(crate) fn unwrap(args: &[String]) -> Option<usize> {
    if args.first().map(String::as_str) != Some("proxy") {
        return None;
    }
    let end = args.iter().position(|arg| arg == "--")?;
    let options = args.get(1..end)?;
    let paired = options.len().is_multiple_of(2);
    let known =
        options.iter().step_by(2).all(|name| matches!(name.as_str(), "--name" | "--client"));
    (paired && known && end + 1 < args.len()).then_some(end + 1)
}

fn option(args: &[String], name: &str) -> Option<String> {
    let end = args.iter().position(|arg| arg == "--").unwrap_or(args.len());
    let at = args[..end].iter().position(|arg| arg == name)?;
    args[..end].get(at + 1).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stdio(command: &str, args: &[&str]) -> Stdio {
        Stdio {
            command: command.to_owned(),
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            env: Vec::new(),
            env_file: None,
            cwd: None,
        }
    }

    #[test]
    fn what_install_writes_is_read_back() {
        let args = ["proxy", "--name", "x", "--client", "cursor", "--", "npx", "-y", "--", "x"];
        let wrapped = detect(&stdio("/opt/defenter", &args)).expect("wrapped");
        assert_eq!((wrapped.form, wrapped.name.as_deref()), (Form::Proxy, Some("x")));
        assert_eq!(wrapped.original, Some(Launch::Stdio(stdio("npx", &["-y", "--", "x"]))));
    }

    #[test]
    fn the_program_is_told_by_its_file_name() {
        for program in ["defenter", "/a b/defenter", "C:\\x\\Defenter.EXE", "defenter-proxy.exe"] {
            assert!(is_defenter(program), "{program}");
        }
        for program in ["npx", "", ".exe", "defenter2", "/defenter/npx", "é.exe", "日本"] {
            assert!(!is_defenter(program), "{program}");
        }
    }

    #[test]
    fn an_address_in_variables_is_read_back() {
        let args = [
            "proxy",
            "--name",
            "x",
            "--client",
            "codex",
            "--url-env",
            "U",
            "--transport",
            "sse",
            "--header-env",
            "X-A=A",
            "--bearer-env",
            "B",
        ];
        let mut entry = stdio("/opt/defenter", &args);
        assert_eq!(detect(&entry).expect("wrapped").form, Form::Other, "no address");
        entry.env = vec![("U".to_owned(), "https://h/x".to_owned()), ("A".into(), "1".into())];
        let wrapped = detect(&entry).expect("wrapped");
        let Some(Launch::Remote(remote)) = wrapped.original else { panic!("no address") };
        assert_eq!((wrapped.form, remote.url.as_str()), (Form::Address, "https://h/x"));
        assert_eq!(remote.transport, Transport::Sse);
        let headers = [("X-A", "1"), ("Authorization", "Bearer ${B}")];
        assert_eq!(remote.headers, headers.map(|(k, v)| (k.to_owned(), v.to_owned())));
        entry.args.push("--home".to_owned());
        entry.args.push("/x".to_owned());
        assert_eq!(detect(&entry).expect("wrapped").form, Form::Other);
    }

    #[test]
    fn an_address_of_the_supervisor_is_told_by_its_end() {
        let check = |url: &str, expected: bool| {
            let remote = Remote {
                url: url.to_owned(),
                url_key: "url".to_owned(),
                transport: Transport::Http,
                headers: Vec::new(),
            };
            let found = detect_local(&remote, ClientId::of("cursor"), "my s");
            assert_eq!(found.is_some(), expected, "{url}");
        };
        check("http://127.0.0.1:7421/mcp/cursor/my%20s", true);
        check("http://[::1]:7421/cursor/my%20s", true);
        check("http://localhost/x/cursor/my%20s", true);
        for url in [
            "https://127.0.0.1:7421/mcp/cursor/my%20s",
            "http://127.0.0.1.example.com/mcp/cursor/my%20s",
            "http://127.0.0.1:7421@example.com/cursor/my%20s",
            "http://127.0.0.1:7421/mcp/cursor/other",
            "http://127.0.0.1:7421/mcp/vscode/my%20s",
        ] {
            check(url, false);
        }
    }

    #[test]
    fn other_forms_are_told_apart() {
        let form = |args: &[&str]| detect(&stdio("defenter", args)).map(|wrapped| wrapped.form);
        assert_eq!(form(&["--wrapped-config", "{}"]), Some(Form::WrappedConfig));
        assert_eq!(form(&["run", "--", "npx"]), Some(Form::Other));
        assert_eq!(form(&["proxy", "--name", "x", "--"]), Some(Form::Other));
        assert_eq!(form(&["proxy", "--home", "x", "--", "y"]), Some(Form::Other));
        assert_eq!(form(&[]), Some(Form::Other));
        assert_eq!(detect(&stdio("npx", &["proxy", "--", "x"])), None);
    }
}
