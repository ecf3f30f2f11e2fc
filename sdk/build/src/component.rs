//! Makes a component of what the linker made, and puts it in its place.

use std::fs;
use std::path::Path;

use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wasmparser::Parser;
use wit_component::ComponentEncoder;

use crate::error::BuildError;

/// A component as it is; of a core module for `wasm32-wasip1`, a component. The adapter gives it WASI 0.2 in place of
/// 0.1; it must not be newer than the WASI of the host.
pub(crate) fn encode(made: Vec<u8>) -> Result<Vec<u8>, String> {
    if Parser::is_component(&made) {
        return Ok(made);
    }
    ComponentEncoder::default()
        .validate(true)
        .module(&made)
        .and_then(|encoder| {
            encoder.adapter(WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER)
        })
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| format!("{error:#}"))
}

/// Writes the file unless it has this content already: whoever watches its time of change sees changes only. A reader
/// never finds half a file.
pub(crate) fn place(path: &Path, content: &[u8]) -> Result<(), BuildError> {
    let failed = |source| BuildError::File { path: path.to_owned(), source };
    if fs::read(path).is_ok_and(|old| old == content) {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
    fs::write(&temporary, content).and_then(|()| fs::rename(&temporary, path)).map_err(failed)
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn a_file_with_the_same_content_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/down/a.wasm");
        place(&path, b"one").unwrap();
        let old = fs::File::options().write(true).open(&path).unwrap();
        old.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        place(&path, b"one").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), SystemTime::UNIX_EPOCH);
        place(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_ne!(fs::metadata(&path).unwrap().modified().unwrap(), SystemTime::UNIX_EPOCH);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_no_module_is_refused() {
        assert!(encode(b"nonsense".to_vec()).is_err());
    }
}
