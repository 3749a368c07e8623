//! The `defenter` program; everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    defenter::run(std::env::args_os())
}
