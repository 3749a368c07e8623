//! The answer to a question.
//!
//! - Promises: one word of six; every one but `allow` is a refusal.

use serde::{Deserialize, Serialize};

/// How long a helper's answer may be, in bytes.
pub const MAX_ANSWER_BYTES: u64 = 4096;

/// How a question ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The user clicked the button that allows this one operation.
    Allow,
    /// The user clicked the button that blocks.
    Deny,
    /// The dialog was closed, or dismissed with Escape, without a choice.
    Dismissed,
    /// Nobody answered in time.
    TimedOut,
    /// No dialog could be shown, or the process that shows it failed.
    Unavailable,
    /// The request was withdrawn before anybody answered.
    Cancelled,
}

/// What the helper prints: one line of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerLine {
    /// The id of the question that is answered.
    pub id: String,
    /// The answer.
    pub answer: Answer,
    /// Why no dialog could be shown, for the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Answer {
    /// Every answer.
    pub const ALL: [Self; 6] = [
        Self::Allow,
        Self::Deny,
        Self::Dismissed,
        Self::TimedOut,
        Self::Unavailable,
        Self::Cancelled,
    ];

    /// Whether the operation may go on.
    #[must_use]
    pub const fn is_allow(self) -> bool {
        matches!(self, Self::Allow)
    }

    /// The answer's name, as JSON and metric labels have it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Dismissed => "dismissed",
            Self::TimedOut => "timed_out",
            Self::Unavailable => "unavailable",
            Self::Cancelled => "cancelled",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_label_is_the_json_and_only_allow_allows() {
        for answer in Answer::ALL {
            assert_eq!(serde_json::to_string(&answer).unwrap(), format!("\"{}\"", answer.label()));
            assert_eq!(answer.is_allow(), answer == Answer::Allow);
        }
    }

    #[test]
    fn an_unknown_word_is_no_answer() {
        for line in [
            r#"{"id":"1","answer":"Allow"}"#,
            r#"{"id":"1","answer":"allow_always"}"#,
            r#"{"id":"1","answer":"allow","extra":1}"#,
            r#"{"answer":"allow"}"#,
            r#"{"id":"1","answer":"allow"}{}"#,
        ] {
            assert!(serde_json::from_str::<AnswerLine>(line).is_err(), "{line}");
        }
    }
}
