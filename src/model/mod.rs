//! The vocabulary that everything above shares: pure values, no input or output, no clock, no async.

pub mod account;
pub mod caller;
pub mod chat;
pub mod error;
pub mod id;
pub mod plugin;
pub mod provider;
pub mod run;
pub mod session;
pub mod tool;
pub mod trace;

pub use error::{Error, Fault, Kind, Result};
