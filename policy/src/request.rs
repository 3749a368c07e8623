//! From facts to Cedar requests.
//!
//! Owns: the names that a request is made of, built once. Accepts: [`Facts`]. Emits: the request
//! and the entities of one evaluation. Promises: no parsing at decision time.

use std::collections::HashSet;

use cedar_policy::{
    Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request, RestrictedExpression,
};
use defenter_redact::Kind;

use crate::action::{Action, GROUPS};
use crate::error::PolicyError;
use crate::facts::{Direction, Facts, ProtectedPath, ToolClass};

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

    /// The entities of an evaluation: the action with its groups, the tool with its server.
    pub(crate) fn entities(&self, facts: &Facts, action: Action) -> Option<Entities> {
        let mut entities = vec![self.actions[action.index()].1.clone()];
        if action.on_tool() {
            let server = uid(&self.server, &facts.server);
            entities.push(Entity::new_no_attrs(self.tool_uid(facts), HashSet::from([server])));
        }
        Entities::from_entities(entities, None).ok()
    }

    /// The request of an evaluation.
    pub(crate) fn request(&self, facts: &Facts, action: Action, lifts: Lifts) -> Option<Request> {
        let resource =
            if action.on_tool() { self.tool_uid(facts) } else { uid(&self.server, &facts.server) };
        let context = Context::from_pairs(self.context(facts, lifts)).ok()?;
        let principal = uid(&self.client, &facts.client);
        Request::new(principal, self.action(action).clone(), resource, context, None).ok()
    }

    fn tool_uid(&self, facts: &Facts) -> EntityUid {
        let tool = facts.tool.as_deref().unwrap_or_default();
        uid(&self.tool, &tool_id(&facts.server, tool))
    }

    fn context(
        &self,
        facts: &Facts,
        lifts: Lifts,
    ) -> impl Iterator<Item = (String, RestrictedExpression)> {
        let class = ToolClass::ALL.iter().position(|c| *c == facts.tool_class).unwrap_or_default();
        let direction = usize::from(facts.direction == Direction::ToClient);
        let protected = ProtectedPath::ALL
            .iter()
            .zip(&self.protected)
            .filter(|(path, _)| facts.protected_paths.contains(path))
            .map(|(_, uid)| entity(uid));
        let kinds = self
            .kinds
            .iter()
            .filter(|(kind, _)| facts.finding_kinds.contains(kind))
            .map(|(_, uid)| entity(uid));
        let pairs = [
            ("method", string(&facts.method)),
            ("direction", entity(&self.directions[direction])),
            ("tool", string(facts.tool.as_deref().unwrap_or_default())),
            ("tool_class", entity(&self.classes[class])),
            ("findings", RestrictedExpression::new_set(kinds)),
            ("has_secret", boolean(facts.has_secret)),
            ("has_personal_data", boolean(facts.has_personal_data)),
            ("paths", long(facts.paths.into())),
            ("paths_outside_roots", long(facts.paths_outside_roots.into())),
            ("protected_paths", RestrictedExpression::new_set(protected)),
            ("hosts", RestrictedExpression::new_set(facts.hosts.iter().map(|host| string(host)))),
            ("private_hosts", boolean(facts.private_hosts)),
            ("metadata_host", boolean(facts.metadata_host)),
            ("hidden_text", boolean(facts.hidden_text)),
            ("terminal_escapes", boolean(facts.terminal_escapes)),
            ("asks_sampling", boolean(facts.asks_sampling)),
            ("asks_url", boolean(facts.asks_url)),
            ("asks_secret", boolean(facts.asks_secret)),
            ("size_kib", long(facts.size_kib)),
            ("session", session(facts)),
            ("user_confirmed", boolean(lifts.confirmed)),
            ("redacted", boolean(lifts.redacted)),
        ];
        let intent = (facts.intent || lifts.intent).then(|| ("intent", boolean(true)));
        pairs.into_iter().chain(intent).map(|(name, value)| (name.to_owned(), value))
    }
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

fn session(facts: &Facts) -> RestrictedExpression {
    let fields = [
        ("untrusted_in", facts.session.untrusted_in),
        ("sensitive_in", facts.session.sensitive_in),
        ("egress_out", facts.session.egress_out),
    ];
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
