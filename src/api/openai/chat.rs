//! `POST /openai/v1/chat/completions`.

use serde_json::Value;

use super::citation::Citation;
use super::request::{self, Asked};
use super::stream::Streamer;
use super::tools::Style;
use super::usage::UsageView;
use super::wire::{CallView, Choice, Completion, Detail, Extra, Members, MessageView, finish_reason};
use crate::api::speaker::Speaker;
use crate::api::{State, served};
use crate::http::{Reply, Request, sse};
use crate::model::Result;
use crate::model::chat::{Json, Part, StopReason, Thinking};
use crate::service::answer::Answer;
use crate::service::clock;

pub(super) async fn completions(http: Request<State>) -> Result<Reply> {
    let (id, caller) = (http.id.clone(), http.caller.clone());
    let (raw, wish) = (http.body.clone(), served::wish(&http.headers)?);
    let (state, body) = http.fields()?;
    let Asked { mut request, include_usage, style } = request::read(body)?;
    // What is translated isn't what the caller said.
    request.raw = Some(raw).filter(|_| !style.legacy);
    let streaming = request.streaming;
    let turn = Speaker::answer(&state, wish, request, &caller).await?;
    let created = state.clock.unix();
    if streaming {
        let served = turn.served();
        let streamer = Streamer::new(turn, id, created, include_usage, style);
        let reply = Reply::events(sse::KeepAlive::new(streamer.into_stream(), state.keep_alive));
        return Ok(served::dress(reply, &served));
    }
    let asked = turn.chosen().model.clone();
    let (mut answer, _) = turn.collect().await?;
    let served = std::mem::take(&mut answer.served);
    Ok(served::dress(whole(answer, &asked, created, &style)?, &served))
}

/// The answer in one piece.
fn whole(answer: Answer, asked: &str, created: i64, style: &Style) -> Result<Reply> {
    let mut extra = Extra::default();
    let Answer { id, model, parts, annotations, stop, usage, extra: fields, .. } = answer;
    fields.into_iter().for_each(|field| extra.add(field));
    let id = id.unwrap_or_else(|| clock::fresh("chatcmpl-"));
    let text = joined(&parts, |part| if let Part::Text(text) = part { Some(text) } else { None });
    let refusal = joined(&parts, |part| if let Part::Refusal(text) = part { Some(text) } else { None });
    let reasoning = joined(&parts, |part| match part {
        Part::Thinking(thinking) if !thinking.redacted => Some(&thinking.text),
        _ => None,
    });
    let mut tool_calls: Vec<CallView<'_>> = parts
        .iter()
        .filter_map(|part| if let Part::Call(call) = part { Some(CallView::of(call, style)) } else { None })
        .collect();
    let reason = stop.map_or(StopReason::Complete, |stop| stop.reason);
    let finish_reason = finish_reason(reason, !tool_calls.is_empty(), style.legacy);
    // An answer without words is null beside calls or a refusal, an empty string otherwise.
    let silent = !tool_calls.is_empty() || refusal.is_some();
    let mut function_call = None;
    if style.legacy {
        function_call = tool_calls.drain(..).find_map(|call| call.function);
    }
    Reply::json(&Completion {
        id: &id,
        object: "chat.completion",
        created,
        model: model.as_deref().unwrap_or(asked),
        choices: [Choice {
            index: 0,
            message: MessageView {
                role: "assistant",
                content: text.as_deref().or(if silent { None } else { Some("") }),
                refusal: refusal.as_deref(),
                reasoning_content: reasoning.as_deref(),
                reasoning_details: details(&parts),
                annotations: citations(&parts, &annotations),
                tool_calls,
                function_call,
                extra: Members(&extra.message),
            },
            finish_reason,
            extra: Members(&extra.choice),
        }],
        usage: usage.map(|usage| UsageView::of(usage, &extra.counts)),
        extra: Members(&extra.top),
    })
}

fn joined<'p>(parts: &'p [Part], pick: impl Fn(&'p Part) -> Option<&'p String>) -> Option<String> {
    let picked: Vec<&str> = parts.iter().filter_map(|part| pick(part).map(String::as_str)).collect();
    if picked.is_empty() { None } else { Some(picked.concat()) }
}

/// Thoughts that their model wants to see again.
fn details(parts: &[Part]) -> Vec<Detail<'_>> {
    let mut details = Vec::new();
    for part in parts {
        let index = details.len();
        match part {
            Part::Thinking(Thinking { text, signature: Some(signature), .. }) => {
                details.push(Detail::Text { index, text, signature });
            }
            Part::Thinking(Thinking { text, redacted: true, .. }) => {
                details.push(Detail::Encrypted { index, data: text });
            }
            _ => {}
        }
    }
    details
}

/// Sources, by the place of their words in the whole text.
fn citations(parts: &[Part], annotations: &[(u32, Json)]) -> Vec<Value> {
    let mut start = 0;
    let mut found = Vec::new();
    for (place, part) in parts.iter().enumerate() {
        let Part::Text(text) = part else { continue };
        let end = start + text.chars().count();
        let own = annotations.iter().filter(|(of, _)| usize::try_from(*of) == Ok(place));
        found.extend(own.filter_map(|(_, remark)| Citation::read(remark, start, end)).map(Citation::into_nested));
        start = end;
    }
    found
}
