//! `POST /api/v1/sessions/{session_id}/query`: a question in a session, answered whole or as an event stream.

use std::sync::Arc;

use bytes::Bytes;
use http::header::ACCEPT;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

use super::scope;
use crate::api::v1::wire::{stop_reason, unknown};
use crate::api::{State, served};
use crate::http::fault::Fault;
use crate::http::{Fields, Reply, Request, sse};
use crate::model::chat::{Event, Stop};
use crate::model::id::RequestId;
use crate::model::{Error, Result};
use crate::service::answer::spoken;
use crate::service::run::assisted::{Piece, Used};
use crate::service::session::query::{Asked, Asking};

/// A question.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct QueryRequest {
    /// What is asked; not blank.
    #[schemars(regex(pattern = r"\S"), length(max = 50_000))]
    message: String,
}

/// Characters of the longest question.
const LONGEST: usize = 50_000;

/// A question's answer.
#[derive(Serialize, JsonSchema)]
pub(super) struct QueryResponse {
    /// Always true: a failure has another status.
    success: bool,
    /// The session.
    session_id: String,
    /// The answer's message.
    message_id: String,
    /// What the model said last; what it said before it used tools are messages of their own.
    content: QueryContent,
    /// Tools that were used for it.
    tool_calls: Vec<QueryToolCall>,
    /// What it took.
    metrics: QueryMetrics,
    /// Only there where the answer is not simply complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_reason: Option<&'static str>,
}

/// What a model said.
#[derive(Serialize, JsonSchema)]
struct QueryContent {
    /// Always `text`.
    r#type: &'static str,
    /// The text.
    text: String,
}

/// A tool that was used.
#[derive(Serialize, JsonSchema)]
struct QueryToolCall {
    /// The tool.
    tool_name: String,
    /// What it was given.
    tool_input: Value,
    /// `success` or `error`.
    status: &'static str,
}

/// What an answer took.
#[derive(Serialize, JsonSchema)]
struct QueryMetrics {
    /// From the question's arrival to the answer's end.
    duration_ms: u64,
    /// Tokens that the model read; null where the vendor didn't tell.
    input_tokens: Option<u64>,
    /// Tokens that it wrote.
    output_tokens: Option<u64>,
    /// US dollars; null where prices aren't known.
    cost_usd: Option<f64>,
}

/// The data of one event; the event's name is its `type`.
#[derive(Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum QueryEvent {
    /// The first one.
    Start {
        /// Names the request.
        request_id: String,
        /// The session.
        session_id: String,
        /// When the stream began.
        timestamp: String,
    },
    /// A piece of the answer.
    Token {
        /// The piece.
        content: String,
        /// How many pieces came before.
        index: u64,
    },
    /// A piece of the model's reasoning, where it shows it.
    Thinking {
        /// The piece.
        content: String,
    },
    /// The model has a tool called.
    ToolCall {
        /// The tool.
        tool_name: String,
        /// What it is given.
        tool_input: Value,
    },
    /// What came of it.
    ToolResult {
        /// The tool.
        tool_name: String,
        /// What it said.
        result: String,
        /// Whether it did what it should.
        success: bool,
    },
    /// The answer broke off; `end` follows.
    Error {
        /// What happened.
        error: String,
        /// As in the body of a refusal.
        error_code: String,
    },
    /// The last one.
    End {
        /// Names the request.
        request_id: String,
        /// When the stream ended.
        timestamp: String,
        /// The whole answer, as it is given who doesn't want a stream; null where it broke off.
        response: Option<QueryResponse>,
    },
}

// === impl QueryRequest ===

impl QueryRequest {
    pub(super) fn read(mut body: Fields) -> Result<Self> {
        let message: String = body.require("message")?;
        if message.trim().is_empty() {
            return Err(body.wrong("message", "it is empty; write what the model is to answer"));
        }
        if message.chars().count() > LONGEST {
            return Err(body.wrong("message", &format!("it is longer than {LONGEST} characters")));
        }
        unknown(body, &["message"])?;
        Ok(Self { message })
    }
}

pub(super) async fn query(request: Request<State>) -> Result<Reply> {
    let began = Instant::now();
    let (id, caller) = (request.id.clone(), request.caller.clone());
    let wanted =
        String::from_utf8_lossy(request.headers.get(ACCEPT).map_or(b"", |value| value.as_bytes())).into_owned();
    let streaming = wanted.split(',').any(|kind| kind.trim().to_ascii_lowercase().starts_with("text/event-stream"));
    let session = request.parameter("session_id").to_owned();
    let (state, body) = request.fields()?;
    // Who asks in a session pays for it: nobody does so in another's.
    let session = state.sessions.get(scope(&caller).own(), &session).await?.id;
    let QueryRequest { message } = QueryRequest::read(body)?;
    let asking = state.sessions.ask(&state.runs, (caller.owner(), &session), message, streaming, &caller).await?;
    if streaming {
        return Ok(stream(state, id, began, asking));
    }
    let asked = asking.collect().await?;
    let response = QueryResponse::new(session, &asked, began);
    Ok(served::dress(Reply::json(&response)?, &asked.served))
}

// === impl QueryResponse ===

impl QueryResponse {
    fn new(session_id: String, asked: &Asked, began: Instant) -> Self {
        let Asked { message, used, usage, stop, .. } = asked;
        Self {
            success: true,
            session_id,
            message_id: message.as_ref().map(|said| said.id.clone()).unwrap_or_default(),
            content: QueryContent {
                r#type: "text",
                text: message.as_ref().map(|said| spoken(&said.message.parts)).unwrap_or_default(),
            },
            tool_calls: used.iter().map(QueryToolCall::from).collect(),
            metrics: QueryMetrics {
                duration_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
                input_tokens: usage.map(|usage| usage.input),
                output_tokens: usage.map(|usage| usage.output),
                cost_usd: usage.and_then(|usage| usage.cost),
            },
            stop_reason: stop_reason(stop.map(|reason| Stop { reason, sequence: None }).as_ref()),
        }
    }
}

// === impl QueryToolCall ===

impl From<&Used> for QueryToolCall {
    fn from(used: &Used) -> Self {
        let status = if used.success { "success" } else { "error" };
        Self { tool_name: used.tool.clone(), tool_input: used.input.clone(), status }
    }
}

/// Writes an answer as an event stream.
struct Streamer {
    state: Arc<State>,
    id: RequestId,
    began: Instant,
    session: String,
    /// Gone once everything is said.
    asking: Option<Asking>,
    index: u64,
    begun: bool,
}

fn stream(state: Arc<State>, id: RequestId, began: Instant, asking: Asking) -> Reply {
    let (keep_alive, served) = (state.keep_alive, asking.served());
    let session = asking.session().id.clone();
    let streamer = Streamer { state, id, began, session, asking: Some(asking), index: 0, begun: false };
    let stream = futures_util::stream::unfold(streamer, |mut streamer| async move {
        streamer.next().await.map(|bytes| (bytes, streamer))
    });
    served::dress(Reply::events(sse::KeepAlive::new(stream, keep_alive)), &served)
}

// === impl Streamer ===

impl Streamer {
    /// The next piece of the body.
    async fn next(&mut self) -> Option<Bytes> {
        let mut out = Vec::with_capacity(256);
        self.asking.as_ref()?;
        if !std::mem::replace(&mut self.begun, true) {
            put(
                &mut out,
                &QueryEvent::Start {
                    request_id: self.id.to_string(),
                    session_id: self.session.clone(),
                    timestamp: self.state.clock.rfc3339(),
                },
            );
            return Some(out.into());
        }
        while let (true, Some(asking)) = (out.is_empty(), &mut self.asking) {
            match asking.next().await {
                Ok(Some(piece)) => self.put_piece(&mut out, piece),
                Ok(None) => self.end(&mut out, None).await,
                Err(error) => self.end(&mut out, Some(error)).await,
            }
        }
        Some(out.into())
    }

    fn put_piece(&mut self, out: &mut Vec<u8>, piece: Piece) {
        match piece {
            Piece::Said(events) => events.into_iter().for_each(|event| self.put_event(out, event)),
            Piece::Calls(some) => {
                for planned in some {
                    put(out, &QueryEvent::ToolCall { tool_name: planned.call.name, tool_input: planned.input });
                }
            }
            Piece::Called(done) => {
                let (result, success) = (done.words(), done.success);
                let planned = done.planned;
                if !done.made {
                    let tool_name = planned.call.name.clone();
                    put(out, &QueryEvent::ToolCall { tool_name, tool_input: planned.input });
                }
                put(out, &QueryEvent::ToolResult { tool_name: planned.call.name, result, success });
            }
        }
    }

    fn put_event(&mut self, out: &mut Vec<u8>, event: Event) {
        match event {
            Event::Text { text, .. } | Event::Refusal { text, .. } if !text.is_empty() => {
                put(out, &QueryEvent::Token { content: text, index: self.index });
                self.index += 1;
            }
            Event::Thinking { text, .. } => put(out, &QueryEvent::Thinking { content: text }),
            _ => {}
        }
    }

    async fn end(&mut self, out: &mut Vec<u8>, error: Option<Error>) {
        let Some(asking) = self.asking.take() else { return };
        let ended = match error {
            Some(error) => {
                asking.fail(&error).await;
                Err(error)
            }
            // The caller would otherwise go on with what isn't there.
            None => asking.finish().await,
        };
        let request_id = self.id.to_string();
        let response = match &ended {
            Ok(asked) => Some(QueryResponse::new(self.session.clone(), asked, self.began)),
            Err(error) => {
                tracing::warn!(request_id, error = error.to_string(), "a stream ended with an error");
                let error_code = Fault::of(error).code.to_owned();
                put(out, &QueryEvent::Error { error: error.public().to_owned(), error_code });
                None
            }
        };
        put(out, &QueryEvent::End { request_id, timestamp: self.state.clock.rfc3339(), response });
    }
}

// === impl QueryEvent ===

impl QueryEvent {
    fn name(&self) -> &'static str {
        match self {
            Self::Start { .. } => "start",
            Self::Token { .. } => "token",
            Self::Thinking { .. } => "thinking",
            Self::ToolCall { .. } => "tool_call",
            Self::ToolResult { .. } => "tool_result",
            Self::Error { .. } => "error",
            Self::End { .. } => "end",
        }
    }
}

fn put(out: &mut Vec<u8>, event: &QueryEvent) {
    if let Err(error) = sse::write(out, Some(event.name()), event) {
        tracing::error!(error = error.to_string(), "an event could not be written");
    }
}
