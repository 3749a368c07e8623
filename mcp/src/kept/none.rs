//! Where a session cannot be taken over nothing is kept of it: none of these can be made.

use std::{
    convert::Infallible,
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, ReadBuf};

use crate::stdio::Stream;

/// What a shim would hold.
#[derive(Debug)]
pub struct Kept(Infallible);

/// What is kept, opened.
#[derive(Debug)]
pub struct Opened {
    /// How far the client was read and acted on.
    pub acted: Acted,
    /// What the client has said.
    pub inbox: Inbox,
    /// What is in flight.
    pub notes: Notes,
    /// What the client is told.
    pub outbox: Outbox,
}

/// How many of the client's bytes were acted on.
#[derive(Debug)]
pub struct Acted(Infallible);

/// What the client has said.
#[derive(Debug)]
pub struct Inbox(Infallible);

/// What is in flight.
#[derive(Debug)]
pub struct Notes(Infallible);

/// What the client is told.
#[derive(Debug)]
pub struct Outbox(Infallible);

#[expect(missing_docs, clippy::missing_errors_doc, reason = "nobody can call them")]
impl Kept {
    pub fn open(self, _longest: u64) -> io::Result<Opened> {
        match self.0 {}
    }
}

#[expect(missing_docs, reason = "nobody can call them")]
impl Acted {
    pub fn set(&self, _position: u64) {
        match self.0 {}
    }

    #[must_use]
    pub fn get(&self) -> u64 {
        match self.0 {}
    }

    pub fn raise(&self, _position: u64) {
        match self.0 {}
    }
}

#[expect(missing_docs, clippy::missing_errors_doc, reason = "nobody can call them")]
impl Notes {
    #[must_use]
    pub fn length(&self) -> u64 {
        match self.0 {}
    }

    pub fn read(&self) -> io::Result<Vec<u8>> {
        match self.0 {}
    }

    pub fn append(&mut self, _note: &[u8]) -> io::Result<()> {
        match self.0 {}
    }

    pub fn replace(&mut self, _notes: &[u8]) -> io::Result<()> {
        match self.0 {}
    }

    pub fn clear(&mut self) {
        match self.0 {}
    }
}

#[expect(missing_docs, clippy::missing_errors_doc, reason = "nobody can call them")]
impl Outbox {
    #[must_use]
    pub fn length(&self) -> u64 {
        match self.0 {}
    }

    #[must_use]
    pub fn owes(&self) -> u64 {
        match self.0 {}
    }

    pub fn read(&self) -> io::Result<Vec<u8>> {
        match self.0 {}
    }

    pub fn say(&mut self, _line: &[u8], _acted: u64) -> io::Result<()> {
        match self.0 {}
    }

    pub fn empty(&mut self) -> io::Result<()> {
        match self.0 {}
    }

    pub fn poll_hand_over(
        &mut self,
        _stream: &mut Stream,
        _cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        match self.0 {}
    }
}

/// A client's input.
#[derive(Debug)]
pub struct KeptInput(Stream);

impl KeptInput {
    /// Reads this stream.
    ///
    /// # Errors
    /// Never.
    pub fn new(stream: Stream, _inbox: Option<Inbox>) -> io::Result<Self> {
        Ok(Self(stream))
    }
}

impl AsyncRead for KeptInput {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}
