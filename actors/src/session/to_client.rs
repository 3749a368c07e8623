//! The way to the client: its standard output and its standard error.
//!
//! Promises: lines are whole and in the order in which they were said; what the pump of the server
//! says in one go is written in one go; whoever answers in our own name never waits for the
//! client's reading, up to a number of answers.

use std::{
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use defenter_mcp::id::OwnedId;
use tokio::{io::AsyncWriteExt, sync::OwnedSemaphorePermit};

use super::{core::Core, pump::MOST_HELD_BACK};

/// See [`Core::hold_back`].
pub(super) struct HeldBack<'a>(&'a AtomicBool);

impl Drop for HeldBack<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

impl Core {
    /// Writes a line to the client; `answers` is the request of the client's that it answers.
    pub(super) async fn to_client(&self, line: &[u8], answers: Option<&OwnedId>) {
        if self.journal.is_kept() {
            if self.journal.tell(line, answers, 0).is_err() {
                self.lost.notify_one();
            }
            if !self.held_back.load(Ordering::Relaxed) {
                self.hand_over().await;
            }
            return;
        }
        if line.len() as u64 > MOST_HELD_BACK {
            return self.write_large(line).await;
        }
        self.unsent.add(line);
        if !self.held_back.load(Ordering::Relaxed) {
            self.hand_over().await;
        }
    }

    /// Writes a line by itself, after all that waits.
    async fn write_large(&self, line: &[u8]) {
        let mut output = self.output.lock().await;
        let Some(output) = output.as_mut() else { return };
        let written = async {
            poll_fn(|cx| self.unsent.poll_write_to(output, cx)).await?;
            output.write_all(line).await?;
            output.flush().await
        };
        if written.await.is_err() {
            self.client_lost();
        }
    }

    /// The client does not read any more.
    fn client_lost(&self) {
        self.unsent.clear();
        self.lost.notify_one();
    }

    /// As long as this lives the caller sees to it that the client gets what it is told.
    pub(super) fn hold_back(&self) -> HeldBack<'_> {
        self.held_back.store(true, Ordering::Relaxed);
        HeldBack(&self.held_back)
    }

    /// How many bytes the client was told and has not got.
    pub(super) fn owes(&self) -> u64 {
        self.journal.owes() + self.unsent.len()
    }

    /// Brings everything that the client was told to it.
    pub(super) async fn hand_over(&self) {
        let mut output = self.output.lock().await;
        let Some(output) = output.as_mut() else { return self.unsent.clear() };
        let written = async {
            if self.journal.is_kept() {
                poll_fn(|cx| self.journal.poll_hand_over(output, cx)).await?;
            } else {
                poll_fn(|cx| self.unsent.poll_write_to(output, cx)).await?;
            }
            output.flush().await
        };
        if written.await.is_err() {
            self.client_lost();
        }
    }

    /// The same for a line of which it is not known what it is.
    pub(super) async fn to_client_any(&self, line: &[u8]) {
        if !self.journal.is_kept() {
            return self.to_client(line, None).await;
        }
        if self.journal.tell_any(line, 0).is_err() {
            self.lost.notify_one();
        }
        self.hand_over().await;
    }

    /// Closes the client's output; nobody may be writing to it any more, or only in vain.
    pub(super) async fn close_output(&self) {
        self.output.lock().await.take();
    }

    /// Writes lines of our own to the client without making the caller wait for its reading.
    ///
    /// Up to a number of lines; a client that sends what is refused and does not read has to wait.
    /// `acted` is how many of the client's bytes the lines settle, where they answer it.
    pub(super) async fn tell_client(self: &Arc<Self>, lines: Vec<Vec<u8>>, acted: u64) {
        let Some(turn) = self.turn(&lines).await else { return };
        let kept = self.journal.is_kept();
        // Said at once: should we be killed, it is not said again.
        if kept && lines.iter().any(|line| self.journal.tell_any(line, acted).is_err()) {
            self.lost.notify_one();
        }
        let core = self.clone();
        self.spawn(async move {
            if kept {
                core.hand_over().await;
            } else {
                for line in lines {
                    core.to_client(&line, None).await;
                }
            }
            drop(turn);
            core.moved.notify_one();
        });
    }

    /// A place among the answers of our own that may wait to be written.
    pub(super) async fn turn(&self, lines: &[Vec<u8>]) -> Option<OwnedSemaphorePermit> {
        if lines.is_empty() {
            return None;
        }
        self.turns.clone().acquire_owned().await.ok()
    }

    /// Writes to the client's standard error, and keeps it for reports.
    pub(super) async fn to_stderr(&self, bytes: &[u8]) {
        self.stderr.push(bytes);
        // Nobody listens any more: what the server says still has to be read.
        let _ = self.error.write_all(bytes).await;
    }

    /// A word of our own on the client's standard error.
    pub(super) async fn say(&self, text: &str) {
        self.to_stderr(format!("defenter: {text}\n").as_bytes()).await;
    }
}
