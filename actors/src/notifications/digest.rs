//! What is to be told with the next notification, and when.
//!
//! Pure: no clock and no I/O. A notification waits until what comes together has come; then until
//! its interval has passed since the last one.

use std::time::Duration;

use tokio::time::Instant;

use super::notice::Notice;
use crate::status::{FindingKind, FindingView};

/// How long news waits for more of it: a file that is saved, or a checkout, brings several at once.
const SETTLE: Duration = Duration::from_millis(300);
/// How many news are kept in words; what comes after is only counted.
const MAX_KEPT: usize = 64;

/// One thing to tell; its texts are redacted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// Something is amiss.
    Found(FindingView),
    /// An entry was wrapped without being asked.
    Wrapped {
        /// The client's id.
        client: String,
        /// The scope within the client.
        scope: String,
        /// The server's name.
        name: String,
    },
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Digest {
    kept: Vec<News>,
    /// What came while as many as may be were kept.
    more: usize,
    /// When the first of them came.
    since: Option<Instant>,
    /// When something was last shown.
    last: Option<Instant>,
}

impl News {
    /// What kind of finding it is; none for good news.
    pub(crate) fn kind(&self) -> Option<FindingKind> {
        match self {
            Self::Found(finding) => Some(finding.kind),
            Self::Wrapped { .. } => None,
        }
    }

    fn entry(&self) -> (&str, &str, &str) {
        match self {
            Self::Found(finding) => (&finding.client, &finding.scope, &finding.name),
            Self::Wrapped { client, scope, name } => (client, scope, name),
        }
    }
}

impl Digest {
    /// Takes news. What is said of an entry replaces what was said of it before.
    pub(crate) fn add(&mut self, news: Vec<News>, now: Instant) {
        for one in news {
            self.kept.retain(|old| old.entry() != one.entry());
            if self.kept.len() < MAX_KEPT {
                self.kept.push(one);
            } else {
                self.more += 1;
            }
            self.since.get_or_insert(now);
        }
    }

    /// Drops the findings that stand no longer: nobody has to do anything about them.
    pub(crate) fn keep(&mut self, standing: &[FindingView]) {
        self.kept.retain(|news| match news {
            News::Found(finding) => standing.contains(finding),
            News::Wrapped { .. } => true,
        });
        self.more = self.more.min(standing.len());
        if self.kept.is_empty() && self.more == 0 {
            self.since = None;
        }
    }

    /// Forgets everything that was to be told.
    pub(crate) fn clear(&mut self) {
        *self = Self { last: self.last, ..Self::default() };
    }

    /// When the next notification is due; none where there is nothing to tell.
    pub(crate) fn due(&self, interval: Duration) -> Option<Instant> {
        let settled = self.since? + SETTLE;
        Some(self.last.map_or(settled, |last| settled.max(last + interval)))
    }

    /// The notification, where one is due.
    pub(crate) fn take(&mut self, interval: Duration, now: Instant) -> Option<Notice> {
        if self.due(interval)? > now {
            return None;
        }
        let notice = Notice::of(&self.kept, self.more);
        *self = Self { last: Some(now), ..Self::default() };
        notice
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::tests::finding;

    const EVERY: Duration = Duration::from_secs(60);

    fn found(name: &str) -> News {
        News::Found(finding(FindingKind::Unprotected, name))
    }

    fn wrapped(name: &str) -> News {
        News::Wrapped { client: "cursor".into(), scope: "user".into(), name: name.into() }
    }

    #[test]
    fn what_comes_together_is_told_together_and_not_before_its_time() {
        let start = Instant::now();
        let mut digest = Digest::default();
        assert_eq!(digest.due(EVERY), None);
        assert_eq!(digest.take(EVERY, start), None);
        digest.add(vec![found("a")], start);
        digest.add(vec![found("b")], start + SETTLE / 2);
        assert_eq!(digest.take(EVERY, start), None, "more may come");
        let shown = digest.take(EVERY, start + SETTLE).expect("it is due");
        assert!(shown.body.contains("“a”") && shown.body.contains("“b”"), "{}", shown.body);

        digest.add(vec![found("c")], start + SETTLE);
        assert_eq!(digest.due(EVERY), Some(start + SETTLE + EVERY));
        assert_eq!(digest.take(EVERY, start + EVERY), None, "one in an interval");
        assert!(digest.take(EVERY, start + SETTLE + EVERY).is_some());
        assert_eq!(digest.due(EVERY), None);
    }

    #[test]
    fn what_is_settled_meanwhile_is_not_told() {
        let start = Instant::now();
        let mut digest = Digest::default();
        digest.add(vec![found("a")], start);
        digest.keep(&[]);
        assert_eq!(digest.due(EVERY), None);
        // Wrapped by itself: the finding is replaced, and the reading after it changes nothing.
        digest.add(vec![found("a"), found("b")], start);
        digest.add(vec![wrapped("a"), wrapped("b")], start);
        digest.keep(&[]);
        let shown = digest.take(EVERY, start + SETTLE).expect("it is due");
        assert!(shown.title.starts_with('2') && !shown.urgent, "{shown:?}");
    }

    #[test]
    fn a_flood_is_counted_and_not_kept() {
        let start = Instant::now();
        let mut digest = Digest::default();
        digest.add((0..10_000).map(|n| found(&n.to_string())).collect(), start);
        assert_eq!((digest.kept.len(), digest.more), (MAX_KEPT, 10_000 - MAX_KEPT));
        let shown = digest.take(EVERY, start + SETTLE).expect("it is due");
        assert!(shown.title.starts_with("10000 "), "{}", shown.title);
        assert_eq!(digest.due(EVERY), None);
    }

    #[test]
    fn what_is_forgotten_leaves_the_interval_in_force() {
        let start = Instant::now();
        let mut digest = Digest::default();
        digest.add(vec![found("a")], start);
        assert!(digest.take(EVERY, start + SETTLE).is_some());
        digest.add(vec![found("b")], start + SETTLE);
        digest.clear();
        assert_eq!(digest.due(EVERY), None);
        digest.add(vec![found("c")], start + SETTLE);
        assert_eq!(digest.due(EVERY), Some(start + SETTLE + EVERY));
    }
}
