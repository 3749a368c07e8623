//! Messages that came in one read: all of them are recorded by one write.
//!
//! - Owns: the records of one round until they are written.
//! - Accepts: what becomes of each message, as futures in the order in which the messages came.
//! - Promises: each is carried to the point at which it would be recorded, then all records are
//!   written, then each is carried to its end; both in order and one after the other, so that
//!   nothing leaves before its record, and nothing overtakes. What cannot be recorded with the
//!   others is tried by itself, so that one record that is too large refuses nothing but its own.
//!
//! A future has to arrive before it does anything that others may see.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
    task::Poll,
};

use defenter_audit::Record;

use super::{AuditSink, AuditSinkError};

/// See the module.
#[derive(Default)]
pub(crate) struct Round(Mutex<Stage>);

enum Stage {
    Gathering {
        records: Vec<Record>,
        /// Whether the message that is being carried has arrived.
        arrived: bool,
    },
    /// Whether each record was written.
    Recorded(Vec<bool>),
}

impl Default for Stage {
    fn default() -> Self {
        Self::Gathering { records: Vec::new(), arrived: false }
    }
}

impl Round {
    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Carries all messages through; the first error ends the round for those that come after it.
    ///
    /// # Errors
    /// The first of the messages' own.
    pub(crate) async fn run<F, E>(
        &self,
        audit: &AuditSink,
        mut messages: Vec<Pin<Box<F>>>,
    ) -> Result<(), E>
    where
        F: Future<Output = Result<(), E>>,
    {
        let mut outcome = Ok(());
        let mut waiting = Vec::with_capacity(messages.len());
        for message in &mut messages {
            match self.gather(message.as_mut()).await {
                Some(Ok(())) => {}
                None => waiting.push(message),
                Some(Err(error)) => {
                    outcome = Err(error);
                    break;
                }
            }
        }
        self.record(audit).await;
        for message in waiting {
            let ended = message.await;
            outcome = outcome.and(ended);
        }
        outcome
    }

    /// Carries a message until it arrives; its outcome where it ends before.
    async fn gather<F: Future>(&self, mut message: Pin<&mut F>) -> Option<F::Output> {
        if let Stage::Gathering { arrived, .. } = &mut *self.stage() {
            *arrived = false;
        }
        poll_fn(|cx| match message.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if self.has_arrived() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await
    }

    fn has_arrived(&self) -> bool {
        matches!(&*self.stage(), Stage::Gathering { arrived: true, .. })
    }

    async fn record(&self, audit: &AuditSink) {
        let records = match &mut *self.stage() {
            Stage::Gathering { records, .. } => std::mem::take(records),
            Stage::Recorded(_) => return,
        };
        let written = match audit.record_all(&records).await {
            Ok(()) => vec![true; records.len()],
            Err(error @ AuditSinkError::Slow) => {
                tracing::error!(%error, "operations are refused since they cannot be recorded");
                vec![false; records.len()]
            }
            Err(AuditSinkError::Log(_)) => {
                let mut written = Vec::with_capacity(records.len());
                for record in &records {
                    let result = audit.record(record).await;
                    if let Err(error) = &result {
                        tracing::error!(%error, "an operation is refused since it cannot be recorded");
                    }
                    written.push(result.is_ok());
                }
                written
            }
        };
        *self.stage() = Stage::Recorded(written);
    }

    /// Waits for those that came before to go on. Returns at once after the records were written.
    pub(crate) async fn arrive(&self) {
        let mut first = true;
        poll_fn(|_| match &mut *self.stage() {
            Stage::Gathering { arrived, .. } => {
                *arrived |= std::mem::take(&mut first);
                // Whoever runs the round polls this again once all is written.
                Poll::Pending
            }
            Stage::Recorded(_) => Poll::Ready(()),
        })
        .await;
    }

    /// Has a record written with the others: whether it was. Gives the record back where the round
    /// is over, so that it has to be written by itself.
    pub(crate) async fn record_with_others(&self, record: Record) -> Result<bool, Box<Record>> {
        let index = match &mut *self.stage() {
            Stage::Recorded(_) => return Err(Box::new(record)),
            Stage::Gathering { records, .. } => {
                records.push(record);
                records.len() - 1
            }
        };
        self.arrive().await;
        Ok(match &*self.stage() {
            Stage::Recorded(written) => written.get(index).copied().unwrap_or(false),
            Stage::Gathering { .. } => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, path::Path};

    use defenter_audit::{Payload, tail, verify};
    use defenter_config::settings::Settings;

    use super::*;

    type Steps = Mutex<Vec<String>>;

    fn sink(folder: &Path) -> AuditSink {
        AuditSink::open(folder, &Settings::default()).unwrap()
    }

    fn record(id: &str) -> Record {
        Record { id: id.into(), payload: Payload::new(b"{}", 100), ..Record::default() }
    }

    fn say(steps: &Steps, step: String) {
        steps.lock().unwrap().push(step);
    }

    /// A message that is judged, recorded where its name begins with `r`, and passed on.
    async fn carry(
        round: &Round,
        audit: &AuditSink,
        steps: &Steps,
        name: &str,
    ) -> Result<(), String> {
        // Judging may take a while.
        tokio::task::yield_now().await;
        say(steps, format!("judged {name}"));
        if name == "failing" {
            return Err(name.to_owned());
        }
        let written = match name.starts_with('r') {
            true => round.record_with_others(record(name)).await.unwrap(),
            false => {
                round.arrive().await;
                audit.record(&record(name)).await.is_ok()
            }
        };
        tokio::task::yield_now().await;
        say(steps, format!("passed {name} {written}"));
        Ok(())
    }

    fn run(names: &[&str], audit: &AuditSink) -> (Result<(), String>, Vec<String>) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (round, steps) = (Round::default(), Steps::default());
        let messages =
            names.iter().map(|name| Box::pin(carry(&round, audit, &steps, name))).collect();
        let outcome = runtime.block_on(round.run(audit, messages));
        (outcome, steps.into_inner().unwrap())
    }

    fn recorded(folder: &Path) -> Vec<String> {
        let mut ids: Vec<String> =
            tail(folder, 100).unwrap().iter().map(|entry| entry.record.id.to_string()).collect();
        assert!(verify(folder).unwrap().is_intact());
        ids.sort();
        ids
    }

    #[test]
    fn all_are_judged_then_recorded_then_passed_on_in_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let audit = sink(folder.path());
        let (outcome, steps) = run(&["r1", "x", "r2"], &audit);
        assert_eq!(outcome, Ok(()));
        let expected = [
            "judged r1",
            "judged x",
            "judged r2",
            "passed r1 true",
            "passed x true",
            "passed r2 true",
        ];
        assert_eq!(steps, expected);
        assert_eq!(recorded(folder.path()), ["r1", "r2", "x"]);
    }

    #[test]
    fn an_error_stops_what_comes_after_it_and_nothing_before() {
        let folder = tempfile::tempdir().unwrap();
        let audit = sink(folder.path());
        let (outcome, steps) = run(&["r1", "failing", "r2"], &audit);
        assert_eq!(outcome, Err("failing".to_owned()));
        assert_eq!(steps, ["judged r1", "judged failing", "passed r1 true"]);
        assert_eq!(recorded(folder.path()), ["r1"]);
    }

    #[test]
    fn a_round_without_messages_is_over_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let audit = sink(folder.path());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let round = Round::default();
        let mut messages = vec![Box::pin(async { Ok::<(), Infallible>(()) })];
        messages.clear();
        assert!(runtime.block_on(round.run(&audit, messages)).is_ok());
        let back = runtime.block_on(round.record_with_others(record("late")));
        assert_eq!(&*back.unwrap_err().id, "late");
    }

    #[test]
    fn a_record_that_is_too_large_refuses_its_own_message_only() {
        let folder = tempfile::tempdir().unwrap();
        let audit = sink(folder.path());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let round = Round::default();
        // A record of more than a line may hold.
        let payload = format!("\"{}\"", "x".repeat(41 << 20));
        let payload = Payload::new(payload.as_bytes(), usize::MAX);
        let huge = Record { payload, ..record("huge") };
        let outcomes = Mutex::new(Vec::new());
        let one = |record: Record| {
            let (round, outcomes) = (&round, &outcomes);
            Box::pin(async move {
                let written = round.record_with_others(record).await.unwrap();
                outcomes.lock().unwrap().push(written);
                Ok::<(), Infallible>(())
            })
        };
        let messages = vec![one(record("r1")), one(huge), one(record("r2"))];
        assert!(runtime.block_on(round.run(&audit, messages)).is_ok());
        assert_eq!(outcomes.into_inner().unwrap(), [true, false, true]);
        assert_eq!(recorded(folder.path()), ["r1", "r2"]);
    }
}
