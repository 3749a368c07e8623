//! Turns facts about an operation into a decision.
//!
//! Owns: what a policy may know about an operation ([`Facts`]), how those facts are computed from
//! the bytes of a message ([`build`]), the Cedar schema, the built-in rules, and their evaluation
//! together with the files of an organisation, a user and a workspace ([`PolicySet`]).
//! Accepts: a view of one operation whose payload was already redacted, and the text of policy
//! files. Emits: a [`Decision`] with the rules that fired, or a [`PolicyError`] with its place.
//! Promises: no I/O, no clock, no environment; time linear in the payload; every rule is validated
//! against the schema before it is used; a matching `forbid` always wins; what cannot be evaluated
//! is blocked.

mod action;
mod asks;
mod cache;
mod decision;
mod error;
mod facts;
mod grants;
mod hidden;
mod hosts;
mod json;
mod layer;
mod paths;
mod preset;
mod request;
mod schema;
mod set;
mod verbs;
mod view;

pub use decision::{Decision, Effect, FiredRule, Severity};
pub use error::{Place, PolicyError};
pub use facts::{
    Direction, FACTS_VERSION, Facts, MAX_HOSTS, Phase, ProtectedPath, SessionFlags, ToolClass,
    ToolHints,
};
pub use grants::{
    Grant, GrantAnswer, GrantContext, GrantLimit, GrantScope, Grants, GrantsError,
    IDLE_LIFETIME_MS, MAX_GRANTS, MAX_LIFETIME_MS,
};
pub use layer::{Layer, LayerKind};
pub use preset::{ParsePresetError, Preset};
pub use set::{Options, PolicySet};
pub use verbs::classify_tool;
pub use view::{OperationView, build};
