//! The file system that a confined program sees.
//!
//! The system's directories, read-only; the workspace at `/workspace`; and what programs expect to find in `/dev`, `/proc` and
//! `/tmp`.

use std::fs;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use rustix::fs::{Mode, OFlags, StatVfsMountFlags, open, statvfs};

use super::order::Order;

/// Where the workspace is.
pub(super) const WORKSPACE: &str = "/workspace";
/// Where the launcher is.
pub(super) const LAUNCHER: &str = "/.launcher";

/// Directories of the system; where they are links to others, they stay so.
pub(super) const SYSTEM: [&str; 7] = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];

/// What programs need of `/etc`, in which there are also things that concern nobody, such as private keys beside certificates.
pub(super) const ETC: [&str; 19] = [
    "/etc/alternatives",
    "/etc/ca-certificates",
    "/etc/gitconfig",
    "/etc/group",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/nsswitch.conf",
    "/etc/passwd",
    "/etc/pki/ca-trust",
    "/etc/pki/tls/certs",
    "/etc/resolv.conf",
    "/etc/services",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
];

const DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

/// Directories that something can be mounted on while the rest is prepared.
const BASES: [&str; 5] = ["/tmp", "/mnt", "/run", "/var", "/srv"];

const NONE: Option<&str> = None;

/// Something that is to be seen.
struct Seen {
    /// Opened before anything covers it.
    handle: OwnedFd,
    at: PathBuf,
    is_directory: bool,
    writable: bool,
}

/// Makes the file system of `order` and moves into it; says whether processes can be seen in it.
///
/// # Errors
/// If the system doesn't let it; this process may then see half of it.
pub(super) fn enter(order: &Order) -> io::Result<bool> {
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE)?;
    let mut seen = Vec::new();
    let mut links = Vec::new();
    let readable = order.readable.iter().map(PathBuf::as_path);
    for path in SYSTEM.iter().chain(&ETC).map(Path::new).chain(readable) {
        match path.symlink_metadata() {
            Ok(metadata) if metadata.is_symlink() && SYSTEM.iter().any(|system| path == Path::new(system)) => {
                links.push((fs::read_link(path)?, path.to_owned()));
            }
            // A link to nowhere is nothing.
            Ok(_) if path.metadata().is_ok() => seen.push(Seen::open(path, path.into(), false)?),
            Ok(_) | Err(_) => {}
        }
    }
    seen.push(Seen::open(&std::env::current_exe()?, LAUNCHER.into(), false)?);
    if let Some(workspace) = &order.workspace {
        seen.push(Seen::open(workspace, WORKSPACE.into(), order.writable)?);
    }
    for device in DEVICES {
        seen.push(Seen::open(Path::new(device), device.into(), true)?);
    }
    let base = BASES.iter().map(Path::new).find(|base| base.is_dir()).ok_or(io::ErrorKind::NotFound)?;
    tmpfs(base, "size=4m,mode=755")?;
    for directory in ["proc", "tmp", "dev", "dev/shm", "workspace"] {
        fs::create_dir_all(base.join(directory))?;
    }
    for (target, at) in links {
        symlink(target, inside(base, &at))?;
    }
    for seen in &seen {
        seen.bind(base)?;
    }
    for (target, at) in [
        ("/proc/self/fd", "dev/fd"),
        ("/proc/self/fd/0", "dev/stdin"),
        ("/proc/self/fd/1", "dev/stdout"),
        ("/proc/self/fd/2", "dev/stderr"),
    ] {
        symlink(target, base.join(at))?;
    }
    tmpfs(&base.join("tmp"), "size=256m,mode=1777")?;
    tmpfs(&base.join("dev/shm"), "size=64m,mode=1777")?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    // Refused where the system's own is covered in part, as in some containers.
    let proc = mount(Some("proc"), &base.join("proc"), Some("proc"), flags, NONE).is_ok();
    std::env::set_current_dir(base)?;
    rustix::process::pivot_root(".", ".")?;
    umount2(".", MntFlags::MNT_DETACH)?;
    std::env::set_current_dir("/")?;
    let flags = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY | MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    mount(NONE, "/", NONE, flags, NONE)?;
    Ok(proc)
}

fn tmpfs(at: &Path, options: &str) -> io::Result<()> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    Ok(mount(Some("tmpfs"), at, Some("tmpfs"), flags, Some(options))?)
}

/// `at`, which begins with a slash, below `base`.
fn inside(base: &Path, at: &Path) -> PathBuf {
    base.join(at.strip_prefix("/").unwrap_or(at))
}

// === impl Seen ===

impl Seen {
    fn open(path: &Path, at: PathBuf, writable: bool) -> io::Result<Self> {
        let is_directory = path.metadata()?.is_dir();
        let handle = open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
        Ok(Self { handle, at, is_directory, writable })
    }

    fn bind(&self, base: &Path) -> io::Result<()> {
        let at = inside(base, &self.at);
        if self.is_directory {
            fs::create_dir_all(&at)?;
        } else {
            at.parent().map(fs::create_dir_all).transpose()?;
            fs::write(&at, b"")?;
        }
        let source = format!("/proc/self/fd/{}", self.handle.as_raw_fd());
        mount(Some(source.as_str()), &at, NONE, MsFlags::MS_BIND | MsFlags::MS_REC, NONE)?;
        let mut flags = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_NOSUID;
        if !self.writable {
            flags |= MsFlags::MS_RDONLY;
        }
        if !self.at.starts_with("/dev") {
            flags |= MsFlags::MS_NODEV;
        }
        // What holds outside can't be lifted inside.
        let held = statvfs(&at)?.f_flag;
        for (flag, same) in [
            (StatVfsMountFlags::RDONLY, MsFlags::MS_RDONLY),
            (StatVfsMountFlags::NODEV, MsFlags::MS_NODEV),
            (StatVfsMountFlags::NOEXEC, MsFlags::MS_NOEXEC),
            (StatVfsMountFlags::NOATIME, MsFlags::MS_NOATIME),
            (StatVfsMountFlags::NODIRATIME, MsFlags::MS_NODIRATIME),
            (StatVfsMountFlags::RELATIME, MsFlags::MS_RELATIME),
        ] {
            if held.contains(flag) {
                flags |= same;
            }
        }
        Ok(mount(NONE, &at, NONE, flags, NONE)?)
    }
}
