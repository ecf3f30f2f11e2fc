//! Compiles plugins ahead of the first start: what `mortise plugin warm` does.

use super::cache::Code;
use super::engine::Sandbox;
use super::stage::prepare;
use super::watch::{list, read};
use crate::config;
use crate::model::Result;

/// What became of one plugin.
pub struct Warmed {
    /// Its id, or its file if that can't be read.
    pub name: String,
    /// Its code, or why it can't be loaded.
    pub code: Result<Code>,
}

/// Compiles `bundled` (id and component) and what the directory of plugins holds; blocks for as long as that takes.
///
/// A file is compiled even if it couldn't be loaded after all, as one whose id another has: that depends on what stands
/// beside it when the server starts.
pub fn warm(sandbox: &Sandbox, config: &config::Plugins, bundled: &[(&str, &[u8])]) -> Vec<Warmed> {
    let bundled = bundled.iter().map(|(name, bytes)| one(sandbox, name, Ok(bytes.to_vec())));
    let files = list(&config.directory).into_keys().map(|path| one(sandbox, &path.display().to_string(), read(&path)));
    bundled.chain(files).collect()
}

fn one(sandbox: &Sandbox, name: &str, bytes: Result<Vec<u8>>) -> Warmed {
    match bytes.and_then(|bytes| prepare(sandbox, &bytes)) {
        Ok(prepared) => Warmed { name: prepared.manifest.id, code: Ok(prepared.code) },
        Err(error) => Warmed { name: name.to_owned(), code: Err(error) },
    }
}
