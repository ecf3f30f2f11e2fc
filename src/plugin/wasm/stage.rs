//! How the bytes of a file become a version: digest, manifest, imports, compilation, linking, `describe`.

use std::fmt::Write as _;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use wasmtime::component::Component;

use super::bindings::ProviderPluginPre;
use super::cache::Code;
use super::engine::Sandbox;
use super::import;
use super::provider::{Version, WasmProvider};
use crate::config;
use crate::model::plugin::Origin;
use crate::model::{Fault, Result};
use crate::plugin::catalog::{Plugin, Published};
use crate::plugin::manifest::{self, Manifest, PluginKind, refused};
use crate::plugin::{Provider, grant};

/// The largest file that is taken for a plugin.
pub(super) const LARGEST: u64 = 64 << 20;

/// A file that is known to be a plugin, and its code.
pub(super) struct Prepared {
    pub(super) digest: String,
    pub(super) manifest: Manifest,
    pub(super) component: Component,
    pub(super) code: Code,
}

/// Reads and compiles the component in `bytes`, without running it.
///
/// # Errors
/// Names the stage that failed, and what to do.
pub(super) fn prepare(sandbox: &Sandbox, bytes: &[u8]) -> Result<Prepared> {
    let digest = hex(&Sha256::digest(bytes));
    let manifest = manifest::read(bytes)?;
    let id = &manifest.id;
    if manifest.kind != PluginKind::Provider {
        return Err(refused(format!("plugin `{id}` is of kind {}; this server runs providers", manifest.kind)));
    }
    let (component, code) = sandbox
        .cache
        .compile(&sandbox.engine, bytes, &digest)
        .map_err(|error| refused(format!("plugin `{id}` is no component that runs here: {error:#}")))?;
    Ok(Prepared { digest, manifest, component, code })
}

/// Stages the component in `bytes`; blocks for as long as compiling takes.
///
/// # Errors
/// Names the stage that failed, and what to do.
pub(super) fn stage(sandbox: &Sandbox, config: &config::Plugins, origin: Origin, bytes: &[u8]) -> Result<Published> {
    let Prepared { digest, manifest, component, .. } = prepare(sandbox, bytes)?;
    let id = &manifest.id;
    if let Some(schema) = &manifest.settings {
        jsonschema::validator_for(&serde_json::Value::Object(schema.clone())).map_err(|error| {
            refused(format!("plugin `{id}`: the schema of its settings is no JSON Schema: {error}"))
        })?;
    }
    let linker = import::linker(&component).map_err(|error| refused(format!("plugin `{id}`: {error}")))?;
    let pre = linker.instantiate_pre(&component).and_then(ProviderPluginPre::new).map_err(|error| {
        refused(format!(
            "plugin `{id}` doesn't fit mortise:plugin/provider@{}: {error:#}; rebuild it with the server's SDK",
            manifest::API
        ))
    })?;
    let version = Arc::new(Version::new(id, pre, config.limits_of(id), config, &sandbox.pools, sandbox.counts.of(id)));
    let provider = WasmProvider(version.clone());
    // A plugin may refuse to describe itself without settings; what it may not is break its limits.
    if let Err(error) = provider.describe("{}")
        && error.fault() == Fault::Plugin
    {
        return Err(error);
    }
    let grants = grant::effective(&manifest, origin, config.grants.get(id));
    Ok(Published { manifest, origin, digest, grants, plugin: Plugin::Provider(Arc::new(provider)), health: version })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
