//! Our own standard streams where descriptors cannot be polled: through the blocking pool.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf, Stderr, Stdin, Stdout},
    sync::Mutex,
};

/// One of our own standard streams.
#[derive(Debug)]
pub struct Stream(Kind);

#[derive(Debug)]
enum Kind {
    Input(Stdin),
    Output(Stdout),
}

impl Stream {
    /// Our standard input.
    #[must_use]
    pub fn input() -> Self {
        Self(Kind::Input(tokio::io::stdin()))
    }

    /// Our standard output.
    #[must_use]
    pub fn output() -> Self {
        Self(Kind::Output(tokio::io::stdout()))
    }
}

fn wrong_way() -> io::Error {
    io::ErrorKind::Unsupported.into()
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Kind::Input(input) => Pin::new(input).poll_read(cx, buffer),
            Kind::Output(_) => Poll::Ready(Err(wrong_way())),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.0 {
            Kind::Output(output) => Pin::new(output).poll_write(cx, bytes),
            Kind::Input(_) => Poll::Ready(Err(wrong_way())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Kind::Output(output) => Pin::new(output).poll_flush(cx),
            Kind::Input(_) => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

/// Our standard error.
#[derive(Debug)]
pub struct ErrorStream(Mutex<Stderr>);

impl ErrorStream {
    /// Our standard error.
    #[must_use]
    pub fn own() -> Self {
        Self(Mutex::new(tokio::io::stderr()))
    }

    /// Writes everything.
    ///
    /// # Errors
    /// When the other side is gone.
    pub async fn write_all(&self, bytes: &[u8]) -> io::Result<()> {
        let mut error = self.0.lock().await;
        error.write_all(bytes).await?;
        error.flush().await
    }
}
