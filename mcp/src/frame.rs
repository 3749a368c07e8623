//! Lines from a stream: where one message ends and the next begins.
//!
//! Owns: one buffer. Accepts: any bytes, in any pieces. Emits: each line as the bytes that came, the
//! newline included, so that what goes out is what came in.
//! Promises: splits at `\n` and nowhere else (a raw `\r` or U+2028 inside a line is the line's own);
//! a line over the limit is skipped in constant memory and told of, and the stream goes on; the
//! buffer grows with what it must hold and shrinks again; [`FrameReader::next`] may be dropped at any
//! await without losing a byte.

use crate::json::BOM;
use crate::sketch::{Sketch, Sketcher};
use std::fmt;
use std::io;
use std::ops::Range;
use tokio::io::{AsyncRead, AsyncReadExt};

/// The longest line that is held, in bytes without its newline, unless another limit is set.
///
/// Six times what the TypeScript SDK takes on stdio (10 MiB), four times what rmcp does.
pub const DEFAULT_LIMIT: usize = 64 << 20;

/// How much of a line over the limit is kept.
pub const HEAD: usize = 4 << 10;

/// The size the buffer starts with.
const SMALL: usize = 8 << 10;

/// A buffer above this is given back once what it was needed for is gone. A pipe holds 64 KiB.
const KEEP: usize = 64 << 10;

/// One line of a stream.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A line with something in it, its newline included.
    Message(&'a [u8]),
    /// A line of white space only, its newline included.
    Blank(&'a [u8]),
    /// A line over the limit; its bytes are gone.
    TooLong {
        /// How it began, at most [`HEAD`] bytes.
        head: &'a [u8],
        /// How long it was, in bytes, its newline included.
        length: u64,
        /// Which request it was or answered.
        sketch: &'a Sketch,
    },
    /// What came after the last newline before the stream ended: not a message.
    Partial(&'a [u8]),
}

/// Splits a stream into lines.
pub struct FrameReader<R> {
    source: R,
    buffer: Vec<u8>,
    /// Where the first line begins that was not given out.
    start: usize,
    /// There is no newline between `start` and here.
    scanned: usize,
    limit: usize,
    skipping: Option<Skipping>,
    skipped: Option<Skipped>,
    ended: bool,
}

/// A line over the limit, being read and thrown away.
#[derive(Default)]
struct Skipping {
    head: Vec<u8>,
    length: u64,
    sketcher: Sketcher,
}

/// A line over the limit that has been read to its end.
struct Skipped {
    head: Vec<u8>,
    length: u64,
    sketch: Sketch,
}

/// What [`FrameReader::take`] found in the buffer.
enum Found {
    Line(Range<usize>),
    Skipped,
    Partial(Range<usize>),
    End,
}

impl<'a> Frame<'a> {
    /// The line without what frames it: byte order mark, newline and the carriage return before it.
    /// Of a line over the limit, its head.
    #[must_use]
    pub fn body(&self) -> &'a [u8] {
        let (Self::Message(bytes)
        | Self::Blank(bytes)
        | Self::Partial(bytes)
        | Self::TooLong { head: bytes, .. }) = *self;
        let bytes = bytes.strip_prefix(BOM).unwrap_or(bytes);
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        bytes.strip_suffix(b"\r").unwrap_or(bytes)
    }

    fn of_line(line: &'a [u8]) -> Self {
        let blank = Self::Message(line).body().iter().all(|b| matches!(b, b' ' | b'\t' | b'\r'));
        if blank { Self::Blank(line) } else { Self::Message(line) }
    }
}

// What a line carries may be secret, so only its size is shown.
impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(line) => write!(f, "Message({} bytes)", line.len()),
            Self::Blank(line) => write!(f, "Blank({} bytes)", line.len()),
            Self::TooLong { length, .. } => write!(f, "TooLong({length} bytes)"),
            Self::Partial(line) => write!(f, "Partial({} bytes)", line.len()),
        }
    }
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    /// Reads lines of at most [`DEFAULT_LIMIT`] bytes from `source`.
    pub fn new(source: R) -> Self {
        Self::with_limit(source, DEFAULT_LIMIT)
    }

    /// Reads lines of at most `limit` bytes (without the newline) from `source`.
    pub fn with_limit(source: R, limit: usize) -> Self {
        Self {
            source,
            buffer: Vec::new(),
            start: 0,
            scanned: 0,
            limit,
            skipping: None,
            skipped: None,
            ended: false,
        }
    }

    /// The next line, or nothing at the end of the stream.
    ///
    /// Cancel-safe: dropped while it waits, it has taken nothing that the next call does not see.
    ///
    /// # Errors
    /// Where reading from the source fails.
    pub async fn next(&mut self) -> io::Result<Option<Frame<'_>>> {
        Ok(self.next_of_many().await?.map(|(frame, _)| frame))
    }

    /// The next line, and whether the one after it is already here.
    ///
    /// # Errors
    /// As [`Self::next`], and as cancel-safe.
    pub async fn next_of_many(&mut self) -> io::Result<Option<(Frame<'_>, bool)>> {
        let found = loop {
            if let Some(found) = self.take() {
                break found;
            }
            self.make_room();
            if self.source.read_buf(&mut self.buffer).await? == 0 {
                self.ended = true;
            }
        };
        let more = self.buffered();
        let frame = match found {
            Found::Line(at) => Some(Frame::of_line(&self.buffer[at])),
            Found::Partial(at) => Some(Frame::Partial(&self.buffer[at])),
            Found::Skipped => self.skipped.as_ref().map(|s| Frame::TooLong {
                head: &s.head,
                length: s.length,
                sketch: &s.sketch,
            }),
            Found::End => None,
        };
        Ok(frame.map(|frame| (frame, more)))
    }

    /// Whether the next line is already here, so that a writer may wait with its flush.
    #[must_use]
    pub fn buffered(&self) -> bool {
        memchr::memchr(b'\n', &self.buffer[self.scanned..]).is_some()
    }

    /// Whether everything that was read from the source has been given out.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.start == self.buffer.len() && self.skipping.is_none()
    }

    /// How many bytes the buffer takes up at the moment.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.buffer.capacity()
    }

    /// The source. Reading from it directly loses what is in the buffer.
    pub fn get_ref(&self) -> &R {
        &self.source
    }

    /// The source, and what was read from it but not given out as a line.
    pub fn into_parts(mut self) -> (R, Vec<u8>) {
        self.buffer.drain(..self.start);
        (self.source, self.buffer)
    }

    /// Finds the next line in the buffer; nothing where more must be read.
    fn take(&mut self) -> Option<Found> {
        self.skipped = None;
        let newline = memchr::memchr(b'\n', &self.buffer[self.scanned..]);
        let end = newline.map_or(self.buffer.len(), |n| self.scanned + n + 1);
        self.scanned = end;
        let complete = newline.is_some();
        let length = end - self.start - usize::from(complete);
        if self.skipping.is_some() || length > self.limit {
            self.skip_to(end);
            return (complete || self.ended).then(|| self.end_skip());
        }
        if complete {
            return Some(Found::Line(self.give(end)));
        }
        if !self.ended {
            return None;
        }
        Some(if self.start == end { Found::End } else { Found::Partial(self.give(end)) })
    }

    /// Gives out what lies between `start` and `end`.
    fn give(&mut self, end: usize) -> Range<usize> {
        let at = self.start..end;
        self.start = end;
        at
    }

    /// Throws away what lies between `start` and `end`, but for what a sketch needs.
    fn skip_to(&mut self, end: usize) {
        let at = self.give(end);
        let piece = &self.buffer[at];
        let skipping = self.skipping.get_or_insert_default();
        let room = HEAD - skipping.head.len();
        skipping.head.extend_from_slice(&piece[..piece.len().min(room)]);
        skipping.length += piece.len() as u64;
        skipping.sketcher.feed(piece);
    }

    fn end_skip(&mut self) -> Found {
        let Skipping { head, length, sketcher } = self.skipping.take().unwrap_or_default();
        self.skipped = Some(Skipped { head, length, sketch: sketcher.finish() });
        Found::Skipped
    }

    /// Makes room to read into: moves an unfinished line to the front, grows for a long one, shrinks
    /// after it.
    fn make_room(&mut self) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.scanned -= self.start;
            self.start = 0;
        }
        let held = self.buffer.len();
        if self.buffer.capacity() > KEEP && held < KEEP / 2 {
            self.buffer.shrink_to(held.max(SMALL));
        }
        if held == self.buffer.capacity() {
            // Doubles, up to the longest line and its newline; at least one byte more.
            let most = self.limit.saturating_add(2).max(held + 1);
            self.buffer.reserve_exact(held.max(SMALL).min(most - held));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;
    use std::pin::Pin;
    use std::task::{Context, Poll};
    use tokio::io::ReadBuf;

    /// A source that gives its pieces one at a time and is not ready before each.
    struct Pieces {
        left: VecDeque<Vec<u8>>,
        ready: bool,
    }

    impl AsyncRead for Pieces {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            self.ready = !self.ready;
            if self.ready {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            if let Some(mut piece) = self.left.pop_front() {
                let rest = piece.split_off(piece.len().min(buf.remaining()));
                buf.put_slice(&piece);
                if !rest.is_empty() {
                    self.left.push_front(rest);
                }
            }
            Poll::Ready(Ok(()))
        }
    }

    #[derive(Debug, PartialEq)]
    enum Got {
        Message(Vec<u8>),
        Blank(Vec<u8>),
        TooLong(Vec<u8>, u64, Sketch),
        Partial(Vec<u8>),
    }

    fn owned(frame: Frame<'_>) -> Got {
        match frame {
            Frame::Message(b) => Got::Message(b.into()),
            Frame::Blank(b) => Got::Blank(b.into()),
            Frame::TooLong { head, length, sketch } => {
                Got::TooLong(head.into(), length, sketch.clone())
            }
            Frame::Partial(b) => Got::Partial(b.into()),
        }
    }

    fn block_on<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    fn pieces(stream: &[u8], sizes: &[usize]) -> Pieces {
        let mut left = VecDeque::new();
        let mut rest = stream;
        for &size in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, after) = rest.split_at(size.clamp(1, rest.len()));
            left.push_back(piece.to_vec());
            rest = after;
        }
        Pieces { left, ready: false }
    }

    /// All frames of a stream. With `dropping`, each wait is given up once and begun anew.
    fn frames(stream: &[u8], limit: usize, sizes: &[usize], dropping: bool) -> Vec<Got> {
        block_on(async {
            let mut reader = FrameReader::with_limit(pieces(stream, sizes), limit);
            let mut got = Vec::new();
            loop {
                if dropping {
                    let mut once = std::pin::pin!(reader.next());
                    let polled =
                        std::future::poll_fn(|cx| Poll::Ready(once.as_mut().poll(cx))).await;
                    match polled {
                        Poll::Pending => continue,
                        Poll::Ready(Ok(Some(frame))) => got.push(owned(frame)),
                        Poll::Ready(end) => {
                            assert!(matches!(end, Ok(None)));
                            return got;
                        }
                    }
                } else if let Some(frame) = reader.next().await.unwrap() {
                    got.push(owned(frame));
                } else {
                    return got;
                }
            }
        })
    }

    #[test]
    fn splits_at_newlines_only() {
        let stream = "a\r\n\n \t\r\n\u{FEFF}\n\u{FEFF}{}\nb\rc\u{2028}d\u{85}\ne".as_bytes();
        let message = |s: &str| Got::Message(s.into());
        let blank = |s: &str| Got::Blank(s.into());
        let expected = [
            message("a\r\n"),
            blank("\n"),
            blank(" \t\r\n"),
            blank("\u{FEFF}\n"),
            message("\u{FEFF}{}\n"),
            message("b\rc\u{2028}d\u{85}\n"),
            Got::Partial("e".into()),
        ];
        assert_eq!(frames(stream, 100, &[1], false), expected);
        assert_eq!(frames(stream, 100, &[1000], true), expected);
        assert_eq!(frames(b"", 100, &[1], false), []);
    }

    #[test]
    fn bodies_are_without_framing() {
        for (line, body) in
            [("a\r\n", "a"), ("\u{FEFF}{}\n", "{}"), ("a\r\r\n", "a\r"), ("\n", ""), ("a", "a")]
        {
            assert_eq!(Frame::Message(line.as_bytes()).body(), body.as_bytes());
        }
    }

    #[test]
    fn a_line_over_the_limit_is_told_of_and_passed() {
        let long = format!(r#"{{"method":"a","params":"{}","id":7}}"#, "x".repeat(10_000));
        let stream = format!("1234\n12345\n{long}\nend\n");
        let sketch = |id: Option<&str>, method| Sketch {
            id: id.and_then(|id| Id::parse(id.as_bytes())).map(Id::to_owned),
            method,
            outcome: false,
        };
        for size in [1, 7, 100_000] {
            assert_eq!(
                frames(stream.as_bytes(), 4, &[size], size == 7),
                [
                    Got::Message("1234\n".into()),
                    Got::TooLong("12345\n".into(), 6, sketch(None, false)),
                    Got::TooLong(
                        long.as_bytes()[..HEAD].into(),
                        long.len() as u64 + 1,
                        sketch(Some("7"), true)
                    ),
                    Got::Message("end\n".into()),
                ]
            );
        }
        let cut = frames(b"123456", 4, &[2], false);
        assert_eq!(cut, [Got::TooLong("123456".into(), 6, sketch(None, false))]);
    }

    #[test]
    fn memory_follows_need() {
        block_on(async {
            let long = [vec![b'x'; 3 << 20], b"\nshort\n".to_vec()].concat();
            let mut reader = FrameReader::with_limit(pieces(&long, &[65_536]), 4 << 20);
            assert!(
                matches!(reader.next().await.unwrap(), Some(Frame::Message(line)) if line.len() == (3 << 20) + 1)
            );
            assert!(reader.capacity() <= (4 << 20) + 2);
            assert!(reader.buffered());
            assert_eq!(reader.next().await.unwrap(), Some(Frame::Message(b"short\n")));
            assert!(!reader.buffered());
            assert_eq!(reader.next().await.unwrap(), None);
            assert!(reader.capacity() <= KEEP);

            let mut reader = FrameReader::with_limit(pieces(&long, &[65_536]), 100_000);
            assert!(matches!(
                reader.next().await.unwrap(),
                Some(Frame::TooLong { length: 3_145_729, .. })
            ));
            assert!(reader.capacity() <= 200_000);
        });
    }

    #[test]
    fn parts_hold_what_was_not_given_out() {
        block_on(async {
            let mut reader = FrameReader::new(pieces(b"a\nb\nc", &[100]));
            reader.next().await.unwrap();
            assert_eq!(reader.into_parts().1, b"b\nc");
        });
    }

    use crate::id::Id;

    proptest! {
        #[test]
        fn bytes_out_are_bytes_in(
            lines in proptest::collection::vec("[ -~\r\té\u{2028}]{0,40}", 0..30),
            tail in "[a-z]{0,5}",
            sizes in proptest::collection::vec(1_usize..60, 1..10),
            dropping: bool,
        ) {
            let stream = lines.iter().map(|l| format!("{l}\n")).collect::<String>() + &tail;
            let got = frames(stream.as_bytes(), 1000, &sizes, dropping);
            let mut out = Vec::new();
            for frame in &got {
                match frame {
                    Got::Message(b) | Got::Blank(b) | Got::Partial(b) => out.extend_from_slice(b),
                    Got::TooLong(..) => prop_assert!(false, "nothing is over the limit"),
                }
            }
            prop_assert_eq!(out, stream.as_bytes());
            prop_assert_eq!(got.len(), lines.len() + usize::from(!tail.is_empty()));
        }

        #[test]
        fn pieces_make_no_difference(
            stream in proptest::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..300),
            sizes in proptest::collection::vec(1_usize..40, 1..10),
            limit in 0_usize..50,
            dropping: bool,
        ) {
            let whole = frames(&stream, limit, &[stream.len().max(1)], false);
            prop_assert_eq!(&frames(&stream, limit, &sizes, dropping), &whole);
            let total: u64 = whole.iter().map(|f| match f {
                Got::Message(b) | Got::Blank(b) | Got::Partial(b) => b.len() as u64,
                Got::TooLong(_, length, _) => *length,
            }).sum();
            prop_assert_eq!(total, stream.len() as u64);
        }
    }
}
