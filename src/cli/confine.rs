//! `mortise confine`: the server starts it in order to start a program; see [`crate::plugin::process`].

use std::process::ExitCode;

use clap::Args;

use crate::plugin::process::launch::{self, Stage};

#[derive(Debug, Args)]
pub(super) struct ConfineFlags {
    /// The stage within the namespaces, if there are some.
    #[arg(long, value_name = "yes|no")]
    inner: Option<String>,
    /// Why there are none.
    #[arg(long, default_value = "")]
    why: String,
    /// The stage that becomes the program, and what bounds it.
    #[arg(long)]
    limits: Option<String>,
    /// The program, and what it is told.
    #[arg(last = true)]
    command: Vec<String>,
}

pub(super) fn run(flags: ConfineFlags) -> ExitCode {
    let stage = match (flags.limits, flags.inner) {
        (Some(limits), _) => Stage::Last { limits, command: flags.command },
        (None, Some(apart)) => Stage::Inner { apart: apart == "yes", why: flags.why },
        (None, None) => Stage::Outer,
    };
    ExitCode::from(u8::try_from(launch::run(stage)).unwrap_or(u8::MAX))
}
