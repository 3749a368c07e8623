//! The life of one wrapped server as a pure state machine: events in, effects out.
//!
//! A server has as many processes as it has sessions, and one restart history for all of them.
//! Nothing here knows a runtime, a process or a clock.

use std::{collections::BTreeMap, time::Duration};

use defenter_mcp::process::Exit;

use crate::{
    restart::{FailureHistory, Restart, RestartPolicy},
    session::SessionId,
    status::ServerState,
};

/// Starts that a session is given before its server has ever answered it. A bare client would
/// see the very first failure; two more tries cover crashes by bad luck, and no more, since a
/// client waits only seconds for a handshake.
const FIRST_STARTS: u32 = 3;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Event {
    /// A client opened a session.
    Opened(SessionId),
    /// The session's process answered for the first time, or again after a restart.
    Ready(SessionId),
    /// The session's process ended by a crash, or closed its output.
    Failed {
        /// The session.
        session: SessionId,
        /// How the process ended.
        exit: Exit,
    },
    /// The session's process could not be started at all, and trying again cannot help.
    CannotStart(SessionId),
    /// The session's process ended by its own choice with nothing left to do.
    Finished(SessionId),
    /// The client of a session without a process sent something.
    Wanted(SessionId),
    /// The session is over.
    Closed(SessionId),
    /// A person asked for a restart.
    RestartAsked,
    /// The supervisor stops, or the entry is gone from the config.
    Drain,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Effect {
    /// Start a process for the session after the delay.
    Start {
        /// The session.
        session: SessionId,
        /// The delay.
        after: Duration,
    },
    /// Replace the session's running process.
    Bounce(SessionId),
    /// Answer the session's requests with "unavailable" until a restart is asked for.
    Hold(SessionId),
    /// End the session the way its server ended.
    End {
        /// The session.
        session: SessionId,
        /// What the shim exits with.
        exit: Exit,
    },
    /// End the session in good order.
    Stop(SessionId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Being started for the nth time; never answered yet.
    First(u32),
    /// Waiting to be started again.
    Waiting,
    /// Answering.
    Ready,
    /// Ended by itself; started again when the client wants something.
    Dormant,
    /// Given up until a person asks.
    Held,
}

/// The state of one wrapped server.
#[derive(Debug)]
pub(crate) struct Lifecycle {
    policy: RestartPolicy,
    history: FailureHistory,
    sessions: BTreeMap<SessionId, Phase>,
    quarantined: bool,
    draining: bool,
    restarts: u64,
    last_exit: Option<Exit>,
}

impl Lifecycle {
    /// A server without sessions.
    #[must_use]
    pub(crate) fn new(policy: RestartPolicy) -> Self {
        Self {
            policy,
            history: FailureHistory::default(),
            sessions: BTreeMap::new(),
            quarantined: false,
            draining: false,
            restarts: 0,
            last_exit: None,
        }
    }

    /// Takes a changed restart policy into use.
    pub(crate) fn set_policy(&mut self, policy: RestartPolicy) {
        self.policy = policy;
    }

    /// Processes started in place of failed ones so far.
    #[must_use]
    pub(crate) fn restarts(&self) -> u64 {
        self.restarts
    }

    /// How the last process that ended did so.
    #[must_use]
    pub(crate) fn last_exit(&self) -> Option<Exit> {
        self.last_exit
    }

    /// Whether the entry is gone and the last session has ended.
    #[must_use]
    pub(crate) fn stopped(&self) -> bool {
        self.draining && self.sessions.is_empty()
    }

    /// The state to show.
    #[must_use]
    pub(crate) fn state(&self) -> ServerState {
        let any = |wanted: fn(&Phase) -> bool| self.sessions.values().any(wanted);
        if self.draining {
            return if self.sessions.is_empty() {
                ServerState::Stopped
            } else {
                ServerState::Draining
            };
        }
        if self.quarantined {
            return ServerState::Quarantined;
        }
        if any(|phase| *phase == Phase::Ready) {
            return ServerState::Ready;
        }
        if any(|phase| *phase == Phase::Waiting) {
            return ServerState::Backoff;
        }
        if any(|phase| matches!(phase, Phase::First(_))) {
            return ServerState::Starting;
        }
        ServerState::Idle
    }

    /// Takes one event at `now` (since any fixed moment); `chance` in `0.0..=1.0` spreads the
    /// restarts.
    pub(crate) fn step(&mut self, event: Event, now: Duration, chance: f64) -> Vec<Effect> {
        match event {
            Event::Opened(session) => self.opened(session),
            Event::Ready(session) => {
                self.history.up(now);
                self.set(session, Phase::Ready);
                Vec::new()
            }
            Event::Failed { session, exit } => self.failed(session, exit, now, chance),
            Event::CannotStart(session) => {
                self.last_exit = Some(Exit::Code(1));
                self.end(session, Exit::Code(1))
            }
            Event::Finished(session) => {
                self.last_exit = Some(Exit::Code(0));
                self.set(session, Phase::Dormant);
                Vec::new()
            }
            Event::Wanted(session) => self.wanted(session),
            Event::Closed(session) => {
                self.sessions.remove(&session);
                Vec::new()
            }
            Event::RestartAsked => self.restart_asked(),
            Event::Drain => {
                self.draining = true;
                self.sessions.keys().map(|session| Effect::Stop(*session)).collect()
            }
        }
    }

    fn set(&mut self, session: SessionId, phase: Phase) {
        if let Some(current) = self.sessions.get_mut(&session) {
            *current = phase;
        }
    }

    fn end(&mut self, session: SessionId, exit: Exit) -> Vec<Effect> {
        self.sessions.remove(&session);
        vec![Effect::End { session, exit }]
    }

    fn opened(&mut self, session: SessionId) -> Vec<Effect> {
        if self.draining {
            return vec![Effect::Stop(session)];
        }
        // A new client is a new try: quarantine protects from loops, not from people.
        self.quarantined = false;
        self.sessions.insert(session, Phase::First(1));
        vec![Effect::Start { session, after: Duration::ZERO }]
    }

    fn failed(
        &mut self,
        session: SessionId,
        exit: Exit,
        now: Duration,
        chance: f64,
    ) -> Vec<Effect> {
        self.last_exit = Some(exit);
        let Some(phase) = self.sessions.get(&session).copied() else { return Vec::new() };
        if self.draining {
            return Vec::new();
        }
        let verdict = self.history.failed(&self.policy, now, chance);
        match (phase, verdict) {
            (Phase::First(_), Restart::GiveUp) => {
                self.quarantined = true;
                self.end(session, exit)
            }
            (Phase::First(starts), _) if starts >= FIRST_STARTS => self.end(session, exit),
            (Phase::First(starts), Restart::After(after)) => {
                self.start_again(session, Phase::First(starts + 1), after)
            }
            (_, Restart::After(after)) => self.start_again(session, Phase::Waiting, after),
            (_, Restart::GiveUp) => {
                self.quarantined = true;
                self.set(session, Phase::Held);
                vec![Effect::Hold(session)]
            }
        }
    }

    fn start_again(&mut self, session: SessionId, phase: Phase, after: Duration) -> Vec<Effect> {
        self.restarts += 1;
        self.set(session, phase);
        vec![Effect::Start { session, after }]
    }

    fn wanted(&mut self, session: SessionId) -> Vec<Effect> {
        match self.sessions.get(&session) {
            Some(Phase::Dormant) if !self.draining => {
                self.start_again(session, Phase::Waiting, Duration::ZERO)
            }
            _ => Vec::new(),
        }
    }

    fn restart_asked(&mut self) -> Vec<Effect> {
        if self.draining {
            return Vec::new();
        }
        self.quarantined = false;
        self.history.clear();
        let mut effects = Vec::new();
        for (session, phase) in &mut self.sessions {
            match *phase {
                Phase::Held | Phase::Dormant | Phase::Waiting => {
                    *phase = Phase::Waiting;
                    effects.push(Effect::Start { session: *session, after: Duration::ZERO });
                }
                Phase::Ready => effects.push(Effect::Bounce(*session)),
                Phase::First(_) => {}
            }
        }
        self.restarts += effects.len() as u64;
        effects
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const A: SessionId = SessionId::new(1);
    const B: SessionId = SessionId::new(2);
    const CRASH: Exit = Exit::Signal(9);

    struct Check {
        life: Lifecycle,
        now: Duration,
    }

    impl Check {
        fn new() -> Self {
            Self { life: Lifecycle::new(RestartPolicy::default()), now: Duration::ZERO }
        }

        fn step(&mut self, event: Event) -> Vec<Effect> {
            self.now += Duration::from_millis(10);
            self.life.step(event, self.now, 1.0)
        }
    }

    fn crash(session: SessionId) -> Event {
        Event::Failed { session, exit: CRASH }
    }

    #[test]
    fn a_session_starts_answers_crashes_and_is_started_again() {
        let mut check = Check::new();
        assert_eq!(check.life.state(), ServerState::Idle);
        let start = Effect::Start { session: A, after: Duration::ZERO };
        assert_eq!(check.step(Event::Opened(A)), [start]);
        assert_eq!(check.life.state(), ServerState::Starting);
        assert_eq!(check.step(Event::Ready(A)), []);
        assert_eq!(check.life.state(), ServerState::Ready);
        let again = Effect::Start { session: A, after: Duration::from_millis(250) };
        assert_eq!(check.step(crash(A)), [again]);
        assert_eq!(check.life.state(), ServerState::Backoff);
        check.step(Event::Ready(A));
        assert_eq!(check.life.state(), ServerState::Ready);
        assert_eq!(check.life.restarts(), 1);
    }

    #[test]
    fn a_server_that_never_answers_ends_like_a_bare_one_after_two_more_tries() {
        let mut check = Check::new();
        let exit = Exit::Code(3);
        check.step(Event::Opened(A));
        for _ in 1..FIRST_STARTS {
            let again = check.step(Event::Failed { session: A, exit });
            assert!(matches!(again[..], [Effect::Start { .. }]), "{again:?}");
        }
        let end = check.step(Event::Failed { session: A, exit });
        assert_eq!(end, [Effect::End { session: A, exit }]);
        assert_eq!(check.life.state(), ServerState::Idle);
    }

    #[test]
    fn a_crash_loop_is_quarantined_and_a_person_or_a_new_session_ends_that() {
        for way_out in [Event::RestartAsked, Event::Opened(B)] {
            let mut check = Check::new();
            check.step(Event::Opened(A));
            check.step(Event::Ready(A));
            let mut effects = check.step(crash(A));
            while effects != [Effect::Hold(A)] {
                check.step(Event::Ready(A));
                effects = check.step(crash(A));
            }
            assert_eq!(check.life.state(), ServerState::Quarantined);
            let effects = check.step(way_out);
            assert!(matches!(effects[..], [Effect::Start { .. }]), "{effects:?}");
            assert_ne!(check.life.state(), ServerState::Quarantined);
        }
    }

    #[test]
    fn a_voluntary_end_is_no_failure_and_the_next_message_starts_it() {
        let mut check = Check::new();
        check.step(Event::Opened(A));
        check.step(Event::Ready(A));
        assert_eq!(check.step(Event::Finished(A)), []);
        assert_eq!(check.life.state(), ServerState::Idle);
        let start = Effect::Start { session: A, after: Duration::ZERO };
        assert_eq!(check.step(Event::Wanted(A)), [start]);
        assert_eq!(check.step(Event::Wanted(A)), [], "asked for once");
    }

    #[test]
    fn draining_stops_every_session_and_starts_nothing() {
        let mut check = Check::new();
        check.step(Event::Opened(A));
        check.step(Event::Opened(B));
        assert_eq!(check.step(Event::Drain), [Effect::Stop(A), Effect::Stop(B)]);
        assert_eq!(check.step(crash(A)), []);
        check.step(Event::Closed(A));
        assert!(!check.life.stopped());
        check.step(Event::Closed(B));
        assert!(check.life.stopped());
        assert_eq!(check.life.state(), ServerState::Stopped);
    }

    fn events() -> impl Strategy<Value = Event> {
        let session = prop_oneof![Just(A), Just(B)];
        session.prop_flat_map(|s| {
            prop_oneof![
                Just(Event::Opened(s)),
                Just(Event::Ready(s)),
                Just(crash(s)),
                Just(Event::Finished(s)),
                Just(Event::Wanted(s)),
                Just(Event::Closed(s)),
                Just(Event::RestartAsked),
            ]
        })
    }

    proptest! {
        #[test]
        fn effects_name_known_sessions_and_quarantine_is_never_a_dead_end(
            sequence in prop::collection::vec(events(), 0..60)
        ) {
            let mut check = Check::new();
            for event in sequence {
                let before: Vec<_> = check.life.sessions.keys().copied().collect();
                for effect in check.step(event) {
                    let (Effect::Start { session, .. } | Effect::Bounce(session)
                        | Effect::Hold(session) | Effect::End { session, .. }
                        | Effect::Stop(session)) = effect;
                    prop_assert!(before.contains(&session) || event == Event::Opened(session));
                }
                let quarantined = check.life.state() == ServerState::Quarantined;
                prop_assert!(!(quarantined && event == Event::RestartAsked));
            }
        }
    }
}
