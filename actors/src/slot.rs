//! A stable handle to an actor that may be replaced by its supervisor.
//!
//! ractor's references die with their actor. A slot outlives it: whoever holds a clone reaches
//! whichever actor is in it at the moment, or learns that none is.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use ractor::{ActorRef, Message};

/// See the module.
pub(crate) struct Slot<M>(Arc<ArcSwapOption<ActorRef<M>>>);

impl<M> Clone for Slot<M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<M: Message> Slot<M> {
    /// A slot with nobody in it.
    pub(crate) fn empty() -> Self {
        Self(Arc::new(ArcSwapOption::empty()))
    }

    /// Puts the actor in that serves from now on.
    pub(crate) fn fill(&self, actor: ActorRef<M>) {
        self.0.store(Some(Arc::new(actor)));
    }

    /// The actor that serves at the moment.
    pub(crate) fn get(&self) -> Option<ActorRef<M>> {
        self.0.load().as_deref().cloned()
    }

    /// Sends a message; whether there was somebody to take it.
    pub(crate) fn cast(&self, message: M) -> bool {
        self.get().is_some_and(|actor| actor.cast(message).is_ok())
    }
}
