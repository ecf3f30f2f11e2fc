//! The first files of a new plugin: they build as they are, and their test passes.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::BuildError;
use crate::manifest::{Kind, Manifest};

const CARGO: &str = include_str!("skeleton/Cargo.toml.txt");
const FILES: [(&str, Kind, &str); 4] = [
    ("plugin.toml", Kind::Tool, include_str!("skeleton/tool.toml.txt")),
    ("src/lib.rs", Kind::Tool, include_str!("skeleton/tool.rs.txt")),
    ("plugin.toml", Kind::Provider, include_str!("skeleton/provider.toml.txt")),
    ("src/lib.rs", Kind::Provider, include_str!("skeleton/provider.rs.txt")),
];
const IGNORED: &str = "/target\n";

/// Writes the crate of a new plugin into the directory `dir`, which is named like the plugin and must not be there yet. `sdk` is
/// the crate `mortise-sdk`; absent, it is looked for in the directories above. Answers with the files.
pub fn skeleton(kind: Kind, dir: &Path, sdk: Option<&Path>) -> Result<Vec<PathBuf>, BuildError> {
    let id = dir.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let source = |message: String| BuildError::Source { path: dir.to_owned(), message };
    Manifest::new(id.clone(), "0.1.0", kind).check().map_err(|error| source(error.to_string()))?;
    let sdk = find(dir, sdk).map_err(source)?;
    let failed = |path: &Path| {
        let path = path.to_owned();
        |source| BuildError::File { path, source }
    };
    if let Some(parent) = dir.parent() {
        fs::create_dir_all(parent).map_err(failed(parent))?;
    }
    // Fails where there is something already: nothing of it shall be lost.
    fs::create_dir(dir).map_err(failed(dir))?;
    fs::create_dir(dir.join("src")).map_err(failed(dir))?;
    let own = FILES.into_iter().filter(|(_, of, _)| *of == kind).map(|(name, _, text)| (name, text));
    let common = [("Cargo.toml", CARGO), (".gitignore", IGNORED)];
    let mut written = Vec::new();
    for (name, text) in common.into_iter().chain(own) {
        let path = dir.join(name);
        // Within a TOML string a backslash would be an escape.
        let sdk = sdk.to_string_lossy().replace('\\', "/");
        fs::write(&path, text.replace("{{id}}", &id).replace("{{sdk}}", &sdk)).map_err(failed(&path))?;
        written.push(path);
    }
    Ok(written)
}

/// The SDK's crate: the one that is named, else the one of the sources around.
fn find(dir: &Path, named: Option<&Path>) -> Result<PathBuf, String> {
    let is_sdk = |path: &Path| {
        fs::read_to_string(path.join("Cargo.toml")).is_ok_and(|text| text.contains("name = \"mortise-sdk\""))
    };
    let absolute = |path: &Path| path.canonicalize().map_err(|error| format!("{}: {error}", path.display()));
    if let Some(named) = named {
        return if is_sdk(named) {
            absolute(named)
        } else {
            Err(format!("{} is not the crate mortise-sdk", named.display()))
        };
    }
    let around = std::path::absolute(dir).map_err(|error| error.to_string())?;
    let found = around.ancestors().map(|above| above.join("sdk/rust")).find(|path| is_sdk(path));
    found.ok_or_else(|| {
        "the crate mortise-sdk is not in a directory above; name it with --sdk /path/to/mortise/sdk/rust".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SDK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../rust");

    #[test]
    fn a_plugin_s_files_are_written_once() {
        let dir = tempfile::tempdir().unwrap();
        for kind in [Kind::Tool, Kind::Provider] {
            let place = dir.path().join(format!("deep/my-{kind}"));
            let written = skeleton(kind, &place, Some(Path::new(SDK))).unwrap();
            assert_eq!(written.len(), 4);
            for path in &written {
                let text = fs::read_to_string(path).unwrap();
                assert!(!text.contains("{{") && !text.is_empty(), "{}", path.display());
            }
            let manifest = fs::read_to_string(place.join("plugin.toml")).unwrap();
            assert!(manifest.contains(&format!("id = \"my-{kind}\"\nkind = \"{kind}\"\n")), "{manifest}");
            let error = skeleton(kind, &place, Some(Path::new(SDK))).unwrap_err().to_string();
            assert!(error.contains("exists"), "{error}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_before_anything_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let message =
            |name: &str, sdk: Option<&Path>| skeleton(Kind::Tool, &dir.path().join(name), sdk).unwrap_err().to_string();
        assert!(message("My Plugin", Some(Path::new(SDK))).contains("id \"My Plugin\" must be"));
        assert!(message("fine", None).contains("name it with --sdk"));
        assert!(message("fine", Some(dir.path())).contains("is not the crate mortise-sdk"));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn the_sdk_is_found_in_the_sources_around() {
        let found = find(&Path::new(env!("CARGO_MANIFEST_DIR")).join("new/plugin"), None).unwrap();
        assert_eq!(found, Path::new(SDK).canonicalize().unwrap());
    }
}
