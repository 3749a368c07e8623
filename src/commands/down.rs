//! `defenter down`: stops the supervisor in good order.

use defenter_mcp::local::Request;

use crate::{Exit, Outcome, control, here};

pub(crate) fn run() -> Outcome {
    let house = here::house(Vec::new())?;
    control::ask::<()>(&house.paths, &Request::Stop)?;
    Ok(Exit::Done)
}
