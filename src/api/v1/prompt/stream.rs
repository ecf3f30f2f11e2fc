//! An answer to a prompt as lines of JSON.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::super::wire::reason;
use super::wire::{TokenUsage, milliseconds};
use super::{is_refusal, log};
use crate::api::State;
use crate::http::fault::Fault;
use crate::http::{Reply, sse};
use crate::model::caller::Caller;
use crate::model::chat::{Event, StopReason, Usage};
use crate::model::id::RequestId;
use crate::model::{Error, Result};
use crate::service::Turn;
use crate::service::conversation::Talk;
use crate::service::prompt::Prompt;

/// One line.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "PromptLine")]
pub(super) struct Line<'a> {
    #[serde(flatten)]
    said: Said<'a>,
    /// As it was asked for.
    backend: &'a str,
    /// The session that it is kept in, if it is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<&'a str>,
    /// Names the request.
    request_id: &'a str,
    /// When it was said.
    timestamp: String,
    /// How many lines came before; those that fill a silence don't count.
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence: Option<u64>,
}

/// What a line says.
#[derive(Serialize, JsonSchema)]
#[serde(tag = "type", content = "content", rename_all = "snake_case")]
enum Said<'a> {
    /// The first one.
    Init {
        /// The model that answers; absent where none does.
        #[serde(skip_serializing_if = "Option::is_none")]
        model: Option<&'a str>,
        /// The directory that was named.
        #[serde(skip_serializing_if = "Option::is_none")]
        working_dir: Option<&'a str>,
    },
    /// A piece of the answer.
    Message {
        /// The piece.
        text: &'a str,
        /// Always `assistant`.
        role: &'static str,
        /// Whether more may come.
        is_partial: bool,
    },
    /// A piece of the model's reasoning, where it shows it.
    Thinking {
        /// The piece.
        text: &'a str,
        /// Whether more may come.
        is_partial: bool,
    },
    /// The model wants a tool to be used.
    ToolUse {
        /// Names the call.
        tool_id: &'a str,
        /// The tool's name.
        tool_name: &'a str,
        /// What it is given.
        input: Box<RawValue>,
    },
    /// The model is silent, and still there.
    Progress {
        /// Always `waiting`.
        stage: &'static str,
        /// For people.
        message: &'static str,
    },
    /// The answer broke off, or never began; `done` follows.
    Error {
        /// As in the body of a refusal.
        code: &'static str,
        /// What happened.
        message: &'a str,
    },
    /// The last one.
    Done {
        /// 0: the answer is whole. 1: it isn't.
        exit_code: i8,
        /// Absent where the vendor didn't tell.
        #[serde(skip_serializing_if = "Option::is_none")]
        token_usage: Option<TokenUsage>,
        /// US dollars; absent where prices aren't known.
        #[serde(skip_serializing_if = "Option::is_none")]
        cost_usd: Option<f64>,
        /// In milliseconds, from the question to the end of the answer.
        duration: u64,
        /// Always 1 where there is an answer.
        turn_count: u32,
        /// Only there where the answer is not simply complete.
        #[serde(skip_serializing_if = "Option::is_none")]
        stop_reason: Option<&'static str>,
    },
}

/// Writes a turn line by line.
struct Streamer {
    pen: Pen,
    turn: Option<Turn>,
    /// What it is kept in, if it is kept.
    talk: Option<Talk>,
    /// What came before there was a turn.
    first: Vec<u8>,
    began: Instant,
    said: Heard,
}

/// What is known of an answer besides what went out.
#[derive(Default)]
struct Heard {
    /// Calls that aren't whole yet: id, name and arguments, by block.
    calls: BTreeMap<u32, (String, String, String)>,
    usage: Option<Usage>,
    stop: Option<StopReason>,
}

/// Writes lines.
struct Pen {
    state: Arc<State>,
    id: RequestId,
    backend: String,
    session: Option<String>,
    sequence: u64,
}

/// The whole of it, or a refusal of who may not ask.
pub(super) async fn reply(
    state: Arc<State>,
    id: RequestId,
    prompt: Prompt,
    talk: Option<Talk>,
    caller: Caller,
) -> Result<Reply> {
    let began = Instant::now();
    let keep_alive = state.keep_alive;
    let session = talk.as_ref().map(|talk| talk.id().to_owned());
    let pen =
        |session| Pen { state: state.clone(), id: id.clone(), backend: prompt.backend.clone(), session, sequence: 0 };
    let idle = pen(session.clone());
    let mut streamer =
        Streamer { pen: pen(session), turn: None, talk, first: Vec::new(), began, said: Heard::default() };
    let working_dir = prompt.workdir.as_deref();
    if prompt.dry_run {
        let outcome = state.prompts.ask(&state.chat, &prompt, None, &caller).await;
        streamer.put(Said::Init { model: outcome.model.as_deref(), working_dir });
        let text = outcome.output.as_deref().unwrap_or_default();
        if !text.is_empty() {
            streamer.put(Said::Message { text, role: ASSISTANT, is_partial: false });
        }
        streamer.end_first(outcome.error()).await;
    } else {
        match state.prompts.begin(&state.chat, &prompt, &caller, true).await {
            Ok(turn) => {
                streamer.put(Said::Init { model: Some(&turn.chosen.model), working_dir });
                streamer.turn = Some(turn);
            }
            Err(error) => {
                if let Some(talk) = streamer.talk.take() {
                    talk.fail(&error).await;
                    streamer.pen.session = None;
                }
                if is_refusal(&error) {
                    return Err(error);
                }
                streamer.put(Said::Init { model: prompt.model.as_deref(), working_dir });
                streamer.end_first(Some(&error)).await;
            }
        }
    }
    let lines = futures_util::stream::unfold(streamer, |mut streamer| async move {
        streamer.next().await.map(|bytes| (bytes, streamer))
    });
    let waiting = move || idle.waiting();
    Ok(Reply::lines(sse::KeepAlive::saying(waiting, lines, keep_alive)))
}

const ASSISTANT: &str = "assistant";

// === impl Pen ===

impl Pen {
    fn write(&self, out: &mut Vec<u8>, said: Said<'_>, sequence: Option<u64>) {
        let (request_id, timestamp) = (self.id.as_str(), self.state.clock.rfc3339());
        let session_id = self.session.as_deref();
        let line = Line { said, backend: &self.backend, session_id, request_id, timestamp, sequence };
        if let Err(error) = sse::write_line(out, &line) {
            tracing::error!(error = error.to_string(), "a line could not be written");
        }
    }

    fn put(&mut self, out: &mut Vec<u8>, said: Said<'_>) {
        self.write(out, said, Some(self.sequence));
        self.sequence += 1;
    }

    fn waiting(&self) -> Bytes {
        let mut out = Vec::new();
        self.write(&mut out, Said::Progress { stage: "waiting", message: "the model is silent" }, None);
        out.into()
    }
}

// === impl Streamer ===

impl Streamer {
    fn put(&mut self, said: Said<'_>) {
        let mut out = std::mem::take(&mut self.first);
        self.pen.put(&mut out, said);
        self.first = out;
    }

    async fn end_first(&mut self, error: Option<&Error>) {
        let mut out = std::mem::take(&mut self.first);
        self.end(&mut out, error).await;
        self.first = out;
    }

    /// The next piece of the body.
    async fn next(&mut self) -> Option<Bytes> {
        let mut out = std::mem::take(&mut self.first);
        // What says nothing to this surface is no piece: silence is the keep-alive's business.
        while let (true, Some(turn)) = (out.is_empty(), &mut self.turn) {
            match turn.events().await {
                Ok(Some(events)) => {
                    events.iter().for_each(|event| put_event(&mut self.pen, &mut self.said, &mut out, event));
                    if let Some(talk) = &mut self.talk {
                        talk.heard(&turn.chosen.provider.name, &turn.chosen.model, events);
                    }
                }
                Ok(None) => {
                    self.turn = None;
                    self.end(&mut out, None).await;
                }
                Err(error) => {
                    self.turn = None;
                    self.end(&mut out, Some(&error)).await;
                }
            }
        }
        (!out.is_empty()).then(|| out.into())
    }

    async fn end(&mut self, out: &mut Vec<u8>, error: Option<&Error>) {
        // Whoever reads the last line can go on in the session.
        let kept = match (self.talk.take(), error) {
            (Some(talk), None) => talk.finish().await.err(),
            (Some(talk), Some(error)) => {
                talk.fail(error).await;
                None
            }
            (None, _) => None,
        };
        let error = error.or(kept.as_ref());
        if let Some(error) = error {
            log(&self.pen.backend, error);
            self.pen.put(out, Said::Error { code: Fault::of(error).code, message: error.public() });
        }
        let time: Duration = self.began.elapsed();
        let said = Said::Done {
            exit_code: i8::from(error.is_some()),
            token_usage: self.said.usage.map(Into::into),
            cost_usd: self.said.usage.and_then(|usage| usage.cost),
            duration: milliseconds(time),
            turn_count: u32::from(self.said.stop.is_some()),
            stop_reason: self.said.stop.and_then(reason),
        };
        self.pen.put(out, said);
    }
}

fn put_event(pen: &mut Pen, heard: &mut Heard, out: &mut Vec<u8>, event: &Event) {
    match event {
        Event::Text { text, .. } | Event::Refusal { text, .. } if !text.is_empty() => {
            pen.put(out, Said::Message { text, role: ASSISTANT, is_partial: true });
        }
        Event::Thinking { text, .. } if !text.is_empty() => {
            pen.put(out, Said::Thinking { text, is_partial: true });
        }
        Event::CallStarted { block, id, name, .. } => {
            heard.calls.insert(*block, (id.clone(), name.clone(), String::new()));
        }
        Event::CallArguments { block, text } => {
            if let Some((.., arguments)) = heard.calls.get_mut(block) {
                arguments.push_str(text);
            }
        }
        Event::Usage(usage) => heard.usage = Some(*usage),
        Event::Stopped(stop) => {
            heard.stop = Some(stop.reason);
            put_calls(pen, heard, out);
        }
        _ => {}
    }
}

/// Calls go out whole, once the model has ended them.
fn put_calls(pen: &mut Pen, heard: &mut Heard, out: &mut Vec<u8>) {
    for (tool_id, tool_name, arguments) in std::mem::take(&mut heard.calls).into_values() {
        let text = if arguments.trim().is_empty() { "{}".to_owned() } else { arguments };
        // What is no JSON is told as a string, rather than not at all.
        let raw = RawValue::from_string(text.clone())
            .or_else(|_| RawValue::from_string(serde_json::Value::String(text).to_string()));
        if let Ok(input) = raw {
            pen.put(out, Said::ToolUse { tool_id: &tool_id, tool_name: &tool_name, input });
        }
    }
}
