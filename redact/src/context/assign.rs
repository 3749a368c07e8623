//! Owns reading `key operator value` around a keyword, in JSON, code, shells, YAML, XML, headers.
//! Accepts the place of a keyword in a key's name; emits the spans of key and value; promises a
//! bounded look in both directions and remembers the last answer, since one key often holds
//! several keywords.

use std::ops::Range;

use super::assigned::{Assigned, Operator};
use crate::engine::Work;
use crate::json;

/// Longest key name, in bytes, on each side of its keyword.
const MAX_KEY: usize = 64;
/// Longest value in quotes, in bytes.
const MAX_QUOTED: usize = 8 << 10;
/// Longest value without quotes, in bytes.
const MAX_BARE: usize = 512;
/// Most values that may begin in one run of bytes without a blank or quote.
const MAX_BEGUN: usize = 16;
/// Most bytes of values that begin in one such run.
const MAX_JUDGED: usize = 2 * MAX_BARE;
/// Most blanks between the parts.
const MAX_BLANKS: usize = 48;

/// Finds assignments in one text.
pub(crate) struct Assignments<'t> {
    text: &'t [u8],
    json: bool,
    last: Option<(Range<usize>, Option<Assigned>)>,
    /// The last run without a blank or quote that was a value.
    run: Range<usize>,
    /// How many values began in that run.
    begun: usize,
    /// How long they are, together.
    judged: usize,
}

/// Words that say in a sentence what a thing is, in the languages that names are known in.
const WORDS_OF_BEING: &[&[u8]] =
    &[b"is ", b"are ", b"is: ", b"was ", b"to ", b"ist ", b"lautet ", b"est "];

/// The length of such a word that a text starts with; 0 for none.
fn word_of_being(text: &[u8]) -> usize {
    WORDS_OF_BEING.iter().find(|word| text.starts_with(word)).map_or(0, |word| word.len())
}

impl<'t> Assignments<'t> {
    pub(crate) fn new(text: &'t [u8], json: bool) -> Assignments<'t> {
        Assignments { text, json, last: None, run: 0..0, begun: 0, judged: 0 }
    }

    /// The assignment to the key whose name holds the keyword at `start..end`.
    pub(crate) fn at(
        &mut self,
        work: &mut Work<'_>,
        start: usize,
        end: usize,
    ) -> Option<&Assigned> {
        let known = self.last.as_ref().is_some_and(|(key, _)| key.start <= start && end <= key.end);
        if !known {
            let key = self.key(start, end);
            let assigned = if work.spend(key.len() + 16) { self.read(key.clone()) } else { None };
            self.last = Some((key, assigned));
        }
        self.last.as_ref().and_then(|(_, assigned)| assigned.as_ref())
    }

    /// Whether a name at `start..end` stands deep in a run of bytes without a blank or quote, of
    /// which enough was read as values; then none is read.
    #[inline]
    pub(crate) fn is_spent(&self, start: usize, end: usize) -> bool {
        self.judged > MAX_JUDGED
            && self.run.len() >= MAX_BARE
            && self.run.contains(&start)
            && end + 2 * MAX_KEY < self.run.end
    }

    /// The whole name around a keyword.
    fn key(&self, start: usize, end: usize) -> Range<usize> {
        let text = self.text;
        let floor = start.saturating_sub(MAX_KEY);
        let mut from = start;
        while from > floor && is_name(text[from - 1]) {
            from -= 1;
        }
        let ceiling = text.len().min(end + MAX_KEY);
        let mut to = end;
        while to < ceiling && is_name(text[to]) {
            to += 1;
        }
        // `key->` and `key-=` end before the operator.
        while to > end && matches!(text[to - 1], b'-' | b'.') {
            to -= 1;
        }
        from..to
    }

    fn read(&mut self, key: Range<usize>) -> Option<Assigned> {
        let text = self.text;
        let before = key.start.checked_sub(1).map(|at| text[at]);
        let quoted_key =
            matches!(before, Some(b'"' | b'\'' | b'`')) && text.get(key.end).copied() == before;
        let key_end = key.end;
        let mut at = key.end;
        if quoted_key {
            at += 1;
        }
        let mut spaced = false;
        let (operator, after) = match self.operator(&key, at, quoted_key) {
            Some(found) => found,
            None if quoted_key => return None,
            None => {
                let after = self.past_words(at)?;
                // A type after the name, as Go writes it, is no part of the key.
                spaced =
                    !matches!(text[at..after].trim_ascii(), b"string" | b"[]byte" | b"*string");
                self.operator(&key, after, false)?
            }
        };
        at = after;
        let newline = self.json || matches!(operator, Operator::Arrow | Operator::Tag);
        at = self.blanks(at, newline);
        if operator == Operator::Colon {
            at = self.past_type(at);
        }
        let mut assigned = Assigned {
            line_start: self.line_start(key.start),
            follows_comma: self.follows_comma(key.start),
            encoded: false,
            shouted: !text[key.clone()].iter().any(u8::is_ascii_lowercase),
            key,
            value: at..at,
            quote: None,
            quoted_key,
            operator,
            call: None,
            spaced,
            tight: at == after && after == key_end + 1,
            computed: false,
        };
        self.set_value(&mut assigned, at)?;
        // What a colon follows is the next key, and what seemed a key was a value.
        // In a line of nothing but words, a key and its value, the value was written there.
        if matches!(operator, Operator::Colon | Operator::Equals | Operator::Word) {
            assigned.line_start |= self.is_alone(&assigned);
        }
        let is_key = assigned.operator == Operator::Comma && assigned.quote.is_some() && {
            let after = self.blanks(assigned.value.end + 1, true);
            text.get(after) == Some(&b':')
        };
        (!is_key).then_some(assigned)
    }

    fn operator(
        &self,
        key: &Range<usize>,
        mut at: usize,
        quoted_key: bool,
    ) -> Option<(Operator, usize)> {
        let text = self.text;
        let is_flag = !quoted_key
            && (text[key.clone()].starts_with(b"-")
                || key.start > 0
                    && text[key.start - 1] == b'/'
                    && key.start > 1
                    && text[key.start - 2] == b' ');
        let start = at;
        // `["key"]`, `config['key']`, `(key)`
        while matches!(text.get(at), Some(b']' | b')')) && at < start + 2 {
            at += 1;
        }
        let unblanked = at;
        at = self.blanks(at, self.json);
        let rest = text.get(at..text.len().min(at + 4))?;
        let (operator, length) = match rest {
            [b'=', b'=', b'=', ..] => (Operator::Compare, 3),
            [b'!', b'=', b'=', ..] => (Operator::Compare, 3),
            [b'=' | b'!', b'=', ..] => (Operator::Compare, 2),
            [b'=' | b'-', b'>', ..] => (Operator::Arrow, 2),
            [b'<', b'-', ..] => (Operator::Equals, 2),
            [b':', b':', b':', b'='] => (Operator::Equals, 4),
            [b':', b':', b'=', ..] => (Operator::Equals, 3),
            [b'|', b'|', b':', ..] => (Operator::Equals, 3),
            [b'.', b'=', ..] => (Operator::Equals, 2),
            [b':', b'=', ..] => (Operator::Equals, 2),
            [b':', b':', ..] => return None,
            [b'?' | b'+', b'=', ..] => (Operator::Equals, 2),
            [b'|', b'|', b'=', ..] | [b'?', b'?', b'=', ..] => (Operator::Equals, 3),
            [b'=', b'~', ..] => return None,
            [b'=', ..] => (Operator::Equals, 1),
            [b':', ..] => (Operator::Colon, 1),
            [b',', ..] if quoted_key => (Operator::Comma, 1),
            [b';', b's', b':', b'0'..=b'9'] if quoted_key => {
                (Operator::Equals, serialized_sign(&text[at..])?)
            }
            [b'>', ..] if self.is_tag(key) => (Operator::Tag, 1),
            [b'(', ..] if at == start && !quoted_key => (Operator::Call, 1),
            [b'a'..=b'z', ..] if at > unblanked && word_of_being(&text[at..]) > 0 => {
                (Operator::Word, word_of_being(&text[at..]))
            }
            // `#define NAME "…"`, and `name "…"` as Gradle and Ruby write it.
            [b'"' | b'\'', ..]
                if at > unblanked
                    && !quoted_key
                    && (is_defined(text, key.start) || self.line_start(key.start)) =>
            {
                (Operator::Equals, 0)
            }
            _ if is_flag && at > unblanked => (Operator::Flag, 0),
            _ => return None,
        };
        Some((operator, at + length))
    }

    /// Past a few more words of a key that is written with blanks, as in `Canva client id: …`.
    fn past_words(&self, at: usize) -> Option<usize> {
        let window = &self.text[at..self.text.len().min(at + 28)];
        let end =
            window.iter().position(|b| matches!(b, b'=' | b':' | b'>' | b'\n' | b'"' | b'\''))?;
        let words = &window[..end];
        let is_words = words.iter().all(|&b| is_name(b) || matches!(b, b' ' | b'[' | b']' | b'*'));
        (is_words && words.first() == Some(&b' ') && words.len() > 2).then_some(at + end)
    }

    fn is_tag(&self, key: &Range<usize>) -> bool {
        key.start > 0 && self.text[key.start - 1] == b'<'
    }

    fn blanks(&self, mut at: usize, newline: bool) -> usize {
        let ceiling = self.text.len().min(at + MAX_BLANKS);
        while at < ceiling
            && (matches!(self.text[at], b' ' | b'\t')
                || newline && matches!(self.text[at], b'\n' | b'\r'))
        {
            at += 1;
        }
        at
    }

    /// Past a type between `:` and `=`, as in `password: &str = "…"`.
    fn past_type(&self, at: usize) -> usize {
        let window = &self.text[at..self.text.len().min(at + 48)];
        let length = window
            .iter()
            .take_while(|b| {
                b.is_ascii_alphanumeric()
                    || matches!(
                        b,
                        b'_' | b'<' | b'>' | b'&' | b'?' | b'[' | b']' | b'.' | b' ' | b'|'
                    )
            })
            .count();
        match &window[length..] {
            [b'=', next, ..]
                if length > 0 && !matches!(next, b'=' | b'>') && window[length - 1] == b' ' =>
            {
                self.blanks(at + length + 1, false)
            }
            _ => at,
        }
    }

    fn set_value(&mut self, assigned: &mut Assigned, at: usize) -> Option<()> {
        let text = self.text;
        let mut at = at;
        // A string's prefix: b"…", f'…', @"…", $"…".
        if let (Some(b'a'..=b'z' | b'A'..=b'Z' | b'@' | b'$' | b'&' | b'*'), Some(b'"' | b'\'')) =
            (text.get(at), text.get(at + 1))
        {
            at += 1;
        }
        // Markdown's bold print, and code between two signs each.
        if text[at..].starts_with(b"**") {
            at = self.blanks(at + 2, false);
        } else if text[at..].starts_with(b"``") && text.get(at + 2) != Some(&b'`') {
            at += 1;
        }
        // A text over several lines, as Python writes it.
        if text[at..].starts_with(b"'''") || text[at..].starts_with(b"\"\"\"") {
            at += 2;
        }
        // Go's conversion: []byte("…").
        if text[at..].starts_with(b"[]byte(") {
            at += b"[]byte(".len();
        }
        match text.get(at)? {
            quote @ (b'"' | b'\'' | b'`') => self
                .quoted(assigned, at, *quote)
                // A quote that is not closed in its line.
                .or_else(|| self.bare(assigned, at + 1)),
            b'[' | b'(' | b'{' => self.first_element(assigned, at),
            b'\\' if matches!(text.get(at + 1), Some(b'"' | b'\'')) => {
                self.escaped_quoted(assigned, at)
            }
            _ => self.bare(assigned, at),
        }
    }

    fn quoted(&self, assigned: &mut Assigned, at: usize, quote: u8) -> Option<()> {
        let text = self.text;
        let start = at + 1;
        let end = if self.json && quote == b'"' {
            json::string_end(text, start).ok()?.0
        } else {
            let window = &text[start..text.len().min(start + MAX_QUOTED)];
            let mut from = 0;
            loop {
                let found = memchr::memchr3(quote, b'\\', b'\n', &window[from..])?;
                match window[from + found] {
                    b'\\' => from += found + 2,
                    b'\n' if quote != b'`' => return None,
                    byte if byte == quote => break start + from + found,
                    _ => from += found + 1,
                }
                if from >= window.len() {
                    return None;
                }
            }
        };
        assigned.value = start..end;
        assigned.quote = Some(quote);
        Some(())
    }

    /// The first of several values in quotes: `["…", "…"]`.
    fn first_element(&self, assigned: &mut Assigned, at: usize) -> Option<()> {
        let inside = self.blanks(at + 1, true);
        let quote = *self.text.get(inside).filter(|b| matches!(b, b'"' | b'\'' | b'`'))?;
        // An object's first key is no value of the key before it.
        self.quoted(assigned, inside, quote)?;
        let after = self.blanks(assigned.value.end + 1, true);
        (!matches!(self.text.get(after), Some(b':' | b'='))).then_some(())
    }

    /// The value in quotes after the one that ends at `end`, if a comma stands between them.
    pub(crate) fn next_element(&self, assigned: &Assigned) -> Option<Assigned> {
        let quote = assigned.quote?;
        let comma = self.blanks(assigned.value.end + 1, true);
        if self.text.get(comma) != Some(&b',') {
            return None;
        }
        let start = self.blanks(comma + 1, true);
        if self.text.get(start) != Some(&quote) {
            return None;
        }
        let mut next = assigned.clone();
        self.quoted(&mut next, start, quote)?;
        let after = self.blanks(next.value.end + 1, true);
        (!matches!(self.text.get(after), Some(b':' | b'='))).then_some(next)
    }

    /// Whether the value is the first of several in brackets.
    pub(crate) fn is_list(&self, assigned: &Assigned) -> bool {
        let from = assigned.value.start.saturating_sub(24);
        let before = self.text[from..assigned.value.start.saturating_sub(1)].trim_ascii_end();
        before.ends_with(b"[")
    }

    /// A value between `\"` and `\"`: a string in a string.
    fn escaped_quoted(&self, assigned: &mut Assigned, at: usize) -> Option<()> {
        let text = self.text;
        let quote = text[at + 1];
        let start = at + 2;
        let window = &text[start..text.len().min(start + MAX_QUOTED)];
        let end = memchr::memmem::find(window, &[b'\\', quote])?;
        assigned.value = start..start + end;
        assigned.quote = Some(quote);
        Some(())
    }

    fn bare(&mut self, assigned: &mut Assigned, at: usize) -> Option<()> {
        let text = self.text;
        if !self.run.contains(&at) {
            let window = &text[at..text.len().min(at + MAX_BARE)];
            let length = bare_length(window);
            self.run = at..at + length;
            (self.begun, self.judged) = (0, 0);
        }
        let mut end = self.run.end;
        // Of many assignments in one run, the first and those near its end are enough.
        self.begun += 1;
        let endless = self.run.len() >= MAX_BARE;
        let enough = self.begun > MAX_BEGUN || self.judged > MAX_JUDGED;
        if enough && (endless || end - at > 2 * MAX_KEY) {
            return None;
        }
        let in_query = assigned
            .key
            .start
            .checked_sub(1)
            .is_some_and(|before| matches!(text[before], b'?' | b'&'));
        if in_query || assigned.operator == Operator::Equals {
            let window = &text[at..end];
            let stop = memchr::memchr(b'&', window)
                .filter(|_| in_query || memchr::memchr(b'=', window).is_some());
            end = stop.map_or(end, |stop| at + stop);
        }
        if assigned.operator == Operator::Tag {
            let stop = memchr::memchr(b'<', &text[at..text.len().min(at + MAX_BARE)])?;
            let inner = text[at..at + stop].trim_ascii_end();
            end = at + inner.len();
        } else if let Some(open) = memchr::memchr(b'(', &text[at..end]) {
            // `name("value"`: the value is the first argument.
            let prefix = matches!(text.get(at + open + 1), Some(b'b' | b'u' | b'r'));
            let inside = at + open + 1 + usize::from(prefix);
            let name_only =
                open > 0 && text[at..at + open].iter().all(|&b| is_name(b) || b == b':');
            if name_only && matches!(text.get(inside), Some(b'"' | b'\'' | b'`')) {
                assigned.call = Some(at..at + open);
                assigned.encoded = [&b"b64encode"[..], b"encodestring", b"btoa"]
                    .iter()
                    .any(|name| text[at..at + open].ends_with(name));
                self.quoted(assigned, inside, text[inside])?;
                return self.default_value(assigned);
            }
        } else if matches!(text.get(end), Some(b' ')) && text[at..end].eq(b"new") {
            let name = end + 1;
            let ceiling = text.len().min(name + MAX_KEY);
            let mut inside = name;
            while inside < ceiling && is_name(text[inside]) {
                inside += 1;
            }
            if text.get(inside) == Some(&b'(') && matches!(text.get(inside + 1), Some(b'"' | b'\''))
            {
                assigned.call = Some(name..inside);
                return self.quoted(assigned, inside + 1, text[inside + 1]);
            }
        }
        let whole = end;
        if let Some(instead) = self.fallback(whole) {
            return self.quoted(assigned, instead, text[instead]);
        }
        while end > at && self.is_trailing(at, end) {
            end -= 1;
        }
        let ended = text[end..whole].contains(&b';');
        let rest = &text[whole..text.len().min(whole + 3)];
        let operated = matches!(
            rest,
            [b' ', b'+' | b'?' | b'*' | b'|' | b'&' | b'-', b' ', ..]
                | [b' ', b'|' | b'&' | b'=', _]
                | [b' ', b'-', b'>']
        );
        assigned.computed =
            operated || ended && !assigned.tight && assigned.operator == Operator::Equals;
        assigned.value = at..end;
        self.judged += end - at;
        (end > at).then_some(())
    }

    /// Of `getenv("NAME", "value")` and `getenv("NAME") || "value"`, the value.
    fn default_value(&self, assigned: &mut Assigned) -> Option<()> {
        let text = self.text;
        let Some(name) = assigned.call.clone() else { return Some(()) };
        let asks = [&b"env"[..], b"env.get", b"ENV.fetch", b"environ.get", b"config"]
            .iter()
            .any(|end| text[name.clone()].ends_with(end));
        if !asks {
            return Some(());
        }
        let after = assigned.value.end + 1;
        let second = match text.get(after) {
            Some(b',') => Some(self.blanks(after + 1, true)),
            Some(b')') => self.fallback(after + 1),
            _ => None,
        };
        let second = second.filter(|at| matches!(text.get(*at), Some(b'"' | b'\'')))?;
        assigned.call = None;
        self.quoted(assigned, second, text[second])
    }

    /// Where the quote is of what is taken where the expression before `at` has no value.
    fn fallback(&self, at: usize) -> Option<usize> {
        let at = self.blanks(at, false);
        let rest = &self.text[at..];
        let signs = [&b"|| "[..], b"?? ", b"or ", b"?: "];
        let sign = signs.iter().find(|sign| rest.starts_with(sign))?;
        let quote = self.blanks(at + sign.len(), false);
        matches!(self.text.get(quote), Some(b'"' | b'\'')).then_some(quote)
    }

    /// Whether the last byte of `from..to` closes or ends something outside the value.
    fn is_trailing(&self, from: usize, to: usize) -> bool {
        // The end of bold print.
        if self.text[from..to].ends_with(b"**") || self.text[to - 1..].starts_with(b"**") {
            return true;
        }
        let open = match self.text[to - 1] {
            b',' | b';' | b'.' | b'\\' => return true,
            b')' => b'(',
            b']' => b'[',
            b'}' => b'{',
            _ => return false,
        };
        !self.text[from..to].contains(&open)
    }

    /// Whether a comma or an opening bracket stands before a key, as in `{user: a, pass: b}`.
    fn follows_comma(&self, at: usize) -> bool {
        let before = &self.text[at.saturating_sub(4)..at];
        matches!(before.trim_ascii_end().last(), Some(b',' | b'{' | b'('))
    }

    /// Whether words stand before a key in its line, and nothing after its value.
    fn is_alone(&self, assigned: &Assigned) -> bool {
        let text = self.text;
        let after = text[assigned.value.end..].iter().take(4);
        let ends = after
            .take_while(|b| !matches!(b, b'\n' | b'\r'))
            .all(|b| matches!(b, b' ' | b'"' | b'\'' | b'`' | b'.' | b','));
        let from = assigned.key.start.saturating_sub(MAX_BLANKS);
        let before = &text[from..assigned.key.start];
        let line = memchr::memrchr(b'\n', before).map(|at| &before[at + 1..]);
        let line = if from == 0 { Some(line.unwrap_or(before)) } else { line };
        ends && line.is_some_and(|line| line.iter().all(|b| b.is_ascii_alphabetic() || *b == b' '))
    }

    /// Whether a key is what its line assigns to: nothing but indentation, a list dash, a comment
    /// sign or words such as `export` stand before it.
    fn line_start(&self, at: usize) -> bool {
        let from = at.saturating_sub(MAX_BLANKS);
        let before = &self.text[from..at];
        let start = memchr::memrchr2(b'\n', b'\r', before).map(|at| at + 1);
        if start.is_none() && from > 0 {
            return false;
        }
        let lead = before[start.unwrap_or(0)..].trim_ascii();
        // A comment sign after a line's number counts too.
        if lead.ends_with(b"#") || lead.ends_with(b"//") {
            return true;
        }
        matches!(
            lead,
            b"" | b"-"
                | b"#"
                | b"//"
                | b"*"
                | b"export"
                | b"set"
                | b"ENV"
                | b"ARG"
                | b"+"
                | b"$"
                | b"\""
                | b"'"
                | b"- \""
                | b"-e"
                | b"- -e"
                | b"-e \""
                | b"#!"
                | b";"
        )
    }
}

/// Whether a preprocessor's `define` stands before a key.
fn is_defined(text: &[u8], key: usize) -> bool {
    let before = text[key.saturating_sub(24)..key].trim_ascii_end();
    before.ends_with(b"define") || before.ends_with(b"%global")
}

/// How long the sign is between a key and a text as PHP's `serialize` writes them: `;s:16:`.
fn serialized_sign(rest: &[u8]) -> Option<usize> {
    let digits = rest[3..].iter().take(6).take_while(|b| b.is_ascii_digit()).count();
    (rest.get(3 + digits) == Some(&b':')).then_some(4 + digits)
}

/// A quick look whether anything may be assigned to a name with a keyword that ends at `end`.
pub(crate) fn may_assign(text: &[u8], end: usize) -> bool {
    let window = &text[end..text.len().min(end + MAX_KEY)];
    let Some(name) = window.iter().position(|&b| !is_name(b)) else { return false };
    match window[name] {
        b' ' | b'\t' => {
            let rest = &window[name..];
            let blanks = rest.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
            match rest.get(blanks) {
                Some(b'=' | b':' | b'-' | b'<' | b'>' | b'|' | b'?' | b'+' | b'.' | b',') => true,
                Some(b'a' | b'i' | b'w' | b't' | b'l' | b'e')
                    if word_of_being(&rest[blanks..]) > 0 =>
                {
                    true
                }
                Some(b'"' | b'\'') => true,
                _ => {
                    // The value of a flag, or more words before the operator.
                    let first =
                        text[..end].iter().rev().take(MAX_KEY).take_while(|b| is_name(**b)).last();
                    first == Some(&b'-')
                        || first.is_some_and(|_| {
                            rest.iter().take(28).any(|b| matches!(b, b'=' | b':' | b'>'))
                        })
                }
            }
        }
        b':' => window.get(name + 1) != Some(&b':') || window.get(name + 2) == Some(&b'='),
        // A quote or bracket closes; an operator, a comma or a bracket comes next.
        b'"' | b'\'' | b'`' | b')' | b']' | b'\\' => {
            let rest = window[name..]
                .iter()
                .skip_while(|b| matches!(b, b'"' | b'\'' | b'`' | b')' | b']' | b'\\'));
            let after = rest.clone().find(|b| !matches!(b, b' ' | b'\t' | b'\n' | b'\r'));
            after.is_none_or(|b| {
                matches!(
                    b,
                    b':' | b'='
                        | b','
                        | b'-'
                        | b'<'
                        | b'>'
                        | b'.'
                        | b'|'
                        | b'?'
                        | b'+'
                        | b'!'
                        | b';'
                )
            })
        }
        byte => matches!(byte, b'=' | b'>' | b'(' | b'<' | b'|' | b'?' | b'+' | b'!'),
    }
}

/// Bytes of a key's name.
pub(crate) fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'$')
}

/// How long a value without quotes is; an escaped line break or quote ends it too.
fn bare_length(window: &[u8]) -> usize {
    let mut at = 0;
    while at < window.len() && !ends_bare(window[at]) {
        if window[at] == b'\\'
            && matches!(window.get(at + 1), Some(b'n' | b'r' | b't' | b'"' | b'\''))
        {
            break;
        }
        at += 1;
    }
    at
}

/// Bytes that end a value without quotes.
fn ends_bare(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'"' | b'\'' | b'`' | b'<')
}
