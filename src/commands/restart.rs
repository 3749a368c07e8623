//! `defenter restart`: starts a server anew, or takes it out of quarantine.

use defenter_mcp::local::Request;

use crate::{Exit, Outcome, control, failure::Failure, here};

pub(crate) fn run(name: &str) -> Outcome {
    let house = here::house(Vec::new())?;
    let count: usize = control::ask(&house.paths, &Request::Restart { name: name.to_owned() })?;
    if count == 0 {
        return Err(Failure::new(Exit::Failed, format!("no server is called `{name}`"))
            .hint("`defenter status` lists them"));
    }
    Ok(Exit::Done)
}
