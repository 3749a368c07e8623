//! When a failed server is started again, and when it is not.
//!
//! Pure: time is a [`Duration`] since any fixed moment, chance is passed in.
//! Promises: the delay grows from the initial one to the largest, a server that stays up long
//! enough is forgiven, and one that fails too often in the window is given up instead of being
//! restarted for ever (OTP's intensity and period).

use std::{collections::VecDeque, time::Duration};

/// The numbers of the restart policy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RestartPolicy {
    /// The delay after the first failure.
    pub initial: Duration,
    /// The largest delay.
    pub max: Duration,
    /// Uptime after which earlier failures no longer lengthen the delay.
    pub reset_after: Duration,
    /// Failures within the window that are still followed by a restart.
    pub intensity: u32,
    /// The window.
    pub window: Duration,
}

impl Default for RestartPolicy {
    fn default() -> Self {
        Self {
            initial: Duration::from_millis(250),
            max: Duration::from_secs(30),
            reset_after: Duration::from_secs(60),
            intensity: 5,
            window: Duration::from_secs(60),
        }
    }
}

/// What follows a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// Start again after this delay.
    After(Duration),
    /// Too many failures: wait for a person.
    GiveUp,
}

/// The failures of one server so far; bounded by the policy's intensity.
#[derive(Clone, Debug, Default)]
pub struct FailureHistory {
    recent: VecDeque<Duration>,
    streak: u32,
    up_since: Option<Duration>,
}

impl FailureHistory {
    /// The server answered its first message.
    pub fn up(&mut self, now: Duration) {
        self.up_since.get_or_insert(now);
    }

    /// The server failed. `chance` in `0.0..=1.0` spreads restarts of many servers: the delay is
    /// between half and the whole of what the streak calls for.
    pub fn failed(&mut self, policy: &RestartPolicy, now: Duration, chance: f64) -> Restart {
        self.forgive(policy, now);
        self.recent.push_back(now);
        while self.recent.front().is_some_and(|at| now.saturating_sub(*at) > policy.window) {
            self.recent.pop_front();
        }
        if self.recent.len() > policy.intensity as usize {
            self.recent.pop_front();
            return Restart::GiveUp;
        }
        let delay = policy.initial.saturating_mul(1 << self.streak.min(20)).min(policy.max);
        self.streak = self.streak.saturating_add(1);
        Restart::After(delay.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0))
    }

    /// A person asked for another try: everything is forgiven.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    fn forgive(&mut self, policy: &RestartPolicy, now: Duration) {
        if let Some(since) = self.up_since.take()
            && now.saturating_sub(since) >= policy.reset_after
        {
            self.streak = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const POLICY: RestartPolicy = RestartPolicy {
        initial: Duration::from_millis(250),
        max: Duration::from_secs(30),
        reset_after: Duration::from_secs(60),
        intensity: 5,
        window: Duration::from_secs(60),
    };

    fn delays(gaps_seconds: &[u64]) -> Vec<Restart> {
        let mut history = FailureHistory::default();
        let mut now = Duration::ZERO;
        gaps_seconds
            .iter()
            .map(|gap| {
                now += Duration::from_secs(*gap);
                history.failed(&POLICY, now, 1.0)
            })
            .collect()
    }

    #[test]
    fn the_delay_doubles_and_the_sixth_failure_in_a_minute_is_the_last() {
        let after = |ms| Restart::After(Duration::from_millis(ms));
        let expected =
            [after(250), after(500), after(1000), after(2000), after(4000), Restart::GiveUp];
        assert_eq!(delays(&[1; 6]), expected);
    }

    #[test]
    fn slow_failures_are_never_given_up_and_the_delay_has_a_ceiling() {
        let all = delays(&[61; 40]);
        assert!(!all.contains(&Restart::GiveUp));
        assert_eq!(all.last(), Some(&Restart::After(POLICY.max)));
    }

    #[test]
    fn a_minute_of_uptime_is_forgiven_and_less_is_not() {
        for (uptime, expected) in [(60, 250), (59, 500)] {
            let mut history = FailureHistory::default();
            history.failed(&POLICY, Duration::ZERO, 1.0);
            history.up(Duration::from_secs(1));
            let second = history.failed(&POLICY, Duration::from_secs(1 + uptime), 1.0);
            assert_eq!(second, Restart::After(Duration::from_millis(expected)));
        }
    }

    #[test]
    fn a_person_can_always_ask_again() {
        let mut history = FailureHistory::default();
        while history.failed(&POLICY, Duration::ZERO, 0.0) != Restart::GiveUp {}
        history.clear();
        assert_eq!(
            history.failed(&POLICY, Duration::ZERO, 0.0),
            Restart::After(Duration::from_millis(125))
        );
    }

    proptest! {
        #[test]
        fn never_more_restarts_in_a_window_than_the_intensity(
            gaps in prop::collection::vec(0u64..30_000, 1..200),
            chance in 0.0f64..=1.0,
        ) {
            let mut history = FailureHistory::default();
            let mut now = Duration::ZERO;
            let mut restarts: Vec<Duration> = Vec::new();
            for gap in gaps {
                now += Duration::from_millis(gap);
                if let Restart::After(delay) = history.failed(&POLICY, now, chance) {
                    prop_assert!(delay <= POLICY.max);
                    restarts.push(now);
                }
                let recent = restarts.iter().filter(|at| now - **at <= POLICY.window).count();
                prop_assert!(recent <= POLICY.intensity as usize);
                prop_assert!(history.recent.len() <= POLICY.intensity as usize);
            }
        }
    }
}
