//! The `defenter` program.
fn main() {}
