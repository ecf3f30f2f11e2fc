//! `GET /anthropic/v1/models` and `/models/{id}`.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::State;
use crate::http::{Reply, Request};
use crate::model::provider::Model;
use crate::model::{Error, Kind, Result};

/// How many models a page has, unless the caller says.
const PAGE: usize = 20;
/// How many it may have.
const LARGEST_PAGE: usize = 1000;

/// A page of the models that can be asked.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AnthropicModelList")]
pub(super) struct ModelList {
    /// By provider.
    data: Vec<ModelView>,
    /// Whether there are more on that side.
    has_more: bool,
    /// The first one's id, for the page before.
    first_id: Option<String>,
    /// The last one's id, for the next page.
    last_id: Option<String>,
}

/// A model.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AnthropicModel")]
pub(super) struct ModelView {
    /// `model`.
    r#type: &'static str,
    /// `provider/model`, which always names one.
    id: String,
    /// Its name for people.
    display_name: String,
    /// When it was made; 1970 where the provider doesn't tell.
    created_at: String,
    /// The most tokens that it reads, where that is known.
    max_input_tokens: Option<u32>,
    /// The most tokens that it writes, where that is known.
    max_tokens: Option<u32>,
}

pub(super) async fn list(request: Request<State>) -> Result<Reply> {
    let limit = match request.query("limit") {
        None => PAGE,
        Some(limit) => limit
            .parse()
            .ok()
            .filter(|limit| (1..=LARGEST_PAGE).contains(limit))
            .ok_or_else(|| wrong("limit", &format!("expected a whole number between 1 and {LARGEST_PAGE}")))?,
    };
    let (after, before) = (request.query("after_id"), request.query("before_id"));
    let models = all(&request).await;
    let place = |name: &str, id: &str| {
        let place = models.iter().position(|model| model.id == id);
        place.ok_or_else(|| wrong(name, "there is no such model; take first_id or last_id of a page"))
    };
    let (begin, end, has_more) = match (after, before) {
        (Some(_), Some(_)) => return Err(wrong("before_id", "it can't be told together with after_id")),
        (None, Some(before)) => {
            let end = place("before_id", &before)?;
            let begin = end.saturating_sub(limit);
            (begin, end, begin > 0)
        }
        (after, None) => {
            let begin = after.map_or(Ok(0), |after| place("after_id", &after).map(|place| place + 1))?;
            let end = begin.saturating_add(limit).min(models.len());
            (begin, end, end < models.len())
        }
    };
    let data: Vec<ModelView> = models.into_iter().take(end).skip(begin).collect();
    let id = |model: Option<&ModelView>| model.map(|model| model.id.clone());
    let (first_id, last_id) = (id(data.first()), id(data.last()));
    Reply::json(&ModelList { data, has_more, first_id, last_id })
}

pub(super) async fn get(request: Request<State>) -> Result<Reply> {
    let id = request.parameter("id").to_owned();
    let found = all(&request).await.into_iter().find(|model| model.id == id || model.id.ends_with(&format!("/{id}")));
    let found = found.ok_or_else(|| {
        Error::caller(Kind::ModelNotFound, format!("Model not found: {id}; GET /anthropic/v1/models lists them"))
            .with_param("model")
    })?;
    Reply::json(&found)
}

async fn all(request: &Request<State>) -> Vec<ModelView> {
    let view = |(provider, model): (String, Model)| {
        let created = model.created.and_then(|seconds| i64::try_from(seconds).ok());
        let created = created.and_then(|seconds| Timestamp::from_second(seconds).ok()).unwrap_or(Timestamp::UNIX_EPOCH);
        ModelView {
            r#type: "model",
            id: format!("{provider}/{}", model.id),
            display_name: model.name.unwrap_or(model.id),
            created_at: created.to_string(),
            max_input_tokens: model.context_window,
            max_tokens: model.max_output,
        }
    };
    let routes = request.state.providers.routes().keys().map(|name| ModelView {
        r#type: "model",
        id: name.clone(),
        display_name: name.clone(),
        created_at: Timestamp::UNIX_EPOCH.to_string(),
        max_input_tokens: None,
        max_tokens: None,
    });
    routes.chain(request.state.providers.models(&request.caller).await.into_iter().map(view)).collect()
}

fn wrong(name: &str, what: &str) -> Error {
    Error::invalid(name, format!("Invalid value for {name}: {what}"))
}
