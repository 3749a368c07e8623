//! The nearest of some words to a misspelt one.
//!
//! Promises: bounded work (long words are not compared), and a suggestion only where it is near.

/// The longest word that is compared, in characters.
const MAX_WORD: usize = 64;

/// The nearest candidate, if one is near enough to be meant.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let word: Vec<char> = word.chars().collect();
    if word.len() > MAX_WORD {
        return None;
    }
    let limit = (word.len() / 3).max(2);
    candidates
        .into_iter()
        .map(|candidate| (distance(&word, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Edit distance with insertion, deletion, replacement and swap of neighbours.
fn distance(word: &[char], candidate: &str) -> usize {
    let other: Vec<char> = candidate.chars().take(MAX_WORD).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in word.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let replaced = last[j] + usize::from(a != b);
            let mut best = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == other[j - 1] && word[i - 1] == *b {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_what_was_meant_and_nothing_else() {
        let check = |word: &str, expected: Option<&str>| {
            assert_eq!(nearest(word, ["max_line_bytes", "preset", "listen"]), expected, "{word}");
        };
        check("presets", Some("preset"));
        check("perset", Some("preset"));
        check("maxLineBytes", Some("max_line_bytes"));
        check("listne", Some("listen"));
        check("colour", None);
        check(&"x".repeat(10_000), None);
    }
}
