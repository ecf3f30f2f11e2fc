//! The program: parse, do, exit code.

use std::process::ExitCode;

use clap::Parser;
use mortise::cli::Cli;

/// Many small allocations on many threads are what a gateway does, and what the system's allocator is slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    Cli::parse().run()
}
