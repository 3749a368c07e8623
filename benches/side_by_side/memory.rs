//! What the programs between client and server hold in memory.
//!
//! Owns: nothing. Accepts: a session. Emits: private and proportional bytes, as the system counts
//! them. Promises: nothing is told where there is nothing between.

use std::fs;

use rustix::process::Pid;

use crate::Way;
use crate::bed::Bed;
use crate::client::Client;

/// The memory of one session's processes, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// What the process that the client started holds alone.
    pub(crate) shim_private: u64,
    /// The same, with its share of what it shares with others.
    pub(crate) shim_pss: u64,
    /// What the supervisor holds alone, where one runs.
    pub(crate) up_private: Option<u64>,
    /// The same, with its share of what it shares with others.
    pub(crate) up_pss: Option<u64>,
}

impl Memory {
    pub(crate) fn of(way: Way, bed: &Bed, client: &Client) -> Option<Self> {
        if way == Way::Bare {
            return None;
        }
        let shim = Rollup::of(client.pid())?;
        let up = match way {
            Way::Joined => bed.processes_like(" up").first().and_then(|it| Rollup::of(it.pid)),
            _ => None,
        };
        Some(Self {
            shim_private: shim.private,
            shim_pss: shim.pss,
            up_private: up.map(|it| it.private),
            up_pss: up.map(|it| it.pss),
        })
    }
}

/// `/proc/PID/smaps_rollup`, see proc(5).
#[derive(Clone, Copy)]
struct Rollup {
    private: u64,
    pss: u64,
}

impl Rollup {
    fn of(pid: Pid) -> Option<Self> {
        let text =
            fs::read_to_string(format!("/proc/{}/smaps_rollup", pid.as_raw_nonzero())).ok()?;
        let figure = |key: &str| -> u64 {
            let line = text.lines().find_map(|line| line.strip_prefix(key));
            let kibibytes =
                line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
            kibibytes.unwrap_or_default() * 1024
        };
        let private = figure("Private_Clean:") + figure("Private_Dirty:");
        Some(Self { private, pss: figure("Pss:") })
    }
}
