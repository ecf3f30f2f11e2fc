//! `apply_patch`: read first, then fitted to every file, and only then written.

mod apply;
mod envelope;
mod unified;

use std::collections::BTreeMap;
use std::fs;

use mortise_sdk::tool::{Call, Error, NoSettings, Place, Reply};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::file;
use crate::text::Text;
pub(crate) use apply::apply;

/// The largest patch, in bytes.
const LARGEST: usize = 4 << 20;
/// The most files of a patch.
const FILES: usize = 500;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    /// A unified diff, or a patch from `*** Begin Patch` to `*** End Patch`. Paths are relative to the workspace.
    #[serde(alias = "input", alias = "diff")]
    #[schemars(extend("x-aliases" = ["input", "diff"]))]
    patch: String,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Patched {
    files: Vec<Change>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Change {
    file_path: String,
    change: Kind,
    /// Where it was before, if it was moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    moved_from: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Added,
    Changed,
    Deleted,
}

/// What a patch does to one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FilePatch {
    pub(crate) path: String,
    pub(crate) action: Action,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Add(String),
    /// A unified diff says what was there.
    Delete(Vec<Hunk>),
    Update {
        hunks: Vec<Hunk>,
        move_to: Option<String>,
    },
}

/// A place that changes, with the lines around it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hunk {
    /// The line of the old file where it begins, counted from 1, where the patch tells.
    pub(crate) at: Option<usize>,
    /// Lines that stand somewhere before it, in this order.
    pub(crate) anchors: Vec<String>,
    pub(crate) lines: Vec<Line>,
    /// Whether its last line is the file's last.
    pub(crate) at_end: bool,
    /// Whether the old and the new text end without a line feed, where the patch tells.
    pub(crate) old_open: bool,
    pub(crate) new_open: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Keep(String),
    Remove(String),
    Insert(String),
}

/// What a file becomes: nothing, or a text.
type Outcome = Option<Text>;

/// Reads a patch of either form.
pub(crate) fn parse(patch: &str) -> Result<Vec<FilePatch>, String> {
    if patch.len() > LARGEST {
        return Err(format!("the patch has {} bytes, more than {LARGEST}", patch.len()));
    }
    let patch = patch.replace("\r\n", "\n");
    let lines: Vec<&str> = patch.lines().collect();
    let files = match lines.iter().position(|line| line.trim() == envelope::BEGIN) {
        Some(begin) => envelope::parse(lines.get(begin + 1..).unwrap_or_default()),
        None => unified::parse(&lines),
    }?;
    match files.len() {
        0 => Err("the patch changes no file; it must be a unified diff, or begin with `*** Begin Patch`".to_owned()),
        count if count > FILES => Err(format!("the patch changes {count} files, more than {FILES}")),
        _ => Ok(files),
    }
}

pub(crate) fn run(arguments: Arguments, _: &Call<NoSettings>) -> Result<Reply, Error> {
    let files = parse(&arguments.patch).map_err(Error::invalid)?;
    let mut plan = Plan::default();
    let mut changes = Vec::new();
    for patch in &files {
        changes.push(plan.add(patch)?);
    }
    plan.carry_out()?;
    let mut text = String::new();
    for change in &changes {
        let from = change.moved_from.as_ref().map(|from| format!(" (moved from {from})")).unwrap_or_default();
        let what = match change.change {
            Kind::Added => "added",
            Kind::Changed => "changed",
            Kind::Deleted => "deleted",
        };
        text.push_str(&format!("{what} {}{from}\n", change.file_path));
    }
    Ok(Reply::text(text).with(&Patched { files: changes }))
}

/// What is to be done, file by file, before anything is.
#[derive(Default)]
struct Plan {
    /// By place: what was there, as bytes, and what comes.
    outcomes: BTreeMap<Place, (Option<Vec<u8>>, Outcome)>,
}

impl Plan {
    fn add(&mut self, patch: &FilePatch) -> Result<Change, Error> {
        let place = file::place(&patch.path)?;
        let mut change = Change { file_path: place.name().to_owned(), change: Kind::Changed, moved_from: None };
        let misfit = |message| Error::failed(format!("nothing is changed: {place}: {message}"));
        match &patch.action {
            Action::Add(content) => {
                if self.there(&place)? {
                    return Err(misfit("the patch adds it, but there is such a file already".to_owned()));
                }
                self.put(&place, Some(Text::new(content.clone())))?;
                change.change = Kind::Added;
            }
            Action::Delete(hunks) => {
                if !hunks.is_empty() {
                    let left = apply(&self.text(&place)?.content, hunks).map_err(misfit)?;
                    if !left.is_empty() {
                        return Err(misfit("the patch deletes it, but doesn't remove all of its lines".to_owned()));
                    }
                } else if !self.there(&place)? {
                    return Err(Error::not_found(format!("nothing is changed: {place}: there is no such file")));
                }
                self.put(&place, None)?;
                change.change = Kind::Deleted;
            }
            Action::Update { hunks, move_to } => {
                let mut text = self.text(&place)?;
                text.content = apply(&text.content, hunks).map_err(misfit)?;
                match move_to {
                    None => self.put(&place, Some(text))?,
                    Some(target) => {
                        let target = file::place(target)?;
                        if target != place {
                            if self.there(&target)? {
                                return Err(misfit(format!(
                                    "it is moved to {target}, but there is such a file already"
                                )));
                            }
                            self.put(&place, None)?;
                            change.moved_from = Some(place.name().to_owned());
                        }
                        self.put(&target, Some(text))?;
                        target.name().clone_into(&mut change.file_path);
                    }
                }
            }
        }
        Ok(change)
    }

    fn there(&self, place: &Place) -> Result<bool, Error> {
        Ok(match self.outcomes.get(place) {
            Some((_, outcome)) => outcome.is_some(),
            None => file::exists(place),
        })
    }

    fn text(&self, place: &Place) -> Result<Text, Error> {
        match self.outcomes.get(place) {
            Some((_, Some(text))) => Ok(text.clone()),
            Some((_, None)) => {
                Err(Error::not_found(format!("nothing is changed: {place}: the patch has deleted it before")))
            }
            None => file::text(place)
                .map_err(|error| Error::new(error.kind, format!("nothing is changed: {}", error.message))),
        }
    }

    fn put(&mut self, place: &Place, outcome: Outcome) -> Result<(), Error> {
        if let Some((_, old)) = self.outcomes.get_mut(place) {
            *old = outcome;
        } else {
            let before = if file::exists(place) { Some(file::bytes(place)?) } else { None };
            self.outcomes.insert(place.clone(), (before, outcome));
        }
        Ok(())
    }

    /// Writes everything; where that fails half-way, puts back what was there.
    fn carry_out(&self) -> Result<(), Error> {
        let mut done: Vec<(&Place, &Option<Vec<u8>>)> = Vec::new();
        for (place, (before, outcome)) in &self.outcomes {
            let step = match (before, outcome) {
                (_, Some(text)) => file::make_parents(place).and_then(|()| file::save(place, &text.encode())),
                (Some(_), None) => {
                    fs::remove_file(place.path()).map_err(|error| Error::io(&format!("delete `{place}`"), &error))
                }
                (None, None) => Ok(()),
            };
            if let Err(error) = step {
                for (place, before) in done {
                    // The first error is the one to tell.
                    let _ = match before {
                        Some(bytes) => file::save(place, bytes),
                        None => fs::remove_file(place.path()).map_err(|error| Error::io("undo", &error)),
                    };
                }
                return Err(Error::new(error.kind, format!("nothing is changed: {}", error.message)));
            }
            done.push((place, before));
        }
        Ok(())
    }
}
