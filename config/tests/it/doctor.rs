//! What the doctor says about the trees.

use std::path::Path;

use defenter_config::Os;
use defenter_config::clients::{Options, discover};
use defenter_config::doctor::{Code, Finding, Programs, Severity, doctor};
use defenter_config::install::{
    Choice, Journal, NoCheckpoint, SystemPatience, Wrapper, apply, plan_install, status,
};

use crate::trees::{Tree, Trees, scratch};

/// A machine on which only these programs are.
struct Only(&'static [&'static str]);

impl Programs for Only {
    fn is_program(&self, path: &Path) -> bool {
        self.0.iter().any(|program| path.ends_with(program.trim_start_matches('/')))
    }
}

fn look(tree: &Tree<'_>, path: &str, programs: &dyn Programs, install: bool) -> Vec<Finding> {
    let state = scratch();
    let mut host = tree.host();
    host.env.insert("PATH".to_owned(), path.to_owned());
    let journal = Journal::new(state.path().join("install"));
    let options = Options { projects: tree.projects(), ..Options::default() };
    if install {
        let wrapper =
            Wrapper { program: "/d/defenter".to_owned(), portable: "defenter".to_owned() };
        let choice = Choice { projects: true, ..Choice::default() };
        let plan =
            plan_install(&discover(&host, &options), &choice, &wrapper, &journal).expect("a plan");
        apply(&plan, &journal, &SystemPatience, &mut NoCheckpoint).expect("applied");
    }
    let found = discover(&host, &options);
    let report = status(&found, &journal, &["/d/defenter", "defenter"]).expect("a status");
    doctor(&host, &found, &report, programs)
}

fn of(findings: &[Finding], code: Code) -> Vec<(&str, Option<&str>)> {
    findings
        .iter()
        .filter(|finding| finding.code == code)
        .map(|finding| (finding.client.as_str(), finding.server.as_deref()))
        .collect()
}

#[test]
fn before_install_everything_is_said_to_be_unprotected() {
    let trees = Trees::new();
    let tree = trees.tree(Os::Linux);
    let findings = look(&tree, "/usr/bin", &Only(&["/usr/bin/npx", "/usr/bin/uvx"]), false);
    assert!(of(&findings, Code::NotProtected).contains(&("cursor", Some("figma"))));
    assert!(of(&findings, Code::NotProtected).contains(&("crush", Some("github"))));
    // Switched off by its client.
    assert!(!of(&findings, Code::NotProtected).contains(&("windsurf", Some("memory"))));
    assert!(of(&findings, Code::RemoteNotProtected).contains(&("cursor", Some("linear"))));
    assert_eq!(of(&findings, Code::ForeignWrapper), [("claude-code", Some("already"))]);
    assert_eq!(of(&findings, Code::FileProblem), [("trae", None), ("junie", None)]);
    assert!(of(&findings, Code::SameName).contains(&("claude-code", Some("github"))));
    assert_eq!(of(&findings, Code::ManagedOnly), [("claude-code", Some("corp-proxy"))]);
    // What wrapping will bring about is said before.
    assert!(of(&findings, Code::ApprovalReset).contains(&("cursor", None)));
    assert_eq!(of(&findings, Code::WrapperNotFound), [("claude-code", Some("already"))]);
}

#[test]
fn programs_are_looked_for_as_each_client_would() {
    let trees = Trees::new();
    let linux = look(
        &trees.tree(Os::Linux),
        "/opt/bin:relative:/usr/bin",
        &Only(&["/usr/bin/npx", "/opt/bin/uvx", "/usr/bin/docker"]),
        false,
    );
    let missing = of(&linux, Code::ProgramNotFound);
    assert!(!missing.contains(&("cursor", Some("figma"))));
    assert!(!missing.contains(&("hermes", Some("hz"))));
    // A variable in the command, and a command of a project that is not there.
    assert!(!missing.contains(&("cursor", Some("aws"))));
    assert!(missing.contains(&("cursor", Some("acme"))), "{missing:?}");
    // On the desktop of a Mac there is no shell's PATH.
    let macos = trees.tree(Os::Macos);
    let found = look(&macos, "/opt/homebrew/bin", &Only(&["/opt/homebrew/bin/npx"]), false);
    let missing = of(&found, Code::ProgramNotFound);
    assert!(!missing.contains(&("claude-desktop", Some("filesystem"))));
    assert!(missing.contains(&("claude-desktop", Some("obsidian"))));
    // Windows adds the extension.
    let windows = trees.tree(Os::Windows);
    let found =
        look(&windows, "C:\\bin;C:\\tools\\", &Only(&["/tools/uvx.exe", "/bin/npx.cmd"]), false);
    let missing = of(&found, Code::ProgramNotFound);
    assert!(!missing.contains(&("amazon-q", Some("aq"))), "{missing:?}");
    assert!(!missing.contains(&("codex", Some("docs"))), "{missing:?}");
    assert!(missing.contains(&("gemini-cli", Some("g"))));
}

#[test]
fn after_install_the_same_is_said_of_the_servers_behind_the_wrapper() {
    let trees = Trees::new();
    let tree = trees.tree(Os::Linux);
    std::fs::write(
        tree.root.join("home/dev/dotfiles/codex/.codex/requirements.toml"),
        "[mcp_servers.x]\nidentity = { command = \"npx\" }\n",
    )
    .expect("written");
    std::os::unix::fs::symlink(
        "../dotfiles/codex/.codex/requirements.toml",
        tree.root.join("home/dev/.codex/requirements.toml"),
    )
    .expect("a link");
    let here = &["/usr/bin/npx", "/d/defenter", "/usr/bin/defenter"];
    let findings = look(&tree, "/usr/bin", &Only(here), true);
    assert_eq!(of(&findings, Code::WrapperNotFound), [("claude-code", Some("already"))]);
    let bad: Vec<_> = findings
        .iter()
        .filter(|finding| {
            matches!(finding.code, Code::Unwrapped | Code::CommandChanged | Code::Gone)
        })
        .collect();
    assert!(bad.is_empty(), "{bad:?}");
    // The read-only file and what is only reported are all that is left.
    let left = of(&findings, Code::NotProtected);
    assert!(left.contains(&("factory", Some("fd"))) && !left.contains(&("cursor", Some("figma"))));
    assert!(!of(&findings, Code::ProgramNotFound).contains(&("cursor", Some("figma"))));
    assert!(of(&findings, Code::ProgramNotFound).contains(&("hermes", Some("hz"))));
    assert_eq!(of(&findings, Code::AllowList), [("codex", None)]);
    let approvals = of(&findings, Code::ApprovalReset);
    assert!(approvals.contains(&("cursor", None)) && approvals.contains(&("vscode", None)));
    let errors: Vec<_> = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .map(|finding| (finding.client.as_str(), finding.code))
        .collect();
    assert!(errors.contains(&("factory", Code::VariableNotSet)), "{errors:?}");
    let text = format!("{findings:?}");
    assert!(!text.contains("s3cr3t") && !text.contains("ghp_"));
}

#[test]
fn a_defenter_that_is_gone_is_an_error() {
    let trees = Trees::new();
    let findings = look(&trees.tree(Os::Linux), "/usr/bin", &Only(&["/usr/bin/npx"]), true);
    let gone = of(&findings, Code::WrapperNotFound);
    assert!(gone.contains(&("cursor", Some("figma"))), "{gone:?}");
    // In a file that others share it has no folder.
    assert!(gone.contains(&("cursor", Some("acme"))), "{gone:?}");
    let is_error = |finding: &Finding| finding.severity == Severity::Error;
    assert!(findings.iter().filter(|it| it.code == Code::WrapperNotFound).all(is_error));
}
