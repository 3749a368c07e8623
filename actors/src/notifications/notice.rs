//! The text of one notification.
//!
//! Accepts: news, their texts redacted but otherwise as their files have them.
//! Emits: a title of our own words and a few short lines.
//! Promises: a name is shortened, on one line, without hidden characters and without what some
//! desktops take for markup; the whole is bounded.

use super::News;
use crate::{counted::Counted, dialog::visible, status::FindingKind};

/// How many entries are named; the rest is counted.
const MAX_NAMED: usize = 3;
/// How many characters of a name are shown.
const MAX_NAME_CHARS: usize = 60;

/// One notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    /// The title.
    pub(crate) title: String,
    /// What is below it.
    pub(crate) body: String,
    /// Whether it may stay until somebody has seen it.
    pub(crate) urgent: bool,
}

impl Notice {
    /// The notification for these news and `more` that are not kept; none where there are none.
    pub(super) fn of(news: &[News], more: usize) -> Option<Self> {
        let mut sorted: Vec<&News> = news.iter().collect();
        // The gravest first: another command, then what was changed back, then what is new.
        sorted.sort_by_key(|one| std::cmp::Reverse(one.kind()));
        let count = news.len() + more;
        let gravest = sorted.first().and_then(|first| first.kind());
        let urgent = gravest == Some(FindingKind::CommandChanged);
        match sorted[..] {
            [] if more == 0 => return None,
            [one] if more == 0 => {
                let body = format!("{} {}\n{}", who(one), happened(one), advice(one));
                return Some(Self { title: title(one).to_owned(), body, urgent });
            }
            _ => {}
        }
        let line = |one: &&News| format!("{} {}", who(one), happened(one));
        let mut lines: Vec<String> = sorted.iter().take(MAX_NAMED).map(line).collect();
        if count > lines.len() {
            lines.push(format!("and {} more", count - lines.len()));
        }
        lines.push("`defenter status` and `defenter servers` tell more".to_owned());
        let title = if gravest.is_none() && more == 0 {
            format!("{count} MCP servers run through Defenter now")
        } else {
            format!("{} about MCP servers", Counted::of(count, "finding"))
        };
        Some(Self { title, body: lines.join("\n"), urgent })
    }
}

fn who(news: &News) -> String {
    let (name, client) = match news {
        News::Found(finding) => (&finding.name, &finding.client),
        News::Wrapped { name, client, .. } => (name, client),
    };
    format!("“{}” ({})", harmless(name), harmless(client))
}

const fn title(news: &News) -> &'static str {
    match news {
        News::Wrapped { .. } => "An MCP server runs through Defenter now",
        News::Found(finding) => match finding.kind {
            FindingKind::Unprotected => "An MCP server is not protected",
            FindingKind::Unwrapped => "An MCP server was changed back",
            FindingKind::CommandChanged => "An MCP server's command was changed",
        },
    }
}

const fn happened(news: &News) -> &'static str {
    match news {
        News::Wrapped { .. } => "is wrapped",
        News::Found(finding) => match finding.kind {
            FindingKind::Unprotected => "does not run through Defenter",
            FindingKind::Unwrapped => "does not run through Defenter any more",
            FindingKind::CommandChanged => "is not the command that was wrapped under this name",
        },
    }
}

const fn advice(news: &News) -> &'static str {
    match news {
        News::Wrapped { .. } => "as `install.auto` says; `defenter uninstall` gives it back",
        News::Found(finding) => match finding.kind {
            FindingKind::Unprotected => "`defenter install` protects it",
            FindingKind::Unwrapped => "`defenter install` protects it again",
            FindingKind::CommandChanged => {
                "look at it before you use it: its client does not ask again"
            }
        },
    }
}

/// A text of others as a notification may show it. Desktops disagree on whether `<`, `>` and `&`
/// are markup (Desktop Notifications Specification 1.2, `body-markup`), so look-alikes stand for
/// them.
fn harmless(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(MAX_NAME_CHARS)
        .map(|c| match c {
            '<' => '‹',
            '>' => '›',
            '&' => '＆',
            '`' | '"' | '“' | '”' => '\'',
            other => other,
        })
        .collect();
    if text.chars().nth(MAX_NAME_CHARS).is_some() {
        shown.push('…');
    }
    visible(&shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::tests::finding;

    #[test]
    fn one_finding_says_what_it_is_and_what_to_do() {
        for kind in FindingKind::ALL {
            let notice = Notice::of(&[News::Found(finding(kind, "files"))], 0).expect("news");
            assert!(notice.body.starts_with("“files” (cursor) "), "{notice:?}");
            assert_eq!(notice.body.lines().count(), 2, "{notice:?}");
            assert_eq!(notice.urgent, kind == FindingKind::CommandChanged);
        }
        assert_eq!(Notice::of(&[], 0), None);
        assert!(Notice::of(&[], 2).is_some_and(|notice| notice.title.starts_with("2 findings")));
    }

    #[test]
    fn several_are_one_with_the_gravest_first_and_the_rest_counted() {
        let mut news: Vec<News> = ["a", "b", "c", "d"]
            .map(|name| News::Found(finding(FindingKind::Unprotected, name)))
            .to_vec();
        news.push(News::Found(finding(FindingKind::CommandChanged, "worst")));
        let notice = Notice::of(&news, 5).expect("news");
        assert_eq!(notice.title, "10 findings about MCP servers");
        assert!(notice.urgent && notice.body.starts_with("“worst” (cursor) "), "{notice:?}");
        assert!(notice.body.contains("\nand 7 more\n"), "{notice:?}");
        assert_eq!(notice.body.lines().count(), 5);
    }

    #[test]
    fn a_hostile_name_is_short_and_plain() {
        let name = format!("<b>&\u{202e}x\n`$(id)`”{}", "y".repeat(5_000));
        let notice =
            Notice::of(&[News::Found(finding(FindingKind::Unwrapped, &name))], 0).expect("news");
        assert!(notice.body.starts_with("“‹b›＆⟨U+202E⟩x⟨U+000A⟩'$(id)''y"), "{notice:?}");
        assert!(notice.body.chars().count() < 250, "{notice:?}");
        assert_eq!(notice.body.lines().count(), 2);
        assert!(!notice.body.contains(['<', '>', '&']));
    }
}
