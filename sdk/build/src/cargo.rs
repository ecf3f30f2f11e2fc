//! What cargo is asked: which crates there are, and what a build made.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;
use serde_json::Value;

use crate::error::BuildError;
use crate::toolchain::Toolchain;

/// The workspace around a crate.
#[derive(Debug, Deserialize)]
pub(crate) struct Workspace {
    pub(crate) packages: Vec<Package>,
    pub(crate) workspace_root: PathBuf,
    pub(crate) target_directory: PathBuf,
}

/// One crate of a workspace.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) description: Option<String>,
    pub(crate) manifest_path: PathBuf,
}

// === impl Workspace ===

impl Workspace {
    /// The workspace that the crate in `dir` belongs to.
    pub(crate) fn of(dir: &Path, toolchain: &Toolchain) -> Result<Self, BuildError> {
        let output = toolchain
            .cargo()
            .current_dir(dir)
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .stdin(Stdio::null())
            .output()
            .map_err(|source| BuildError::Program { program: "cargo".to_owned(), source })?;
        let failed = |message: String| BuildError::Metadata { path: dir.to_owned(), message };
        if !output.status.success() {
            return Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
        }
        serde_json::from_slice(&output.stdout).map_err(|error| failed(error.to_string()))
    }

    /// The crate in `dir`.
    pub(crate) fn package(&self, dir: &Path) -> Result<&Package, BuildError> {
        let manifest = dir.join("Cargo.toml");
        let stranger = || BuildError::Stranger { path: dir.to_owned(), workspace: self.workspace_root.clone() };
        self.packages.iter().find(|package| package.manifest_path == manifest).ok_or_else(stranger)
    }

    /// Compiles the packages in one call and tells which WebAssembly file each has made. Cargo writes its messages to
    /// our standard error stream.
    pub(crate) fn build(
        &self,
        toolchain: &Toolchain,
        target_dir: &Path,
        packages: &[&str],
    ) -> Result<HashMap<PathBuf, PathBuf>, BuildError> {
        let output = toolchain
            .build(&self.workspace_root, target_dir, packages)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .map_err(|source| BuildError::Program { program: "cargo".to_owned(), source })?;
        if !output.status.success() {
            return Err(BuildError::Cargo { what: packages.join(", ") });
        }
        Ok(String::from_utf8_lossy(&output.stdout).lines().filter_map(artifact).collect())
    }
}

/// From one of cargo's messages: a crate's Cargo.toml and the WebAssembly file made from it.
fn artifact(line: &str) -> Option<(PathBuf, PathBuf)> {
    let message: Value = serde_json::from_str(line).ok()?;
    if message.get("reason")? != "compiler-artifact" {
        return None;
    }
    let made =
        message.get("filenames")?.as_array()?.iter().filter_map(Value::as_str).find(|name| name.ends_with(".wasm"))?;
    Some((message.get("manifest_path")?.as_str()?.into(), made.into()))
}
