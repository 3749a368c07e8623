//! Figures of this process, read when somebody asks.
//!
//! - Owns: nothing.
//! - Accepts: nothing; on Linux it reads `/proc/self`, elsewhere it knows only what the standard
//!   library can tell, which is nothing.
//! - Promises: bounded reads, no error: a figure that cannot be had is absent.

/// Memory, time and descriptors of this process. A figure that the system does not give is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ProcessFigures {
    /// Resident memory in bytes.
    pub resident_bytes: Option<u64>,
    /// Virtual memory in bytes.
    pub virtual_bytes: Option<u64>,
    /// User and system time in seconds.
    pub cpu_seconds: Option<f64>,
    /// Open file descriptors.
    pub open_fds: Option<u64>,
    /// Soft limit on open file descriptors; `None` where there is no limit.
    pub max_fds: Option<u64>,
    /// Threads.
    pub threads: Option<u64>,
    /// Start, in seconds since the Unix epoch.
    pub start_time_seconds: Option<f64>,
}

impl ProcessFigures {
    /// Reads the figures of the moment.
    #[must_use]
    pub fn read() -> Self {
        #[cfg(target_os = "linux")]
        {
            linux::read()
        }
        #[cfg(not(target_os = "linux"))]
        {
            Self::default()
        }
    }

    /// The figures that are known, each with the metric's name.
    #[expect(
        clippy::cast_precision_loss,
        reason = "Prometheus' numbers are floating point; bytes are exact up to 8 PiB"
    )]
    pub fn known(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let whole = |value: Option<u64>| value.map(|value| value as f64);
        [
            (super::PROCESS_RESIDENT_MEMORY, whole(self.resident_bytes)),
            (super::PROCESS_VIRTUAL_MEMORY, whole(self.virtual_bytes)),
            (super::PROCESS_CPU, self.cpu_seconds),
            (super::PROCESS_OPEN_FDS, whole(self.open_fds)),
            (super::PROCESS_MAX_FDS, whole(self.max_fds)),
            (super::PROCESS_THREADS, whole(self.threads)),
            (super::PROCESS_START_TIME, self.start_time_seconds),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs::File;
    use std::io::Read;

    use super::ProcessFigures;

    /// What one of the files may hold; each is well under a page or two.
    const MAX_READ: u64 = 64 * 1024;

    /// The fields of `/proc/self/stat` that are used, numbered as proc_pid_stat(5) does, less the
    /// three (pid, comm, state) that come before the part that is split.
    const UTIME: usize = 14 - 3;
    const STIME: usize = 15 - 3;
    const THREADS: usize = 20 - 3;
    const START: usize = 22 - 3;
    const VSIZE: usize = 23 - 3;
    const RSS: usize = 24 - 3;

    pub(super) fn read() -> ProcessFigures {
        let mut figures = match read_bounded("/proc/self/stat") {
            Some(stat) => from_stat(
                &stat,
                rustix::param::clock_ticks_per_second(),
                rustix::param::page_size() as u64,
                read_bounded("/proc/stat").as_deref().and_then(boot_time),
            ),
            None => ProcessFigures::default(),
        };
        // The directory handle that does the counting is itself one of the descriptors.
        figures.open_fds = std::fs::read_dir("/proc/self/fd")
            .ok()
            .map(|entries| (entries.count() as u64).saturating_sub(1));
        figures.max_fds = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        figures
    }

    #[expect(clippy::cast_precision_loss, reason = "ticks since the boot are far below 2^52")]
    fn from_stat(stat: &str, ticks: u64, page: u64, boot: Option<u64>) -> ProcessFigures {
        // The program's name may itself hold blanks and parentheses; it ends at the last one.
        let Some((_, rest)) = stat.rsplit_once(')') else {
            return ProcessFigures::default();
        };
        let fields: Vec<&str> = rest.split_ascii_whitespace().take(RSS + 1).collect();
        let number = |index: usize| fields.get(index).and_then(|field| field.parse::<u64>().ok());
        let seconds = |ticked: u64| ticked as f64 / ticks.max(1) as f64;
        ProcessFigures {
            resident_bytes: number(RSS).map(|pages| pages.saturating_mul(page)),
            virtual_bytes: number(VSIZE),
            cpu_seconds: Option::zip(number(UTIME), number(STIME))
                .map(|(user, system)| seconds(user.saturating_add(system))),
            threads: number(THREADS),
            start_time_seconds: Option::zip(number(START), boot)
                .map(|(start, boot)| boot as f64 + seconds(start)),
            ..ProcessFigures::default()
        }
    }

    fn boot_time(stat: &str) -> Option<u64> {
        stat.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok())
    }

    fn read_bounded(path: &str) -> Option<String> {
        let mut bytes = Vec::new();
        File::open(path).ok()?.take(MAX_READ).read_to_end(&mut bytes).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_name_with_parentheses_does_not_shift_the_fields() {
            let stat =
                "7 (a) b (c) S 1 7 7 0 -1 4194304 100 0 0 0 150 50 0 0 20 0 3 0 1000 4096000 25 0";
            let figures = from_stat(stat, 100, 4096, Some(1_000_000));
            assert_eq!(figures.cpu_seconds, Some(2.0));
            assert_eq!(figures.threads, Some(3));
            assert_eq!(figures.virtual_bytes, Some(4_096_000));
            assert_eq!(figures.resident_bytes, Some(25 * 4096));
            assert_eq!(figures.start_time_seconds, Some(1_000_010.0));
        }

        #[test]
        fn nonsense_gives_no_figures() {
            for stat in ["", "7 (x", "7 (x) S", ") ) a b c"] {
                assert_eq!(from_stat(stat, 0, 0, None), ProcessFigures::default(), "{stat:?}");
            }
        }

        #[test]
        fn reads_this_process() {
            let figures = read();
            assert!(figures.resident_bytes.is_some_and(|bytes| bytes > 100_000), "{figures:?}");
            assert!(figures.open_fds.is_some_and(|count| count >= 1), "{figures:?}");
            assert!(figures.threads.is_some_and(|count| count >= 1), "{figures:?}");
            assert!(figures.start_time_seconds.is_some_and(|at| at > 1.0e9), "{figures:?}");
        }
    }
}
