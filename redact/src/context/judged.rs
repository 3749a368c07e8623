//! Owns the memory of what was judged last: texts repeat themselves, and what one key and value
//! are is the same wherever they stand.
//! Accepts assignments; emits what the same one was judged to be; promises to compare every byte,
//! and a small fixed size.

use std::ops::Range;

use super::assigned::Assigned;
use crate::{Confidence, Kind};

/// Longest value that is remembered, in bytes.
const MAX_VALUE: usize = 256;
/// How many are remembered.
const SLOTS: usize = 8;

/// What an assignment was judged to be.
pub(super) type Judgement = Option<(Kind, Confidence)>;

/// One that was judged.
struct Known {
    key: Range<usize>,
    value: Range<usize>,
    /// The assignment without its places.
    form: Assigned,
    judgement: Judgement,
}

/// The assignments of one text that were judged last.
#[derive(Default)]
pub(crate) struct Judged {
    slots: [Option<Known>; SLOTS],
}

impl Judged {
    /// What the same key and value were judged to be before; else what `judge` says now.
    pub(super) fn recall(
        &mut self,
        text: &[u8],
        assigned: &Assigned,
        judge: impl FnOnce() -> Judgement,
    ) -> Judgement {
        let (key, value) = (&text[assigned.key.clone()], &text[assigned.value.clone()]);
        if value.len() > MAX_VALUE {
            return judge();
        }
        let form = Assigned {
            key: 0..0,
            value: 0..0,
            call: assigned.call.as_ref().map(|_| 0..0),
            ..assigned.clone()
        };
        let ends = [key.last(), value.first(), value.last()].map(|b| usize::from(*b.unwrap_or(&0)));
        let slot = &mut self.slots
            [(ends[0] + 3 * ends[1] + 5 * ends[2] + 7 * value.len() + key.len()) % SLOTS];
        if let Some(known) = slot
            && text[known.key.clone()] == *key
            && text[known.value.clone()] == *value
            && known.form == form
        {
            return known.judgement;
        }
        let judgement = judge();
        let (key, value) = (assigned.key.clone(), assigned.value.clone());
        *slot = Some(Known { key, value, form, judgement });
        judgement
    }
}
