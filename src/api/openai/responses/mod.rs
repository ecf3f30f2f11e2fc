//! `POST /openai/v1/responses`: without memory, for every provider.

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

use http::HeaderMap;
use http::header::USER_AGENT;

use self::answer::{Frame, Progress, end};
use self::request::{Asked, DIALECT};
use self::stream::Streamer;
use super::{PROVIDER, SURFACE, examples};
use crate::api::{State, served};
use crate::http::endpoint::answer;
use crate::http::{Endpoint, Reply, Request, sse};
use crate::model::Result;
use crate::model::chat::StopReason;
use crate::service::answer::Answer;
use crate::service::{Choice, Turn};

/// The endpoint at `path`, which the API document calls `id`.
pub(super) fn endpoint(path: &'static str, id: &'static str) -> Endpoint<State> {
    Endpoint::post(&SURFACE, path, |request| answer(create(request)))
        .named(id, "Asks a model, in the words of OpenAI's Responses API.")
        .described(
            "Answers are not kept: every request holds the whole conversation, and `previous_response_id` and \
             `conversation` are refused. With `stream`, the answer is server-sent events whose names are the types of \
             their data; one that breaks off ends in `response.failed`.",
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
    let Asked { mut request, names, shown } = request::read(body, lenient)?;
    request.raw = Some(raw);
    let model = request.model.clone();
    let streaming = request.streaming;
    let turn = state.chat.begin_with(wish, Choice { provider: None, model: Some(&model) }, request, &caller).await?;
    let frame = Frame::new(turn.chosen.model.clone(), state.clock.unix(), shown, names, speaks(&turn));
    if streaming {
        let served = turn.served();
        let streamer = Streamer::new(turn, id, frame);
        let reply = Reply::events(sse::KeepAlive::new(streamer.into_stream(), state.keep_alive));
        return Ok(served::dress(reply, &served));
    }
    let mut answer = turn.collect().await?;
    let served = std::mem::take(&mut answer.served);
    Ok(served::dress(whole(answer, frame)?, &served))
}

/// The answer in one piece.
fn whole(answer: Answer, mut frame: Frame) -> Result<Reply> {
    let Answer { id, model, parts, annotations, stop, usage, extra, .. } = answer;
    frame.named(id, model);
    extra.into_iter().for_each(|field| frame.add(field));
    let (status, incomplete) = end(stop.map_or(StopReason::Complete, |stop| stop.reason));
    let output = frame.items(parts, &annotations, status);
    Reply::json(&frame.response(Progress { status, output: &output, incomplete, usage, error: None }))
}

/// Whether the provider was given the caller's own body.
fn speaks(turn: &Turn) -> bool {
    turn.chosen.vendor().is_ok_and(|vendor| vendor.info.dialects.iter().any(|dialect| dialect == DIALECT))
}

/// Whether OpenAI's coding agent asks: it offers a search in the web to every model, and can do without.
fn is_codex(headers: &HeaderMap) -> bool {
    ["originator", USER_AGENT.as_str()].into_iter().any(|name| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.is_some_and(|value| value.to_ascii_lowercase().starts_with("codex"))
    })
}
