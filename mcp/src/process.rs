//! A server or a helper as a child process: launched in its own process group, stopped by
//! escalation, never left behind.
//!
//! Owns: the thread that starts processes, and each process group until it is gone.
//! Accepts: a [`Launch`]. Emits: the three streams and an [`Exit`].
//! Promises: dropping a [`Life`] kills its whole group; on Linux the kernel kills a server's first
//! process when we die, however we die.

use std::{ffi::OsString, fmt, io, path::PathBuf, process::Stdio, sync::mpsc, time::Duration};

pub use group::Group;
use tokio::{
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
    runtime::Handle,
    sync::oneshot,
};

mod group;
#[cfg(any(windows, test))]
mod lookup;

/// Launches in progress at once; a further one waits for a place.
const SPAWN_QUEUE: usize = 64;

/// How to start a server: what the client would have started, in the client's own surroundings.
#[derive(Clone, PartialEq, Eq)]
pub struct Launch {
    /// The program, as the client's config names it; looked up in the `PATH` of `env`.
    pub command: OsString,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Its whole environment; nothing of ours is inherited.
    pub env: Vec<(OsString, OsString)>,
    /// Its working directory; `None` inherits ours.
    pub cwd: Option<PathBuf>,
}

impl fmt::Debug for Launch {
    // Arguments and environment values can hold secrets, so only their number is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Launch")
            .field("command", &self.command)
            .field("args", &self.args.len())
            .field("env", &self.env.len())
            .field("cwd", &self.cwd)
            .finish()
    }
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It exited by itself with this code.
    Code(i32),
    /// A signal of this number ended it (Unix only).
    Signal(i32),
}

impl Exit {
    fn of(status: std::process::ExitStatus) -> Self {
        #[cfg(unix)]
        if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
            return Self::Signal(signal);
        }
        Self::Code(status.code().unwrap_or(1))
    }

    /// Whether the process ended by its own choice and reports success.
    #[must_use]
    pub fn success(self) -> bool {
        self == Self::Code(0)
    }

    /// The exit code that a shell would report: the code itself, or 128 + the signal's number.
    #[must_use]
    pub fn shell_code(self) -> i32 {
        match self {
            Self::Code(code) => code,
            Self::Signal(signal) => 128 + signal,
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
        }
    }
}

/// Why a server could not be started.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// The program is not there.
    #[error(
        "program `{0}` not found: check the command in the client's config, or the PATH it gives"
    )]
    NotFound(String),
    /// The working directory is not there.
    #[error("working directory `{0}` does not exist")]
    NoDirectory(PathBuf),
    /// The operating system refused.
    #[error("failed to start `{command}`: {source}")]
    Refused {
        /// The program.
        command: String,
        /// What the system said.
        source: io::Error,
    },
    /// The spawner's thread is gone, which happens only while we stop.
    #[error("failed to start `{0}`: Defenter is stopping")]
    Stopping(String),
}

/// The times of the stop sequence.
#[derive(Clone, Copy, Debug)]
pub struct Grace {
    /// From closing standard input to SIGTERM.
    pub eof: Duration,
    /// From SIGTERM to SIGKILL.
    pub term: Duration,
}

struct Job {
    launch: Launch,
    runtime: Handle,
    reply: oneshot::Sender<io::Result<(Child, Group)>>,
}

/// Starts every process from one thread that lives as long as we do.
///
/// Linux binds the parent-death signal to the *thread* that forked, so a child started from a
/// pool thread would be killed when the pool shrinks.
#[derive(Clone)]
pub struct Spawner {
    jobs: mpsc::SyncSender<Job>,
}

impl fmt::Debug for Spawner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Spawner")
    }
}

impl Spawner {
    /// Starts the spawner's thread.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start() -> io::Result<Self> {
        let (jobs, queue) = mpsc::sync_channel::<Job>(SPAWN_QUEUE);
        std::thread::Builder::new().name("defenter-spawn".into()).spawn(move || {
            while let Ok(job) = queue.recv() {
                let _runtime = job.runtime.enter();
                // The caller may be gone; the group's drop then ends what was started.
                let _ = job.reply.send(spawn(&job.launch));
            }
        })?;
        Ok(Self { jobs })
    }

    /// Starts a server with three pipes, in a process group of its own.
    ///
    /// # Errors
    /// See [`SpawnError`].
    pub async fn spawn(&self, launch: Launch) -> Result<ServerProcess, SpawnError> {
        let command = launch.command.to_string_lossy().into_owned();
        let cwd = launch.cwd.clone();
        let (reply, answer) = oneshot::channel();
        let job = Job { launch, runtime: Handle::current(), reply };
        let sent = match self.jobs.try_send(job) {
            Err(mpsc::TrySendError::Full(job)) => {
                let jobs = self.jobs.clone();
                tokio::task::spawn_blocking(move || jobs.send(job).is_ok()).await.unwrap_or(false)
            }
            other => other.is_ok(),
        };
        if !sent {
            return Err(SpawnError::Stopping(command));
        }
        let (child, group) = match answer.await {
            Ok(Ok(started)) => started,
            Ok(Err(source)) => return Err(explain(source, command, cwd)),
            Err(_) => return Err(SpawnError::Stopping(command)),
        };
        ServerProcess::new(child, group).ok_or(SpawnError::Stopping(command))
    }
}

fn explain(source: io::Error, command: String, cwd: Option<PathBuf>) -> SpawnError {
    if source.kind() == io::ErrorKind::NotFound {
        return match cwd {
            Some(directory) if !directory.is_dir() => SpawnError::NoDirectory(directory),
            _ => SpawnError::NotFound(command),
        };
    }
    SpawnError::Refused { command, source }
}

fn spawn(launch: &Launch) -> io::Result<(Child, Group)> {
    let mut command = Command::new(program(launch));
    command
        .args(&launch.args)
        .env_clear()
        .envs(launch.env.iter().map(|(key, value)| (key, value)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(cwd) = &launch.cwd {
        command.current_dir(cwd);
    }
    isolate(&mut command);
    Group::start(&mut command)
}

#[cfg(not(windows))]
fn program(launch: &Launch) -> &std::ffi::OsStr {
    &launch.command
}

/// Windows finds only programs whose name ends with `.exe` by itself.
#[cfg(windows)]
fn program(launch: &Launch) -> OsString {
    let variable = |name: &str| {
        let is_it = |key: &OsString| key.to_str().is_some_and(|key| key.eq_ignore_ascii_case(name));
        let (_, value) = launch.env.iter().find(|(key, _)| is_it(key))?;
        value.to_str().map(str::to_owned)
    };
    let folder = launch.cwd.as_deref().and_then(std::path::Path::to_str);
    let found = launch.command.to_str().and_then(|command| {
        lookup::find(command, folder, variable, |path| std::path::Path::new(path).is_file())
    });
    found.map_or_else(|| launch.command.clone(), OsString::from)
}

#[cfg(target_os = "linux")]
fn isolate(command: &mut Command) {
    use rustix::process::{Signal, set_parent_process_death_signal};
    let arm = || set_parent_process_death_signal(Some(Signal::KILL)).map_err(io::Error::from);
    // SAFETY: between fork and exec only one async-signal-safe system call is made.
    unsafe {
        command.pre_exec(arm);
    }
}

#[cfg(all(unix, not(target_os = "linux")))]
fn isolate(_: &mut Command) {}

#[cfg(windows)]
fn isolate(command: &mut Command) {
    /// No console window for a server that a graphical client starts (winbase.h).
    const CREATE_NO_WINDOW: u32 = 0x0800_0000;
    command.creation_flags(CREATE_NO_WINDOW);
}

/// A running server: its streams, and the means to wait for it and to end it.
#[derive(Debug)]
pub struct ServerProcess {
    /// The process id of the group's leader.
    pub pid: u32,
    /// Its standard input; closing it asks the server to end.
    pub stdin: ChildStdin,
    /// Its standard output.
    pub stdout: ChildStdout,
    /// Its standard error.
    pub stderr: ChildStderr,
    /// What is left when the streams have been taken.
    pub life: Life,
}

/// The life of a process without its streams.
#[derive(Debug)]
pub struct Life {
    // Dropped first: the group still has its leader then, and so its number.
    group: Group,
    child: Child,
    exit: Option<Exit>,
}

impl ServerProcess {
    fn new(mut child: Child, group: Group) -> Option<Self> {
        Some(Self {
            pid: child.id()?,
            stdin: child.stdin.take()?,
            stdout: child.stdout.take()?,
            stderr: child.stderr.take()?,
            life: Life { group, child, exit: None },
        })
    }
}

impl Life {
    /// Starts a helper in a process group of its own, in our surroundings and with the streams
    /// that the command says.
    ///
    /// # Errors
    /// What the system says where it cannot be started.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        let (child, group) = Group::start(command)?;
        Ok(Self { group, child, exit: None })
    }

    /// Both ends towards a helper: its standard input and output, where they are pipes that nobody
    /// has taken.
    pub fn take_pipes(&mut self) -> Option<(ChildStdin, ChildStdout)> {
        Some((self.child.stdin.take()?, self.child.stdout.take()?))
    }

    /// Waits for the leader's end. Cancel-safe.
    pub async fn wait(&mut self) -> Exit {
        if let Some(exit) = self.exit {
            return exit;
        }
        // An error here means that somebody else reaped our child, so its fate is unknown.
        let exit = self.child.wait().await.map_or(Exit::Code(1), Exit::of);
        // Looked at now, so that a group which ended with its leader is known to be gone.
        let _ = self.group.alive();
        *self.exit.insert(exit)
    }

    /// The group, to signal it from elsewhere.
    #[must_use]
    pub fn group(&self) -> &Group {
        &self.group
    }

    /// Waits `grace.eof` for a process whose standard input has been closed, then sends SIGTERM
    /// to its group, waits `grace.term`, and sends SIGKILL. Members of the group that outlive
    /// their leader get the same two signals.
    pub async fn stop(&mut self, grace: Grace) -> Exit {
        let mut exit = tokio::time::timeout(grace.eof, self.wait()).await.ok();
        if exit.is_none() || self.group.alive() {
            self.group.terminate();
            exit = self.settle(grace.term).await;
        }
        self.kill_now(exit).await
    }

    /// Ends the group at once and waits for the leader.
    pub async fn kill(&mut self) -> Exit {
        self.kill_now(None).await
    }

    async fn kill_now(&mut self, exit: Option<Exit>) -> Exit {
        if exit.is_none() || self.group.alive() {
            self.group.kill();
            // Where no group could be made, the leader is all that can be ended; an error means
            // that it has gone.
            #[cfg(not(unix))]
            let _ = self.child.start_kill();
        }
        self.wait().await
    }

    async fn settle(&mut self, limit: Duration) -> Option<Exit> {
        /// The system tells nobody when the last member of a group ends, so it is looked at.
        const LOOK: Duration = Duration::from_millis(10);
        let group = self.group.clone();
        tokio::time::timeout(limit, async {
            let exit = self.wait().await;
            while group.alive() {
                tokio::time::sleep(LOOK).await;
            }
            exit
        })
        .await
        .ok()
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    fn shell(script: &str) -> Launch {
        Launch {
            command: "/bin/sh".into(),
            args: vec!["-c".into(), script.into()],
            env: vec![("PATH".into(), "/usr/bin:/bin".into()), ("GREETING".into(), "hi".into())],
            cwd: Some("/".into()),
        }
    }

    const SHORT: Grace =
        Grace { eof: Duration::from_millis(100), term: Duration::from_millis(200) };

    #[tokio::test]
    async fn gives_the_launch_environment_and_nothing_else() {
        let spawner = Spawner::start().unwrap();
        let mut server = spawner.spawn(shell("/usr/bin/env; pwd")).await.unwrap();
        let mut out = String::new();
        server.stdout.read_to_string(&mut out).await.unwrap();
        assert!(out.contains("GREETING=hi"), "{out}");
        assert!(!out.contains("HOME="), "{out}");
        assert!(out.ends_with("/\n"), "{out}");
        assert_eq!(server.life.wait().await, Exit::Code(0));
    }

    #[tokio::test]
    async fn a_missing_program_is_named() {
        let spawner = Spawner::start().unwrap();
        let launch = Launch { command: "no-such-program".into(), ..shell("") };
        let error = spawner.spawn(launch).await.unwrap_err();
        assert!(matches!(&error, SpawnError::NotFound(name) if name == "no-such-program"));
    }

    #[tokio::test]
    async fn a_missing_directory_is_named() {
        let spawner = Spawner::start().unwrap();
        let launch = Launch { cwd: Some("/no/such/dir".into()), ..shell("") };
        let error = spawner.spawn(launch).await.unwrap_err();
        assert!(matches!(error, SpawnError::NoDirectory(_)), "{error}");
    }

    #[tokio::test]
    async fn a_closed_input_ends_a_polite_server_with_its_own_code() {
        let spawner = Spawner::start().unwrap();
        let ServerProcess { stdin, mut life, .. } =
            spawner.spawn(shell("cat >/dev/null; exit 7")).await.unwrap();
        drop(stdin);
        let patient = Grace { eof: Duration::from_secs(20), term: Duration::from_secs(20) };
        assert_eq!(life.stop(patient).await, Exit::Code(7));
    }

    #[tokio::test]
    async fn a_server_that_ignores_everything_is_killed_with_its_children() {
        let spawner = Spawner::start().unwrap();
        let script = "trap '' TERM; sleep 1000 & echo $!; while :; do sleep 1000; done";
        let ServerProcess { stdin, mut stdout, mut life, .. } =
            spawner.spawn(shell(script)).await.unwrap();
        let mut line = [0u8; 16];
        assert!(stdout.read(&mut line).await.unwrap() > 0);
        drop(stdin);
        assert_eq!(life.stop(SHORT).await, Exit::Signal(9));
        assert_gone(life.group()).await;
    }

    #[tokio::test]
    async fn dropping_it_kills_the_group() {
        let spawner = Spawner::start().unwrap();
        let mut server = spawner.spawn(shell("echo up; exec cat")).await.unwrap();
        let mut line = [0u8; 3];
        server.stdout.read_exact(&mut line).await.unwrap();
        server.stdin.write_all(b"x").await.unwrap();
        let pid = rustix::process::Pid::from_raw(i32::try_from(server.pid).unwrap()).unwrap();
        drop(server);
        let gone = tokio::time::timeout(Duration::from_secs(20), async {
            while rustix::process::test_kill_process(pid).is_ok() {
                tokio::task::yield_now().await;
            }
        });
        assert!(gone.await.is_ok(), "the process outlived its handle");
    }

    async fn assert_gone(group: &Group) {
        let gone = tokio::time::timeout(Duration::from_secs(20), async {
            while group.alive() {
                tokio::task::yield_now().await;
            }
        });
        assert!(gone.await.is_ok(), "the group outlived its end");
    }
}
