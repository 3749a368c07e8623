//! The warden: ends what is left of our servers should we be killed.
//!
//! The kernel kills a server when its parent dies, but not what the server has started itself
//! (`npx` starts a shell that starts the server). So a tiny process of ours (`PROGRAM guard`)
//! holds the end of a pipe: when the pipe closes without a word, it ends the process groups that
//! it was told of.
//!
//! Owns: the guard process, and the thread that speaks to it, since both starting a process and
//! writing to a pipe may block.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, SyncSender, sync_channel},
};

/// Words that wait for the guard; a further one is dropped, and its group then ends by what the
/// kernel does alone.
const WORDS: usize = 1024;

/// See the module.
#[derive(Debug)]
pub(crate) struct Warden(SyncSender<Word>);

#[derive(Debug)]
enum Word {
    Watch(u32),
    Release(u32),
}

impl Warden {
    /// A warden whose guard is `program guard`, started with the first server.
    pub(crate) fn new(program: PathBuf) -> std::io::Result<Self> {
        let (words, queue) = sync_channel(WORDS);
        std::thread::Builder::new()
            .name("defenter-warden".into())
            .spawn(move || speak(&program, &queue))?;
        Ok(Self(words))
    }

    /// A process group was started.
    pub(crate) fn watch(&self, group: u32) {
        let _ = self.0.try_send(Word::Watch(group));
    }

    /// A process group has ended.
    pub(crate) fn release(&self, group: u32) {
        let _ = self.0.try_send(Word::Release(group));
    }
}

fn speak(program: &Path, queue: &Receiver<Word>) {
    let mut guard: Option<Child> = None;
    while let Ok(word) = queue.recv() {
        if guard.is_none() {
            match start(program) {
                Ok(started) => guard = Some(started),
                Err(error) => {
                    tracing::warn!(%error, "no guard could be started; a killed supervisor may leave processes behind");
                    continue;
                }
            }
        }
        let line = match word {
            Word::Watch(group) => format!("+{group}\n"),
            Word::Release(group) => format!("-{group}\n"),
        };
        let input = guard.as_mut().and_then(|guard| guard.stdin.as_mut());
        // A guard that was killed is replaced with the next word.
        if input.is_none_or(|input| input.write_all(line.as_bytes()).is_err())
            && let Some(mut dead) = guard.take()
        {
            let _ = dead.wait();
        }
    }
    // Everything has ended in good order: the guard sees its input close with nothing to do.
    if let Some(mut guard) = guard {
        drop(guard.stdin.take());
        let _ = guard.wait();
    }
}

fn start(program: &Path) -> std::io::Result<Child> {
    let mut command = Command::new(program);
    command.arg("guard").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    // Whoever kills our process group must not take the guard along.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn()
}
