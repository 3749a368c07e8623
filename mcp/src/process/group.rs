//! The processes that a server or a helper consists of, as one thing to be ended: a process group
//! on Unix, a job object on Windows.
//!
//! Accepts: a command to start, whose process leads the group. Emits: whether anything is left.
//! Promises: dropping the last clone ends every process of the group; a group that was found gone
//! is never signalled again, since its number may by then be somebody else's.

use std::{io, sync::Arc};

use tokio::process::{Child, Command};

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

/// A process group. Killed when the last clone is dropped, unless it was found gone before.
#[derive(Clone, Debug)]
pub struct Group(Arc<system::Processes>);

impl Group {
    /// Starts a program as the leader of a group of its own.
    pub(super) fn start(command: &mut Command) -> io::Result<(Child, Self)> {
        command.kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        let leader = command.spawn()?;
        let group = Self(Arc::new(system::Processes::of(&leader)));
        Ok((leader, group))
    }

    /// Asks every process of the group to end (SIGTERM). Nothing where there are no signals.
    pub fn terminate(&self) {
        self.0.terminate();
    }

    /// Ends every process of the group at once (SIGKILL).
    pub fn kill(&self) {
        self.0.kill();
    }

    /// Whether any process of the group is left (zombies that nobody waited for included).
    #[must_use]
    pub fn alive(&self) -> bool {
        self.0.alive()
    }
}

#[cfg(unix)]
mod unix {
    use std::sync::atomic::{AtomicI32, Ordering};

    use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
    use tokio::process::Child;

    /// No group has this number.
    const GONE: i32 = 0;

    #[derive(Debug)]
    pub(super) struct Processes {
        leader: AtomicI32,
    }

    impl Processes {
        pub(super) fn of(leader: &Child) -> Self {
            let id = leader.id().and_then(|id| i32::try_from(id).ok());
            Self { leader: AtomicI32::new(id.unwrap_or(GONE)) }
        }

        pub(super) fn terminate(&self) {
            self.signal(Signal::TERM);
        }

        pub(super) fn kill(&self) {
            self.signal(Signal::KILL);
        }

        pub(super) fn alive(&self) -> bool {
            self.try_on(test_kill_process_group)
        }

        fn signal(&self, signal: Signal) {
            self.try_on(|leader| kill_process_group(leader, signal));
        }

        /// Does something to the group; false where it is gone.
        fn try_on(&self, act: impl Fn(Pid) -> rustix::io::Result<()>) -> bool {
            let Some(leader) = Pid::from_raw(self.leader.load(Ordering::Relaxed)) else {
                return false;
            };
            let done = act(leader);
            if done == Err(rustix::io::Errno::SRCH) {
                self.leader.store(GONE, Ordering::Relaxed);
            }
            done.is_ok()
        }
    }

    impl Drop for Processes {
        fn drop(&mut self) {
            self.kill();
        }
    }
}

#[cfg(windows)]
mod windows {
    use std::{
        ffi::c_void,
        os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle},
        ptr,
    };

    use tokio::process::Child;
    use windows_sys::Win32::System::JobObjects::{
        AssignProcessToJobObject, CreateJobObjectW, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE,
        JOBOBJECT_BASIC_ACCOUNTING_INFORMATION, JOBOBJECT_EXTENDED_LIMIT_INFORMATION,
        JobObjectBasicAccountingInformation, JobObjectExtendedLimitInformation,
        QueryInformationJobObject, SetInformationJobObject, TerminateJobObject,
    };

    /// A job that ends with its last handle, which is ours: the system closes it when we die,
    /// however we die. What the leader starts before it is put into the job is not in it; the
    /// time is that between two calls of ours.
    #[derive(Debug)]
    pub(super) struct Processes {
        job: Option<OwnedHandle>,
    }

    impl Processes {
        pub(super) fn of(leader: &Child) -> Self {
            Self { job: job_of(leader) }
        }

        #[expect(clippy::unused_self, reason = "there is no signal to ask with")]
        pub(super) fn terminate(&self) {}

        pub(super) fn kill(&self) {
            if let Some(job) = &self.job {
                // SAFETY: the handle is an open job's; failure means that nothing is left.
                unsafe { TerminateJobObject(job.as_raw_handle(), 1) };
            }
        }

        pub(super) fn alive(&self) -> bool {
            let Some(job) = &self.job else { return false };
            let mut told = JOBOBJECT_BASIC_ACCOUNTING_INFORMATION::default();
            // SAFETY: the buffer is of the type and the size that this class of information has.
            let known = unsafe {
                QueryInformationJobObject(
                    job.as_raw_handle(),
                    JobObjectBasicAccountingInformation,
                    ptr::from_mut(&mut told).cast::<c_void>(),
                    size_of_val(&told) as u32,
                    ptr::null_mut(),
                )
            };
            known != 0 && told.ActiveProcesses > 0
        }
    }

    fn job_of(leader: &Child) -> Option<OwnedHandle> {
        let process = leader.raw_handle()?;
        // SAFETY: no attributes and no name are given; the result is checked for null and owned
        // by nobody else.
        let job = unsafe {
            let job = CreateJobObjectW(ptr::null(), ptr::null());
            (!job.is_null()).then(|| OwnedHandle::from_raw_handle(job))
        }?;
        let mut limits = JOBOBJECT_EXTENDED_LIMIT_INFORMATION::default();
        limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
        // SAFETY: the buffer is of the type and the size that this class of information has; both
        // handles are open.
        let bound = unsafe {
            SetInformationJobObject(
                job.as_raw_handle(),
                JobObjectExtendedLimitInformation,
                ptr::from_ref(&limits).cast::<c_void>(),
                size_of_val(&limits) as u32,
            ) != 0
                && AssignProcessToJobObject(job.as_raw_handle(), process) != 0
        };
        bound.then_some(job)
    }
}
