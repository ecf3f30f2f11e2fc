//! What `.gitignore` files name.

use std::fs::File;
use std::io::Read as _;

use fast_glob::glob_match;
use mortise_sdk::tool::Place;

/// The most that is read of one of them, in bytes.
const LARGEST: u64 = 64 << 10;
const RULES: usize = 1000;

/// The rules of the directories from the root down to where the walk is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ignore {
    levels: Vec<Level>,
}

#[derive(Clone, Debug)]
struct Level {
    /// The directory's path with a slash behind, or nothing for the root.
    prefix: String,
    rules: Vec<Rule>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    pattern: String,
    /// `!`: not ignored after all.
    kept: bool,
    directories_only: bool,
    /// With a slash in it, it is for paths from this directory; else for names anywhere below.
    anchored: bool,
}

impl Ignore {
    /// Goes down into a directory. Give the answer to [`Self::leave`].
    pub(crate) fn enter(&mut self, place: &Place) -> usize {
        let depth = self.levels.len();
        let mut text = Vec::new();
        let read =
            File::open(place.join(".gitignore").path()).and_then(|file| file.take(LARGEST).read_to_end(&mut text));
        if read.is_ok() {
            let rules = parse(&String::from_utf8_lossy(&text));
            let prefix = if place.is_root() { String::new() } else { format!("{place}/") };
            self.levels.push(Level { prefix, rules });
        }
        depth
    }

    pub(crate) fn leave(&mut self, depth: usize) {
        self.levels.truncate(depth);
    }

    /// Whether a path is ignored: the last rule of the deepest directory that says something of it counts.
    pub(crate) fn ignores(&self, path: &str, directory: bool) -> bool {
        self.levels
            .iter()
            .rev()
            .find_map(|level| {
                let inner = path.strip_prefix(level.prefix.as_str())?;
                level.rules.iter().rev().find(|rule| rule.fits(inner, directory)).map(|rule| !rule.kept)
            })
            .unwrap_or(false)
    }
}

impl Rule {
    fn fits(&self, path: &str, directory: bool) -> bool {
        if self.directories_only && !directory {
            return false;
        }
        let subject = if self.anchored { path } else { path.rsplit('/').next().unwrap_or(path) };
        glob_match(&self.pattern, subject)
    }
}

fn parse(text: &str) -> Vec<Rule> {
    text.lines().filter_map(rule).take(RULES).collect()
}

fn rule(line: &str) -> Option<Rule> {
    let line = line.trim_end();
    if line.is_empty() || line.starts_with('#') || line.len() > 500 {
        return None;
    }
    let (line, kept) = line.strip_prefix('!').map_or((line, false), |line| (line, true));
    let (line, directories_only) = line.strip_suffix('/').map_or((line, false), |line| (line, true));
    let anchored = line.contains('/');
    let pattern = line.strip_prefix('/').unwrap_or(line);
    // Git knows no braces: they are letters there.
    let pattern = pattern.replace('{', "\\{").replace('}', "\\}");
    (!pattern.is_empty()).then_some(Rule { pattern, kept, directories_only, anchored })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ignores(rules: &str, path: &str) -> bool {
        let ignore = Ignore { levels: vec![Level { prefix: String::new(), rules: parse(rules) }] };
        let (path, directory) = path.strip_suffix('/').map_or((path, false), |path| (path, true));
        ignore.ignores(path, directory)
    }

    #[test]
    fn rules_mean_what_git_means_by_them() {
        for (rules, path, ignored) in [
            ("target", "target/", true),
            ("target", "a/b/target", true),
            ("target/", "a/target", false),
            ("/target", "target/", true),
            ("/target", "a/target/", false),
            ("a/b", "a/b", true),
            ("a/b", "c/a/b", false),
            ("*.log", "x/y.log", true),
            ("*.log\n!keep.log", "x/keep.log", false),
            ("!keep.log\n*.log", "x/keep.log", true),
            ("**/cache/*.bin", "a/b/cache/c.bin", true),
            ("# target\n\n", "target", false),
            ("a{b,c}", "ab", false),
            ("a{b,c}", "a{b,c}", true),
            ("x?.txt", "xy.txt", true),
            ("[ab].txt", "b.txt", true),
        ] {
            assert_eq!(ignores(rules, path), ignored, "{rules:?} {path}");
        }
    }

    #[test]
    fn the_deepest_directory_that_says_something_counts() {
        let level = |prefix: &str, rules| Level { prefix: prefix.to_owned(), rules: parse(rules) };
        let ignore = Ignore { levels: vec![level("", "*.log"), level("a/", "!b.log\n/c.txt")] };
        assert!(ignore.ignores("x.log", false) && ignore.ignores("a/x.log", false) && ignore.ignores("a/c.txt", false));
        assert!(
            !ignore.ignores("a/b.log", false) && !ignore.ignores("c.txt", false) && !ignore.ignores("a/b/c.txt", false)
        );
    }
}
