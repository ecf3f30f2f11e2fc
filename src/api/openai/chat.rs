//! `POST /openai/v1/chat/completions`.

use super::request::{self, Asked};
use super::stream::Streamer;
use super::wire::{CallView, Choice, Completion, Extra, FunctionView, Members, MessageView, finish_reason};
use crate::api::{State, served};
use crate::http::{Reply, Request, sse};
use crate::model::Result;
use crate::model::chat::{Part, StopReason};
use crate::service::answer::Answer;
use crate::service::{Choice as Wanted, clock};

pub(super) async fn completions(http: Request<State>) -> Result<Reply> {
    let (id, caller) = (http.id.clone(), http.caller.clone());
    let (raw, wish) = (http.body.clone(), served::wish(&http.headers)?);
    let (state, body) = http.fields()?;
    let Asked { mut request, include_usage } = request::read(body)?;
    request.raw = Some(raw);
    let model = request.model.clone();
    let streaming = request.streaming;
    let turn = state.chat.begin_with(wish, Wanted { provider: None, model: Some(&model) }, request, &caller).await?;
    let created = state.clock.unix();
    if streaming {
        let served = turn.served();
        let streamer = Streamer::new(turn, id, created, include_usage);
        let reply = Reply::events(sse::KeepAlive::new(streamer.into_stream(), state.keep_alive));
        return Ok(served::dress(reply, &served));
    }
    let asked = turn.chosen.model.clone();
    let mut answer = turn.collect().await?;
    let served = std::mem::take(&mut answer.served);
    Ok(served::dress(whole(answer, &asked, created)?, &served))
}

/// The answer in one piece.
fn whole(answer: Answer, asked: &str, created: i64) -> Result<Reply> {
    let mut extra = Extra::default();
    let Answer { id, model, parts, stop, usage, extra: fields, .. } = answer;
    fields.into_iter().for_each(|field| extra.add(field));
    let id = id.unwrap_or_else(|| clock::fresh("chatcmpl-"));
    let text = joined(&parts, |part| if let Part::Text(text) = part { Some(text) } else { None });
    let refusal = joined(&parts, |part| if let Part::Refusal(text) = part { Some(text) } else { None });
    let reasoning = joined(&parts, |part| match part {
        Part::Thinking(thinking) if !thinking.redacted => Some(&thinking.text),
        _ => None,
    });
    let tool_calls: Vec<CallView<'_>> = parts
        .iter()
        .filter_map(|part| if let Part::Call(call) = part { Some(call) } else { None })
        .map(|call| CallView {
            id: &call.id,
            r#type: "function",
            function: FunctionView {
                name: &call.name,
                arguments: if call.arguments.is_empty() { "{}" } else { &call.arguments },
            },
            extra: Members(&call.extra),
        })
        .collect();
    let reason = stop.map_or(StopReason::Complete, |stop| stop.reason);
    let finish_reason = finish_reason(reason, !tool_calls.is_empty());
    // An answer without words is null beside calls or a refusal, an empty string otherwise.
    let silent = !tool_calls.is_empty() || refusal.is_some();
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
                tool_calls,
                extra: Members(&extra.message),
            },
            finish_reason,
            extra: Members(&extra.choice),
        }],
        usage: usage.map(Into::into),
        extra: Members(&extra.top),
    })
}

fn joined<'p>(parts: &'p [Part], pick: impl Fn(&'p Part) -> Option<&'p String>) -> Option<String> {
    let picked: Vec<&str> = parts.iter().filter_map(|part| pick(part).map(String::as_str)).collect();
    if picked.is_empty() { None } else { Some(picked.concat()) }
}
