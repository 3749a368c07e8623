//! `defenter install`: makes the servers of this machine's MCP clients run through Defenter, and with
//! `--hooks` its clients ask Defenter before their agent acts.

use defenter_config::{
    clients::{self, ClientId},
    install::{Wrapper, plan_install},
};

use super::changes::{Hooks, Place};
use crate::{
    Exit, Outcome,
    cli::InstallArgs,
    failure::{Failure, OrFail},
    here,
};

pub(crate) fn run(args: &InstallArgs) -> Outcome {
    let place = Place::new(&args.change)?;
    let wrapper = wrapper()?;
    let servers = plan_install(&place.discovery, &place.choice, &wrapper, &place.journal);
    let hooks = if args.hooks { Hooks::Write } else { Hooks::Keep };
    place.carry_out(&args.change, servers.or_fail(Exit::Failed)?, hooks)
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

/// The client of that id.
pub(super) fn client(id: &str) -> Result<ClientId, Failure> {
    let found = clients::by_id(id).map(|client| client.id);
    found.ok_or_else(|| {
        let known: Vec<String> = clients::all().map(|client| client.id.to_string()).collect();
        Failure::new(Exit::Usage, format!("no client is called `{id}`"))
            .hint(format!("known clients: {}", known.join(", ")))
    })
}
