//! The keys: one type per group, with meaning, unit, default and bounds.
//!
//! The bounds are the schema's (`range`), and the schema is what values are checked against, so
//! each bound is written once.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of Defenter. Every key is optional.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The data path of a wrapped server.
    pub proxy: Proxy,
    /// What happens when a server's process ends, or does not answer any more.
    pub restart: Restart,
    /// How a server's process is stopped.
    pub shutdown: Shutdown,
    /// What is allowed, asked about and refused.
    pub policy: Policy,
    /// What is taken out of texts before they are looked at, recorded or shown.
    pub redaction: Redaction,
    /// The record of operations.
    pub audit: Audit,
    /// Questions to the user.
    pub dialog: Dialog,
    /// The web console, health and metrics.
    pub console: Console,
    /// Defenter's own log.
    pub log: Log,
    /// The servers of the clients' configs.
    pub install: Install,
    /// Notifications on the desktop.
    pub notifications: Notifications,
    /// The supervisor, which is `defenter up`.
    pub supervisor: Supervisor,
}

/// The data path of a wrapped server. A change applies to sessions that start after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Proxy {
    /// The longest message that is carried, in bytes. A longer one is refused with an error; the
    /// session goes on.
    #[schemars(range(min = 65_536, max = 1_073_741_824))]
    pub max_line_bytes: u64,
}

/// What happens when a server's process ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Restart {
    /// The wait before the first restart, in milliseconds; it doubles with each further one, with
    /// jitter.
    #[schemars(range(min = 1, max = 600_000))]
    pub backoff_initial_ms: u64,
    /// The longest wait before a restart, in milliseconds.
    #[schemars(range(min = 1, max = 3_600_000))]
    pub backoff_max_ms: u64,
    /// How long a server must stay up before the wait starts from the beginning, in milliseconds.
    #[schemars(range(min = 1, max = 86_400_000))]
    pub reset_after_ms: u64,
    /// How many failures within the window are borne; one more puts the server in quarantine.
    #[schemars(range(min = 1, max = 1000))]
    pub intensity: u32,
    /// The window in which failures are counted, in milliseconds.
    #[schemars(range(min = 1, max = 86_400_000))]
    pub window_ms: u64,
    /// How long a server may be silent, while a request waits for its answer and the client owes it
    /// none, before it counts as unresponsive, in milliseconds. It is told by `status`, the console,
    /// the log and the metrics. A change applies to sessions that start after it.
    #[schemars(range(min = 1000, max = 86_400_000))]
    pub unresponsive_after_ms: u64,
    /// Whether a server that is unresponsive is killed and started again, as after a crash; what it
    /// worked on is answered that its outcome is unknown. A tool that works for long and says
    /// nothing meanwhile cannot be told from one that hangs. A change applies to sessions that
    /// start after it.
    pub unresponsive: bool,
}

/// How a server's process is stopped: its input is closed, then it is asked, then it is killed. A
/// change applies to sessions that start after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Shutdown {
    /// How long it may take to end after its input was closed, in milliseconds.
    #[schemars(range(min = 0, max = 600_000))]
    pub eof_grace_ms: u64,
    /// How long it may take to end after SIGTERM, in milliseconds.
    #[schemars(range(min = 0, max = 600_000))]
    pub term_grace_ms: u64,
}

/// What is allowed, asked about and refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// The built-in rules to start from.
    pub preset: Preset,
    /// Another folder of Cedar policies than `policy.d` beside this file; an absolute path.
    pub directory: Option<String>,
}

/// The built-in rules to start from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Hash)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// Asks about what is dangerous, blocks what is known bad.
    #[default]
    Balanced,
    /// Asks about everything that changes something.
    Strict,
    /// Blocks everything that changes something.
    ReadOnly,
    /// Decides and records; enforces only what is known bad.
    Observe,
}

/// What is taken out of texts before they are looked at, recorded or shown. A change applies at
/// once, also to sessions that are open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Redaction {
    /// Kinds of findings that are left alone everywhere, such as `email`.
    pub disabled_kinds: Vec<String>,
    /// Kinds of findings that are looked for only where they stand here: `uuid`.
    pub enabled_kinds: Vec<String>,
    /// Rules, by their id, that are not run anywhere. `defenter redact --rules` lists the ids.
    pub disabled_rules: Vec<String>,
    /// Files with further rules, such as a `gitleaks.toml`; absolute paths, or `~/…`.
    pub rules: Vec<String>,
    /// What is found and left alone, for all servers or for some, each with the reason. What is
    /// left alone is also not seen by policies, in the record and by a person who is asked.
    #[schemars(length(max = 256))]
    pub exceptions: Vec<Exception>,
    /// Whether equal values of a session get equal numbers, as in `[REDACTED-EMAIL-2]`, so that a
    /// reader can tell them apart. The numbers of a session start anew where another process takes
    /// it over; without a fingerprint key there are none.
    pub numbered: bool,
}

/// Findings that are left alone: those that meet every condition which is given. One at least of
/// `rules`, `kinds`, `values` and `fingerprints` must be.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// The servers it is for, as the clients' configs call them; `hook:CLIENT` is what a client's
    /// hook tells. For all servers where none is named.
    #[serde(default)]
    #[schemars(length(max = 256))]
    pub servers: Vec<String>,
    /// Found by one of these rules, by their id.
    #[serde(default)]
    #[schemars(length(max = 256))]
    pub rules: Vec<String>,
    /// Of one of these kinds, such as `email`.
    #[serde(default)]
    #[schemars(length(max = 256))]
    pub kinds: Vec<String>,
    /// A value that one of these regular expressions matches as a whole, such as
    /// `.*@example\\.org`, or that has one of `fingerprints`.
    #[serde(default)]
    #[schemars(length(max = 256))]
    pub values: Vec<String>,
    /// A value with one of these fingerprints, as `defenter redact --json` shows them; they differ
    /// from one installation to the other.
    #[serde(default)]
    #[schemars(length(max = 256))]
    pub fingerprints: Vec<String>,
    /// Why it is left alone; `defenter explain` shows it.
    #[schemars(length(min = 1, max = 1024))]
    pub reason: String,
}

/// The record of operations. A change of `max_payload_bytes` applies to sessions that start after
/// it, any other needs a restart of `defenter up`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Audit {
    /// When a record counts as written.
    pub durability: Durability,
    /// The size at which a file of the record is closed and the next one begun, in bytes.
    #[schemars(range(min = 65_536, max = 17_179_869_184_u64))]
    pub max_file_bytes: u64,
    /// The size of the whole record at which its oldest files are deleted, in bytes; it must hold
    /// two files at least.
    #[schemars(range(min = 131_072, max = 1_099_511_627_776_u64))]
    pub max_total_bytes: u64,
    /// How much of one operation's redacted text is recorded, in bytes.
    #[schemars(range(min = 0, max = 16_777_216))]
    pub max_payload_bytes: u64,
}

/// When a record counts as written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Hash)]
#[serde(rename_all = "kebab-case")]
pub enum Durability {
    /// Once the operating system has it: it survives a crash of Defenter.
    #[default]
    Os,
    /// Once the disk has it: it survives a crash of the machine, and costs a few milliseconds.
    Disk,
}

/// Questions to the user. A change applies to sessions that start after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Dialog {
    /// Whether the user is asked at all. Where not, no window is shown, and what would have been
    /// asked about is refused at once, as where a window cannot be shown.
    pub enabled: bool,
    /// How long a request is held while its question is open, in seconds; then it is refused, and
    /// may be tried again. Many clients give up after 60 s, so it should be less.
    #[schemars(range(min = 1, max = 3600))]
    pub timeout_s: u64,
    /// How long the question stays open after its request was refused, in seconds. If it is
    /// allowed then, the same request passes once when it is tried again within two minutes.
    #[schemars(range(min = 0, max = 86_400))]
    pub keep_open_s: u64,
    /// How many operations of one session may be held for the user's answer at once; a further
    /// one is refused at once. All sessions together have at most 64 questions open.
    #[schemars(range(min = 1, max = 64))]
    pub max_pending: u32,
}

/// The web console, health and metrics of `defenter up`. A change needs its restart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Console {
    /// Whether `defenter up` listens at all; without it there are no pages and no metrics.
    pub enabled: bool,
    /// Address and port where `defenter up` listens; the address must be a loopback address.
    pub listen: String,
}

/// Defenter's own log, on its standard error. A change of level or format needs a restart of
/// `defenter up`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// What is worth a line in the log of `defenter up`. A wrapped server that runs without it logs
    /// at `warn`, since its client sees the log.
    pub level: Level,
    /// How a line looks.
    pub format: Format,
    /// How many of the last lines of a server's standard error, redacted, the report of its
    /// quarantine shows in the log, in `status` and in the console. `defenter logs` shows all that
    /// is kept: 64 KiB a server.
    #[schemars(range(min = 0, max = 1000))]
    pub server_stderr_lines: u32,
}

/// The servers of the clients' configs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Install {
    /// Whether `defenter up` wraps by itself what `defenter install` would wrap: a server that
    /// appears in a client's config, and one that was changed back. Where not, it is only told.
    /// Another command under a name that was wrapped is never wrapped by itself, and files of
    /// projects, which others share, stay as they are. While it is on and `defenter up` runs,
    /// `defenter uninstall` refuses, since what it gives back would be wrapped again.
    pub auto: bool,
}

/// Notifications on the desktop, of `defenter up`: a server that appeared in a client's config and
/// is not protected, was changed back, has another command under its name, or was wrapped as
/// `install.auto` says. `notify-send` shows them on Linux, the system's own means elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Notifications {
    /// Whether any are shown. What they tell is in the log, in `status` and in the metrics anyway.
    pub enabled: bool,
    /// The least time between two notifications, in seconds; what comes sooner is gathered into
    /// one.
    #[schemars(range(min = 1, max = 86_400))]
    pub interval_s: u64,
}

/// The supervisor, which is `defenter up`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Supervisor {
    /// Whether a wrapped server that finds no supervisor starts one in the background, as
    /// `defenter up --detach` does, and joins it. Where it does not answer within 2 s, and where
    /// this is off, the server is guarded alone.
    pub autostart: bool,
}

/// What is worth a line in the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Hash)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// What failed.
    Error,
    /// What may fail soon.
    Warn,
    /// What happened.
    #[default]
    Info,
    /// How it happened.
    Debug,
    /// Every step.
    Trace,
}

/// How a line in the log looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Hash)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// For reading.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl fmt::Debug for Exception {
    // The expressions may spell the values that they allow.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exception")
            .field("servers", &self.servers)
            .field("rules", &self.rules)
            .field("kinds", &self.kinds)
            .field("values", &self.values.len())
            .field("fingerprints", &self.fingerprints)
            .field("reason", &self.reason)
            .finish()
    }
}

impl Level {
    /// The level's name, as a log filter takes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

impl Default for Proxy {
    fn default() -> Self {
        Self { max_line_bytes: 64 << 20 }
    }
}

impl Default for Restart {
    fn default() -> Self {
        Self {
            backoff_initial_ms: 250,
            backoff_max_ms: 30_000,
            reset_after_ms: 60_000,
            intensity: 5,
            window_ms: 60_000,
            unresponsive_after_ms: 120_000,
            unresponsive: false,
        }
    }
}

impl Default for Shutdown {
    fn default() -> Self {
        Self { eof_grace_ms: 2000, term_grace_ms: 2000 }
    }
}

impl Default for Audit {
    fn default() -> Self {
        Self {
            durability: Durability::default(),
            max_file_bytes: 64 << 20,
            max_total_bytes: 1 << 30,
            max_payload_bytes: 16 << 10,
        }
    }
}

impl Default for Dialog {
    fn default() -> Self {
        Self { enabled: true, timeout_s: 50, keep_open_s: 300, max_pending: 32 }
    }
}

impl Default for Console {
    fn default() -> Self {
        Self { enabled: true, listen: "127.0.0.1:7420".to_owned() }
    }
}

impl Default for Notifications {
    fn default() -> Self {
        Self { enabled: true, interval_s: 60 }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { level: Level::default(), format: Format::default(), server_stderr_lines: 20 }
    }
}
