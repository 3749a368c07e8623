//! A server as a client's config names it, as far as the supervisor needs it, and the difference
//! between two readings of all configs.
//!
//! Pure. Accepts: desired and running entries. Emits: [`Step`]s.
//! Promises: an entry that did not change yields no step, so its sessions do not notice.

use std::collections::{BTreeMap, BTreeSet};

/// The scope of a server that a client started without a config that we can read.
const UNLISTED: &str = "session";

/// What makes an entry the same one across readings.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryKey {
    /// The client's id.
    pub client: String,
    /// Where in the client's configs: user, project, …
    pub scope: String,
    /// The server's name.
    pub name: String,
}

/// One entry: how a client starts or reaches one server.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The client's id.
    pub client: String,
    /// Where in the client's configs.
    pub scope: String,
    /// The server's name.
    pub name: String,
    /// The original program and its arguments; empty where nothing is started (a remote server,
    /// or a session without an entry).
    pub command: Vec<String>,
    /// The variables that the entry adds to the environment.
    pub env: BTreeMap<String, String>,
}

impl std::fmt::Debug for Entry {
    // Arguments and variables can hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Entry({} {} {})", self.client, self.scope, self.name)
    }
}

/// How to start a server whose entry has changed, on top of its session's surroundings.
#[derive(Clone, PartialEq, Eq)]
pub struct Relaunch {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Variables to set.
    pub set: BTreeMap<String, String>,
    /// Variables that the old entry set and the new one does not.
    pub unset: BTreeSet<String>,
}

impl std::fmt::Debug for Relaunch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Relaunch({} words)", self.command.len())
    }
}

impl Entry {
    /// The entry of a session that no config names.
    #[must_use]
    pub fn unlisted(client: Option<&str>, name: &str) -> Self {
        Self {
            client: client.unwrap_or("unknown").to_owned(),
            scope: UNLISTED.to_owned(),
            name: name.to_owned(),
            command: Vec::new(),
            env: BTreeMap::new(),
        }
    }

    /// Whether no config names it.
    #[must_use]
    pub fn is_unlisted(&self) -> bool {
        self.scope == UNLISTED
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> EntryKey {
        EntryKey { client: self.client.clone(), scope: self.scope.clone(), name: self.name.clone() }
    }

    /// How sessions of `old` are started from now on: nothing where the launch is the same, or
    /// where only the client can fill in what it says (`${HOME}`, `{env:X}`, `$input`).
    #[must_use]
    pub fn relaunch(&self, old: &Self) -> Option<Relaunch> {
        if self.command.is_empty() || (self.command == old.command && self.env == old.env) {
            return None;
        }
        let texts = || self.command.iter().chain(self.env.values());
        if texts().any(|text| text.contains(['$', '{', '%'])) {
            return None;
        }
        let unset = old.env.keys().filter(|key| !self.env.contains_key(*key)).cloned().collect();
        Some(Relaunch { command: self.command.clone(), set: self.env.clone(), unset })
    }
}

/// What to do about one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is new.
    Add(Entry),
    /// It says something else.
    Change(Entry),
    /// It is gone.
    Remove(EntryKey),
}

/// The steps from the entries that run to those that are wanted.
#[must_use]
pub fn reconcile(running: &BTreeMap<EntryKey, Entry>, wanted: &[Entry]) -> Vec<Step> {
    let wanted: BTreeMap<EntryKey, &Entry> =
        wanted.iter().map(|entry| (entry.key(), entry)).collect();
    let gone = running.keys().filter(|key| !wanted.contains_key(key)).cloned().map(Step::Remove);
    let other = wanted.iter().filter_map(|(key, entry)| match running.get(key) {
        None => Some(Step::Add((*entry).clone())),
        Some(old) if old != *entry => Some(Step::Change((*entry).clone())),
        Some(_) => None,
    });
    gone.chain(other).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry(name: &str, command: &[&str]) -> Entry {
        Entry {
            client: "cursor".into(),
            scope: "user".into(),
            name: name.into(),
            command: command.iter().map(|word| (*word).to_owned()).collect(),
            env: BTreeMap::new(),
        }
    }

    fn running(entries: &[Entry]) -> BTreeMap<EntryKey, Entry> {
        entries.iter().map(|entry| (entry.key(), entry.clone())).collect()
    }

    #[test]
    fn only_what_differs_is_touched() {
        let before = [entry("same", &["a"]), entry("changes", &["a"]), entry("goes", &["a"])];
        let after = [entry("same", &["a"]), entry("changes", &["b"]), entry("comes", &["a"])];
        let steps = reconcile(&running(&before), &after);
        assert_eq!(
            steps,
            [
                Step::Remove(before[2].key()),
                Step::Change(after[1].clone()),
                Step::Add(after[2].clone()),
            ]
        );
    }

    #[test]
    fn a_launch_with_the_clients_variables_is_left_to_the_client() {
        let old = entry("x", &["old"]);
        assert!(entry("x", &["new"]).relaunch(&old).is_some());
        assert!(entry("x", &["${HOME}/new"]).relaunch(&old).is_none());
        assert!(old.relaunch(&old).is_none());
        let with_env =
            Entry { env: BTreeMap::from([("A".into(), "1".into())]), ..entry("x", &["old"]) };
        let relaunch = old.relaunch(&with_env).unwrap();
        assert_eq!(relaunch.unset, BTreeSet::from(["A".to_owned()]));
    }

    fn entries() -> impl Strategy<Value = Vec<Entry>> {
        prop::collection::vec(("[a-d]", "[xy]"), 0..6)
            .prop_map(|list| list.iter().map(|(name, word)| entry(name, &[word])).collect())
    }

    proptest! {
        #[test]
        fn reconciling_reaches_what_is_wanted_and_then_rests(
            before in entries(), after in entries()
        ) {
            let mut state = running(&before);
            for step in reconcile(&state.clone(), &after) {
                match step {
                    Step::Add(entry) | Step::Change(entry) => { state.insert(entry.key(), entry); }
                    Step::Remove(key) => { state.remove(&key); }
                }
            }
            prop_assert_eq!(&state, &running(&after));
            prop_assert!(reconcile(&state, &after).is_empty());
        }
    }
}
