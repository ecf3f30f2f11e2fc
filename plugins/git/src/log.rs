//! The tool `git_log`.

use mortise_sdk::tool::{Call, Error, Reply};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::command::{Git, paths, revision};
use crate::config::Settings;

const COMMITS: u32 = 20;
const MOST: u32 = 200;
/// The longest words to look for, in bytes.
const LONGEST: usize = 500;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    /// Where to begin, or a range such as `main..topic`; `HEAD` by default.
    #[serde(alias = "rev")]
    #[schemars(extend("x-aliases" = ["rev"]))]
    revision: Option<String>,
    /// How many commits, 20 by default.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
    /// How many commits to leave out before.
    skip: Option<u32>,
    /// Only commits that touch these files and directories.
    paths: Option<Vec<String>>,
    /// Only this file or directory, where it is one.
    #[serde(alias = "file_path")]
    #[schemars(extend("x-aliases" = ["file_path"]))]
    path: Option<String>,
    /// Only commits whose author's name or address contains this.
    author: Option<String>,
    /// Only commits whose message contains this.
    message: Option<String>,
    /// Only commits after this time, such as `2026-01-31` or `2 weeks ago`.
    since: Option<String>,
    /// Only commits before this time.
    until: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Log {
    commits: Vec<Commit>,
}

#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
struct Commit {
    id: String,
    author: String,
    email: String,
    date: String,
    parents: Vec<String>,
    subject: String,
    body: String,
}

pub(crate) fn run(arguments: Arguments, _: &Call<Settings>) -> Result<Reply, Error> {
    let mut words = vec![
        "log".to_owned(),
        "-z".to_owned(),
        "--no-color".to_owned(),
        "--no-show-signature".to_owned(),
        "--fixed-strings".to_owned(),
        "--regexp-ignore-case".to_owned(),
        "--format=%H%x1f%an%x1f%ae%x1f%aI%x1f%P%x1f%s%x1f%b".to_owned(),
        format!("--max-count={}", arguments.limit.unwrap_or(COMMITS).clamp(1, MOST)),
    ];
    if let Some(skip) = arguments.skip {
        words.push(format!("--skip={skip}"));
    }
    let filters = [
        ("author", &arguments.author),
        ("grep", &arguments.message),
        ("since", &arguments.since),
        ("until", &arguments.until),
    ];
    for (option, value) in filters {
        let Some(value) = value else { continue };
        if value.len() > LONGEST || value.chars().any(char::is_control) {
            return Err(Error::invalid(format!("`{option}` is too long, or holds control characters")));
        }
        words.push(format!("--{option}={value}"));
    }
    words.push(revision(arguments.revision.as_deref().unwrap_or("HEAD"))?.to_owned());
    words.push("--".to_owned());
    words.extend(paths(arguments.paths, arguments.path)?);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let finished = Git::open()?.run(&words)?;
    let log = Log { commits: parse(&finished.text()) };
    let mut text = String::new();
    for commit in &log.commits {
        let id = commit.id.get(..12).unwrap_or(&commit.id);
        text.push_str(&format!("{id} {} {}: {}\n", commit.date, commit.author, commit.subject));
    }
    if log.commits.is_empty() {
        "no commit".clone_into(&mut text);
    }
    Ok(Reply::text(text).with(&log))
}

fn parse(text: &str) -> Vec<Commit> {
    let commit = |entry: &str| {
        let mut fields = entry.splitn(7, '\u{1f}').map(str::to_owned);
        Some(Commit {
            id: fields.next().filter(|id| !id.is_empty())?,
            author: fields.next()?,
            email: fields.next()?,
            date: fields.next()?,
            parents: fields.next()?.split(' ').filter(|id| !id.is_empty()).map(str::to_owned).collect(),
            subject: fields.next()?,
            body: fields.next()?.trim_end().to_owned(),
        })
    };
    text.split('\0').filter_map(commit).collect()
}
