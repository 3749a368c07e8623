//! What all sessions share: the compiled rules and policies of the moment, the record, the dialog
//! and the pool.
//!
//! The actors that own these things publish them here; sessions read them without asking anybody.

use std::{num::NonZeroUsize, path::PathBuf, sync::Arc};

use arc_swap::{ArcSwap, ArcSwapOption};
use defenter_policy::PolicySet;
use tokio::sync::{Semaphore, watch};

use crate::{
    audit::AuditSink, dialog::actor::DialogHandle, metrics::RedactionMetrics, redaction::Redactors,
    session::Limits, warden::Warden,
};

/// Payloads up to this size are inspected where they are read; larger ones in the pool. A scan of
/// 64 KiB takes about as long as it takes to wake a thread twice.
pub(crate) const INLINE_BYTES: usize = 64 << 10;

/// The policies of the moment.
#[derive(Clone, Debug)]
pub(crate) enum Policies {
    /// Still being compiled; operations wait.
    Loading,
    /// In force.
    Ready(Arc<PolicySet>),
    /// There are none that could be compiled; nothing may pass.
    Failed(Arc<str>),
}

/// See the module.
pub(crate) struct Shared {
    pub(crate) redactors: ArcSwap<Redactors>,
    /// Why the redaction rules of the moment are not the newest, where that is so.
    pub(crate) redaction_trouble: ArcSwapOption<String>,
    /// The same of the policies.
    pub(crate) policy_trouble: ArcSwapOption<String>,
    pub(crate) scans: RedactionMetrics,
    pub(crate) policies: watch::Sender<Policies>,
    pub(crate) audit: AuditSink,
    pub(crate) dialog: DialogHandle,
    pub(crate) warden: Warden,
    pub(crate) home: Option<PathBuf>,
    /// What hooks keep to; a session keeps what it was started with.
    pub(crate) limits: ArcSwap<Limits>,
    /// Places in the pool for large bodies; taken before a job is made, so that none waits
    /// anywhere without one.
    pub(crate) pool: Arc<Semaphore>,
}

impl Shared {
    pub(crate) fn new(
        redactors: Redactors,
        audit: AuditSink,
        dialog: DialogHandle,
        warden: Warden,
        home: Option<PathBuf>,
        limits: Limits,
    ) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self {
            redactors: ArcSwap::from_pointee(redactors),
            redaction_trouble: ArcSwapOption::empty(),
            policy_trouble: ArcSwapOption::empty(),
            scans: RedactionMetrics::new(),
            policies: watch::Sender::new(Policies::Loading),
            audit,
            dialog,
            warden,
            home,
            limits: ArcSwap::from_pointee(limits),
            pool: Arc::new(Semaphore::new(cores)),
        }
    }

    /// The policies in force, once there are some.
    ///
    /// # Errors
    /// Why there are none.
    pub(crate) async fn policies(&self) -> Result<Arc<PolicySet>, Arc<str>> {
        let mut policies = self.policies.subscribe();
        loop {
            match &*policies.borrow_and_update() {
                Policies::Ready(set) => return Ok(set.clone()),
                Policies::Failed(why) => return Err(why.clone()),
                Policies::Loading => {}
            }
            // The sender lives in `self`, so it cannot be gone.
            let _ = policies.changed().await;
        }
    }
}
