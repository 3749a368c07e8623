//! Remembered answers of the user.
//!
//! Owns: which answers may be remembered, what a remembered one covers, how long it lives, and the
//! form of the file that keeps them. Accepts: facts, the decision that asked, the answer. Emits: a
//! [`Grant`], or the grant that answers a question. Promises: pure, time is passed in; a grant
//! never covers more than what was asked about; never anything that cannot be undone, never a call
//! made under a taint that the grant was not given under; a file with a line that cannot be read
//! is not used at all, so that a lost line never widens anything.
//!
//! # The file
//! One JSON object a line: `{"event":"given",…}`, `{"event":"used","id":…,"at":…}`,
//! `{"event":"revoked","id":…,"at":…}`, times in milliseconds since 1970. Lines are only appended;
//! [`Grants::lines`] writes the file anew without what no longer counts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::decision::{Decision, Effect, Severity};
use crate::facts::{Direction, Facts, Phase, SessionFlags};

/// How long a grant lives without being used: 30 days.
pub const IDLE_LIFETIME_MS: u64 = 30 * 86_400_000;
/// How long a grant lives at most: 90 days.
pub const MAX_LIFETIME_MS: u64 = 90 * 86_400_000;
/// Most grants that are kept; the one unused the longest makes room.
pub const MAX_GRANTS: usize = 1000;
/// Largest file that is read, in bytes.
const MAX_FILE: usize = 4 * 1024 * 1024;

/// What the user said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GrantAnswer {
    /// Let it pass.
    Allow,
    /// Refuse it.
    Deny,
}

/// How far a remembered answer reaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GrantScope {
    /// As long as the session with that id lives.
    Session(Arc<str>),
    /// In the workspace with that path or id.
    Workspace(Arc<str>),
}

/// What surrounds an operation, besides its facts.
#[derive(Debug, Clone, Copy)]
pub struct GrantContext<'a> {
    /// The session's id.
    pub session: &'a str,
    /// The workspace's path or id; empty where there is none.
    pub workspace: &'a str,
    /// What identifies the server and its definitions, as approved.
    pub pin: &'a str,
    /// What identifies the policy that is in force.
    pub policy: &'a str,
    /// Hash of the arguments.
    pub arguments: &'a str,
    /// Now, in milliseconds since 1970.
    pub now: u64,
}

/// A remembered answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Names the grant, in lists and when it is revoked.
    pub id: Arc<str>,
    /// What the user said.
    pub answer: GrantAnswer,
    /// How far it reaches.
    pub scope: GrantScope,
    /// The client that it was given to.
    pub client: Arc<str>,
    /// The server.
    pub server: Arc<str>,
    /// The method.
    pub method: Arc<str>,
    /// Whether it is about what goes to the client.
    pub to_client: bool,
    /// Whether it is about a result.
    pub is_result: bool,
    /// The tool, if any.
    pub tool: Option<Arc<str>>,
    /// The rules that asked. A question of another rule is not answered.
    pub rules: BTreeSet<Arc<str>>,
    /// What of the call it holds for.
    pub limit: GrantLimit,
    /// The server's pin when it was given.
    pub pin: Arc<str>,
    /// The policy that was in force when it was given.
    pub policy: Arc<str>,
    /// When it was given, in milliseconds since 1970.
    pub given: u64,
    /// When it was last used.
    pub used: u64,
    /// Why it was asked for: the reasons that the user was shown.
    pub why: Vec<Arc<str>>,
}

/// What of a call a grant holds for: no more than what the user saw.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrantLimit {
    /// Hosts that may be named.
    pub hosts: BTreeSet<Arc<str>>,
    /// Kinds of findings that there may be.
    pub findings: BTreeSet<Arc<str>>,
    /// Kinds of paths that need care that may be named.
    pub protected_paths: BTreeSet<Arc<str>>,
    /// The only arguments that it holds for; set where nothing else narrows it.
    pub arguments: Option<Arc<str>>,
    /// What was true of the agent.
    pub untrusted_in: bool,
    /// What was true of the agent.
    pub sensitive_in: bool,
    /// What was true of the agent.
    pub egress_out: bool,
}

/// All remembered answers.
#[derive(Debug, Clone, Default)]
pub struct Grants {
    by_id: BTreeMap<Arc<str>, Grant>,
}

/// A line of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Event {
    Given(Box<Grant>),
    Used { id: Arc<str>, at: u64 },
    Revoked { id: Arc<str>, at: u64 },
}

/// Why the file of the grants cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GrantsError {
    /// A line is not what we write.
    #[error(
        "line {line} of the grants cannot be read: {message} (hint: remove the line, or the file to be asked anew)"
    )]
    Line {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        message: String,
    },
    /// The file is too large.
    #[error(
        "the grants are {size} bytes, at most {limit} are read (hint: remove the file to be asked anew)"
    )]
    TooLarge {
        /// Its size.
        size: usize,
        /// The limit.
        limit: usize,
    },
}

impl Grant {
    /// Whether the answer to this decision may be remembered: only a question, and only where every
    /// rule that asks is about something that can be undone (severity low or medium).
    pub fn may_remember(decision: &Decision) -> bool {
        decision.effect == Effect::Confirm
            && decision
                .rules
                .iter()
                .filter(|rule| rule.effect >= Effect::Confirm)
                .all(|rule| rule.effect == Effect::Confirm && rule.severity <= Severity::Medium)
    }

    /// Makes a grant of an answer; `None` where it may not be remembered. A refusal may always be,
    /// for the session.
    pub fn new(
        id: &str,
        answer: GrantAnswer,
        scope: GrantScope,
        facts: &Facts,
        decision: &Decision,
        context: &GrantContext<'_>,
    ) -> Option<Self> {
        let session_only = matches!(scope, GrantScope::Session(_));
        let allowed = match answer {
            GrantAnswer::Allow => Self::may_remember(decision),
            GrantAnswer::Deny => decision.effect == Effect::Confirm && session_only,
        };
        allowed.then(|| Self {
            id: Arc::from(id),
            answer,
            scope,
            client: Arc::clone(&facts.client),
            server: Arc::clone(&facts.server),
            method: Arc::clone(&facts.method),
            to_client: facts.direction == Direction::ToClient,
            is_result: facts.phase == Phase::Result,
            tool: facts.tool.clone(),
            rules: asking(decision).collect(),
            limit: GrantLimit::of(facts, context),
            pin: Arc::from(context.pin),
            policy: Arc::from(context.policy),
            given: context.now,
            used: context.now,
            why: decision.rules.iter().map(|rule| Arc::clone(&rule.reason)).collect(),
        })
    }

    /// When it ends: 30 days after it was last used, 90 days after it was given at most.
    pub fn expires(&self) -> u64 {
        let idle = self.used.saturating_add(IDLE_LIFETIME_MS);
        idle.min(self.given.saturating_add(MAX_LIFETIME_MS))
    }

    /// Whether it answers the question that a decision about these facts asks.
    pub fn covers(&self, facts: &Facts, decision: &Decision, context: &GrantContext<'_>) -> bool {
        let same_call = self.client == facts.client
            && self.server == facts.server
            && self.method == facts.method
            && self.tool == facts.tool
            && self.to_client == (facts.direction == Direction::ToClient)
            && self.is_result == (facts.phase == Phase::Result);
        let in_scope = match &self.scope {
            GrantScope::Session(session) => **session == *context.session,
            GrantScope::Workspace(workspace) => {
                !workspace.is_empty() && **workspace == *context.workspace
            }
        };
        let alive = context.now >= self.given && context.now < self.expires();
        let unchanged = *self.pin == *context.pin && *self.policy == *context.policy;
        let answerable = match self.answer {
            GrantAnswer::Allow => Self::may_remember(decision),
            GrantAnswer::Deny => decision.effect == Effect::Confirm,
        };
        same_call
            && in_scope
            && alive
            && unchanged
            && answerable
            && asking(decision).all(|rule| self.rules.contains(&rule))
            && self.limit.holds(facts, context)
    }
}

impl GrantLimit {
    fn of(facts: &Facts, context: &GrantContext<'_>) -> Self {
        let mut limit = Self {
            hosts: facts.hosts.clone(),
            findings: findings(facts).collect(),
            protected_paths: protected_paths(facts).collect(),
            arguments: None,
            untrusted_in: facts.session.untrusted_in,
            sensitive_in: facts.session.sensitive_in,
            egress_out: facts.session.egress_out,
        };
        // A host narrows a grant. Where none does, or a path leads outside, only the same call is
        // what the user has seen.
        if limit.hosts.is_empty() || facts.paths_outside_roots > 0 {
            limit.arguments = Some(Arc::from(context.arguments));
        }
        limit
    }

    fn holds(&self, facts: &Facts, context: &GrantContext<'_>) -> bool {
        let given = SessionFlags {
            untrusted_in: self.untrusted_in,
            sensitive_in: self.sensitive_in,
            egress_out: self.egress_out,
        };
        let same_arguments =
            self.arguments.as_ref().is_none_or(|arguments| **arguments == *context.arguments);
        same_arguments
            && (self.arguments.is_some() || facts.paths_outside_roots == 0)
            && no_new_taint(given, facts.session)
            && facts.hosts.is_subset(&self.hosts)
            && findings(facts).all(|kind| self.findings.contains(&kind))
            && protected_paths(facts).all(|path| self.protected_paths.contains(&path))
    }
}

impl Grants {
    /// Reads the file.
    ///
    /// # Errors
    /// If a line is not what we write; then no grant is in force.
    pub fn parse(text: &str) -> Result<Self, GrantsError> {
        if text.len() > MAX_FILE {
            return Err(GrantsError::TooLarge { size: text.len(), limit: MAX_FILE });
        }
        let mut grants = Self::default();
        for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let event = serde_json::from_str(line)
                .map_err(|error| GrantsError::Line { line: at + 1, message: error.to_string() })?;
            grants.take(event);
        }
        Ok(grants)
    }

    /// The lines of the file without what no longer counts, oldest grant first.
    pub fn lines(&self, now: u64) -> String {
        let mut alive: Vec<&Grant> =
            self.by_id.values().filter(|grant| now < grant.expires()).collect();
        alive.sort_by_key(|grant| grant.given);
        alive.into_iter().map(|grant| line(&Event::Given(Box::new(grant.clone())))).collect()
    }

    /// Remembers an answer; gives the line to append to the file.
    pub fn give(&mut self, grant: Grant) -> String {
        let event = Event::Given(Box::new(grant));
        let line = line(&event);
        self.take(event);
        line
    }

    /// The grant that answers a question, if one does; a refusal goes before a permission.
    pub fn answer(
        &self,
        facts: &Facts,
        decision: &Decision,
        context: &GrantContext<'_>,
    ) -> Option<&Grant> {
        let mut covering: Vec<&Grant> =
            self.by_id.values().filter(|grant| grant.covers(facts, decision, context)).collect();
        covering.sort_by_key(|grant| (grant.answer == GrantAnswer::Allow, grant.given));
        covering.first().copied()
    }

    /// Notes that a grant was used, which lengthens its life; gives the line to append.
    pub fn note_use(&mut self, id: &str, now: u64) -> Option<String> {
        let grant = self.by_id.get(id)?;
        let event = Event::Used { id: Arc::clone(&grant.id), at: now };
        let line = line(&event);
        self.take(event);
        Some(line)
    }

    /// Takes a grant back; gives the line to append.
    pub fn revoke(&mut self, id: &str, now: u64) -> Option<String> {
        let grant = self.by_id.get(id)?;
        let event = Event::Revoked { id: Arc::clone(&grant.id), at: now };
        let line = line(&event);
        self.take(event);
        Some(line)
    }

    /// All grants, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Grant> {
        self.by_id.values()
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Given(grant) => {
                self.by_id.insert(Arc::clone(&grant.id), *grant);
                self.make_room();
            }
            Event::Used { id, at } => {
                if let Some(grant) = self.by_id.get_mut(&id)
                    && at < grant.expires()
                {
                    grant.used = grant.used.max(at);
                }
            }
            Event::Revoked { id, .. } => {
                self.by_id.remove(&id);
            }
        }
    }

    fn make_room(&mut self) {
        while self.by_id.len() > MAX_GRANTS {
            let oldest = self.by_id.values().min_by_key(|grant| grant.used);
            let Some(id) = oldest.map(|grant| Arc::clone(&grant.id)) else { return };
            self.by_id.remove(&id);
        }
    }
}

/// The rules that ask.
fn asking(decision: &Decision) -> impl Iterator<Item = Arc<str>> {
    decision
        .rules
        .iter()
        .filter(|rule| rule.effect == Effect::Confirm)
        .map(|rule| Arc::clone(&rule.id))
}

fn findings(facts: &Facts) -> impl Iterator<Item = Arc<str>> {
    facts.finding_kinds.iter().map(|kind| Arc::from(kind.label()))
}

fn protected_paths(facts: &Facts) -> impl Iterator<Item = Arc<str>> {
    facts.protected_paths.iter().map(|path| Arc::from(path.as_str()))
}

fn no_new_taint(given: SessionFlags, now: SessionFlags) -> bool {
    (given.untrusted_in || !now.untrusted_in)
        && (given.sensitive_in || !now.sensitive_in)
        && (given.egress_out || !now.egress_out)
}

fn line(event: &Event) -> String {
    // A struct of texts and numbers always becomes JSON.
    serde_json::to_string(event).map(|line| line + "\n").unwrap_or_default()
}

#[cfg(test)]
mod tests;
