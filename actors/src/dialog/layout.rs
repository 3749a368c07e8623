//! How a question looks.
//!
//! - Accepts: a [`Question`].
//! - Emits: a title and a text of at most [`MAX_LINES`] lines of [`MAX_COLUMNS`] columns, since
//!   dialogs grow with their text until the buttons leave the screen.
//! - Promises: built from facts, the model's words last and marked as such; nothing hidden; what
//!   does not fit is counted; no line but ours starts at the margin, so that no argument can imitate
//!   one. Whoever shows the text must not wrap it again.

use super::question::{Question, Reason, Subject};
use super::visible::{columns, push_visible};

/// The most lines a dialog's text has. With a customary font of 17 pixels a line, the window stays
/// below 520 pixels.
pub const MAX_LINES: usize = 24;
/// The most columns a line has, a column being an average letter. With a customary font the window
/// stays below 1000 pixels, whatever the letters.
pub const MAX_COLUMNS: usize = 76;
/// The button that lets the operation pass, this once.
pub const ALLOW_LABEL: &str = "Allow once";
/// The default button, which Return presses.
pub const BLOCK_LABEL: &str = "Block";
/// The button that Escape and closing the window stand for.
pub const DISMISS_LABEL: &str = "Not now (blocks)";

const TITLE: &str = "Defenter: allow this?";
const MARK: &str = "│ ";
const INDENT: &str = "     ";
const MAX_SHOWN_REASONS: usize = 2;
/// Deeper JSON is shown as it came, since indenting it would fill the window with blanks.
const MAX_INDENTED_DEPTH: usize = 6;
/// How much of a name one sentence shows.
const NAME_COLUMNS: usize = 48;
/// The longest time that is told, in seconds.
const MAX_TOLD_SECONDS: u64 = 999_999;

/// How one character is written.
type Push = fn(&mut String, char, &mut u8);

/// A question's text for a dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The window's title. Always the same: what an attacker may choose does not belong there.
    pub title: &'static str,
    /// The text, lines separated by `\n`.
    pub text: String,
}

/// A text laid out in lines, and how many of its characters found no place.
struct Lines {
    lines: Vec<String>,
    left_over: u64,
}

impl Question {
    /// Lays the question out for a dialog.
    #[must_use]
    pub fn render(&self) -> Rendered {
        let question = self.clone().bounded();
        let mut lines = question.head();
        let foot = question.foot();
        let free = MAX_LINES.saturating_sub(lines.len() + foot.len());
        lines.extend(question.payload_lines(free));
        lines.extend(foot);
        Rendered { title: TITLE, text: lines.join("\n") }
    }

    fn head(&self) -> Vec<String> {
        let mut lines = field("", &self.headline(), 3, push_as_is);
        lines.extend(field("Server: ", &self.identity, 2, push_visible));
        if let Some(workspace) = &self.workspace {
            lines.extend(field("Workspace: ", workspace, 1, push_visible));
        }
        lines.extend(self.reason_lines());
        if let Some(evidence) = self.evidence.first() {
            lines.extend(field("Because of: ", evidence, 2, push_visible));
        }
        lines
    }

    fn headline(&self) -> String {
        let client = name(&self.client);
        let server = name(&self.server);
        let target = self.target.as_deref().map(name);
        match (self.subject, target) {
            (Subject::Request, Some(target)) if self.method == "tools/call" => {
                format!("{client} wants to call the tool {target} of {server}.")
            }
            (Subject::Request, Some(target)) => {
                format!("{client} wants {} of {server}: {target}.", name(&self.method))
            }
            (Subject::Request, None) => {
                format!("{client} wants {} of {server}.", name(&self.method))
            }
            (Subject::Result, Some(target)) => {
                format!("{server} has answered {target}; may {client} see the answer?")
            }
            (Subject::Result, None) => {
                format!(
                    "{server} has answered {}; may {client} see the answer?",
                    name(&self.method)
                )
            }
            (Subject::ServerRequest, _) => {
                format!("{server} asks {client} for {}.", name(&self.method))
            }
        }
    }

    fn reason_lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .reasons
            .iter()
            .take(MAX_SHOWN_REASONS)
            .flat_map(|Reason { rule, text }| {
                field("Why: ", &format!("{text} [{rule}]"), 2, push_visible)
            })
            .collect();
        match self.reasons.len().saturating_sub(MAX_SHOWN_REASONS) {
            0 => {}
            1 => lines.push(format!("{INDENT}… and 1 more reason")),
            more => lines.push(format!("{INDENT}… and {more} more reasons")),
        }
        lines
    }

    fn payload_lines(&self, free: usize) -> Vec<String> {
        let heading = match self.subject {
            Subject::Result => "Answer, secrets masked:",
            Subject::Request | Subject::ServerRequest => "Arguments, secrets masked:",
        };
        let room = free.saturating_sub(1);
        let pretty = indent_json(&self.payload)
            .map(|pretty| wrap(&pretty, room))
            .filter(|lines| lines.left_over == 0);
        let mut laid_out = pretty.unwrap_or_else(|| wrap(&self.payload, room));
        laid_out.left_over = laid_out.left_over.saturating_add(self.payload_more);
        let mut lines = vec![heading.to_owned()];
        lines.extend(laid_out.told(room));
        lines
    }

    fn foot(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(claim) = &self.claim {
            lines.extend(field("The assistant's claim, not verified: ", claim, 2, push_visible));
        }
        lines.push(format!(
            "Only “{ALLOW_LABEL}” lets it pass; no answer within {} s blocks it.",
            self.open_ms.div_ceil(1000).min(MAX_TOLD_SECONDS)
        ));
        lines.extend(field("More: defenter explain ", &self.id, 1, push_visible));
        lines
    }
}

impl Lines {
    /// At most `room` lines, the last of which tells how many characters are not shown.
    fn told(mut self, room: usize) -> Vec<String> {
        if self.left_over == 0 && self.lines.len() <= room {
            return self.lines;
        }
        while self.lines.len() >= room.max(1) {
            let Some(line) = self.lines.pop() else { break };
            let text = line.strip_prefix(MARK).unwrap_or(&line);
            self.left_over = self.left_over.saturating_add(text.chars().count() as u64);
        }
        self.lines.push(format!("… {} more characters", grouped(self.left_over)));
        self.lines
    }
}

/// Lays the arguments out in at most `room` lines, each with the mark. A line end in the text ends
/// a line.
fn wrap(text: &str, room: usize) -> Lines {
    let width = MAX_COLUMNS - text_columns(MARK);
    let mut lines = Vec::new();
    let (mut line, mut used, mut marks) = (String::new(), 0, 0);
    let mut rest = text.chars();
    let mut token = String::new();
    while let Some(c) = rest.next() {
        if c == '\n' {
            lines.push(format!("{MARK}{line}"));
            (line, used) = (String::new(), 0);
        } else {
            token.clear();
            push_visible(&mut token, c, &mut marks);
            let wide = text_columns(&token);
            if used + wide > width {
                lines.push(format!("{MARK}{line}"));
                (line, used) = (String::new(), 0);
            }
            if lines.len() < room {
                line.push_str(&token);
                used += wide;
            }
        }
        if lines.len() >= room {
            return Lines { lines, left_over: u64::from(c != '\n') + rest.count() as u64 };
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(format!("{MARK}{line}"));
    }
    Lines { lines, left_over: 0 }
}

/// For a sentence of ours, whose parts are visible already.
fn push_as_is(out: &mut String, c: char, _marks: &mut u8) {
    out.push(c);
}

/// A `label` and its `text` in at most `room` lines, the later ones indented, the last one cut if
/// need be, and saying so.
fn field(label: &str, text: &str, room: usize, push: Push) -> Vec<String> {
    let mut lines = Vec::new();
    let (mut prefix, mut rest) = (label, text);
    while lines.len() + 1 < room {
        let (line, after) = filled(rest, MAX_COLUMNS - text_columns(prefix), push);
        lines.push(format!("{prefix}{line}"));
        (prefix, rest) = (INDENT, after);
        if rest.is_empty() {
            return lines;
        }
    }
    lines.push(format!("{prefix}{}", shortened(rest, MAX_COLUMNS - text_columns(prefix), push)));
    lines
}

/// As much of `text` as `width` columns hold, up to a blank where there is one late enough, and the
/// rest.
fn filled(text: &str, width: usize, push: Push) -> (String, &str) {
    let mut shown = String::new();
    let (mut used, mut marks) = (0, 0);
    let mut blank = None;
    for (at, c) in text.char_indices() {
        let before = shown.len();
        push(&mut shown, c, &mut marks);
        used += text_columns(&shown[before..]);
        if used > width {
            let (end, rest) = blank.unwrap_or((before, at));
            shown.truncate(end);
            return (shown, &text[rest..]);
        }
        if c == ' ' && used > width / 2 {
            blank = Some((before, at + 1));
        }
    }
    (shown, "")
}

/// A name for a sentence: quoted, shortened, and kept from turning the sentence around where it is
/// written from right to left.
fn name(text: &str) -> String {
    let quoted = format!("“{}”", shortened(text, NAME_COLUMNS, push_visible));
    if text.chars().any(is_right_to_left) { format!("\u{2068}{quoted}\u{2069}") } else { quoted }
}

/// As much of `text` as `width` columns hold, and how much more there is.
fn shortened(text: &str, width: usize, push: Push) -> String {
    let mut shown = String::new();
    let (mut used, mut marks) = (0, 0);
    // Where the text is cut, if it must be: the last place that leaves room for the notice.
    let (mut cut_at, mut shown_chars) = (0, 0_usize);
    let notice = format!("… {} more characters", text.chars().count());
    let room = width.saturating_sub(text_columns(&notice));
    for (index, c) in text.chars().enumerate() {
        let before = shown.len();
        push(&mut shown, c, &mut marks);
        used += text_columns(&shown[before..]);
        if used <= room {
            (cut_at, shown_chars) = (shown.len(), index + 1);
        }
        if used > width {
            shown.truncate(cut_at);
            let more = text.chars().count() - shown_chars;
            return format!("{shown}… {more} more characters");
        }
    }
    shown
}

fn text_columns(text: &str) -> usize {
    text.chars().map(columns).sum()
}

/// Puts each member and element of a JSON text on a line of its own, changing nothing but the
/// blanks between tokens. `None` where that would not help a reader.
fn indent_json(raw: &str) -> Option<String> {
    let mut out = String::with_capacity(raw.len() * 2);
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    let mut tokens = raw.trim().chars().peekable();
    if !matches!(tokens.peek(), Some('{' | '[')) {
        return None;
    }
    while let Some(c) = tokens.next() {
        if in_string {
            out.push(c);
            in_string = escaped || c != '"';
            escaped = c == '\\' && !escaped;
            continue;
        }
        match c {
            '"' => {
                in_string = true;
                out.push(c);
            }
            '{' | '[' => {
                out.push(c);
                while tokens.next_if(char::is_ascii_whitespace).is_some() {}
                if !matches!(tokens.peek(), Some('}' | ']')) {
                    depth += 1;
                    new_line(&mut out, depth);
                } else if let Some(end) = tokens.next() {
                    out.push(end);
                }
            }
            '}' | ']' => {
                depth = depth.checked_sub(1)?;
                new_line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                new_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            blank if blank.is_ascii_whitespace() => {}
            other => out.push(other),
        }
        if depth > MAX_INDENTED_DEPTH {
            return None;
        }
    }
    Some(out)
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    for _ in 0..depth {
        out.push_str("  ");
    }
}

/// Digits in groups of three, as people read big numbers.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The blocks of the scripts written from right to left.
const fn is_right_to_left(c: char) -> bool {
    matches!(c,
        '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefe}'
        | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

#[cfg(test)]
mod tests {
    use super::super::is_hidden;
    use super::super::question::tests::sample;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_ordinary_question_reads_well() {
        let mut question = sample();
        question.payload = r#"{"path":"/home/u/project/a.txt","force":true,"tags":[]}"#.into();
        let expected = "\
“cursor” wants to call the tool “delete_file” of “files”.
Server: npx -y @modelcontextprotocol/server-filesystem /home/u/project
Workspace: /home/u/project
Why: it deletes [ask-destructive]
Arguments, secrets masked:
│ {
│   \"path\": \"/home/u/project/a.txt\",
│   \"force\": true,
│   \"tags\": []
│ }
Only “Allow once” lets it pass; no answer within 50 s blocks it.
More: defenter explain 01946f3e-0000-7000-8000-000000000001";
        assert_eq!(question.render().text, expected);
    }

    #[test]
    fn long_arguments_end_in_a_count() {
        let mut question = sample();
        question.payload = format!("{{\"text\":\"{}\"}}", "x".repeat(20_000));
        let text = question.render().text;
        let notice = text.lines().find(|line| line.ends_with("more characters")).unwrap();
        let told: u64 = notice
            .trim_start_matches("… ")
            .trim_end_matches(" more characters")
            .replace(',', "")
            .parse()
            .unwrap();
        let shown: usize = text
            .lines()
            .filter_map(|line| line.strip_prefix(MARK))
            .map(|line| line.chars().count())
            .sum();
        assert_eq!(told + shown as u64, 20_011);
    }

    #[test]
    fn arguments_cannot_imitate_our_lines() {
        let mut question = sample();
        question.payload = format!("x\nServer: trusted {}Server: trusted", "x".repeat(58));
        question.claim = Some(format!("{}Server: trusted", "ok ".repeat(13)));
        question.evidence = vec![format!("ok\n{} Server: trusted", "x".repeat(61))];
        let text = question.render().text;
        assert_eq!(text.matches("Server: trusted").count(), 4, "{text}");
        for line in text.lines().filter(|line| line.contains("trusted")) {
            assert!(!line.starts_with("Server"), "{line}");
        }
    }

    #[test]
    fn names_written_from_right_to_left_are_isolated() {
        let mut question = sample();
        question.server = "קבצים".into();
        assert!(question.render().text.contains("\u{2068}“קבצים”\u{2069}"));
    }

    #[test]
    fn a_result_and_a_servers_request_say_what_they_are() {
        let mut question = sample();
        question.subject = Subject::Result;
        let text = question.render().text;
        assert!(text.starts_with("“files” has answered “delete_file”; may “cursor” see"), "{text}");
        question.subject = Subject::ServerRequest;
        question.method = "sampling/createMessage".into();
        let text = question.render().text;
        assert!(text.starts_with("“files” asks “cursor” for “sampling/createMessage”."), "{text}");
    }

    #[test]
    fn indenting_changes_blanks_only() {
        for raw in [
            r#"{"a":1e400,"b":[{},[],[1, 2]],"c":"x\"},{ y\\"}"#,
            "[\n]",
            r#"{ "k" : "line\nend\u202e" }"#,
        ] {
            let squeezed = |text: &str| -> String {
                let mut inside = false;
                let mut escaped = false;
                text.chars()
                    .filter(|c| {
                        let keep = inside || !c.is_ascii_whitespace();
                        if inside {
                            inside = escaped || *c != '"';
                            escaped = *c == '\\' && !escaped;
                        } else {
                            inside = *c == '"';
                        }
                        keep
                    })
                    .collect()
            };
            assert_eq!(squeezed(&indent_json(raw).unwrap()), squeezed(raw));
        }
        assert_eq!(indent_json("\"text\""), None);
        assert_eq!(indent_json(&"[".repeat(500)), None);
        assert_eq!(indent_json("{}}"), None);
    }

    #[test]
    fn numbers_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1_204, "1,204"), (1_000_000, "1,000,000")] {
            assert_eq!(grouped(number), text);
        }
    }

    prop_compose! {
        fn hostile()(text in prop_oneof![
            any::<String>(),
            "[\\x00-\\x1f\u{202e}\u{200b}漢字a-z\\\\\"{}\\[\\],]{0,400}",
            "\\PC{0,3000}",
        ]) -> String { text }
    }

    proptest! {
        #[test]
        fn every_dialog_fits_and_hides_nothing(
            names in proptest::collection::vec(hostile(), 4),
            reasons in proptest::collection::vec(hostile(), 0..10),
            evidence in proptest::collection::vec(hostile(), 0..6),
            payload in hostile(),
            claim in proptest::option::of(hostile()),
            target in proptest::option::of(hostile()),
            open_ms in any::<u64>(),
            subject in prop_oneof![
                Just(Subject::Request), Just(Subject::Result), Just(Subject::ServerRequest)
            ],
        ) {
            let question = Question {
                client: names[0].clone(),
                server: names[1].clone(),
                identity: names[2].clone(),
                id: names[3].clone(),
                reasons: reasons
                    .into_iter()
                    .map(|text| Reason { rule: names[0].clone(), text })
                    .collect(),
                evidence, payload, claim, target, open_ms, subject,
                ..sample()
            };
            let text = question.render().text;
            prop_assert!(text.lines().count() <= MAX_LINES, "{}", text);
            for line in text.split('\n') {
                let wide = text_columns(line);
                prop_assert!(wide <= MAX_COLUMNS, "{}: {}", wide, line);
                let hidden = |c: char| is_hidden(c) && !matches!(c, '\u{2068}' | '\u{2069}');
                prop_assert!(!line.chars().any(hidden), "{:?}", line);
            }
            prop_assert!(text.contains("Only “Allow once” lets it pass;"));
        }
    }
}
