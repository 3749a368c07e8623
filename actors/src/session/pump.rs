//! The two pumps: each reads one side line by line and passes on what may pass.
//!
//! Order: messages of one direction leave in the order they came; one that waits for the user
//! holds up nobody else. What comes in one read is recorded by one write ([`Round`]).

use std::{
    convert::Infallible,
    sync::{Arc, atomic::AtomicBool},
};

use defenter_mcp::{
    frame::{Frame, FrameReader},
    recovery::RecoveryError,
    stdio::Stream,
};
use tokio::io::AsyncRead;

use super::core::Core;
use crate::{
    audit::Round,
    metrics::{self, DropReason},
};

/// How many bytes of the server's lines wait at most for those that were read with them.
pub(super) const MOST_HELD_BACK: u64 = 32 << 10;
/// How many messages go through together at most, and of how many bytes each.
const MOST_TOGETHER: usize = 64;
const MOST_OF_ONE: usize = 8 << 10;

/// Why a pump has ended.
#[derive(Debug)]
pub(super) enum PumpEnd {
    /// The side it reads has closed its end.
    Closed,
    /// It was told to read no more; everything that it has read was passed on.
    Stopped,
    /// The session cannot go on with this server.
    Unrecoverable(RecoveryError),
}

/// Messages that came in one read and go through together.
#[derive(Default)]
struct Together {
    lines: Vec<u8>,
    /// Where each ends, and how many bytes of its side were read with it.
    ends: Vec<(usize, u64)>,
}

impl Together {
    /// Whether a message goes together with others: where others wait or follow, and it is small.
    fn takes(&self, line: &[u8], more: bool) -> bool {
        line.len() <= MOST_OF_ONE && (more || !self.ends.is_empty())
    }

    fn add(&mut self, line: &[u8], position: u64) {
        self.lines.extend_from_slice(line);
        self.ends.push((self.lines.len(), position));
    }

    fn is_full(&self) -> bool {
        self.ends.len() >= MOST_TOGETHER
    }

    fn messages(&self) -> impl Iterator<Item = (&[u8], u64)> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|(end, _)| *end));
        starts.zip(&self.ends).map(|(start, &(end, position))| (&self.lines[start..end], position))
    }

    /// Passes everything on to the server.
    async fn pass_to_server(&mut self, core: &Arc<Core>) {
        if self.ends.is_empty() {
            return;
        }
        let round = Round::default();
        let messages = self.messages().map(|(line, position)| {
            let message = core.from_client(line, position, Some(&round));
            Box::pin(async move {
                message.await;
                Ok::<(), Infallible>(())
            })
        });
        let Ok(()) = round.run(&core.shared.audit, messages.collect()).await;
        self.clear();
    }

    /// Passes everything on to the client.
    async fn pass_to_client(
        &mut self,
        core: &Arc<Core>,
        ready: &AtomicBool,
    ) -> Result<(), RecoveryError> {
        if self.ends.is_empty() {
            return Ok(());
        }
        let round = Round::default();
        let messages =
            self.messages().map(|(line, _)| Box::pin(core.from_server(line, ready, Some(&round))));
        round.run(&core.shared.audit, messages.collect()).await?;
        self.clear();
        Ok(())
    }

    fn clear(&mut self) {
        self.lines.clear();
        self.ends.clear();
    }
}

/// Reads the client until it closes its end.
pub(super) async fn client_to_server(core: Arc<Core>, input: Stream) -> PumpEnd {
    let input = match core.input(input) {
        Ok(input) => input,
        Err(error) => {
            core.say(&format!("what the client has said before is lost: {error}")).await;
            return PumpEnd::Closed;
        }
    };
    let mut frames = FrameReader::with_limit(input, core.limits.line);
    for line in core.take_again() {
        core.from_client(&line, 0, None).await;
    }
    let mut position = core.position();
    let mut together = Together::default();
    loop {
        // What was read already is passed on, or whoever reads on would miss it.
        let at_rest = frames.is_at_rest();
        let next = tokio::select! {
            biased;
            () = core.reading_ends(), if at_rest => None,
            next = frames.next_of_many() => Some(next),
        };
        // Half a line may have been read while both were waited for.
        let Some(next) = next else {
            if frames.is_at_rest() {
                return PumpEnd::Stopped;
            }
            continue;
        };
        // A failing read is the end of the client's words, however it came about.
        let Ok(Some((frame, more))) = next else { return PumpEnd::Closed };
        core.heard();
        match frame {
            Frame::Blank(line) => position += line.len() as u64,
            Frame::Partial(_) => metrics::dropped(DropReason::Partial),
            Frame::TooLong { sketch, length, .. } => {
                together.pass_to_server(&core).await;
                position += length;
                core.client_too_long(sketch, length, position).await;
            }
            Frame::Message(line) => {
                position += line.len() as u64;
                if together.takes(line, more) {
                    together.add(line, position);
                } else {
                    together.pass_to_server(&core).await;
                    core.from_client(line, position, None).await;
                }
            }
        }
        // Nothing is waited for meanwhile: the next line is here.
        if more && !together.is_full() {
            continue;
        }
        together.pass_to_server(&core).await;
        core.acted(position);
    }
}

/// Reads one process of the server until it closes its end.
pub(super) async fn server_to_client(core: Arc<Core>, output: impl AsyncRead + Unpin) -> PumpEnd {
    let mut frames = FrameReader::with_limit(output, core.limits.line);
    let ready = AtomicBool::new(false);
    let mut together = Together::default();
    loop {
        let Ok(Some((frame, more))) = frames.next_of_many().await else { return PumpEnd::Closed };
        core.server_heard();
        let held_back = core.hold_back();
        let passed = async {
            match frame {
                Frame::Blank(_) => {}
                Frame::Partial(bytes) => {
                    metrics::dropped(DropReason::Partial);
                    core.to_stderr(bytes).await;
                }
                Frame::TooLong { sketch, length, .. } => {
                    together.pass_to_client(&core, &ready).await?;
                    core.server_too_long(sketch, length).await;
                }
                Frame::Message(line) if together.takes(line, more) => together.add(line, 0),
                Frame::Message(line) => {
                    together.pass_to_client(&core, &ready).await?;
                    core.from_server(line, &ready, None).await?;
                }
            }
            if !more || together.is_full() {
                together.pass_to_client(&core, &ready).await?;
            }
            Ok(())
        };
        if let Err(error) = passed.await {
            return PumpEnd::Unrecoverable(error);
        }
        drop(held_back);
        // What is read together goes to the client together.
        if !more || core.owes() >= MOST_HELD_BACK {
            core.hand_over().await;
        }
    }
}
