//! Compiles plugins ahead of the first start: what `mortise plugin warm` does, and what the first start has done for it.

use std::process::{Command, Stdio};

use tokio::time::Instant;

use super::cache::Code;
use super::engine::Sandbox;
use super::stage::{Prepared, Source, prepare};
use super::watch::{list, read};
use crate::config;
use crate::model::Result;
use crate::plugin::bundled::Bundled;

/// What became of one plugin.
pub struct Warmed {
    /// Its id, or its file if that can't be read.
    pub name: String,
    /// Its code, or why it can't be loaded.
    pub code: Result<Code>,
}

/// Compiles `bundled` and what the directory of plugins holds; blocks for as long as that takes.
///
/// A file is compiled even if it couldn't be loaded after all, as one whose id another has: that depends on what stands
/// beside it when the server starts.
pub fn warm(sandbox: &Sandbox, config: &config::Plugins, bundled: &'static [Bundled]) -> Vec<Warmed> {
    let bundled = bundled.iter().map(|bundled| one(bundled.id, prepare(sandbox, Source::Bundled(bundled))));
    let files = list(&config.directory).into_keys().map(|path| {
        let prepared = read(&path).and_then(|bytes| prepare(sandbox, Source::File(&bytes)));
        one(&path.display().to_string(), prepared)
    });
    bundled.chain(files).collect()
}

/// Has all of them compiled by another process: the system has a compiler's memory back only when its process ends. What that
/// doesn't do is left to this one.
pub(super) fn apart(compiler: &config::Compiler) {
    let began = Instant::now();
    let mut command = Command::new(&compiler.program);
    command.args(&compiler.arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match command.status() {
        Ok(status) if status.success() => {
            let took_ms = began.elapsed().as_millis() as u64;
            tracing::info!(took_ms, "plugins were compiled for the first start");
        }
        Ok(status) => tracing::debug!(%status, "not all plugins were compiled by a process of their own"),
        Err(error) => tracing::debug!(%error, "plugins can't be compiled by a process of their own"),
    }
}

fn one(name: &str, prepared: Result<Prepared>) -> Warmed {
    match prepared {
        Ok(prepared) => Warmed { name: prepared.manifest.id, code: Ok(prepared.code) },
        Err(error) => Warmed { name: name.to_owned(), code: Err(error) },
    }
}
