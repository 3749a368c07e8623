//! The Redaction actor: compiles the redaction rules and publishes the result.
//!
//! - Owns: nothing but the way to publish; large bodies are scanned in the pool, admission first.
//! - Accepts: options and exceptions as read.
//! - Emits: redactors to all sessions, which take them for their next operation.
//! - Dies when: its supervisor stops it. Restarts: at once; the last good redactors stay in force.

mod redactors;

use std::sync::Arc;

use ractor::{Actor, ActorProcessingErr, ActorRef};

pub use redactors::{RedactionInput, Redactors, ServerException};

use crate::{metrics, shared::Shared};

/// What the actor is told.
pub(crate) enum RedactionMsg {
    /// Put these into force.
    Load(RedactionInput),
}

/// See the module.
pub(crate) struct Redaction;

impl Actor for Redaction {
    type Msg = RedactionMsg;
    type State = Arc<Shared>;
    type Arguments = Arc<Shared>;

    async fn pre_start(
        &self,
        _myself: ActorRef<RedactionMsg>,
        shared: Arc<Shared>,
    ) -> Result<Arc<Shared>, ActorProcessingErr> {
        Ok(shared)
    }

    async fn handle(
        &self,
        _myself: ActorRef<RedactionMsg>,
        message: RedactionMsg,
        shared: &mut Arc<Shared>,
    ) -> Result<(), ActorProcessingErr> {
        let RedactionMsg::Load(input) = message;
        let trouble = match tokio::task::spawn_blocking(move || Redactors::compile(&input)).await {
            Ok(Ok(redactors)) => {
                shared.redactors.store(Arc::new(redactors));
                tracing::info!("redaction rules loaded");
                None
            }
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("the compiler of redaction rules panicked".to_owned()),
        };
        metrics::redaction_loaded(trouble.is_none());
        let trouble = trouble.map(|error| {
            // An error in a file shows the line that it is about.
            let scan = shared.redactors.load().plain().scan_text(error.as_bytes());
            let error = String::from_utf8_lossy(&scan.apply(error.as_bytes())).into_owned();
            tracing::error!(error, "the redaction rules are not used; the last good ones stay");
            Arc::new(format!("the changed redaction rules are not used: {error}"))
        });
        shared.redaction_trouble.store(trouble);
        Ok(())
    }
}
