//! `move` and `delete`.

use std::fs;

use mortise_sdk::tool::{Call, Error, NoSettings, Reply};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::file;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Move {
    /// What to move, relative to the workspace.
    #[serde(alias = "path", alias = "file_path")]
    #[schemars(extend("x-aliases" = ["path", "file_path"]))]
    source: String,
    /// Its new path; directories are made as needed.
    destination: String,
    /// Whether a file that is there already is replaced.
    overwrite: Option<bool>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Moved {
    source: String,
    destination: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Delete {
    /// What to delete, relative to the workspace.
    #[serde(alias = "path")]
    #[schemars(extend("x-aliases" = ["path"]))]
    file_path: String,
    /// Whether a directory is deleted with all that is in it.
    recursive: Option<bool>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Deleted {
    file_path: String,
}

pub(crate) fn run(arguments: Move, _: &Call<NoSettings>) -> Result<Reply, Error> {
    let source = file::place(&arguments.source)?;
    let destination = file::place(&arguments.destination)?;
    let tried = format!("move `{source}` to `{destination}`");
    let failed = |error| Error::io(&tried, &error);
    fs::symlink_metadata(source.path()).map_err(failed)?;
    if source == destination {
        return Err(Error::invalid(format!("can't {tried}: both are the same")));
    }
    if destination.name().starts_with(&format!("{source}/")) {
        return Err(Error::invalid(format!("can't {tried}: the one lies in the other")));
    }
    if let Ok(metadata) = fs::symlink_metadata(destination.path()) {
        if metadata.is_dir() {
            return Err(Error::invalid(format!("can't {tried}: there is a directory; name the new path in full")));
        }
        if arguments.overwrite != Some(true) {
            return Err(Error::invalid(format!("can't {tried}: there is a file already; set overwrite to replace it")));
        }
    }
    file::make_parents(&destination)?;
    fs::rename(source.path(), destination.path()).map_err(failed)?;
    let moved = Moved { source: source.name().to_owned(), destination: destination.name().to_owned() };
    Ok(Reply::text(format!("moved {source} to {destination}")).with(&moved))
}

pub(crate) fn delete(arguments: Delete, _: &Call<NoSettings>) -> Result<Reply, Error> {
    let place = file::place(&arguments.file_path)?;
    let failed = |error| Error::io(&format!("delete `{place}`"), &error);
    // A link is deleted, not what it leads to.
    let metadata = fs::symlink_metadata(place.path()).map_err(failed)?;
    if !metadata.is_dir() {
        fs::remove_file(place.path()).map_err(failed)?;
    } else if arguments.recursive == Some(true) {
        fs::remove_dir_all(place.path()).map_err(failed)?;
    } else {
        let empty = fs::read_dir(place.path()).map_err(failed)?.next().is_none();
        if !empty {
            return Err(Error::invalid(format!(
                "`{place}` is a directory with something in it; set recursive to delete all"
            )));
        }
        fs::remove_dir(place.path()).map_err(failed)?;
    }
    Ok(Reply::text(format!("deleted {place}")).with(&Deleted { file_path: place.name().to_owned() }))
}
