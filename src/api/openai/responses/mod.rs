//! `/openai/v1/responses`: for every provider, whose vendor need not know what was said before.

mod answer;
mod event;
mod items;
mod open;
mod request;
mod schema;
mod sealed;
mod stream;
mod tools;
mod wire;

#[cfg(test)]
mod round_trip;
#[cfg(test)]
mod tests;

use http::header::USER_AGENT;
use http::{HeaderMap, Method};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use self::answer::{Frame, Progress, end};
use self::request::{Asked, DIALECT};
use self::stream::Streamer;
use super::{PROVIDER, SURFACE, examples};
use crate::api::speaker::Speaker;
use crate::api::{State, served};
use crate::http::endpoint::answer;
use crate::http::{Endpoint, Reply, Request, sse};
use crate::model::chat::{Message, StopReason};
use crate::model::{Error, Result};
use crate::service::Chosen;
use crate::service::answer::Answer;
use crate::service::responses::Keep;

/// The endpoint at `path`, which the API document calls `id`.
pub(super) fn endpoint(path: &'static str, id: &'static str) -> Endpoint<State> {
    Endpoint::post(&SURFACE, path, |request| answer(create(request)))
        .named(id, "Asks a model, in the words of OpenAI's Responses API.")
        .described(
            "Answers are kept for a while unless `store` is false, so that `previous_response_id` can name one to go on \
             from, whoever gave it; `conversation` is refused. With `stream`, the answer is server-sent events whose names are the types of \
             their data; one that breaks off ends in `response.failed`. A tool of type `mortise` with a `name` is one of this \
             server's, which it uses on the way.",
        )
        .takes::<schema::CreateResponse>("The conversation so far.", examples::response_request)
        .gives::<wire::Response<'_>>("The whole answer.", examples::response)
        .streams::<event::Said<'_>>("Or the answer, piece by piece.", examples::response_event)
        .fails(PROVIDER)
}

async fn create(http: Request<State>) -> Result<Reply> {
    let (id, caller) = (http.id.clone(), http.caller.clone());
    let (raw, lenient, wish) = (http.body.clone(), is_codex(&http.headers), served::wish(&http.headers)?);
    let (state, body) = http.fields()?;
    let Asked { mut request, names, shown, previous, store } = request::read(body, lenient)?;
    // Instructions are told anew each time.
    let first = usize::from(shown.instructions.is_some());
    let keep = store.then(|| {
        let input = request.messages.iter().skip(first).cloned().collect();
        state.responses.keep(caller.owner(), previous.clone(), input)
    });
    match &previous {
        None => request.raw = Some(raw),
        Some(previous) => {
            let before = state.responses.before(caller.owner(), previous).await?;
            request.messages.splice(first..first, before);
        }
    }
    let streaming = request.streaming;
    let turn = Speaker::answer(&state, wish, request, &caller).await?;
    let chosen = turn.chosen();
    let mut frame = Frame::new(chosen.model.clone(), state.clock.unix(), shown, names, speaks(chosen));
    (frame.store, frame.previous) = (keep.is_some(), previous);
    if streaming {
        let served = turn.served();
        let streamer = Streamer::new(turn, id, frame, keep);
        let reply = Reply::events(sse::KeepAlive::new(streamer.into_stream(), state.keep_alive));
        return Ok(served::dress(reply, &served));
    }
    let (mut answer, _) = turn.collect().await?;
    let served = std::mem::take(&mut answer.served);
    Ok(served::dress(whole(answer, frame, keep).await?, &served))
}

/// The answer in one piece.
async fn whole(answer: Answer, mut frame: Frame, keep: Option<Keep>) -> Result<Reply> {
    let said = keep.is_some().then(|| answer.clone().into_message());
    let Answer { id, model, parts, annotations, stop, usage, extra, .. } = answer;
    frame.named(id, model);
    extra.into_iter().for_each(|field| frame.add(field));
    let (status, incomplete) = end(stop.map_or(StopReason::Complete, |stop| stop.reason));
    let output = frame.items(parts, &annotations, status);
    let progress = Progress { status, output: &output, incomplete, usage, error: None };
    if let (Some(keep), Some(said)) = (keep, said) {
        let body = serde_json::to_value(frame.response(progress.clone())).map_err(Error::internal)?;
        frame.store = kept(keep, &frame.id, body, said).await;
    }
    Reply::json(&frame.response(progress))
}

/// Keeps an answer, and tells whether it is kept: the caller is told so too, and has the answer all the same.
async fn kept(keep: Keep, id: &str, body: Value, said: Message) -> bool {
    match keep.keep(id, body, said).await {
        Ok(()) => true,
        Err(error) => {
            tracing::error!(response = id, error = error.to_string(), "an answer can't be kept");
            false
        }
    }
}

/// An answer that is gone.
#[derive(Serialize, JsonSchema)]
pub(super) struct DeletedResponse {
    /// The answer.
    id: String,
    /// `response`.
    object: &'static str,
    /// Always true.
    deleted: bool,
}

/// Endpoints of one answer at `path`, which the API document calls `get` and `delete`.
pub(super) fn one(path: &'static str, get: &'static str, delete: &'static str) -> [Endpoint<State>; 2] {
    let named = |endpoint: Endpoint<State>| endpoint.parameter("response_id", "The answer.", RESPONSE).fails(&[404]);
    [
        named(Endpoint::get(&SURFACE, path, |request| answer(show(request))))
            .named(get, "An answer that was kept, as it was given.")
            .gives::<wire::Response<'_>>("The answer.", examples::response),
        named(Endpoint::new(Method::DELETE, &SURFACE, path, |request| answer(remove(request))))
            .named(delete, "Takes an answer out; nothing can go on from it any more.")
            .gives::<DeletedResponse>("It is gone.", || json!({"id": RESPONSE, "object": "response", "deleted": true})),
    ]
}

const RESPONSE: &str = "resp_0198c0a1b2c37d4e8f90a1b2c3d4e5f6";

async fn show(request: Request<State>) -> Result<Reply> {
    Reply::json(&request.state.responses.get(request.caller.owner(), request.parameter("response_id")).await?)
}

async fn remove(request: Request<State>) -> Result<Reply> {
    let id = request.parameter("response_id");
    request.state.responses.delete(request.caller.owner(), id).await?;
    Reply::json(&DeletedResponse { id: id.to_owned(), object: "response", deleted: true })
}

/// Whether the provider was given the caller's own body.
fn speaks(chosen: &Chosen) -> bool {
    chosen.vendor().is_ok_and(|vendor| vendor.info.dialects.iter().any(|dialect| dialect == DIALECT))
}

/// Whether OpenAI's coding agent asks: it offers a search in the web to every model, and can do without.
fn is_codex(headers: &HeaderMap) -> bool {
    ["originator", USER_AGENT.as_str()].into_iter().any(|name| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.is_some_and(|value| value.to_ascii_lowercase().starts_with("codex"))
    })
}
