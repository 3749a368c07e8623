//! The gate: what becomes of one operation, from its bytes to its ruling.
//!
//! redact → facts → policy → record. Nothing here waits for a person or writes to either side.
//! Promises: what leaves this module, in records, questions and refusals, is the redacted copy; an
//! operation that cannot be recorded is refused.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime},
};

use defenter_audit::{Outcome, Record, Timestamp};
use defenter_mcp::{
    catalogue, read,
    recovery::Loss,
    refusal::{Cause, Phase as RefusalPhase, Refusal},
};
use defenter_policy::{Decision, Direction, Effect, Phase};
use defenter_redact::{Kind, Ordinals, Redactor, Scan};

use sha2::{Digest, Sha256};

use crate::{
    audit::Round,
    dialog::{Answer, Key, Question, Reason, Subject},
    metrics::{self, SessionMetrics},
    session::Attachment,
    shared::Shared,
};

mod inspection;
mod learned;

use inspection::{Names, Seen, draft};
pub(crate) use learned::Learned;

/// Why an operation is refused whose inspection was given up.
const WITHHELD: &str = "looking through it for secrets took more work than its size allows";

/// The most characters of a client's own name that are shown.
const MAX_CLIENT: usize = 64;
/// The id of a client whose config does not say which it is.
const UNKNOWN_CLIENT: &str = "unknown";
/// Why an operation is refused about which nobody was asked.
const NOT_ASKED: &str = "Dialogs are switched off (dialog.enabled), so nobody was asked.";

/// Who the two sides of an operation are; the same for all of a session.
#[derive(Clone, Debug)]
pub(crate) struct Parties {
    pub(crate) session: Arc<str>,
    pub(crate) client: Arc<str>,
    pub(crate) server: Arc<str>,
    /// What is started, for questions: the redacted command.
    pub(crate) identity: String,
    /// Where the server works.
    pub(crate) workspace: Option<String>,
    /// Display variables of the client.
    pub(crate) environment: Vec<(OsString, OsString)>,
    /// Whether what they do is known to be final; only of a hook's one operation.
    pub(crate) destructive: bool,
    /// What their messages have told so far.
    pub(crate) learned: Arc<Learned>,
    /// The numbers of values, where they are numbered.
    pub(crate) numbers: Arc<Mutex<Ordinals>>,
}

/// One operation, as it is found in a message.
#[derive(Clone, Copy)]
pub(crate) struct Operation<'a> {
    /// Its id in records and refusals; a request and its result share it.
    pub(crate) id: &'a str,
    pub(crate) direction: Direction,
    pub(crate) phase: Phase,
    /// The method, also for a result.
    pub(crate) method: &'a str,
    pub(crate) known: catalogue::Operation,
    /// The tool, prompt or address that it is about.
    pub(crate) target: Option<&'a str>,
    /// The params, result or error; empty where there is none.
    pub(crate) payload: &'a [u8],
}

impl Operation<'_> {
    /// Where a refusal of it comes in.
    pub(crate) fn refusal_phase(&self) -> RefusalPhase {
        match self.phase {
            Phase::Result => RefusalPhase::Response,
            Phase::Request | Phase::Notification => RefusalPhase::Request,
        }
    }
}

/// How a message came: when, and in the company of which others.
#[derive(Clone, Copy)]
pub(crate) struct Came<'a> {
    /// When it was found.
    pub(crate) at: Instant,
    /// Those that came in the same read.
    pub(crate) round: Option<&'a Round>,
}

impl<'a> Came<'a> {
    /// It comes now.
    pub(crate) fn now(round: Option<&'a Round>) -> Self {
        Self { at: Instant::now(), round }
    }

    /// Waits for those that came before it to go on; whatever others may see comes after this.
    pub(crate) async fn turn(self) {
        if let Some(round) = self.round {
            round.arrive().await;
        }
    }
}

/// What becomes of an operation, as far as it is known without asking anybody.
pub(crate) enum Ruling {
    /// It is settled.
    Settled(Settled),
    /// The user is to be asked.
    Ask(Box<Doubt>),
}

/// What becomes of an operation.
pub(crate) enum Settled {
    /// Forward the bytes that came.
    Forward,
    /// Forward with this payload in place of the one that came.
    Replace(Vec<u8>),
    /// Refuse.
    Refuse(Refused),
}

/// An operation that waits for the user's answer.
pub(crate) struct Doubt {
    pub(crate) question: Question,
    record: Record,
    reasons: Vec<String>,
    replacement: Option<Vec<u8>>,
}

/// Why an operation is refused.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    pub(crate) why: Why,
    pub(crate) reasons: Vec<String>,
}

/// The cause of a refusal, without what the answer makes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    Blocked,
    Denied,
    Pending,
    NeedInfo(Vec<String>),
}

impl Refused {
    /// Blocked for one reason.
    pub(crate) fn blocked(reason: String) -> Self {
        Self { why: Why::Blocked, reasons: vec![reason] }
    }

    /// The refusal to answer with.
    pub(crate) fn refusal<'a>(&'a self, operation: &'a Operation<'_>) -> Refusal<'a> {
        Refusal {
            operation: Some(operation.id),
            label: operation.known.text,
            phase: operation.refusal_phase(),
            cause: match &self.why {
                Why::Blocked => Cause::Blocked,
                Why::Denied => Cause::Denied,
                Why::Pending => Cause::ApprovalPending,
                Why::NeedInfo(fields) => Cause::NeedInfo(fields),
            },
            reasons: &self.reasons,
        }
    }
}

impl Shared {
    /// Decides on one operation and records the decision.
    pub(crate) async fn rule(
        self: &Arc<Self>,
        parties: &Arc<Parties>,
        metrics: &SessionMetrics,
        operation: &Operation<'_>,
        payload_limit: usize,
        open: Duration,
        came: Came<'_>,
    ) -> Ruling {
        let policies = match self.policies().await {
            Ok(policies) => policies,
            Err(why) => {
                let why = format!("the policies cannot be loaded: {why}");
                return Ruling::Settled(blocked(why));
            }
        };
        let Some(seen) = self.inspect(policies, parties, operation).await else {
            return Ruling::Settled(blocked("it could not be inspected".to_owned()));
        };
        count(metrics, &seen.scan);
        let copy = seen.copy.as_deref().unwrap_or(operation.payload);
        let mut record = draft(parties, operation, &seen, copy, payload_limit);
        if seen.scan.withheld() {
            return Ruling::Settled(self.withheld(record, came).await);
        }
        let Seen { decision, names, replacement, .. } = &seen;
        let reasons: Vec<String> = decision.reasons().map(str::to_owned).collect();
        let replacement = replacement.clone();
        let settled = match decision.effect {
            Effect::Confirm if operation.known.may_wait => {
                let question = question(parties, operation, names, decision, copy, open);
                return Ruling::Ask(Box::new(Doubt { question, record, reasons, replacement }));
            }
            Effect::Allow | Effect::Redact => forward(&mut record, replacement),
            Effect::NeedInfo => {
                let fields = decision.need_fields.iter().map(ToString::to_string).collect();
                Settled::Refuse(Refused { why: Why::NeedInfo(fields), reasons })
            }
            // Nobody may be made to wait for a person here, so what would need one is refused.
            Effect::Confirm | Effect::Block => {
                Settled::Refuse(Refused { why: Why::Blocked, reasons })
            }
        };
        Ruling::Settled(self.recorded_with_others(record, settled, came).await)
    }

    /// What becomes of an operation now that the user has answered, or has not.
    pub(crate) async fn answered(&self, doubt: Doubt, answer: Option<Answer>) -> Settled {
        let Doubt { mut record, mut reasons, replacement, .. } = doubt;
        record.answer = Some(answer.map_or("pending", Answer::label).into());
        let settled = match answer {
            Some(answer) if answer.is_allow() => forward(&mut record, replacement),
            Some(answer) => {
                reasons.insert(0, explain(answer).to_owned());
                Settled::Refuse(Refused { why: Why::Denied, reasons })
            }
            None => Settled::Refuse(Refused { why: Why::Pending, reasons }),
        };
        self.recorded(record, settled).await
    }

    /// What becomes of an operation where the settings say that nobody is asked.
    pub(crate) async fn unasked(&self, doubt: Doubt) -> Settled {
        metrics::confirmation(Answer::Unavailable, Duration::ZERO);
        let Doubt { mut record, mut reasons, .. } = doubt;
        record.answer = Some(Answer::Unavailable.label().into());
        reasons.insert(0, NOT_ASKED.to_owned());
        self.recorded(record, Settled::Refuse(Refused { why: Why::Denied, reasons })).await
    }

    /// Records that an operation was withdrawn while it waited for the user.
    pub(crate) async fn withdrawn(&self, doubt: Doubt) {
        let record = Record {
            outcome: Outcome::Cancelled,
            answer: Some(Answer::Cancelled.label().into()),
            ..doubt.record
        };
        self.note(&record).await;
    }

    /// Records that the question was handed over to the client, which asks its user itself.
    pub(crate) async fn handed_over(&self, doubt: Doubt) -> Settled {
        let record = Record {
            outcome: Outcome::Forwarded,
            answer: Some("asked by the client".into()),
            ..doubt.record
        };
        self.recorded(record, Settled::Forward).await
    }

    /// Records that an operation is refused since what was to be replaced in it cannot be.
    pub(crate) async fn record_unaltered(
        &self,
        parties: &Parties,
        operation: &Operation<'_>,
        why: &str,
    ) {
        let record = Record {
            id: operation.id.into(),
            method: catalogue::label(operation.method).into(),
            direction: operation.direction.as_str().into(),
            phase: operation.phase.as_str().into(),
            decision: Effect::Redact.as_str().into(),
            reasons: vec![why.into()],
            outcome: Outcome::Refused,
            ..blank(parties)
        };
        self.note(&record).await;
    }

    /// Records that the server ended before it answered.
    pub(crate) async fn record_lost(
        &self,
        parties: &Parties,
        operation: &str,
        method: &str,
        why: Loss,
    ) {
        let reason = match why {
            Loss::OutcomeUnknown => "the server ended before it answered; the outcome is unknown",
            Loss::DiedOnIt => "the server ended each time it got the request",
            Loss::NoServer => "the server could not be started",
        };
        let record = Record {
            id: operation.into(),
            method: catalogue::label(method).into(),
            direction: Direction::ToClient.as_str().into(),
            phase: Phase::Result.as_str().into(),
            decision: Effect::Allow.as_str().into(),
            reasons: vec![reason.into()],
            outcome: Outcome::Refused,
            ..blank(parties)
        };
        self.note(&record).await;
    }

    /// Records what is no longer to be decided; a failure changes nothing but is told.
    async fn note(&self, record: &Record) {
        if let Err(error) = self.audit.record(record).await {
            tracing::error!(%error, "the end of an operation cannot be recorded");
        }
    }

    /// Refuses what nobody has seen whole: it may hold anything.
    async fn withheld(&self, mut record: Record, came: Came<'_>) -> Settled {
        metrics::withheld();
        record.decision = Effect::Block.as_str().into();
        record.wanted = None;
        record.rules.clear();
        record.reasons = vec![WITHHELD.into()];
        self.recorded_with_others(record, blocked(WITHHELD.to_owned()), came).await
    }

    /// Records an operation together with what came in the same read.
    async fn recorded_with_others(
        &self,
        record: Record,
        settled: Settled,
        came: Came<'_>,
    ) -> Settled {
        let Some(round) = came.round else { return self.recorded(record, settled).await };
        match round.record_with_others(record).await {
            Ok(true) => settled,
            Ok(false) => unrecorded(),
            Err(record) => self.recorded(*record, settled).await,
        }
    }

    async fn recorded(&self, record: Record, settled: Settled) -> Settled {
        match self.audit.record(&record).await {
            Ok(()) => settled,
            Err(error) => {
                tracing::error!(%error, "an operation is refused since it cannot be recorded");
                unrecorded()
            }
        }
    }
}

fn count(metrics: &SessionMetrics, scan: &Scan) {
    // There may be very many, and each series has a lock.
    let mut counts: BTreeMap<Kind, u64> = BTreeMap::new();
    for finding in scan.findings() {
        *counts.entry(finding.kind).or_default() += 1;
    }
    for (kind, count) in counts {
        metrics.redactions(kind.label(), count);
    }
}

fn unrecorded() -> Settled {
    blocked("the record of operations cannot be written".to_owned())
}

fn blocked(reason: String) -> Settled {
    Settled::Refuse(Refused::blocked(reason))
}

fn explain(answer: Answer) -> &'static str {
    match answer {
        Answer::Allow => "",
        Answer::Deny | Answer::Dismissed | Answer::Cancelled => "User blocked the operation.",
        Answer::TimedOut => "Nobody answered in time.",
        Answer::Unavailable => "No dialog could be shown to ask the user.",
    }
}

fn forward(record: &mut Record, replacement: Option<Vec<u8>>) -> Settled {
    match replacement {
        None => {
            record.outcome = Outcome::Forwarded;
            Settled::Forward
        }
        Some(payload) => {
            record.outcome = Outcome::Redacted;
            Settled::Replace(payload)
        }
    }
}

fn blank(parties: &Parties) -> Record {
    Record {
        time: Timestamp::from(SystemTime::now()),
        session: parties.session.clone(),
        client: parties.client.clone(),
        server: parties.server.clone(),
        ..Record::default()
    }
}

fn question(
    parties: &Parties,
    operation: &Operation<'_>,
    names: &Names,
    decision: &Decision,
    copy: &[u8],
    open: Duration,
) -> Question {
    let reason = |rule: &defenter_policy::FiredRule| Reason {
        rule: rule.id.to_string(),
        text: rule.reason.to_string(),
    };
    let shown = read::member(copy, "arguments").unwrap_or(copy);
    Question {
        id: operation.id.to_owned(),
        client: parties.learned.client().unwrap_or_else(|| parties.client.to_string()),
        server: parties.server.to_string(),
        identity: parties.identity.clone(),
        workspace: parties.workspace.clone(),
        subject: match (operation.direction, operation.phase) {
            (Direction::ToClient, Phase::Request | Phase::Notification) => Subject::ServerRequest,
            (_, Phase::Result) => Subject::Result,
            (Direction::ToServer, _) => Subject::Request,
        },
        method: names.method.to_string(),
        target: names.target.as_deref().map(str::to_owned),
        reasons: decision.rules.iter().map(reason).collect(),
        evidence: Vec::new(),
        payload: String::from_utf8_lossy(shown).into_owned(),
        payload_more: 0,
        claim: None,
        open_ms: u64::try_from(open.as_millis()).unwrap_or(u64::MAX),
    }
    .bounded()
}

/// What makes two questions of a session the same: method, target and exact arguments. What a
/// retry changes by itself (ids, progress tokens) is left out.
pub(crate) fn question_key(session: &str, operation: &Operation<'_>) -> Key {
    let what = read::member(operation.payload, "arguments").unwrap_or(operation.payload);
    let target = operation.target.unwrap_or_default();
    let direction = operation.direction.as_str();
    let phase = operation.phase.as_str();
    let mut hash = Sha256::new();
    for part in [session, direction, phase, operation.method, target] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.update(what);
    hash.finalize().into()
}

impl Doubt {
    /// Why the user is to be asked, in one line.
    pub(crate) fn reasons_text(&self) -> String {
        if self.reasons.is_empty() {
            return "a policy wants you to decide".to_owned();
        }
        self.reasons.join("; ")
    }
}

impl Ruling {
    /// The decision as metrics count it.
    pub(crate) fn metric(&self) -> metrics::Decision {
        match self {
            Self::Ask(_) => metrics::Decision::Confirm,
            Self::Settled(Settled::Forward) => metrics::Decision::Allow,
            Self::Settled(Settled::Replace(_)) => metrics::Decision::Redact,
            Self::Settled(Settled::Refuse(refused)) => match refused.why {
                Why::NeedInfo(_) => metrics::Decision::NeedInfo,
                Why::Blocked | Why::Denied | Why::Pending => metrics::Decision::Block,
            },
        }
    }
}

/// Variables that a dialog needs to reach the user's screen.
pub const DISPLAY_VARIABLES: [&str; 6] = [
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
    "XDG_SESSION_TYPE",
];

impl Parties {
    /// The client says what it is called: shown where nobody else says it.
    pub(crate) fn hear_client(&self, params: &[u8], redactor: &Redactor) {
        if &*self.client != UNKNOWN_CLIENT {
            return;
        }
        let name = read::member_at(params, &["clientInfo", "name"]).and_then(read::string);
        if let Some(name) = name {
            let name: String = name.chars().take(MAX_CLIENT).collect();
            let clean = redactor.scan_text(name.as_bytes()).apply(name.as_bytes()).into_owned();
            self.learned.learn_client(String::from_utf8_lossy(&clean).into_owned());
        }
    }

    /// Who the two sides of a client's session are.
    pub(crate) fn of(attachment: &Attachment, redactor: &Redactor, home: Option<&Path>) -> Self {
        let launch = &attachment.launch;
        let display = |(key, _): &&(OsString, OsString)| {
            DISPLAY_VARIABLES.iter().any(|name| key.as_os_str() == *name)
        };
        let words = std::iter::once(&launch.command).chain(&launch.args);
        let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
        let command = words.join(" ");
        let scan = redactor.scan_text(command.as_bytes());
        let identity = String::from_utf8_lossy(&scan.apply(command.as_bytes())).into_owned();
        Self {
            session: attachment.id.as_str().into(),
            client: attachment.client.as_deref().unwrap_or(UNKNOWN_CLIENT).into(),
            server: attachment.name.as_str().into(),
            identity,
            workspace: launch.cwd.as_ref().map(|cwd| cwd.display().to_string()),
            environment: launch.env.iter().filter(display).cloned().collect(),
            destructive: false,
            learned: Arc::new(Learned::of(launch.cwd.as_deref(), home)),
            numbers: Arc::default(),
        }
    }
}
