//! `defenter uninstall`: gives the clients' configs back as they were.

use defenter_config::install::plan_uninstall;

use super::{hooks, install::Work};
use crate::{
    Exit, Outcome,
    cli::InstallArgs,
    failure::{Failure, OrFail},
    here,
};

pub(crate) fn run(args: &InstallArgs) -> Outcome {
    if args.hooks {
        return hooks::uninstall(args);
    }
    if !args.dry_run {
        nobody_wraps_again()?;
    }
    let work = Work::new(args)?;
    let plan = plan_uninstall(&work.discovery, &work.choice, &work.journal);
    let servers = work.carry_out(args, &plan.or_fail(Exit::Failed)?)?;
    if !args.server.is_empty() || !args.except.is_empty() || !args.project.is_empty() {
        return Ok(servers);
    }
    // Nothing is to tell that we were here.
    match (servers, hooks::uninstall(args)?) {
        (Exit::NothingToDo, hooks) => Ok(hooks),
        (servers, _) => Ok(servers),
    }
}

/// Refuses while a supervisor would wrap at once what is given back. Settings that cannot be read
/// are in nobody's way: a supervisor goes on with the last good ones, or none runs.
fn nobody_wraps_again() -> Result<(), Failure> {
    let house = here::house(Vec::new())?;
    let auto = house.rules().is_ok_and(|rules| rules.loaded.settings.install.auto);
    if auto && super::status::running(&house.paths)?.is_some() {
        return Err(Failure::new(
            Exit::Failed,
            "`install.auto` is on, so the supervisor would wrap again what is given back",
        )
        .hint("set `install.auto` to false, or end the supervisor with `defenter down`"));
    }
    Ok(())
}
