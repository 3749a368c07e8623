//! Lines for the client that wait to be written together.
//!
//! Owns: their bytes, until the client's stream has taken them.
//! Accepts: whole lines. Emits: all that is there, in as few writes as the stream allows.
//! Promises: a writer that is given up loses nothing and sends nothing twice; the next one goes on
//! where it stopped. How much may wait is up to those who add.

use std::{
    io,
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use tokio::io::AsyncWrite;

/// Most memory that is kept for the next lines.
const KEPT: usize = 64 << 10;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Unsent(Mutex<Vec<u8>>);

impl Unsent {
    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a line.
    pub(super) fn add(&self, line: &[u8]) {
        self.bytes().extend_from_slice(line);
    }

    /// How many bytes wait.
    pub(super) fn len(&self) -> u64 {
        self.bytes().len() as u64
    }

    /// Forgets everything: nobody reads any more.
    pub(super) fn clear(&self) {
        self.bytes().clear();
    }

    /// Writes everything that is there.
    pub(super) fn poll_write_to(
        &self,
        output: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let mut bytes = self.bytes();
        while !bytes.is_empty() {
            let count = ready!(Pin::new(&mut *output).poll_write(cx, &bytes))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            bytes.drain(..count);
        }
        if bytes.capacity() > KEPT {
            bytes.shrink_to(KEPT);
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn what_a_slow_reader_has_not_taken_stays_and_is_sent_once() {
        let unsent = Unsent::default();
        let (mut writer, mut reader) = tokio::io::duplex(4);
        unsent.add(b"one\n");
        unsent.add(b"two\n");
        // The stream takes four bytes, and the writer is given up.
        let stuck = poll_fn(|cx| Poll::Ready(unsent.poll_write_to(&mut writer, cx).is_pending()));
        assert!(stuck.await);
        assert_eq!(unsent.len(), 4);
        unsent.add(b"three\n");
        let write = poll_fn(|cx| unsent.poll_write_to(&mut writer, cx));
        let mut read = [0; 14];
        let (written, taken) = tokio::join!(write, reader.read_exact(&mut read));
        assert!(written.is_ok() && taken.is_ok());
        assert_eq!(&read, b"one\ntwo\nthree\n");
        assert_eq!(unsent.len(), 0);
    }

    #[tokio::test]
    async fn a_reader_that_is_gone_is_an_error() {
        let unsent = Unsent::default();
        let (mut writer, reader) = tokio::io::duplex(4);
        drop(reader);
        unsent.add(b"one\n");
        assert!(poll_fn(|cx| unsent.poll_write_to(&mut writer, cx)).await.is_err());
        unsent.clear();
        assert_eq!(unsent.len(), 0);
    }
}
