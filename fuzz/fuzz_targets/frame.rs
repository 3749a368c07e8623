//! Any stream in any pieces: bytes out are bytes in, and the pieces make no difference.
#![no_main]

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use defenter_mcp::frame::{Frame, FrameReader, HEAD};
use libfuzzer_sys::fuzz_target;
use tokio::io::{AsyncRead, ReadBuf};

/// A source that gives its pieces one at a time.
struct Pieces(VecDeque<Vec<u8>>);

impl AsyncRead for Pieces {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(mut piece) = self.0.pop_front() {
            let rest = piece.split_off(piece.len().min(buffer.remaining()));
            buffer.put_slice(&piece);
            if !rest.is_empty() {
                self.0.push_front(rest);
            }
        }
        Poll::Ready(Ok(()))
    }
}

fuzz_target!(|input: (u8, Vec<u8>, &[u8])| {
    let (limit, sizes, stream) = input;
    let limit = usize::from(limit) * 64;
    let whole = frames(vec![stream.to_vec()], limit);
    assert_eq!(frames(pieces(stream, &sizes), limit), whole);
    let total: u64 = whole.iter().map(|(_, _, length)| length).sum();
    assert_eq!(total, stream.len() as u64);
    if whole.iter().all(|(kind, _, _)| *kind != 'l') {
        let out: Vec<u8> = whole.into_iter().flat_map(|(_, bytes, _)| bytes).collect();
        assert_eq!(out, stream);
    }
});

fn pieces(mut rest: &[u8], sizes: &[u8]) -> Vec<Vec<u8>> {
    let mut pieces = Vec::new();
    for &size in sizes {
        let (piece, after) =
            rest.split_at(usize::from(size).clamp(1, rest.len().max(1)).min(rest.len()));
        if piece.is_empty() {
            break;
        }
        pieces.push(piece.to_vec());
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(rest.to_vec());
    }
    pieces
}

/// Each frame: its kind, its bytes (of one over the limit, its head), its length.
fn frames(pieces: Vec<Vec<u8>>, limit: usize) -> Vec<(char, Vec<u8>, u64)> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let mut reader = FrameReader::with_limit(Pieces(pieces.into()), limit);
        let mut all = Vec::new();
        while let Some(frame) = reader.next().await.expect("no error comes from memory") {
            all.push(match frame {
                Frame::Message(bytes) => ('m', bytes.to_vec(), bytes.len() as u64),
                Frame::Blank(bytes) => ('b', bytes.to_vec(), bytes.len() as u64),
                Frame::Partial(bytes) => ('p', bytes.to_vec(), bytes.len() as u64),
                Frame::TooLong { head, length, .. } => {
                    assert!(head.len() <= HEAD && length > limit as u64);
                    ('l', head.to_vec(), length)
                }
            });
        }
        all
    })
}
