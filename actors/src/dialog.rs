//! Questions to the user: what is asked, how it is shown, and the process that shows it.
//!
//! - Owns: the question and the answer, their text for a dialog, and one helper process per dialog.
//! - Accepts: redacted text only; everything in a question is shown.
//! - Emits: one [`Answer`] per question.
//! - Promises: only a deliberate click on the button that allows is an [`Answer::Allow`]; a dialog
//!   that cannot be shown, is closed, times out, crashes or talks nonsense is a refusal.
//!
//! The queue of questions is a pure state machine ([`Desk`]); the actor around it shows them.

pub(crate) mod actor;
mod answer;
mod desk;
mod helper;
mod layout;
mod question;
mod visible;

pub use answer::{Answer, AnswerLine, MAX_ANSWER_BYTES};
pub use desk::{Asked, Desk, Effect, Key, LATE, MAX_OPEN, Shown};
pub use helper::{Helper, HelperError};
pub use layout::{ALLOW_LABEL, BLOCK_LABEL, DISMISS_LABEL, MAX_COLUMNS, MAX_LINES, Rendered};
pub use question::{
    MAX_PAYLOAD_CHARS, MAX_QUESTION_BYTES, Question, QuestionError, Reason, Subject,
};
pub use visible::{is_hidden, visible};
