//! Programs that the operator allows, run in the workspace.
//!
//! A line of plain words is split as a shell would split it, and run without one: quotes and backslashes work, nothing is expanded. A
//! line with anything else in it (a pipe, a redirection, a variable, a pattern) is for a shell, which is used only where the operator
//! has granted `sh` by name.

mod line;
mod run;
#[cfg(test)]
mod tests;
mod toolbox;

mortise_sdk::tools!(toolbox::Terminal);
