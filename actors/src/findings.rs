//! What is amiss with the servers in the clients' configs, and wrapping them where that is wanted.
//!
//! - Owns: comparing what was read with the install journal; telling what is new.
//! - Accepts: a reading of the configs, the journal, the path of this program.
//! - Emits: [`FindingView`]s, lines in the log, news for the desktop, and changed configs.
//! - Promises: a command that was changed under a wrapped name is told and never wrapped, since
//!   clients approve servers by name (MCPoison, CVE-2025-54136); only redacted text is told; a
//!   client that changes its file back for ever is not fought for ever.

use std::path::Path;

use defenter_config::clients::Discovery;
use defenter_config::install::{
    Change, Choice, Drift, Journal, JournalError, NoCheckpoint, Outcome, State, SystemPatience,
    Wrapper, apply, plan_install, status,
};
use defenter_redact::Redactor;

use crate::{
    house::House,
    metrics,
    notifications::News,
    status::{FindingKind, FindingView},
    supervisor::chain,
};

/// This program's name in files that others share.
const PORTABLE: &str = "defenter";
/// How many findings of one reading get a line of their own in the log.
const MAX_LINES: usize = 32;

/// What became of an attempt to wrap.
#[derive(Debug, Default)]
pub(crate) struct Wrapped {
    /// The entries that are wrapped now.
    pub(crate) done: Vec<Change>,
    /// What failed, in words.
    pub(crate) failed: Vec<String>,
}

/// The findings of the last reading.
#[derive(Debug, Default)]
pub(crate) struct Noticed {
    findings: Vec<FindingView>,
    trouble: Option<String>,
    is_first_over: bool,
}

/// Compares what was read with what was installed. The texts are as the files have them; see
/// [`FindingView::redacted`].
///
/// # Errors
/// [`JournalError`] where the install journal cannot be read.
pub fn of(
    house: &House,
    discovery: &Discovery,
    program: &Path,
) -> Result<Vec<FindingView>, JournalError> {
    let journal = Journal::new(house.paths.install_journal());
    let program = program.to_string_lossy();
    let report = status(discovery, &journal, &[&program, PORTABLE])?;
    let findings = report.entries.iter().filter_map(|found| {
        let entry = found.entry;
        let kind = match (found.drift, &found.state) {
            (Some(Drift::CommandChanged), _) => FindingKind::CommandChanged,
            (Some(Drift::Unwrapped), _) => FindingKind::Unwrapped,
            // What is shared with others is wrapped only by somebody who names the project.
            (None, State::NotProtected) if !entry.disabled && !entry.is_shared() => {
                FindingKind::Unprotected
            }
            (None, _) => return None,
        };
        Some(FindingView {
            kind,
            client: entry.client.to_string(),
            scope: entry.scope.to_string(),
            name: entry.name.clone(),
            file: entry.file.display().to_string(),
        })
    });
    Ok(findings.collect())
}

/// Wraps what `defenter install` would wrap; blocks.
pub(crate) fn wrap(house: &House, program: &Path) -> Wrapped {
    let Some(text) = program.to_str() else {
        let path = program.display();
        return Wrapped::failed(format!("the path {path} is not text; install Defenter elsewhere"));
    };
    let wrapper = Wrapper { program: text.to_owned(), portable: PORTABLE.to_owned() };
    let journal = Journal::new(house.paths.install_journal());
    // No server is named in the choice, so that another command under a known name stays as it is.
    let plan = match plan_install(&house.discover(), &Choice::default(), &wrapper, &journal) {
        Ok(plan) if plan.is_empty() => return Wrapped::default(),
        Ok(plan) => plan,
        Err(error) => return Wrapped::failed(chain(&error)),
    };
    match apply(&plan, &journal, &SystemPatience, &mut NoCheckpoint) {
        Ok(outcomes) => Wrapped::of(outcomes),
        Err(error) => Wrapped::failed(chain(&error)),
    }
}

impl Wrapped {
    fn failed(why: String) -> Self {
        Self { done: Vec::new(), failed: vec![why] }
    }

    fn of(outcomes: Vec<Outcome>) -> Self {
        let mut all = Self::default();
        for outcome in outcomes {
            match outcome.result {
                Ok(done) => all.done.extend(done),
                Err(error) => all.failed.push(chain(&error)),
            }
            let failed = outcome.failed.iter();
            all.failed.extend(failed.map(|(change, error)| format!("{}: {error}", change.name)));
        }
        all
    }

    /// Tells what was done, and gives it for those who are told otherwise.
    pub(crate) fn tell(&self, redactor: &Redactor) -> Vec<News> {
        let wrapped = |change: &Change| News::Wrapped {
            client: change.client.to_string(),
            scope: change.scope.to_owned(),
            name: redacted(redactor, &change.name),
        };
        let news: Vec<News> = self.done.iter().map(wrapped).collect();
        for one in news.iter().take(MAX_LINES) {
            if let News::Wrapped { client, scope, name } = one {
                tracing::info!(
                    server = name,
                    client,
                    scope,
                    "an entry was wrapped, as `install.auto` says"
                );
            }
        }
        for error in self.failed.iter().take(MAX_LINES) {
            let error = redacted(redactor, error);
            tracing::warn!(%error, "an entry could not be wrapped; `defenter install` tells more");
        }
        news
    }
}

impl Noticed {
    /// Takes the findings of a reading, logs those that are new, counts all, and gives the new ones.
    pub(crate) fn take(
        &mut self,
        reading: Result<Vec<FindingView>, JournalError>,
        redactor: &Redactor,
    ) -> Vec<News> {
        let found: Vec<FindingView> = match reading {
            Ok(found) => found.iter().map(|finding| finding.redacted(redactor)).collect(),
            Err(error) => {
                self.cannot_compare(chain(&error));
                return Vec::new();
            }
        };
        self.trouble = None;
        let fresh = found.iter().filter(|finding| !self.findings.contains(finding));
        // What nobody has wrapped yet is no news when the supervisor starts; it is told in one
        // line, and what appears later in a line each.
        let is_old = |finding: &&FindingView| {
            !self.is_first_over && finding.kind == FindingKind::Unprotected
        };
        let (old, news): (Vec<_>, Vec<_>) = fresh.partition(is_old);
        if !old.is_empty() {
            tracing::info!(
                count = old.len(),
                "servers of the clients' configs are not protected; `defenter install` protects them"
            );
        }
        for finding in news.iter().take(MAX_LINES) {
            finding.tell();
        }
        if news.len() > MAX_LINES {
            tracing::warn!(count = news.len() - MAX_LINES, "there are more such entries");
        }
        for kind in FindingKind::ALL {
            let count = found.iter().filter(|finding| finding.kind == kind).count();
            metrics::config_findings(kind, count);
        }
        let news = news.into_iter().cloned().map(News::Found).collect();
        self.findings = found;
        self.is_first_over = true;
        news
    }

    /// What was found, redacted.
    pub(crate) fn findings(&self) -> &[FindingView] {
        &self.findings
    }

    fn cannot_compare(&mut self, error: String) {
        if self.trouble.as_ref() != Some(&error) {
            tracing::error!(%error, "the clients' configs cannot be compared with what was installed");
        }
        self.trouble = Some(error);
    }
}

impl FindingView {
    /// The finding without secrets in its texts.
    #[must_use]
    pub fn redacted(&self, redactor: &Redactor) -> Self {
        Self {
            kind: self.kind,
            client: self.client.clone(),
            scope: self.scope.clone(),
            name: redacted(redactor, &self.name),
            file: redacted(redactor, &self.file),
        }
    }

    fn tell(&self) {
        let Self { kind, client, scope, name, file } = self;
        tracing::warn!(finding = %kind, server = name, client, scope, file, "{}", kind.meaning());
    }
}

fn redacted(redactor: &Redactor, text: &str) -> String {
    let scan = redactor.scan_text(text.as_bytes());
    String::from_utf8_lossy(&scan.apply(text.as_bytes())).into_owned()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A finding about a server of Cursor's.
    pub(crate) fn finding(kind: FindingKind, name: &str) -> FindingView {
        FindingView {
            kind,
            client: "cursor".into(),
            scope: "user".into(),
            name: name.into(),
            file: "/home/ada/.cursor/mcp.json".into(),
        }
    }

    #[test]
    fn a_secret_in_a_name_is_not_told() {
        let name = "db postgres://ada:Xk9-vQ2_pL7w@db.internal/prod";
        let shown = finding(FindingKind::Unprotected, name).redacted(&Redactor::builtin());
        assert!(!shown.name.contains("Xk9-vQ2_pL7w"), "{}", shown.name);
        assert!(shown.name.starts_with("db "), "{}", shown.name);
    }

    #[test]
    fn the_last_reading_counts_and_a_failed_one_changes_nothing() {
        let redactor = Redactor::builtin();
        let mut noticed = Noticed::default();
        let one = vec![finding(FindingKind::Unwrapped, "one")];
        let news = noticed.take(Ok(one.clone()), &redactor);
        assert_eq!(news, [News::Found(one[0].clone())]);
        assert_eq!(noticed.take(Ok(one.clone()), &redactor), [], "it is no news any more");
        assert_eq!(noticed.findings(), one);
        noticed.take(Err(JournalError::Busy), &redactor);
        assert_eq!(noticed.findings(), one);
        assert!(noticed.trouble.is_some());
        noticed.take(Ok(Vec::new()), &redactor);
        assert!(noticed.findings().is_empty() && noticed.trouble.is_none());
    }
}
