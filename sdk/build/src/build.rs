//! Builds plugin crates into components.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::cargo::Workspace;
use crate::component;
use crate::error::BuildError;
use crate::manifest::Manifest;
use crate::source;
use crate::toolchain::Toolchain;

/// What to build, and where.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Directories of plugin crates, all of one workspace; each holds a `Cargo.toml` and a `plugin.toml`.
    pub crates: Vec<PathBuf>,
    /// Cargo's target directory. Absent: the workspace's own. Workspaces that share one compile the standard library
    /// once.
    pub target_dir: Option<PathBuf>,
    /// Where components go, as `<id>.wasm`. Absent: `components` in the target directory.
    pub components: Option<PathBuf>,
    /// What is cut off the paths that a component names in its errors, so that it has the same bytes wherever it is built.
    /// Absent: the workspace's own directory. Workspaces that share a target directory should share this too: for
    /// another one, everything is compiled again.
    pub root: Option<PathBuf>,
}

/// A finished plugin.
#[derive(Clone, Debug)]
pub struct Built {
    /// Its id, as in the manifest.
    pub id: String,
    /// The component.
    pub path: PathBuf,
    /// The manifest inside.
    pub manifest: Manifest,
}

/// Builds all of them with one call of cargo, in the order asked for. A component whose content has not changed keeps
/// its file untouched.
pub fn build(options: &Options) -> Result<Vec<Built>, BuildError> {
    let crates = options.crates.iter().map(|dir| canonical(dir)).collect::<Result<Vec<_>, _>>()?;
    let first = crates.first().ok_or(BuildError::Nothing)?;
    let toolchain = Toolchain::find(first)?;
    let workspace = Workspace::of(first, &toolchain)?;
    let packages = crates.iter().map(|dir| workspace.package(dir)).collect::<Result<Vec<_>, _>>()?;
    // Before compiling: a mistake in plugin.toml shows at once.
    let mut manifests = Vec::new();
    let mut ids = HashMap::new();
    for (dir, package) in crates.iter().zip(&packages) {
        let manifest = source::read(dir, package)?;
        if let Some(first) = ids.insert(manifest.id.clone(), &package.name) {
            return Err(BuildError::SameId { id: manifest.id, first: first.clone(), second: package.name.clone() });
        }
        manifests.push(manifest);
    }

    let target_dir = options.target_dir.as_ref().unwrap_or(&workspace.target_directory);
    let names: Vec<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let root = options.root.as_ref().map_or_else(|| Ok(workspace.workspace_root.clone()), |root| canonical(root))?;
    let made = workspace.build(&toolchain.nameless(&root), target_dir, &names)?;

    let components = options.components.clone().unwrap_or_else(|| target_dir.join("components"));
    let mut built = Vec::new();
    for ((dir, package), manifest) in crates.iter().zip(&packages).zip(manifests) {
        let file = made.get(&package.manifest_path).ok_or_else(|| BuildError::NoLibrary { path: dir.clone() })?;
        let path = components.join(format!("{}.wasm", manifest.id));
        component::place(&path, &finish(dir, file, &manifest)?)?;
        built.push(Built { id: manifest.id.clone(), path, manifest });
    }
    Ok(built)
}

/// The component, manifest inside.
fn finish(dir: &Path, file: &Path, manifest: &Manifest) -> Result<Vec<u8>, BuildError> {
    let made = fs::read(file).map_err(|source| BuildError::File { path: file.to_owned(), source })?;
    let encoded = component::encode(made).map_err(|message| BuildError::Component { path: dir.to_owned(), message })?;
    manifest.embed(&encoded).map_err(|source| BuildError::Manifest { path: dir.to_owned(), source })
}

/// The directories in `dir` that hold a `plugin.toml`, sorted by name.
pub fn crates_in(dir: &Path) -> Result<Vec<PathBuf>, BuildError> {
    let failed = |source| BuildError::File { path: dir.to_owned(), source };
    let mut crates = Vec::new();
    for entry in fs::read_dir(dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.join(source::FILE).exists() {
            crates.push(path);
        }
    }
    crates.sort();
    Ok(crates)
}

/// The target directory of guests that a build script builds: inside the outer one, the same for every profile, and
/// not cargo's own, whose lock the outer cargo holds.
pub fn guests_dir(out_dir: &Path) -> PathBuf {
    // Cargo marks a target directory, and again the directory of a target named with `--target` inside it.
    let marked = |dir: &&Path| dir.join("CACHEDIR.TAG").exists();
    let inner = out_dir.ancestors().skip_while(|dir| !marked(dir));
    inner.take_while(marked).last().unwrap_or(out_dir).join("guests")
}

fn canonical(dir: &Path) -> Result<PathBuf, BuildError> {
    dir.canonicalize().map_err(|source| BuildError::File { path: dir.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(path: &Path) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }

    #[test]
    fn guests_have_one_target_directory_whatever_the_profile_and_the_target() {
        let dir = tempfile::tempdir().unwrap();
        touch(&dir.path().join("target/CACHEDIR.TAG"));
        touch(&dir.path().join("target/x86_64-unknown-linux-gnu/CACHEDIR.TAG"));
        for out in
            ["debug/build/mortise-0/out", "dist/build/x/out", "x86_64-unknown-linux-gnu/debug/build/mortise-0/out"]
        {
            assert_eq!(guests_dir(&dir.path().join("target").join(out)), dir.path().join("target/guests"));
        }
    }

    #[test]
    fn a_crate_is_a_plugin_by_its_plugin_toml() {
        let dir = tempfile::tempdir().unwrap();
        for file in ["zeta/plugin.toml", "alpha/plugin.toml", "kit/Cargo.toml", "plugin.toml"] {
            touch(&dir.path().join(file));
        }
        assert_eq!(crates_in(dir.path()).unwrap(), [dir.path().join("alpha"), dir.path().join("zeta")]);
        assert!(crates_in(&dir.path().join("nowhere")).is_err());
    }

    #[test]
    fn nothing_to_build_is_an_error() {
        assert!(matches!(build(&Options::default()), Err(BuildError::Nothing)));
    }
}
