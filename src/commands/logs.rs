//! `defenter logs`: the last lines that a server wrote to its standard error.

use defenter_actors::status::LogsView;
use defenter_mcp::local::Request;

use crate::{Exit, Outcome, control, failure::Failure, here, terminal};

pub(crate) fn run(name: &str, json: bool) -> Outcome {
    let house = here::house(Vec::new())?;
    let logs: Vec<LogsView> = control::ask(&house.paths, &Request::Logs { name: name.to_owned() })?;
    if logs.is_empty() {
        return Err(Failure::new(Exit::Failed, format!("no server is called `{name}`"))
            .hint("`defenter status` lists them"));
    }
    for view in &logs {
        if json {
            terminal::say_json(view)?;
            continue;
        }
        if logs.len() > 1 {
            terminal::say(&format!("== {} ({})\n", view.server.name, view.server.client))?;
        }
        for line in view.stderr.lines() {
            terminal::say(&format!("{}\n", terminal::plain(line)))?;
        }
    }
    Ok(Exit::Done)
}
