//! A running supervisor as the rest of the program sees it: start it, ask it, end it.
//!
//! The same tree serves a whole machine (`defenter up`) and a single session (a shim that works
//! alone); they differ in which parts there are.

use std::{path::PathBuf, sync::Arc, time::Duration};

use defenter_mcp::{
    hook::{HookCall, HookVerdict},
    process::Spawner,
};
use defenter_redact::RuleError;
use ractor::{Actor, ActorRef, concurrency::JoinHandle, rpc::CallResult};

use crate::{
    audit::{AuditSink, AuditSinkError},
    dialog::{Helper, actor::DialogHandle},
    house::{self, House, Rules},
    metrics, policy,
    redaction::Redactors,
    servers::ServersMsg,
    service::ServiceMaker,
    session::Attachment,
    shared::{Policies, Shared},
    status::StatusView,
    supervisor::{Arguments, Slots, Supervisor, SupervisorMsg},
    warden::Warden,
};

/// How long the state may take to be described.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// What to start.
pub struct Options {
    /// Where everything is.
    pub house: House,
    /// What was read from there.
    pub rules: Rules,
    /// The program that shows dialogs when run as `PROGRAM ask`.
    pub program: PathBuf,
    /// Whether to serve the whole machine: watch configs and let shims attach.
    pub machine: bool,
}

/// Why a supervisor could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The record cannot be written, so nothing could be forwarded.
    #[error("failed to open the record of operations: {0}")]
    Audit(#[from] AuditSinkError),
    /// A redaction rule is wrong.
    #[error("failed to load the redaction rules: {0}")]
    Redaction(#[from] RuleError),
    /// A policy is wrong.
    #[error("failed to load the policies: {0}")]
    Policy(String),
    /// The system gives no thread.
    #[error("failed to start a thread: {0}")]
    Thread(#[from] std::io::Error),
    /// A part of the tree does not start.
    #[error("failed to start the supervisor: {0}")]
    Part(String),
}

/// A running supervisor. Dropping it ends nothing; see [`Supervision::drain`].
pub struct Supervision {
    root: ActorRef<SupervisorMsg>,
    ended: JoinHandle<()>,
    slots: Slots,
    shared: Arc<Shared>,
}

/// A way to ask the supervisor, for the console.
#[derive(Clone)]
pub struct Handle(ActorRef<SupervisorMsg>);

/// Everything that is needed to start the tree, made before there is one.
pub struct Prepared {
    options: Options,
    shared: Arc<Shared>,
    slots: Slots,
    spawner: Spawner,
    services: Vec<ServiceMaker>,
}

impl Prepared {
    /// Compiles the redaction rules and opens the record; policies are compiled by
    /// [`Prepared::check_policies`] or, without waiting, by the tree itself.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn new(options: Options) -> Result<Self, StartError> {
        let redactors = Redactors::compile(&options.rules.redaction)?;
        metrics::redaction_loaded(true);
        if let Some(trouble) = &options.rules.key_trouble {
            tracing::error!("{trouble}");
        }
        let settings = &options.rules.loaded.settings;
        let audit = AuditSink::open(&options.house.paths.audit, settings)?;
        let slots = Slots::new();
        let dialog = DialogHandle::new(slots.dialog.clone());
        let home = Some(options.house.host.home.clone());
        let limits = house::limits(settings);
        let warden = Warden::new(options.program.clone())?;
        let shared = Arc::new(Shared::new(redactors, audit, dialog, warden, home, limits));
        let spawner = Spawner::start()?;
        Ok(Self { options, shared, slots, spawner, services: Vec::new() })
    }

    /// Adds a part from above this crate, such as the console.
    pub fn add_service(&mut self, service: ServiceMaker) {
        self.services.push(service);
    }

    /// Compiles the policies now.
    ///
    /// # Errors
    /// What is wrong with them, with its place.
    pub async fn check_policies(&self) -> Result<(), StartError> {
        let set = policy::compile(self.options.rules.policy.clone()).await;
        let set = set.map_err(StartError::Policy)?;
        self.shared.policies.send_replace(Policies::Ready(Arc::new(set)));
        Ok(())
    }

    /// Starts the tree.
    ///
    /// # Errors
    /// When a part does not start, such as a socket that cannot be bound.
    pub async fn start(self) -> Result<Supervision, StartError> {
        let Self { options, shared, slots, spawner, services } = self;
        let arguments = Arguments {
            shared: shared.clone(),
            slots: slots.clone(),
            spawner,
            helper: Helper::new(options.program.clone()),
            program: options.program,
            rules: options.rules,
            house: options.machine.then(|| Arc::new(options.house)),
            services,
        };
        let started = Actor::spawn(None, Supervisor, arguments).await;
        let (root, ended) = started.map_err(|error| StartError::Part(error.to_string()))?;
        Ok(Supervision { root, ended, slots, shared })
    }
}

impl Supervision {
    /// Gives a client its server.
    pub fn attach(&self, attachment: Attachment) {
        self.slots.servers.cast(ServersMsg::Attach(Box::new(attachment)));
    }

    /// Decides on what a client's hook tells, with what the operation carries.
    pub async fn judge(&self, call: &HookCall, payload: &[u8]) -> HookVerdict {
        self.shared.judge(call, payload, std::future::pending()).await
    }

    /// A way to ask.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle(self.root.clone())
    }

    /// Reads all settings and configs now.
    pub fn reload(&self) {
        let _ = self.root.cast(SupervisorMsg::Reload);
    }

    /// Ends everything in good order; said twice, at once.
    pub fn drain(&self) {
        let _ = self.root.cast(SupervisorMsg::Drain);
    }

    /// Resolves when everything has ended.
    pub async fn ended(&mut self) {
        let _ = (&mut self.ended).await;
    }
}

impl Handle {
    /// The state of the moment; nothing while the supervisor stops.
    pub async fn status(&self) -> Option<StatusView> {
        match self.0.call(SupervisorMsg::Status, Some(ANSWER_WITHIN)).await {
            Ok(CallResult::Success(status)) => Some(status),
            _ => None,
        }
    }
}
