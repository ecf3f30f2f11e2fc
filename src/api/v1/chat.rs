//! `POST /api/v1/chat` and `/api/v1/chat/stream`.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::wire::{ChatRequest, ChatResponse, StreamEvent, stop_reason};
use crate::api::speaker::Speaker;
use crate::api::{State, served};
use crate::http::fault::Fault;
use crate::http::{Reply, Request, sse};
use crate::model::caller::Caller;
use crate::model::chat::{self, Event, Message, Role, Stop};
use crate::model::id::RequestId;
use crate::model::{Error, Result};
use crate::service::answer::{Answer, spoken};
use crate::service::conversation::Talk;
use crate::service::run::assisted::{Piece, Used};
use crate::service::{Choice, Wish};

/// A model's turn, and the one in the conversation that it belongs to.
pub(super) struct Exchange {
    state: Arc<State>,
    talk: Talk,
    turn: Speaker,
}

/// What is asked of whom, in which conversation.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) message: String,
    pub(super) provider: Option<String>,
    pub(super) model: Option<String>,
    pub(super) temperature: Option<f64>,
    pub(super) max_tokens: Option<u32>,
    pub(super) conversation: Option<String>,
    /// Names of tools that the model may use.
    pub(super) tools: Vec<String>,
}

pub(super) async fn chat(request: Request<State>) -> Result<Reply> {
    let began = Instant::now();
    let Exchange { state: _, talk, turn } = begin(request, false).await?;
    let asked = turn.served();
    let (mut talk, answer, used) = answered(talk, turn).await?;
    let text = spoken(&answer.parts);
    let reply = Reply::json(&ChatResponse {
        success: true,
        response: &text,
        provider: &asked.provider,
        model: answer.model.as_deref().unwrap_or(&asked.model),
        conversation_id: talk.id(),
        tokens_used: answer.usage.map(Into::into),
        duration_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        tools_used: names(&used),
        stop_reason: stop_reason(answer.stop.as_ref()),
    })?;
    let reply = served::dress(reply, &answer.served);
    talk.answered(answer);
    talk.finish().await?;
    Ok(reply)
}

/// The whole answer.
pub(super) async fn answered(talk: Talk, turn: Speaker) -> Result<(Talk, Answer, Vec<Used>)> {
    match turn.collect().await {
        Ok((answer, used)) => Ok((talk, answer, used)),
        Err(error) => {
            talk.fail(&error).await;
            Err(error)
        }
    }
}

/// The names of tools that were used, each once.
fn names(used: &[Used]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for one in used {
        if !names.contains(&one.tool) {
            names.push(one.tool.clone());
        }
    }
    names
}

pub(super) async fn stream(request: Request<State>) -> Result<Reply> {
    let id = request.id.clone();
    let exchange = begin(request, true).await?;
    let keep_alive = exchange.state.keep_alive;
    let conversation = HeaderValue::from_str(exchange.talk.id()).map_err(Error::internal)?;
    let served = exchange.turn.served();
    let streamer =
        Streamer { exchange: Some(exchange), id, index: 0, stop: None, calls: BTreeMap::new(), begun: false };
    let stream = futures_util::stream::unfold(streamer, |mut streamer| async move {
        streamer.next().await.map(|bytes| (bytes, streamer))
    });
    let mut reply = Reply::events(sse::KeepAlive::new(stream, keep_alive));
    reply.headers.insert(HeaderName::from_static("x-conversation-id"), conversation);
    Ok(served::dress(reply, &served))
}

async fn begin(request: Request<State>, streaming: bool) -> Result<Exchange> {
    let caller = request.caller.clone();
    let wish = served::wish(&request.headers)?;
    let (state, body) = request.fields()?;
    let asked = ChatRequest::read(body)?;
    let asked = Asked {
        message: asked.message,
        provider: asked.provider,
        model: asked.model,
        temperature: asked.temperature,
        max_tokens: asked.max_tokens,
        conversation: asked.conversation_id,
        tools: asked.tools.unwrap_or_default(),
    };
    let (talk, turn, _) = ask(&state, asked, wish, streaming, &caller).await?;
    Ok(Exchange { state, talk, turn })
}

/// Asks in a conversation, and tells what was said there before.
pub(super) async fn ask(
    state: &State,
    asked: Asked,
    wish: Wish,
    streaming: bool,
    caller: &Caller,
) -> Result<(Talk, Speaker, Vec<Message>)> {
    let (mut talk, before) = state.conversations.open(asked.conversation.as_deref(), caller.owner()).await?;
    let said = Message::text(Role::User, asked.message);
    talk.ask(said.clone());
    let mut messages = before.clone();
    messages.push(said);
    let request = chat::Request {
        messages,
        temperature: asked.temperature,
        max_tokens: asked.max_tokens,
        streaming,
        ..chat::Request::default()
    };
    let choice = Choice { provider: asked.provider.as_deref(), model: asked.model.as_deref() };
    match Speaker::begin(state, wish, choice, &asked.tools, request, caller).await {
        Ok(turn) => Ok((talk, turn, before)),
        Err(error) => {
            talk.fail(&error).await;
            Err(error)
        }
    }
}

/// Writes a turn as an event stream.
struct Streamer {
    /// Gone once everything is said.
    exchange: Option<Exchange>,
    id: RequestId,
    index: u64,
    /// Why the model stopped, once it has.
    stop: Option<Stop>,
    /// Calls that aren't whole yet: name and arguments, by block.
    calls: BTreeMap<u32, (String, String)>,
    begun: bool,
}

// === impl Streamer ===

impl Streamer {
    /// The next piece of the body.
    async fn next(&mut self) -> Option<Bytes> {
        let mut out = Vec::with_capacity(256);
        let Self { exchange: Some(exchange), .. } = self else { return None };
        if !std::mem::replace(&mut self.begun, true) {
            let timestamp = exchange.state.clock.rfc3339();
            put(&mut out, &StreamEvent::Start { request_id: self.id.as_str(), timestamp });
            return Some(out.into());
        }
        // What says nothing to this surface is no piece: silence is the keep-alive's business.
        while let (true, Some(exchange)) = (out.is_empty(), &mut self.exchange) {
            match exchange.turn.next().await {
                Ok(Some(Piece::Said(events))) => {
                    for event in &events {
                        self.put_event(&mut out, event);
                    }
                    if let Some(Exchange { talk, turn, .. }) = &mut self.exchange {
                        let served = turn.served();
                        talk.heard(&served.provider, &served.model, events);
                    }
                }
                Ok(Some(Piece::Calls(some))) => {
                    for planned in some {
                        put_call(&mut out, &planned.call.name, planned.call.arguments);
                    }
                }
                Ok(Some(Piece::Called(done))) => {
                    let tool = done.planned.call.name.as_str();
                    if !done.made {
                        put_call(&mut out, tool, done.planned.call.arguments.clone());
                    }
                    put(&mut out, &StreamEvent::ToolResult { tool, result: done.words(), success: done.success });
                }
                Ok(None) => self.end(&mut out, None).await,
                Err(error) => self.end(&mut out, Some(error)).await,
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
            Event::Stopped(stop) => {
                self.stop = Some(stop.clone());
                self.put_calls(out);
            }
            _ => {}
        }
    }

    /// Calls go out whole, once the model has ended them.
    fn put_calls(&mut self, out: &mut Vec<u8>) {
        for (tool, arguments) in std::mem::take(&mut self.calls).into_values() {
            put_call(out, &tool, arguments);
        }
    }

    async fn end(&mut self, out: &mut Vec<u8>, error: Option<Error>) {
        let Some(Exchange { state, talk, .. }) = self.exchange.take() else { return };
        let error = match error {
            Some(error) => {
                talk.fail(&error).await;
                Some(error)
            }
            // The caller would otherwise go on with what isn't there.
            None => talk.finish().await.err(),
        };
        let (request_id, timestamp) = (self.id.as_str(), state.clock.rfc3339());
        let mut stop = stop_reason(self.stop.as_ref());
        if let Some(error) = error {
            tracing::warn!(request_id, error = error.to_string(), "a stream ended with an error");
            let (error_code, timestamp) = (Fault::of(&error).code, timestamp.clone());
            put(out, &StreamEvent::Error { error: error.public(), error_code, request_id, timestamp });
            stop = None;
        }
        put(out, &StreamEvent::End { request_id, timestamp, stop_reason: stop });
    }
}

fn put_call(out: &mut Vec<u8>, tool: &str, arguments: String) {
    let text = if arguments.trim().is_empty() { "{}".to_owned() } else { arguments };
    // What is no JSON is told as a string, rather than not at all.
    let raw = RawValue::from_string(text.clone())
        .or_else(|_| RawValue::from_string(serde_json::Value::String(text).to_string()));
    if let Ok(arguments) = raw {
        put(out, &StreamEvent::ToolCall { tool, arguments: &arguments });
    }
}

fn put(out: &mut Vec<u8>, event: &StreamEvent<'_>) {
    if let Err(error) = sse::write(out, Some(event.name()), event) {
        tracing::error!(error = error.to_string(), "an event could not be written");
    }
}
