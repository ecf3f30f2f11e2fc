//! `POST /anthropic/v1/messages`.

use super::content::{self, Block};
use super::ending::{Extra, stop_reason};
use super::request::{self, DIALECT, Purpose};
use super::stream::{PING, Streamer};
use super::wire::{MessageView, UsageView};
use crate::api::openai::Members;
use crate::api::speaker::Speaker;
use crate::api::{State, served};
use crate::http::{Reply, Request, sse};
use crate::model::Result;
use crate::model::chat::StopReason;
use crate::service::answer::Answer;
use crate::service::{Chosen, clock};
use bytes::Bytes;

pub(super) async fn create(http: Request<State>) -> Result<Reply> {
    let (id, caller, raw) = (http.id.clone(), http.caller.clone(), http.body.clone());
    let (betas, wish) = (request::betas(&http.headers), served::wish(&http.headers)?);
    let (state, body) = http.fields()?;
    let mut request = request::read(body, Purpose::Answer)?;
    request.raw = Some(raw);
    request.extra.extend(betas);
    let streaming = request.streaming;
    let turn = Speaker::answer(&state, wish, request, &caller).await?;
    let same = speaks(turn.chosen());
    if streaming {
        let served = turn.served();
        let stream = Streamer::new(turn, id, same).into_stream();
        let reply = Reply::events(sse::KeepAlive::saying(|| Bytes::from_static(PING), stream, state.keep_alive));
        return Ok(served::dress(reply, &served));
    }
    let asked = turn.chosen().model.clone();
    let (mut answer, _) = turn.collect().await?;
    let served = std::mem::take(&mut answer.served);
    Ok(served::dress(whole(answer, &asked, same)?, &served))
}

/// Whether what has no name is said in this dialect by who answers.
fn speaks(chosen: &Chosen) -> bool {
    chosen.vendor().is_ok_and(|vendor| vendor.info.dialects.first().is_some_and(|first| first == DIALECT))
}

/// The answer in one piece.
fn whole(answer: Answer, asked: &str, same: bool) -> Result<Reply> {
    let mut extra = Extra::default();
    let Answer { id, model, parts, annotations, stop, usage, extra: fields, .. } = answer;
    fields.into_iter().for_each(|field| extra.add(field));
    let id = id.filter(|id| id.starts_with("msg_")).unwrap_or_else(|| clock::fresh("msg_"));
    let (blocks, told) = content::blocks(&parts, &annotations, same);
    let reason = stop_reason(stop.as_ref().map_or(StopReason::Complete, |stop| stop.reason), told);
    let sequence = stop.and_then(|stop| stop.sequence).filter(|_| reason == "stop_sequence");
    Reply::json(&MessageView {
        id: &id,
        r#type: "message",
        role: "assistant",
        model: model.as_deref().unwrap_or(asked),
        content: blocks.iter().map(Block::view).collect(),
        stop_reason: Some(reason),
        stop_sequence: sequence.as_deref(),
        usage: UsageView::new(usage.unwrap_or_default(), &extra.usage),
        extra: Members(&extra.message),
    })
}
