//! The process that shows a dialog.
//!
//! - Owns: one child process in a process group of its own while a question is open.
//! - Accepts: a [`Question`]; dropping the future withdraws it.
//! - Emits: one [`Answer`].
//! - Dies when: the answer came, the deadline passed, or the future was dropped: the whole group is
//!   killed, the window with it. The child also ends by itself when its standard input closes, so
//!   that no window outlives a supervisor that was killed.
//! - Promises: a helper that cannot start, crashes, writes too much or answers another question is
//!   a refusal.
//!
//! The child holds the window because a dialog cannot be closed from within the process that opened
//! it (on Linux it is a further process), must have the main thread on macOS, and may crash.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;

use defenter_mcp::process::Life;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::answer::{Answer, AnswerLine, MAX_ANSWER_BYTES};
use super::question::{Question, QuestionError};

/// How dialogs are shown: the program that does it, and what it needs in its environment.
#[derive(Debug, Clone)]
pub struct Helper {
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
}

/// Why a helper gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum HelperError {
    /// It could not be started.
    #[error("failed to start the dialog helper {program}")]
    Start {
        /// The program.
        program: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Its pipes failed.
    #[error("failed to talk to the dialog helper")]
    Pipe(#[from] std::io::Error),
    /// The question could not be written.
    #[error("failed to write the question for the dialog helper")]
    Question(#[from] QuestionError),
    /// It ended without an answer.
    #[error("the dialog helper ended without an answer")]
    NoAnswer,
    /// What it wrote is no answer.
    #[error("the dialog helper's answer is not valid")]
    Malformed(#[source] serde_json::Error),
    /// It answered something else.
    #[error("the dialog helper answered another question")]
    OtherQuestion,
}

/// A running helper. Dropping it kills its whole process group.
struct Running {
    #[expect(dead_code, reason = "dropping it is what kills the child")]
    life: Life,
    stdin: ChildStdin,
    stdout: ChildStdout,
}

impl Helper {
    /// Shows dialogs by running `program ask`; give the running program's own path.
    #[must_use]
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), arguments: vec!["ask".into()], environment: Vec::new() }
    }

    /// Adds variables to the helper's environment. A supervisor that was not started within the
    /// user's session has no `DISPLAY`, `WAYLAND_DISPLAY`, `XDG_RUNTIME_DIR` or `XAUTHORITY` of its
    /// own; a client's shim does.
    #[must_use]
    pub fn with_environment(
        mut self,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Self {
        self.environment.extend(variables);
        self
    }

    /// Asks, and waits until the question's time is up.
    ///
    /// Never fails: whatever goes wrong is logged and is [`Answer::Unavailable`], a refusal.
    pub async fn ask(&self, question: &Question) -> Answer {
        match timeout(question.open(), self.try_ask(question)).await {
            Err(_) => Answer::TimedOut,
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    operation = %question.id,
                    "no dialog could be shown, so the operation is refused"
                );
                Answer::Unavailable
            }
        }
    }

    async fn try_ask(&self, question: &Question) -> Result<Answer, HelperError> {
        let line = question.to_line()?;
        let mut running = self.start()?;
        running.stdin.write_all(&line).await?;
        running.stdin.flush().await?;
        let answer = running.read_answer().await?;
        if answer.id != question.clone().bounded().id {
            return Err(HelperError::OtherQuestion);
        }
        if let Some(detail) = answer.detail {
            let detail = super::visible(&detail);
            tracing::warn!(detail, operation = %question.id, "the dialog helper had trouble");
        }
        Ok(answer.answer)
    }

    fn start(&self) -> Result<Running, HelperError> {
        let failed = |source| HelperError::Start { program: self.program.clone(), source };
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            // It makes GTK programs print to standard output, where a dialog's answer is read from.
            .env_remove("G_MESSAGES_DEBUG")
            // Clients and the system start programs with little more than HOME and PATH. Without a
            // locale, GTK takes its arguments for ASCII, refuses the question's own quotation marks
            // and ends, which is taken for a refusal that nobody made.
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut life = Life::start(&mut command).map_err(failed)?;
        let unconnected = || failed(std::io::Error::other("its streams are not connected"));
        let (stdin, stdout) = life.take_pipes().ok_or_else(unconnected)?;
        Ok(Running { life, stdin, stdout })
    }
}

impl Running {
    async fn read_answer(&mut self) -> Result<AnswerLine, HelperError> {
        let mut line = Vec::new();
        BufReader::new(&mut self.stdout)
            .take(MAX_ANSWER_BYTES)
            .read_until(b'\n', &mut line)
            .await?;
        if line.last() != Some(&b'\n') {
            return Err(HelperError::NoAnswer);
        }
        serde_json::from_slice(&line).map_err(HelperError::Malformed)
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::time::{Duration, Instant};

    use super::super::question::tests::sample;
    use super::*;

    /// A helper that is a few lines of shell. What it prints comes from its standard output alone.
    fn shell(script: &str) -> Helper {
        Helper {
            program: "/bin/sh".into(),
            arguments: vec!["-c".into(), script.into()],
            environment: Vec::new(),
        }
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }

    #[track_caller]
    fn check(script: &str, expected: Answer) {
        let question = Question { id: "q1".into(), ..sample() };
        let answer = runtime().block_on(shell(script).ask(&question));
        assert_eq!(answer, expected, "{script}");
    }

    #[test]
    fn passes_on_an_answer_to_this_question() {
        for answer in Answer::ALL {
            let line = format!(r#"{{"id":"q1","answer":"{}"}}"#, answer.label());
            check(&format!("read line; echo '{line}'"), answer);
        }
    }

    #[test]
    fn the_helper_gets_the_question() {
        check(
            r#"read -r line
               case $line in *'"target":"delete_file"'*) echo '{"id":"q1","answer":"allow"}';; esac"#,
            Answer::Allow,
        );
    }

    #[test]
    fn the_helper_gets_the_variables_but_for_the_noisy_one() {
        let helper = shell(
            r#"read line; [ "$DISPLAY$LC_ALL" = :1C.UTF-8 ] && [ -z "$G_MESSAGES_DEBUG" ] &&
               echo '{"id":"q1","answer":"allow"}'"#,
        )
        .with_environment(
            [("DISPLAY", ":1"), ("G_MESSAGES_DEBUG", "all")].map(|(k, v)| (k.into(), v.into())),
        );
        let question = Question { id: "q1".into(), ..sample() };
        assert_eq!(runtime().block_on(helper.ask(&question)), Answer::Allow);
    }

    #[test]
    fn anything_but_one_answer_is_a_refusal() {
        for script in [
            "read line",
            "exit 3",
            "kill -9 $$",
            "read line; echo allow",
            "read line; echo",
            r#"read line; printf '{"id":"q1","answer":"allow"}'"#,
            r#"read line; echo '{"id":"q2","answer":"allow"}'"#,
            r#"read line; echo '{"id":"q1","answer":"allow","always":true}'"#,
            "read line; exec cat /dev/zero",
        ] {
            check(script, Answer::Unavailable);
        }
    }

    #[test]
    fn a_program_that_is_not_there_is_a_refusal() {
        let helper = Helper::new("/nonexistent/defenter");
        assert_eq!(runtime().block_on(helper.ask(&sample())), Answer::Unavailable);
    }

    /// Asks a helper that starts a process of its own, as a dialog does, and gives the ids of both;
    /// nothing where the time is up before the helper runs.
    async fn ask_and_note_ids(
        open: Duration,
        give_up: Duration,
    ) -> Option<(Option<Answer>, Vec<rustix::process::Pid>)> {
        let folder = std::env::temp_dir().join(format!("defenter-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&folder).unwrap();
        let notes = folder.join("pids");
        let script =
            format!("sleep 600 & echo $$ $! >'{0}.new'; mv '{0}.new' '{0}'; wait", notes.display());
        let question = Question { open_ms: open.as_millis().try_into().unwrap(), ..sample() };
        let helper = shell(&script);
        let mut asking = Box::pin(helper.ask(&question));
        let begun = Instant::now();
        // The helper has to be running before it can be given up.
        let mut answer = None;
        while answer.is_none() && (!notes.exists() || begun.elapsed() < give_up) {
            answer = timeout(Duration::from_millis(5), &mut asking).await.ok();
            assert!(begun.elapsed() < Duration::from_secs(60), "the helper never started");
        }
        drop(asking);
        let pids = std::fs::read_to_string(&notes).unwrap_or_default();
        let pids: Vec<_> = pids
            .split_whitespace()
            .map(|pid| rustix::process::Pid::from_raw(pid.parse().unwrap()).unwrap())
            .collect();
        std::fs::remove_dir_all(&folder).unwrap();
        (!pids.is_empty()).then_some((answer, pids))
    }

    async fn gone(pid: rustix::process::Pid) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(60) {
            // A process that was killed and not yet reaped by whoever inherited it is as good.
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
            let ended = match stat {
                Ok(stat) => stat.contains(") Z "),
                Err(_) => rustix::process::test_kill_process(pid).is_err(),
            };
            if ended {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        false
    }

    #[test]
    fn time_that_is_up_kills_the_whole_group() {
        runtime().block_on(async {
            // On a loaded machine it takes a while until the helper runs.
            let mut open = Duration::from_millis(700);
            let (answer, pids) = loop {
                if let Some(noted) = ask_and_note_ids(open, Duration::from_secs(60)).await {
                    break noted;
                }
                open *= 2;
            };
            assert_eq!(answer, Some(Answer::TimedOut));
            assert_eq!(pids.len(), 2);
            for pid in pids {
                assert!(gone(pid).await, "{pid:?} is still there");
            }
        });
    }

    #[test]
    fn giving_up_kills_the_whole_group() {
        runtime().block_on(async {
            let noted = ask_and_note_ids(Duration::from_secs(600), Duration::ZERO).await;
            let (answer, pids) = noted.unwrap();
            assert_eq!(answer, None);
            for pid in pids {
                assert!(gone(pid).await, "{pid:?} is still there");
            }
        });
    }
}
