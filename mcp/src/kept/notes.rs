//! Notes about a session: appended to one area of the file, and now and then written anew into
//! the other.

use std::{fs::File, io, os::unix::fs::FileExt};

use super::{MAX_NOTES, NOTES, Word, pages::Words, punch};

/// See the module.
pub struct Notes {
    words: Words,
    file: File,
    area: usize,
    length: u64,
}

impl Notes {
    pub(super) fn new(words: Words, file: File) -> Self {
        let word = words.get(Word::Notes);
        Self { words, file, area: usize::from(word & 1 != 0), length: (word >> 1).min(MAX_NOTES) }
    }

    /// Bytes of all notes.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// All notes.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(&self) -> io::Result<Vec<u8>> {
        let mut notes = vec![0; usize::try_from(self.length).unwrap_or_default()];
        self.file.read_exact_at(&mut notes, NOTES[self.area])?;
        Ok(notes)
    }

    /// Adds a note; it counts once this returns, or not at all.
    ///
    /// # Errors
    /// When there is no more room.
    pub fn append(&mut self, note: &[u8]) -> io::Result<()> {
        let length = self.length + note.len() as u64;
        if length > MAX_NOTES {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.file.write_all_at(note, NOTES[self.area] + self.length)?;
        self.commit(self.area, length);
        Ok(())
    }

    /// Puts these notes in the place of all; a kill leaves either.
    ///
    /// # Errors
    /// When there is no room.
    pub fn replace(&mut self, notes: &[u8]) -> io::Result<()> {
        let (old, old_length) = (self.area, self.length);
        if notes.len() as u64 > MAX_NOTES {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.file.write_all_at(notes, NOTES[1 - old])?;
        self.commit(1 - old, notes.len() as u64);
        punch(&self.file, NOTES[old], old_length.next_multiple_of(4096));
        Ok(())
    }

    /// Forgets all notes: they can no longer be told whole.
    pub fn clear(&mut self) {
        self.commit(self.area, 0);
    }

    fn commit(&mut self, area: usize, length: u64) {
        (self.area, self.length) = (area, length);
        self.words.set(Word::Notes, length << 1 | area as u64);
    }
}
