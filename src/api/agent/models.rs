//! Models and providers, as agents choose them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::api::State;
use crate::http::{Reply, Request};
use crate::model::Result;
use crate::service::provider::Provider;

/// Models that can be asked.
#[derive(Serialize, JsonSchema)]
pub(super) struct AgentModels {
    /// By provider.
    models: Vec<AgentModel>,
}

/// A model.
#[derive(Serialize, JsonSchema)]
struct AgentModel {
    /// What callers name it.
    id: String,
    /// For people.
    name: String,
    /// Who has it.
    provider: String,
    /// Tokens that it reads at once; null where that is not known.
    context_window: Option<u32>,
    /// Whether it sees images.
    supports_vision: bool,
    /// Whether it calls tools.
    supports_function_calling: bool,
}

/// Who can be asked.
#[derive(Serialize, JsonSchema)]
pub(super) struct AgentProviders {
    /// In the order of their names.
    providers: Vec<AgentProvider>,
    /// The model that is asked where none is named; null where there is none.
    default_model: Option<String>,
}

/// A provider.
#[derive(Serialize, JsonSchema)]
struct AgentProvider {
    /// What callers name it.
    id: String,
    /// For people.
    name: String,
    /// Whether it can be asked.
    configured: bool,
    /// How many models of it are known; none where it can't be asked.
    models_count: usize,
}

pub(super) async fn models(request: Request<State>) -> Result<Reply> {
    let wanted = request.query("provider").filter(|name| !name.is_empty());
    let providers = &request.state.providers;
    if let Some(name) = &wanted {
        providers.get(name)?;
    }
    let all = providers.all();
    let mut models = Vec::new();
    for provider in all.values().filter(|provider| wanted.as_ref().is_none_or(|name| *name == provider.name)) {
        let Ok(vendor) = &provider.state else { continue };
        for model in vendor.models(&request.caller).await.iter() {
            models.push(AgentModel {
                name: model.name.clone().unwrap_or_else(|| model.id.clone()),
                id: model.id.clone(),
                provider: provider.name.clone(),
                context_window: model.context_window,
                supports_vision: model.vision.unwrap_or(vendor.info.vision),
                supports_function_calling: model.tools.unwrap_or(vendor.info.tools),
            });
        }
    }
    Reply::json(&AgentModels { models })
}

pub(super) async fn providers(request: Request<State>) -> Result<Reply> {
    let providers = &request.state.providers;
    let all: std::sync::Arc<BTreeMap<String, std::sync::Arc<Provider>>> = providers.all();
    let view = |provider: &std::sync::Arc<Provider>| {
        let vendor = provider.state.as_ref().ok();
        AgentProvider {
            id: provider.name.clone(),
            name: vendor.map_or_else(|| provider.name.clone(), |vendor| vendor.info.name.clone()),
            configured: vendor.is_some(),
            models_count: vendor.map_or(0, |vendor| vendor.known_models().len()),
        }
    };
    let default = providers.default().ok();
    let default_model = default.and_then(|provider| provider.state.as_ref().ok()?.default_model());
    Reply::json(&AgentProviders { providers: all.values().map(view).collect(), default_model })
}
