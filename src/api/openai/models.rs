//! `GET /openai/v1/models` and `/models/{id}`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::api::State;
use crate::http::{Reply, Request};
use crate::model::provider::Model;
use crate::model::{Error, Kind, Result};

/// Models that can be asked.
#[derive(Serialize, JsonSchema)]
pub(super) struct ModelList {
    /// `list`.
    object: &'static str,
    /// Routes, then models by provider.
    data: Vec<ModelView>,
}

/// A model.
#[derive(Clone, Serialize, JsonSchema)]
#[schemars(rename = "Model")]
pub(super) struct ModelView {
    /// A route's name, or `provider/model`, which always names one.
    id: String,
    /// `model`.
    object: &'static str,
    /// When it was made, in Unix seconds; 0 where the provider doesn't tell.
    created: u64,
    /// Whose it is.
    owned_by: String,
}

pub(super) async fn list(request: Request<State>) -> Result<Reply> {
    Reply::json(&ModelList { object: "list", data: all(&request).await })
}

pub(super) async fn get(request: Request<State>) -> Result<Reply> {
    let id = request.parameter("id").to_owned();
    let found = all(&request).await.into_iter().find(|model| model.id == id || model.id.ends_with(&format!("/{id}")));
    let found = found.ok_or_else(|| {
        Error::caller(Kind::ModelNotFound, format!("Model not found: {id}; GET /openai/v1/models lists them"))
            .with_param("model")
    })?;
    Reply::json(&found)
}

/// Every route by its name, and every model as `provider/model`, which always names one.
async fn all(request: &Request<State>) -> Vec<ModelView> {
    let models = request.state.providers.models(&request.caller).await.into_iter();
    let view = |(provider, model): (String, Model)| ModelView {
        id: format!("{provider}/{}", model.id),
        object: "model",
        created: model.created.unwrap_or_default(),
        owned_by: model.owner.unwrap_or(provider),
    };
    let routes = request.state.providers.routes().keys().map(|name| ModelView {
        id: name.clone(),
        object: "model",
        created: 0,
        owned_by: "mortise".to_owned(),
    });
    routes.chain(models.map(view)).collect()
}
