//! The record of operations: the way in for sessions, and the Audit actor that looks after it.
//!
//! - Owns: the log, and the thread of control that brings it to the disk.
//! - Accepts: records, one system call for all that wait together, so that what is forwarded is in
//!   the kernel's hands before it leaves; where the settings say `disk`, also on the disk (group
//!   commit: one flush serves everybody who waits for it).
//! - Dies when: its supervisor stops it; the log itself lives as long as anybody writes to it.
//! - Restarts: at once, nothing is lost.

mod round;

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use defenter_audit::{AuditError, Log, Options, Record, Timestamp};
use defenter_config::settings::{Durability, Settings};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
};

pub(crate) use round::Round;

use crate::shared::Shared;

/// How long what was recorded may stay in the kernel's hands only, where the settings say `os`.
const FLUSH_AFTER: Duration = Duration::from_millis(500);
/// How long an operation waits for the disk, where the settings say `disk`.
const DISK_WITHIN: Duration = Duration::from_secs(10);

/// Why an operation could not be recorded.
#[derive(Debug, thiserror::Error)]
pub enum AuditSinkError {
    /// The log says no.
    #[error(transparent)]
    Log(#[from] AuditError),
    /// The disk does not answer.
    #[error("the disk did not take the record of operations within {} s", DISK_WITHIN.as_secs())]
    Slow,
}

/// The way in.
pub(crate) struct AuditSink {
    log: Mutex<Written>,
    durability: Durability,
    written: Notify,
    synced: watch::Sender<u64>,
}

struct Written {
    log: Log,
    /// The last record's number.
    seq: u64,
}

impl AuditSink {
    /// Opens the record. Whoever is first writes the main stream, everybody else one of its own.
    pub(crate) fn open(folder: &Path, settings: &Settings) -> Result<Self, AuditSinkError> {
        let audit = &settings.audit;
        let options = Options {
            max_file_bytes: audit.max_file_bytes,
            max_total_bytes: audit.max_total_bytes,
            ..Options::default()
        };
        let log = Log::open(folder, options, Timestamp::from(SystemTime::now()))?;
        Ok(Self {
            log: Mutex::new(Written { log, seq: 0 }),
            durability: audit.durability,
            written: Notify::new(),
            synced: watch::Sender::new(0),
        })
    }

    fn log(&self) -> MutexGuard<'_, Written> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records one operation.
    pub(crate) async fn record(&self, record: &Record) -> Result<(), AuditSinkError> {
        self.record_all(std::slice::from_ref(record)).await
    }

    /// Records operations: all of them or none.
    pub(crate) async fn record_all(&self, records: &[Record]) -> Result<(), AuditSinkError> {
        if records.is_empty() {
            return Ok(());
        }
        let appended = {
            let mut written = self.log();
            let appended = written.log.append_batch(records)?;
            written.seq = appended.seq;
            appended
        };
        self.written.notify_one();
        if self.durability == Durability::Disk {
            let mut synced = self.synced.subscribe();
            let reached = synced.wait_for(|seq| *seq >= appended.seq);
            match tokio::time::timeout(DISK_WITHIN, reached).await {
                Ok(Ok(_)) => {}
                _ => return Err(AuditSinkError::Slow),
            }
        }
        Ok(())
    }

    /// Brings everything that was recorded so far to the disk.
    fn flush(&self) -> Result<(), AuditError> {
        let (file, seq) = {
            let written = self.log();
            (written.log.sync_handle()?, written.seq)
        };
        // Not under the lock: records go on being taken meanwhile.
        file.sync_data().map_err(|source| AuditError::Io {
            action: "flush",
            path: "the record of operations".into(),
            source,
        })?;
        self.synced.send_replace(seq);
        Ok(())
    }
}

/// See the module.
pub(crate) struct Audit;

/// The actor takes no messages.
pub(crate) enum AuditMsg {}

pub(crate) struct State(JoinHandle<()>);

impl Drop for State {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Actor for Audit {
    type Msg = AuditMsg;
    type State = State;
    type Arguments = Arc<Shared>;

    async fn pre_start(
        &self,
        _myself: ActorRef<AuditMsg>,
        shared: Arc<Shared>,
    ) -> Result<State, ActorProcessingErr> {
        Ok(State(tokio::spawn(flush_for_ever(shared))))
    }
}

async fn flush_for_ever(shared: Arc<Shared>) {
    loop {
        shared.audit.written.notified().await;
        if shared.audit.durability == Durability::Os {
            tokio::time::sleep(FLUSH_AFTER).await;
        }
        let sink = shared.clone();
        let flushed = tokio::task::spawn_blocking(move || sink.audit.flush()).await;
        if let Ok(Err(error)) = flushed {
            tracing::error!(%error, "the record of operations cannot be brought to the disk");
            tokio::time::sleep(FLUSH_AFTER).await;
            // What was not flushed still has to be, even if nothing more is recorded.
            shared.audit.written.notify_one();
        }
    }
}
