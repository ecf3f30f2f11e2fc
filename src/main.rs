//! The program: parse, do, exit code.

use std::process::ExitCode;

use clap::Parser;
use mortise::cli::Cli;

fn main() -> ExitCode {
    Cli::parse().run()
}
