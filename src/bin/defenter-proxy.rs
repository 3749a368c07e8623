//! The `defenter-proxy` program: `defenter proxy` under the name that 0.0.96 used.
fn main() {}
