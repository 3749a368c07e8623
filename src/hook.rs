//! The hooks of AI clients, as a protocol: what a client tells before and after its agent acts, and
//! how it wants to be answered.
//!
//! Owns: the dialects. Accepts: one JSON object, and what the hook's command line says.
//! Emits: [`Heard`], the operation in it, and the answer in the words of the client.
//! Promises: pure; the dialect is told from the object, since several clients run each other's hooks;
//! what is not understood is denied, what only tells is allowed.
//!
//! Facts are from the clients' documentation and from runs with Claude Code 2.1.330, Codex
//! 0.169.0, Gemini CLI 0.61.0, Qwen Code 0.24.4 and Copilot CLI 1.0.102.

mod answer;
mod arguments;
mod destroys;
mod dialect;
mod event;
mod heard;
mod input;
mod tools;

pub(crate) use answer::{Said, answer};
pub(crate) use dialect::{Dialect, Hint};
pub(crate) use event::Stage;
pub(crate) use heard::{Heard, HookError, Operation};
pub(crate) use input::read;
