//! What `install` and `uninstall` change: servers and hooks, asked about once and told once.
//!
//! Owns: the order: show, ask, servers, hooks, report.
//! Accepts: plans.
//! Emits: text for people, or one JSON object.

use std::{
    collections::BTreeMap,
    io::{BufRead, IsTerminal, Write},
};

use defenter_actors::house::House;
use defenter_config::{
    clients::{self, ClientId, Discovery},
    hooks::{HookFile, HookJournal, HookOutcome, HookPlan, hook_status},
    install::{
        self, Action, Change, Choice, FilePlan, Journal, NoCheckpoint, Outcome as FileOutcome,
        Plan, SystemPatience,
    },
};
use serde_json::{Value, json};

use super::install::{client, wrapper};
use crate::{
    Exit, Outcome,
    cli::ChangeArgs,
    failure::{Failure, OrFail},
    here,
    mask::Mask,
    terminal::{self, plain},
};

/// Where plans are made and carried out.
pub(super) struct Place {
    pub(super) house: House,
    pub(super) discovery: Discovery,
    pub(super) choice: Choice,
    pub(super) journal: Journal,
    pub(super) hooks: HookJournal,
}

/// What is going to be changed.
pub(super) struct Changes {
    pub(super) servers: Plan,
    pub(super) hooks: HookPlan,
}

/// What is to become of hooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hooks {
    /// They stay as they are.
    Keep,
    /// They are written.
    Write,
    /// They are taken out.
    TakeOut,
}

/// What became of it.
#[derive(Default)]
struct Done {
    servers: Vec<FileOutcome>,
    hooks: Vec<(HookFile, HookOutcome)>,
}

impl Place {
    pub(super) fn new(args: &ChangeArgs) -> Result<Self, Failure> {
        let house = here::house_and_linux()?;
        house.paths.create(here::uid()).or_fail(Exit::Failed)?;
        let chosen = args.client.iter().map(|id| client(id)).collect::<Result<Vec<_>, _>>()?;
        let projects = args.project.iter().map(std::path::absolute).collect::<Result<Vec<_>, _>>();
        let options = clients::Options {
            projects: projects.or_fail(Exit::Usage)?,
            clients: chosen.clone(),
            ..clients::Options::default()
        };
        Ok(Self {
            discovery: clients::discover(&house.host, &options),
            choice: Choice {
                clients: chosen,
                servers: args.server.clone(),
                except: args.except.clone(),
                projects: !args.project.is_empty(),
                // Until the supervisor carries HTTP.
                remote: None,
            },
            journal: Journal::new(house.paths.install_journal()),
            hooks: HookJournal::new(house.paths.state.join("hooks")),
            house,
        })
    }

    /// Shows, asks, changes and tells.
    pub(super) fn carry_out(&self, args: &ChangeArgs, servers: Plan, hooks: Hooks) -> Outcome {
        let changes = &Changes { servers, hooks: self.plan_hooks(hooks)? };
        for problem in &self.discovery.problems {
            terminal::complain(&format!(
                "warning: {} is left alone: {}\n",
                problem.path.display(),
                plain(&problem.message)
            ));
        }
        let is_empty = changes.servers.is_empty() && changes.hooks.is_empty();
        if is_empty || args.dry_run {
            changes.show(args)?;
            return Ok(if is_empty { Exit::NothingToDo } else { Exit::Done });
        }
        if !args.yes && !changes.agreed()? {
            return Err(Failure::new(Exit::Refused, "nothing was changed"));
        }
        let done = self.apply(changes, hooks)?;
        if args.json {
            changes.report_json(&done)?;
        } else {
            changes.report(&done)?;
            self.warn_of_open_hooks(changes, &done)?;
        }
        Ok(if done.is_whole() { Exit::Done } else { Exit::Failed })
    }

    fn plan_hooks(&self, hooks: Hooks) -> Result<HookPlan, Failure> {
        let (host, chosen) = (&self.house.host, &self.choice.clients);
        let plan = match hooks {
            Hooks::Keep => return Ok(HookPlan::default()),
            Hooks::Write => HookPlan::install(host, chosen, &wrapper()?.program, &self.hooks),
            Hooks::TakeOut => HookPlan::uninstall(host, chosen, &self.hooks),
        };
        let plan = plan.or_fail(Exit::Failed)?;
        if hooks == Hooks::TakeOut {
            return Ok(plan);
        }
        Ok(plan.telling_of(self.discovery.entries.iter().map(|entry| entry.client)))
    }

    fn apply(&self, changes: &Changes, hooks: Hooks) -> Result<Done, Failure> {
        let servers =
            install::apply(&changes.servers, &self.journal, &SystemPatience, &mut NoCheckpoint);
        let servers = servers.or_fail(Exit::Failed)?;
        // Some clients have both in one file, which is not the one any more that was planned with.
        let plan = self.plan_hooks(hooks)?.within(&changes.hooks);
        let outcomes = plan.apply(&self.hooks).or_fail(Exit::Failed)?;
        Ok(Done { servers, hooks: plan.files.into_iter().zip(outcomes).collect() })
    }

    /// A hook that a client goes on without is a witness, not a guard.
    fn warn_of_open_hooks(&self, changes: &Changes, done: &Done) -> Result<(), Failure> {
        if changes.servers.action == Action::Uninstall || done.hooks.is_empty() {
            return Ok(());
        }
        let statuses = hook_status(&self.house.host, &wrapper()?.program);
        let is_new = |client| done.hooks.iter().any(|(file, _)| file.client == client);
        let open = statuses.iter().filter(|status| !status.fails_closed);
        let mut open: Vec<ClientId> = open.map(|it| it.client).filter(|it| is_new(*it)).collect();
        open.dedup();
        if open.is_empty() {
            return Ok(());
        }
        terminal::say(&format!(
            "note: where a hook cannot be run, the client goes on: {}; MCP servers are guarded by the proxy\n",
            joined(&open)
        ))
    }
}

impl Changes {
    fn show(&self, args: &ChangeArgs) -> Result<(), Failure> {
        if args.json {
            return self.report_json(&Done::default());
        }
        if self.servers.is_empty() && self.hooks.is_empty() {
            terminal::say("nothing to do\n")?;
            return self.tell_what_is_left_alone();
        }
        let mask = Mask::new();
        // A line of a config at a time, so that what a diff shows of a secret is its place only.
        for file in &self.servers.files {
            terminal::say(&file.diff(|line| mask.line(line)))?;
        }
        for file in &self.hooks.files {
            terminal::say(&file.diff(|line| mask.line(line)))?;
        }
        Ok(())
    }

    fn agreed(&self) -> Result<bool, Failure> {
        let input = std::io::stdin();
        if !input.is_terminal() {
            return Err(Failure::new(Exit::Usage, "somebody has to agree to the changes")
                .hint("`--dry-run` shows them, `--yes` agrees"));
        }
        terminal::say(&format!("{}Go on? [y/N] ", self.question()))?;
        let _ = std::io::stdout().flush();
        let mut answer = String::new();
        input.lock().read_line(&mut answer).or_fail(Exit::Failed)?;
        Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
    }

    /// Everything that is going to be changed, and what the user has to do then.
    fn question(&self) -> String {
        let (servers, hooks) = match self.servers.action {
            Action::Install => ("run through Defenter", "ask Defenter"),
            Action::Uninstall => ("be given back", "no longer ask Defenter"),
        };
        let mut text = String::new();
        if !self.servers.files.is_empty() {
            text.push_str(&format!("These servers will {servers}:\n"));
        }
        for file in &self.servers.files {
            text.push_str(&format!("  {}\n", file.file.display()));
            for change in &file.changes {
                text.push_str(&format!("    {}\n", name(change)));
            }
        }
        if !self.hooks.files.is_empty() {
            text.push_str(&format!("The hooks of these clients will {hooks}:\n"));
        }
        for file in &self.hooks.files {
            text.push_str(&format!("  {}\n", hook_line(file)));
        }
        for note in self.by_hand() {
            text.push_str(&format!("By hand, afterwards: {}\n", plain(note)));
        }
        text
    }

    fn by_hand(&self) -> impl Iterator<Item = &String> {
        self.servers.by_hand.iter().chain(&self.hooks.by_hand)
    }

    fn tell_what_is_left_alone(&self) -> Result<(), Failure> {
        for skipped in &self.servers.skipped {
            terminal::say(&format!(
                "  left alone: {} ({}): {}\n",
                plain(&skipped.name),
                skipped.client,
                plain(&skipped.reason)
            ))?;
        }
        let mut by_reason: BTreeMap<&str, Vec<ClientId>> = BTreeMap::new();
        for (client, reason) in &self.hooks.skipped {
            by_reason.entry(reason).or_default().push(*client);
        }
        for (reason, clients) in by_reason {
            let clients = joined(&clients);
            terminal::say(&format!("  left alone: the hooks of {clients}: {}\n", plain(reason)))?;
        }
        Ok(())
    }

    fn report(&self, done: &Done) -> Result<(), Failure> {
        for outcome in &done.servers {
            match &outcome.result {
                Ok(changes) => {
                    terminal::say(&format!("{}\n", outcome.file.display()))?;
                    for change in changes {
                        terminal::say(&format!("  done: {}\n", name(change)))?;
                    }
                }
                Err(error) => complain(&text_of(error)),
            }
            for (change, error) in &outcome.failed {
                complain(&format!("{}: {}", name(change), text_of(error)));
            }
        }
        for (file, outcome) in &done.hooks {
            match &outcome.result {
                Ok(()) => terminal::say(&format!("done: {}\n", hook_line(file)))?,
                Err(error) => complain(&text_of(error)),
            }
        }
        self.tell_what_is_left_alone()?;
        for note in self.by_hand() {
            terminal::say(&format!("to do by hand: {}\n", plain(note)))?;
        }
        Ok(())
    }

    fn report_json(&self, done: &Done) -> Result<(), Failure> {
        let planned = |file: &FilePlan| json!({"file": file.file, "changes": file.changes.iter().map(change).collect::<Vec<_>>()});
        let skipped = |skipped: &install::Skipped| json!({"client": skipped.client.to_string(), "scope": skipped.scope, "name": skipped.name, "file": skipped.file, "reason": skipped.reason});
        let hook = |file: &HookFile| json!({"client": file.client.to_string(), "file": file.file});
        let skipped_hook = |(client, reason): &(ClientId, String)| json!({"client": client.to_string(), "reason": reason});
        terminal::say_json(&json!({
            "planned": self.servers.files.iter().map(planned).collect::<Vec<_>>(),
            "applied": done.servers.iter().map(applied).collect::<Vec<_>>(),
            "skipped": self.servers.skipped.iter().map(skipped).collect::<Vec<_>>(),
            "hooks": {
                "planned": self.hooks.files.iter().map(hook).collect::<Vec<_>>(),
                "applied": done.hooks.iter().map(|(_, outcome)| applied_hook(outcome)).collect::<Vec<_>>(),
                "skipped": self.hooks.skipped.iter().map(skipped_hook).collect::<Vec<_>>(),
            },
            "by_hand": self.by_hand().collect::<Vec<_>>(),
        }))
    }
}

impl Done {
    fn is_whole(&self) -> bool {
        self.servers.iter().all(|outcome| outcome.result.is_ok() && outcome.failed.is_empty())
            && self.hooks.iter().all(|(_, outcome)| outcome.result.is_ok())
    }
}

fn joined(clients: &[ClientId]) -> String {
    clients.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn change(change: &Change) -> Value {
    json!({"client": change.client.to_string(), "scope": change.scope, "name": change.name})
}

fn applied(outcome: &FileOutcome) -> Value {
    let failed = outcome
        .failed
        .iter()
        .map(|(one, error)| json!({"change": change(one), "error": text_of(error)}));
    match &outcome.result {
        Ok(changes) => {
            json!({"file": outcome.file, "done": changes.iter().map(change).collect::<Vec<_>>(), "failed": failed.collect::<Vec<_>>()})
        }
        Err(error) => json!({"file": outcome.file, "error": text_of(error)}),
    }
}

fn applied_hook(outcome: &HookOutcome) -> Value {
    let mut value = json!({"client": outcome.client.to_string(), "file": outcome.file});
    if let Err(error) = &outcome.result {
        value["error"] = text_of(error).into();
    }
    value
}

fn name(change: &Change) -> String {
    format!("{} ({}, {})", plain(&change.name), change.client, change.scope)
}

fn hook_line(file: &HookFile) -> String {
    let why = file.why.map_or_else(String::new, |why| format!(", {why}"));
    format!("{} ({}{why})", file.file.display(), file.client)
}

/// An error with its causes.
fn text_of(error: &(dyn std::error::Error + 'static)) -> String {
    Failure::of(Exit::Failed, error).reason()
}

fn complain(text: &str) {
    terminal::complain(&format!("error: {}\n", plain(text)));
}
