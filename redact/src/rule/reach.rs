//! Owns how far an expression can go on from a place.
//! Accepts a text and a place; emits where no match from there can go on, and whether there was one;
//! promises to look at no byte beyond that, and at no more bytes than asked for.

use std::panic::{RefUnwindSafe, UnwindSafe};

use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson;
use regex_automata::util::pool::Pool;
use regex_automata::{Anchored, Input};
use regex_syntax::hir::Hir;

/// Makes the memory of a search.
type Make = Box<dyn Fn() -> Cache + Send + Sync + UnwindSafe + RefUnwindSafe>;

/// What a place in a text comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// No match starts there; so many bytes had to be looked at.
    None(usize),
    /// A match starts there, and none goes on after so many bytes.
    Within(usize),
    /// A match may go on.
    Beyond,
}

/// An automaton that tells when a match can no longer come.
pub(super) struct Automaton {
    dfa: DFA,
    caches: Pool<Cache, Make>,
}

impl std::fmt::Debug for Automaton {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Automaton").finish_non_exhaustive()
    }
}

impl Automaton {
    /// The automaton of an expression; nothing where it is too large.
    pub(super) fn new(hir: &Hir) -> Option<Automaton> {
        let config = thompson::Config::new().utf8(false).nfa_size_limit(Some(super::MAX_SIZE));
        let nfa = thompson::Compiler::new().configure(config).build_from_hir(hir).ok()?;
        let config = DFA::config().cache_capacity(super::MAX_CACHE);
        let dfa = DFA::builder().configure(config).build_from_nfa(nfa).ok()?;
        let own = dfa.clone();
        let make: Make = Box::new(move || own.create_cache());
        Some(Automaton { dfa, caches: Pool::new(make) })
    }

    /// Looks at no more than `most` bytes from `start`, in a text that ends at `end`.
    pub(super) fn reach(&self, text: &[u8], start: usize, end: usize, most: usize) -> Reach {
        let mut cache = self.caches.get();
        let input = Input::new(text).range(start..end).anchored(Anchored::Yes);
        let Ok(mut state) = self.dfa.start_state_forward(&mut cache, &input) else {
            return Reach::Beyond;
        };
        let mut matched = false;
        for (index, byte) in text[start..end].iter().take(most).enumerate() {
            let Ok(next) = self.dfa.next_state(&mut cache, state, *byte) else {
                return Reach::Beyond;
            };
            state = next;
            if state.is_tagged() {
                if state.is_dead() {
                    return if matched { Reach::Within(index + 1) } else { Reach::None(index + 1) };
                }
                if state.is_quit() {
                    return Reach::Beyond;
                }
                matched |= state.is_match();
            }
        }
        Reach::Beyond
    }
}
