//! `POST /anthropic/v1/messages/count_tokens`.

use http::header::{HeaderName, HeaderValue};
use schemars::JsonSchema;
use serde::Serialize;

use super::request::{self, Purpose};
use crate::api::{State, speaker};
use crate::http::{Reply, Request};
use crate::model::Result;
use crate::service::Choice;

/// Says that nobody counted.
pub(super) const ESTIMATED: &str = "x-mortise-estimated";

/// The tokens of a request.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AnthropicTokenCount")]
pub(super) struct TokenCount {
    /// Tokens that the model would read.
    input_tokens: u64,
}

pub(super) async fn count(http: Request<State>) -> Result<Reply> {
    let (caller, raw) = (http.caller.clone(), http.body.clone());
    let betas = request::betas(&http.headers);
    let (state, body) = http.fields()?;
    let mut request = request::read(body, Purpose::Count)?;
    request.raw = Some(raw);
    request.extra.extend(betas);
    // What stands for them is written by this server, and isn't counted.
    speaker::take_own(&mut request)?;
    let model = request.model.clone();
    let choice = Choice { provider: None, model: Some(&model) };
    let (_, count) = state.chat.count_tokens(choice, request, &caller).await?;
    let mut reply = Reply::json(&TokenCount { input_tokens: count.tokens })?;
    if count.estimated {
        reply.headers.insert(HeaderName::from_static(ESTIMATED), HeaderValue::from_static("true"));
    }
    Ok(reply)
}
