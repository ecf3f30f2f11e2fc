//! The tool `glob`.

use std::ops::ControlFlow;

use mortise_sdk::tool::{Call, Error, NoSettings, Reply, Workspace};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::pattern::Pattern;
use crate::walk::Walk;

const RESULTS: usize = 200;
const MOST: usize = 5000;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    /// The pattern; `**` crosses directories.
    pattern: String,
    /// The directory to look in; the workspace's root by default.
    #[serde(alias = "file_path", alias = "directory")]
    #[schemars(extend("x-aliases" = ["file_path", "directory"]))]
    path: Option<String>,
    /// The most files to name, 200 by default.
    #[schemars(range(min = 1, max = 5000))]
    limit: Option<usize>,
    /// Whether files that .gitignore names are found too.
    include_ignored: Option<bool>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Found {
    files: Vec<String>,
    /// Whether there may be more.
    truncated: bool,
}

pub(crate) fn run(arguments: Arguments, _: &Call<NoSettings>) -> Result<Reply, Error> {
    let place = Workspace.resolve(arguments.path.as_deref().unwrap_or("."))?;
    // Within a directory, a pattern is meant from there.
    let pattern = match (arguments.pattern.contains('/'), place.is_root()) {
        (true, false) if !arguments.pattern.starts_with("/workspace/") => {
            format!("{place}/{}", arguments.pattern.trim_start_matches("./"))
        }
        _ => arguments.pattern,
    };
    let pattern = Pattern::new(&pattern)?;
    let limit = arguments.limit.unwrap_or(RESULTS).clamp(1, MOST);
    let mut files = Vec::new();
    let mut walk = Walk::new(arguments.include_ignored == Some(true));
    let whole = walk.files(&place, &mut |file| {
        if pattern.fits(file.name()) {
            if files.len() == limit {
                return ControlFlow::Break(());
            }
            files.push(file.name().to_owned());
        }
        ControlFlow::Continue(())
    })?;
    let mut text = files.join("\n");
    if files.is_empty() {
        "no file matches".clone_into(&mut text);
    }
    if !whole {
        text.push_str(&format!("\n[there may be more than these {}; narrow the pattern or the path]", files.len()));
    }
    Ok(Reply::text(text).with(&Found { files, truncated: !whole }))
}
