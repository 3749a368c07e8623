//! `defenter doctor`: what does not work, or is not protected, and what to do about it.

use std::{sync::mpsc::channel, time::Duration};

use defenter_actors::{
    counted::Counted,
    house::{House, Rules},
    redaction::Redactors,
    status::StatusView,
};
use defenter_config::{
    clients::{Discovery, discover},
    doctor::{self, Programs, Severity, SystemPrograms},
    hooks::{HookStatus, hook_status},
    install::{Journal, status},
};
use defenter_policy::PolicySet;
use serde::Serialize;

use super::ask::display;
use crate::{
    Exit, Outcome,
    cli::LookArgs,
    control,
    failure::{Failure, OrFail},
    here,
    mask::Mask,
    terminal::{self, plain},
};

/// How long the dialog's program may take to print its version.
const DIALOG_PATIENCE: Duration = Duration::from_secs(10);

/// One thing to know.
#[derive(Serialize)]
struct Finding {
    #[serde(serialize_with = "severity")]
    severity: Severity,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

pub(crate) fn run(args: &LookArgs) -> Outcome {
    let house = here::house_and_linux()?;
    let mut findings = ourselves(&house);
    findings.extend(entries(&house, args)?);
    findings.extend(hooks(&house, args)?);
    if args.json {
        terminal::say_json(&serde_json::json!({ "findings": findings }))?;
    } else {
        terminal::say(&text(&findings))?;
    }
    let is_bad = findings.iter().any(|finding| finding.severity == Severity::Error);
    Ok(if is_bad { Exit::Drift } else { Exit::Done })
}

/// What is to be said of Defenter itself.
fn ourselves(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    let asks = match house.rules() {
        Ok(rules) => {
            findings.extend(rules_findings(&rules));
            findings.extend(lost_exceptions(&rules, &house.discover()));
            if rules.loaded.settings.notifications.enabled {
                findings.extend(notifications(&|program| is_on_path(house, program)));
            }
            rules.loaded.settings.dialog.enabled
        }
        Err(error) => {
            let finding = Finding::new(Severity::Error, "settings", error.to_string());
            findings.push(finding.hint("nothing runs until it is mended"));
            false
        }
    };
    findings.extend(supervisor(control::status(&house.paths)));
    if asks {
        findings.extend(dialog());
    }
    findings
}

/// What is wrong with rules and policies that could be read.
fn rules_findings(rules: &Rules) -> Vec<Finding> {
    let warning = |warning: &_| Finding::new(Severity::Warning, "settings", format!("{warning}"));
    let mut findings: Vec<Finding> = rules.loaded.warnings.iter().map(warning).collect();
    if let Some(trouble) = &rules.key_trouble {
        findings.push(Finding::new(Severity::Warning, "redaction", trouble.clone()));
    }
    if let Err(error) = Redactors::compile(&rules.redaction) {
        findings.push(
            Finding::new(Severity::Error, "redaction", error.to_string())
                .hint("mend the file; no server runs with rules that cannot be used"),
        );
    }
    if let Err(error) = PolicySet::compile(rules.policy.preset, &rules.policy.layers) {
        findings.push(
            Finding::new(Severity::Error, "policy", error.to_string())
                .hint("mend the file; every operation is refused while it cannot be used"),
        );
    }
    findings
}

/// Servers that an exception of redaction names, and no client's config: a slip of the pen leaves
/// nothing alone, and nobody would notice.
fn lost_exceptions(rules: &Rules, found: &Discovery) -> Vec<Finding> {
    let is_there = |name: &str| {
        name.starts_with("hook:") || found.entries.iter().any(|entry| entry.name == name)
    };
    let exceptions = rules.redaction.exceptions.iter().enumerate();
    let named =
        exceptions.flat_map(|(index, one)| one.servers.iter().map(move |server| (index, server)));
    named
        .filter(|(_, server)| !is_there(server))
        .map(|(index, server)| {
            let server = plain(server);
            let message = format!(
                "redaction.exceptions[{index}] is for the server `{server}`, which no config names"
            );
            Finding::new(Severity::Warning, "redaction", message)
                .hint("`defenter servers` lists the names")
        })
        .collect()
}

fn supervisor(answer: Result<Option<StatusView>, Failure>) -> Vec<Finding> {
    let status = match answer {
        Ok(Some(status)) => status,
        Ok(None) => {
            let message = "no supervisor runs, so each server is guarded by its own shim";
            return vec![
                Finding::new(Severity::Info, "supervisor", message)
                    .hint("`defenter up --detach` starts one, `defenter service install` for good"),
            ];
        }
        Err(_) => {
            let message = "the supervisor does not answer";
            return vec![
                Finding::new(Severity::Error, "supervisor", message)
                    .hint("end it with `defenter down`, or its process, and start it again"),
            ];
        }
    };
    let mut findings = Vec::new();
    if status.supervisor.version != env!("CARGO_PKG_VERSION") {
        let message = format!("the supervisor is of version {}", status.supervisor.version);
        findings.push(
            Finding::new(Severity::Warning, "supervisor", message)
                .hint("`defenter down`, then `defenter up --detach`"),
        );
    }
    let ill = status.servers.into_iter().filter_map(|server| {
        let why = server.quarantined?;
        let mut finding = Finding::new(Severity::Error, "quarantined", why);
        finding.client = Some(server.client);
        let hint = format!("`defenter restart {}` tries again once it is mended", server.name);
        finding.server = Some(server.name);
        Some(finding.hint(hint))
    });
    findings.extend(ill);
    findings
}

/// Whether findings can be told on the desktop; macOS and Windows always can.
fn notifications(is_there: &dyn Fn(&str) -> bool) -> Option<Finding> {
    if cfg!(any(target_os = "macos", windows)) || is_there("notify-send") {
        return None;
    }
    let message =
        "notify-send is not on PATH, so findings are told in the log and in `status` only";
    Some(
        Finding::new(Severity::Info, "notifications", message)
            .hint("install it (libnotify), or set `notifications.enabled` to false"),
    )
}

fn is_on_path(house: &House, program: &str) -> bool {
    let path = house.host.var("PATH").unwrap_or_default();
    std::env::split_paths(path).any(|folder| SystemPrograms.is_program(&folder.join(program)))
}

/// Whether the user can be asked, from the environment of this terminal.
fn dialog() -> Option<Finding> {
    let (tell, told) = channel();
    // The program that shows dialogs is not ours; one that hangs must not make us hang.
    std::thread::spawn(move || {
        let found = display::check(&|name| std::env::var_os(name));
        tell.send(found.err().map(|error| error.to_string()))
    });
    let message = match told.recv_timeout(DIALOG_PATIENCE) {
        Ok(message) => message?,
        Err(_) => "the program that shows dialogs does not answer".to_owned(),
    };
    Some(
        Finding::new(Severity::Warning, "dialog", message)
            .hint("what has to be asked is refused where no dialog can be shown"),
    )
}

/// What is to be said of the servers in the clients' configs.
fn entries(house: &House, args: &LookArgs) -> Result<Vec<Finding>, Failure> {
    let found = discover(&house.host, &super::servers::options(args)?);
    let journal = Journal::new(house.paths.install_journal());
    let wrapper = super::install::wrapper()?;
    let report = status(&found, &journal, &[&wrapper.program, &wrapper.portable]);
    let report = report.or_fail(Exit::Failed)?;
    let mask = Mask::new();
    let of = |finding: doctor::Finding| Finding {
        severity: finding.severity,
        code: finding.code.as_str(),
        client: Some(finding.client.to_string()),
        server: finding.server,
        file: Some(finding.file.display().to_string()),
        // It may quote a program's name, and people write whole commands there.
        message: mask.line(&finding.message),
        hint: finding.hint,
    };
    let findings = doctor::doctor(&house.host, &found, &report, &SystemPrograms);
    Ok(findings.into_iter().map(of).collect())
}

/// What is to be said of our hooks in the clients' files, where there are any.
fn hooks(house: &House, args: &LookArgs) -> Result<Vec<Finding>, Failure> {
    let chosen = |status: &&HookStatus| {
        args.client.is_empty() || args.client.iter().any(|id| id == status.client.as_str())
    };
    let statuses = hook_status(&house.host, &super::install::wrapper()?.program);
    Ok(statuses.iter().filter(chosen).filter_map(hook).collect())
}

/// What is to be said of the hooks in one file; nothing where there are none.
fn hook(status: &HookStatus) -> Option<Finding> {
    let HookStatus { installed, events, stale, .. } = *status;
    let again = "run `defenter install --hooks`";
    let finding = match (installed, status.trusted) {
        (0, _) if stale == 0 => return None,
        (_, _) if stale > 0 => {
            let run = if stale == 1 { "runs" } else { "run" };
            let message = format!("{stale} of its hooks {run} a defenter that is not this one");
            Finding::new(Severity::Warning, "hooks", message).hint(again)
        }
        (some, _) if some < events => {
            let (missing, ours) = (events - some, Counted::of(events, "hook"));
            let are = if missing == 1 { "is" } else { "are" };
            let message = format!("{missing} of our {ours} {are} not there");
            Finding::new(Severity::Warning, "hooks", message).hint(again)
        }
        (_, Some(false)) => {
            let message = "it does not run our hooks, since it does not trust them";
            Finding::new(Severity::Error, "hooks", message).hint(again)
        }
        _ if status.fails_closed => return None,
        _ => {
            let message = "it goes on where a hook cannot be run";
            let hint =
                "a hook of this client is a witness; its MCP servers are guarded by the proxy";
            Finding::new(Severity::Info, "hooks", message).hint(hint)
        }
    };
    let file = Some(status.file.display().to_string());
    Some(Finding { client: Some(status.client.to_string()), file, ..finding })
}

impl Finding {
    fn new(severity: Severity, code: &'static str, message: impl Into<String>) -> Self {
        let (client, server, file, hint) = (None, None, None, None);
        Self { severity, code, client, server, file, message: message.into(), hint }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    fn text(&self) -> String {
        let about: Vec<String> = [self.client.as_deref(), self.server.as_deref()]
            .into_iter()
            .flatten()
            .map(plain)
            .collect();
        let about = if about.is_empty() { self.code.to_owned() } else { about.join(" ") };
        let mut text = format!("{}: {about}: {}", word(self.severity), plain(&self.message));
        if let Some(file) = &self.file {
            text.push_str(&format!(" ({})", plain(file)));
        }
        if let Some(hint) = &self.hint {
            text.push_str(&format!("\n  hint: {}", plain(hint)));
        }
        text + "\n"
    }
}

const fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn severity<S: serde::Serializer>(severity: &Severity, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(word(*severity))
}

fn text(findings: &[Finding]) -> String {
    let count = |severity| findings.iter().filter(|one| one.severity == severity).count();
    let mut text: String = findings.iter().map(Finding::text).collect();
    text.push_str(&format!(
        "{}, {}\n",
        Counted::of(count(Severity::Error), "error"),
        Counted::of(count(Severity::Warning), "warning"),
    ));
    text
}

#[cfg(test)]
mod tests {
    use defenter_actors::status::{ServerState, ServerView};

    use super::*;

    fn view(version: &str, quarantined: Option<&str>) -> StatusView {
        let text = serde_json::json!({
            "supervisor": {"version": version, "pid": 1, "started": "", "uptime_s": 0},
            "servers": [],
        });
        let mut status: StatusView = serde_json::from_value(text).expect("a status");
        status.servers.push(ServerView {
            name: "files".to_owned(),
            client: "cursor".to_owned(),
            scope: "user".to_owned(),
            state: ServerState::Quarantined,
            sessions: Vec::new(),
            restarts: 9,
            last_exit: None,
            quarantined: quarantined.map(str::to_owned),
        });
        status
    }

    #[test]
    fn what_is_said_of_a_supervisor_follows_from_its_answer() {
        let check = |answer, expected: &[(Severity, &str)]| {
            let findings = supervisor(answer);
            let found: Vec<_> = findings.iter().map(|one| (one.severity, one.code)).collect();
            assert_eq!(found, expected);
            assert!(findings.iter().all(|one| one.hint.is_some()), "each has a hint");
        };
        let ours = env!("CARGO_PKG_VERSION");
        check(Ok(None), &[(Severity::Info, "supervisor")]);
        check(Err(Failure::new(Exit::Failed, "x")), &[(Severity::Error, "supervisor")]);
        check(Ok(Some(view(ours, None))), &[]);
        check(Ok(Some(view("0.0.1", None))), &[(Severity::Warning, "supervisor")]);
        check(Ok(Some(view(ours, Some("it fails")))), &[(Severity::Error, "quarantined")]);
    }

    #[cfg(not(any(target_os = "macos", windows)))]
    #[test]
    fn a_desktop_that_cannot_be_told_anything_is_good_to_know() {
        assert!(notifications(&|program| program == "notify-send").is_none());
        let finding = notifications(&|_| false).expect("a finding");
        assert_eq!((finding.severity, finding.code), (Severity::Info, "notifications"));
    }

    #[test]
    fn what_is_said_of_hooks_follows_from_their_status() {
        let check = |installed, stale, fails_closed, trusted, expected| {
            let status = HookStatus {
                client: super::super::install::client("codex").expect("a client"),
                file: "/h/hooks.json".into(),
                installed,
                events: 3,
                fails_closed,
                stale,
                trusted,
            };
            let found = hook(&status).map(|finding| {
                assert!(finding.hint.is_some() && finding.file.is_some());
                finding.severity
            });
            assert_eq!(found, expected, "{status:?}");
        };
        check(0, 0, false, None, None);
        check(3, 0, true, None, None);
        check(3, 0, false, None, Some(Severity::Info));
        check(3, 0, false, Some(true), Some(Severity::Info));
        check(3, 0, false, Some(false), Some(Severity::Error));
        check(2, 0, true, None, Some(Severity::Warning));
        check(0, 3, true, None, Some(Severity::Warning));
    }

    #[test]
    fn a_finding_says_what_it_is_about_and_what_to_do() {
        let mut finding = Finding::new(Severity::Error, "x", "it is\nbroken").hint("mend it");
        assert_eq!(finding.text().lines().count(), 2, "{}", finding.text());
        finding.server = Some("files".to_owned());
        assert!(finding.text().starts_with("error: files: "), "{}", finding.text());
        assert!(finding.text().ends_with("\n  hint: mend it\n"), "{}", finding.text());
    }
}
