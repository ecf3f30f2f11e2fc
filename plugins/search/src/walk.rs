//! Walking the workspace.

use std::fs;
use std::ops::ControlFlow;

use mortise_sdk::tool::{Error, Place, Workspace};

use crate::ignore::Ignore;

/// The most files and directories that are looked at.
const ENTRIES: usize = 100_000;
const DEEPEST: usize = 64;

/// A walk and what came of it.
pub(crate) struct Walk {
    /// Whether what `.gitignore` names is walked too.
    everything: bool,
    ignore: Ignore,
    entries: usize,
}

impl Walk {
    pub(crate) fn new(everything: bool) -> Self {
        Self { everything, ignore: Ignore::default(), entries: 0 }
    }

    /// Shows every file in `place`, or `place` itself where it is one, in order, until told to stop. True: that was all.
    pub(crate) fn files(
        &mut self,
        place: &Place,
        each: &mut dyn FnMut(&Place) -> ControlFlow<()>,
    ) -> Result<bool, Error> {
        let metadata = fs::metadata(place.path()).map_err(|error| Error::io(&format!("search `{place}`"), &error))?;
        if !metadata.is_dir() {
            return Ok(each(place).is_continue());
        }
        // The rules of the directories above count too.
        let mut above = Workspace.root();
        for part in place.name().split('/').filter(|part| *part != ".") {
            self.ignore.enter(&above);
            above = above.join(part);
        }
        Ok(self.directory(place, 0, each).is_continue())
    }

    fn directory(
        &mut self,
        place: &Place,
        depth: usize,
        each: &mut dyn FnMut(&Place) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        // What can't be read is passed over, as by every program of this kind.
        let Ok(entries) = fs::read_dir(place.path()) else { return ControlFlow::Continue(()) };
        let mut found: Vec<(String, fs::FileType)> = entries
            .filter_map(Result::ok)
            .filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.file_type().ok()?)))
            .collect();
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        let level = self.ignore.enter(place);
        for (name, kind) in found {
            self.entries += 1;
            if self.entries > ENTRIES {
                return ControlFlow::Break(());
            }
            let inner = place.join(&name);
            let passed = name == ".git" || !self.everything && self.ignore.ignores(inner.name(), kind.is_dir());
            if passed {
                continue;
            }
            if kind.is_file() {
                each(&inner)?;
            } else if kind.is_dir() && depth < DEEPEST {
                self.directory(&inner, depth + 1, each)?;
            }
        }
        self.ignore.leave(level);
        ControlFlow::Continue(())
    }
}
