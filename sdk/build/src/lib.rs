//! Turns a plugin crate into one component with its manifest inside, and reads that manifest back.
//!
//! ```text
//! plugin.toml + Cargo.toml ──► Manifest ───────────────────────────┐
//! src/ ──► cargo ──► core module ──► component (with an adapter) ──┴──► <target>/components/<id>.wasm
//!          cargo ──► component  (where the linker makes one itself) ─┘
//! ```
//!
//! Three callers: the host's build script (bundled plugins), the test guests' build script, and whoever writes a
//! plugin (`mortise plugin build`, or this crate's own small program). The host also reads manifests with it, so that
//! writer and reader share one definition.

mod build;
mod cargo;
mod component;
mod error;
mod manifest;
mod section;
mod skeleton;
mod source;
mod toolchain;

pub use build::{Built, Options, build, crates_in, guests_dir};
pub use error::BuildError;
pub use manifest::{API, Asks, Kind, LIMIT, Manifest, ManifestError, SECTION, Workspace};
pub use skeleton::skeleton;
