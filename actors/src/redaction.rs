//! The Redaction actor: compiles the redaction rules and publishes the result.
//!
//! - Owns: nothing but the way to publish; large bodies are scanned in the pool, admission first.
//! - Accepts: options as read.
//! - Emits: a redactor to all sessions.
//! - Dies when: its supervisor stops it. Restarts: at once; the last good redactor stays in force.

use std::sync::Arc;

use defenter_redact::{Options, Redactor};
use ractor::{Actor, ActorProcessingErr, ActorRef};

use crate::shared::Shared;

/// What the actor is told.
pub(crate) enum RedactionMsg {
    /// Put these into force.
    Load(Options),
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
        let RedactionMsg::Load(options) = message;
        match tokio::task::spawn_blocking(move || Redactor::with_options(&options)).await {
            Ok(Ok(redactor)) => {
                shared.redactor.store(Arc::new(redactor));
                tracing::info!("redaction rules loaded");
            }
            Ok(Err(error)) => {
                tracing::error!(%error, "the changed redaction rules are not used; the last good ones stay");
            }
            Err(_) => tracing::error!("the compiler of redaction rules panicked"),
        }
        Ok(())
    }
}
