//! What is seen of one operation: the scan of its payload, and all that follows from it without
//! asking anybody. Small payloads are inspected where they are read, large ones in the pool.
//!
//! Owns: nothing. Accepts: an operation as it came. Emits: [`Seen`].
//! Promises: a large payload is copied only once it has a place in the pool; one set of rules and
//! policies decides on all of an operation, whatever is loaded meanwhile.

use std::{
    borrow::Cow,
    num::NonZeroUsize,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use defenter_audit::{FindingSummary, Payload, Record, RuleRef};
use defenter_mcp::{
    catalogue::{self, Inspect},
    read,
};
use defenter_policy::{Decision, Effect, Facts, OperationView, Phase, PolicySet, SessionFlags};
use defenter_redact::{Kind, Ordinals, Redactor, Scan};

use tokio::sync::OwnedSemaphorePermit;

use super::{Operation, Parties, blank};
use crate::{
    metrics::{self, Place},
    shared::{INLINE_BYTES, Shared},
};

/// How many bytes of a body a thread is given at least; half of what the redactor shares out.
const SHARE_BYTES: usize = 1 << 20;

/// See the module.
pub(super) struct Seen {
    pub(super) scan: Scan,
    /// The redacted copy, where it differs.
    pub(super) copy: Option<Vec<u8>>,
    pub(super) decision: Arc<Decision>,
    pub(super) names: Names,
    /// What is forwarded in place of the payload, where the decision wants that.
    pub(super) replacement: Option<Vec<u8>>,
}

/// What an operation is looked at with.
struct Lens {
    redactor: Arc<Redactor>,
    policies: Arc<PolicySet>,
    parties: Arc<Parties>,
    numbered: bool,
}

impl Shared {
    /// Looks at an operation; nothing where that failed.
    pub(super) async fn inspect(
        self: &Arc<Self>,
        policies: Arc<PolicySet>,
        parties: &Arc<Parties>,
        operation: &Operation<'_>,
    ) -> Option<Seen> {
        let redactors = self.redactors.load();
        let lens = Lens {
            redactor: redactors.of(&parties.server).clone(),
            policies,
            parties: parties.clone(),
            numbered: redactors.numbered(),
        };
        drop(redactors);
        if operation.payload.len() <= INLINE_BYTES {
            return Some(lens.look(self, operation, Place::Inline));
        }
        self.inspect_in_pool(lens, operation).await
    }

    async fn inspect_in_pool(
        self: &Arc<Self>,
        mut lens: Lens,
        operation: &Operation<'_>,
    ) -> Option<Seen> {
        let queued = metrics::QueueDepth::of(metrics::Queue::Redaction).occupy();
        let asked = Instant::now();
        let place = self.pool.clone().acquire_owned().await.ok()?;
        self.scans.admitted(asked.elapsed());
        let more = self.more_places(operation.payload.len());
        if !more.is_empty() {
            let threads = NonZeroUsize::MIN.saturating_add(more.len());
            lens.redactor = Arc::new(lens.redactor.with_threads(threads));
        }
        let shared = self.clone();
        let (id, method) = (operation.id.to_owned(), operation.method.to_owned());
        let (target, payload) = (operation.target.map(str::to_owned), operation.payload.to_vec());
        let (direction, phase, known) = (operation.direction, operation.phase, operation.known);
        let work = move || {
            let _held = (place, more, queued);
            let (target, payload) = (target.as_deref(), &payload[..]);
            let operation =
                Operation { id: &id, direction, phase, method: &method, known, target, payload };
            lens.look(&shared, &operation, Place::Pool)
        };
        tokio::task::spawn_blocking(work).await.ok()
    }

    /// Places in the pool that nobody wants, for a body that is long enough to be shared out. Each
    /// is one thread's, so that there are never more than the pool has places.
    fn more_places(&self, length: usize) -> Vec<OwnedSemaphorePermit> {
        let most = (length / SHARE_BYTES).saturating_sub(1);
        let one = || self.pool.clone().try_acquire_owned().ok();
        std::iter::from_fn(one).take(most).collect()
    }
}

impl Lens {
    fn look(&self, shared: &Shared, operation: &Operation<'_>, place: Place) -> Seen {
        let started = Instant::now();
        let scan = self.redactor.scan_json(operation.payload);
        shared.scans.scanned(place, operation.payload.len(), started.elapsed());
        let numbers = self.numbered.then_some(&*self.parties.numbers);
        let copy = (!scan.is_clean()).then(|| apply(&scan, operation.payload, numbers));
        let copy = copy.map(Cow::into_owned);
        let redacted = copy.as_deref().unwrap_or(operation.payload);
        let facts = self.facts(shared.home.as_deref(), operation, &scan, redacted);
        let decision = self.policies.decide(&facts);
        let names = Names::of(&self.redactor, operation, redacted);
        let replaces = decision.redact || decision.effect == Effect::Redact;
        let replacement = replaces.then(|| replacement(&scan, operation, numbers));
        Seen { scan, copy, decision, names, replacement }
    }

    fn facts(
        &self,
        home: Option<&Path>,
        operation: &Operation<'_>,
        scan: &Scan,
        redacted: &[u8],
    ) -> Facts {
        let kinds: Vec<Kind> = scan.kinds().collect();
        let is_call = operation.known.kind == catalogue::Kind::ToolCall;
        let tool = operation.target.filter(|_| is_call);
        defenter_policy::build(&OperationView {
            client: &self.parties.client,
            server: &self.parties.server,
            method: operation.method,
            direction: operation.direction,
            phase: operation.phase,
            tool,
            destructive_hint: self.parties.destructive,
            hints: tool.map(|tool| self.parties.learned.hints(tool)).unwrap_or_default(),
            uri: operation.target.filter(|_| operation.known.kind == catalogue::Kind::ResourceRead),
            payload: operation.payload,
            redacted,
            kinds: &kinds,
            size: operation.payload.len(),
            home,
            roots: &self.parties.learned.roots(),
            intent: false,
            session: SessionFlags::default(),
        })
    }
}

fn apply<'a>(scan: &Scan, input: &'a [u8], numbers: Option<&Mutex<Ordinals>>) -> Cow<'a, [u8]> {
    match numbers {
        None => scan.apply(input),
        Some(numbers) => {
            let mut numbers = numbers.lock().unwrap_or_else(PoisonError::into_inner);
            scan.apply_numbered(input, &mut numbers)
        }
    }
}

/// The payload with everything replaced that was found where the protocol lets text be.
fn replacement(
    scan: &Scan,
    operation: &Operation<'_>,
    numbers: Option<&Mutex<Ordinals>>,
) -> Vec<u8> {
    let inspect = match operation.phase {
        Phase::Result => operation.known.result,
        Phase::Request | Phase::Notification => operation.known.params,
    };
    let payload = operation.payload;
    let is_text = |key: &str| match inspect {
        Inspect::Nothing => false,
        Inspect::Members(names) => names.contains(&key),
        Inspect::All => !catalogue::is_opaque(key),
    };
    let members: Vec<_> = read::members(payload)
        .filter(|(key, _)| is_text(key))
        .filter_map(|(_, value)| read::offset_in(payload, value))
        .collect();
    let mut scan = scan.clone();
    // What has no members is text as a whole.
    if !members.is_empty() || inspect != Inspect::All {
        scan.retain(|finding| {
            let span = &finding.span;
            members.iter().any(|part| part.start <= span.start && span.end <= part.end)
        });
    }
    apply(&scan, payload, numbers).into_owned()
}

/// What an operation is called, as it may be recorded and shown. A hostile peer can put a secret
/// into a method or a tool's name as well as anywhere else.
pub(super) struct Names {
    pub(super) method: Arc<str>,
    pub(super) target: Option<Arc<str>>,
}

impl Names {
    fn of(redactor: &Redactor, operation: &Operation<'_>, copy: &[u8]) -> Self {
        let clean = |text: &str| -> Arc<str> {
            let scan = redactor.scan_text(text.as_bytes());
            String::from_utf8_lossy(&scan.apply(text.as_bytes())).into()
        };
        let known = catalogue::is_known(operation.method);
        let method = if known { operation.method.into() } else { clean(operation.method) };
        // A request's own copy has its target redacted with the keys around it.
        let in_copy = operation
            .known
            .subject
            .filter(|_| operation.phase == Phase::Request)
            .and_then(|subject| read::string(read::member(copy, subject)?))
            .map(|text| Arc::from(&*text));
        Self { method, target: in_copy.or_else(|| operation.target.map(clean)) }
    }
}

/// What is recorded of an operation, but for what becomes of it.
pub(super) fn draft(
    parties: &Parties,
    operation: &Operation<'_>,
    seen: &Seen,
    copy: &[u8],
    payload_limit: usize,
) -> Record {
    let Seen { scan, decision, names, .. } = seen;
    let rule = |rule: &defenter_policy::FiredRule| RuleRef {
        id: rule.id.clone(),
        layer: rule.layer.as_str().into(),
        effect: rule.effect.as_str().into(),
    };
    Record {
        id: operation.id.into(),
        method: names.method.clone(),
        direction: operation.direction.as_str().into(),
        phase: operation.phase.as_str().into(),
        tool: names.target.clone(),
        decision: decision.effect.as_str().into(),
        wanted: (!decision.enforced).then(|| decision.wanted.as_str().into()),
        rules: decision.rules.iter().map(rule).collect(),
        reasons: decision.rules.iter().map(|rule| rule.reason.clone()).collect(),
        findings: summary(scan),
        exceptions: scan.exceptions().cloned().collect(),
        size: operation.payload.len() as u64,
        payload: Payload::new(copy, payload_limit),
        ..blank(parties)
    }
}

fn summary(scan: &Scan) -> Vec<FindingSummary> {
    let mut kinds: Vec<FindingSummary> = Vec::new();
    for finding in scan.findings() {
        let label = finding.kind.label();
        match kinds.iter_mut().find(|summary| &*summary.kind == label) {
            Some(summary) => summary.count += 1,
            None => kinds.push(FindingSummary { kind: label.into(), count: 1 }),
        }
    }
    kinds
}
