//! The providers that callers can name: what the operator configured, and bundled plugins that need no configuration.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use futures_util::future::join_all;
use tokio::time::Instant;

use super::catalog::ModelCatalog;
use super::route::breaker::Circuit;
use super::vendor::Vendor;
use crate::config::{self, Isolation, Secret, Timeouts};
use crate::egress::Egress;
use crate::model::caller::Caller;
use crate::model::plugin::Origin;
use crate::model::provider::{Credential, Info, Model};
use crate::model::{Error, Fault, Kind, Result};
use crate::plugin::catalog::{Entry, Published};
use crate::plugin::drive::Bounds;
use crate::plugin::{Catalog, Snapshot};

/// A provider by the name that callers use.
pub struct Provider {
    /// The name.
    pub name: String,
    /// Whether the operator wrote it into the configuration.
    pub configured: bool,
    /// What serves it, or why nothing does.
    pub state: Result<Vendor>,
    /// Whether it is better not asked for a while; outlives a new version of the plugin.
    pub circuit: Arc<Circuit>,
    /// Further attempts after one that failed.
    pub retries: u32,
}

/// All providers, in step with the catalogue of plugins.
pub struct Providers {
    config: config::Config,
    egress: Egress,
    catalog: Arc<Catalog>,
    models: ModelCatalog,
    current: ArcSwap<Resolved>,
    resolving: Mutex<()>,
}

/// The providers that one state of the catalogue gives.
struct Resolved {
    snapshot: Arc<Snapshot>,
    /// When to try again what can't serve: a key's file may have come, an instance may be free.
    again: Option<Instant>,
    providers: Arc<BTreeMap<String, Arc<Provider>>>,
}

// === impl Providers ===

impl Providers {
    /// The providers of `config` over the plugins of `catalog`, with what `models` knows of theirs.
    pub fn new(config: config::Config, egress: Egress, catalog: Arc<Catalog>, models: ModelCatalog) -> Self {
        let empty = Resolved { snapshot: Arc::default(), again: None, providers: Arc::default() };
        Self { config, egress, catalog, models, current: ArcSwap::from_pointee(empty), resolving: Mutex::default() }
    }

    /// All providers now.
    pub fn all(&self) -> Arc<BTreeMap<String, Arc<Provider>>> {
        let snapshot = self.catalog.snapshot();
        let current = self.current.load();
        if current.holds(&snapshot) {
            return current.providers.clone();
        }
        let _turn = self.resolving.lock().unwrap_or_else(PoisonError::into_inner);
        let current = self.current.load();
        // Somebody else may have been faster.
        let snapshot = self.catalog.snapshot();
        if current.holds(&snapshot) {
            return current.providers.clone();
        }
        let providers = Arc::new(self.resolve(&snapshot, &current.providers));
        let broken = providers.values().any(|provider| provider.configured && provider.state.is_err());
        let again = broken.then(|| Instant::now() + AGAIN);
        self.current.store(Arc::new(Resolved { snapshot, again, providers: providers.clone() }));
        providers
    }

    /// The provider that answers who names none.
    pub fn default(&self) -> Result<Arc<Provider>> {
        let all = self.all();
        if let Some(name) = &self.config.default_provider {
            return self.get(name);
        }
        let ready = || all.values().filter(|provider| provider.state.is_ok());
        ready()
            .find(|provider| provider.name != ECHO)
            .or_else(|| ready().next())
            .cloned()
            .ok_or_else(|| Error::caller(Kind::ProviderNotFound, "no provider is configured; add one under providers"))
    }

    /// The provider `name`.
    ///
    /// # Errors
    /// Names those that there are.
    pub fn get(&self, name: &str) -> Result<Arc<Provider>> {
        let all = self.all();
        all.get(name).cloned().ok_or_else(|| {
            let known: Vec<&str> =
                all.values().filter(|provider| provider.state.is_ok()).map(|provider| provider.name.as_str()).collect();
            Error::caller(
                Kind::ProviderNotFound,
                format!("Provider not found: {name}; available: {}", known.join(", ")),
            )
            .with_param("provider")
        })
    }

    /// The models of all providers, by the provider's name, as each vendor lists them to `caller`.
    pub async fn models(&self, caller: &Caller) -> Vec<(String, Model)> {
        let all = self.all();
        let lists = all.values().filter_map(|provider| {
            let vendor = provider.state.as_ref().ok()?;
            Some(async move {
                let models = vendor.models(caller).await;
                let permitted = models.iter().filter(|model| caller.may_ask(None, &provider.name, &model.id));
                permitted.map(|model| (provider.name.clone(), model.clone())).collect::<Vec<_>>()
            })
        });
        join_all(lists).await.into_iter().flatten().collect()
    }

    /// `models`: names for callers, and who serves them.
    pub fn routes(&self) -> &BTreeMap<String, config::Route> {
        &self.config.models
    }

    /// `cache`.
    pub fn cache(&self) -> config::Cache {
        self.config.cache
    }

    /// `routing`.
    pub fn rules(&self) -> &config::Routing {
        &self.config.routing
    }

    fn resolve(
        &self,
        snapshot: &Snapshot,
        before: &BTreeMap<String, Arc<Provider>>,
    ) -> BTreeMap<String, Arc<Provider>> {
        let none = config::Provider::default();
        let configured = self.config.providers.iter().map(|(name, entry)| (name, entry, true));
        // A plugin of tools is nobody to ask.
        let asked = |entry: &Entry| entry.published.as_ref().is_none_or(|published| published.provider().is_some());
        let implied = snapshot
            .entries
            .iter()
            .filter(|(id, entry)| !self.config.providers.contains_key(*id) && asked(entry))
            .map(|(id, _)| (id, &none, false));
        let mut providers = BTreeMap::new();
        for (name, entry, configured) in configured.chain(implied) {
            let plugin = entry.plugin.as_deref().unwrap_or(name);
            let published = snapshot.published(plugin);
            // A provider whose plugin is the same stays as it is, and so does what it has learned of its models.
            let same = before.get(name).filter(|provider| {
                matches!((&provider.state, published), (Ok(vendor), Some(published)) if Arc::ptr_eq(&vendor.published, published))
            });
            let provider = match same {
                Some(provider) => provider.clone(),
                None => Arc::new(Provider {
                    name: name.clone(),
                    configured,
                    state: self.vendor(name, plugin, entry, snapshot).inspect_err(|_| {
                        // All of those that are bundled are looked at, and few are ever of use.
                        if let Some(guest) = published.and_then(|published| published.provider()) {
                            guest.rest();
                        }
                    }),
                    circuit: match before.get(name) {
                        Some(before) => before.circuit.clone(),
                        None => Circuit::new(self.config.routing.breaker),
                    },
                    retries: entry.retries.unwrap_or(self.config.routing.retries),
                }),
            };
            providers.insert(name.clone(), provider);
        }
        providers
    }

    fn vendor(&self, name: &str, plugin: &str, entry: &config::Provider, snapshot: &Snapshot) -> Result<Vendor> {
        let Some(published) = snapshot.published(plugin) else {
            let reason = snapshot.entries.get(plugin).and_then(|entry| entry.last_error.clone());
            return Err(unavailable(match reason {
                Some(reason) => format!("provider `{name}`: plugin `{plugin}` was not loaded: {reason}"),
                None => format!(
                    "provider `{name}`: there is no plugin `{plugin}`; put {plugin}.wasm into plugins.directory"
                ),
            }));
        };
        let Some(guest) = published.provider() else {
            return Err(unavailable(format!(
                "provider `{name}`: plugin `{plugin}` brings tools, no models; set providers.{name}.plugin"
            )));
        };
        check_settings(name, entry, published)?;
        let settings = serde_json::Value::Object(entry.settings.clone()).to_string();
        let info = guest.describe(&settings)?;
        let timeouts = self.config.egress.timeouts.with(&entry.timeouts);
        let target = match entry.base_url.as_ref().or(info.base_url.as_ref()) {
            None => None,
            Some(base_url) => {
                if entry.base_url.is_none() && !published.grants.allow(base_url) {
                    return Err(unavailable(format!(
                        "plugin `{plugin}` may not reach {base_url}; add it to plugins.grants.{plugin}.hosts, or set providers.{name}.base_url"
                    )));
                }
                let secret = secret(name, entry, &info, published)?;
                Some(Arc::new(self.egress.target(name, base_url, &info.credential, secret.as_deref(), timeouts)?))
            }
        };
        let isolation = entry.isolation.unwrap_or(match published.origin {
            Origin::Bundled => Isolation::Warm,
            Origin::Directory => Isolation::Fresh,
        });
        let bounds = self.bounds(plugin, timeouts);
        // Whoever is reached at another address may have other models of the same names.
        let known = entry
            .preset
            .as_deref()
            .or_else(|| (published.origin == Origin::Bundled && entry.base_url.is_none()).then_some(plugin));
        Ok(Vendor::new(
            name,
            published.clone(),
            guest.clone(),
            info,
            settings,
            self.egress.clone(),
            target,
            isolation,
            bounds,
            entry.default_model.clone(),
            known.and_then(|vendor| self.models.vendor(vendor)),
        ))
    }

    fn bounds(&self, plugin: &str, timeouts: Timeouts) -> Bounds {
        let plugins = &self.config.plugins;
        let limits = plugins.limits_of(plugin);
        Bounds {
            requests: limits.requests,
            output: limits.output,
            total: timeouts.total,
            first_token: Some(timeouts.first_token),
        }
    }
}

impl Resolved {
    fn holds(&self, snapshot: &Arc<Snapshot>) -> bool {
        Arc::ptr_eq(&self.snapshot, snapshot) && self.again.is_none_or(|again| Instant::now() < again)
    }
}

/// How long a provider that can't serve is left alone.
const AGAIN: Duration = Duration::from_secs(2);

/// The provider that needs nobody: the default only where there is no other.
const ECHO: &str = "echo";

/// The key, if one is needed and found.
fn secret(name: &str, entry: &config::Provider, info: &Info, published: &Published) -> Result<Option<String>> {
    if info.credential == Credential::None {
        return Ok(None);
    }
    if let Some(secret) = &entry.api_key {
        return secret.resolve().map(Some).map_err(|error| match secret {
            Secret::Env(_) => unavailable(format!("provider `{name}` has no key: api_key: {error}")),
            // Where files are is nobody's business but the operator's.
            Secret::File(_) => {
                let cure = "its api_key names a file that can't be used; the server's log tells why";
                unavailable(format!("provider `{name}` has no key: {cure}")).with_private(error)
            }
        });
    }
    // A signature tells no key, wherever it goes.
    if let Credential::SigV4 { .. } = info.credential {
        return aws_keys(name).map(Some);
    }
    // An address that the operator chose may belong to another vendor: it gets no key that wasn't meant for it.
    if entry.base_url.is_some() {
        return Ok(None);
    }
    // A plugin from the directory could name any variable.
    let variable = info.key_variable.as_ref().filter(|_| published.origin == Origin::Bundled);
    let from_environment = variable.map(|variable| Secret::Env(variable.clone()));
    match (from_environment.map(|secret| secret.resolve()), variable) {
        (Some(Ok(secret)), _) => Ok(Some(secret)),
        (_, Some(variable)) => Err(unavailable(format!(
            "provider `{name}` has no key; set {variable}, or providers.{name}.api_key to env:NAME or file:PATH"
        ))),
        (_, None) => Err(unavailable(format!(
            "provider `{name}` has no key; set providers.{name}.api_key to env:NAME or file:PATH"
        ))),
    }
}

/// Keys as AWS's own programs find them in the environment.
fn aws_keys(provider: &str) -> Result<String> {
    let variable = |name: &str| Secret::Env(name.into()).resolve();
    match (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"), variable("AWS_SESSION_TOKEN")) {
        (Ok(id), Ok(secret), Ok(token)) => Ok(format!("{id}:{secret}:{token}")),
        (Ok(id), Ok(secret), Err(_)) => Ok(format!("{id}:{secret}")),
        _ => Err(unavailable(format!(
            "provider `{provider}` has no key; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or providers.{provider}.api_key \
             to a reference to ACCESS_KEY_ID:SECRET_ACCESS_KEY"
        ))),
    }
}

fn check_settings(name: &str, entry: &config::Provider, published: &Published) -> Result<()> {
    let settings = serde_json::Value::Object(entry.settings.clone());
    match &published.manifest.settings {
        None if entry.settings.is_empty() => Ok(()),
        None => Err(unavailable(format!("provider `{name}`: plugin `{}` has no settings", published.manifest.id))),
        Some(schema) => jsonschema::validate(&serde_json::Value::Object(schema.clone()), &settings)
            .map_err(|error| unavailable(format!("providers.{name}.settings{}: {error}", error.instance_path()))),
    }
}

/// A provider that can't serve until somebody does what the sentence says.
fn unavailable(message: String) -> Error {
    Error::new(Kind::Unavailable, Fault::Us, message)
}
