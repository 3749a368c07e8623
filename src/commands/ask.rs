//! `defenter ask`: shows one question in a window of its own and prints the answer.
//!
//! - Owns: the process that a dialog needs: it may block, needs the main thread on some systems, and
//!   can be killed together with its window.
//! - Accepts: one line of JSON, a [`Question`], on standard input, which then stays open; its end
//!   means that nobody waits for the answer any more.
//! - Emits: one line of JSON, an [`AnswerLine`], on standard output.
//! - Promises: `allow` only where the dialog said in as many words that the allowing button was
//!   clicked.
//!
//! The three buttons are laid out so that every way out but one deliberate click is a refusal: the
//! default button (Return) blocks, and so does the one that Escape, closing the window, a killed
//! dialog and a missing display stand for. Allowing is the button in between, which no key reaches.

pub(super) mod display;

use std::io::{BufRead as _, Read as _, Write as _};
use std::process::ExitCode;

use defenter_actors::dialog::{
    ALLOW_LABEL, Answer, AnswerLine, BLOCK_LABEL, DISMISS_LABEL, MAX_QUESTION_BYTES, Question,
    QuestionError,
};
use rfd::{AsyncMessageDialog, MessageButtons, MessageDialogResult, MessageLevel};

use display::DisplayError;

/// Why no question was asked.
#[derive(Debug, thiserror::Error)]
enum AskError {
    #[error("failed to read the question from standard input")]
    Read(#[source] std::io::Error),
    #[error("failed to understand the question on standard input")]
    Question(#[source] QuestionError),
    #[error("failed to print the answer")]
    Print(#[source] std::io::Error),
}

/// Why a question has no answer of the user's.
#[derive(Debug, thiserror::Error)]
enum ShowError {
    #[error(transparent)]
    Display(#[from] DisplayError),
    #[error("failed to wait for the dialog: {0}")]
    Wait(std::io::Error),
    #[error("the dialog could not be shown, or does not support buttons with names")]
    NoLabels,
}

/// Reads the question, shows it, prints the answer. Everything that can be answered ends with exit
/// code 0; 1 means that there was no question, or nobody to print the answer for.
#[must_use]
pub fn run() -> ExitCode {
    match ask() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut message = format!("error: {error}");
            let mut cause = std::error::Error::source(&error);
            while let Some(inner) = cause {
                message.push_str(&format!(": {inner}"));
                cause = inner.source();
            }
            message.push_str(
                "\nhint: this command is run by the supervisor; it expects one question as JSON\n",
            );
            // Where standard error is gone too, the exit code still tells.
            let _ = std::io::stderr().write_all(message.as_bytes());
            ExitCode::FAILURE
        }
    }
}

fn ask() -> Result<(), AskError> {
    let question = read_question()?;
    end_with_standard_input();
    let (answer, detail) = match show(&question) {
        Ok(answer) => (answer, None),
        Err(error) => (Answer::Unavailable, Some(error.to_string())),
    };
    print(&AnswerLine { id: question.id, answer, detail })
}

fn read_question() -> Result<Question, AskError> {
    let mut line = Vec::new();
    std::io::stdin()
        .lock()
        .take(MAX_QUESTION_BYTES)
        .read_until(b'\n', &mut line)
        .map_err(AskError::Read)?;
    Question::from_line(&line).map_err(AskError::Question)
}

fn print(answer: &AnswerLine) -> Result<(), AskError> {
    let mut line = serde_json::to_vec(answer).map_err(|error| AskError::Print(error.into()))?;
    line.push(b'\n');
    let mut out = std::io::stdout().lock();
    out.write_all(&line).and_then(|()| out.flush()).map_err(AskError::Print)
}

fn show(question: &Question) -> Result<Answer, ShowError> {
    display::check(&|name| std::env::var_os(name))?;
    let rendered = question.render();
    let dialog = AsyncMessageDialog::new()
        .set_level(MessageLevel::Warning)
        .set_title(rendered.title)
        .set_description(display::unbreakable(&rendered.text))
        .set_buttons(MessageButtons::YesNoCancelCustom(
            BLOCK_LABEL.to_owned(),
            ALLOW_LABEL.to_owned(),
            DISMISS_LABEL.to_owned(),
        ));
    // The asynchronous form, since the other one needs the main thread of a windowed program on
    // macOS.
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(ShowError::Wait)?;
    answer_of(&runtime.block_on(dialog.show()))
}

/// What the dialog's result means. Only the exact label allows: systems without named buttons
/// report `Yes`, `No` or `Cancel`, and a "yes" to which question nobody can tell.
fn answer_of(result: &MessageDialogResult) -> Result<Answer, ShowError> {
    match result {
        MessageDialogResult::Custom(label) if label == ALLOW_LABEL => Ok(Answer::Allow),
        MessageDialogResult::Custom(label) if label == BLOCK_LABEL => Ok(Answer::Deny),
        MessageDialogResult::Custom(_) => Ok(Answer::Dismissed),
        MessageDialogResult::Ok
        | MessageDialogResult::Yes
        | MessageDialogResult::No
        | MessageDialogResult::Cancel => Err(ShowError::NoLabels),
    }
}

/// Ends this process, and the dialog with it, once standard input closes: whoever asked has given
/// up or was killed, and a window that nobody waits for must not stay.
fn end_with_standard_input() {
    // A thread that cannot be started costs that convenience only.
    let _ = std::thread::Builder::new().name("withdrawal".to_owned()).spawn(|| {
        let mut rest = [0; 512];
        let mut input = std::io::stdin().lock();
        loop {
            match input.read(&mut rest) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        withdraw();
    });
}

/// Kills the process group, which holds this process and its dialog, where the group is ours. It is
/// when the supervisor started us; a person who tries this command at a shell keeps the window.
#[cfg(unix)]
fn withdraw() {
    if rustix::process::getpgrp() == rustix::process::getpid() {
        let _ = rustix::process::kill_process_group(
            rustix::process::getpgrp(),
            rustix::process::Signal::KILL,
        );
    }
}

/// Ends the process, in which the dialog lives.
#[cfg(not(unix))]
#[expect(
    clippy::disallowed_methods,
    reason = "the main thread is inside the dialog and cannot be told to return; no child exists"
)]
fn withdraw() {
    std::process::exit(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_label_allows() {
        let custom = |label: &str| MessageDialogResult::Custom(label.to_owned());
        for (result, expected) in [
            (custom(ALLOW_LABEL), Some(Answer::Allow)),
            (custom(BLOCK_LABEL), Some(Answer::Deny)),
            (custom(DISMISS_LABEL), Some(Answer::Dismissed)),
            (custom("allow once"), Some(Answer::Dismissed)),
            (custom(""), Some(Answer::Dismissed)),
            (MessageDialogResult::Yes, None),
            (MessageDialogResult::No, None),
            (MessageDialogResult::Ok, None),
            (MessageDialogResult::Cancel, None),
        ] {
            assert_eq!(answer_of(&result).ok(), expected, "{result:?}");
        }
    }

    #[test]
    fn the_labels_differ() {
        assert_ne!(ALLOW_LABEL, BLOCK_LABEL);
        assert_ne!(ALLOW_LABEL, DISMISS_LABEL);
        assert_ne!(BLOCK_LABEL, DISMISS_LABEL);
    }
}
