//! Directories beside the records: a session's workspace, and archives of them.
//!
//! What works in a workspace may put links there, and may do so while it is read: every step goes from one open directory to
//! the next, no link is ever followed, and those that lead out are left behind. All of this blocks, so it belongs on threads
//! that may wait.

#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, mkdirat, openat, readlinkat, statat, symlinkat};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// See the module.
#[derive(Clone, Debug)]
pub struct Workspaces {
    root: PathBuf,
    archives: PathBuf,
    quota: u64,
}

/// What a workspace holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names explain themselves")]
pub struct Size {
    pub bytes: u64,
    pub files: u64,
}

/// What an archive holds; its last entry says so too.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Manifest {
    /// The session whose workspace it was.
    pub session_id: String,
    /// When it was made.
    pub created_at: String,
    /// Files that are in it.
    pub file_count: u64,
    /// Bytes of them together.
    pub total_bytes: u64,
    /// Each of them.
    pub files: Vec<Filed>,
    /// What was left behind: links that lead out, and what is neither file, directory nor link.
    pub skipped: Vec<String>,
}

/// A file in an archive.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the names explain themselves")]
pub struct Filed {
    pub path: String,
    pub size: u64,
    pub sha256: String,
}

/// Something in a workspace.
enum Found<'f> {
    Directory,
    File(File),
    Link(&'f Path),
    /// A link that leads out, or what is no file.
    Other,
}

/// Directories within directories; nobody works that deep.
const DEEPEST: usize = 64;

type Visit<'v> = &'v mut dyn FnMut(&Path, Found<'_>) -> io::Result<()>;

// === impl Workspaces ===

impl Workspaces {
    /// Those below `path`, none of which may hold more than `quota` bytes.
    pub fn new(path: &Path, quota: u64) -> Self {
        Self { root: path.join("workspaces"), archives: path.join("archives"), quota }
    }

    /// Where the workspace of session `id` is, if it has one.
    pub fn path(&self, id: &str) -> PathBuf {
        self.root.join(id)
    }

    /// The session whose workspace is at `path`, if it is one.
    pub fn id<'p>(&self, path: &'p Path) -> Option<&'p str> {
        let name = path.strip_prefix(&self.root).ok()?;
        let mut parts = name.components();
        match (parts.next(), parts.next()) {
            (Some(Component::Normal(id)), None) => id.to_str(),
            _ => None,
        }
    }

    /// Where archive `id` is.
    pub fn archive(&self, id: &str) -> PathBuf {
        self.archives.join(format!("{id}.tar.gz"))
    }

    /// What a workspace may hold.
    pub fn quota(&self) -> u64 {
        self.quota
    }

    /// Makes the workspace of session `id`.
    ///
    /// # Errors
    /// If it can't be made.
    pub fn create(&self, id: &str) -> io::Result<()> {
        private(&self.root)?;
        DirBuilder::new().mode(0o700).create(self.path(id))
    }

    /// Takes the workspace of session `id` out, if it has one.
    ///
    /// # Errors
    /// If it can't be taken out.
    pub fn remove(&self, id: &str) -> io::Result<()> {
        gone(fs::remove_dir_all(self.path(id)))
    }

    /// Takes archive `id` out, if it is there.
    ///
    /// # Errors
    /// If it can't be taken out.
    pub fn remove_archive(&self, id: &str) -> io::Result<()> {
        gone(fs::remove_file(self.archive(id)))
    }

    /// What the workspace of session `id` holds.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn size(&self, id: &str) -> io::Result<Size> {
        let mut size = Size::default();
        self.walk(id, &mut |_, found| {
            if let Found::File(file) = found {
                size.files += 1;
                size.bytes += file.metadata()?.len();
            }
            Ok(())
        })?;
        Ok(size)
    }

    /// Makes the workspace of session `to`, with what stands in that of session `from`.
    ///
    /// # Errors
    /// If it can't be read or written, or holds too much; nothing is left of the new one then.
    pub fn copy(&self, from: &str, to: &str) -> io::Result<Size> {
        self.create(to)?;
        let copied = self.copy_into(from, &self.path(to));
        if copied.is_err() {
            drop(self.remove(to));
        }
        copied
    }

    fn copy_into(&self, from: &str, to: &Path) -> io::Result<Size> {
        let target = open(to)?;
        let mut size = Size::default();
        self.walk(from, &mut |path, found| {
            if is_unfinished(path) {
                return Ok(());
            }
            match found {
                Found::Directory => mkdirat(&target, path, Mode::RWXU)?,
                Found::Link(to) => symlinkat(to, &target, path)?,
                Found::File(mut file) => {
                    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                    let mode = Mode::from_raw_mode(0o600 | rustix::fs::fstat(&file)?.st_mode & 0o100);
                    let mut copy = File::from(openat(&target, path, flags, mode)?);
                    size.files += 1;
                    size.bytes += io::copy(&mut (&mut file).take(self.quota - size.bytes + 1), &mut copy)?;
                    self.check(size.bytes)?;
                }
                Found::Other => {}
            }
            Ok(())
        })?;
        Ok(size)
    }

    /// Writes what stands in the workspace of session `id` into archive `archive`, with its manifest.
    ///
    /// # Errors
    /// If it can't be read or written; nothing is left of the archive then.
    pub fn pack(&self, id: &str, archive: &str, created_at: String) -> io::Result<(Manifest, u64)> {
        private(&self.archives)?;
        let path = self.archive(archive);
        let packed = self.pack_into(id, &path, created_at);
        if packed.is_err() {
            drop(fs::remove_file(&path));
        }
        packed
    }

    fn pack_into(&self, id: &str, path: &Path, created_at: String) -> io::Result<(Manifest, u64)> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        let mut tar = tar::Builder::new(GzEncoder::new(file, Compression::default()));
        let mut manifest = Manifest { session_id: id.to_owned(), created_at, ..Manifest::default() };
        self.walk(id, &mut |path, found| {
            if is_unfinished(path) {
                return Ok(());
            }
            let inside = Path::new("workspace").join(path);
            let name = path.to_string_lossy().into_owned();
            match found {
                Found::Directory => {
                    tar.append_data(&mut header(tar::EntryType::Directory, 0o755, 0), inside, io::empty())
                }
                Found::Link(to) => tar.append_link(&mut header(tar::EntryType::Symlink, 0o777, 0), inside, to),
                Found::File(file) => {
                    let status = rustix::fs::fstat(&file)?;
                    let size = file.metadata()?.len();
                    // Who writes to it meanwhile can't make it longer here; one that has become shorter is filled up.
                    let mut read =
                        Hashed { file: file.take(size).chain(io::repeat(0)).take(size), hash: Sha256::new() };
                    let mut header = header(tar::EntryType::Regular, 0o644 | status.st_mode & 0o100, size);
                    tar.append_data(&mut header, inside, &mut read)?;
                    let sha256 = read.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
                    manifest.files.push(Filed { path: name, size, sha256 });
                    manifest.file_count += 1;
                    manifest.total_bytes += size;
                    Ok(())
                }
                Found::Other => {
                    manifest.skipped.push(name);
                    Ok(())
                }
            }
        })?;
        let told = serde_json::to_vec_pretty(&manifest)?;
        tar.append_data(
            &mut header(tar::EntryType::Regular, 0o644, told.len() as u64),
            "manifest.json",
            told.as_slice(),
        )?;
        let file = tar.into_inner()?.finish()?;
        file.sync_all()?;
        Ok((manifest, file.metadata()?.len()))
    }

    fn check(&self, bytes: u64) -> io::Result<()> {
        if bytes <= self.quota {
            return Ok(());
        }
        let what = format!("the workspace holds more than {} bytes (sessions.workspace_quota)", self.quota);
        Err(io::Error::new(io::ErrorKind::QuotaExceeded, what))
    }

    fn walk(&self, id: &str, visit: Visit<'_>) -> io::Result<()> {
        match open(&self.path(id)) {
            Ok(root) => walk(&root, Path::new(""), 0, visit),
            // A session may have no workspace.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Whether it is what the plugin `files` writes before it takes its place; one that stays was cut by the end of a server.
pub fn is_unfinished(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    name.starts_with(".mortise-") && name.ends_with(".tmp")
}

/// Reads, and takes note of what it read.
struct Hashed<R> {
    file: R,
    hash: Sha256,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.hash.write_all(buffer.get(..read).unwrap_or_default())?;
        Ok(read)
    }
}

fn header(kind: tar::EntryType, mode: u32, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header
}

fn open(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?)
}

fn walk(directory: &OwnedFd, path: &Path, depth: usize, visit: Visit<'_>) -> io::Result<()> {
    let mut names: Vec<Vec<u8>> = Vec::new();
    for entry in Dir::read_from(directory)? {
        let name = entry?.file_name().to_bytes().to_vec();
        if name != b"." && name != b".." {
            names.push(name);
        }
    }
    names.sort();
    for name in names {
        step(directory.as_fd(), &name, path, depth, visit)?;
    }
    Ok(())
}

fn step(directory: BorrowedFd<'_>, name: &[u8], path: &Path, depth: usize, visit: Visit<'_>) -> io::Result<()> {
    let path = path.join(OsStr::from_bytes(name));
    // What is gone meanwhile was never there.
    let Ok(status) = statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) else { return Ok(()) };
    match FileType::from_raw_mode(status.st_mode) {
        FileType::Directory if depth < DEEPEST => {
            let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let Ok(inner) = openat(directory, name, flags, Mode::empty()) else { return visit(&path, Found::Other) };
            visit(&path, Found::Directory)?;
            walk(&inner, &path, depth + 1, visit)
        }
        FileType::RegularFile => {
            // Nor does a pipe that took its place make anybody wait.
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            match openat(directory, name, flags, Mode::empty()).map(File::from) {
                Ok(file) if file.metadata()?.is_file() => visit(&path, Found::File(file)),
                _ => visit(&path, Found::Other),
            }
        }
        FileType::Symlink => {
            let Ok(target) = readlinkat(directory, name, Vec::new()) else { return Ok(()) };
            let target = Path::new(OsStr::from_bytes(target.as_bytes()));
            visit(&path, if stays_inside(target, depth) { Found::Link(target) } else { Found::Other })
        }
        _ => visit(&path, Found::Other),
    }
}

/// Whether a link to `target`, in a directory `depth` below the top, leads to something inside: up by no more than its depth,
/// and then only down. What goes down and up again could go through another link, and come out anywhere.
fn stays_inside(target: &Path, depth: usize) -> bool {
    let (mut ups, mut down) = (0, false);
    target.components().all(|component| match component {
        Component::ParentDir => {
            ups += 1;
            !down && ups <= depth
        }
        Component::Normal(_) => {
            down = true;
            true
        }
        Component::CurDir => true,
        Component::RootDir | Component::Prefix(_) => false,
    })
}

/// A directory that nobody else may look into.
fn private(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn gone(outcome: io::Result<()>) -> io::Result<()> {
    outcome.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}
