//! Prints the schema of the facts: `cargo run -p defenter-policy --example schema`.

use std::io::{self, Write as _};

fn main() -> io::Result<()> {
    io::stdout().write_all(defenter_policy::PolicySet::schema().as_bytes())
}
