//! The supervisor in the background: started in a session of its own, and waited for.
//!
//! Owns: its log file.
//! Accepts: the program, and more arguments for `up`.
//! Emits: its process id once it answers, or the last lines that it wrote.
//! Promises: it holds no stream of ours, and no signal for our process group reaches it; the wait
//! has an end, and what has not answered by then is killed.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom},
    os::unix::{
        fs::{OpenOptionsExt, PermissionsExt},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use defenter_config::Paths;

use crate::{
    Exit, control,
    failure::{Failure, OrFail},
    terminal::plain,
};

/// How long the supervisor may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it is looked at meanwhile.
const LOOK: Duration = Duration::from_millis(10);
/// A log over this size is put aside before more is written, in bytes.
const MAX_LOG: u64 = 4 << 20;
/// How much of the log's end is shown, in bytes and lines.
const TAIL: (u64, usize) = (16 << 10, 10);

/// Where a supervisor in the background writes what it would say on a terminal.
pub(crate) fn log_file(paths: &Paths) -> PathBuf {
    paths.run.join("supervisor.log")
}

/// Starts `program up MORE…` and gives its process id once it answers.
pub(crate) fn start(paths: &Paths, program: &Path, more: &[String]) -> Result<u32, Failure> {
    if let Some(running) = control::status(paths)? {
        let pid = running.supervisor.pid;
        let message = format!("a supervisor runs already: process {pid}");
        return Err(Failure::new(Exit::Failed, message)
            .hint("`defenter status` describes it, `defenter down` stops it"));
    }
    let path = log_file(paths);
    let (log, before) = open_log(&path).map_err(|error| {
        Failure::new(Exit::Failed, format!("failed to open the log {}: {error}", path.display()))
    })?;
    let mut command = Command::new(program);
    command.arg("up").args(more).current_dir("/").stdin(Stdio::null());
    command.stdout(log.try_clone().or_fail(Exit::Failed)?).stderr(log);
    let mut child = spawn_apart(&mut command).or_fail(Exit::Failed)?;
    match answer(&mut child, paths) {
        Answer::Up => Ok(child.id()),
        Answer::Ended(status) => Err(ended(status, &path, before)),
        Answer::Silent => {
            // It may have ended just now.
            let _ = child.kill();
            let _ = child.wait();
            let message = format!(
                "the supervisor did not answer within {} s and was killed{}",
                PATIENCE.as_secs(),
                last_words(&path, before)
            );
            Err(Failure::new(Exit::Failed, message).hint("run `defenter up` to see what it does"))
        }
    }
}

/// Starts a process in a session of its own, so that what its parent's group or terminal is sent
/// does not reach it.
pub(crate) fn spawn_apart(command: &mut Command) -> io::Result<Child> {
    let apart = || rustix::process::setsid().map(drop).map_err(io::Error::from);
    // SAFETY: between fork and exec only one async-signal-safe system call is made.
    unsafe {
        command.pre_exec(apart);
    }
    command.spawn()
}

/// What became of a process that was started.
enum Answer {
    Up,
    Ended(ExitStatus),
    Silent,
}

fn answer(child: &mut Child, paths: &Paths) -> Answer {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let is_it = control::status(paths)
            .is_ok_and(|it| it.is_some_and(|it| it.supervisor.pid == child.id()));
        if is_it {
            return Answer::Up;
        }
        match child.try_wait() {
            Ok(Some(status)) => return Answer::Ended(status),
            _ if Instant::now() >= deadline => return Answer::Silent,
            _ => std::thread::park_timeout(LOOK),
        }
    }
}

fn ended(status: ExitStatus, log: &Path, before: u64) -> Failure {
    let exit = match status.code() {
        Some(code) if code == Exit::ConfigInvalid as i32 => Exit::ConfigInvalid,
        _ => Exit::Failed,
    };
    let message = format!("the supervisor ended with {status}{}", last_words(log, before));
    Failure::new(exit, message).hint(format!("all that it wrote is in {}", log.display()))
}

/// Opens the log to add to it; gives its size too.
fn open_log(path: &Path) -> io::Result<(File, u64)> {
    let is_large = |path: &Path| fs::symlink_metadata(path).is_ok_and(|it| it.len() > MAX_LOG);
    if is_large(path) {
        fs::rename(path, path.with_extension("log.1"))?;
    }
    let mut options = OpenOptions::new();
    let file = options.append(true).create(true).mode(0o600).open(path)?;
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    let size = file.metadata()?.len();
    Ok((file, size))
}

/// The last lines that were added to the log, each after a line break.
fn last_words(path: &Path, before: u64) -> String {
    let read = || -> io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let end = file.metadata()?.len();
        file.seek(SeekFrom::Start(before.max(end.saturating_sub(TAIL.0))))?;
        let mut bytes = Vec::new();
        file.take(TAIL.0).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    // Without its words the rest of the message still says what happened.
    let bytes = read().unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(TAIL.1)..];
    last.iter().map(|line| format!("\n  {}", plain(line))).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn the_log_is_private_and_put_aside_when_it_is_large() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("supervisor.log");
        fs::write(&path, "old\n").expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("a mode");
        let (mut log, before) = open_log(&path).expect("opened");
        assert_eq!(before, 4);
        log.write_all(b"new\n").expect("written");
        assert_eq!(fs::read(&path).expect("read"), b"old\nnew\n");
        let mode = fs::metadata(&path).expect("metadata").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        log.set_len(MAX_LOG + 1).expect("grown");
        assert_eq!(open_log(&path).expect("opened").1, 0);
        let aside = fs::metadata(folder.path().join("supervisor.log.1")).expect("metadata");
        assert_eq!(aside.len(), MAX_LOG + 1);
    }

    #[test]
    fn only_what_this_start_has_written_is_shown_and_only_its_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log");
        fs::write(&path, "before\none\n\ntwo\u{1b}[31m\n").expect("written");
        assert_eq!(last_words(&path, 7).lines().count(), 3, "an empty one, then two");
        assert!(
            !last_words(&path, 7).contains(['\u{1b}']) && !last_words(&path, 7).contains("before")
        );
        let many: String = (0..100_000).map(|number| format!("{number}\n")).collect();
        fs::write(&path, many).expect("written");
        let words = last_words(&path, 0);
        assert!(words.starts_with("\n  99990\n") && words.ends_with("\n  99999"), "{words}");
        assert_eq!(last_words(Path::new("/nonexistent"), 0), "");
    }

    #[test]
    fn a_process_apart_leads_a_session_of_its_own() {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "read line"]).stdin(Stdio::piped());
        let mut child = spawn_apart(&mut command).expect("started");
        let pid = rustix::process::Pid::from_child(&child);
        assert_eq!(rustix::process::getsid(Some(pid)).expect("a session"), pid);
        drop(child.stdin.take());
        child.wait().expect("ended");
    }
}
