//! Every tree, wrapped and given back.

use std::collections::BTreeMap;
use std::path::PathBuf;

use defenter_config::Os;
use defenter_config::clients::{Discovery, Form, Launch, Options, Protection, by_id, discover};
use defenter_config::install::{
    ApplyError, Checkpoint, Choice, Drift, Journal, NoCheckpoint, Plan, Stage, State,
    SystemPatience, Wrapper, apply, plan_install, plan_uninstall, status,
};
use tempfile::TempDir;

use crate::trees::{Tree, Trees, scratch};

pub(crate) const PROGRAM: &str = "/opt/defenter/bin/defenter";

type Snapshot = BTreeMap<PathBuf, (Vec<u8>, u32)>;

/// A tree with a journal of its own.
pub(crate) struct Bed<'t> {
    pub(crate) tree: Tree<'t>,
    pub(crate) state: TempDir,
    pub(crate) choice: Choice,
}

impl<'t> Bed<'t> {
    pub(crate) fn new(tree: Tree<'t>) -> Self {
        Self { tree, state: scratch(), choice: everywhere() }
    }

    pub(crate) fn journal(&self) -> Journal {
        Journal::new(self.state.path().join("install"))
    }

    pub(crate) fn discover(&self) -> Discovery {
        let options = Options { projects: self.tree.projects(), ..Options::default() };
        discover(&self.tree.host(), &options)
    }

    pub(crate) fn install_plan(&self) -> Plan {
        plan_install(&self.discover(), &self.choice, &wrapper(), &self.journal()).expect("a plan")
    }

    pub(crate) fn uninstall_plan(&self) -> Plan {
        plan_uninstall(&self.discover(), &self.choice, &self.journal()).expect("a plan")
    }

    pub(crate) fn apply(&self, plan: &Plan) {
        for outcome in
            apply(plan, &self.journal(), &SystemPatience, &mut NoCheckpoint).expect("applied")
        {
            outcome.result.expect("changed");
            assert!(outcome.failed.is_empty(), "{:?}", outcome.failed);
        }
    }

    pub(crate) fn install(&self) {
        self.apply(&self.install_plan());
    }

    pub(crate) fn uninstall(&self) {
        self.apply(&self.uninstall_plan());
    }

    /// The names in the journal's folder.
    pub(crate) fn kept(&self) -> Vec<String> {
        let Ok(names) = std::fs::read_dir(self.state.path().join("install")) else {
            return Vec::new();
        };
        let names = names.map(|name| name.expect("a name").file_name());
        names
            .map(|name| name.to_string_lossy().into_owned())
            .filter(|name| name != "lock")
            .collect()
    }
}

fn wrapper() -> Wrapper {
    Wrapper { program: PROGRAM.to_owned(), portable: "defenter".to_owned() }
}

fn everywhere() -> Choice {
    Choice { projects: true, ..Choice::default() }
}

fn is_protectable(protection: &Protection) -> bool {
    *protection == Protection::Wrappable
}

#[test]
fn every_server_is_wrapped_and_given_back_byte_for_byte() {
    let trees = Trees::new();
    for tree in trees.each() {
        let bed = Bed::new(tree);
        let original = bed.tree.snapshot();
        let before = bed.discover();

        let plan = bed.install_plan();
        let skipped: Vec<_> =
            plan.skipped.iter().map(|skip| (&*skip.name, &*skip.reason)).collect();
        let mut files: Vec<_> = plan.files.iter().map(|file| file.file.clone()).collect();
        files.dedup();
        assert_eq!(files.len(), plan.files.len());
        assert_eq!(bed.tree.snapshot(), original, "planning wrote something");
        bed.apply(&plan);

        let after = bed.discover();
        assert_eq!(before.entries.len(), after.entries.len());
        for (old, new) in before.entries.iter().zip(&after.entries) {
            assert_eq!((old.client, &old.name, &old.steps), (new.client, &new.name, &new.steps));
            assert_eq!(old.disabled, new.disabled);
            let read_only =
                skipped.iter().any(|(name, why)| *name == old.name && why.contains("read-only"));
            if old.wrapped.is_some() || !is_protectable(&old.protection) || read_only {
                assert_eq!((&old.launch, &old.wrapped), (&new.launch, &new.wrapped));
                continue;
            }
            let wrapped =
                new.wrapped.as_ref().unwrap_or_else(|| panic!("{} is not wrapped", old.name));
            assert_eq!(wrapped.form, Form::Proxy);
            assert_eq!(wrapped.program, if old.is_shared() { "defenter" } else { PROGRAM });
            assert_eq!(wrapped.name.as_deref(), Some(old.name.as_str()));
            assert_eq!(wrapped.client.as_deref(), Some(old.client.as_str()));
            assert_eq!(new.server(), &old.launch);
        }
        assert!(bed.install_plan().is_empty(), "the second install changes nothing");

        bed.uninstall();
        assert_same(&original, &bed.tree.snapshot());
        assert_eq!(bed.kept(), [""; 0], "the journal is empty");
        assert!(bed.uninstall_plan().is_empty());
    }
}

fn assert_same(expected: &Snapshot, found: &Snapshot) {
    let paths = |snapshot: &Snapshot| snapshot.keys().cloned().collect::<Vec<_>>();
    assert_eq!(paths(expected), paths(found));
    for (path, (bytes, mode)) in expected {
        let (found, found_mode) = &found[path];
        assert_eq!(
            String::from_utf8_lossy(bytes),
            String::from_utf8_lossy(found),
            "{}",
            path.display()
        );
        assert_eq!(mode, found_mode, "{}", path.display());
    }
}

#[test]
fn only_the_read_only_file_the_wrapped_the_reported_and_the_remote_are_skipped() {
    let trees = Trees::new();
    let bed = Bed::new(trees.tree(Os::Linux));
    let plan = bed.install_plan();
    for skip in &plan.skipped {
        let entry = bed.discover().entries.into_iter().find(|entry| {
            (entry.client, &entry.name, &entry.file) == (skip.client, &skip.name, &skip.file)
        });
        let entry = entry.expect("an entry");
        let expected = entry.wrapped.is_some()
            || !is_protectable(&entry.protection)
            || (entry.name == "fd" && skip.reason.contains("read-only"));
        assert!(expected, "{}: {}", skip.name, skip.reason);
    }
    let user_only = plan_install(&bed.discover(), &Choice::default(), &wrapper(), &bed.journal())
        .expect("a plan");
    let shared = |scope: &str| matches!(scope, "project" | "workspace");
    assert!(
        user_only.files.iter().flat_map(|file| &file.changes).all(|change| !shared(change.scope))
    );
    assert!(user_only.skipped.iter().any(|skip| skip.reason.contains("--project")));
}

#[test]
fn entries_are_given_back_when_the_journal_is_lost() {
    let trees = Trees::new();
    for tree in trees.each() {
        let bed = Bed::new(tree);
        let before = bed.discover();
        bed.install();
        let journal = bed.state.path().join("install");
        std::fs::remove_dir_all(&journal).expect("the journal is lost");
        bed.uninstall();
        let after = bed.discover();
        assert_eq!(after.entries.len(), before.entries.len());
        for (old, new) in before.entries.iter().zip(&after.entries) {
            assert_eq!(old.launch, new.launch, "{}", old.name);
        }
    }
}

/// Crashes before one step of one file.
struct CrashAt {
    countdown: usize,
}

impl Checkpoint for CrashAt {
    fn before(&mut self, stage: Stage) -> Result<(), ApplyError> {
        self.countdown = self.countdown.checked_sub(1).ok_or(ApplyError::Interrupted(stage))?;
        Ok(())
    }
}

#[test]
fn a_crash_at_any_step_leaves_old_or_new_and_everything_can_be_undone() {
    let trees = Trees::new();
    // A locked file, a link, and each format.
    let clients = ["claude-code", "gemini-cli", "codex", "goose"];
    let clients = clients.map(|id| by_id(id).expect("a client").id).to_vec();
    for remote in [None, Some(crate::remote::via())] {
        let mut bed = Bed::new(trees.tree(Os::Macos));
        bed.choice.clients.clone_from(&clients);
        bed.choice.remote = remote;
        let original = bed.tree.snapshot();
        bed.install();
        let installed = bed.tree.snapshot();
        bed.uninstall();

        let mut countdown = 0;
        loop {
            // A crash while installing.
            let plan = bed.install_plan();
            let mut crash = CrashAt { countdown };
            let outcomes =
                apply(&plan, &bed.journal(), &SystemPatience, &mut crash).expect("applied");
            let crashed = outcomes.iter().any(|outcome| outcome.result.is_err());
            assert_old_or_new(&original, &installed, &bed.tree.snapshot());
            if countdown % 2 == 0 {
                // Trying again goes on where it stopped.
                bed.install();
                assert_same(&installed, &bed.tree.snapshot());
                assert!(status_is_clean(&bed));
            }
            // A crash while uninstalling.
            let plan = bed.uninstall_plan();
            let mut crash = CrashAt { countdown };
            let outcomes =
                apply(&plan, &bed.journal(), &SystemPatience, &mut crash).expect("applied");
            assert_old_or_new(&original, &installed, &bed.tree.snapshot());
            let crashed = crashed || outcomes.iter().any(|outcome| outcome.result.is_err());
            bed.uninstall();
            assert_same(&original, &bed.tree.snapshot());
            assert!(status_is_clean(&bed));
            assert_eq!(bed.kept(), [""; 0], "crash before step {countdown}");
            if !crashed {
                break;
            }
            countdown += 1;
        }
        assert!(countdown > 25, "{countdown}");
    }
}

fn status_is_clean(bed: &Bed<'_>) -> bool {
    let discovery = bed.discover();
    let report = status(&discovery, &bed.journal(), &[PROGRAM, "defenter"]).expect("a status");
    report.gone.is_empty() && report.entries.iter().all(|status| status.drift.is_none())
}

fn assert_old_or_new(old: &Snapshot, new: &Snapshot, found: &Snapshot) {
    for (path, (bytes, _)) in found {
        let is = |snapshot: &Snapshot| snapshot.get(path).is_some_and(|(known, _)| known == bytes);
        let temporary = path.extension().is_some_and(|extension| extension == "tmp");
        assert!(is(old) || is(new) || temporary, "{}", path.display());
    }
}

#[test]
fn what_changed_since_is_told() {
    let trees = Trees::new();
    let bed = Bed::new(trees.tree(Os::Linux));
    bed.install();
    let file = bed.tree.root.join("home/dev/.cursor/mcp.json");
    let text = std::fs::read_to_string(&file).expect("text");
    let drift = |bed: &Bed<'_>, name: &str| {
        let discovery = bed.discover();
        let report = status(&discovery, &bed.journal(), &[PROGRAM, "defenter"]).expect("a status");
        let gone = report.gone.iter().any(|saved| saved.name == name);
        let entry = report
            .entries
            .iter()
            .find(|status| status.entry.client.as_str() == "cursor" && status.entry.name == name);
        (gone, entry.map(|status| (status.state.clone(), status.drift)))
    };
    assert_eq!(drift(&bed, "figma"), (false, Some((State::Protected, None))));
    // Another command behind the wrapper.
    std::fs::write(&file, text.replace("figma-developer-mcp", "evil-mcp")).expect("written");
    assert_eq!(
        drift(&bed, "figma"),
        (false, Some((State::Protected, Some(Drift::CommandChanged))))
    );
    // The entry as it was, by somebody else's hand.
    let original = r#"{"mcpServers":{"figma":{"command":"npx","args":["-y","figma-developer-mcp","--stdio"],"env":{"FIGMA_API_KEY":"x"}}}}"#;
    std::fs::write(&file, original).expect("written");
    assert_eq!(drift(&bed, "figma"), (false, Some((State::NotProtected, Some(Drift::Unwrapped)))));
    assert_eq!(drift(&bed, "aws"), (true, None));
    std::fs::write(&file, original.replace("npx", "sh")).expect("written");
    assert_eq!(
        drift(&bed, "figma"),
        (false, Some((State::NotProtected, Some(Drift::CommandChanged))))
    );
    // It is not wrapped again unless somebody names it.
    let plan = bed.install_plan();
    assert!(plan.is_empty());
    let skipped = plan.skipped.iter().find(|skipped| skipped.name == "figma").expect("skipped");
    assert!(skipped.reason.contains("not the one that was wrapped"), "{}", skipped.reason);
    let choice = Choice { servers: vec!["figma".to_owned()], ..Choice::default() };
    let plan = plan_install(&bed.discover(), &choice, &wrapper(), &bed.journal()).expect("a plan");
    bed.apply(&plan);
    assert_eq!(drift(&bed, "figma"), (false, Some((State::Protected, None))));
}

#[test]
fn a_file_that_changes_between_plan_and_apply_keeps_the_change() {
    let trees = Trees::new();
    let bed = Bed::new(trees.tree(Os::Linux));
    let file = bed.tree.root.join("home/dev/.claude.json");
    let original = std::fs::read_to_string(&file).expect("text");
    let plan = bed.install_plan();
    let counted = original.replace("\"numStartups\": 214", "\"numStartups\": 215");
    std::fs::write(&file, &counted).expect("written");
    bed.apply(&plan);
    let installed = std::fs::read_to_string(&file).expect("text");
    assert!(installed.contains("\"numStartups\": 215") && installed.contains(PROGRAM));
    bed.uninstall();
    assert_eq!(std::fs::read_to_string(&file).expect("text"), counted);
}

/// Changes the file between reading and renaming, a few times.
struct Meddler {
    file: PathBuf,
    times: u32,
}

impl Checkpoint for Meddler {
    fn before(&mut self, stage: Stage) -> Result<(), ApplyError> {
        if stage == Stage::Compare && self.times > 0 {
            self.times -= 1;
            let text = std::fs::read_to_string(&self.file).expect("text");
            std::fs::write(&self.file, text + "\n").expect("written");
        }
        Ok(())
    }
}

#[test]
fn a_file_that_changes_while_it_is_written_is_read_again_and_not_for_ever() {
    let trees = Trees::new();
    let bed = Bed::new(trees.tree(Os::Linux));
    let file = bed.tree.root.join("home/dev/.qwen/settings.json");
    let choice = Choice { servers: vec!["q".to_owned()], ..Choice::default() };
    let plan = || plan_install(&bed.discover(), &choice, &wrapper(), &bed.journal()).expect("plan");
    let original = std::fs::read_to_string(&file).expect("text");

    let mut meddler = Meddler { file: file.clone(), times: 100 };
    let outcomes = apply(&plan(), &bed.journal(), &SystemPatience, &mut meddler).expect("applied");
    assert!(matches!(outcomes[0].result, Err(ApplyError::KeepsChanging { .. })));

    let mut meddler = Meddler { file: file.clone(), times: 2 };
    let outcomes = apply(&plan(), &bed.journal(), &SystemPatience, &mut meddler).expect("applied");
    assert!(outcomes[0].result.is_ok());
    bed.uninstall();
    let found = std::fs::read_to_string(&file).expect("text");
    assert_eq!(found.trim_end(), original.trim_end());
    assert!(found.len() > original.len());
}

#[test]
fn one_at_a_time_writes() {
    let trees = Trees::new();
    let bed = Bed::new(trees.tree(Os::Macos));
    struct Second<'a, 't>(&'a Bed<'t>, bool);
    impl Checkpoint for Second<'_, '_> {
        fn before(&mut self, _stage: Stage) -> Result<(), ApplyError> {
            let plan = self.0.uninstall_plan();
            let error = apply(&plan, &self.0.journal(), &SystemPatience, &mut NoCheckpoint);
            self.1 |= error.is_err();
            Ok(())
        }
    }
    let mut second = Second(&bed, false);
    apply(&bed.install_plan(), &bed.journal(), &SystemPatience, &mut second).expect("applied");
    assert!(second.1);
}

#[cfg(unix)]
#[test]
fn the_journal_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let trees = Trees::new();
    let bed = Bed::new(trees.tree(Os::Linux));
    bed.install();
    let folder = bed.state.path().join("install");
    let mode = |path: &std::path::Path| {
        std::fs::metadata(path).expect("metadata").permissions().mode() & 0o777
    };
    assert_eq!(mode(&folder), 0o700);
    assert!(bed.kept().len() > 10);
    for name in std::fs::read_dir(&folder).expect("names") {
        assert_eq!(mode(&name.expect("a name").path()), 0o600);
    }
}

#[test]
fn the_diff_shows_the_change_through_the_mask() {
    let trees = Trees::new();
    let bed = Bed::new(trees.tree(Os::Linux));
    let plan = bed.install_plan();
    let debug = format!("{plan:?} {:?}", bed.tree.host());
    assert!(!debug.contains("s3cr3t") && !debug.contains("ghp_"), "{debug}");
    let file = plan.files.iter().find(|file| file.file.ends_with(".qwen/settings.json"));
    let diff = file.expect("a file").diff(|line| line.replace("q-mcp", "***"));
    assert!(diff.contains("+    \"q\": { \"command\": \"/opt/defenter/bin/defenter\""), "{diff}");
    assert!(!diff.contains("q-mcp") && diff.contains("***"), "{diff}");
    assert!(plan.by_hand.iter().any(|note| note.contains("Cursor")));
    let launch =
        bed.discover().entries.iter().any(|entry| matches!(entry.launch, Launch::Stdio(_)));
    assert!(launch);
}

#[test]
fn servers_come_and_go_one_by_one() {
    let trees = Trees::new();
    let mut bed = Bed::new(trees.tree(Os::Linux));
    let original = bed.tree.snapshot();
    let names = ["filesystem", "поиск", "github", "postgres", "Browser search", "sqlite"];
    let wrapped = |bed: &Bed<'_>| {
        let found = bed.discover().entries.into_iter();
        let ours = found.filter(|entry| {
            entry.wrapped.as_ref().is_some_and(|wrapped| wrapped.program == PROGRAM)
        });
        ours.map(|entry| entry.name).collect::<Vec<_>>()
    };
    for (count, name) in names.iter().enumerate() {
        bed.choice.servers = vec![(*name).to_owned()];
        bed.install();
        assert_eq!(wrapped(&bed).len(), count + 1, "{name}");
    }
    for (count, name) in names.iter().enumerate().take(3) {
        bed.choice.servers = vec![(*name).to_owned()];
        bed.uninstall();
        assert_eq!(wrapped(&bed).len(), names.len() - count - 1, "{name}");
    }
    // Once more all of them, and all but one given back.
    bed.choice.servers = names.map(str::to_owned).to_vec();
    bed.install();
    assert_eq!(wrapped(&bed).len(), names.len());
    bed.choice.servers.clear();
    bed.choice.except = vec!["sqlite".to_owned()];
    bed.uninstall();
    assert_eq!(wrapped(&bed), ["sqlite"]);
    bed.choice.except.clear();
    bed.uninstall();
    assert_same(&original, &bed.tree.snapshot());
    assert_eq!(bed.kept(), [""; 0]);
}

#[test]
fn another_path_of_the_program_is_told_and_can_be_replaced() {
    let trees = Trees::new();
    let mut bed = Bed::new(trees.tree(Os::Windows));
    let original = bed.tree.snapshot();
    let old = Wrapper { program: "C:\\old\\defenter.exe".to_owned(), portable: "d".to_owned() };
    let user = Choice::default();
    let plan = plan_install(&bed.discover(), &user, &old, &bed.journal()).expect("a plan");
    bed.apply(&plan);
    let discovery = bed.discover();
    let report = status(&discovery, &bed.journal(), &[PROGRAM, "defenter"]).expect("a status");
    let others = report.entries.iter().filter(|status| status.state == State::OtherProgram);
    let count: usize = plan.files.iter().map(|file| file.changes.len()).sum();
    assert_eq!(others.count(), count);
    // Installing again puts this program in the other's place.
    bed.choice.projects = false;
    bed.install();
    let discovery = bed.discover();
    let report = status(&discovery, &bed.journal(), &[PROGRAM, "defenter"]).expect("a status");
    let ours = report.entries.iter().filter(|status| status.state == State::Protected);
    assert_eq!(ours.count(), count);
    assert!(report.entries.iter().all(|status| status.drift.is_none()));
    assert!(bed.install_plan().is_empty());
    bed.uninstall();
    assert_same(&original, &bed.tree.snapshot());
}

#[test]
fn what_was_wrapped_in_a_project_is_given_back_without_naming_the_project() {
    let trees = Trees::new();
    let bed = Bed::new(trees.tree(Os::Linux));
    let original = bed.tree.snapshot();
    bed.install();
    let only_user = Options { listed_projects: false, ..Options::default() };
    let found = discover(&bed.tree.host(), &only_user);
    let report = status(&found, &bed.journal(), &[PROGRAM, "defenter"]).expect("a status");
    assert!(report.gone.is_empty(), "{:?}", report.gone);
    let plan = plan_uninstall(&found, &Choice::default(), &bed.journal()).expect("a plan");
    assert!(plan.forgotten.is_empty());
    bed.apply(&plan);
    assert_same(&original, &bed.tree.snapshot());
    assert_eq!(bed.kept(), [""; 0]);
}

#[test]
fn what_is_gone_is_told_until_it_is_uninstalled() {
    let trees = Trees::new();
    let bed = Bed::new(trees.tree(Os::Linux));
    bed.install();
    let cursor = bed.tree.root.join("home/dev/.cursor/mcp.json");
    std::fs::write(&cursor, "{}").expect("written");
    let qwen = bed.tree.root.join("home/dev/.qwen/settings.json");
    std::fs::remove_file(qwen).expect("removed");
    let gone = |bed: &Bed<'_>| {
        let found = bed.discover();
        let report = status(&found, &bed.journal(), &[PROGRAM, "defenter"]).expect("a status");
        let mut names: Vec<_> = report.gone.into_iter().map(|saved| saved.name).collect();
        names.sort();
        names
    };
    assert_eq!(gone(&bed), ["aws", "figma", "q"]);
    bed.uninstall();
    assert_eq!(gone(&bed), [""; 0]);
    assert_eq!(bed.kept(), [""; 0]);
    assert_eq!(std::fs::read_to_string(&cursor).expect("text"), "{}");
}

#[test]
fn what_a_wrapper_would_break_is_left_alone() {
    let trees = Trees::new();
    let bed = Bed::new(trees.tree(Os::Linux));
    let file = bed.tree.root.join("home/dev/.config/VSCodium/User/mcp.json");
    std::fs::write(
        file,
        r#"{"servers":{"debugged":{"command":"python3","dev":{"debug":{"type":"debugpy"}}},
            "watched":{"command":"python3","dev":{"watch":"*.py"}}}}"#,
    )
    .expect("written");
    let wrapper = Wrapper { program: "/a b/defenter".to_owned(), portable: "de fenter".to_owned() };
    let plan =
        plan_install(&bed.discover(), &bed.choice, &wrapper, &bed.journal()).expect("a plan");
    let reason = |name: &str| {
        let skipped = plan.skipped.iter().find(|skipped| skipped.name == name);
        skipped.map(|skipped| skipped.reason.as_str())
    };
    assert!(reason("sandboxed").expect("skipped").contains("sandbox"));
    assert!(reason("debugged").expect("skipped").contains("debugs"));
    assert!(reason("trae-proj").expect("skipped").contains("no command with a space"));
    assert_eq!(reason("watched"), None);
    assert_eq!(reason("figma"), Some("it is reached by address and stays as it is"));
}
