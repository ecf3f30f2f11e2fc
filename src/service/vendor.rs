//! One provider, ready to be asked: its plugin, its settings, the vendor behind it, what is known of its models.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::catalog::{Models, told};
use crate::config::Isolation;
use crate::egress::{Egress, Target};
use crate::model::Result;
use crate::model::caller::Caller;
use crate::model::provider::{Info, Model, Operation, Output, Price};
use crate::plugin::catalog::Published;
use crate::plugin::drive::{Bounds, Drive, Way, Work};
use crate::plugin::{Provider, Tenancy};

/// How long a vendor's own list of models is believed.
const MODELS_FRESH: Duration = Duration::from_secs(300);
/// How long after a failure it is asked again.
const MODELS_RETRY: Duration = Duration::from_secs(30);
/// How long a list of models may take.
const MODELS_TIMEOUT: Duration = Duration::from_secs(5);

/// See the module.
pub struct Vendor {
    way: Way,
    /// The plugin's version.
    pub published: Arc<Published>,
    plugin: Arc<dyn Provider>,
    /// What it says of itself.
    pub info: Arc<Info>,
    settings: Arc<str>,
    isolation: Isolation,
    bounds: Bounds,
    default_model: Option<String>,
    /// What is known of its models without asking.
    catalog: Option<Arc<Models>>,
    listed: Mutex<Listed>,
}

/// What is known of the models, by the plugin or, once it was asked, by the vendor.
struct Listed {
    models: Arc<Vec<Model>>,
    until: Option<Instant>,
}

// === impl Vendor ===

impl Vendor {
    #[expect(clippy::too_many_arguments, reason = "it is made in one place, of parts that have no other order")]
    pub(super) fn new(
        name: &str,
        published: Arc<Published>,
        plugin: Arc<dyn Provider>,
        info: Arc<Info>,
        settings: String,
        egress: Egress,
        target: Option<Arc<Target>>,
        isolation: Isolation,
        bounds: Bounds,
        default_model: Option<String>,
        catalog: Option<Arc<Models>>,
    ) -> Self {
        let models = Arc::new(told(info.models.clone(), catalog.as_deref()));
        Self {
            published,
            plugin,
            listed: Mutex::new(Listed { models, until: None }),
            catalog,
            info,
            settings: settings.into(),
            way: Way { provider: name.into(), egress, target },
            isolation,
            bounds,
            default_model,
        }
    }

    /// Begins an operation for `caller`; `streaming` says whether the answer comes word by word.
    ///
    /// # Errors
    /// If no guest can be had, or it fails at once.
    pub async fn begin(&self, operation: Operation, streaming: bool, caller: &Caller) -> Result<Drive> {
        self.begin_since(Instant::now(), operation, streaming, caller).await
    }

    /// The same for an operation of which all attempts together have gone on since then.
    ///
    /// # Errors
    /// If no guest can be had, or it fails at once.
    pub async fn begin_since(
        &self,
        since: Instant,
        operation: Operation,
        streaming: bool,
        caller: &Caller,
    ) -> Result<Drive> {
        let operation = match operation {
            Operation::Chat(request) => {
                let (most, dialects) = (self.max_output(&request.model), &self.info.dialects);
                Operation::Chat(request.for_dialects(dialects).bounded(most, dialects))
            }
            Operation::CountTokens(request) => Operation::CountTokens(request.for_dialects(&self.info.dialects)),
            other => other,
        };
        let tenancy = Tenancy { isolation: self.isolation, principal: caller.principal.clone() };
        let bounds = Bounds { first_token: self.bounds.first_token.filter(|_| streaming), ..self.bounds };
        let work = Work { operation, settings: self.settings.clone(), tenancy, trace: caller.trace.clone(), since };
        Drive::begin(&self.plugin, work, self.way.clone(), bounds).await
    }

    /// How long an operation may take, all attempts together.
    pub fn total(&self) -> Duration {
        self.bounds.total
    }

    /// The longest answer of `model`, if that is known.
    fn max_output(&self, model: &str) -> Option<u32> {
        self.known_models().iter().find(|known| known.id == model)?.max_output
    }

    /// What `model` costs, if that is known.
    pub fn price(&self, model: &str) -> Option<Price> {
        self.known_models().iter().find(|known| known.id == model)?.price
    }

    /// Host and port of the vendor, if there is one.
    pub fn server(&self) -> Option<(&str, u16)> {
        self.way.target.as_deref().map(Target::server)
    }

    /// Whether `model` is one that the operator, the plugin or the vendor names.
    pub fn vouches_for(&self, model: &str) -> bool {
        self.default_model.as_deref() == Some(model) || self.known_models().iter().any(|known| known.id == model)
    }

    /// Whether there is a vendor who may know more models than the plugin does.
    pub fn is_remote(&self) -> bool {
        self.way.target.is_some()
    }

    /// Whether it may have models that it doesn't list: a vendor may know more than the plugin does, and a plugin that lists
    /// none takes any.
    pub fn is_open(&self) -> bool {
        self.is_remote() || self.info.models.is_empty()
    }

    /// The model of a caller who names none.
    pub fn default_model(&self) -> Option<String> {
        // Not the first one that the vendor lists: its order means nothing.
        self.default_model.clone().or_else(|| self.info.models.first().map(|model| model.id.clone()))
    }

    /// The models that are known without asking now.
    pub fn known_models(&self) -> Arc<Vec<Model>> {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner).models.clone()
    }

    /// The models, as the vendor lists them if it can be asked, else as the plugin knows them.
    pub async fn models(&self, caller: &Caller) -> Arc<Vec<Model>> {
        {
            let mut listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            if !self.is_remote() || listed.until.is_some_and(|until| now < until) {
                drop(listed);
                return self.known_models();
            }
            // Whoever comes next doesn't ask at the same time.
            listed.until = Some(now + MODELS_RETRY);
        }
        match tokio::time::timeout(MODELS_TIMEOUT, self.ask_models(caller)).await {
            Ok(Ok(models)) if !models.is_empty() => {
                let models = self.merged(models);
                let mut listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
                listed.models = Arc::new(models);
                listed.until = Some(Instant::now() + MODELS_FRESH);
            }
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                tracing::debug!(
                    provider = &*self.way.provider,
                    error = error.to_string(),
                    "the vendor didn't list its models"
                )
            }
            Err(_) => tracing::debug!(provider = &*self.way.provider, "the vendor didn't list its models in time"),
        }
        self.known_models()
    }

    /// What the vendor lists, with what the plugin and the catalogue know of it.
    fn merged(&self, mut listed: Vec<Model>) -> Vec<Model> {
        for model in &mut listed {
            if let Some(known) = self.info.models.iter().find(|known| known.id == model.id) {
                model.learn(known);
            }
            if let Some(facts) = self.catalog.as_ref().and_then(|catalog| catalog.get(&model.id)) {
                facts.tell(model);
            }
        }
        listed
    }

    async fn ask_models(&self, caller: &Caller) -> Result<Vec<Model>> {
        let mut drive = self.begin(Operation::ListModels, false, caller).await?;
        let mut models = Vec::new();
        while let Some(outputs) = drive.outputs().await? {
            for output in outputs {
                if let Output::Models(mut some) = output {
                    models.append(&mut some);
                }
            }
        }
        Ok(models)
    }
}
