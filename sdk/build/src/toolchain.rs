//! Which compiler builds guests.
//!
//! - **Native**: the compiler on the PATH has `wasm32-wasip2`; its linker makes a component directly.
//! - **Debian**: rustup can't get that target here, but Debian's compiler, the standard library's source and wasi-libc
//!   are installed. The standard library is compiled for `wasm32-wasip1` with the first guest (under a minute, once),
//!   and [`crate::component`] makes a component of the module.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::BuildError;

/// The memory that a guest starts with. An ordinary call fits into it: growing costs the host a system call and a
/// shootdown of other cores' address caches, an untouched page costs nothing.
const INITIAL_MEMORY: &str = "-Clink-arg=--initial-memory=4194304";

const RUSTC: &str = "/usr/bin/rustc";
const CARGO: &str = "/usr/bin/cargo";
const WASI_LIBC: &str = "/usr/lib/wasm32-wasi";

/// What the outer cargo sets for its own build and must not reach a guest's.
const OUTER: [&str; 12] = [
    "CARGO",
    "LD_LIBRARY_PATH",
    "OUT_DIR",
    "RUSTC",
    "RUSTC_BOOTSTRAP",
    "RUSTC_LINKER",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
    "RUSTDOC",
    "RUSTDOCFLAGS",
    "RUSTFLAGS",
    "CLIPPY_ARGS",
];

/// What cargo is told about network, home and job server stays.
const KEPT: [&str; 7] = [
    "CARGO_HOME",
    "CARGO_HTTP_",
    "CARGO_MAKEFLAGS",
    "CARGO_NET_",
    "CARGO_REGISTRIES_",
    "CARGO_REGISTRY_",
    "CARGO_TERM_",
];

/// A compiler that can build guests.
#[derive(Debug)]
pub(crate) struct Toolchain {
    cargo: PathBuf,
    target: &'static str,
    arguments: &'static [&'static str],
    flags: Vec<String>,
    variables: Vec<(&'static str, PathBuf)>,
}

// === impl Toolchain ===

impl Toolchain {
    /// The best one for crates in `dir` (a rust-toolchain.toml there has its say).
    pub(crate) fn find(dir: &Path) -> Result<Self, BuildError> {
        let missing = match Self::native(dir) {
            Ok(native) => return Ok(native),
            Err(reason) => reason,
        };
        Self::debian(dir).map_err(|reason| BuildError::NoToolchain(format!("{missing}, and {reason}")))
    }

    fn native(dir: &Path) -> Result<Self, String> {
        let library = ask(dir, &["--print", "target-libdir", "--target", "wasm32-wasip2"])?;
        if !Path::new(&library).is_dir() {
            return Err("the compiler has no wasm32-wasip2".to_owned());
        }
        Ok(Self {
            cargo: PathBuf::from("cargo"),
            target: "wasm32-wasip2",
            arguments: &[],
            flags: vec![INITIAL_MEMORY.to_owned()],
            variables: Vec::new(),
        })
    }

    fn debian(dir: &Path) -> Result<Self, String> {
        let source = "/usr/lib/rustlib/src/rust/library/std";
        let libc = format!("{WASI_LIBC}/libc.a");
        for needed in [RUSTC, CARGO, source, libc.as_str()] {
            if !Path::new(needed).exists() {
                return Err(format!("{needed} does not exist"));
            }
        }
        Ok(Self {
            cargo: PathBuf::from(CARGO),
            target: "wasm32-wasip1",
            arguments: &["-Zbuild-std=std,panic_abort"],
            flags: vec![
                INITIAL_MEMORY.to_owned(),
                format!("-L{WASI_LIBC}"),
                "-Clink-self-contained=no".to_owned(),
                format!("-Clinker={}", linker(dir)?.display()),
            ],
            // The standard library is built with the compiler that it belongs to, which needs unstable options.
            variables: vec![("RUSTC", PathBuf::from(RUSTC)), ("RUSTC_BOOTSTRAP", PathBuf::from("1"))],
        })
    }

    /// Makes guests that don't tell where they were built: not in `root`, nor where cargo and rustup are at home.
    pub(crate) fn nameless(mut self, root: &Path) -> Self {
        let home = variable("HOME");
        for (name, folder, shown) in [("RUSTUP_HOME", ".rustup", "/rustup"), ("CARGO_HOME", ".cargo", "/cargo")] {
            let hidden = variable(name).or_else(|| home.as_ref().map(|home| home.join(folder)));
            self.flags.extend(hidden.map(|hidden| format!("--remap-path-prefix={}={shown}", hidden.display())));
        }
        // The last one that fits is taken.
        self.flags.push(format!("--remap-path-prefix={}=.", root.display()));
        self
    }

    /// `cargo build` for the given packages; the caller adds nothing but where output goes.
    pub(crate) fn build(&self, workspace: &Path, target_dir: &Path, packages: &[&str]) -> Command {
        let mut command = clean(&self.cargo);
        command.current_dir(workspace).args([
            "build",
            "--release",
            "--lib",
            "--message-format=json-render-diagnostics",
        ]);
        command.arg("--target").arg(self.target).arg("--target-dir").arg(target_dir).args(self.arguments);
        for package in packages {
            command.args(["--package", package]);
        }
        // For all guests, whatever their workspace says: an aborting panic is a trap, and function names, which cost
        // little, make it readable. How hard the linker tries is the workspace's own choice.
        command.envs([
            ("CARGO_PROFILE_RELEASE_PANIC", "abort"),
            ("CARGO_PROFILE_RELEASE_DEBUG", "false"),
            ("CARGO_PROFILE_RELEASE_STRIP", "debuginfo"),
            ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "3"),
        ]);
        command.env("CARGO_ENCODED_RUSTFLAGS", self.flags.join("\u{1f}"));
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// The cargo that this toolchain belongs to, in a clean environment.
    pub(crate) fn cargo(&self) -> Command {
        clean(&self.cargo)
    }
}

/// A linker for WebAssembly: rustup's compiler brings one, Debian's does not.
fn linker(dir: &Path) -> Result<PathBuf, String> {
    let sysroot = PathBuf::from(ask(dir, &["--print", "sysroot"])?);
    let host = ask(dir, &["--print", "host-tuple"])?;
    let bundled = sysroot.join("lib/rustlib").join(host).join("bin/rust-lld");
    let candidates = [bundled, PathBuf::from("/usr/bin/rust-lld"), PathBuf::from("/usr/bin/wasm-ld")];
    candidates
        .into_iter()
        .find(|path| path.exists())
        .ok_or_else(|| "neither rust-lld nor wasm-ld is installed".to_owned())
}

/// One line that the compiler on the PATH answers.
fn ask(dir: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = clean(Path::new("rustc"))
        .current_dir(dir)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("rustc does not run: {error}"))?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        return Err(format!("rustc says: {}", message.lines().next().unwrap_or("nothing")));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[expect(clippy::disallowed_methods, reason = "where cargo and rustup keep their files is known nowhere else")]
fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// A program without what an outer cargo set for itself.
#[expect(clippy::disallowed_methods, reason = "not read, only cleared")]
fn clean(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if foreign(&name) {
            command.env_remove(name);
        }
    }
    command
}

fn foreign(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    OUTER.contains(&&*name) || (name.starts_with("CARGO_") && !KEPT.iter().any(|kept| name.starts_with(kept)))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::foreign;

    #[test]
    fn the_outer_cargo_s_variables_stay_outside() {
        for name in [
            "RUSTFLAGS",
            "CARGO_TARGET_DIR",
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_BUILD_TARGET",
            "CARGO_PKG_NAME",
            "RUSTC",
        ] {
            assert!(foreign(OsStr::new(name)), "{name}");
        }
        for name in ["PATH", "HOME", "CARGO_HOME", "CARGO_NET_OFFLINE", "RUSTUP_TOOLCHAIN", "CARGO_MAKEFLAGS"] {
            assert!(!foreign(OsStr::new(name)), "{name}");
        }
    }
}
