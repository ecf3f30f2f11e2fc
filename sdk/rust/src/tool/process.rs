//! Programs that the operator allows by name, run in the session's workspace.
//!
//! There is no shell between: arguments reach the program as they are.

use crate::bindings::tool::mortise::plugin::process as host;

pub use host::{Command, Error, Finished};

#[cfg(target_family = "wasm")]
use host as imported;

#[cfg(not(target_family = "wasm"))]
use crate::testing::tool::process as imported;

/// Runs a program and waits for its end. That it ended badly is no error here: see [`Finished::code`].
pub fn run(command: &Command) -> Result<Finished, Error> {
    imported::run(command)
}

impl Command {
    /// A program with arguments, in the workspace's root, nothing on its standard input, and a minute to run.
    pub fn new<I, A>(program: impl Into<String>, arguments: I) -> Self
    where
        I: IntoIterator<Item = A>,
        A: Into<String>,
    {
        let arguments = arguments.into_iter().map(Into::into).collect();
        Self { program: program.into(), arguments, directory: None, stdin: Vec::new(), timeout_ms: 60_000 }
    }
}

impl Finished {
    /// Whether it ended as programs end that succeed.
    pub fn succeeded(&self) -> bool {
        self.code == Some(0)
    }

    /// What it wrote to its standard output, as text; what is no text is replaced.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.stdout)
    }

    /// What it wrote to its standard error stream.
    pub fn errors(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.stderr)
    }
}
