//! From facts to Cedar requests.
//!
//! Owns: the names that a request is made of, built once. Accepts: [`Facts`]. Emits: the request
//! and the entities of one evaluation. Promises: no parsing at decision time.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use cedar_policy::{
    Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request, RestrictedExpression,
};
use defenter_redact::Kind;

use crate::action::{Action, GROUPS};
use crate::error::PolicyError;
use crate::facts::{Direction, Facts, ProtectedPath, SessionFlags, ToolClass, ToolHints};
use crate::layer::Mentions;

/// The attributes of the context, as the schema has them.
pub(crate) const ATTRIBUTES: [&str; 24] = [
    "method",
    "direction",
    "tool",
    "tool_class",
    "hints",
    "findings",
    "has_secret",
    "has_personal_data",
    "paths",
    "paths_outside_roots",
    "protected_paths",
    "hosts",
    "private_hosts",
    "metadata_host",
    "hidden_text",
    "terminal_escapes",
    "asks_sampling",
    "asks_url",
    "asks_secret",
    "size_kib",
    "session",
    "user_confirmed",
    "redacted",
    "intent",
];

/// What a rule's `unless` can be lifted by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Lifts {
    /// The user has said yes.
    pub(crate) confirmed: bool,
    /// The redacted copy is what will be forwarded.
    pub(crate) redacted: bool,
    /// The caller has stated its intent.
    pub(crate) intent: bool,
}

/// Names of the policy language, parsed once.
#[derive(Debug)]
pub(crate) struct Vocabulary {
    client: EntityTypeName,
    server: EntityTypeName,
    tool: EntityTypeName,
    classes: Vec<EntityUid>,
    directions: [EntityUid; 2],
    protected: Vec<EntityUid>,
    kinds: Vec<(Kind, EntityUid)>,
    actions: Vec<(EntityUid, Entity)>,
}

impl Vocabulary {
    /// Parses the names.
    pub(crate) fn new() -> Result<Self, PolicyError> {
        let class = type_name("ToolClass")?;
        let direction = type_name("Direction")?;
        let protected = type_name("ProtectedPath")?;
        let kind = type_name("FindingKind")?;
        let action = type_name("Action")?;
        Ok(Self {
            client: type_name("Client")?,
            server: type_name("Server")?,
            tool: type_name("Tool")?,
            classes: ToolClass::ALL.iter().map(|c| uid(&class, c.as_str())).collect(),
            directions: [Direction::ToServer, Direction::ToClient]
                .map(|d| uid(&direction, d.as_str())),
            protected: ProtectedPath::ALL.iter().map(|p| uid(&protected, p.as_str())).collect(),
            kinds: Kind::ALL.iter().map(|k| (*k, uid(&kind, k.label()))).collect(),
            actions: Action::all().map(|a| action_entity(&action, a)).collect(),
        })
    }

    /// The entity of an action.
    pub(crate) fn action(&self, action: Action) -> &EntityUid {
        &self.actions[action.index()].0
    }

    /// Whether a rule about `scope` is about `action`.
    pub(crate) fn covers(&self, scope: &EntityUid, action: Action) -> bool {
        let id: &str = scope.id().as_ref();
        scope == self.action(action) || (GROUPS.contains(&id) && action.groups().contains(&id))
    }

    /// The entities of an evaluation: the action with its groups; with facts, also the tool with its
    /// server.
    pub(crate) fn entities(&self, facts: Option<&Facts>, action: Action) -> Option<Entities> {
        let mut entities = vec![self.actions[action.index()].1.clone()];
        if let Some(facts) = facts.filter(|_| action.on_tool()) {
            let server = uid(&self.server, &facts.server);
            entities.push(Entity::new_no_attrs(self.tool_uid(facts), HashSet::from([server])));
        }
        Entities::from_entities(entities, None).ok()
    }

    /// The request of an evaluation.
    pub(crate) fn request(
        &self,
        facts: &Facts,
        action: Action,
        lifts: Lifts,
        mentions: Mentions,
    ) -> Option<Request> {
        let resource =
            if action.on_tool() { self.tool_uid(facts) } else { uid(&self.server, &facts.server) };
        let context = Context::from_pairs(self.context(facts, lifts, mentions)).ok()?;
        let principal = uid(&self.client, &facts.client);
        Request::new(principal, self.action(action).clone(), resource, context, None).ok()
    }

    fn tool_uid(&self, facts: &Facts) -> EntityUid {
        let tool = facts.tool.as_deref().unwrap_or_default();
        uid(&self.tool, &tool_id(&facts.server, tool))
    }

    /// The attributes that are looked at. The others are left out: most rules look at few, and
    /// making them is most of the cost of a decision.
    fn context(
        &self,
        facts: &Facts,
        lifts: Lifts,
        mentions: Mentions,
    ) -> impl Iterator<Item = (String, RestrictedExpression)> {
        ATTRIBUTES.into_iter().enumerate().filter(move |(at, _)| mentions.has_at(*at)).filter_map(
            move |(_, name)| Some((name.to_owned(), self.attribute(name, facts, lifts)?)),
        )
    }

    fn attribute(&self, name: &str, facts: &Facts, lifts: Lifts) -> Option<RestrictedExpression> {
        Some(match name {
            "method" => string(&facts.method),
            "direction" => {
                entity(&self.directions[usize::from(facts.direction == Direction::ToClient)])
            }
            "tool" => string(facts.tool.as_deref().unwrap_or_default()),
            "tool_class" => entity(self.classes.get(facts.tool_class as usize)?),
            "hints" => hints(facts),
            "findings" => self.findings(facts),
            "has_secret" => boolean(facts.has_secret),
            "has_personal_data" => boolean(facts.has_personal_data),
            "paths" => long(facts.paths.into()),
            "paths_outside_roots" => long(facts.paths_outside_roots.into()),
            "protected_paths" => self.protected_paths(facts),
            "hosts" => RestrictedExpression::new_set(facts.hosts.iter().map(|host| string(host))),
            "private_hosts" => boolean(facts.private_hosts),
            "metadata_host" => boolean(facts.metadata_host),
            "hidden_text" => boolean(facts.hidden_text),
            "terminal_escapes" => boolean(facts.terminal_escapes),
            "asks_sampling" => boolean(facts.asks_sampling),
            "asks_url" => boolean(facts.asks_url),
            "asks_secret" => boolean(facts.asks_secret),
            "size_kib" => long(facts.size_kib),
            "session" => session(facts),
            "user_confirmed" => boolean(lifts.confirmed),
            "redacted" => boolean(lifts.redacted),
            "intent" => (facts.intent || lifts.intent).then(|| boolean(true))?,
            _ => return None,
        })
    }

    fn findings(&self, facts: &Facts) -> RestrictedExpression {
        let found = self.kinds.iter().filter(|(kind, _)| facts.finding_kinds.contains(kind));
        RestrictedExpression::new_set(found.map(|(_, uid)| entity(uid)))
    }

    fn protected_paths(&self, facts: &Facts) -> RestrictedExpression {
        let found = ProtectedPath::ALL.iter().zip(&self.protected);
        let found = found.filter(|(path, _)| facts.protected_paths.contains(path));
        RestrictedExpression::new_set(found.map(|(_, uid)| entity(uid)))
    }
}

/// The facts without what is not looked at, so that operations that differ only in that share one
/// decision.
pub(crate) fn projected(facts: &Facts, mentions: Mentions) -> Facts {
    let flag = |name: &str, value: bool| value && mentions.has(name);
    let number = |name: &str, value: u32| if mentions.has(name) { value } else { 0 };
    Facts {
        version: facts.version,
        client: Arc::clone(&facts.client),
        server: Arc::clone(&facts.server),
        method: Arc::clone(&facts.method),
        direction: facts.direction,
        phase: facts.phase,
        tool: facts.tool.clone(),
        tool_class: facts.tool_class,
        hints: if mentions.has("hints") { facts.hints } else { ToolHints::default() },
        finding_kinds: kept(&facts.finding_kinds, mentions.has("findings")),
        has_secret: flag("has_secret", facts.has_secret),
        has_personal_data: flag("has_personal_data", facts.has_personal_data),
        paths: number("paths", facts.paths),
        paths_outside_roots: number("paths_outside_roots", facts.paths_outside_roots),
        protected_paths: kept(&facts.protected_paths, mentions.has("protected_paths")),
        hosts: kept(&facts.hosts, mentions.has("hosts")),
        private_hosts: flag("private_hosts", facts.private_hosts),
        metadata_host: flag("metadata_host", facts.metadata_host),
        hidden_text: flag("hidden_text", facts.hidden_text),
        terminal_escapes: flag("terminal_escapes", facts.terminal_escapes),
        asks_sampling: flag("asks_sampling", facts.asks_sampling),
        asks_url: flag("asks_url", facts.asks_url),
        asks_secret: flag("asks_secret", facts.asks_secret),
        size_kib: if mentions.has("size_kib") { facts.size_kib } else { 0 },
        intent: flag("intent", facts.intent),
        session: if mentions.has("session") { facts.session } else { SessionFlags::default() },
    }
}

fn kept<T: Clone + Ord>(set: &BTreeSet<T>, keep: bool) -> BTreeSet<T> {
    if keep { set.clone() } else { BTreeSet::new() }
}

/// The id of a tool: its server's name, `/`, its own name.
pub(crate) fn tool_id(server: &str, tool: &str) -> String {
    if server.contains(['/', '%']) {
        return format!("{}/{tool}", server.replace('%', "%25").replace('/', "%2F"));
    }
    format!("{server}/{tool}")
}

fn action_entity(kind: &EntityTypeName, action: Action) -> (EntityUid, Entity) {
    let this = uid(kind, &action.id());
    let groups = action.groups().into_iter().map(|group| uid(kind, group)).collect();
    (this.clone(), Entity::new_no_attrs(this, groups))
}

fn type_name(name: &str) -> Result<EntityTypeName, PolicyError> {
    name.parse().map_err(|error| PolicyError::Builtin(format!("{error}")))
}

fn uid(kind: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}

fn hints(facts: &Facts) -> RestrictedExpression {
    record([
        ("read_only", facts.hints.read_only),
        ("destructive", facts.hints.destructive),
        ("idempotent", facts.hints.idempotent),
        ("open_world", facts.hints.open_world),
    ])
}

fn session(facts: &Facts) -> RestrictedExpression {
    record([
        ("untrusted_in", facts.session.untrusted_in),
        ("sensitive_in", facts.session.sensitive_in),
        ("egress_out", facts.session.egress_out),
    ])
}

fn record<const N: usize>(fields: [(&str, bool); N]) -> RestrictedExpression {
    let fields = fields.map(|(name, value)| (name.to_owned(), boolean(value)));
    RestrictedExpression::new_record(fields).unwrap_or_else(|_| boolean(false))
}

fn entity(uid: &EntityUid) -> RestrictedExpression {
    RestrictedExpression::new_entity_uid(uid.clone())
}

fn string(text: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(text.to_owned())
}

fn boolean(value: bool) -> RestrictedExpression {
    RestrictedExpression::new_bool(value)
}

fn long(value: u64) -> RestrictedExpression {
    RestrictedExpression::new_long(i64::try_from(value).unwrap_or(i64::MAX))
}
