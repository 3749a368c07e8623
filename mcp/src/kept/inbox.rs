//! What the client has said and was not acted on yet.
//!
//! The client's bytes are read straight into shared memory that held nothing but zeros, so that
//! they are found there however soon after the read we are killed: where the zeros begin, they
//! end. (No message of JSON-RPC has a byte of zero.)
//!
//! The memory has two halves. One is read into until it is full; what of it was not acted on then
//! goes to the other, or, where that is much, to a part of the file that is not mapped. Each such
//! step takes effect with one store.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, ReadBuf};

use super::{
    ASIDE, HALF, Word,
    pages::{Bytes, PAGE, Words},
    punch,
};
use crate::stdio::Stream;

/// How much is read at once to begin with, and from how much on a half that was acted on is left.
const WINDOW: usize = 8 << 10;

/// See the module.
pub struct Inbox {
    words: Words,
    bytes: Bytes,
    file: File,
    /// The most that is laid aside.
    longest: u64,
    half: usize,
    /// Where the half begins and how far it is filled.
    start: u64,
    filled: usize,
    /// How many bytes of each half are known to be in memory: a read into those that are not may
    /// be cut short by a kill.
    present: [usize; 2],
    /// Bytes laid aside.
    aside: u64,
    window: usize,
}

impl Inbox {
    pub(super) fn new(words: Words, bytes: Bytes, file: File, longest: u64) -> Self {
        let region = words.get(Word::Region);
        let half = usize::from(region & 1 != 0);
        let start = words.get([Word::Start0, Word::Start1][half]);
        Self {
            words,
            bytes,
            file,
            longest,
            half,
            start,
            filled: 0,
            present: [0; 2],
            aside: region >> 1,
            window: WINDOW,
        }
    }

    /// Finds out how far the half is filled, and clears the other.
    fn find_end(&mut self) {
        if self.words.get(Word::Region) == 0
            && self.acted() == 0
            && self.half(0)[..PAGE] == [0; PAGE]
        {
            // A fresh one; what is not touched takes no memory.
            return;
        }
        let written = self.half(self.half).iter().rposition(|byte| *byte != 0);
        let acted = usize::try_from(self.acted().saturating_sub(self.start)).unwrap_or(HALF);
        self.filled = written.map_or(0, |last| last + 1).max(acted.min(HALF));
        let other = at(1 - self.half, 0, HALF);
        self.bytes.get_mut(other).fill(0);
        self.present = [HALF; 2];
    }

    fn acted(&self) -> u64 {
        self.words.get(Word::Acted)
    }

    fn half(&self, half: usize) -> &[u8] {
        self.bytes.get(at(half, 0, HALF))
    }

    /// What was read by whoever was here before us and not acted on.
    fn unread(&mut self) -> io::Result<Vec<u8>> {
        self.find_end();
        let mut unread = Vec::new();
        let aside_start = self.words.get(Word::AsideStart);
        let acted_aside = self.acted().saturating_sub(aside_start);
        if self.acted() < self.start && acted_aside < self.aside {
            unread.resize(usize::try_from(self.aside - acted_aside).map_err(io::Error::other)?, 0);
            self.file.read_exact_at(&mut unread, ASIDE + acted_aside)?;
        }
        unread.extend_from_slice(&self.half(self.half)[self.first()..self.filled]);
        Ok(unread)
    }

    /// Where in the half that begins which was not acted on.
    fn first(&self) -> usize {
        let acted = self.acted().saturating_sub(self.start);
        usize::try_from(acted).unwrap_or(HALF).min(self.filled)
    }

    /// Makes room, and gives how much may be read.
    fn make_room(&mut self) -> io::Result<usize> {
        if self.aside > 0 && self.acted() >= self.start {
            self.words.set(Word::Region, self.half as u64);
            punch(&self.file, ASIDE, self.aside.next_multiple_of(PAGE as u64));
            self.aside = 0;
        }
        let first = self.first();
        if first == self.filled && self.filled >= WINDOW {
            self.change_halves(0)?;
        } else if self.filled == HALF && first >= HALF / 2 {
            self.change_halves(HALF - first)?;
        } else if self.filled == HALF {
            self.lay_aside(first)?;
        }
        let room = self.window.min(HALF - self.filled);
        self.touch(self.filled + room);
        Ok(room)
    }

    /// Goes on in the other half, with so many of the last bytes of this one.
    fn change_halves(&mut self, rest: usize) -> io::Result<()> {
        let kept = self.half(self.half)[self.filled - rest..self.filled].to_vec();
        let other = 1 - self.half;
        self.bytes.get_mut(at(other, 0, rest)).copy_from_slice(&kept);
        self.present[other] = self.present[other].max(rest);
        self.go_on_in(other, self.start + (self.filled - rest) as u64, self.aside);
        self.filled = rest;
        Ok(())
    }

    /// Lays what was not acted on aside, and goes on in the other half. Of a line that is longer
    /// than any may be, its beginning is enough to refuse it.
    fn lay_aside(&mut self, first: usize) -> io::Result<()> {
        let bytes = &self.half(self.half)[first..];
        let length = bytes.len() as u64;
        let mut aside = self.aside;
        if aside + length <= self.longest {
            self.file.write_all_at(bytes, ASIDE + aside)?;
            if aside == 0 {
                self.words.set(Word::AsideStart, self.start + first as u64);
            }
            aside += length;
        }
        self.aside = aside;
        self.go_on_in(1 - self.half, self.start + HALF as u64, aside);
        self.filled = 0;
        Ok(())
    }

    fn go_on_in(&mut self, other: usize, start: u64, aside: u64) {
        self.words.set([Word::Start0, Word::Start1][other], start);
        self.words.set(Word::Region, aside << 1 | other as u64);
        let old = at(self.half, 0, self.filled);
        self.bytes.get_mut(old).fill(0);
        (self.half, self.start) = (other, start);
    }

    /// Has the memory up to here ready.
    fn touch(&mut self, end: usize) {
        let half = self.half;
        while self.present[half] < end {
            let first = self.present[half];
            // Nothing was read into it yet, so a zero is what it holds.
            self.bytes.get_mut(at(half, first, first + 1)).fill(0);
            self.present[half] = (first + PAGE) / PAGE * PAGE;
        }
    }

    fn poll_read(
        &mut self,
        stream: &mut Stream,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let room = self.make_room()?.min(buffer.remaining());
        let to = at(self.half, self.filled, self.filled + room);
        let bytes = &mut self.bytes;
        let read = stream.poll_read_with(cx, room, |fd| bytes.read(fd, to.clone()));
        let count = match read {
            Some(read) => ready!(read)?,
            None => return self.poll_copy(stream, cx, buffer, room),
        };
        buffer.put_slice(self.bytes.get(at(self.half, self.filled, self.filled + count)));
        self.filled += count;
        if count == self.window {
            self.window = (self.window * 2).min(HALF);
        }
        Poll::Ready(Ok(()))
    }

    /// Reads from what cannot be polled, by way of its own buffer.
    fn poll_copy(
        &mut self,
        stream: &mut Stream,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
        room: usize,
    ) -> Poll<io::Result<()>> {
        let to = at(self.half, self.filled, self.filled + room);
        let mut piece = ReadBuf::new(self.bytes.get_mut(to));
        ready!(Pin::new(stream).poll_read(cx, &mut piece))?;
        buffer.put_slice(piece.filled());
        self.filled += piece.filled().len();
        Poll::Ready(Ok(()))
    }
}

/// A range of a half.
fn at(half: usize, from: usize, to: usize) -> std::ops::Range<usize> {
    half * HALF + from..half * HALF + to
}

/// A client's input of which nothing is lost: first what was read before, then the stream.
pub struct KeptInput {
    stream: Stream,
    inbox: Option<Inbox>,
    before: Vec<u8>,
    given: usize,
}

impl KeptInput {
    /// Reads this stream, by way of the inbox if there is one.
    ///
    /// # Errors
    /// When what was read before cannot be had.
    pub fn new(stream: Stream, mut inbox: Option<Inbox>) -> io::Result<Self> {
        let before = inbox.as_mut().map(Inbox::unread).transpose()?.unwrap_or_default();
        Ok(Self { stream, inbox, before, given: 0 })
    }
}

impl AsyncRead for KeptInput {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { stream, inbox, before, given } = self.get_mut();
        let left = &before[*given..];
        if !left.is_empty() {
            let piece = &left[..left.len().min(buffer.remaining())];
            buffer.put_slice(piece);
            *given += piece.len();
            return Poll::Ready(Ok(()));
        }
        if *given > 0 {
            (*before, *given) = (Vec::new(), 0);
        }
        match inbox {
            Some(inbox) => inbox.poll_read(stream, cx, buffer),
            None => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}
