//! The Service actor: runs a part from above this crate (the console) under supervision.
//!
//! - Owns: one task.
//! - Dies when: the task ends; a task that ends by itself has failed.
//! - Restarts: by its supervisor, with a new task of the same maker.

use std::{error::Error, future::Future, pin::Pin, sync::Arc};

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::task::JoinHandle;

/// What a service ends with when it fails.
pub type ServiceError = Box<dyn Error + Send + Sync>;
type Running = Pin<Box<dyn Future<Output = Result<(), ServiceError>> + Send>>;

/// Makes the task of a service, anew after each failure.
#[derive(Clone)]
pub struct ServiceMaker(Arc<dyn Fn() -> Running + Send + Sync>);

impl ServiceMaker {
    /// A service that runs what `make` makes.
    pub fn new<F>(make: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), ServiceError>> + Send + 'static,
    {
        Self(Arc::new(move || Box::pin(make())))
    }
}

/// See the module.
pub(crate) struct Service;

/// The actor is told one thing.
pub(crate) enum ServiceMsg {
    /// The task has ended.
    Ended(Result<(), ServiceError>),
}

pub(crate) struct State(JoinHandle<()>);

impl Drop for State {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Actor for Service {
    type Msg = ServiceMsg;
    type State = State;
    type Arguments = ServiceMaker;

    async fn pre_start(
        &self,
        myself: ActorRef<ServiceMsg>,
        maker: ServiceMaker,
    ) -> Result<State, ActorProcessingErr> {
        let task = (maker.0)();
        Ok(State(tokio::spawn(async move {
            let result = task.await;
            let _ = myself.cast(ServiceMsg::Ended(result));
        })))
    }

    async fn handle(
        &self,
        _myself: ActorRef<ServiceMsg>,
        message: ServiceMsg,
        _state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let ServiceMsg::Ended(result) = message;
        Err(result.err().unwrap_or_else(|| "it ended without being asked to".into()))
    }
}
