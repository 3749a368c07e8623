//! `defenter up`: runs the supervisor until it is told to stop.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    net::SocketAddr,
    path::Path,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use defenter_actors::{
    service::ServiceMaker,
    supervision::{Handle, Options, Prepared},
};
use defenter_audit::Timestamp;
use defenter_config::settings::{Format, Settings};
use defenter_console::{bind, install_recorder, serve as serve_console};
use tokio::runtime::Builder;
use tracing_subscriber::EnvFilter;

use crate::{
    Exit, Outcome, allocator,
    cli::UpArgs,
    commands::proxy::start_failure,
    failure::{Failure, OrFail},
    here, terminal,
};

pub(crate) fn run(args: &UpArgs) -> Outcome {
    if args.detach {
        return detached(args);
    }
    allocator::tame();
    let flags = args.listen.iter().map(|address| ("console.listen".to_owned(), address.clone()));
    let (house, rules) = here::furnished(flags.collect())?;
    let settings = rules.loaded.settings.clone();
    for warning in &rules.loaded.warnings {
        terminal::complain(&format!("warning: {warning}\n"));
    }
    let _only = Only::take(&house.paths.run)?;
    log(&settings, None);
    let options = Options { house, rules, program: here::program()?, machine: true };
    // One thread for all sessions: a message that wakes a second one costs more than its work, and
    // what is large goes to the pool.
    let runtime = Builder::new_current_thread().enable_all().build().or_fail(Exit::Failed)?;
    let outcome = runtime.block_on(serve(options, &settings));
    runtime.shutdown_background();
    outcome
}

#[cfg(unix)]
fn detached(args: &UpArgs) -> Outcome {
    let house = here::house(Vec::new())?;
    house.paths.create(here::uid()).or_fail(Exit::Failed)?;
    let listen = args.listen.iter().flat_map(|address| ["--listen".to_owned(), address.clone()]);
    let more: Vec<String> = listen.collect();
    let pid = crate::detach::start(&house.paths, &here::program()?, &more)?;
    terminal::say(&format!("defenter {} is up: process {pid}\n", env!("CARGO_PKG_VERSION")))?;
    Ok(Exit::Done)
}

#[cfg(not(unix))]
fn detached(_args: &UpArgs) -> Outcome {
    Err(Failure::new(Exit::Failed, "this system has no `--detach`")
        .hint("`defenter service install` has the system start it"))
}

async fn serve(options: Options, settings: &Settings) -> Outcome {
    let mut signals = Signals::new().or_fail(Exit::Failed)?;
    let socket = options.house.paths.socket.clone();
    let console = console_address(settings)?;
    let metrics = install_recorder().or_fail(Exit::Failed)?;
    let mut prepared = Prepared::new(options).map_err(|error| start_failure(&error))?;
    prepared.check_policies().await.map_err(|error| start_failure(&error))?;
    let slot: Arc<std::sync::OnceLock<Handle>> = Arc::default();
    if let Some(address) = console {
        // Bound once here, so that an address that cannot be had is told in plain words.
        drop(bind(address).await.map_err(|error| {
            Failure::of(Exit::Failed, &error)
                .hint("choose another with `console.listen` in the settings, or `--listen`")
        })?);
        prepared.add_service(console_service(address, metrics, slot.clone()));
    }
    let mut supervision = prepared.start().await.map_err(|error| start_failure(&error))?;
    let _ = slot.set(supervision.handle());
    let where_ = console.map_or_else(String::new, |address| format!(", console http://{address}/"));
    terminal::complain(&format!(
        "defenter {} is up: process {}, socket {}{where_}\n",
        env!("CARGO_PKG_VERSION"),
        std::process::id(),
        socket.display()
    ));
    loop {
        tokio::select! {
            number = signals.next() => {
                if number == Signals::HANG_UP {
                    supervision.reload();
                } else {
                    supervision.drain();
                }
            }
            () = supervision.ended() => return Ok(Exit::Done),
        }
    }
}

fn console_address(settings: &Settings) -> Result<Option<SocketAddr>, Failure> {
    if !settings.console.enabled {
        return Ok(None);
    }
    let listen = &settings.console.listen;
    listen.parse().map(Some).map_err(|_| {
        Failure::new(
            Exit::ConfigInvalid,
            format!("console.listen is `{listen}`, which is not an address"),
        )
        .hint("write it as 127.0.0.1:7420")
    })
}

fn console_service(
    address: SocketAddr,
    metrics: defenter_console::PrometheusHandle,
    handle: Arc<std::sync::OnceLock<Handle>>,
) -> ServiceMaker {
    ServiceMaker::new(move || {
        let (metrics, handle) = (metrics.clone(), handle.clone());
        async move {
            let listener = bind(address).await?;
            let status = Arc::new(StatusOf(handle));
            serve_console(listener, status, metrics, std::future::pending()).await?;
            Ok(())
        }
    })
}

struct StatusOf(Arc<std::sync::OnceLock<Handle>>);

impl defenter_console::StatusSource for StatusOf {
    fn status(&self) -> defenter_console::StatusFuture<'_> {
        Box::pin(async { self.0.get()?.status().await })
    }
}

/// Starts the log on standard error. `level` is stronger than the settings'.
pub(crate) fn log(settings: &Settings, level: Option<&str>) {
    let level = level.unwrap_or(settings.log.level.as_str());
    let filter = EnvFilter::try_new(level).unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let color = io::IsTerminal::is_terminal(&io::stderr());
    // It fails when there is a log already, which then serves.
    let _ = match settings.log.format {
        Format::Text => log.with_ansi(color).try_init(),
        Format::Json => log.json().try_init(),
    };
}

/// The signals that end us.
pub(crate) struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    hang_up: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    /// The number of SIGHUP, which means "read the settings again" to a supervisor.
    pub(crate) const HANG_UP: i32 = 1;

    pub(crate) fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// The number of the next signal.
    pub(crate) async fn next(&mut self) -> i32 {
        tokio::select! {
            _ = self.terminate.recv() => 15,
            _ = self.interrupt.recv() => 2,
            _ = self.hang_up.recv() => Self::HANG_UP,
        }
    }
}

#[cfg(not(unix))]
impl Signals {
    pub(crate) const HANG_UP: i32 = 1;

    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    pub(crate) async fn next(&mut self) -> i32 {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        2
    }
}

/// A process that was being started when its supervisor was killed has the lock until it runs its
/// program, so one that is taken is tried again for a moment.
fn lock(file: &File) -> Result<(), TryLockError> {
    const PATIENCE: Duration = Duration::from_millis(500);
    const LOOK: Duration = Duration::from_millis(20);
    let deadline = Instant::now() + PATIENCE;
    loop {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                std::thread::park_timeout(LOOK);
            }
            other => return other,
        }
    }
}

/// The right to be the one supervisor of this user; given back by the system when we end, however
/// we end.
struct Only(#[expect(dead_code, reason = "holds the lock")] File);

impl Only {
    fn take(run: &Path) -> Result<Self, Failure> {
        let path = run.join("supervisor.lock");
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path).or_fail(Exit::Failed)?;
        match lock(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut first = String::new();
                // What it says is only for people; without it the answer is the same.
                let _ = file.take(200).read_to_string(&mut first);
                let message = format!("a supervisor runs already{}", terminal::plain(first.trim()));
                return Err(Failure::new(Exit::Failed, message)
                    .hint("`defenter status` describes it, `defenter down` stops it"));
            }
            Err(TryLockError::Error(error)) => return Err(Failure::of(Exit::Failed, &error)),
        }
        let since = Timestamp::from(SystemTime::now());
        let text = format!(": process {}, since {since}\n", std::process::id());
        file.set_len(0).or_fail(Exit::Failed)?;
        file.write_all(text.as_bytes()).or_fail(Exit::Failed)?;
        Ok(Self(file))
    }
}
