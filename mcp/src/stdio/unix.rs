//! Standard streams of any client of this user, given as descriptors.
//!
//! Owns: the descriptors given to it. Pipes and sockets are polled; files and terminals, which
//! cannot be polled without changing how everybody else sees them, go through the blocking pool.
//! Promises: standard error is never switched to non-blocking mode, since its open file is
//! usually shared with the client's other children.

use std::{
    fs::File,
    io,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::fs::FileExt,
    },
    pin::Pin,
    task::{Context, Poll, ready},
};

use rustix::fs::FileType;
use tokio::{
    io::{
        AsyncRead, AsyncWrite, ReadBuf,
        unix::{AsyncFd, AsyncFdRegisterError},
    },
    runtime::Handle,
};

/// The most that is written to a polled standard error at once: what POSIX promises that a pipe
/// takes whole once it reports room (`PIPE_BUF` on Linux).
const ERROR_CHUNK: usize = 4096;

/// One standard stream.
#[derive(Debug)]
pub struct Stream(Kind);

#[derive(Debug)]
enum Kind {
    Polled { fd: AsyncFd<OwnedFd>, pipe: bool },
    Unpolled(tokio::fs::File),
}

impl Stream {
    /// Takes over standard input or output, switching a pipe or socket to non-blocking mode.
    ///
    /// # Errors
    /// When the descriptor cannot be inspected or registered.
    pub fn new(fd: OwnedFd) -> io::Result<Self> {
        let kind = FileType::from_raw_mode(rustix::fs::fstat(&fd)?.st_mode);
        if !matches!(kind, FileType::Fifo | FileType::Socket) {
            return Ok(Self::unpolled(fd));
        }
        rustix::io::ioctl_fionbio(&fd, true)?;
        let fd = watch(fd).map_err(|refused| refused.into_parts().1)?;
        Ok(Self(Kind::Polled { fd, pipe: kind == FileType::Fifo }))
    }

    fn unpolled(fd: OwnedFd) -> Self {
        Self(Kind::Unpolled(tokio::fs::File::from_std(File::from(fd))))
    }

    /// Gives the descriptor back in blocking mode, for the process that goes on with it.
    ///
    /// # Errors
    /// When the mode cannot be changed.
    pub async fn into_blocking(self) -> io::Result<OwnedFd> {
        match self.0 {
            Kind::Polled { fd, .. } => {
                let fd = fd.into_inner();
                rustix::io::ioctl_fionbio(&fd, false)?;
                Ok(fd)
            }
            Kind::Unpolled(file) => Ok(file.into_std().await.into()),
        }
    }

    /// Reads with `read`, which is given the descriptor when it is ready and how much it may read
    /// at most; nothing where the stream cannot be polled.
    ///
    /// # Errors
    /// As `read`.
    pub(crate) fn poll_read_with(
        &mut self,
        cx: &mut Context<'_>,
        most: usize,
        mut read: impl FnMut(BorrowedFd<'_>) -> io::Result<usize>,
    ) -> Option<Poll<io::Result<usize>>> {
        let Kind::Polled { fd, .. } = &self.0 else { return None };
        Some(poll_read(fd, cx, most, &mut read))
    }

    /// Sends a piece of a file that begins at its offset, which moves along with what was sent:
    /// where the system can, in one step.
    ///
    /// # Errors
    /// When the other side is gone, or the file cannot be read.
    pub(crate) fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        file: &File,
        at: u64,
        length: usize,
    ) -> Poll<io::Result<usize>> {
        let (fd, pipe) = match &mut self.0 {
            Kind::Polled { fd, pipe } => (fd, *pipe),
            Kind::Unpolled(output) => {
                let piece = piece_of(file, at, length)?;
                let sent = ready!(Pin::new(output).poll_write(cx, &piece))?;
                move_on(file, at, sent)?;
                return Poll::Ready(Ok(sent));
            }
        };
        loop {
            let mut guard = ready!(fd.poll_write_ready(cx))?;
            match guard.try_io(|fd| send(fd.get_ref(), pipe, file, at, length)) {
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(result) => return Poll::Ready(result),
                Err(_would_block) => {}
            }
        }
    }
}

/// Reads once the descriptor is ready. Readiness comes as an edge: a read that took less than it
/// might have has seen the end of what is there, so that the next one need not ask in vain.
fn poll_read(
    fd: &AsyncFd<OwnedFd>,
    cx: &mut Context<'_>,
    most: usize,
    read: &mut dyn FnMut(BorrowedFd<'_>) -> io::Result<usize>,
) -> Poll<io::Result<usize>> {
    loop {
        let mut guard = ready!(fd.poll_read_ready(cx))?;
        match guard.try_io(|fd| read(fd.get_ref().as_fd())) {
            Ok(Ok(count)) => {
                if (1..most).contains(&count) {
                    guard.clear_ready();
                }
                return Poll::Ready(Ok(count));
            }
            Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(Err(error)) => return Poll::Ready(Err(error)),
            Err(_would_block) => {}
        }
    }
}

/// Sends from a file's offset.
#[cfg(target_os = "linux")]
fn send(fd: &OwnedFd, pipe: bool, file: &File, at: u64, length: usize) -> io::Result<usize> {
    use rustix::{io::Errno, pipe::SpliceFlags};
    let sent = if pipe {
        rustix::pipe::splice(file, None, fd, None, length, SpliceFlags::NONBLOCK)
    } else {
        rustix::fs::sendfile(fd, file, None, length)
    };
    match sent {
        // Nothing of a file that has it: somebody cut it.
        Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
        // An old kernel, or a descriptor of a kind of its own.
        Err(Errno::INVAL | Errno::NOSYS) => copy(fd, file, at, length),
        other => Ok(other?),
    }
}

#[cfg(not(target_os = "linux"))]
fn send(fd: &OwnedFd, _pipe: bool, file: &File, at: u64, length: usize) -> io::Result<usize> {
    copy(fd, file, at, length)
}

/// Sends from a file in two steps.
fn copy(fd: &OwnedFd, file: &File, at: u64, length: usize) -> io::Result<usize> {
    let sent = rustix::io::write(fd, &piece_of(file, at, length)?)?;
    move_on(file, at, sent)?;
    Ok(sent)
}

fn piece_of(file: &File, at: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut piece = vec![0; length];
    file.read_exact_at(&mut piece, at)?;
    Ok(piece)
}

fn move_on(mut file: &File, at: u64, sent: usize) -> io::Result<()> {
    io::Seek::seek(&mut file, io::SeekFrom::Start(at + sent as u64)).map(drop)
}

fn watch(fd: OwnedFd) -> Result<AsyncFd<OwnedFd>, AsyncFdRegisterError<OwnedFd>> {
    // SAFETY: an `OwnedFd` always yields the descriptor it owns, open until it is dropped, and
    // nothing here reaches for it mutably or replaces it while it is registered.
    unsafe { AsyncFd::register(fd) }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Kind::Unpolled(file) => Pin::new(file).poll_read(cx, buffer),
            Kind::Polled { fd, .. } => {
                let room = buffer.initialize_unfilled();
                let most = room.len();
                let mut read = |fd: BorrowedFd<'_>| Ok(rustix::io::read(fd, &mut *room)?);
                let count = ready!(poll_read(fd, cx, most, &mut read))?;
                buffer.advance(count);
                Poll::Ready(Ok(()))
            }
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
            Kind::Unpolled(file) => Pin::new(file).poll_write(cx, bytes),
            Kind::Polled { fd, .. } => poll_write(fd, cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Kind::Unpolled(file) => Pin::new(file).poll_flush(cx),
            Kind::Polled { .. } => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

fn poll_write(
    fd: &AsyncFd<OwnedFd>,
    cx: &mut Context<'_>,
    bytes: &[u8],
) -> Poll<io::Result<usize>> {
    loop {
        let mut guard = ready!(fd.poll_write_ready(cx))?;
        match guard.try_io(|fd| Ok(rustix::io::write(fd.get_ref(), bytes)?)) {
            Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(result) => return Poll::Ready(result),
            Err(_would_block) => {}
        }
    }
}

/// Standard error, written to only as far as it takes at once, so that it can stay in blocking
/// mode.
#[derive(Debug)]
pub struct ErrorStream(ErrorKind);

#[derive(Debug)]
enum ErrorKind {
    Polled(AsyncFd<OwnedFd>),
    Direct(OwnedFd),
}

impl ErrorStream {
    /// Takes over standard error.
    ///
    /// # Errors
    /// When there is no runtime to register the descriptor with.
    pub fn new(fd: OwnedFd) -> io::Result<Self> {
        let _inside = Handle::try_current().map_err(io::Error::other)?;
        // A regular file refuses to be polled, and never makes a writer wait.
        Ok(Self(match watch(fd) {
            Ok(fd) => ErrorKind::Polled(fd),
            Err(refused) => ErrorKind::Direct(refused.into_parts().0),
        }))
    }

    /// Writes everything, waiting while the other side does not read.
    ///
    /// # Errors
    /// When the other side is gone.
    pub async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let chunk = &bytes[..bytes.len().min(ERROR_CHUNK)];
            let written = match &self.0 {
                ErrorKind::Direct(fd) => write_once(fd, chunk)?,
                ErrorKind::Polled(fd) => {
                    let mut guard = fd.writable().await?;
                    match guard.try_io(|fd| write_once(fd.get_ref(), chunk)) {
                        Ok(result) => result?,
                        Err(_would_block) => continue,
                    }
                }
            };
            bytes = &bytes[written..];
        }
        Ok(())
    }
}

fn write_once(fd: impl AsFd, bytes: &[u8]) -> io::Result<usize> {
    Ok(rustix::io::retry_on_intr(|| rustix::io::write(&fd, bytes))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn a_pipe_carries_more_than_it_holds() {
        let (read, write) = rustix::pipe::pipe().unwrap();
        let (mut read, mut write) = (Stream::new(read).unwrap(), Stream::new(write).unwrap());
        let sent = vec![7u8; 300_000];
        let expected = sent.clone();
        let writer = tokio::spawn(async move {
            write.write_all(&sent).await.unwrap();
        });
        let mut got = Vec::new();
        read.read_to_end(&mut got).await.unwrap();
        writer.await.unwrap();
        assert!(got == expected);
    }

    #[tokio::test]
    async fn a_file_is_read_to_its_end() {
        let mut file = tempfile::tempfile().unwrap();
        io::Write::write_all(&mut file, b"one\ntwo\n").unwrap();
        io::Seek::rewind(&mut file).unwrap();
        let mut stream = Stream::new(file.into()).unwrap();
        let mut got = String::new();
        stream.read_to_string(&mut got).await.unwrap();
        assert_eq!(got, "one\ntwo\n");
    }

    #[tokio::test]
    async fn standard_error_stays_in_blocking_mode() {
        let (read, write) = rustix::pipe::pipe().unwrap();
        let shared = write.try_clone().unwrap();
        let stream = ErrorStream::new(write).unwrap();
        stream.write_all(b"note\n").await.unwrap();
        let flags = rustix::fs::fcntl_getfl(&shared).unwrap();
        assert!(!flags.contains(rustix::fs::OFlags::NONBLOCK));
        let mut got = [0u8; 5];
        rustix::io::read(&read, &mut got).unwrap();
        assert_eq!(&got, b"note\n");
    }

    #[tokio::test]
    async fn the_descriptor_comes_back_blocking() {
        let (read, _write) = rustix::pipe::pipe().unwrap();
        let stream = Stream::new(read).unwrap();
        let fd = stream.into_blocking().await.unwrap();
        assert!(!rustix::fs::fcntl_getfl(&fd).unwrap().contains(rustix::fs::OFlags::NONBLOCK));
    }
}
