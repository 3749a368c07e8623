//! The local socket between the supervisor and the processes of its user: shims that attach a
//! client, and the command line.
//!
//! Accepts and emits: packets of `length of JSON, length of blob` (two big-endian `u32`), the
//! JSON, and the blob; descriptors travel with the first bytes. Only processes of the same user
//! are let in. A shim that attaches hands over its own standard streams, so that the client's
//! bytes pass through one process only.
//! Promises: every packet is bounded; a peer that dawdles is cut off by the caller's deadline.

use std::{
    ffi::{OsStr, OsString},
    io::{self, IoSlice, IoSliceMut, Read, Write},
    mem::MaybeUninit,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::{
            ffi::{OsStrExt, OsStringExt},
            net::UnixStream as StdStream,
        },
    },
    path::{Path, PathBuf},
};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, Interest},
    net::UnixStream,
};

use crate::{hook::HookCall, process::Launch};

/// The version of this protocol. Both sides must speak the same one; a shim that does not finds
/// a supervisor that refuses, and does the job alone.
pub const VERSION: u32 = 2;

/// The most bytes of JSON in one packet.
pub const MAX_JSON: usize = 8 << 20;
/// The most bytes of blob in one packet: arguments and environment (Linux allows 2 MiB to a
/// process in all, `ARG_MAX`).
pub const MAX_BLOB: usize = 4 << 20;
/// Descriptors that one packet may carry.
const MAX_DESCRIPTORS: usize = 5;
const HEADER: usize = 8;

/// What can go wrong on the local socket.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// The socket failed or the peer is gone.
    #[error("failed to talk over the local socket: {0}")]
    Io(#[from] io::Error),
    /// A packet is larger than allowed.
    #[error("a packet of {0} bytes is over the limit of the local socket")]
    TooLarge(usize),
    /// A packet does not say what it should.
    #[error("a packet on the local socket cannot be read: {0}")]
    Malformed(String),
    /// The peer belongs to another user.
    #[error("a process of user {0} tried to use the local socket, which serves its owner only")]
    Stranger(u32),
}

/// What a peer asks for when it connects.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Request {
    /// Run this server for the client whose streams come along.
    Attach(Attach),
    /// Describe the supervisor and its servers.
    Status,
    /// Start a server anew, or take it out of quarantine.
    Restart {
        /// The server's name.
        name: String,
    },
    /// The last lines that a server wrote to its standard error.
    Logs {
        /// The server's name.
        name: String,
    },
    /// Read all configs anew.
    Reload,
    /// Decide on what a client's hook was told of; what it carries is the blob.
    Hook(Box<HookCall>),
    /// End the supervisor.
    Stop,
}

/// The facts of an attaching shim that fit in JSON; the launch itself is in the blob.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Attach {
    /// [`VERSION`] of the shim.
    pub version: u32,
    /// The server's name in the client's config.
    pub name: String,
    /// The client's id, where the install wrote one.
    pub client: Option<String>,
    /// The process that started the shim: sessions of one client process belong to one agent.
    pub parent: Option<u32>,
}

/// What the supervisor tells an attached shim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Notice {
    /// The session exists and waits for the shim's [`GO`].
    Attached {
        /// The session's id.
        session: String,
    },
    /// The supervisor will not serve this shim; it should do the job alone.
    Refused {
        /// Why.
        reason: String,
    },
    /// The session's server runs in this process group, which the shim must end should the
    /// supervisor die.
    Serving {
        /// The group's id.
        group: u32,
    },
    /// The session is over; the shim ends the same way.
    Ended {
        /// The exit code, or 128 + the signal's number.
        code: i32,
    },
}

/// What a shim sends once it has seen [`Notice::Attached`]: from then on the supervisor may read
/// the client's bytes, and the shim must not.
pub const GO: u8 = b'G';

/// A received packet.
#[derive(Debug)]
pub struct Packet<T> {
    /// Its JSON part.
    pub body: T,
    /// Its blob.
    pub blob: Vec<u8>,
    /// The descriptors that came along.
    pub descriptors: Vec<OwnedFd>,
}

fn encode(body: &impl Serialize, blob: &[u8]) -> Result<Vec<u8>, LocalError> {
    let json =
        serde_json::to_vec(body).map_err(|error| LocalError::Malformed(error.to_string()))?;
    check(json.len(), blob.len())?;
    let mut packet = Vec::with_capacity(HEADER + json.len() + blob.len());
    for length in [json.len(), blob.len()] {
        let length = u32::try_from(length).map_err(|_| LocalError::TooLarge(length))?;
        packet.extend_from_slice(&length.to_be_bytes());
    }
    packet.extend_from_slice(&json);
    packet.extend_from_slice(blob);
    Ok(packet)
}

fn check(json: usize, blob: usize) -> Result<(), LocalError> {
    if json > MAX_JSON || blob > MAX_BLOB {
        return Err(LocalError::TooLarge(json.saturating_add(blob)));
    }
    Ok(())
}

fn lengths(header: [u8; HEADER]) -> Result<(usize, usize), LocalError> {
    let [a, b, c, d, e, f, g, h] = header;
    let json = u32::from_be_bytes([a, b, c, d]) as usize;
    let blob = u32::from_be_bytes([e, f, g, h]) as usize;
    check(json, blob)?;
    Ok((json, blob))
}

fn decode<T: DeserializeOwned>(json: &[u8]) -> Result<T, LocalError> {
    serde_json::from_slice(json).map_err(|error| LocalError::Malformed(error.to_string()))
}

// === The blocking side: shims and the command line, which have no runtime ===

/// Sends a packet with descriptors.
///
/// # Errors
/// When the packet is too large or the peer is gone.
pub fn send(
    stream: &mut StdStream,
    body: &impl Serialize,
    blob: &[u8],
    descriptors: &[BorrowedFd<'_>],
) -> Result<(), LocalError> {
    let packet = encode(body, blob)?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(LocalError::TooLarge(descriptors.len()));
    }
    let sent = rustix::io::retry_on_intr(|| {
        rustix::net::sendmsg(&*stream, &[IoSlice::new(&packet)], &mut control, SendFlags::empty())
    })
    .map_err(io::Error::from)?;
    stream.write_all(&packet[sent..])?;
    Ok(())
}

/// Receives a packet; `None` when the peer has closed the connection.
///
/// # Errors
/// When the packet is too large or malformed, or the socket fails.
pub fn receive<T: DeserializeOwned>(stream: &mut StdStream) -> Result<Option<T>, LocalError> {
    let mut header = [0u8; HEADER];
    match stream.read_exact(&mut header) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    let (json, blob) = lengths(header)?;
    let mut bytes = vec![0; json + blob];
    stream.read_exact(&mut bytes)?;
    decode(&bytes[..json]).map(Some)
}

// === The asynchronous side: the supervisor ===

/// Refuses a peer of another user.
///
/// # Errors
/// [`LocalError::Stranger`], or when the system does not tell who the peer is.
pub fn check_peer(stream: &UnixStream) -> Result<(), LocalError> {
    let peer = stream.peer_cred()?.uid();
    if peer == rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    Err(LocalError::Stranger(peer))
}

/// Receives a packet with its descriptors; `None` when the peer has closed the connection.
///
/// # Errors
/// When the packet is too large or malformed, or the socket fails.
pub async fn accept<T: DeserializeOwned>(
    stream: &mut UnixStream,
) -> Result<Option<Packet<T>>, LocalError> {
    let mut header = [0u8; HEADER];
    let (first, descriptors) =
        stream.async_io(Interest::READABLE, || receive_rights(&*stream, &mut header)).await?;
    if first == 0 {
        return Ok(None);
    }
    stream.read_exact(&mut header[first..]).await?;
    let (json, blob) = lengths(header)?;
    let mut bytes = vec![0; json + blob];
    stream.read_exact(&mut bytes).await?;
    let blob = bytes.split_off(json);
    Ok(Some(Packet { body: decode(&bytes)?, blob, descriptors }))
}

fn receive_rights(stream: &impl AsFd, bytes: &mut [u8]) -> io::Result<(usize, Vec<OwnedFd>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received =
        rustix::net::recvmsg(stream, &mut [IoSliceMut::new(bytes)], &mut control, UNINHERITED)?;
    let mut descriptors = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            descriptors.extend(rights);
        }
    }
    keep_from_children(&descriptors)?;
    Ok((received.bytes, descriptors))
}

/// What makes received descriptors end with this process image, where the system can do it as it
/// receives them.
#[cfg(not(target_vendor = "apple"))]
const UNINHERITED: RecvFlags = RecvFlags::CMSG_CLOEXEC;
#[cfg(target_vendor = "apple")]
const UNINHERITED: RecvFlags = RecvFlags::empty();

#[cfg(not(target_vendor = "apple"))]
#[expect(clippy::unnecessary_wraps, reason = "it can fail elsewhere")]
fn keep_from_children(_received: &[OwnedFd]) -> io::Result<()> {
    Ok(())
}

/// macOS has no way to do it as they are received; a child that is started in between inherits
/// them, which spawning on one thread rules out here.
#[cfg(target_vendor = "apple")]
fn keep_from_children(received: &[OwnedFd]) -> io::Result<()> {
    for descriptor in received {
        rustix::io::fcntl_setfd(descriptor, rustix::io::FdFlags::CLOEXEC)?;
    }
    Ok(())
}

/// Sends a packet without descriptors.
///
/// # Errors
/// When the packet is too large or the peer is gone.
pub async fn reply(
    stream: &mut (impl tokio::io::AsyncWrite + Unpin),
    body: &impl Serialize,
) -> Result<(), LocalError> {
    stream.write_all(&encode(body, &[])?).await?;
    Ok(())
}

// === A launch as bytes ===

/// Packs a launch: every string of it, ended by NUL, which none of them can hold.
#[must_use]
pub fn pack(launch: &Launch) -> Vec<u8> {
    let mut blob = Vec::new();
    let mut push = |part: &OsStr| {
        blob.extend_from_slice(part.as_bytes());
        blob.push(0);
    };
    push(launch.cwd.as_deref().unwrap_or(Path::new("")).as_os_str());
    push(&launch.command);
    push(OsStr::new(&launch.args.len().to_string()));
    for arg in &launch.args {
        push(arg);
    }
    for (key, value) in &launch.env {
        push(key);
        push(value);
    }
    blob
}

/// Unpacks what [`pack`] made.
///
/// # Errors
/// [`LocalError::Malformed`] when it is anything else.
pub fn unpack(blob: &[u8]) -> Result<Launch, LocalError> {
    let malformed = || LocalError::Malformed("the launch is incomplete".into());
    let body = blob.strip_suffix(&[0]).ok_or_else(malformed)?;
    let mut parts = body.split(|byte| *byte == 0).map(|part| OsString::from_vec(part.to_vec()));
    let mut next = || parts.next().ok_or_else(malformed);
    let cwd = next()?;
    let command = next()?;
    let count: usize = next()?.to_str().and_then(|text| text.parse().ok()).ok_or_else(malformed)?;
    let args = (0..count).map(|_| next()).collect::<Result<Vec<_>, _>>()?;
    let mut env = Vec::new();
    while let Some(key) = parts.next() {
        env.push((key, parts.next().ok_or_else(malformed)?));
    }
    let cwd = (!cwd.is_empty()).then(|| PathBuf::from(cwd));
    Ok(Launch { command, args, env, cwd })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn attach() -> Request {
        Request::Attach(Attach {
            version: VERSION,
            name: "files".into(),
            client: Some("cursor".into()),
            parent: Some(1),
        })
    }

    #[tokio::test]
    async fn descriptors_and_blob_arrive_with_their_packet() {
        let (mut shim, supervisor) = StdStream::pair().unwrap();
        supervisor.set_nonblocking(true).unwrap();
        let (read, write) = rustix::pipe::pipe().unwrap();
        send(&mut shim, &attach(), b"blob", &[read.as_fd(), write.as_fd()]).unwrap();
        let mut supervisor = UnixStream::from_std(supervisor).unwrap();
        let packet: Packet<Request> = accept(&mut supervisor).await.unwrap().unwrap();
        assert!(matches!(packet.body, Request::Attach(a) if a.name == "files"));
        assert_eq!(packet.blob, b"blob");
        assert_eq!(packet.descriptors.len(), 2);
        rustix::io::write(&packet.descriptors[1], b"x").unwrap();
        let mut byte = [0];
        rustix::io::read(&read, &mut byte).unwrap();
        assert_eq!(&byte, b"x");
    }

    #[tokio::test]
    async fn a_large_packet_is_refused_before_it_is_read() {
        let (mut shim, supervisor) = StdStream::pair().unwrap();
        supervisor.set_nonblocking(true).unwrap();
        shim.write_all(&u32::MAX.to_be_bytes()).unwrap();
        shim.write_all(&[0; 4]).unwrap();
        let mut supervisor = UnixStream::from_std(supervisor).unwrap();
        let error = accept::<Request>(&mut supervisor).await.unwrap_err();
        assert!(matches!(error, LocalError::TooLarge(_)), "{error}");
    }

    #[tokio::test]
    async fn a_notice_reaches_the_shim() {
        let (mut shim, supervisor) = StdStream::pair().unwrap();
        supervisor.set_nonblocking(true).unwrap();
        let mut supervisor = UnixStream::from_std(supervisor).unwrap();
        reply(&mut supervisor, &Notice::Ended { code: 7 }).await.unwrap();
        drop(supervisor);
        assert_eq!(receive(&mut shim).unwrap(), Some(Notice::Ended { code: 7 }));
        assert_eq!(receive::<Notice>(&mut shim).unwrap(), None);
    }

    #[tokio::test]
    async fn our_own_user_is_let_in() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        check_peer(&ours).unwrap();
    }

    proptest! {
        #[test]
        fn a_launch_survives_the_way(
            command in "[^\0]{1,20}",
            args in prop::collection::vec("[^\0]{0,9}", 0..5),
            env in prop::collection::vec(("[A-Z]{1,5}", "[^\0]{0,9}"), 0..5),
            cwd in prop::option::of("/[a-z]{1,9}"),
        ) {
            let launch = Launch {
                command: command.into(),
                args: args.into_iter().map(Into::into).collect(),
                env: env.into_iter().map(|(k, v)| (k.into(), v.into())).collect(),
                cwd: cwd.map(Into::into),
            };
            prop_assert_eq!(unpack(&pack(&launch)).unwrap(), launch);
        }

        #[test]
        fn junk_is_never_taken_for_a_launch_and_never_panics(blob in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(launch) = unpack(&blob) {
                prop_assert_eq!(pack(&launch).len() >= 3, true);
            }
        }
    }
}
