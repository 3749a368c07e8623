//! What is asked.
//!
//! - Owns: the facts of one question, and its one-line JSON on the way to the helper.
//! - Accepts: redacted text; names and arguments are hostile all the same.
//! - Emits: a [`super::Rendered`] text, or one line of JSON.
//! - Promises: bounded in every field; what was cut is counted and told.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How many characters of the arguments or the result travel with a question. The dialog shows
/// far fewer; a bigger window can use the rest.
pub const MAX_PAYLOAD_CHARS: usize = 8192;
/// The longest line of JSON that is a question, in bytes. All limits together, each character
/// escaped as `\u0000`, stay below it.
pub const MAX_QUESTION_BYTES: u64 = 128 * 1024;

const MAX_NAME_CHARS: usize = 128;
const MAX_IDENTITY_CHARS: usize = 512;
const MAX_SENTENCE_CHARS: usize = 300;
const MAX_REASONS: usize = 8;
const MAX_EVIDENCE: usize = 4;

/// One question to the user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The operation's id; an answer must carry the same.
    pub id: String,
    /// Who asks: the client's name.
    pub client: String,
    /// The server's name, as the client's config has it.
    pub server: String,
    /// What the server really is: its command line or URL, redacted.
    pub identity: String,
    /// The folder that the client works in, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
    /// What is to be allowed.
    pub subject: Subject,
    /// The protocol's method.
    pub method: String,
    /// The tool, resource or prompt, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Why the question is asked, the weightiest first.
    pub reasons: Vec<Reason>,
    /// What the reasons rest on, as quotations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
    /// The redacted arguments, or the redacted result; raw JSON or plain text.
    pub payload: String,
    /// How many characters of it were cut.
    #[serde(default)]
    pub payload_more: u64,
    /// What the model says it wants. A claim, shown as one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    /// How long the question stays open from now, in milliseconds.
    pub open_ms: u64,
}

/// One reason for asking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// The rule's id.
    pub rule: String,
    /// The reason in words.
    pub text: String,
}

/// What a question would let pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A request of the client to the server.
    Request,
    /// The server's answer to a request that has already run.
    Result,
    /// A request of the server to the client, such as sampling or elicitation.
    ServerRequest,
}

/// Why a question could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum QuestionError {
    /// It is no question in JSON.
    #[error("the question is not valid JSON")]
    Json(#[from] serde_json::Error),
    /// It is too long.
    #[error("the question is longer than {MAX_QUESTION_BYTES} bytes")]
    TooLong,
}

impl Question {
    /// Cuts every field to its limit. Long arguments are cut at the end and counted in
    /// `payload_more`.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        for name in [&mut self.id, &mut self.client, &mut self.server, &mut self.method] {
            cut(name, MAX_NAME_CHARS);
        }
        if let Some(target) = &mut self.target {
            cut(target, MAX_IDENTITY_CHARS);
        }
        cut(&mut self.identity, MAX_IDENTITY_CHARS);
        if let Some(workspace) = &mut self.workspace {
            cut(workspace, MAX_IDENTITY_CHARS);
        }
        self.reasons.truncate(MAX_REASONS);
        for reason in &mut self.reasons {
            cut(&mut reason.rule, MAX_NAME_CHARS);
            cut(&mut reason.text, MAX_SENTENCE_CHARS);
        }
        self.evidence.truncate(MAX_EVIDENCE);
        for sentence in self.evidence.iter_mut().chain(&mut self.claim) {
            cut(sentence, MAX_SENTENCE_CHARS);
        }
        let removed = truncate_chars(&mut self.payload, MAX_PAYLOAD_CHARS);
        self.payload_more = self.payload_more.saturating_add(removed);
        self
    }

    /// How long the question stays open.
    #[must_use]
    pub const fn open(&self) -> Duration {
        Duration::from_millis(self.open_ms)
    }

    /// The question as one line of JSON, bounded, with its line end.
    ///
    /// # Errors
    /// Where JSON cannot be written, which no value of this type brings about.
    pub fn to_line(&self) -> Result<Vec<u8>, QuestionError> {
        let mut line = serde_json::to_vec(&self.clone().bounded())?;
        line.push(b'\n');
        if line.len() as u64 > MAX_QUESTION_BYTES {
            return Err(QuestionError::TooLong);
        }
        Ok(line)
    }

    /// Reads a question back from one line.
    ///
    /// # Errors
    /// Where the line is too long, or no question.
    pub fn from_line(line: &[u8]) -> Result<Self, QuestionError> {
        if line.len() as u64 > MAX_QUESTION_BYTES {
            return Err(QuestionError::TooLong);
        }
        Ok(serde_json::from_slice::<Self>(line)?.bounded())
    }
}

/// Cuts a text that is over its limit and says how much is gone.
fn cut(text: &mut String, limit: usize) {
    // Room for the notice, so that a text that was cut once is not cut again.
    const NOTICE_CHARS: usize = 40;
    if text.chars().nth(limit).is_some() {
        let removed = truncate_chars(text, limit.saturating_sub(NOTICE_CHARS));
        text.push_str(&format!("… {removed} more characters"));
    }
}

/// Keeps the first `limit` characters and returns how many were removed.
fn truncate_chars(text: &mut String, limit: usize) -> u64 {
    // A character takes at least one byte, so short texts need no counting.
    if text.len() <= limit {
        return 0;
    }
    let Some((end, _)) = text.char_indices().nth(limit) else { return 0 };
    let removed = text[end..].chars().count() as u64;
    text.truncate(end);
    removed
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(in crate::dialog) fn sample() -> Question {
        Question {
            id: "01946f3e-0000-7000-8000-000000000001".into(),
            client: "cursor".into(),
            server: "files".into(),
            identity: "npx -y @modelcontextprotocol/server-filesystem /home/u/project".into(),
            workspace: Some("/home/u/project".into()),
            subject: Subject::Request,
            method: "tools/call".into(),
            target: Some("delete_file".into()),
            reasons: vec![Reason { rule: "ask-destructive".into(), text: "it deletes".into() }],
            evidence: vec![],
            payload: r#"{"path":"/home/u/project/a.txt"}"#.into(),
            payload_more: 0,
            claim: None,
            open_ms: 50_000,
        }
    }

    #[test]
    fn comes_back_from_its_line() {
        let line = sample().to_line().unwrap();
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
        assert_eq!(Question::from_line(&line).unwrap(), sample());
    }

    #[test]
    fn cut_arguments_are_counted() {
        let mut question = sample();
        question.payload = "é".repeat(MAX_PAYLOAD_CHARS + 7);
        question.payload_more = 3;
        let question = question.bounded();
        assert_eq!(question.payload.chars().count(), MAX_PAYLOAD_CHARS);
        assert_eq!(question.payload_more, 10);
    }

    #[test]
    fn refuses_what_is_no_question() {
        let line = String::from_utf8(sample().to_line().unwrap()).unwrap();
        for bad in [
            "".to_owned(),
            "{}".to_owned(),
            "null".to_owned(),
            line.replace("\"id\"", "\"surprise\":1,\"id\""),
            line.replace("\"request\"", "\"Request\""),
            format!("{line}{line}"),
            format!("\"{}\"", "x".repeat(1 << 18)),
        ] {
            assert!(Question::from_line(bad.as_bytes()).is_err(), "{bad:.80}");
        }
    }

    proptest! {
        #[test]
        fn any_question_fits_its_line(
            name in "\\PC{0,300}",
            control in proptest::collection::vec(0_u8..32, 0..20_000),
            reasons in proptest::collection::vec(any::<String>(), 0..20),
        ) {
            let control = String::from_utf8(control).unwrap();
            let question = Question {
                client: name.clone(),
                identity: control.clone(),
                payload: control.clone(),
                claim: Some(control.clone()),
                evidence: vec![control; 9],
                reasons: reasons.into_iter().map(|text| Reason { rule: name.clone(), text }).collect(),
                ..sample()
            }
            .bounded();
            let line = question.to_line().unwrap();
            prop_assert_eq!(&Question::from_line(&line).unwrap(), &question);
            prop_assert_eq!(question.clone().bounded(), question);
        }
    }
}
