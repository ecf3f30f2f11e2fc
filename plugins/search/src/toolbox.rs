//! The tools and what is said of them.

use mortise_sdk::tool::{NoSettings, Tool, Toolbox};

use crate::{glob, grep};

pub(crate) struct Search;

impl Toolbox for Search {
    type Settings = NoSettings;

    fn tools() -> Vec<Tool<NoSettings>> {
        vec![
            Tool::new(
                "grep",
                "Searches the files of the workspace for lines that match a regular expression (RE2-like syntax: no look-around, no \
                 back-references). Skips binary files, .git and what .gitignore names.",
                grep::run,
            )
            .title("Search in files")
            .category("search")
            .returns::<grep::Found>()
            .read_only(),
            Tool::new(
                "glob",
                "Finds files of the workspace by their path, such as `**/*.rs` or `src/**/test_*.{py,txt}`. A pattern without `/` \
                 is for names in any directory.",
                glob::run,
            )
            .title("Find files")
            .category("search")
            .returns::<glob::Found>()
            .read_only(),
        ]
    }
}
