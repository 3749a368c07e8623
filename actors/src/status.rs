//! What runs, as told to people and programs.
//!
//! - Owns: the shape of the status that `defenter status --json`, the console and the local socket
//!   share.
//! - Accepts: nothing; whoever knows the state fills it in.
//! - Promises: plain data, stable field names; names and texts in it are as redacted as their
//!   writer made them, so only redacted text may be put here.

use serde::{Deserialize, Serialize};

/// Everything that runs at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusView {
    /// The supervisor itself.
    pub supervisor: SupervisorView,
    /// The wrapped servers, in a stable order.
    pub servers: Vec<ServerView>,
    /// What is amiss with the servers in the clients' configs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<FindingView>,
    /// What of the settings and rules is not in force, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
}

/// A server in a client's config that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingView {
    /// What is amiss.
    pub kind: FindingKind,
    /// The client whose config names it, such as `cursor`.
    pub client: String,
    /// The scope within the client, such as `user` or `project`.
    pub scope: String,
    /// The entry's name in the client's config.
    pub name: String,
    /// The file it is in.
    pub file: String,
}

/// What is amiss with an entry of a client's config.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// It could run through Defenter and never did.
    Unprotected,
    /// It ran through Defenter and was changed back; its command is the same.
    Unwrapped,
    /// Its command is not the one that was wrapped under this name.
    CommandChanged,
}

/// The supervisor process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupervisorView {
    /// The program's version.
    pub version: String,
    /// The process id.
    pub pid: u32,
    /// When it started, RFC 3339 in UTC.
    pub started: String,
    /// Seconds since it started.
    pub uptime_s: u64,
}

/// One wrapped server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerView {
    /// The entry's name in the client's config.
    pub name: String,
    /// The client whose config names it, such as `cursor`.
    pub client: String,
    /// The scope within the client, such as `user` or `project`.
    pub scope: String,
    /// What it is doing.
    pub state: ServerState,
    /// Its open sessions.
    pub sessions: Vec<SessionView>,
    /// How often it was started again since the supervisor started.
    pub restarts: u64,
    /// How its last process ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_exit: Option<ExitView>,
    /// Why it is in quarantine, where it is, with the last lines of its standard error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantined: Option<String>,
}

/// One client's connection to a wrapped server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionView {
    /// The session's id.
    pub id: String,
    /// The process id of the server of this session, where one runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// When it was opened, RFC 3339 in UTC.
    pub started: String,
    /// Which process of the server this is; 1 is the first, one more after each recovery.
    pub generation: u64,
    /// Operations seen so far.
    pub operations: u64,
    /// For how many seconds the server has owed an answer and said nothing, where that is longer
    /// than the settings bear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unresponsive_s: Option<u64>,
}

/// What one server last wrote to its standard error, redacted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogsView {
    /// The server.
    pub server: ServerView,
    /// The lines.
    pub stderr: String,
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitView {
    /// The exit code, where it ended by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<i32>,
    /// The signal, where one ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// When, RFC 3339 in UTC.
    pub at: String,
}

/// What a wrapped server is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerState {
    /// No process is needed.
    Idle,
    /// A process was started and has not answered the handshake yet.
    Starting,
    /// The handshake was answered.
    Ready,
    /// Requests are in flight.
    Busy,
    /// It failed and waits before the next start.
    Backoff,
    /// It is being stopped.
    Draining,
    /// It has been stopped.
    Stopped,
    /// It failed too often; somebody has to act.
    Quarantined,
}

impl FindingKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Unprotected, Self::Unwrapped, Self::CommandChanged];

    /// The kind's name, as JSON and metrics have it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Unprotected => "unprotected",
            Self::Unwrapped => "unwrapped",
            Self::CommandChanged => "command_changed",
        }
    }

    /// What it means, and what to do.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Unprotected => "the entry is not protected; `defenter install` protects it",
            Self::Unwrapped => {
                "the entry was changed back and is not protected any more; \
                 `defenter install` protects it again"
            }
            Self::CommandChanged => {
                "the entry's command is not the one that was wrapped under this name; \
                 look at it, then use `defenter install --server NAME`"
            }
        }
    }
}

impl std::fmt::Display for FindingKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.label())
    }
}

impl ServerState {
    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::Idle,
        Self::Starting,
        Self::Ready,
        Self::Busy,
        Self::Backoff,
        Self::Draining,
        Self::Stopped,
        Self::Quarantined,
    ];

    /// The state's name, as JSON has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Busy => "busy",
            Self::Backoff => "backoff",
            Self::Draining => "draining",
            Self::Stopped => "stopped",
            Self::Quarantined => "quarantined",
        }
    }

    /// Whether a client that connects now is served without waiting for a failure to be mended.
    #[must_use]
    pub const fn is_up(self) -> bool {
        !matches!(self, Self::Backoff | Self::Quarantined)
    }
}

impl std::fmt::Display for ServerState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_label_of_a_finding_is_its_json() {
        for kind in FindingKind::ALL {
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{kind}\""));
        }
    }

    #[test]
    fn a_status_of_an_older_supervisor_has_no_findings() {
        let old =
            r#"{"supervisor":{"version":"1","pid":1,"started":"","uptime_s":1},"servers":[]}"#;
        let status: StatusView = serde_json::from_str(old).unwrap();
        assert!(status.findings.is_empty());
    }

    #[test]
    fn the_name_of_a_state_is_its_json() {
        for state in ServerState::ALL {
            assert_eq!(serde_json::to_string(&state).unwrap(), format!("\"{state}\""));
        }
    }

    #[test]
    fn absent_fields_are_left_out_and_read_back() {
        let server = ServerView {
            name: "files".into(),
            client: "cursor".into(),
            scope: "user".into(),
            state: ServerState::Ready,
            sessions: vec![],
            restarts: 0,
            last_exit: None,
            quarantined: None,
        };
        let json = serde_json::to_string(&server).unwrap();
        assert!(!json.contains("null"), "{json}");
        assert_eq!(serde_json::from_str::<ServerView>(&json).unwrap(), server);
    }
}
