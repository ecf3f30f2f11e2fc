//! The tool `git_status`.

use mortise_sdk::tool::{Call, Error, Reply};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::command::Git;
use crate::config::Settings;

/// The most files that are named.
const FILES: usize = 1000;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {}

#[derive(Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Status {
    /// Absent where no branch is checked out.
    branch: Option<String>,
    /// Absent before the first commit.
    commit: Option<String>,
    upstream: Option<String>,
    /// Commits that the upstream branch lacks, and that it has more.
    ahead: Option<u32>,
    behind: Option<u32>,
    files: Vec<File>,
    /// Whether there are more files than are named.
    truncated: bool,
}

#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
struct File {
    path: String,
    /// What is staged.
    staged: Option<Change>,
    /// What is changed and not staged.
    unstaged: Option<Change>,
    /// Where it was before, if it was moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    moved_from: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Change {
    Modified,
    Added,
    Deleted,
    Renamed,
    Copied,
    Retyped,
    Conflicted,
    Untracked,
}

pub(crate) fn run(_: Arguments, _: &Call<Settings>) -> Result<Reply, Error> {
    let git = Git::open()?;
    let arguments =
        ["status", "--porcelain=v2", "--branch", "-z", "--untracked-files=all", "--ignore-submodules=dirty"];
    let finished = git.run(&arguments)?;
    let mut status = parse(&finished.text());
    status.truncated |= finished.truncated;
    Ok(Reply::text(told(&status)).with(&status))
}

fn parse(text: &str) -> Status {
    let mut status = Status::default();
    let mut entries = text.split('\0');
    while let Some(entry) = entries.next() {
        let (kind, rest) = entry.split_once(' ').unwrap_or((entry, ""));
        let file = match kind {
            "#" => {
                header(&mut status, rest);
                continue;
            }
            // Two letters, then so many fields, then the path.
            "1" => tracked(rest, 7, None),
            "2" => tracked(rest, 8, entries.next()),
            "u" => rest.splitn(10, ' ').nth(9).map(|path| file(path, None, Some(Change::Conflicted))),
            "?" => Some(file(rest, None, Some(Change::Untracked))),
            _ => None,
        };
        match file {
            Some(file) if status.files.len() < FILES => status.files.push(file),
            Some(_) => status.truncated = true,
            None => {}
        }
    }
    status
}

fn header(status: &mut Status, rest: &str) {
    let Some((name, value)) = rest.split_once(' ') else { return };
    match name {
        "branch.oid" if value != "(initial)" => status.commit = Some(value.to_owned()),
        "branch.head" if value != "(detached)" => status.branch = Some(value.to_owned()),
        "branch.upstream" => status.upstream = Some(value.to_owned()),
        "branch.ab" => {
            let mut numbers = value.split(' ').map(|number| number.trim_start_matches(['+', '-']).parse().ok());
            (status.ahead, status.behind) = (numbers.next().flatten(), numbers.next().flatten());
        }
        _ => {}
    }
}

fn tracked(rest: &str, fields: usize, from: Option<&str>) -> Option<File> {
    let mut letters = rest.chars();
    let (staged, unstaged) = (letters.next()?, letters.next()?);
    let path = rest.splitn(fields + 1, ' ').nth(fields)?;
    Some(File { moved_from: from.map(str::to_owned), ..file(path, change(staged), change(unstaged)) })
}

fn file(path: &str, staged: Option<Change>, unstaged: Option<Change>) -> File {
    File { path: path.to_owned(), staged, unstaged, moved_from: None }
}

fn change(letter: char) -> Option<Change> {
    match letter {
        'M' => Some(Change::Modified),
        'A' => Some(Change::Added),
        'D' => Some(Change::Deleted),
        'R' => Some(Change::Renamed),
        'C' => Some(Change::Copied),
        'T' => Some(Change::Retyped),
        'U' => Some(Change::Conflicted),
        _ => None,
    }
}

fn told(status: &Status) -> String {
    let mut text = match &status.branch {
        Some(branch) => format!("on branch {branch}"),
        None => "on no branch".to_owned(),
    };
    if let (Some(upstream), Some(ahead), Some(behind)) = (&status.upstream, status.ahead, status.behind) {
        text.push_str(&format!(", {ahead} ahead of {upstream} and {behind} behind"));
    }
    text.push('\n');
    if status.files.is_empty() {
        text.push_str("nothing has changed");
    }
    for file in &status.files {
        let word = |change: Option<Change>, what: &str| change.map(|change| format!("{change:?}{what}").to_lowercase());
        let words: Vec<String> =
            [word(file.staged, " (staged)"), word(file.unstaged, "")].into_iter().flatten().collect();
        let from = file.moved_from.as_ref().map(|from| format!(" (from {from})")).unwrap_or_default();
        text.push_str(&format!("{}: {}{from}\n", words.join(", "), file.path));
    }
    if status.truncated {
        text.push_str("[there are more]");
    }
    text
}
