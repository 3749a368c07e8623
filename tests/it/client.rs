//! A client that says exactly the bytes it is told to, and shows exactly those it gets.
//!
//! Owns: one process (a server, or the proxy before one) and its three streams.
//! Accepts: lines to send, ids to wait for.
//! Emits: what the process wrote, line by line, and how it ended.
//! Promises: every wait ends with a panic that shows what was seen; the process is killed on drop.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::patience::{PATIENCE, assert_eventually};

/// The handshake's version unless a test says otherwise.
pub(crate) const VERSION: &str = "2025-11-25";

/// A running process that speaks lines.
pub(crate) struct Client {
    pid: Pid,
    input: Option<ChildStdin>,
    lines: Receiver<Vec<u8>>,
    /// Lines that were read while another was awaited.
    kept: VecDeque<Vec<u8>>,
    stderr: Arc<Mutex<Vec<u8>>>,
    end: Receiver<ExitStatus>,
    ended: Option<ExitStatus>,
    next_id: u64,
}

impl Client {
    /// Starts `command` with its standard streams in our hands.
    pub(crate) fn start(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let (lines, stderr) = (lines_of(&mut child), stderr_of(&mut child));
        let (pid, input) = (Pid::from_child(&child), child.stdin.take());
        let (tell, end) = channel();
        thread::spawn(move || child.wait().map(|status| tell.send(status)));
        Self { pid, input, lines, kept: VecDeque::new(), stderr, end, ended: None, next_id: 0 }
    }

    /// The process id of what was started.
    pub(crate) fn pid(&self) -> Pid {
        self.pid
    }

    /// Sends one line.
    pub(crate) fn send(&mut self, line: impl AsRef<[u8]>) {
        let mut bytes = line.as_ref().to_vec();
        bytes.push(b'\n');
        self.send_bytes(&bytes);
    }

    /// Sends bytes as they are.
    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().expect("the input is still open");
        let sent = input.write_all(bytes).and_then(|()| input.flush());
        sent.unwrap_or_else(|error| panic!("cannot send: {error}; {}", self.seen()));
    }

    /// Sends bytes that nobody may ever read, from a thread of its own.
    pub(crate) fn send_from_a_thread(&mut self, bytes: Vec<u8>) {
        let mut input = self.input.take().expect("the input is still open");
        thread::spawn(move || input.write_all(&bytes));
    }

    /// Sends a request and gives its id.
    pub(crate) fn ask(&mut self, method: &str, params: Value) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        let message = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        self.send(message.to_string());
        id
    }

    /// Sends a tool call and gives its id.
    pub(crate) fn ask_tool(&mut self, name: &str, arguments: Value) -> u64 {
        self.ask("tools/call", json!({"name": name, "arguments": arguments}))
    }

    /// Sends a request and waits for its answer.
    pub(crate) fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.ask(method, params);
        self.answer(id)
    }

    /// Calls a tool and gives the text of its result.
    pub(crate) fn tool(&mut self, name: &str, arguments: Value) -> String {
        let id = self.ask_tool(name, arguments);
        let answer = self.answer(id);
        let text = answer["result"]["content"][0]["text"].as_str();
        text.unwrap_or_else(|| panic!("no text in {answer}; {}", self.seen())).to_owned()
    }

    /// The handshake, as an SDK does it; gives the server's answer.
    pub(crate) fn handshake(&mut self) -> Value {
        let answer = self.request(
            "initialize",
            json!({
                "protocolVersion": VERSION, "capabilities": {"roots": {}, "sampling": {}},
                "clientInfo": {"name": "bed", "version": "1"},
            }),
        );
        self.send(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
        answer
    }

    /// The next line that nobody has looked at; nothing when the output has ended.
    pub(crate) fn line(&mut self) -> Option<Vec<u8>> {
        self.kept.pop_front().or_else(|| self.fresh_line())
    }

    /// The next line, as JSON.
    pub(crate) fn message(&mut self) -> Value {
        let line = self.line().unwrap_or_else(|| panic!("the output ended; {}", self.seen()));
        serde_json::from_slice(&line)
            .unwrap_or_else(|error| panic!("{error} in {}", String::from_utf8_lossy(&line)))
    }

    /// The answer to a request of ours; other messages are kept.
    pub(crate) fn answer(&mut self, id: impl Into<Value>) -> Value {
        let id = id.into();
        self.find(|message| message.get("method").is_none() && message.get("id") == Some(&id))
    }

    /// The first message that `wanted` takes, in the order of arrival; the others are kept.
    pub(crate) fn find(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        let parse = |line: &Vec<u8>| serde_json::from_slice::<Value>(line).ok();
        let kept = self.kept.iter().position(|line| parse(line).is_some_and(|it| wanted(&it)));
        if let Some(line) = kept.and_then(|place| self.kept.remove(place)) {
            return parse(&line).expect("was parsed before");
        }
        loop {
            let Some(line) = self.fresh_line() else {
                panic!("the output ended before the message came; {}", self.seen())
            };
            match parse(&line) {
                Some(message) if wanted(&message) => return message,
                _ => self.kept.push_back(line),
            }
        }
    }

    /// All lines until the output ends.
    pub(crate) fn rest(&mut self) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| self.line()).collect()
    }

    /// What the process wrote to its standard error so far.
    pub(crate) fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.stderr.lock().expect("no panic while held")).into_owned()
    }

    /// Closes the input, as a client does that is done.
    pub(crate) fn close_input(&mut self) {
        self.input = None;
    }

    /// Waits until the process has ended.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        if self.ended.is_none() {
            self.ended = self.end.recv_timeout(*PATIENCE).ok();
        }
        self.ended.unwrap_or_else(|| panic!("it does not end; {}", self.seen()))
    }

    /// Whether the process has ended by now.
    pub(crate) fn has_ended(&mut self) -> bool {
        if self.ended.is_none() {
            self.ended = self.end.try_recv().ok();
        }
        self.ended.is_some()
    }

    /// Closes the input and waits for the end; gives the exit code.
    pub(crate) fn finish(mut self) -> Option<i32> {
        self.close_input();
        self.wait().code()
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid, signal).expect("the process is there");
    }

    /// Asserts that the process writes `text` to its standard error.
    pub(crate) fn assert_stderr(&self, text: &str) {
        assert_eventually!(self.stderr().contains(text), "stderr is {:?}", self.stderr());
    }

    fn fresh_line(&mut self) -> Option<Vec<u8>> {
        match self.lines.recv_timeout(*PATIENCE) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("no line came; {}", self.seen()),
        }
    }

    /// What to tell when a test fails.
    fn seen(&self) -> String {
        let kept: Vec<_> =
            self.kept.iter().map(|line| clip(&String::from_utf8_lossy(line))).collect();
        format!("kept messages: {kept:#?}, stderr: {}", clip(&self.stderr()))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if !self.has_ended() {
            let _ = kill_process(self.pid, Signal::KILL);
        }
    }
}

fn lines_of(child: &mut Child) -> Receiver<Vec<u8>> {
    let output = child.stdout.take().expect("stdout is piped");
    let (send, receive) = channel();
    thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            if send.send(line).is_err() {
                break;
            }
        }
    });
    receive
}

fn stderr_of(child: &mut Child) -> Arc<Mutex<Vec<u8>>> {
    let mut stream = child.stderr.take().expect("stderr is piped");
    let text = Arc::new(Mutex::new(Vec::new()));
    let shared = Arc::clone(&text);
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = stream.read(&mut buffer) {
            shared.lock().expect("no panic while held").extend_from_slice(&buffer[..count]);
        }
    });
    text
}

/// A text short enough for a failure message.
pub(crate) fn clip(text: &str) -> String {
    const LONGEST: usize = 500;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
        None => text.to_owned(),
    }
}
