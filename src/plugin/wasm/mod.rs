//! The sandbox host: one wasmtime engine, components as plugins.
//!
//! What bounds a guest: linear memory and tables ([`limits`], asked at every growth), processor time of a call (the epoch
//! ticker of [`engine`] interrupts, [`state`] measures), bytes that a call may hand over (wasmtime's host-call fuel), words it
//! may log ([`import`]), instances alive at once (the pool of the engine), work at once ([`vitals`]).
//!
//! What bounds an instance's life: it serves one exchange at a time; afterwards it is dropped (`fresh`), or kept for the same
//! caller (`principal`) or for anybody (`warm`), unless it trapped, grew large or served long enough ([`pool`]). A trap
//! therefore costs one request.
//!
//! A tool's guest runs on a fiber of its own and may wait ([`tool`]); what it is granted of the world is in [`import`], and each
//! function there asks for the grant. What all versions have, whatever their world, is in [`vitals`].
//!
//! How a file becomes a version: [`stage`]; where files come from: [`watch`]; where compiled code is kept: [`cache`].

mod bindings;
mod cache;
mod convert;
mod engine;
mod import;
mod instance;
mod limits;
mod linked;
mod pool;
mod provider;
mod stage;
mod state;
mod tool;
mod vitals;
mod warm;
mod watch;

pub use cache::Code;
pub use engine::Sandbox;
pub use warm::{Warmed, warm};
pub use watch::Loader;
