//! The client's requests that a server has, or is to get again.
//!
//! Owns: one entry for each, by its id's token. Accepts: requests as they are sent, ids as they are
//! answered. Emits: the entries. Promises: as many entries as were let in and not taken out; a client
//! that uses an id twice gets both answers, in order; the bytes kept for sending again are bounded.

use std::collections::{HashMap, VecDeque};

use crate::catalogue::Operation;
use crate::id::{Id, OwnedId};

/// One request.
pub(super) struct Entry<T> {
    pub(super) operation: Operation,
    pub(super) context: T,
    pub(super) track: Track,
    /// The bytes to send again, where that is safe and they are not too many.
    pub(super) frame: Option<Box<[u8]>>,
    /// Whether it may be sent again.
    pub(super) resend: bool,
    /// How often it was sent.
    pub(super) sent: u32,
    pub(super) cancelled: bool,
    order: u64,
    /// The next request under the same id.
    next: Option<Box<Entry<T>>>,
}

/// What the answer to a request changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Track {
    Nothing,
    Initialize,
    Discover,
    LogLevel,
    Subscribe(Box<str>),
    Unsubscribe(Box<str>),
    Listen(Listen),
}

/// The state of one `subscriptions/listen`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Listen {
    /// The `notifications` that the server said it honours; raw.
    pub(super) honoured: Option<Box<[u8]>>,
    /// Whether the next acknowledgement is a repetition for the client.
    pub(super) again: bool,
}

/// All of them.
pub(super) struct InFlight<T> {
    entries: HashMap<OwnedId, Entry<T>>,
    len: usize,
    kept: usize,
    next_order: u64,
    /// Cancelled requests that may still be answered, oldest first.
    cancelled: VecDeque<OwnedId>,
}

/// How many cancelled requests are remembered for an answer that crosses the cancellation.
const MAX_CANCELLED: usize = 256;

impl<T> Entry<T> {
    pub(super) fn new(operation: Operation, context: T, track: Track, resend: bool) -> Self {
        Self {
            operation,
            context,
            track,
            frame: None,
            resend,
            sent: 1,
            cancelled: false,
            order: 0,
            next: None,
        }
    }

    fn kept(&self) -> usize {
        self.frame.as_ref().map_or(0, |frame| frame.len())
    }
}

impl<T> InFlight<T> {
    pub(super) fn new() -> Self {
        Self { entries: HashMap::new(), len: 0, kept: 0, next_order: 0, cancelled: VecDeque::new() }
    }

    /// How many requests there are.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// How many of them wait for an answer, cancelled ones left out.
    pub(super) fn waiting(&self) -> usize {
        self.len - self.cancelled.len()
    }

    /// The oldest request that should have been answered by now or soon: cancelled ones may never
    /// be, and one that listens is answered when it ends.
    pub(super) fn oldest_due(&self) -> Option<&Entry<T>> {
        let all = self
            .entries
            .values()
            .flat_map(|first| std::iter::successors(Some(first), |entry| entry.next.as_deref()));
        let due = |entry: &&Entry<T>| !entry.cancelled && !matches!(entry.track, Track::Listen(_));
        all.filter(due).min_by_key(|entry| entry.order)
    }

    /// How many bytes are kept for sending again.
    pub(super) fn kept(&self) -> usize {
        self.kept
    }

    pub(super) fn insert(&mut self, id: OwnedId, mut entry: Entry<T>) {
        entry.order = self.next_order;
        self.next_order += 1;
        self.len += 1;
        self.kept += entry.kept();
        let Some(mut last) = self.entries.get_mut(&id) else {
            self.entries.insert(id, entry);
            return;
        };
        while last.next.is_some() {
            let Some(next) = last.next.as_deref_mut() else { return };
            last = next;
        }
        last.next = Some(Box::new(entry));
    }

    /// The key under which the request that `id` means is kept.
    fn key(&self, id: Id<'_>) -> Option<OwnedId> {
        if let Some((key, _)) = self.entries.get_key_value(id.as_str()) {
            return Some(key.clone());
        }
        self.entries.keys().find(|key| key.as_id().means(id)).cloned()
    }

    pub(super) fn get_mut(&mut self, id: Id<'_>) -> Option<&mut Entry<T>> {
        if self.entries.contains_key(id.as_str()) {
            return self.entries.get_mut(id.as_str());
        }
        self.key(id).and_then(|key| self.entries.get_mut(&key))
    }

    /// Takes out the oldest request under this id.
    pub(super) fn remove(&mut self, id: Id<'_>) -> Option<Entry<T>> {
        let (key, mut entry) = match self.entries.remove_entry(id.as_str()) {
            Some(found) => found,
            None => self.key(id).and_then(|key| self.entries.remove_entry(&key))?,
        };
        self.len -= 1;
        self.kept -= entry.kept();
        if entry.cancelled {
            self.cancelled.retain(|other| *other != key);
        }
        if let Some(next) = entry.next.take() {
            self.entries.insert(key, *next);
        }
        Some(entry)
    }

    /// Marks a request as cancelled, and forgets the oldest such when there are too many.
    pub(super) fn cancel(&mut self, id: Id<'_>) {
        let Some(key) = self.key(id) else { return };
        let Some(entry) = self.entries.get_mut(&key).filter(|entry| !entry.cancelled) else {
            return;
        };
        entry.cancelled = true;
        self.cancelled.push_back(key);
        if self.cancelled.len() > MAX_CANCELLED
            && let Some(oldest) = self.cancelled.pop_front()
        {
            self.remove(oldest.as_id());
        }
    }

    /// Takes out every request for which `leaves` says so, oldest first.
    pub(super) fn take_if(
        &mut self,
        mut leaves: impl FnMut(&mut Entry<T>) -> bool,
    ) -> Vec<(OwnedId, Entry<T>)> {
        let mut all = self.drain();
        let mut left = Vec::new();
        for (id, mut entry) in all.drain(..) {
            if leaves(&mut entry) {
                left.push((id, entry));
            } else {
                self.insert(id, entry);
            }
        }
        left
    }

    /// Takes out all of them, oldest first.
    pub(super) fn drain(&mut self) -> Vec<(OwnedId, Entry<T>)> {
        let mut all = Vec::with_capacity(self.len);
        for (id, mut entry) in self.entries.drain() {
            let mut next = entry.next.take();
            all.push((id.clone(), entry));
            while let Some(mut entry) = next {
                next = entry.next.take();
                all.push((id.clone(), *entry));
            }
        }
        self.len = 0;
        self.kept = 0;
        self.cancelled.clear();
        all.sort_unstable_by_key(|(_, entry)| entry.order);
        all
    }

    /// The bytes to send to a new server, oldest first.
    pub(super) fn resend(&mut self) -> Vec<Vec<u8>> {
        let mut again: Vec<_> = Vec::new();
        for first in self.entries.values_mut() {
            let mut entry = Some(first);
            while let Some(this) = entry {
                if let Some(frame) = &this.frame {
                    this.sent += 1;
                    again.push((this.order, frame.to_vec()));
                }
                entry = this.next.as_deref_mut();
            }
        }
        again.sort_unstable_by_key(|(order, _)| *order);
        again.into_iter().map(|(_, frame)| frame).collect()
    }
}
