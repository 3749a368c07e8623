//! `defenter install --hooks` and `defenter uninstall --hooks`: our hooks in the clients' files.

use std::io::{BufRead, IsTerminal, Write};

use defenter_config::{
    Paths,
    clients::ClientId,
    hooks::{HookFile, HookJournal, HookPlan, HookStatus, hook_status},
};
use serde::Serialize;
use serde_json::{Value, json};

use super::install::{client, wrapper};
use crate::{
    Exit, Outcome,
    cli::InstallArgs,
    failure::{Failure, OrFail},
    here,
    mask::Mask,
    terminal::{self, plain},
};

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
}

/// Writes the hooks.
pub(super) fn install(args: &InstallArgs) -> Outcome {
    let (house, chosen) = prepared(args)?;
    let program = wrapper()?.program;
    let journal = journal(&house.paths);
    let plan = HookPlan::install(&house.host, &chosen, &program, &journal).or_fail(Exit::Failed)?;
    let outcome = carry_out(args, &plan, &journal, "call Defenter")?;
    if outcome == Exit::Done && !args.json && !args.dry_run {
        warn_of_open_ones(&plan, &hook_status(&house.host, &program))?;
    }
    Ok(outcome)
}

/// Takes the hooks out.
pub(super) fn uninstall(args: &InstallArgs) -> Outcome {
    let (house, chosen) = prepared(args)?;
    let journal = journal(&house.paths);
    let plan = HookPlan::uninstall(&house.host, &chosen, &journal).or_fail(Exit::Failed)?;
    if plan.is_empty() && !args.hooks {
        // The servers were what was asked about.
        return Ok(Exit::NothingToDo);
    }
    carry_out(args, &plan, &journal, "no longer call Defenter")
}

/// The hooks of every client that is on the machine.
pub(super) fn views(house: &defenter_actors::house::House) -> Result<Vec<HookView>, Failure> {
    let statuses = hook_status(&house.host, &wrapper()?.program);
    Ok(statuses.iter().map(HookView::of).collect())
}

fn journal(paths: &Paths) -> HookJournal {
    HookJournal::new(paths.state.join("hooks"))
}

fn prepared(args: &InstallArgs) -> Result<(defenter_actors::house::House, Vec<ClientId>), Failure> {
    let house = here::house(Vec::new())?;
    house.paths.create(here::uid()).or_fail(Exit::Failed)?;
    let chosen = args.client.iter().map(|id| client(id)).collect::<Result<_, _>>()?;
    Ok((house, chosen))
}

fn carry_out(args: &InstallArgs, plan: &HookPlan, journal: &HookJournal, verb: &str) -> Outcome {
    if plan.is_empty() || args.dry_run {
        show(args, plan)?;
        return Ok(if plan.is_empty() { Exit::NothingToDo } else { Exit::Done });
    }
    if !args.yes && !agreed(plan, verb)? {
        return Err(Failure::new(Exit::Refused, "nothing was changed"));
    }
    plan.apply(journal).or_fail(Exit::Failed)?;
    if args.json {
        return report_json(plan, true).map(|()| Exit::Done);
    }
    for file in &plan.files {
        terminal::say(&format!("done: {}\n", line(file)))?;
    }
    tell_the_rest(plan)?;
    Ok(Exit::Done)
}

fn show(args: &InstallArgs, plan: &HookPlan) -> Result<(), Failure> {
    if args.json {
        return report_json(plan, false);
    }
    if plan.is_empty() {
        terminal::say("nothing to do\n")?;
        return tell_the_rest(plan);
    }
    let mask = Mask::new();
    plan.files.iter().try_for_each(|file| terminal::say(&file.diff(|line| mask.line(line))))
}

fn tell_the_rest(plan: &HookPlan) -> Result<(), Failure> {
    for (client, reason) in &plan.skipped {
        terminal::say(&format!("  left alone: {client}: {}\n", plain(reason)))?;
    }
    for note in &plan.by_hand {
        terminal::say(&format!("to do by hand: {}\n", plain(note)))?;
    }
    Ok(())
}

/// A hook that a client goes on without is a witness, not a guard.
fn warn_of_open_ones(plan: &HookPlan, statuses: &[HookStatus]) -> Result<(), Failure> {
    for status in statuses.iter().filter(|status| !status.fails_closed) {
        if plan.files.iter().any(|file| file.client == status.client) {
            terminal::say(&format!(
                "note: {} goes on when a hook cannot be run; its MCP servers are guarded by `defenter install`\n",
                status.client
            ))?;
        }
    }
    Ok(())
}

fn agreed(plan: &HookPlan, verb: &str) -> Result<bool, Failure> {
    let input = std::io::stdin();
    if !input.is_terminal() {
        return Err(Failure::new(Exit::Usage, "somebody has to agree to the changes")
            .hint("`--dry-run` shows them, `--yes` agrees"));
    }
    let mut text = format!("The hooks of these clients will {verb}:\n");
    for file in &plan.files {
        text.push_str(&format!("  {}\n", line(file)));
    }
    terminal::say(&format!("{text}Go on? [y/N] "))?;
    let _ = std::io::stdout().flush();
    let mut answer = String::new();
    input.lock().read_line(&mut answer).or_fail(Exit::Failed)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn line(file: &HookFile) -> String {
    format!("{} ({})", file.file.display(), file.client)
}

fn report_json(plan: &HookPlan, applied: bool) -> Result<(), Failure> {
    let file = |file: &HookFile| json!({"client": file.client.to_string(), "file": file.file});
    let skipped = |(client, reason): &(ClientId, String)| json!({"client": client.to_string(), "reason": reason});
    let files: Vec<Value> = plan.files.iter().map(file).collect();
    terminal::say_json(&json!({
        "hooks": files,
        "applied": applied,
        "skipped": plan.skipped.iter().map(skipped).collect::<Vec<_>>(),
        "by_hand": plan.by_hand,
    }))
}

impl HookView {
    fn of(status: &HookStatus) -> Self {
        Self {
            client: status.client.to_string(),
            file: status.file.display().to_string(),
            installed: status.installed,
            events: status.events,
            fails_closed: status.fails_closed,
        }
    }

    /// The heads of [`HookView::row`].
    pub(super) const HEAD: [&str; 4] = ["HOOKS OF", "INSTALLED", "WHEN IT FAILS", "FILE"];

    /// One line of a table.
    pub(super) fn row(&self) -> Vec<String> {
        let fails = if self.fails_closed { "the client stops" } else { "the client goes on" };
        let installed = match self.installed {
            0 => "no".to_owned(),
            some => format!("{some} of {}", self.events),
        };
        vec![self.client.clone(), installed, fails.to_owned(), self.file.clone()]
    }
}
