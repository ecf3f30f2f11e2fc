//! A git repository in the workspace: what has changed, what was changed, and committing it.
//!
//! A repository is data that anybody may have written, its configuration and its hooks too. So nothing of it may run a program or
//! reach the network: see [`command`]. Only the repository at the root of the workspace counts, never one around it.

mod command;
mod commit;
mod config;
mod diff;
mod log;
mod status;
#[cfg(test)]
mod tests;
mod toolbox;

mortise_sdk::tools!(toolbox::Git);
