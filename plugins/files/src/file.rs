//! Reading and writing whole files.

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _, Write as _};
use std::time::Duration;

use mortise_sdk::tool::{Error, Place, Workspace};

use crate::text::Text;

/// The largest file that is read or written, in bytes.
pub(crate) const LARGEST: u64 = 8 << 20;

/// How many names are tried for the file beside.
const NAMES: u32 = 100;

/// Nobody writes longer at one file.
const LONGEST_WRITE: Duration = Duration::from_secs(600);

/// The place that an argument names, which is not the workspace itself.
pub(crate) fn place(path: &str) -> Result<Place, Error> {
    let place = Workspace.resolve(path)?;
    if place.is_root() {
        return Err(Error::invalid("the path is the workspace itself; name a file in it"));
    }
    Ok(place)
}

/// What a file holds, in bytes.
pub(crate) fn bytes(place: &Place) -> Result<Vec<u8>, Error> {
    let failed = |error| Error::io(&format!("read `{place}`"), &error);
    let file = File::open(place.path()).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if metadata.is_dir() {
        return Err(Error::failed(format!("`{place}` is a directory; use list_directory")));
    }
    if metadata.len() > LARGEST {
        return Err(too_large(place, metadata.len()));
    }
    let mut bytes = Vec::new();
    // It may have grown since, and what is no file tells no length.
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > LARGEST {
        return Err(too_large(place, bytes.len() as u64));
    }
    Ok(bytes)
}

/// What a file holds, as text.
pub(crate) fn text(place: &Place) -> Result<Text, Error> {
    Text::decode(place.name(), &bytes(place)?)
}

/// Whether there is something at this place, be it a link that leads nowhere.
pub(crate) fn exists(place: &Place) -> bool {
    fs::symlink_metadata(place.path()).is_ok()
}

/// Makes the directories above a place.
pub(crate) fn make_parents(place: &Place) -> Result<(), Error> {
    let Some(parent) = place.parent().filter(|parent| !parent.is_root()) else { return Ok(()) };
    fs::create_dir_all(parent.path()).map_err(|error| Error::io(&format!("make the directory `{parent}`"), &error))
}

/// Writes a whole file: beside, and then in the old one's place.
pub(crate) fn save(place: &Place, bytes: &[u8]) -> Result<(), Error> {
    if bytes.len() as u64 > LARGEST {
        return Err(too_large(place, bytes.len() as u64));
    }
    let failed = |error| Error::io(&format!("write `{place}`"), &error);
    if keeps_its_file(place)? {
        return fs::write(place.path(), bytes).map_err(failed);
    }
    let beside = beside(place)?;
    let done = File::create(beside.path())
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_data()))
        .and_then(|()| fs::rename(beside.path(), place.path()));
    done.map_err(|error| {
        // Nothing more can be done about it if this fails too.
        let _ = fs::remove_file(beside.path());
        failed(error)
    })
}

/// Whether a file must stay the one that it is: a link, or a script, whose right to be run a new file would not have.
fn keeps_its_file(place: &Place) -> Result<bool, Error> {
    let metadata = match fs::symlink_metadata(place.path()) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(Error::io(&format!("write `{place}`"), &error)),
    };
    if metadata.is_dir() {
        return Err(Error::failed(format!("can't write `{place}`: it is a directory")));
    }
    let mut head = [0; 2];
    let mut script =
        || File::open(place.path()).and_then(|mut file| file.read_exact(&mut head)).is_ok() && head == *b"#!";
    Ok(metadata.is_symlink() || script())
}

/// A name that nobody has, in the same directory. What was left under one by a server that ended is taken away.
fn beside(place: &Place) -> Result<Place, Error> {
    let parent = place.parent().unwrap_or_else(|| Workspace.root());
    let free = (0..NAMES)
        .map(|number| parent.join(&format!(".mortise-{number}.tmp")))
        .find(|beside| !exists(beside) || is_left(beside) && fs::remove_file(beside.path()).is_ok());
    free.ok_or_else(|| {
        Error::unavailable(format!("can't write `{place}`: too many .mortise-*.tmp files lie beside it"))
    })
}

/// Whether nobody can be writing it any more.
fn is_left(beside: &Place) -> bool {
    let modified = fs::symlink_metadata(beside.path()).and_then(|metadata| metadata.modified());
    modified.is_ok_and(|modified| modified.elapsed().is_ok_and(|age| age > LONGEST_WRITE))
}

fn too_large(place: &Place, size: u64) -> Error {
    Error::failed(format!("`{place}` has {size} bytes, more than the {LARGEST} that can be read or written at once"))
}
