//! What of a session outlives the process that serves it.
//!
//! Two anonymous files that the shim makes and holds: should we be killed at any point, it hands
//! them to our successor, who finds in them what of the client's bytes was not acted on yet (the
//! [`Inbox`]), which requests are in flight (the [`Notes`]), and what of our bytes the client has
//! not got yet (the [`Outbox`]). Nothing of it ever reaches a disk.
//!
//! What makes it exact is that each step is one of the system's, which a kill cannot halve: the
//! client's bytes are read straight into shared memory, and go to the client straight out of a
//! file, whose offset tells how far they have come.
//!
//! Owns: the layout of both files. Promises: bounded; a file that could shrink under our mapping,
//! or has another layout, is refused.

mod inbox;
mod notes;
mod outbox;
mod pages;

use std::{
    fs::File,
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

pub use inbox::{Inbox, KeptInput};
pub use notes::Notes;
pub use outbox::Outbox;
use pages::{PAGE, Words};

/// The word that a file of this layout begins with; a fresh one begins with nothing.
const LAYOUT: u64 = u64::from_be_bytes(*b"defent01");

/// The words of the first page, by their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    /// [`LAYOUT`].
    Layout,
    /// How many of the client's bytes were acted on, since the session began.
    Acted,
    /// Which half of the inbox is read into (bit 0), and how many bytes were laid aside before it.
    Region,
    /// Where each half begins, in bytes of the client since the session began.
    Start0,
    Start1,
    /// Where the bytes that were laid aside begin.
    AsideStart,
    /// Which area the notes are in (bit 0), and how many bytes they take.
    Notes,
    /// How many bytes of the outbox are whole lines.
    Said,
    /// What an answer of our own says about how far the client's bytes were acted on, and how
    /// long the outbox was without it.
    Answering,
    AnsweringAt,
}

/// Bytes of one half of the inbox.
const HALF: usize = 64 << 10;
/// What is mapped: the words, and both halves.
const MAPPED: usize = PAGE + 2 * HALF;
/// The most notes, in bytes; a session that outgrows them can no longer be taken over.
pub const MAX_NOTES: u64 = 8 << 20;
/// Where each area of notes begins.
const NOTES: [u64; 2] = [1 << 20, (1 << 20) + MAX_NOTES];
/// Where bytes are laid aside, the last thing in the file.
const ASIDE: u64 = 32 << 20;

/// The two files, as the shim holds and hands them on.
#[derive(Debug)]
pub struct Kept {
    journal: File,
    said: File,
}

/// What is kept, opened by the one process that serves the session now.
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

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Opened")
    }
}

/// How many of the client's bytes were acted on, since the session began.
#[derive(Clone)]
pub struct Acted(Words);

impl Acted {
    /// Everything up to here was acted on.
    pub fn set(&self, position: u64) {
        self.0.set(Word::Acted, position);
    }

    /// How far it was acted on.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.get(Word::Acted)
    }

    /// At least as much was acted on: somebody else remembers it.
    pub fn raise(&self, position: u64) {
        self.set(self.get().max(position));
    }
}

impl Kept {
    /// Two fresh files, without a name and gone with their last descriptor.
    ///
    /// # Errors
    /// When the system gives none.
    pub fn new() -> io::Result<Self> {
        let journal = anonymous("defenter-journal")?;
        journal.set_len(MAPPED as u64)?;
        seal(&journal)?;
        Ok(Self { journal, said: anonymous("defenter-outbox")? })
    }

    /// The descriptors, in the order in which [`Kept::from_descriptors`] takes them.
    #[must_use]
    pub fn descriptors(&self) -> [BorrowedFd<'_>; 2] {
        [self.journal.as_fd(), self.said.as_fd()]
    }

    /// What a shim has handed over.
    #[must_use]
    pub fn from_descriptors([journal, said]: [OwnedFd; 2]) -> Self {
        Self { journal: journal.into(), said: said.into() }
    }

    /// Opens both. `longest` is the most of one line of the client's that is kept, in bytes.
    ///
    /// # Errors
    /// When they cannot be mapped, might shrink, or are of another layout.
    pub fn open(self, longest: u64) -> io::Result<Opened> {
        check(&self.journal)?;
        let (words, halves) = pages::map(&self.journal, MAPPED)?;
        match words.get(Word::Layout) {
            0 => words.set(Word::Layout, LAYOUT),
            LAYOUT => {}
            _ => return Err(io::Error::other("the journal of the session is of another layout")),
        }
        let aside = self.journal.try_clone()?;
        let outbox = Outbox::open(words.clone(), self.said)?;
        if let Some(position) = outbox.answered_up_to() {
            Acted(words.clone()).raise(position);
        }
        Ok(Opened {
            acted: Acted(words.clone()),
            inbox: Inbox::new(words.clone(), halves, aside, longest),
            notes: Notes::new(words, self.journal),
            outbox,
        })
    }
}

#[cfg(target_os = "linux")]
fn anonymous(name: &str) -> io::Result<File> {
    use rustix::fs::MemfdFlags;
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    Ok(rustix::fs::memfd_create(name, flags)?.into())
}

#[cfg(not(target_os = "linux"))]
fn anonymous(name: &str) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let unique = format!("{name}-{}-{:p}", std::process::id(), &raw const name);
    let path = std::env::temp_dir().join(unique);
    let mut options = File::options();
    let file = options.read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    std::fs::remove_file(path)?;
    Ok(file)
}

/// Keeps a file from shrinking: whoever touches a mapping beyond its file's end is killed.
#[cfg(target_os = "linux")]
fn seal(file: &File) -> io::Result<()> {
    use rustix::fs::SealFlags;
    Ok(rustix::fs::fcntl_add_seals(file, SealFlags::SHRINK | SealFlags::SEAL)?)
}

#[cfg(not(target_os = "linux"))]
fn seal(_file: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(target_os = "linux")]
fn check(file: &File) -> io::Result<()> {
    use rustix::fs::SealFlags;
    let seals = rustix::fs::fcntl_get_seals(file)?;
    let is_whole = file.metadata()?.len() >= MAPPED as u64;
    if is_whole && seals.contains(SealFlags::SHRINK) {
        return Ok(());
    }
    Err(io::Error::other("the journal of the session could shrink while it is used"))
}

#[cfg(not(target_os = "linux"))]
fn check(file: &File) -> io::Result<()> {
    if file.metadata()?.len() >= MAPPED as u64 {
        return Ok(());
    }
    Err(io::Error::other("the journal of the session is too short"))
}

/// Gives the memory of a part of a file back, which then reads as zeros.
#[cfg(target_os = "linux")]
fn punch(file: &File, at: u64, length: u64) {
    use rustix::fs::FallocateFlags;
    let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    // Without it the memory is given back with the file.
    let _ = rustix::fs::fallocate(file, flags, at, length);
}

#[cfg(not(target_os = "linux"))]
fn punch(_file: &File, _at: u64, _length: u64) {}

#[cfg(test)]
mod tests;
