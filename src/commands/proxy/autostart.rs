//! The supervisor that a shim starts where `supervisor.autostart` says so.
//!
//! Accepts: the house. Emits: whether a supervisor can be attached to now.
//! Promises: of several shims that start at once one starts it and the others wait; the wait has
//! an end; what is started outlives the shim and the signals that its client sends; of the client's
//! environment it gets no setting of ours, since it serves all clients.

use std::{
    fs::{File, OpenOptions},
    os::unix::{fs::OpenOptionsExt, net::UnixStream},
    path::Path,
    process::{Command, Stdio},
    sync::mpsc::{Receiver, TryRecvError, channel},
    time::{Duration, Instant},
};

use defenter_actors::house::House;
use defenter_config::{Paths, settings::Sources};

use crate::{detach, here, terminal};

/// How long a client is kept waiting for a supervisor.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often it is looked for meanwhile.
const LOOK: Duration = Duration::from_millis(5);

/// Starts a supervisor where the settings want one; true where one can be attached to.
pub(super) fn start(house: &House) -> bool {
    if !is_wanted(house) {
        return false;
    }
    let is_up = try_start(&house.paths).unwrap_or(false);
    if !is_up {
        let log = detach::log_file(&house.paths);
        terminal::complain(&format!(
            "defenter: working without a supervisor: none could be started; see {}\n",
            log.display()
        ));
    }
    is_up
}

/// Settings that cannot be read want nothing; whoever does the job alone says what is wrong.
fn is_wanted(house: &House) -> bool {
    let sources = Sources::read(&house.paths, house.host.env.clone(), house.flags.clone());
    let loaded = sources.and_then(|sources| sources.load());
    loaded.is_ok_and(|loaded| loaded.settings.supervisor.autostart)
}

fn try_start(paths: &Paths) -> Option<bool> {
    paths.create(here::uid()).ok()?;
    let lock = lock_file(&paths.run).ok()?;
    let starting = match lock.try_lock() {
        Ok(()) => Some(starter()?),
        Err(_) => None,
    };
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if answers(paths) {
            return Some(true);
        }
        let is_over = match &starting {
            Some(end) => !matches!(end.try_recv(), Err(TryRecvError::Empty)),
            // Whoever was starting it has given up, or is done.
            None => lock.try_lock().is_ok(),
        };
        if is_over {
            break;
        }
        std::thread::park_timeout(LOOK);
    }
    Some(answers(paths))
}

fn lock_file(run: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options.open(run.join("autostart.lock"))
}

fn answers(paths: &Paths) -> bool {
    UnixStream::connect(&paths.socket).is_ok()
}

/// Has `defenter up --detach` start it, which ends when it answers: so the supervisor is no child
/// of ours, and a client that ends the whole tree below it does not find it. The receiver tells when
/// that has ended.
fn starter() -> Option<Receiver<()>> {
    let mut command = Command::new(here::program().ok()?);
    command.args(["up", "--detach"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    for (name, _) in std::env::vars_os() {
        let is_setting = name.to_str().is_some_and(|name| name.starts_with("DEFENTER_"));
        if is_setting && name != "DEFENTER_HOME" {
            command.env_remove(name);
        }
    }
    let mut child = detach::spawn_apart(&mut command).ok()?;
    let (tell, ended) = channel();
    // It is waited for however long it takes, so that it does not stay behind as a zombie.
    std::thread::spawn(move || {
        let _ = child.wait();
        tell.send(())
    });
    Some(ended)
}
