//! Owns what a rule that looks far remembers, so that no byte is looked at by it again and again.
//! Accepts where a rule was tried and what came of it; tells whether it should be tried again;
//! promises to be about one text only.

use crate::rule::Rule;

/// How often a rule is tried within what it matched.
const MAX_REPEATED: u32 = 4;

/// What rules remember of one text.
#[derive(Debug, Default)]
pub(super) struct Waits {
    /// Rules that look far, each with the place of its next look.
    waits: Vec<(usize, usize)>,
    /// What expressions matched last.
    repeated: Vec<Repeated>,
}

/// What a rule's expression matched.
#[derive(Debug)]
struct Repeated {
    rule: usize,
    end: usize,
    /// How often the rule matched before that end.
    count: u32,
}

impl Waits {
    /// Lets a rule that looks far, and failed at `at`, skip what it has seen: at least `seen` bytes.
    pub(super) fn wait(&mut self, rule: &Rule, index: usize, at: usize, seen: usize) {
        let skip = seen.max(rule.spec.stride.max(rule.spec.reach) as usize);
        if skip > 0 {
            self.waits.push((index, at + skip));
        }
    }

    /// Notes that a rule matched from `at` to `end`; after a few times within one such match it
    /// waits for its end, so that no byte is looked at more often.
    pub(super) fn repeat(&mut self, index: usize, at: usize, end: usize) {
        match self.repeated.iter_mut().find(|known| known.rule == index) {
            Some(known) if at < known.end => {
                known.count += 1;
                if known.count >= MAX_REPEATED {
                    let until = known.end;
                    self.waits.push((index, until));
                }
            }
            Some(known) => (known.end, known.count) = (end, 1),
            None => self.repeated.push(Repeated { rule: index, end, count: 1 }),
        }
    }

    /// Whether a rule that looks far failed a little before `at`.
    pub(super) fn is_waiting(&mut self, index: usize, at: usize) -> bool {
        self.waits.retain(|&(rule, until)| rule != index || until > at);
        self.waits.iter().any(|&(rule, _)| rule == index)
    }
}
