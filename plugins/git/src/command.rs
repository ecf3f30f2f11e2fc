//! Running git so that the repository can run nothing.
//!
//! | of the repository's | what is done about it |
//! |---|---|
//! | hooks | `core.hooksPath` is `/dev/null` |
//! | file-system monitor, editor, pager, askpass, credential helper, signing | set to what does nothing |
//! | diff drivers (external, text conversion) | `--no-ext-diff`, `--no-textconv` |
//! | filters (clean, smudge, process) | each one that is configured is set to nothing |
//! | remotes, lazy fetching of partial clones | no protocol is allowed |
//! | submodules, whose configuration is their own | not looked into |
//! | a repository around the workspace | `--git-dir=.git` |
//!
//! Words of a caller are never options: revisions begin with no hyphen, paths stand behind `--` and are no patterns.

use mortise_sdk::tool::process::{self, Command, Finished};
use mortise_sdk::tool::{Error, Workspace};

use crate::config::Settings;

/// Before every command.
const FIRST: [&str; 5] =
    ["--no-pager", "--literal-pathspecs", "--no-optional-locks", "--git-dir=.git", "--work-tree=."];

const CONFIG: [&str; 26] = [
    "advice.addEmbeddedRepo=false",
    "color.ui=false",
    "commit.gpgSign=false",
    "core.askPass=",
    "core.attributesFile=/dev/null",
    "core.editor=false",
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.pager=cat",
    "core.quotePath=false",
    "core.sshCommand=false",
    "credential.helper=",
    "diff.ignoreSubmodules=dirty",
    "diff.submodule=short",
    "fetch.recurseSubmodules=false",
    "gc.auto=0",
    "gpg.program=false",
    "gpg.ssh.program=false",
    "gpg.x509.program=false",
    "log.showSignature=false",
    "maintenance.auto=false",
    "protocol.allow=never",
    "safe.bareRepository=explicit",
    "safe.directory=*",
    "status.submoduleSummary=false",
    "submodule.recurse=false",
];

/// The options of a diff that keep its drivers from running.
pub(crate) const PLAIN_DIFF: [&str; 4] = ["--no-ext-diff", "--no-textconv", "--no-color", "--ignore-submodules=dirty"];

/// The most of an answer that is shown, in bytes.
const SHOWN: usize = 200 << 10;
/// The most of git's own words that are passed on, in bytes.
const COMPLAINT: usize = 2000;
const PATHS: usize = 1000;
const LONGEST_REVISION: usize = 500;

/// Git in this workspace, its configuration known.
pub(crate) struct Git {
    /// What switches off this repository's own filters.
    filters: Vec<String>,
    names_its_user: bool,
}

impl Git {
    /// Looks at the configuration, which runs nothing.
    pub(crate) fn open() -> Result<Self, Error> {
        let mut git = Self { filters: Vec::new(), names_its_user: false };
        let found = git.raw(&["config", "-z", "--get-regexp", r"^(filter\..*|user\.(name|email))$"], b"")?;
        if !matches!(found.code, Some(0 | 1)) {
            return Err(complaint(&found));
        }
        let text = found.text();
        let (mut name, mut email) = (false, false);
        for entry in text.split('\0') {
            // The name of a filter may hold a line feed; the last part, and so the key's end, does not.
            let key = entry.split('\n').next().unwrap_or_default();
            match key {
                "" => {}
                "user.name" => name = true,
                "user.email" => email = true,
                filter => git.filters.extend(switched_off(filter)?),
            }
        }
        git.filters.sort();
        git.filters.dedup();
        git.names_its_user = name && email;
        Ok(git)
    }

    /// Runs a command that is expected to succeed.
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<Finished, Error> {
        self.run_with(arguments, b"")
    }

    /// The same, with something to read.
    pub(crate) fn run_with(&self, arguments: &[&str], stdin: &[u8]) -> Result<Finished, Error> {
        let finished = self.raw(arguments, stdin)?;
        if finished.succeeded() { Ok(finished) } else { Err(complaint(&finished)) }
    }

    /// Who commits, as configuration, where the repository doesn't say.
    pub(crate) fn author(&self, settings: &Settings) -> Vec<String> {
        if self.names_its_user {
            return Vec::new();
        }
        vec![
            "-c".to_owned(),
            format!("user.name={}", settings.author_name),
            "-c".to_owned(),
            format!("user.email={}", settings.author_email),
        ]
    }

    /// Runs git; only that it couldn't be run is an error.
    fn raw(&self, arguments: &[&str], stdin: &[u8]) -> Result<Finished, Error> {
        let config = CONFIG.into_iter().chain(self.filters.iter().map(String::as_str)).flat_map(|entry| ["-c", entry]);
        let all = FIRST.into_iter().chain(config).chain(arguments.iter().copied());
        let command = Command { stdin: stdin.to_vec(), ..Command::new("git", all) };
        process::run(&command).map_err(|error| match error {
            process::Error::Denied => Error::denied("the program `git` is not allowed"),
            process::Error::NotFound => Error::unavailable("git is not installed here"),
            process::Error::TimedOut => {
                Error::failed("git had not finished after a minute and was ended; ask for less at once")
            }
            process::Error::Unavailable => Error::unavailable("git can't be run now; try again later"),
        })
    }
}

/// What sets a filter of this repository to nothing.
fn switched_off(key: &str) -> Result<[String; 4], Error> {
    let name =
        key.strip_prefix("filter.").and_then(|rest| rest.rsplit_once('.')).map(|(name, _)| name).unwrap_or_default();
    if name.is_empty() || name.contains('=') || name.chars().any(char::is_control) {
        return Err(Error::denied(
            "the repository configures a filter whose name can't be said; remove it from .git/config",
        ));
    }
    Ok([
        format!("filter.{name}.clean="),
        format!("filter.{name}.smudge="),
        format!("filter.{name}.process="),
        format!("filter.{name}.required=false"),
    ])
}

fn complaint(finished: &Finished) -> Error {
    let said = if finished.stderr.is_empty() { finished.text() } else { finished.errors() };
    let said = said.trim();
    if said.contains("not a git repository") {
        return Error::not_found("the workspace is no git repository");
    }
    let said = said.strip_prefix("fatal: ").or_else(|| said.strip_prefix("error: ")).unwrap_or(said);
    let shown = said.get(..said.floor_char_boundary(COMPLAINT)).unwrap_or_default();
    Error::failed(format!("git says: {}", if shown.is_empty() { "nothing, but it failed" } else { shown }))
}

/// A revision or a range that is none of git's options.
pub(crate) fn revision(text: &str) -> Result<&str, Error> {
    let text = text.trim();
    let bad = |why: &str| Err(Error::invalid(format!("`{}` is no revision: {why}", text.escape_debug())));
    if text.is_empty() {
        return bad("it is empty");
    }
    if text.len() > LONGEST_REVISION {
        return Err(Error::invalid(format!("the revision has {} bytes, more than {LONGEST_REVISION}", text.len())));
    }
    if text.starts_with('-') {
        return bad("it begins with a hyphen");
    }
    if text.chars().any(char::is_control) {
        return bad("it holds control characters");
    }
    Ok(text)
}

/// Paths of the workspace, as git is told them.
pub(crate) fn paths(paths: Option<Vec<String>>, path: Option<String>) -> Result<Vec<String>, Error> {
    let paths: Vec<String> = paths.unwrap_or_default().into_iter().chain(path).collect();
    if paths.len() > PATHS {
        return Err(Error::invalid(format!("{} paths are more than {PATHS}; name a directory instead", paths.len())));
    }
    paths.iter().map(|path| Ok(Workspace.resolve(path)?.name().to_owned())).collect()
}

/// Text of an answer, cut where it is too long. True: it was.
pub(crate) fn shorten(finished: &Finished) -> (String, bool) {
    let text = finished.text();
    if text.len() <= SHOWN {
        return (text.into_owned(), finished.truncated);
    }
    let end = text
        .get(..SHOWN.min(text.floor_char_boundary(SHOWN)))
        .and_then(|shown| shown.rfind('\n'))
        .map_or(0, |end| end + 1);
    let end = if end == 0 { text.floor_char_boundary(SHOWN) } else { end };
    (text.get(..end).unwrap_or_default().to_owned(), true)
}
