//! The tool `list_directory`.

use std::fs;

use mortise_sdk::tool::{Call, Error, NoSettings, Place, Reply, Workspace};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const DEEPEST: usize = 10;
const ENTRIES: usize = 500;
const MOST: usize = 2000;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    /// The directory, relative to the workspace; its root by default.
    #[serde(alias = "file_path", alias = "directory")]
    #[schemars(extend("x-aliases" = ["file_path", "directory"]))]
    path: Option<String>,
    /// How many levels to show, 1 by default.
    #[schemars(range(min = 1, max = 10))]
    depth: Option<usize>,
    /// The most entries to show, 500 by default.
    #[schemars(range(min = 1, max = 2000))]
    limit: Option<usize>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Listing {
    path: String,
    entries: Vec<Entry>,
    /// Whether there are more.
    truncated: bool,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Entry {
    /// Relative to the workspace.
    path: String,
    kind: Kind,
    /// Of a file, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Kind {
    File,
    Directory,
    Link,
    Other,
}

pub(crate) fn run(arguments: Arguments, _: &Call<NoSettings>) -> Result<Reply, Error> {
    let place = Workspace.resolve(arguments.path.as_deref().unwrap_or("."))?;
    let depth = arguments.depth.unwrap_or(1).clamp(1, DEEPEST);
    let limit = arguments.limit.unwrap_or(ENTRIES).clamp(1, MOST);
    let mut entries = Vec::new();
    let truncated = !walk(&place, depth, limit, &mut entries)?;
    let mut text = String::new();
    for entry in &entries {
        let (end, size) = match entry.kind {
            Kind::Directory => ("/", String::new()),
            Kind::Link => (" (link)", String::new()),
            Kind::File | Kind::Other => ("", entry.size.map(|size| format!(" ({size} bytes)")).unwrap_or_default()),
        };
        text.push_str(&format!("{}{end}{size}\n", entry.path));
    }
    if entries.is_empty() {
        text = format!("{place} is empty");
    }
    if truncated {
        text.push_str(&format!("[only the first {limit} entries; list a directory further down, or raise limit]"));
    }
    Ok(Reply::text(text).with(&Listing { path: place.name().to_owned(), entries, truncated }))
}

/// Lists a directory, sorted by name, each followed by what is in it. False: there is no room for all.
fn walk(place: &Place, depth: usize, limit: usize, entries: &mut Vec<Entry>) -> Result<bool, Error> {
    let failed = |error| Error::io(&format!("list `{place}`"), &error);
    let mut found = Vec::new();
    for entry in fs::read_dir(place.path()).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        // A name that is no UTF-8 can't be asked for either.
        if let Ok(name) = entry.file_name().into_string() {
            found.push(name);
        }
    }
    found.sort();
    for name in found {
        if entries.len() == limit {
            return Ok(false);
        }
        let inner = place.join(&name);
        // It may be gone again.
        let Ok(metadata) = fs::symlink_metadata(inner.path()) else { continue };
        let kind = match metadata.file_type() {
            kind if kind.is_symlink() => Kind::Link,
            kind if kind.is_dir() => Kind::Directory,
            kind if kind.is_file() => Kind::File,
            _ => Kind::Other,
        };
        let size = (kind == Kind::File).then_some(metadata.len());
        entries.push(Entry { path: inner.name().to_owned(), kind, size });
        let deeper = kind == Kind::Directory && depth > 1 && name != ".git";
        if deeper && !walk(&inner, depth - 1, limit, entries)? {
            return Ok(false);
        }
    }
    Ok(true)
}
