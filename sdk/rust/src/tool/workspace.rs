//! The session's workspace: the only files that a tool sees.

use std::fmt;
use std::path::PathBuf;

use super::Error;

/// Where the host puts the workspace.
#[cfg(target_family = "wasm")]
const ROOT: &str = "/workspace";

/// The longest path that is taken, in bytes.
const LONGEST: usize = 4096;

/// The session's workspace.
///
/// The sandbox keeps a guest inside; resolving a path here is for a clear message, and so that one file has one name.
#[derive(Clone, Copy, Debug, Default)]
pub struct Workspace;

/// A file or directory of the workspace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// From the root of the workspace, with `/` between; empty for the root itself.
    name: String,
}

impl Workspace {
    /// The place that a caller's path names: relative to the workspace, or absolute beneath `/workspace`.
    pub fn resolve(self, path: &str) -> Result<Place, Error> {
        let out = || Error::denied(format!("`{path}` is outside of the workspace; give a path relative to its root"));
        if path.is_empty() {
            return Err(Error::invalid("the path is empty; `.` is the root of the workspace"));
        }
        if path.len() > LONGEST {
            return Err(Error::invalid(format!("the path has {} bytes, more than {LONGEST}", path.len())));
        }
        if path.chars().any(|c| c.is_control()) {
            return Err(Error::invalid("the path holds control characters"));
        }
        let inner = match path.strip_prefix('/') {
            None => path,
            Some(rest) => match rest.strip_prefix("workspace") {
                Some(inner) if inner.is_empty() || inner.starts_with('/') => inner,
                _ => return Err(out()),
            },
        };
        let mut parts: Vec<&str> = Vec::new();
        for part in inner.split('/') {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop().ok_or_else(out)?),
                part => parts.push(part),
            }
        }
        Ok(Place { name: parts.join("/") })
    }

    /// The root.
    pub fn root(self) -> Place {
        Place { name: String::new() }
    }
}

impl Place {
    /// Where it is for `std::fs`.
    pub fn path(&self) -> PathBuf {
        #[cfg(target_family = "wasm")]
        let root = PathBuf::from(ROOT);
        #[cfg(not(target_family = "wasm"))]
        let root = crate::testing::tool::workspace();
        if self.name.is_empty() { root } else { root.join(&self.name) }
    }

    /// From the root of the workspace; `.` for the root itself.
    pub fn name(&self) -> &str {
        if self.name.is_empty() { "." } else { &self.name }
    }

    /// Whether it is the workspace itself.
    pub fn is_root(&self) -> bool {
        self.name.is_empty()
    }

    /// A file or directory in this one.
    #[must_use]
    pub fn join(&self, name: &str) -> Self {
        let name = if self.name.is_empty() { name.to_owned() } else { format!("{}/{name}", self.name) };
        Self { name }
    }

    /// The directory that it lies in; none for the root.
    pub fn parent(&self) -> Option<Self> {
        if self.name.is_empty() {
            return None;
        }
        Some(Self { name: self.name.rsplit_once('/').map(|(parent, _)| parent.to_owned()).unwrap_or_default() })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tool::ErrorKind;

    #[test]
    fn one_file_has_one_name() {
        for (path, name) in [
            ("a.txt", "a.txt"),
            ("./a//b/../c", "a/c"),
            ("/workspace/a", "a"),
            ("/workspace", "."),
            (".", "."),
            ("a/..", "."),
            ("ä/…/.hidden", "ä/…/.hidden"),
        ] {
            assert_eq!(Workspace.resolve(path).unwrap().name(), name, "{path}");
        }
        assert_eq!(Workspace.resolve("a/b").unwrap().parent().unwrap().name(), "a");
        assert_eq!(Workspace.resolve("a").unwrap().parent().unwrap().name(), ".");
        assert_eq!(Workspace.root().parent(), None);
    }

    #[test]
    fn nothing_leads_out() {
        for path in ["..", "a/../..", "/etc/passwd", "/workspace/../etc", "/workspaces/a", "a/../../workspace/a", "/"] {
            assert_eq!(Workspace.resolve(path).unwrap_err().kind, ErrorKind::Denied, "{path}");
        }
        let long = "a".repeat(LONGEST + 1);
        for path in ["", "a\0b", "a\nb", long.as_str()] {
            assert_eq!(Workspace.resolve(path).unwrap_err().kind, ErrorKind::InvalidArguments, "{path}");
        }
    }
}
