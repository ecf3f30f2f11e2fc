//! The catalogue: which plugins are published. Readers take a snapshot; a change is one atomic swap.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use super::grant::Grants;
use super::manifest::Manifest;
use super::{Provider, Tool};
use crate::model::plugin::{Origin, State, Status};

/// A published version of a plugin.
pub struct Published {
    /// What it says of itself in the file.
    pub manifest: Manifest,
    /// Where it came from.
    pub origin: Origin,
    /// SHA-256 of the file, in hexadecimal.
    pub digest: String,
    /// What it may do.
    pub grants: Grants,
    /// The version itself.
    pub plugin: Plugin,
    /// How its guests are doing.
    pub health: Arc<dyn Health>,
}

/// A version, by its world.
#[derive(Clone)]
pub enum Plugin {
    /// A model provider.
    Provider(Arc<dyn Provider>),
    /// A set of tools.
    Tool(Arc<dyn Tool>),
}

/// How a version's guests are doing.
pub trait Health: Send + Sync {
    /// How often they trapped.
    fn traps(&self) -> u64;
    /// How many are alive.
    fn instances(&self) -> usize;
    /// Why the version is kept from requests, if it is.
    fn quarantine(&self) -> Option<String>;
    /// What a guest was last kept from, and what would allow it.
    fn denial(&self) -> Option<String> {
        None
    }
    /// How the programs that it starts are kept apart, once it is known.
    fn confinement(&self) -> Option<String> {
        None
    }
}

/// One plugin in the catalogue.
#[derive(Clone)]
pub struct Entry {
    /// The version that requests reach.
    pub published: Option<Arc<Published>>,
    /// Where the newest file came from.
    pub origin: Origin,
    /// The newest file, where there is one.
    pub file: Option<String>,
    /// Why the newest file isn't published.
    pub last_error: Option<String>,
}

/// All plugins at one moment, by id; a file whose id can't be read stands under its name.
#[derive(Clone, Default)]
pub struct Snapshot {
    /// See [`Entry`].
    pub entries: BTreeMap<String, Entry>,
}

/// See the module.
#[derive(Default)]
pub struct Catalog {
    current: ArcSwap<Snapshot>,
    /// Writers take turns.
    writing: Mutex<()>,
}

// === impl Catalog ===

impl Catalog {
    /// All plugins now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// Changes the catalogue in one swap.
    pub fn update(&self, change: impl FnOnce(&mut Snapshot)) {
        let _turn = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = Snapshot::clone(&self.current.load());
        change(&mut next);
        self.current.store(Arc::new(next));
    }
}

// === impl Published ===

impl Published {
    /// The provider, if it is one.
    pub fn provider(&self) -> Option<&Arc<dyn Provider>> {
        match &self.plugin {
            Plugin::Provider(provider) => Some(provider),
            Plugin::Tool(_) => None,
        }
    }

    /// The tools, if it brings some.
    pub fn tool(&self) -> Option<&Arc<dyn Tool>> {
        match &self.plugin {
            Plugin::Tool(tool) => Some(tool),
            Plugin::Provider(_) => None,
        }
    }
}

// === impl Snapshot ===

impl Snapshot {
    /// The published version of plugin `id`.
    pub fn published(&self, id: &str) -> Option<&Arc<Published>> {
        self.entries.get(id)?.published.as_ref()
    }

    /// A report on every plugin.
    pub fn statuses(&self) -> Vec<Status> {
        self.entries.iter().map(|(id, entry)| entry.status(id)).collect()
    }
}

// === impl Entry ===

impl Entry {
    fn status(&self, id: &str) -> Status {
        let published = self.published.as_deref();
        let quarantine = published.and_then(|published| published.health.quarantine());
        let state = match (published, &quarantine) {
            (Some(_), Some(_)) => State::Quarantined,
            (Some(_), None) => State::Ready,
            (None, _) => State::Failed,
        };
        Status {
            id: id.to_owned(),
            version: published.map(|published| published.manifest.version.clone()),
            kind: published.map(|published| published.manifest.kind.to_string()),
            description: published.map(|published| published.manifest.description.clone()),
            digest: published.map(|published| published.digest.clone()),
            origin: published.map_or(self.origin, |published| published.origin),
            file: self.file.clone(),
            state,
            asked: published.map(|published| published.grants.asked.clone()).unwrap_or_default(),
            granted: published.map(|published| published.grants.granted.clone()).unwrap_or_default(),
            last_denial: published.and_then(|published| published.health.denial()),
            confinement: published.and_then(|published| published.health.confinement()),
            last_error: self.last_error.clone().or(quarantine),
            traps: published.map_or(0, |published| published.health.traps()),
            instances: published.map_or(0, |published| published.health.instances()),
        }
    }
}
