//! Finding text and files in the workspace.
//!
//! Both tools walk the same way: sorted, never through links, not into `.git`, and not into what a `.gitignore` names unless
//! asked. Regular expressions match in time linear to the text, so none can be a trap; files that are binary or larger than 4 MiB
//! are skipped, and counted, so that nobody takes silence for absence.

mod glob;
mod grep;
mod ignore;
mod pattern;
#[cfg(test)]
mod tests;
mod toolbox;
mod walk;

mortise_sdk::tools!(toolbox::Search);
