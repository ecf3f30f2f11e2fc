//! The tool `git_commit`.

use mortise_sdk::tool::{Call, Error, Reply};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::command::{Git, PLAIN_DIFF, paths, shorten};
use crate::config::Settings;

/// The longest message, in bytes.
const LONGEST: usize = 64 << 10;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    /// What changes and why: a short first line, then an empty one, then more if need be.
    message: String,
    /// Only these files and directories; all changes by default.
    paths: Option<Vec<String>>,
    /// Only this file or directory, where it is one.
    #[serde(alias = "file_path")]
    #[schemars(extend("x-aliases" = ["file_path"]))]
    path: Option<String>,
    /// Whether to commit what is staged, and nothing else.
    staged_only: Option<bool>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Committed {
    id: String,
    /// How much has changed in each file.
    summary: String,
}

pub(crate) fn run(arguments: Arguments, call: &Call<Settings>) -> Result<Reply, Error> {
    let message = arguments.message.trim();
    if message.is_empty() || message.len() > LONGEST || message.contains('\0') {
        return Err(Error::invalid(format!("a message has 1 to {LONGEST} bytes, none of them NUL")));
    }
    let paths = paths(arguments.paths, arguments.path)?;
    let staged_only = arguments.staged_only == Some(true);
    if staged_only && !paths.is_empty() {
        return Err(Error::invalid("give either paths or staged_only"));
    }
    let git = Git::open()?;
    if !staged_only {
        let all = [".".to_owned()];
        let what = if paths.is_empty() { all.as_slice() } else { &paths };
        git.run(&[&["add", "--all", "--"], words(what).as_slice()].concat())?;
    }
    let author = git.author(&call.settings);
    let mut commit = words(&author);
    commit.extend(["commit", "--no-verify", "--no-gpg-sign", "--cleanup=whitespace", "--file=-"]);
    if !paths.is_empty() {
        commit.extend(["--only", "--"]);
        commit.extend(words(&paths));
    }
    git.run_with(&commit, message.as_bytes())?;
    let shown = git.run(&[&["show", "--format=%H", "--stat"], PLAIN_DIFF.as_slice(), &["HEAD", "--"]].concat())?;
    let (text, _) = shorten(&shown);
    let (id, summary) = text.split_once('\n').unwrap_or((&text, ""));
    let committed = Committed { id: id.to_owned(), summary: summary.trim_matches('\n').to_owned() };
    Ok(Reply::text(format!("committed {id}\n{}", committed.summary)).with(&committed))
}

fn words(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}
