//! `defenter uninstall`: gives the clients' configs back as they were, hooks included.

use defenter_config::install::{Action, Plan, plan_uninstall};

use super::changes::{Hooks, Place};
use crate::{
    Exit, Outcome,
    cli::UninstallArgs,
    failure::{Failure, OrFail},
    here,
};

pub(crate) fn run(args: &UninstallArgs) -> Outcome {
    if !args.change.dry_run && !args.hooks {
        nobody_wraps_again()?;
    }
    let place = Place::new(&args.change)?;
    let servers = if args.hooks {
        Plan::new(Action::Uninstall)
    } else {
        plan_uninstall(&place.discovery, &place.choice, &place.journal).or_fail(Exit::Failed)?
    };
    // Nothing is to tell that we were here, unless single servers are what was asked about.
    let hooks = if args.change.names_servers() { Hooks::Keep } else { Hooks::TakeOut };
    place.carry_out(&args.change, servers, hooks)
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
