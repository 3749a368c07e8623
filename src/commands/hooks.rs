//! Our hooks in the clients' files, as `defenter status` shows them.

use defenter_config::hooks::{HookStatus, hook_status};
use serde::Serialize;

use super::install::wrapper;
use crate::failure::Failure;

/// The hooks of one client, as people and programs see them.
#[derive(Serialize)]
pub(super) struct HookView {
    client: String,
    file: String,
    /// How many of the events have our hook.
    installed: usize,
    /// How many events there are.
    events: usize,
    /// Whether the client stops what the hook is about when the hook fails.
    fails_closed: bool,
    /// Whether the client runs what is installed, where it asks for trust in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    trusted: Option<bool>,
}

/// The hooks of every client that is on the machine.
pub(super) fn views(house: &defenter_actors::house::House) -> Result<Vec<HookView>, Failure> {
    let statuses = hook_status(&house.host, &wrapper()?.program);
    Ok(statuses.iter().map(HookView::of).collect())
}

impl HookView {
    fn of(status: &HookStatus) -> Self {
        Self {
            client: status.client.to_string(),
            file: status.file.display().to_string(),
            installed: status.installed,
            events: status.events,
            fails_closed: status.fails_closed,
            trusted: status.trusted,
        }
    }

    /// The heads of [`HookView::row`].
    pub(super) const HEAD: [&str; 4] = ["HOOKS OF", "INSTALLED", "WHEN IT FAILS", "FILE"];

    /// One line of a table.
    pub(super) fn row(&self) -> Vec<String> {
        let fails = if self.fails_closed { "the client stops" } else { "the client goes on" };
        let installed = match self.installed {
            0 => "no".to_owned(),
            some if self.trusted == Some(false) => {
                format!("{some} of {}, not trusted", self.events)
            }
            some => format!("{some} of {}", self.events),
        };
        vec![self.client.clone(), installed, fails.to_owned(), self.file.clone()]
    }
}
