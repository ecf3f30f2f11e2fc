//! `POST /api/v1/chat` and `/api/v1/chat/stream`.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::wire::{ChatRequest, ChatResponse, StreamEvent, stop_reason};
use crate::api::{State, served};
use crate::http::fault::Fault;
use crate::http::{Reply, Request, sse};
use crate::model::chat::{self, Event, Message, Part, Role, Stop};
use crate::model::id::RequestId;
use crate::model::{Error, Result};
use crate::service::answer::{Answer, Assembly};
use crate::service::{Choice, Turn};

/// A turn, and the conversation that it belongs to.
struct Talk {
    state: Arc<State>,
    owner: Arc<str>,
    conversation: String,
    asked: Message,
    turn: Turn,
}

pub(super) async fn chat(request: Request<State>) -> Result<Reply> {
    let began = Instant::now();
    let talk = begin(request, false).await?;
    let Talk { state, owner, conversation, asked, turn } = talk;
    let provider = turn.chosen.provider.clone();
    let asked_model = turn.chosen.model.clone();
    let answer = turn.collect().await?;
    let text = spoken(&answer);
    let reply = Reply::json(&ChatResponse {
        success: true,
        response: &text,
        provider: &provider.name,
        model: answer.model.as_deref().unwrap_or(&asked_model),
        conversation_id: &conversation,
        tokens_used: answer.usage.map(Into::into),
        duration_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        tools_used: Vec::new(),
        stop_reason: stop_reason(answer.stop.as_ref()),
    })?;
    let reply = served::dress(reply, &answer.served);
    state.conversations.add(&conversation, &owner, [asked, answer.into_message()]);
    Ok(reply)
}

pub(super) async fn stream(request: Request<State>) -> Result<Reply> {
    let id = request.id.clone();
    let talk = begin(request, true).await?;
    let keep_alive = talk.state.keep_alive;
    let conversation = HeaderValue::from_str(&talk.conversation).map_err(Error::internal)?;
    let served = talk.turn.served();
    let streamer = Streamer {
        talk: Some(talk),
        id,
        index: 0,
        assembly: Assembly::default(),
        calls: BTreeMap::new(),
        begun: false,
    };
    let stream = futures_util::stream::unfold(streamer, |mut streamer| async move {
        streamer.next().await.map(|bytes| (bytes, streamer))
    });
    let mut reply = Reply::events(sse::KeepAlive::new(stream, keep_alive));
    reply.headers.insert(HeaderName::from_static("x-conversation-id"), conversation);
    Ok(served::dress(reply, &served))
}

async fn begin(request: Request<State>, streaming: bool) -> Result<Talk> {
    let caller = request.caller.clone();
    let owner = caller.principal.clone();
    let wish = served::wish(&request.headers)?;
    let (state, body) = request.fields()?;
    let asked = ChatRequest::read(body)?;
    let (conversation, before) = state.conversations.open(asked.conversation_id.as_deref(), &owner)?;
    let said = Message::text(Role::User, asked.message);
    let mut messages = (*before).clone();
    messages.push(said.clone());
    let request = chat::Request {
        messages,
        temperature: asked.temperature,
        max_tokens: asked.max_tokens,
        streaming,
        ..chat::Request::default()
    };
    let choice = Choice { provider: asked.provider.as_deref(), model: asked.model.as_deref() };
    let turn = state.chat.begin_with(wish, choice, request, &caller).await?;
    Ok(Talk { state, owner, conversation, asked: said, turn })
}

/// What the model said, or its words for not saying it.
fn spoken(answer: &Answer) -> String {
    let text = answer.text();
    if !text.is_empty() {
        return text;
    }
    answer
        .parts
        .iter()
        .filter_map(|part| if let Part::Refusal(words) = part { Some(words.as_str()) } else { None })
        .collect()
}

/// Writes a turn as an event stream.
struct Streamer {
    /// Gone once everything is said.
    talk: Option<Talk>,
    id: RequestId,
    index: u64,
    assembly: Assembly,
    /// Calls that aren't whole yet: name and arguments, by block.
    calls: BTreeMap<u32, (String, String)>,
    begun: bool,
}

// === impl Streamer ===

impl Streamer {
    /// The next piece of the body.
    async fn next(&mut self) -> Option<Bytes> {
        let mut out = Vec::with_capacity(256);
        let Self { talk: Some(talk), .. } = self else { return None };
        if !std::mem::replace(&mut self.begun, true) {
            let timestamp = talk.state.clock.rfc3339();
            put(&mut out, &StreamEvent::Start { request_id: self.id.as_str(), timestamp });
            return Some(out.into());
        }
        // What says nothing to this surface is no piece: silence is the keep-alive's business.
        while let (true, Some(talk)) = (out.is_empty(), &mut self.talk) {
            match talk.turn.events().await {
                Ok(Some(events)) => {
                    for event in events {
                        self.put_event(&mut out, &event);
                        self.assembly.add(event);
                    }
                }
                Ok(None) => self.end(&mut out, None),
                Err(error) => self.end(&mut out, Some(&error)),
            }
        }
        Some(out.into())
    }

    fn put_event(&mut self, out: &mut Vec<u8>, event: &Event) {
        match event {
            Event::Text { text, .. } | Event::Refusal { text, .. } if !text.is_empty() => {
                put(out, &StreamEvent::Token { content: text, index: self.index });
                self.index += 1;
            }
            Event::Thinking { text, .. } => put(out, &StreamEvent::Thinking { content: text }),
            Event::CallStarted { block, name, .. } => {
                self.calls.insert(*block, (name.clone(), String::new()));
            }
            Event::CallArguments { block, text } => {
                if let Some((_, arguments)) = self.calls.get_mut(block) {
                    arguments.push_str(text);
                }
            }
            Event::Stopped(_) => self.put_calls(out),
            _ => {}
        }
    }

    /// Calls go out whole, once the model has ended them.
    fn put_calls(&mut self, out: &mut Vec<u8>) {
        for (tool, arguments) in std::mem::take(&mut self.calls).into_values() {
            let text = if arguments.trim().is_empty() { "{}".to_owned() } else { arguments };
            // What is no JSON is told as a string, rather than not at all.
            let raw = RawValue::from_string(text.clone())
                .or_else(|_| RawValue::from_string(serde_json::Value::String(text).to_string()));
            if let Ok(arguments) = raw {
                put(out, &StreamEvent::ToolCall { tool: &tool, arguments: &arguments });
            }
        }
    }

    fn end(&mut self, out: &mut Vec<u8>, error: Option<&Error>) {
        let Some(talk) = self.talk.take() else { return };
        let answer = std::mem::take(&mut self.assembly).finish();
        let request_id = self.id.as_str();
        let stop: Option<Stop> = answer.stop.clone();
        let timestamp = || talk.state.clock.rfc3339();
        match error {
            Some(error) => {
                tracing::warn!(request_id, error = error.to_string(), "a stream ended with an error");
                let error_code = Fault::of(error).code;
                put(out, &StreamEvent::Error { error: error.public(), error_code, request_id, timestamp: timestamp() });
                put(out, &StreamEvent::End { request_id, timestamp: timestamp(), stop_reason: None });
            }
            None => {
                put(
                    out,
                    &StreamEvent::End { request_id, timestamp: timestamp(), stop_reason: stop_reason(stop.as_ref()) },
                );
                talk.state.conversations.add(&talk.conversation, &talk.owner, [talk.asked, answer.into_message()]);
            }
        }
    }
}

fn put(out: &mut Vec<u8>, event: &StreamEvent<'_>) {
    if let Err(error) = sse::write(out, Some(event.name()), event) {
        tracing::error!(error = error.to_string(), "an event could not be written");
    }
}
