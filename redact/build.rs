//! Packs our rule files (`rules/*.toml`) into constants, so that nothing is parsed at run time.
//!
//! The constants hold no pointers: a loader would have to relocate each of them, in every process
//! and whether it redacts or not, which costs time and makes pages private.

#[path = "src/rule/dialect.rs"]
mod dialect;
#[path = "src/window.rs"]
mod window;

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::{env, fs, mem};

use dialect::{DialectError, How, RuleSpec, Text};
use regex_syntax::hir::{Class, Hir, HirKind};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=rules");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/rule/dialect.rs");
    println!("cargo::rerun-if-changed=src/window.rs");
    let mut files: Vec<_> =
        fs::read_dir("rules")?.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    let mut classes: Vec<[u64; 4]> = Vec::new();
    let mut rules = Vec::new();
    let mut examples: Vec<(Text, Vec<Text>, Vec<Text>)> = Vec::new();
    let mut windows = Windows::default();
    for path in files {
        for mut rule in read(&path)? {
            if rule.how == How::Token && rule.reach == 0 {
                rule.gate = gate(&rule, &mut classes)?;
            }
            windows.add(&rule, &classes);
            let own = (mem::take(&mut rule.examples), mem::take(&mut rule.counterexamples));
            examples.push((rule.id.clone(), own.0, own.1));
            rules.push(rule);
        }
    }
    let out = env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?;
    let write = |name: &str, content: &[u8]| fs::write(Path::new(&out).join(name), content);
    write("rules.bin", &postcard::to_allocvec(&rules)?)?;
    write("examples.bin", &postcard::to_allocvec(&examples)?)?;
    write("classes.rs", format!("&{classes:?}").as_bytes())?;
    let (buckets, anchors) = windows.plan();
    write("buckets.rs", format!("[{buckets}]").as_bytes())?;
    write("anchors.rs", format!("&[{anchors}]").as_bytes())?;
    write("keywords.txt", windows.0.into_keys().collect::<String>().as_bytes())?;
    Ok(())
}

/// The sets of bytes that may stand where a keyword is, one place more than it has bytes.
#[derive(Default)]
struct Windows(BTreeMap<String, Vec<window::ByteSet>>);

impl Windows {
    /// Adds a rule's keywords. A keyword that only starts tokens needs to be seen only where the
    /// token's first bytes stand.
    fn add(&mut self, rule: &RuleSpec, classes: &[window::ByteSet]) {
        for keyword in rule.keywords.iter().filter(|keyword| keyword.len() >= 3) {
            let mut own = window::of_keyword(keyword.as_bytes());
            for (set, &class) in own.iter_mut().zip(&rule.gate) {
                let gate = classes[usize::from(class)];
                *set = std::array::from_fn(|word| set[word] & gate[word]);
            }
            let known = self.0.entry(keyword.to_string()).or_insert(vec![[0; 4]; own.len()]);
            for (set, more) in known.iter_mut().zip(own) {
                *set = std::array::from_fn(|word| set[word] | more[word]);
            }
        }
    }

    /// Shares the windows out to the buckets, in a few rounds; writes the buckets, and of each
    /// keyword where it ends in the row of all, where in it its window starts, and what the
    /// fourth byte of that may be.
    fn plan(&self) -> (String, String) {
        let mut plan = window::Plan::default();
        let windows: Vec<Vec<window::Candidate>> =
            self.0.iter().map(|(word, sets)| window::candidates(word.as_bytes(), sets)).collect();
        let mut chosen: Vec<(usize, usize)> = windows.iter().map(|own| plan.add(own)).collect();
        for _ in 0..3 {
            for moved in 0..windows.len() {
                let (_, left) = chosen[moved];
                let stays = (0..windows.len()).filter(|&at| at != moved && chosen[at].1 == left);
                plan.buckets[left] = stays.fold(window::Bucket::default(), |all, at| {
                    all.with(&windows[at][chosen[at].0].takes)
                });
                chosen[moved] = plan.add(&windows[moved]);
            }
        }
        let (mut anchors, mut end) = (String::new(), 0);
        for (keyword, (own, (number, _))) in self.0.keys().zip(windows.iter().zip(&chosen)) {
            let offset = own[*number].offset;
            let fourth = self.0[keyword].get(offset + 3).unwrap_or(&[u64::MAX; 4]);
            end += keyword.len();
            anchors += &format!("({end}, {offset}, {fourth:?}), ");
        }
        (plan.buckets.iter().map(|b| format!("{b:?}, ")).collect(), anchors)
    }
}

fn read(path: &Path) -> Result<Vec<RuleSpec>, Box<dyn Error>> {
    let text = fs::read_to_string(path)?;
    let file = dialect::parse(&text).map_err(|error| match error {
        DialectError::Syntax(detail) => format!("{}: {detail}", path.display()),
        DialectError::Rule(id, line, problem) => {
            format!("{}:{line}: rule {id}: {problem}", path.display())
        }
    })?;
    Ok(file.rules)
}

/// Longest gate, in bytes.
const MAX_GATE: usize = 24;

/// The classes of the bytes that every match of a rule starts with, as numbers in `classes`.
fn gate(rule: &RuleSpec, classes: &mut Vec<[u64; 4]>) -> Result<Vec<u16>, Box<dyn Error>> {
    let hir = regex_syntax::ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .build()
        .parse(&rule.pattern)
        .map_err(|error| format!("rule {}: {error}", rule.id))?;
    let mut sets = Vec::new();
    leading(&hir, &mut sets);
    sets.truncate(MAX_GATE);
    sets.iter()
        .map(|set| {
            let known = classes.iter().position(|class| class == set).unwrap_or_else(|| {
                classes.push(*set);
                classes.len() - 1
            });
            u16::try_from(known).map_err(|_| "too many classes of bytes".into())
        })
        .collect()
}

/// Appends the sets of an expression's first bytes; whether what follows it may be appended too.
fn leading(hir: &Hir, sets: &mut Vec<[u64; 4]>) -> bool {
    if sets.len() >= MAX_GATE {
        return false;
    }
    match hir.kind() {
        HirKind::Empty => true,
        HirKind::Look(_) => true,
        HirKind::Literal(literal) => {
            sets.extend(literal.0.iter().map(|&byte| set_of([(byte, byte)])));
            true
        }
        HirKind::Class(Class::Bytes(class)) => {
            sets.push(set_of(class.ranges().iter().map(|range| (range.start(), range.end()))));
            true
        }
        HirKind::Class(Class::Unicode(_)) => false,
        HirKind::Capture(capture) => leading(&capture.sub, sets),
        HirKind::Concat(parts) => parts.iter().all(|part| leading(part, sets)),
        HirKind::Repetition(repetition) => {
            let whole =
                (0..repetition.min.min(MAX_GATE as u32)).all(|_| leading(&repetition.sub, sets));
            whole && repetition.max == Some(repetition.min)
        }
        HirKind::Alternation(parts) => {
            let mut each: Vec<Vec<[u64; 4]>> = Vec::new();
            let mut open = true;
            for part in parts {
                let mut own = Vec::new();
                open &= leading(part, &mut own);
                each.push(own);
            }
            let shortest = each.iter().map(Vec::len).min().unwrap_or(0);
            let same = each.iter().all(|own| own.len() == shortest);
            for place in 0..shortest {
                let mut union = [0; 4];
                for own in &each {
                    for (word, more) in union.iter_mut().zip(own[place]) {
                        *word |= more;
                    }
                }
                sets.push(union);
            }
            open && same
        }
    }
}

fn set_of(ranges: impl IntoIterator<Item = (u8, u8)>) -> [u64; 4] {
    let mut set = [0_u64; 4];
    for (from, to) in ranges {
        for byte in from..=to {
            set[usize::from(byte >> 6)] |= 1 << (byte & 63);
        }
    }
    set
}
