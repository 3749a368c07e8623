//! The hook that finds no supervisor: a supervisor of one operation.

use defenter_actors::supervision::{Options, Prepared};
use defenter_mcp::hook::{HookCall, HookVerdict};
use tokio::runtime::Builder;

use crate::{
    Exit,
    commands::{proxy::start_failure, up},
    failure::{Failure, OrFail},
    here,
};

pub(super) fn decide(call: &HookCall, payload: &[u8]) -> Result<HookVerdict, Failure> {
    let (house, rules) = here::furnished(Vec::new())?;
    // The agent reads standard error where we deny, so nothing else is said there.
    up::log(&rules.loaded.settings, Some("off"));
    let options = Options { house, rules, program: here::program()?, machine: false };
    let runtime = Builder::new_current_thread().enable_all().build().or_fail(Exit::Failed)?;
    let verdict = runtime.block_on(async {
        let prepared = Prepared::new(options).map_err(|error| start_failure(&error))?;
        let supervision = prepared.start().await.map_err(|error| start_failure(&error))?;
        Ok(supervision.judge(call, payload).await)
    });
    // It started nothing that would outlive us, and what it recorded is in the kernel's hands.
    runtime.shutdown_background();
    verdict
}
