//! The Policy actor: compiles the policy layers and publishes the result.
//!
//! - Owns: nothing but the way to publish.
//! - Accepts: layers as read.
//! - Emits: a policy set to all sessions; what is wrong, to the log and to whoever asks.
//! - Dies when: its supervisor stops it. Restarts: at once; the last good set stays in force.

use std::sync::Arc;

use defenter_policy::PolicySet;
use ractor::{Actor, ActorProcessingErr, ActorRef};

use crate::{
    house::PolicyInput,
    shared::{Policies, Shared},
};

/// What the actor is told.
pub(crate) enum PolicyMsg {
    /// Put these into force.
    Load(PolicyInput),
}

/// See the module.
pub(crate) struct Policy;

/// Compiles policies away from the runtime: twenty rules take about 20 ms.
///
/// # Errors
/// What is wrong with them, with its place.
pub(crate) async fn compile(input: PolicyInput) -> Result<PolicySet, String> {
    let work = move || PolicySet::compile(input.preset, &input.layers);
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(set)) => Ok(set),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("the policy compiler panicked".to_owned()),
    }
}

impl Actor for Policy {
    type Msg = PolicyMsg;
    type State = Arc<Shared>;
    type Arguments = Arc<Shared>;

    async fn pre_start(
        &self,
        _myself: ActorRef<PolicyMsg>,
        shared: Arc<Shared>,
    ) -> Result<Arc<Shared>, ActorProcessingErr> {
        Ok(shared)
    }

    async fn handle(
        &self,
        _myself: ActorRef<PolicyMsg>,
        message: PolicyMsg,
        shared: &mut Arc<Shared>,
    ) -> Result<(), ActorProcessingErr> {
        let PolicyMsg::Load(input) = message;
        match compile(input).await {
            Ok(set) => {
                shared.policies.send_replace(Policies::Ready(Arc::new(set)));
                shared.policy_trouble.store(None);
                tracing::info!("policies loaded");
            }
            Err(error) => {
                tracing::error!(error, "the policies are not used; the last good ones stay");
                let told = format!("the changed policies are not used: {error}");
                shared.policy_trouble.store(Some(Arc::new(told)));
                shared.policies.send_if_modified(|policies| {
                    let none = !matches!(policies, Policies::Ready(_));
                    if none {
                        *policies = Policies::Failed(error.into());
                    }
                    none
                });
            }
        }
        Ok(())
    }
}
