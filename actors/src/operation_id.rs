//! The ids of operations: UUIDs of version 7 (RFC 9562), so that they sort by time.
//!
//! Promises: no system call for each. What is random in them comes from a keyed hash of a counter,
//! whose key is the system's; they need be distinct, not secret.

use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
static COUNT: AtomicU64 = AtomicU64::new(0);

/// A new one.
pub(crate) fn new() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let millis = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    at(millis, COUNT.fetch_add(1, Ordering::Relaxed))
}

fn at(millis: u64, count: u64) -> String {
    let mut random = [0; 10];
    // The lowest bits of the count, so that those of one millisecond sort as they were made.
    random[..2].copy_from_slice(&count.to_be_bytes()[6..]);
    random[2..].copy_from_slice(&KEY.hash_one(count).to_ne_bytes());
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn they_are_distinct_and_of_version_seven() {
        let ids: HashSet<String> = (0..10_000).map(|_| new()).collect();
        assert_eq!(ids.len(), 10_000);
        for id in &ids {
            let id: uuid::Uuid = id.parse().unwrap();
            assert_eq!((id.get_version_num(), id.get_variant()), (7, uuid::Variant::RFC4122));
        }
    }

    #[test]
    fn they_sort_by_time_and_then_as_they_were_made() {
        let ids: Vec<String> = (0..8000).map(|n| at(1_000_000 + n / 4000, n % 4000)).collect();
        assert!(ids.is_sorted());
    }
}
