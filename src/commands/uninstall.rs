//! `defenter uninstall`: gives the clients' configs back as they were.

use defenter_config::install::plan_uninstall;

use super::install::Work;
use crate::{Exit, Outcome, cli::InstallArgs, failure::OrFail};

pub(crate) fn run(args: &InstallArgs) -> Outcome {
    let work = Work::new(args)?;
    let plan = plan_uninstall(&work.discovery, &work.choice, &work.journal);
    work.carry_out(args, &plan.or_fail(Exit::Failed)?)
}
