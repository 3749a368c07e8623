//! The server's requests that the client has.
//!
//! Owns: for each, the id that the client sees and the id that the server wrote. Accepts: requests
//! and cancellations of a server, answers of the client. Emits: ids to put in place of others.
//! Promises: an answer reaches only the server process that asked; memory is bounded.

use std::collections::{HashMap, VecDeque};

use crate::id::{Id, OwnedId};

/// One request of the server's.
struct Question {
    server_id: OwnedId,
    /// How often it was asked under this id.
    times: u32,
    cancelled: bool,
}

/// All of them, by the id that the client sees.
pub(super) struct Asked {
    questions: HashMap<OwnedId, Question>,
    cancelled: VecDeque<OwnedId>,
    numbered: u64,
}

/// How many cancelled requests are remembered for an answer that crosses the cancellation.
const MAX_CANCELLED: usize = 64;

impl Asked {
    pub(super) fn new() -> Self {
        Self { questions: HashMap::new(), cancelled: VecDeque::new(), numbered: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.questions.len()
    }

    /// Notes a request under the id that the server gave it.
    pub(super) fn insert(&mut self, id: Id<'_>) {
        if let Some(question) = self.questions.get_mut(id.as_str()) {
            question.times = question.times.saturating_add(1);
            return;
        }
        self.add(id.to_owned(), id);
    }

    /// Notes a request under an id of our own, which it gives.
    pub(super) fn insert_renamed(&mut self, id: Id<'_>, prefix: &str) -> OwnedId {
        self.numbered += 1;
        let shown = OwnedId::of_text(&format!("{prefix}.{}", self.numbered));
        self.add(shown.clone(), id);
        shown
    }

    fn add(&mut self, shown: OwnedId, id: Id<'_>) {
        let question = Question { server_id: id.to_owned(), times: 1, cancelled: false };
        self.questions.insert(shown, question);
    }

    /// Takes out the request that the client answers, and gives the server's id for it.
    pub(super) fn answer(&mut self, id: Id<'_>) -> Option<OwnedId> {
        let key = self.key(id)?;
        let question = self.questions.get_mut(&key)?;
        question.times -= 1;
        if question.times > 0 {
            return Some(question.server_id.clone());
        }
        if question.cancelled {
            self.cancelled.retain(|other| *other != key);
        }
        self.questions.remove(&key).map(|question| question.server_id)
    }

    /// Marks the request that the server gave this id as cancelled; gives the id that the client
    /// sees.
    pub(super) fn cancel(&mut self, server_id: Id<'_>) -> Option<OwnedId> {
        let (shown, question) =
            self.questions.iter_mut().find(|(_, q)| q.server_id.as_id().means(server_id))?;
        let shown = shown.clone();
        if !std::mem::replace(&mut question.cancelled, true) {
            self.cancelled.push_back(shown.clone());
        }
        if self.cancelled.len() > MAX_CANCELLED
            && let Some(oldest) = self.cancelled.pop_front()
        {
            self.questions.remove(&oldest);
        }
        Some(shown)
    }

    /// Takes out all; gives the ids that the client sees and still works on.
    pub(super) fn drain(&mut self) -> Vec<OwnedId> {
        self.cancelled.clear();
        self.questions.drain().filter(|(_, q)| !q.cancelled).map(|(shown, _)| shown).collect()
    }

    fn key(&self, id: Id<'_>) -> Option<OwnedId> {
        if let Some((key, _)) = self.questions.get_key_value(id.as_str()) {
            return Some(key.clone());
        }
        self.questions.keys().find(|key| key.as_id().means(id)).cloned()
    }
}
