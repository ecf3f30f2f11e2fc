//! Why a plugin could not be built, and what to do about it.

use std::fmt;
use std::path::PathBuf;

use crate::ManifestError;

/// Why a plugin could not be built.
#[derive(thiserror::Error)]
pub enum BuildError {
    /// Nothing was asked for.
    #[error("no plugin to build; name a directory that holds a plugin.toml")]
    Nothing,
    /// A file or directory could not be read or written.
    #[error("{path}: {source}", path = .path.display())]
    File {
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A program could not be started.
    #[error("can't run {program}: {source}; install it, or put it on the PATH")]
    Program {
        /// Which.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// `plugin.toml` has a mistake.
    #[error("{path}: {message}", path = .path.display())]
    Source {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        message: String,
    },
    /// The manifest could not be embedded.
    #[error("{path}: {source}", path = .path.display())]
    Manifest {
        /// The plugin's directory.
        path: PathBuf,
        /// Why.
        source: ManifestError,
    },
    /// Two plugins of one build want the same file.
    #[error("both {first} and {second} have the id {id:?}; change the id in one plugin.toml")]
    SameId {
        /// The id.
        id: String,
        /// The directory that had it first.
        first: String,
        /// The directory that has it too.
        second: String,
    },
    /// A directory is not among the crates of the workspace that is built.
    #[error(
        "{path} is not a crate of the workspace {workspace}; add it to the workspace's members, or build it by itself",
        path = .path.display(), workspace = .workspace.display()
    )]
    Stranger {
        /// The directory.
        path: PathBuf,
        /// The workspace.
        workspace: PathBuf,
    },
    /// `cargo` failed; it has said why on the standard error stream.
    #[error("cargo could not build {what}; its messages above say why")]
    Cargo {
        /// The crates.
        what: String,
    },
    /// `cargo metadata` failed.
    #[error("cargo can't read the crate in {path}: {message}", path = .path.display())]
    Metadata {
        /// The crate's directory.
        path: PathBuf,
        /// Cargo's own words.
        message: String,
    },
    /// The crate compiled, but not to a WebAssembly library.
    #[error("{path} makes no webassembly library; add `crate-type = [\"cdylib\"]` to [lib] in its Cargo.toml", path = .path.display())]
    NoLibrary {
        /// The crate's directory.
        path: PathBuf,
    },
    /// The module could not be made a component.
    #[error("{path}: the module can't be made a component: {message}", path = .path.display())]
    Component {
        /// The crate's directory.
        path: PathBuf,
        /// Why.
        message: String,
    },
    /// There is no compiler for guests.
    #[error(
        "no toolchain for webassembly guests ({0}); run `rustup target add wasm32-wasip2`, or, on debian, \
         `apt-get install --no-install-recommends rustc-web cargo-web rust-web-src wasi-libc`"
    )]
    NoToolchain(String),
}

/// The message itself: that is what a build script shows whose `main` returns this error.
impl fmt::Debug for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
