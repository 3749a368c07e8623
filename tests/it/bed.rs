//! A user's home for one test: nothing of the machine's own home or environment gets in.
//!
//! Owns: a temporary home, the supervisor if one was started, and a mark that every process of
//! this bed carries in its environment.
//! Accepts: settings, files, commands.
//! Emits: clients that speak to bare or wrapped servers.
//! Promises: what it started is killed on drop, and a process that outlived its owner fails the
//! test.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::Client;
use crate::patience::{PATIENCE, assert_eventually, eventually};
use crate::programs;

/// Every process of a bed carries this variable.
const MARK: &str = "BED_MARK";

/// A hermetic home, and what runs in it.
pub(crate) struct Bed {
    root: TempDir,
    settings: Value,
    variables: BTreeMap<String, String>,
    address: SocketAddr,
    up: Option<Client>,
}

/// A process of a bed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Process {
    /// Its process id.
    pub(crate) pid: Pid,
    /// Its command line, joined with blanks.
    pub(crate) command: String,
}

impl Bed {
    /// A home with nothing in it but settings that give the console an address of its own, and
    /// waits that suit a test: a server that does as it is told has time for it on a machine that
    /// is loaded. Where one does not, see [`hasty`].
    pub(crate) fn new() -> Self {
        let root = tempfile::Builder::new().prefix("bed").tempdir().expect("a temporary folder");
        fs::create_dir_all(root.path().join("home/work")).expect("a home");
        let address = free_address();
        Self {
            root,
            settings: json!({
                "console": {"listen": address.to_string()},
                "shutdown": {"eof_grace_ms": 10_000, "term_grace_ms": 10_000},
                "restart": {"backoff_initial_ms": 20},
                // Nobody's desktop is to show what tests find.
                "notifications": {"enabled": false},
            }),
            variables: BTreeMap::new(),
            address,
            up: None,
        }
    }

    /// Lays settings over those that are there.
    pub(crate) fn settings(mut self, more: Value) -> Self {
        merge(&mut self.settings, more);
        self
    }

    /// Adds an environment variable to everything that is started from here on.
    pub(crate) fn variable(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.insert(name.to_owned(), value.into());
        self
    }

    /// Starts the supervisor and waits until it says that it is ready.
    pub(crate) fn up(mut self) -> Self {
        self.start_up();
        self
    }

    /// Starts the supervisor (again) and waits until it says that it is ready.
    pub(crate) fn start_up(&mut self) {
        let mut command = self.defenter(&["up"]);
        command.current_dir(self.home());
        let mut up = Client::start(command);
        let pid = up.pid().as_raw_nonzero().get();
        let ready = eventually(|| (up.has_ended() || self.is_led_by(pid)).then_some(()));
        assert!(ready.is_some() && !up.has_ended(), "not up: {}", up.stderr());
        self.up = Some(up);
    }

    /// Whether the supervisor that answers on the socket is the process `pid`.
    fn is_led_by(&self, pid: i32) -> bool {
        let output = self.run(&["status", "--json"]);
        let status: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        output.status.success() && status["supervisor"]["pid"] == pid
    }

    /// The running supervisor.
    pub(crate) fn supervisor(&mut self) -> &mut Client {
        self.up.as_mut().expect("the supervisor was started")
    }

    /// What the supervisor wrote to its log so far.
    pub(crate) fn supervisor_log(&self) -> String {
        self.up.as_ref().expect("the supervisor was started").stderr()
    }

    /// Takes the supervisor out of the bed's hands.
    pub(crate) fn take_supervisor(&mut self) -> Client {
        self.up.take().expect("the supervisor was started")
    }

    /// The home folder.
    pub(crate) fn home(&self) -> PathBuf {
        self.root.path().join("home")
    }

    /// A path in the bed, outside the home.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.path().join(relative)
    }

    /// Writes a file of the home, and its folders.
    pub(crate) fn write(&self, relative: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.home().join(relative);
        fs::create_dir_all(path.parent().expect("a path below the home")).expect("its folder");
        fs::write(&path, content).expect("a writable home");
        path
    }

    /// Where the console listens.
    pub(crate) fn console(&self) -> SocketAddr {
        self.address
    }

    /// A command in this home's environment, and in its `work` folder, with the settings written.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        self.write_settings();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs([("SHELL", "/bin/sh"), ("TERM", "dumb"), ("USER", "tester")])
            .env("PATH", path)
            .env("HOME", self.home())
            .env(MARK, self.root.path())
            .envs(&self.variables)
            .current_dir(self.home().join("work"));
        command
    }

    /// A command of the program under test.
    pub(crate) fn defenter(&self, args: &[&str]) -> Command {
        let mut command = self.command(programs::DEFENTER);
        command.args(args);
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        run(self.defenter(args), b"")
    }

    /// Runs the program to its end with something to read.
    pub(crate) fn run_with(&self, args: &[&str], input: &[u8]) -> Output {
        run(self.defenter(args), input)
    }

    /// Runs the program, asserts that it succeeds, and gives its output as JSON.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {}", told(&output));
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{args:?}: {error}: {}", told(&output)))
    }

    /// A client that speaks to `server` through the proxy.
    pub(crate) fn proxy(&self, name: &str, server: &[&str]) -> Client {
        Client::start(self.proxy_command(name, server))
    }

    /// The command that a client would start to reach `server` through the proxy.
    pub(crate) fn proxy_command(&self, name: &str, server: &[&str]) -> Command {
        let mut command = self.defenter(&["proxy", "--name", name, "--"]);
        command.args(server);
        command
    }

    /// A client that speaks to `server` itself.
    pub(crate) fn bare(&self, server: &[&str]) -> Client {
        let mut command = self.command(server[0]);
        command.args(&server[1..]);
        Client::start(command)
    }

    /// The processes of this bed that still run.
    pub(crate) fn processes(&self) -> Vec<Process> {
        processes_with(format!("{MARK}={}", self.root.path().display()).as_bytes())
    }

    /// The memory that the processes of the program under test have held at most, in bytes.
    pub(crate) fn peak_memory(&self) -> u64 {
        let ours = self.processes_like(programs::DEFENTER);
        ours.iter().filter_map(|process| status_bytes(process.pid, "VmHWM:")).sum()
    }

    /// The processes of this bed whose command line holds `text`.
    pub(crate) fn processes_like(&self, text: &str) -> Vec<Process> {
        let mut found = self.processes();
        found.retain(|process| process.command.contains(text));
        found
    }

    /// Asserts that in the end no process of this bed is left.
    pub(crate) fn assert_empty(&self) {
        assert_eventually!(self.processes().is_empty(), "left behind: {:?}", self.processes());
    }

    /// Asks the supervisor to stop, as a service manager does, and gives how it ended.
    pub(crate) fn down(&mut self) -> ExitStatus {
        let mut up = self.take_supervisor();
        up.signal(Signal::TERM);
        up.wait()
    }

    /// Fetches a page of the console; gives status line and body.
    pub(crate) fn get(&self, path: &str) -> (String, String) {
        crate::http::get(self.address, path)
    }

    fn write_settings(&self) {
        let folder = self.home().join(".defenter");
        fs::create_dir_all(&folder).expect("a writable home");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).expect("our folder");
        let file = folder.join("config.json");
        let text = self.settings.to_string();
        if fs::read_to_string(&file).ok().as_deref() != Some(&text) {
            fs::write(file, text).expect("a writable home");
        }
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        let up = self.up.take();
        if let Some(up) = &up {
            let _ = kill_process(up.pid(), Signal::TERM);
        }
        let failing = thread::panicking();
        let is_empty = || self.processes().is_empty().then_some(());
        let gone = !failing && eventually(is_empty).is_some();
        let left = self.processes();
        for process in &left {
            let _ = kill_process(process.pid, Signal::KILL);
        }
        assert!(failing || gone, "orphans: {left:?}");
    }
}

/// Runs a command to its end, within the patience of the run.
pub(crate) fn run(mut command: Command, input: &[u8]) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let pid = Pid::from_child(&child);
    let (mut stdin, input) = (child.stdin.take().expect("piped"), input.to_vec());
    thread::spawn(move || std::io::Write::write_all(&mut stdin, &input));
    let (send, receive) = channel();
    thread::spawn(move || send.send(child.wait_with_output()));
    match receive.recv_timeout(*PATIENCE) {
        Ok(output) => output.expect("its output can be read"),
        Err(_) => {
            let _ = kill_process(pid, Signal::KILL);
            panic!("{command:?} does not end");
        }
    }
}

/// All that a finished program said.
pub(crate) fn told(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}\n{}", output.status, text(&output.stdout), text(&output.stderr))
}

/// Settings for servers that have to be made to end.
pub(crate) fn hasty() -> Value {
    json!({"shutdown": {"eof_grace_ms": 400, "term_grace_ms": 400}})
}

/// An address of this machine that nobody listens on, and that stays free until it is wanted: no
/// connection gets its port there, and no other bed or run of the tests is given the same.
pub(crate) fn free_address() -> SocketAddr {
    /// How many hosts a process has to itself.
    const HOSTS: u32 = 1 << 10;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed) % HOSTS;
    // All of 127.0.0.0/8 is this machine; its first 65 536 hosts are left to others.
    let host = (1 << 16) + (std::process::id() % (1 << 13)) * HOSTS + number;
    let address = Ipv4Addr::from_bits(Ipv4Addr::new(127, 0, 0, 0).to_bits() + host);
    let listener = TcpListener::bind((address, 0)).expect("a free port");
    listener.local_addr().expect("it has an address")
}

/// Every running process whose environment holds `variable`. A process that has ended but was not
/// collected has no environment any more.
pub(crate) fn processes_with(variable: &[u8]) -> Vec<Process> {
    let folders = fs::read_dir("/proc").expect("a /proc").flatten();
    let pids = folders.filter_map(|folder| folder.file_name().to_str()?.parse().ok());
    pids.filter_map(Pid::from_raw).filter_map(|pid| process_with(pid, variable)).collect()
}

fn process_with(pid: Pid, variable: &[u8]) -> Option<Process> {
    let folder = Path::new("/proc").join(pid.as_raw_nonzero().to_string());
    let environment = fs::read(folder.join("environ")).ok()?;
    if !environment.split(|&byte| byte == 0).any(|part| part == variable) {
        return None;
    }
    let mut command = Vec::new();
    fs::File::open(folder.join("cmdline")).ok()?.read_to_end(&mut command).ok()?;
    let command = String::from_utf8_lossy(&command).replace('\0', " ");
    Some(Process { pid, command: command.trim_end().to_owned() })
}

/// A figure in bytes from what the system tells about a process.
fn status_bytes(pid: Pid, key: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// Lays `more` over `base`, object by object.
fn merge(base: &mut Value, more: Value) {
    match (base, more) {
        (Value::Object(base), Value::Object(more)) => {
            for (key, value) in more {
                merge(base.entry(key).or_insert(Value::Null), value);
            }
        }
        (base, more) => *base = more,
    }
}
