//! `defenter install`: makes the servers of this machine's MCP clients run through Defenter.

use std::io::{BufRead, IsTerminal, Write};

use defenter_config::{
    clients::{self, ClientId, Discovery},
    install::{
        self, Action, Change, Choice, Journal, NoCheckpoint, Outcome as FileOutcome, Plan,
        SystemPatience, Wrapper, plan_install,
    },
};
use serde_json::json;

use crate::{
    Exit, Outcome,
    cli::InstallArgs,
    failure::{Failure, OrFail},
    here,
    mask::Mask,
    terminal::{self, plain},
};

pub(crate) fn run(args: &InstallArgs) -> Outcome {
    if args.hooks {
        return super::hooks::install(args);
    }
    let work = Work::new(args)?;
    let wrapper = wrapper()?;
    let plan = plan_install(&work.discovery, &work.choice, &wrapper, &work.journal);
    work.carry_out(args, &plan.or_fail(Exit::Failed)?)
}

/// How this program is written into entries.
pub(crate) fn wrapper() -> Result<Wrapper, Failure> {
    let program = here::program()?;
    let text = program.to_str().ok_or_else(|| {
        let message = format!("the path {} is not text", program.display());
        Failure::new(Exit::Failed, message).hint("install Defenter elsewhere")
    })?;
    Ok(Wrapper { program: text.to_owned(), portable: "defenter".to_owned() })
}

/// What `install` and `uninstall` have in common.
pub(super) struct Work {
    pub(super) discovery: Discovery,
    pub(super) choice: Choice,
    pub(super) journal: Journal,
}

impl Work {
    pub(super) fn new(args: &InstallArgs) -> Result<Self, Failure> {
        let house = here::house(Vec::new())?;
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
            },
            journal: Journal::new(house.paths.install_journal()),
        })
    }

    pub(super) fn carry_out(&self, args: &InstallArgs, plan: &Plan) -> Outcome {
        for problem in &self.discovery.problems {
            terminal::complain(&format!(
                "warning: {} is left alone: {}\n",
                problem.path.display(),
                plain(&problem.message)
            ));
        }
        if plan.is_empty() {
            if args.json {
                report_json(plan, &[])?;
            } else {
                explain_nothing(plan)?;
            }
            return Ok(Exit::NothingToDo);
        }
        if args.dry_run {
            return show(args, plan);
        }
        if !args.yes && !agreed(plan)? {
            return Err(Failure::new(Exit::Refused, "nothing was changed"));
        }
        let outcomes = install::apply(plan, &self.journal, &SystemPatience, &mut NoCheckpoint);
        let outcomes = outcomes.or_fail(Exit::Failed)?;
        if args.json {
            report_json(plan, &outcomes)?;
        } else {
            report(plan, &outcomes)?;
        }
        let whole = |outcome: &FileOutcome| outcome.result.is_ok() && outcome.failed.is_empty();
        Ok(if outcomes.iter().all(whole) { Exit::Done } else { Exit::Failed })
    }
}

/// The client of that id.
pub(super) fn client(id: &str) -> Result<ClientId, Failure> {
    let found = clients::by_id(id).map(|client| client.id);
    found.ok_or_else(|| {
        let known: Vec<String> = clients::all().map(|client| client.id.to_string()).collect();
        Failure::new(Exit::Usage, format!("no client is called `{id}`"))
            .hint(format!("known clients: {}", known.join(", ")))
    })
}

fn show(args: &InstallArgs, plan: &Plan) -> Outcome {
    if args.json {
        report_json(plan, &[])?;
        return Ok(Exit::Done);
    }
    let mask = Mask::new();
    for file in &plan.files {
        // A line of a config at a time, so that what a diff shows of a secret is its place only.
        terminal::say(&file.diff(|line| mask.line(line)))?;
    }
    Ok(Exit::Done)
}

fn verb(plan: &Plan) -> &'static str {
    match plan.action {
        Action::Install => "run through Defenter",
        Action::Uninstall => "be given back",
    }
}

fn agreed(plan: &Plan) -> Result<bool, Failure> {
    let input = std::io::stdin();
    if !input.is_terminal() {
        return Err(Failure::new(Exit::Usage, "somebody has to agree to the changes")
            .hint("`--dry-run` shows them, `--yes` agrees"));
    }
    let mut text = format!("These servers will {}:\n", verb(plan));
    for file in &plan.files {
        text.push_str(&format!("  {}\n", file.file.display()));
        for change in &file.changes {
            text.push_str(&format!("    {}\n", name(change)));
        }
    }
    terminal::say(&format!("{text}Go on? [y/N] "))?;
    let _ = std::io::stdout().flush();
    let mut answer = String::new();
    input.lock().read_line(&mut answer).or_fail(Exit::Failed)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn name(change: &Change) -> String {
    format!("{} ({}, {})", plain(&change.name), change.client, change.scope)
}

fn explain_nothing(plan: &Plan) -> Result<(), Failure> {
    terminal::say("nothing to do\n")?;
    for skipped in &plan.skipped {
        terminal::say(&skipped_line(skipped))?;
    }
    Ok(())
}

fn skipped_line(skipped: &install::Skipped) -> String {
    format!(
        "  left alone: {} ({}): {}\n",
        plain(&skipped.name),
        skipped.client,
        plain(&skipped.reason)
    )
}

fn report(plan: &Plan, outcomes: &[FileOutcome]) -> Result<(), Failure> {
    for outcome in outcomes {
        match &outcome.result {
            Ok(changes) => {
                terminal::say(&format!("{}\n", outcome.file.display()))?;
                for change in changes {
                    terminal::say(&format!("  done: {}\n", name(change)))?;
                }
            }
            Err(error) => terminal::complain(&format!("error: {}\n", plain(&error.to_string()))),
        }
        for (change, error) in &outcome.failed {
            terminal::complain(&format!(
                "error: {}: {}\n",
                name(change),
                plain(&error.to_string())
            ));
        }
    }
    for skipped in &plan.skipped {
        terminal::say(&skipped_line(skipped))?;
    }
    for note in &plan.by_hand {
        terminal::say(&format!("to do by hand: {}\n", plain(note)))?;
    }
    Ok(())
}

fn report_json(plan: &Plan, outcomes: &[FileOutcome]) -> Result<(), Failure> {
    let change = |change: &Change| json!({"client": change.client.to_string(), "scope": change.scope, "name": change.name});
    let planned = |file: &install::FilePlan| json!({"file": file.file, "changes": file.changes.iter().map(change).collect::<Vec<_>>()});
    let done = |outcome: &FileOutcome| match &outcome.result {
        Ok(changes) => {
            json!({"file": outcome.file, "done": changes.iter().map(change).collect::<Vec<_>>(), "failed": outcome.failed.iter().map(|(c, e)| json!({"change": change(c), "error": e.to_string()})).collect::<Vec<_>>()})
        }
        Err(error) => json!({"file": outcome.file, "error": error.to_string()}),
    };
    let skipped = |skipped: &install::Skipped| json!({"client": skipped.client.to_string(), "scope": skipped.scope, "name": skipped.name, "file": skipped.file, "reason": skipped.reason});
    terminal::say_json(&json!({
        "planned": plan.files.iter().map(planned).collect::<Vec<_>>(),
        "applied": outcomes.iter().map(done).collect::<Vec<_>>(),
        "skipped": plan.skipped.iter().map(skipped).collect::<Vec<_>>(),
        "by_hand": plan.by_hand,
    }))
}
