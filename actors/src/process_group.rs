//! A helper process and whatever it has started, ended together.
//!
//! - Owns: one child that leads a process group of its own.
//! - Promises: dropping it kills the whole group.

use std::io;

use tokio::process::{Child, Command};

/// See the module.
pub(crate) struct ProcessGroup(Child);

impl ProcessGroup {
    /// Starts a program in a group of its own.
    ///
    /// # Errors
    /// What the system says where it cannot be started.
    pub(crate) fn start(command: &mut Command) -> io::Result<Self> {
        command.kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        Ok(Self(command.spawn()?))
    }

    /// The process that leads the group.
    pub(crate) fn leader(&mut self) -> &mut Child {
        &mut self.0
    }
}

#[cfg(unix)]
impl Drop for ProcessGroup {
    fn drop(&mut self) {
        // The child has not been waited for while it has an id, so its group's number cannot have
        // been given to anybody else. The child itself is then reaped by the runtime.
        if let Some(group) =
            self.0.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed()))
        {
            // It fails only if the whole group is gone already, which is what is wanted.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}
