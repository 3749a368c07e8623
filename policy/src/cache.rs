//! Decisions that were made already.
//!
//! Owns: a bounded map from facts to decisions. Promises: exact (the whole facts are the key, never
//! only their hash); bounded in number; a poisoned lock costs a decision its cache, nothing else.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex};

use crate::decision::Decision;
use crate::facts::Facts;

/// Shards, so that sessions seldom wait for each other.
const SHARDS: usize = 8;
/// Most decisions in a shard; a full shard is emptied.
const PER_SHARD: usize = 256;

/// A bounded, exact cache.
#[derive(Debug)]
pub(crate) struct Cache {
    hasher: RandomState,
    shards: [Mutex<HashMap<Facts, Arc<Decision>>>; SHARDS],
}

impl Cache {
    pub(crate) fn new() -> Self {
        Self { hasher: RandomState::new(), shards: Default::default() }
    }

    pub(crate) fn get(&self, facts: &Facts) -> Option<Arc<Decision>> {
        self.shard(facts).lock().ok()?.get(facts).cloned()
    }

    pub(crate) fn put(&self, facts: Facts, decision: Arc<Decision>) {
        let Ok(mut shard) = self.shard(&facts).lock() else { return };
        if shard.len() >= PER_SHARD {
            shard.clear();
        }
        shard.insert(facts, decision);
    }

    fn shard(&self, facts: &Facts) -> &Mutex<HashMap<Facts, Arc<Decision>>> {
        // The cheapest fields that differ between sessions pick the shard.
        let hash = self.hasher.hash_one((&facts.server, &facts.tool));
        &self.shards[usize::try_from(hash % SHARDS as u64).unwrap_or_default()]
    }
}
