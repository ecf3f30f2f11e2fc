//! How the bytes of a file become a version: digest, manifest, imports, compilation, linking, `describe`.

use std::fmt::Write as _;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use wasmtime::component::Component;

use super::bindings::ProviderPluginPre;
use super::bindings::tools::ToolPluginPre;
use super::cache::Code;
use super::engine::Sandbox;
use super::linked::{self, Kept, Linked, not_running};
use super::provider::WasmProvider;
use super::state::State;
use super::tool::{Means, WasmTool};
use super::vitals::Vitals;
use super::{provider, tool};
use crate::config::{self, Isolation};
use crate::egress::tool::{Reach, Secret};
use crate::model::plugin::Origin;
use crate::model::provider::Credential;
use crate::model::tool::Spec;
use crate::model::{Error, Fault, Result};
use crate::plugin::bundled::Bundled;
use crate::plugin::catalog::{Plugin, Published};
use crate::plugin::grant::Grants;
use crate::plugin::kv::Memory;
use crate::plugin::manifest::{self, Manifest, PluginKind, refused};
use crate::plugin::{Provider, grant};

/// The largest file that is taken for a plugin.
pub(super) const LARGEST: u64 = 64 << 20;

/// A file that is known to be a plugin, and what became of its code.
pub(super) struct Prepared {
    pub(super) manifest: Manifest,
    pub(super) code: Code,
}

/// Where a plugin comes from.
#[derive(Clone, Copy)]
pub(super) enum Source<'s> {
    Bundled(&'static Bundled),
    /// What a file holds.
    File(&'s [u8]),
}

/// Reads and compiles the component of `source`, without running it.
///
/// # Errors
/// Names the stage that failed, and what to do.
pub(super) fn prepare(sandbox: &Sandbox, source: Source<'_>) -> Result<Prepared> {
    let manifest = manifest::read(source.bytes())?;
    let (_, code) = compile(sandbox, source, &source.digest(), &manifest.id)?;
    Ok(Prepared { manifest, code })
}

fn compile(sandbox: &Sandbox, source: Source<'_>, digest: &str, id: &str) -> Result<(Component, Code)> {
    let compiled = sandbox.cache.compile(&sandbox.engine, source.bytes(), digest);
    compiled.map_err(|error| not_running(id, &error))
}

/// Stages the component of `source`; blocks for as long as compiling takes.
///
/// # Errors
/// Names the stage that failed, and what to do.
pub(super) fn stage(sandbox: &Sandbox, config: &config::Plugins, source: Source<'_>) -> Result<Published> {
    let manifest = manifest::read(source.bytes())?;
    let id = &manifest.id;
    let (digest, origin, kept) = (source.digest(), source.origin(), source.kept(sandbox));
    let vitals = Vitals::new(id, config.limits_of(id), config.quarantine, sandbox.counts.of(id));
    // What nobody may ever ask for is looked at no further.
    if let (PluginKind::Provider, Some(kept)) = (manifest.kind, kept.clone()) {
        let version = provider(sandbox, config, vitals, Linked::later(kept, linked::provider));
        return Ok(publish_provider(config, origin, digest, manifest, version));
    }
    let compiled = || compile(sandbox, source, &digest, id).map(|(component, _)| component);
    if let Some(schema) = &manifest.settings {
        jsonschema::validator_for(&serde_json::Value::Object(schema.clone())).map_err(|error| {
            refused(format!("plugin `{id}`: the schema of its settings is no JSON Schema: {error}"))
        })?;
    }
    match manifest.kind {
        PluginKind::Provider => {
            let version = provider(sandbox, config, vitals, Linked::now(linked::provider(id, &compiled()?)?));
            // A plugin may refuse to describe itself without settings; what it may not is break its limits.
            if let Err(error) = WasmProvider(version.clone()).describe("{}")
                && error.fault() == Fault::Plugin
            {
                return Err(error);
            }
            Ok(publish_provider(config, origin, digest, manifest, version))
        }
        PluginKind::Tool => {
            let grants = grant::effective(&manifest, origin, config.grants.get(id));
            let code = match kept {
                Some(kept) => Linked::later(kept, linked::tools),
                None => Linked::now(linked::tools(id, &compiled()?)?),
            };
            let version = tool(sandbox, config, &manifest, origin, &grants, code, vitals)?;
            let specs = listed(&version)?;
            version.rest();
            let version = Arc::new(version);
            let plugin = Plugin::Tool(Arc::new(WasmTool::new(version.clone(), specs)));
            Ok(Published { manifest, origin, digest, grants, plugin, health: version })
        }
    }
}

fn publish_provider(
    config: &config::Plugins,
    origin: Origin,
    digest: String,
    manifest: Manifest,
    version: Arc<provider::Version>,
) -> Published {
    let grants = grant::effective(&manifest, origin, config.grants.get(&manifest.id));
    let plugin = Plugin::Provider(Arc::new(WasmProvider(version.clone())));
    Published { manifest, origin, digest, grants, plugin, health: version }
}

fn provider(
    sandbox: &Sandbox,
    config: &config::Plugins,
    vitals: Vitals,
    code: Linked<ProviderPluginPre<State>>,
) -> Arc<provider::Version> {
    Arc::new(provider::Version::new(vitals, code, config.idle_instances, &sandbox.pools))
}

fn tool(
    sandbox: &Sandbox,
    config: &config::Plugins,
    manifest: &Manifest,
    origin: Origin,
    grants: &Grants,
    code: Linked<ToolPluginPre<tool::State>>,
    vitals: Vitals,
) -> Result<tool::Version> {
    let id = vitals.id.clone();
    let none = config::Grant::default();
    let grant = config.grants.get(&*id).unwrap_or(&none);
    check_settings(manifest, grant)?;
    let means = match &sandbox.outside {
        None => Means::default(),
        Some(outside) => Means {
            door: Some(Arc::new(outside.egress.door(&id, &reach(grants, grant)?, outside.timeouts)?)),
            memory: Some(Memory::new(outside.store.clone(), &id, vitals.limits.kv)),
            runner: Some(outside.runner.clone()),
            space: Some(outside.space.clone()),
        },
    };
    let isolation = grant.isolation.unwrap_or(match origin {
        Origin::Bundled => Isolation::Warm,
        Origin::Directory => Isolation::Fresh,
    });
    let settings = serde_json::Value::Object(grant.settings.clone()).to_string();
    let (rights, apart) = (grants.granted.clone(), sandbox.apart.clone());
    let idle = config.idle_instances;
    Ok(tool::Version::new(vitals, code, rights, isolation, settings, means, apart, idle, &sandbox.pools))
}

/// What it says of its tools, whatever runs this: it is asked once, while it is loaded.
fn listed(version: &tool::Version) -> Result<Vec<Spec>> {
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => runtime.block_on(version.list()),
        Err(_) => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map_err(Error::internal)?.block_on(version.list())
        }
    }
}

fn check_settings(manifest: &Manifest, grant: &config::Grant) -> Result<()> {
    let id = &manifest.id;
    let Some(schema) = &manifest.settings else {
        if grant.settings.is_empty() {
            return Ok(());
        }
        return Err(refused(format!("plugin `{id}` has no settings; remove plugins.grants.{id}.settings")));
    };
    let schema = serde_json::Value::Object(schema.clone());
    let settings = serde_json::Value::Object(grant.settings.clone());
    jsonschema::validate(&schema, &settings).map_err(|error| {
        let place = error.instance_path().to_string().replace('/', ".");
        refused(format!("plugins.grants.{id}.settings{place}: {error}"))
    })
}

/// Where a tool may go, and the credentials that go with it.
fn reach(grants: &Grants, grant: &config::Grant) -> Result<Reach> {
    let mut secrets = Vec::new();
    for name in &grants.granted.secrets {
        let Some(bound) = grant.secrets.get(name) else { continue };
        let value = bound.value.resolve().map_err(|why| refused(format!("the credential `{name}`: {why}")))?;
        let place = match &bound.place {
            config::Place::Bearer => Credential::Bearer,
            config::Place::Header(name) => Credential::Header(name.clone()),
            config::Place::Query(name) => Credential::Query(name.clone()),
        };
        secrets.push(Secret { name: name.clone(), host: bound.host.clone(), place, value });
    }
    Ok(Reach {
        asked: grants.asked.hosts.clone(),
        allowed: grants.granted.hosts.clone(),
        networks: grant.networks.clone(),
        secrets,
    })
}

// === impl Source ===

impl<'s> Source<'s> {
    fn bytes(self) -> &'s [u8] {
        match self {
            Self::Bundled(bundled) => bundled.component,
            Self::File(bytes) => bytes,
        }
    }

    fn digest(self) -> String {
        match self {
            Self::Bundled(bundled) => bundled.digest.to_owned(),
            Self::File(bytes) => hex(&Sha256::digest(bytes)),
        }
    }

    fn origin(self) -> Origin {
        match self {
            Self::Bundled(_) => Origin::Bundled,
            Self::File(_) => Origin::Directory,
        }
    }

    /// What can be read again when it is needed, because it was compiled earlier.
    fn kept(self, sandbox: &Sandbox) -> Option<Kept> {
        let Self::Bundled(bundled) = self else { return None };
        let Sandbox { engine, cache, .. } = sandbox;
        cache.has(bundled.digest).then(|| Kept { engine: engine.clone(), cache: cache.clone(), bundled })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
