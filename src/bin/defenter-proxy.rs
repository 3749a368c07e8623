//! `defenter proxy` under the name that configs written for Defenter 0.0.96 use.

use std::process::ExitCode;

fn main() -> ExitCode {
    defenter::run_proxy(std::env::args_os())
}
