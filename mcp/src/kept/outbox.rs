//! What the client is told: lines that count as said once they are here, whoever brings them to
//! the client.
//!
//! A file, whose offset (which everybody who holds it shares) is how far the client has got it:
//! the system moves bytes and offset in one step.

use std::{
    fs::File,
    io::{self, Seek},
    os::unix::fs::FileExt,
    task::{Context, Poll, ready},
};

use super::{Word, pages::Words};
use crate::stdio::Stream;

/// The longest piece that is handed over at once, in bytes: what a pipe of Linux holds.
const PIECE: u64 = 64 << 10;

/// See the module.
pub struct Outbox {
    words: Words,
    file: File,
    /// Bytes of all lines.
    said: u64,
    /// Bytes that the client has got.
    got: u64,
}

impl Outbox {
    pub(super) fn open(words: Words, mut file: File) -> io::Result<Self> {
        let said = words.get(Word::Said);
        let got = file.stream_position()?;
        if got > said {
            // Whoever was here before was about to begin anew.
            file.rewind()?;
            file.set_len(0)?;
            words.set(Word::Said, 0);
            return Ok(Self { words, file, said: 0, got: 0 });
        }
        Ok(Self { words, file, said, got })
    }

    /// How far a client's bytes are acted on by the last answer of our own, where it is here and
    /// whoever gave it was killed before it could tell.
    pub(super) fn answered_up_to(&self) -> Option<u64> {
        (self.said > self.words.get(Word::AnsweringAt)).then(|| self.words.get(Word::Answering))
    }

    /// Says a line. `acted` is how many of the client's bytes it settles, where it is an answer of
    /// our own to a line of the client's, and zero elsewhere.
    ///
    /// # Errors
    /// When there is no room.
    pub fn say(&mut self, line: &[u8], acted: u64) -> io::Result<()> {
        self.file.write_all_at(line, self.said)?;
        self.words.set(Word::AnsweringAt, self.said);
        self.words.set(Word::Answering, acted);
        self.said += line.len() as u64;
        self.words.set(Word::Said, self.said);
        Ok(())
    }

    /// Bytes that were said since the outbox was last emptied.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.said
    }

    /// How many bytes the client has not got yet.
    #[must_use]
    pub fn owes(&self) -> u64 {
        self.said - self.got
    }

    /// Whether the client has got everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.got == self.said
    }

    /// All lines since it was last emptied.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(&self) -> io::Result<Vec<u8>> {
        let mut lines = vec![0; usize::try_from(self.said).map_err(io::Error::other)?];
        self.file.read_exact_at(&mut lines, 0)?;
        Ok(lines)
    }

    /// Forgets what the client has got, if that is everything.
    ///
    /// # Errors
    /// When the file cannot be emptied.
    pub fn empty(&mut self) -> io::Result<()> {
        if !self.is_empty() {
            return Ok(());
        }
        self.words.set(Word::AnsweringAt, u64::MAX);
        self.words.set(Word::Said, 0);
        self.file.rewind()?;
        // The pages go with it; a pipe that still refers to them keeps their content.
        self.file.set_len(0)?;
        (self.said, self.got) = (0, 0);
        Ok(())
    }

    /// Hands over what the client has not got yet; ready when that is nothing.
    ///
    /// # Errors
    /// When the client is gone.
    pub fn poll_hand_over(
        &mut self,
        stream: &mut Stream,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while self.got < self.said {
            let piece = (self.said - self.got).min(PIECE);
            let piece = usize::try_from(piece).unwrap_or(usize::MAX);
            self.got += ready!(stream.poll_send(cx, &self.file, self.got, piece))? as u64;
        }
        Poll::Ready(Ok(()))
    }
}
