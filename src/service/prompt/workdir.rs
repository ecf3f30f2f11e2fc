//! Which directories a prompt may name.

use std::path::{Component, Path, PathBuf};

use crate::config;
use crate::model::{Error, Kind, Result};

/// What the operator allows.
pub(super) struct Workdirs {
    allowed: Vec<PathBuf>,
    blocked: Vec<PathBuf>,
}

// === impl Workdirs ===

impl Workdirs {
    pub(super) fn new(settings: &config::Prompt) -> Self {
        let paths = |texts: &[String]| texts.iter().map(PathBuf::from).collect();
        Self { allowed: paths(&settings.allowed_workdir_prefixes), blocked: paths(&settings.blocked_workdir_prefixes) }
    }

    /// # Errors
    /// If it is no path from the root, or lies where it may not.
    pub(super) fn check(&self, workdir: &str) -> Result<()> {
        let path = Path::new(workdir);
        let plain = path.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
        if !path.is_absolute() || !plain || workdir.contains('\0') {
            return Err(Error::invalid("workdir", "workdir must be an absolute path without `..`"));
        }
        let below = |prefixes: &[PathBuf]| prefixes.iter().any(|prefix| path.starts_with(prefix));
        if below(&self.blocked) || !self.allowed.is_empty() && !below(&self.allowed) {
            let cure =
                "the operator can allow it in prompt.allowed_workdir_prefixes and prompt.blocked_workdir_prefixes";
            let what = format!("workdir {workdir} is not allowed; {cure}");
            return Err(Error::caller(Kind::Forbidden, what).with_param("workdir"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(allowed: &[&str], workdir: &str) -> bool {
        let allowed_workdir_prefixes = allowed.iter().map(|path| (*path).to_owned()).collect();
        let settings = config::Prompt { allowed_workdir_prefixes, ..config::Prompt::default() };
        Workdirs::new(&settings).check(workdir).is_ok()
    }

    #[test]
    fn what_is_the_systems_is_blocked_and_what_only_begins_like_it_is_not() {
        for good in ["/home/me/project", "/srv", "/", "/etcetera", "/home/etc", "/usr/local/lib"] {
            assert!(allows(&[], good), "{good}");
        }
        for bad in ["", ".", "work", "./x", "/home/../etc", "/..", "/etc", "/etc/", "//etc/ssh", "/usr/lib/x", "/a\0b"]
        {
            assert!(!allows(&[], bad), "{bad}");
        }
    }

    #[test]
    fn where_some_are_allowed_others_are_not() {
        for good in ["/srv/work", "/srv/work/a/b"] {
            assert!(allows(&["/srv/work", "/etc"], good), "{good}");
        }
        for bad in ["/srv", "/srv/workshop", "/home/me", "/etc/x"] {
            assert!(!allows(&["/srv/work", "/etc"], bad), "{bad}");
        }
    }
}
