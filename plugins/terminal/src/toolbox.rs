//! The tool and what is said of it.

use mortise_sdk::tool::{NoSettings, Tool, Toolbox};

use crate::run;

pub(crate) struct Terminal;

impl Toolbox for Terminal {
    type Settings = NoSettings;

    fn tools() -> Vec<Tool<NoSettings>> {
        vec![
            Tool::new(
                "terminal",
                "Runs a command in the workspace and answers with its output and exit code. Only programs that the operator allows \
                 run; pipes, redirections and other shell syntax work only where a shell is allowed. Nothing can be typed in \
                 afterwards: no interactive programs.",
                run::run,
            )
            .title("Run a command")
            .category("shell")
            .returns::<run::Outcome>()
            .destructive()
            .open_world(),
        ]
    }
}
