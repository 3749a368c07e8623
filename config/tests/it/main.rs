//! The clients' files: found, wrapped and restored, on home trees of three systems.

mod discovery;
mod install;
mod trees;
