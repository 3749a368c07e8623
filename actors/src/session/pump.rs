//! The two pumps: each reads one side line by line and passes on what may pass.
//!
//! Order: messages of one direction leave in the order they came; one that waits for the user
//! holds up nobody else.

use std::sync::Arc;

use defenter_mcp::{
    frame::{Frame, FrameReader},
    recovery::RecoveryError,
    stdio::Stream,
};
use tokio::io::AsyncRead;

use super::core::Core;
use crate::metrics::{self, DropReason};

/// How many bytes of the server's lines wait at most for those that were read with them.
const MOST_HELD_BACK: u64 = 32 << 10;

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
        core.from_client(&line, 0).await;
    }
    let mut position = core.position();
    loop {
        // What was read already is passed on, or whoever reads on would miss it.
        let at_rest = frames.is_at_rest();
        let next = tokio::select! {
            biased;
            () = core.reading_ends(), if at_rest => None,
            next = frames.next() => Some(next),
        };
        // Half a line may have been read while both were waited for.
        let Some(next) = next else {
            if frames.is_at_rest() {
                return PumpEnd::Stopped;
            }
            continue;
        };
        // A failing read is the end of the client's words, however it came about.
        let Ok(Some(frame)) = next else { return PumpEnd::Closed };
        core.heard();
        match frame {
            Frame::Blank(line) => position += line.len() as u64,
            Frame::Partial(_) => metrics::dropped(DropReason::Partial),
            Frame::TooLong { sketch, length, .. } => {
                position += length;
                core.client_too_long(sketch, length, position).await;
            }
            Frame::Message(line) => {
                position += line.len() as u64;
                core.from_client(line, position).await;
            }
        }
        core.acted(position);
    }
}

/// Reads one process of the server until it closes its end.
pub(super) async fn server_to_client(core: Arc<Core>, output: impl AsyncRead + Unpin) -> PumpEnd {
    let mut frames = FrameReader::with_limit(output, core.limits.line);
    let mut ready = false;
    loop {
        let Ok(Some(frame)) = frames.next().await else { return PumpEnd::Closed };
        core.heard();
        match frame {
            Frame::Blank(_) => {}
            Frame::Partial(bytes) => {
                metrics::dropped(DropReason::Partial);
                core.to_stderr(bytes).await;
            }
            Frame::TooLong { sketch, length, .. } => core.server_too_long(sketch, length).await,
            Frame::Message(line) => {
                let held_back = core.hold_back();
                if let Err(error) = core.from_server(line, &mut ready).await {
                    return PumpEnd::Unrecoverable(error);
                }
                drop(held_back);
            }
        }
        // What is read together goes to the client together.
        if !frames.buffered() || core.owes() >= MOST_HELD_BACK {
            core.hand_over().await;
        }
    }
}
