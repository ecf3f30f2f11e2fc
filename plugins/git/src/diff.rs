//! `git_diff` and `git_show`.

use mortise_sdk::tool::{Call, Error, Reply};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::command::{Git, PLAIN_DIFF, paths, revision, shorten};
use crate::config::Settings;

const CONTEXT: u32 = 100;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Diff {
    /// Whether to show what is staged rather than what is not.
    staged: Option<bool>,
    /// A revision to compare with, or a range such as `main..topic`.
    from: Option<String>,
    /// The revision that `from` is compared with; the working tree by default.
    to: Option<String>,
    /// Only these files and directories.
    paths: Option<Vec<String>>,
    /// Only this file or directory, where it is one.
    #[serde(alias = "file_path")]
    #[schemars(extend("x-aliases" = ["file_path"]))]
    path: Option<String>,
    /// How many lines to show around each change, 3 by default.
    #[schemars(range(max = 100))]
    context: Option<u32>,
    /// Whether to show only how much has changed in each file.
    stat: Option<bool>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Show {
    /// The revision, `HEAD` by default, or `REVISION:PATH`.
    #[serde(alias = "commit", alias = "rev")]
    #[schemars(extend("x-aliases" = ["commit", "rev"]))]
    revision: Option<String>,
    /// Only these files and directories of the commit.
    paths: Option<Vec<String>>,
    /// Only this file or directory, where it is one.
    #[serde(alias = "file_path")]
    #[schemars(extend("x-aliases" = ["file_path"]))]
    path: Option<String>,
    /// Whether to show only how much has changed in each file.
    stat: Option<bool>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Shown {
    text: String,
    /// Whether it is longer than what is shown.
    truncated: bool,
}

pub(crate) fn diff(arguments: Diff, _: &Call<Settings>) -> Result<Reply, Error> {
    let context = format!("--unified={}", arguments.context.unwrap_or(3).min(CONTEXT));
    let mut words = vec!["diff"];
    words.extend(PLAIN_DIFF);
    words.push(&context);
    if arguments.staged == Some(true) {
        words.push("--cached");
    }
    if arguments.stat == Some(true) {
        words.push("--stat");
    }
    if arguments.from.is_none() && arguments.to.is_some() {
        return Err(Error::invalid("`to` needs a `from` to be compared with"));
    }
    for given in [&arguments.from, &arguments.to].into_iter().flatten() {
        words.push(revision(given)?);
    }
    show_with(&words, paths(arguments.paths, arguments.path)?, "there is no difference")
}

pub(crate) fn show(arguments: Show, _: &Call<Settings>) -> Result<Reply, Error> {
    let revision = revision(arguments.revision.as_deref().unwrap_or("HEAD"))?;
    let mut words = vec!["show"];
    words.extend(PLAIN_DIFF);
    words.push("--format=commit %H%nauthor %an <%ae>%ndate %aI%n%n%B");
    if arguments.stat == Some(true) {
        words.push("--stat");
    }
    words.push(revision);
    show_with(&words, paths(arguments.paths, arguments.path)?, "it is empty")
}

fn show_with(words: &[&str], given: Vec<String>, nothing: &str) -> Result<Reply, Error> {
    let words: Vec<&str> = words.iter().copied().chain(["--"]).chain(given.iter().map(String::as_str)).collect();
    let finished = Git::open()?.run(&words)?;
    let (text, truncated) = shorten(&finished);
    let reply = Reply::text(if text.is_empty() { nothing } else { &text });
    let reply = if truncated { reply.and_text("[there is more; name paths, or ask for stat]") } else { reply };
    Ok(reply.with(&Shown { text, truncated }))
}
