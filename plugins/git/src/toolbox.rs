//! The tools and what is said of them.

use mortise_sdk::tool::{Tool, Toolbox};

use crate::config::Settings;
use crate::{commit, diff, log, status};

pub(crate) struct Git;

impl Toolbox for Git {
    type Settings = Settings;

    fn tools() -> Vec<Tool<Settings>> {
        let tools = vec![
            Tool::new("git_status", "Tells the branch and which files are changed, staged or untracked.", status::run)
                .title("Git: status")
                .returns::<status::Status>()
                .read_only(),
            Tool::new(
                "git_diff",
                "Shows what has changed, as a unified diff: the working tree by default, what is staged, or between two revisions.",
                diff::diff,
            )
            .title("Git: diff")
            .returns::<diff::Shown>()
            .read_only(),
            Tool::new("git_log", "Lists commits, the newest first.", log::run)
                .title("Git: log")
                .returns::<log::Log>()
                .read_only(),
            Tool::new(
                "git_show",
                "Shows a commit with its diff, or, as `REVISION:PATH`, a file as it was in a revision.",
                diff::show,
            )
            .title("Git: show")
            .returns::<diff::Shown>()
            .read_only(),
            Tool::new(
                "git_commit",
                "Commits changes: all of them by default, new and deleted files included, or only those of some paths, or only what \
                 is staged. Runs no hooks and signs nothing.",
                commit::run,
            )
            .title("Git: commit")
            .returns::<commit::Committed>(),
        ];
        tools.into_iter().map(|tool| tool.category("git")).collect()
    }
}
