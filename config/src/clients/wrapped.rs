//! Telling an entry that runs through Defenter, and what it runs.
//!
//! Owns: the forms in which Defenter appears in an entry.
//! Accepts: a program and its arguments, as written.
//! Emits: [`Wrapped`], with the original where the entry alone says it.
//! Promises: a program counts as Defenter by its file name only; whether it is ours is for the
//! caller to compare.

use super::entry::{Launch, Stdio};

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
    } else if option(&stdio.args, "--wrapped-config").is_some() {
        wrapped.form = Form::WrappedConfig;
    }
    Some(wrapped)
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
