//! Owns where a rule's expression can match at all: near words that every match has in it.
//! Accepts an expression and the rule's keywords; emits the words, how far before them a match
//! starts, and the expression to be tried there; promises the matches of a run over the whole text,
//! and leaves an expression alone where it cannot be told where its matches start.

use std::ops::Range;
use std::sync::OnceLock;

use regex_automata::meta::Regex;
use regex_automata::{Anchored, Input, Span};
use regex_syntax::hir::{Class, Hir, HirKind, Look};

use super::parsed;
use super::reach::{Automaton, Reach};
use crate::prefilter::MIN_KEYWORD;
use crate::window::ByteSet;

/// Most words of an expression.
const MAX_WORDS: usize = 256;
/// Most words that one place of an expression may have.
const MAX_CHOICES: usize = 64;
/// Longest word, in bytes.
const MAX_WORD: usize = 24;
/// Most places where a match with a word in it may start.
const MAX_STARTS: usize = 64;
/// Longest match that is looked for at each place where one may start, in bytes; where matches may
/// be longer, the rest of the text is searched once.
const MAX_WIDTH: usize = 512;
/// Most bytes of a match that are compared before the expression is tried.
const MAX_GATE: usize = 24;
/// Most bytes of a loose beginning.
const MAX_BEFORE: usize = 256;

/// An expression, and the words near which it can match.
#[derive(Debug)]
pub(crate) struct Anchor {
    pattern: String,
    /// Words in small letters, of which every match has one in it.
    pub(crate) words: Vec<String>,
    /// How far before one of them the match starts, in bytes: no less and no more.
    distance: (usize, usize),
    /// The longest match, where it is not too long to be tried at each place.
    width: Option<usize>,
    /// The bytes that a match starts with.
    gate: Vec<ByteSet>,
    /// Whether a match starts between two bytes of which not both are of a word.
    at_boundary: bool,
    loose: Option<Loose>,
    compiled: OnceLock<Option<Compiled>>,
}

#[derive(Debug)]
struct Compiled {
    regex: Regex,
    /// For matches that may be long.
    automaton: Option<Automaton>,
}

/// A loose beginning, `[\w.-]{0,50}?`: what it matches is part of the match, but cannot change what
/// comes after it, so that it is put before it in the end.
#[derive(Clone, Copy, Debug)]
struct Loose {
    bytes: ByteSet,
    most: usize,
}

/// A match and its groups.
pub(crate) struct Found {
    pub(crate) whole: Range<usize>,
    groups: Vec<Option<Span>>,
}

/// What came of a try.
pub(crate) enum Tried {
    /// The first match from there on.
    Found(Found),
    /// None starts there; so many bytes had to be looked at.
    NotHere(usize),
    /// None starts there or later; so many bytes had to be looked at.
    NoMore(usize),
}

impl Found {
    /// The group of that number, or the first that took part for 0.
    pub(crate) fn secret(&self, group: usize) -> Range<usize> {
        let taken = |span: &Option<Span>| span.map(|span| span.start..span.end);
        let chosen = match group {
            0 => self.groups.iter().skip(1).find_map(taken).filter(|range| !range.is_empty()),
            group => self.groups.get(group).and_then(taken),
        };
        chosen.unwrap_or_else(|| self.whole.clone())
    }
}

impl Anchor {
    /// The words of an expression; nothing where they cannot be told.
    pub(crate) fn new<'k>(
        pattern: &str,
        keywords: impl Iterator<Item = &'k str>,
    ) -> Option<Anchor> {
        let hir = parsed(pattern).ok()?;
        let (loose, hir) = without_loose_beginning(hir);
        let keywords: Vec<&str> = keywords.filter(|word| !word.is_empty()).collect();
        let near = near(&hir, &keywords)?;
        if near.most - near.least >= MAX_STARTS || near.words.len() > MAX_WORDS {
            return None;
        }
        let mut parts = Vec::new();
        flatten(&hir, &mut parts);
        let looks = |part: &&&Hir| matches!(part.kind(), HirKind::Look(_));
        let at_boundary = parts.iter().take_while(looks).any(|look| {
            matches!(look.kind(), HirKind::Look(Look::WordAscii | Look::WordStartAscii))
        });
        let mut words = near.words;
        words.sort_unstable();
        words.dedup();
        Some(Anchor {
            pattern: pattern.to_owned(),
            words,
            distance: (near.least, near.most),
            width: hir.properties().maximum_len().filter(|width| *width <= MAX_WIDTH),
            gate: gate(&parts),
            at_boundary,
            loose,
            compiled: OnceLock::new(),
        })
    }

    /// Where a match with a word at `word` may start, not before `floor`.
    pub(crate) fn starts(&self, word: usize, floor: usize) -> Range<usize> {
        let (least, most) = self.distance;
        let end = (word + 1).saturating_sub(least);
        word.saturating_sub(most).max(floor)..end
    }

    /// Whether the bytes at `at` are such as a match starts with.
    #[inline]
    pub(crate) fn may_start(&self, text: &[u8], at: usize) -> bool {
        let has = |set: &ByteSet, byte: u8| set[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1;
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let rest = &text[at.min(text.len())..];
        let fits = rest.len() >= self.gate.len()
            && self.gate.iter().zip(rest).all(|(set, byte)| has(set, *byte));
        let inside = || {
            let before = at.checked_sub(1).and_then(|before| text.get(before));
            before.is_some_and(is_word) && rest.first().is_some_and(is_word)
        };
        fits && !(self.at_boundary && inside())
    }

    /// Looks for a match that starts at `at` (or, where matches are long, after it), ends by `end`
    /// and takes nothing before `floor`.
    pub(crate) fn find(&self, text: &[u8], at: usize, floor: usize, end: usize) -> Tried {
        let Some(Compiled { regex, automaton }) = self.compiled() else { return Tried::NoMore(0) };
        let near = |width: usize| {
            let end = end.min(at.saturating_add(width));
            Input::new(text).range(at..end).anchored(Anchored::Yes)
        };
        let (input, missed) = match (self.width, automaton) {
            (Some(width), _) => (near(width), Tried::NotHere(width / 8)),
            (None, Some(automaton)) => match automaton.reach(text, at, end, MAX_WIDTH) {
                Reach::None(count) => return Tried::NotHere(count),
                Reach::Within(count) => (near(count), Tried::NotHere(count)),
                Reach::Beyond => (Input::new(text).range(at..end), Tried::NoMore((end - at) / 8)),
            },
            (None, None) => (Input::new(text).range(at..end), Tried::NoMore((end - at) / 8)),
        };
        if regex.search_half(&input).is_none() {
            return missed;
        }
        let mut captures = regex.create_captures();
        regex.search_captures(&input, &mut captures);
        let Some(whole) = captures.get_group(0) else { return missed };
        let start = self.loose.map_or(whole.start, |loose| {
            let has = |byte: &&u8| loose.bytes[usize::from(**byte >> 6)] >> (**byte & 63) & 1 == 1;
            let before = text[floor.min(whole.start)..whole.start].iter().rev();
            whole.start - before.take(loose.most).take_while(has).count()
        });
        let groups = (0..captures.group_len()).map(|group| captures.get_group(group)).collect();
        Tried::Found(Found { whole: start..whole.end, groups })
    }

    fn compiled(&self) -> Option<&Compiled> {
        let build = || {
            let (_, hir) = without_loose_beginning(parsed(&self.pattern).ok()?);
            let config = Regex::config()
                .nfa_size_limit(Some(super::MAX_SIZE))
                .hybrid_cache_capacity(super::MAX_CACHE)
                .utf8_empty(false);
            let regex = Regex::builder().configure(config).build_from_hir(&hir).ok()?;
            let automaton = if self.width.is_none() { Automaton::new(&hir) } else { None };
            Some(Compiled { regex, automaton })
        };
        self.compiled.get_or_init(build).as_ref()
    }
}

/// Takes a loose beginning off an expression.
fn without_loose_beginning(hir: Hir) -> (Option<Loose>, Hir) {
    let HirKind::Concat(parts) = hir.kind() else { return (None, hir) };
    let Some(HirKind::Repetition(first)) = parts.first().map(Hir::kind) else { return (None, hir) };
    let most = first.max.and_then(|most| usize::try_from(most).ok());
    let (Some(bytes), Some(most)) = (set_of(&first.sub), most) else { return (None, hir) };
    if first.greedy || first.min > 0 || most > MAX_BEFORE {
        return (None, hir);
    }
    (Some(Loose { bytes, most }), Hir::concat(parts[1..].to_vec()))
}

/// The parts of an expression one after another, without the groups around them.
fn flatten<'h>(hir: &'h Hir, parts: &mut Vec<&'h Hir>) {
    match hir.kind() {
        HirKind::Concat(own) => own.iter().for_each(|part| flatten(part, parts)),
        HirKind::Capture(group) => flatten(&group.sub, parts),
        HirKind::Empty => {}
        _ => parts.push(hir),
    }
}

/// Words that every match has in it, and how far from its start.
struct Near {
    words: Vec<String>,
    least: usize,
    most: usize,
}

impl Near {
    /// What holds where either holds.
    fn or(mut self, other: Near) -> Near {
        self.words.extend(other.words);
        let (least, most) = (self.least.min(other.least), self.most.max(other.most));
        Near { words: self.words, least, most }
    }

    /// The same after something of that length.
    fn after(self, least: usize, most: usize) -> Near {
        Near { least: self.least + least, most: self.most + most, ..self }
    }
}

/// Finds words that an expression always has in it, each with one of the keywords.
fn near(hir: &Hir, keywords: &[&str]) -> Option<Near> {
    if let HirKind::Alternation(choices) = hir.kind()
        && spelled(hir).is_none()
    {
        return choices.iter().map(|choice| near(choice, keywords)).try_fold(
            None,
            |all, one| {
                let one = one?;
                Some(Some(match all {
                    Some(all) => Near::or(all, one),
                    None => one,
                }))
            },
        )?;
    }
    let mut parts = Vec::new();
    flatten(hir, &mut parts);
    let (mut least, mut most) = (0, 0);
    for (index, part) in parts.iter().enumerate() {
        let found = run(&parts[index..])
            .and_then(|spelled| words(&spelled, keywords))
            .or_else(|| inside(part, keywords));
        if let Some(found) = found {
            return Some(found.after(least, most));
        }
        least += part.properties().minimum_len()?;
        most += part.properties().maximum_len()?;
    }
    None
}

/// Finds words in a part that is more than a row of words.
fn inside(part: &Hir, keywords: &[&str]) -> Option<Near> {
    match part.kind() {
        HirKind::Repetition(repetition) if repetition.min > 0 => near(&repetition.sub, keywords),
        HirKind::Alternation(_) if spelled(part).is_none() => near(part, keywords),
        _ => None,
    }
}

/// All that the first of some parts may spell, as many of them as there are few choices.
fn run(parts: &[&Hir]) -> Option<Vec<Vec<u8>>> {
    let mut all: Vec<Vec<u8>> = vec![Vec::new()];
    for (index, part) in parts.iter().enumerate() {
        let whole = spelled(part);
        let first = match part.kind() {
            HirKind::Repetition(repetition) if repetition.min > 0 => spelled(&repetition.sub),
            _ => None,
        };
        let goes_on = whole.is_some();
        match whole.or(first).and_then(|next| product(&all, &next)) {
            Some(longer) => all = longer,
            None if index == 0 => return None,
            None => break,
        }
        if !goes_on || all.iter().all(|word| word.len() >= MAX_WORD) {
            break;
        }
    }
    Some(all)
}

/// For each spelling a word that it has in it and that has a keyword in it.
fn words(spellings: &[Vec<u8>], keywords: &[&str]) -> Option<Near> {
    let mut near: Option<Near> = None;
    for spelling in spellings {
        let spelling = std::str::from_utf8(spelling).ok().filter(|word| word.is_ascii())?;
        let (at, word) = if keywords.is_empty() {
            (0, &spelling[..spelling.len().min(MAX_WORD)])
        } else {
            let held = |keyword: &&&str| spelling.contains(**keyword);
            let keyword = keywords.iter().filter(held).max_by_key(|word| word.len())?;
            let at = spelling.find(keyword)?;
            // A keyword that is too short to be looked for takes what stands beside it with it.
            let more = MIN_KEYWORD.saturating_sub(keyword.len());
            let end = (at + keyword.len() + more + 1).min(spelling.len());
            let end = if more == 0 { at + keyword.len() } else { end };
            let start = if end - at < MIN_KEYWORD { end.saturating_sub(MIN_KEYWORD) } else { at };
            (start, &spelling[start..end])
        };
        if word.len() < MIN_KEYWORD {
            return None;
        }
        let one = Near { words: vec![word.to_owned()], least: at, most: at };
        near = Some(match near {
            Some(near) => near.or(one),
            None => one,
        });
    }
    near
}

/// All that an expression may spell, in small letters, where these are few.
fn spelled(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    let mut all = match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => vec![Vec::new()],
        HirKind::Literal(literal) => vec![literal.0.to_ascii_lowercase()],
        HirKind::Class(_) => {
            let set = set_of(hir)?;
            let has = |byte: &u8| set[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1;
            (0..=255_u8).filter(has).map(|byte| vec![byte.to_ascii_lowercase()]).collect()
        }
        HirKind::Capture(group) => spelled(&group.sub)?,
        HirKind::Concat(parts) => {
            let first = vec![Vec::new()];
            parts.iter().try_fold(first, |all, part| product(&all, &spelled(part)?))?
        }
        HirKind::Alternation(choices) => {
            let each: Option<Vec<_>> = choices.iter().map(spelled).collect();
            each?.concat()
        }
        HirKind::Repetition(repetition) => {
            let most = repetition.max.filter(|most| *most <= 8)?;
            let one = spelled(&repetition.sub)?;
            let mut all = Vec::new();
            let mut so_many = vec![Vec::new()];
            for count in 0..=most {
                if count > 0 {
                    so_many = product(&so_many, &one)?;
                }
                if count >= repetition.min {
                    all.extend(so_many.clone());
                }
            }
            all
        }
    };
    all.sort_unstable();
    all.dedup();
    (all.len() <= MAX_CHOICES).then_some(all)
}

/// Each of some words followed by each of others.
fn product(words: &[Vec<u8>], next: &[Vec<u8>]) -> Option<Vec<Vec<u8>>> {
    (words.len() * next.len() <= MAX_CHOICES).then(|| {
        words.iter().flat_map(|word| next.iter().map(|more| [&word[..], more].concat())).collect()
    })
}

/// The bytes of an expression for one byte.
fn set_of(hir: &Hir) -> Option<ByteSet> {
    let mut set = [0; 4];
    let mut add = |from: u8, to: u8| {
        for byte in from..=to {
            set[usize::from(byte >> 6)] |= 1 << (byte & 63);
        }
    };
    match hir.kind() {
        HirKind::Class(Class::Bytes(class)) => {
            class.ranges().iter().for_each(|range| add(range.start(), range.end()));
        }
        HirKind::Class(Class::Unicode(class)) => {
            for range in class.ranges() {
                add(u8::try_from(range.start()).ok()?, u8::try_from(range.end()).ok()?);
            }
            class.is_ascii().then_some(())?;
        }
        HirKind::Literal(literal) if literal.0.len() == 1 => add(literal.0[0], literal.0[0]),
        _ => return None,
    }
    Some(set)
}

/// The bytes that matches of some parts in a row start with.
fn gate(parts: &[&Hir]) -> Vec<ByteSet> {
    let mut gate: Vec<ByteSet> = Vec::new();
    for part in parts {
        match part.kind() {
            HirKind::Look(_) => {}
            HirKind::Literal(literal) => {
                let one = |byte: &u8| set_of(&Hir::literal([*byte])).unwrap_or([u64::MAX; 4]);
                gate.extend(literal.0.iter().map(one));
            }
            HirKind::Repetition(repetition) => {
                let Some(set) = set_of(&repetition.sub) else { break };
                gate.extend((0..repetition.min.min(MAX_GATE as u32)).map(|_| set));
                if repetition.max != Some(repetition.min) {
                    break;
                }
            }
            _ => match set_of(part) {
                Some(set) => gate.push(set),
                None => break,
            },
        }
    }
    gate.truncate(MAX_GATE);
    gate
}
