//! One wrapped server: its lifecycle, its actor, and what is kept of its standard error.

mod actor;
pub(crate) mod lifecycle;
mod stderr;

pub(crate) use actor::{Arguments, Server, ServerMsg};
pub(crate) use stderr::StderrTail;
