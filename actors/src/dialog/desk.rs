//! The questions that are open: one shown at a time, equal ones asked once, answers that come
//! late kept for the retry.
//!
//! Pure: time is a [`Duration`] since any fixed moment. Owns: who waits for which answer.
//! Promises: bounded; an allow passes exactly the operation that was asked about, once per
//! waiting request, or once when it is retried within [`LATE`].

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use super::{Answer, Question};

/// Questions open at once; one more is refused.
pub const MAX_OPEN: usize = 64;
/// Requests that wait for the same answer; one more is refused.
const MAX_WAITING: usize = 16;
/// Late allows that are kept.
const MAX_LATE: usize = 64;
/// How long a late allow waits for the retry it was given for.
pub const LATE: Duration = Duration::from_secs(120);

/// What makes two questions the same one: a hash of session, method, tool and exact arguments.
pub type Key = [u8; 32];

/// A question with all that is needed to show it.
#[derive(Debug)]
pub struct Asked<W> {
    /// What makes it the same as another.
    pub key: Key,
    /// What is shown.
    pub question: Question,
    /// Display variables of the client that caused it.
    pub environment: Vec<(std::ffi::OsString, std::ffi::OsString)>,
    /// Who waits for the answer.
    pub waiter: W,
}

#[derive(Debug)]
struct Open<W> {
    key: Key,
    question: Question,
    environment: Vec<(std::ffi::OsString, std::ffi::OsString)>,
    waiters: Vec<W>,
    since: Duration,
}

/// A question to show.
#[derive(Debug)]
pub struct Shown {
    /// Its key.
    pub key: Key,
    /// What is shown.
    pub question: Question,
    /// Display variables of the client that caused it.
    pub environment: Vec<(std::ffi::OsString, std::ffi::OsString)>,
}

/// What is to be done.
#[derive(Debug)]
pub enum Effect<W> {
    /// Show this question.
    Show(Box<Shown>),
    /// Take the question off the screen.
    Close,
    /// Tell those who wait.
    Tell {
        /// Who.
        waiters: Vec<W>,
        /// What.
        answer: Answer,
        /// How long the question was open.
        open: Duration,
    },
}

/// The open questions. `W` is whoever waits; `alive` tells whether it still does.
#[derive(Debug)]
pub struct Desk<W> {
    open: VecDeque<Open<W>>,
    shown: bool,
    late: HashMap<Key, Duration>,
    alive: fn(&W) -> bool,
}

impl<W> Desk<W> {
    /// No questions yet.
    #[must_use]
    pub fn new(alive: fn(&W) -> bool) -> Self {
        Self { open: VecDeque::new(), shown: false, late: HashMap::new(), alive }
    }

    /// How many questions are open.
    #[must_use]
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether no question is open.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Takes a new question.
    pub fn ask(&mut self, asked: Asked<W>, now: Duration) -> Vec<Effect<W>> {
        self.late.retain(|_, until| *until > now);
        let Asked { key, question, environment, waiter } = asked;
        if self.late.remove(&key).is_some() {
            return vec![tell(vec![waiter], Answer::Allow, Duration::ZERO)];
        }
        if let Some(open) = self.open.iter_mut().find(|open| open.key == key) {
            if open.waiters.len() < MAX_WAITING {
                open.waiters.push(waiter);
                return Vec::new();
            }
            return vec![tell(vec![waiter], Answer::Unavailable, Duration::ZERO)];
        }
        if self.open.len() >= MAX_OPEN {
            return vec![tell(vec![waiter], Answer::Unavailable, Duration::ZERO)];
        }
        let waiters = vec![waiter];
        self.open.push_back(Open { key, question, environment, waiters, since: now });
        self.show_next().into_iter().collect()
    }

    /// Takes the answer to the question that is shown.
    pub fn answered(&mut self, key: Key, answer: Answer, now: Duration) -> Vec<Effect<W>> {
        if !self.shown || self.open.front().is_none_or(|open| open.key != key) {
            return Vec::new();
        }
        self.shown = false;
        let mut effects = Vec::new();
        if let Some(open) = self.open.pop_front() {
            let waiters: Vec<W> = open.waiters.into_iter().filter(self.alive).collect();
            if answer.is_allow() && waiters.is_empty() && self.late.len() < MAX_LATE {
                self.late.insert(key, now + LATE);
            }
            effects.push(tell(waiters, answer, now.saturating_sub(open.since)));
        }
        effects.extend(self.show_next());
        effects
    }

    /// Takes a question back whose request was cancelled, unless somebody else still waits.
    pub fn withdraw(&mut self, key: Key, now: Duration) -> Vec<Effect<W>> {
        let Some(at) = self.open.iter().position(|open| open.key == key) else {
            return Vec::new();
        };
        let alive = self.alive;
        self.open[at].waiters.retain(alive);
        if !self.open[at].waiters.is_empty() {
            return Vec::new();
        }
        let mut effects = Vec::new();
        if at == 0 && self.shown {
            self.shown = false;
            effects.push(Effect::Close);
        }
        if let Some(open) = self.open.remove(at) {
            effects.push(tell(Vec::new(), Answer::Cancelled, now.saturating_sub(open.since)));
        }
        effects.extend(self.show_next());
        effects
    }

    fn show_next(&mut self) -> Option<Effect<W>> {
        let open = self.open.front().filter(|_| !self.shown)?;
        self.shown = true;
        Some(Effect::Show(Box::new(Shown {
            key: open.key,
            question: open.question.clone(),
            environment: open.environment.clone(),
        })))
    }
}

fn tell<W>(waiters: Vec<W>, answer: Answer, open: Duration) -> Effect<W> {
    Effect::Tell { waiters, answer, open }
}

#[cfg(test)]
mod tests {
    use super::super::question::tests::sample;
    use super::*;

    /// A waiter that still waits when it is even.
    fn desk() -> Desk<u32> {
        Desk::new(|waiter| waiter % 2 == 0)
    }

    fn asked(key: u8, waiter: u32) -> Asked<u32> {
        Asked { key: [key; 32], question: sample(), environment: Vec::new(), waiter }
    }

    fn brief(effects: &[Effect<u32>]) -> Vec<String> {
        let one = |effect: &Effect<u32>| match effect {
            Effect::Show(shown) => format!("show {}", shown.key[0]),
            Effect::Close => "close".into(),
            Effect::Tell { waiters, answer, .. } => format!("tell {waiters:?} {}", answer.label()),
        };
        effects.iter().map(one).collect()
    }

    const NOW: Duration = Duration::from_secs(1);

    #[test]
    fn one_question_is_shown_at_a_time_and_equal_ones_share_it() {
        let mut desk = desk();
        assert_eq!(brief(&desk.ask(asked(1, 2), NOW)), ["show 1"]);
        assert!(desk.ask(asked(2, 4), NOW).is_empty());
        assert!(desk.ask(asked(1, 6), NOW).is_empty());
        let effects = desk.answered([1; 32], Answer::Deny, NOW);
        assert_eq!(brief(&effects), ["tell [2, 6] deny", "show 2"]);
    }

    #[test]
    fn a_late_allow_passes_the_retry_once_and_only_soon() {
        let mut desk = desk();
        desk.ask(asked(1, 1), NOW);
        assert_eq!(brief(&desk.answered([1; 32], Answer::Allow, NOW)), ["tell [] allow"]);
        assert_eq!(brief(&desk.ask(asked(1, 2), NOW)), ["tell [2] allow"]);
        assert_eq!(brief(&desk.ask(asked(1, 2), NOW)), ["show 1"], "a second retry is asked anew");
        let mut desk = self::desk();
        desk.ask(asked(1, 1), NOW);
        desk.answered([1; 32], Answer::Allow, NOW);
        assert_eq!(brief(&desk.ask(asked(1, 2), NOW + LATE)), ["show 1"]);
    }

    #[test]
    fn a_late_refusal_is_not_kept() {
        let mut desk = desk();
        desk.ask(asked(1, 1), NOW);
        desk.answered([1; 32], Answer::Deny, NOW);
        assert_eq!(brief(&desk.ask(asked(1, 2), NOW)), ["show 1"]);
    }

    #[test]
    fn a_cancelled_request_takes_its_question_off_the_screen() {
        let mut desk = desk();
        desk.ask(asked(1, 1), NOW);
        desk.ask(asked(2, 2), NOW);
        let effects = desk.withdraw([1; 32], NOW);
        assert_eq!(brief(&effects), ["close", "tell [] cancelled", "show 2"]);
        assert!(desk.withdraw([2; 32], NOW).is_empty(), "somebody still waits for it");
        assert!(desk.answered([1; 32], Answer::Allow, NOW).is_empty(), "it is no longer shown");
    }

    #[test]
    fn too_many_questions_are_refused() {
        let mut desk = desk();
        for key in 0..MAX_OPEN {
            desk.ask(asked(u8::try_from(key).unwrap(), 2), NOW);
        }
        assert_eq!(brief(&desk.ask(asked(200, 4), NOW)), ["tell [4] unavailable"]);
    }
}
