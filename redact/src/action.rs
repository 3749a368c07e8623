//! Owns what is tried where a keyword stands: for each keyword, its rules in a few bytes each, so
//! that most places are dropped without a look at a rule itself.
//! Accepts the rules; emits actions by keyword; promises that nothing is compiled.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use crate::prefilter::MIN_KEYWORD;
use crate::rule::{Detector, How, Rule};

/// What is tried where a keyword of a rule stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Action {
    /// The rule's index.
    pub(crate) rule: u16,
    pub(crate) what: What,
}

/// How a rule is tried.
#[derive(Clone, Copy, Debug)]
pub(crate) enum What {
    /// Its expression, on the whole text.
    Anywhere,
    /// Its expression, near the word (see `rule::anchor`).
    Anchored,
    /// Its expression, where the keyword stands or at most `reach` bytes before it.
    Token {
        reach: u32,
        /// Whether it may stand inside a longer word.
        glued: bool,
        /// Classes of the first bytes (see `rule::gate`).
        gate: &'static [u16],
    },
    /// Its expression, on the whole value assigned to a key with the keyword in it.
    Value,
    /// Its expression, on what follows in the line.
    Near,
    /// A matcher that is code.
    Detector(Detector),
}

impl What {
    /// Whether nothing can be found where no word starts.
    fn is_for_words(&self) -> bool {
        matches!(self, What::Token { reach: 0, glued: false, .. })
    }

    fn of(rule: &Rule) -> Option<What> {
        Some(match rule.spec.how {
            How::Anywhere if rule.anchor.is_some() => What::Anchored,
            How::Anywhere => What::Anywhere,
            How::Token => What::Token {
                reach: rule.spec.reach,
                glued: rule.spec.glued,
                // Rules that were read have no gate.
                gate: match &rule.spec {
                    Cow::Borrowed(spec) => &spec.gate,
                    Cow::Owned(_) => &[],
                },
            },
            How::Value => What::Value,
            How::Near => What::Near,
            How::Detector => What::Detector(rule.detector?),
        })
    }
}

/// A keyword, and whether only built-in rules have it.
pub(crate) type Keyword = (Box<[u8]>, bool);

/// What is tried where one keyword stands.
#[derive(Debug)]
struct Tried {
    /// The keyword's length, in bytes.
    length: usize,
    /// Where its actions are.
    actions: Range<usize>,
    /// Whether there is nothing to try inside a word.
    only_words: bool,
}

/// The actions of all keywords.
#[derive(Debug, Default)]
pub(crate) struct Actions {
    keywords: Vec<Tried>,
    actions: Vec<Action>,
    /// Rules whose expression is tried on every text.
    pub(crate) always: Vec<usize>,
    /// Rules that are about paths only.
    pub(crate) about_files: Vec<usize>,
}

impl Actions {
    /// The actions of the rules, and their keywords in order of their numbers.
    pub(crate) fn new(rules: &[Rule]) -> (Actions, Vec<Keyword>) {
        let mut out = Actions::default();
        let mut numbers: HashMap<&str, usize> = HashMap::new();
        let mut keywords: Vec<Keyword> = Vec::new();
        let mut numbered: Vec<(usize, Action)> = Vec::new();
        for (index, rule) in rules.iter().enumerate().take(usize::from(u16::MAX)) {
            if rule.is_about_files() {
                out.about_files.push(index);
                continue;
            }
            let usable = |keyword: &str| keyword.len() >= MIN_KEYWORD;
            let all_usable = rule.spec.keywords.iter().all(|keyword| usable(keyword));
            let known =
                !rule.spec.keywords.is_empty() && (all_usable || rule.spec.pattern.is_empty());
            if rule.spec.how == How::Anywhere && !known && rule.anchor.is_none() {
                out.always.push(index);
                continue;
            }
            let Some(what) = What::of(rule) else { continue };
            let own = rule.spec.keywords.iter().map(|keyword| &**keyword);
            let words: Vec<&str> = match &rule.anchor {
                Some(anchor) => anchor.words.iter().map(String::as_str).collect(),
                None => own.filter(|keyword| usable(keyword)).collect(),
            };
            for keyword in words {
                let number = *numbers.entry(keyword).or_insert_with(|| {
                    keywords.push((keyword.as_bytes().into(), true));
                    keywords.len() - 1
                });
                keywords[number].1 &= matches!(rule.spec, Cow::Borrowed(_));
                numbered.push((number, Action { rule: index as u16, what }));
            }
        }
        numbered.sort_by_key(|(number, _)| *number);
        for (number, (keyword, _)) in keywords.iter().enumerate() {
            let from = out.keywords.last().map_or(0, |last| last.actions.end);
            let own = numbered[from..].iter().take_while(|(of, _)| *of == number);
            let only_words = own.clone().all(|(_, action)| action.what.is_for_words());
            let actions = from..from + own.count();
            out.keywords.push(Tried { length: keyword.len(), actions, only_words });
        }
        out.actions = numbered.into_iter().map(|(_, action)| action).collect();
        (out, keywords)
    }

    /// A keyword's length, whether it counts only where a word starts, and what is tried there.
    #[inline]
    pub(crate) fn of(&self, keyword: usize) -> (usize, bool, &[Action]) {
        let tried = &self.keywords[keyword];
        (tried.length, tried.only_words, &self.actions[tried.actions.clone()])
    }
}
