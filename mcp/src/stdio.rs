//! A client's standard streams, whatever they are, as asynchronous readers and writers.

#[cfg(unix)]
mod unix;
#[cfg(not(unix))]
mod unpolled;

#[cfg(unix)]
pub use unix::{ErrorStream, Stream};
#[cfg(not(unix))]
pub use unpolled::{ErrorStream, Stream};
