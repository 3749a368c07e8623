//! How long a test waits for what must happen.
//!
//! Owns: the one place where the tests wait. Accepts: a condition. Emits: a panic that says what
//! never came true. Promises: no wait without an end, and none longer than needed.

use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, Instant};

/// Between two looks at a condition.
const PAUSE: Duration = Duration::from_millis(5);

/// How long anything that must happen may take before a test fails: `DEFENTER_TEST_PATIENCE_MS`
/// milliseconds. The default leaves room for a loaded machine that starts Node programs.
pub(crate) static PATIENCE: LazyLock<Duration> = LazyLock::new(|| {
    let milliseconds = std::env::var("DEFENTER_TEST_PATIENCE_MS");
    let milliseconds = milliseconds.ok().and_then(|text| text.parse().ok());
    Duration::from_millis(milliseconds.unwrap_or(30_000))
});

/// Waits until `look` gives something, at most [`PATIENCE`].
pub(crate) fn eventually<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + *PATIENCE;
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if Instant::now() >= end {
            return None;
        }
        thread::park_timeout(PAUSE);
    }
}

/// Asserts that a condition comes true within the patience of the run.
macro_rules! assert_eventually {
    ($condition:expr, $($message:tt)+) => {
        if $crate::patience::eventually(|| $condition.then_some(())).is_none() {
            panic!("never came true: {}: {}", stringify!($condition), format_args!($($message)+));
        }
    };
    ($condition:expr) => {
        assert_eventually!($condition, "(no more is known)")
    };
}

pub(crate) use assert_eventually;
