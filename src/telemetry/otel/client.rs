//! Spans of operations that providers are asked for, with the conventions for generative AI.
//!
//! They hold who was asked for what and how it ended, and never what was said.

use std::time::Duration;

use opentelemetry::trace::{Span as _, SpanKind, Status};
use opentelemetry::{Array, KeyValue, StringValue, Value};
use opentelemetry_sdk::trace::Span;

use super::{Otel, heard};
use crate::model::chat::{StopReason, Usage};
use crate::model::trace::TraceContext;

/// What is asked of a provider.
#[derive(Clone, Debug)]
pub struct Operation<'o> {
    /// `chat` or `embeddings`.
    pub name: &'static str,
    /// The provider's name, as callers use it.
    pub provider: &'o str,
    /// The plugin behind it: the flavour of the vendor's API.
    pub system: &'o str,
    /// The model that is asked for.
    pub model: &'o str,
    /// Where the vendor is, if there is one.
    pub server: Option<(&'o str, u16)>,
}

/// An operation in progress.
pub struct ClientSpan {
    span: Span,
    attributes: Vec<KeyValue>,
    /// For the vendor, if it is told.
    pub context: TraceContext,
}

/// How an operation ended.
#[derive(Clone, Copy, Debug)]
pub struct Result<'r> {
    /// The model as a label: from a bounded set.
    pub label: &'r str,
    /// The model that answered, as the vendor names it.
    pub model: Option<&'r str>,
    /// The vendor's id of the answer.
    pub id: Option<&'r str>,
    /// Tokens, as far as they were reported.
    pub usage: Option<Usage>,
    /// Why the model stopped, if it did.
    pub stop: Option<StopReason>,
    /// What went wrong: a word of a bounded set.
    pub error: Option<&'static str>,
    /// When the first word came, of an answer that was streamed.
    pub first_token: Option<Duration>,
    /// From beginning to end.
    pub time: Duration,
}

/// Longer names are cut: a caller may write what it likes.
const LONGEST: usize = 128;

// === impl Otel ===

impl Otel {
    /// An operation begins, on behalf of `parent`.
    pub fn operation(&self, operation: &Operation<'_>, parent: Option<&TraceContext>) -> ClientSpan {
        let model = short(operation.model);
        let mut attributes = vec![
            KeyValue::new("gen_ai.operation.name", operation.name),
            KeyValue::new("gen_ai.provider.name", operation.system.to_owned()),
            KeyValue::new("mortise.provider", operation.provider.to_owned()),
        ];
        if let Some((host, port)) = operation.server {
            attributes.push(KeyValue::new("server.address", host.to_owned()));
            attributes.push(KeyValue::new("server.port", i64::from(port)));
        }
        let mut on_span = attributes.clone();
        on_span.push(KeyValue::new("gen_ai.request.model", model.to_owned()));
        // The older name of the provider, which some backends still look for.
        on_span.push(KeyValue::new("gen_ai.system", operation.system.to_owned()));
        let parent = parent.map(|parent| heard(parent, false));
        let (span, context) = self.span(format!("{} {model}", operation.name), SpanKind::Client, on_span, parent);
        ClientSpan { span, attributes, context }
    }

    /// An operation is over.
    pub fn operated(&self, operation: ClientSpan, result: Result<'_>) {
        let ClientSpan { mut span, mut attributes, .. } = operation;
        let usage = result.usage.unwrap_or_default();
        let mut said = Vec::with_capacity(8);
        said.extend(result.model.map(|model| KeyValue::new("gen_ai.response.model", short(model).to_owned())));
        said.extend(result.id.map(|id| KeyValue::new("gen_ai.response.id", short(id).to_owned())));
        if let Some(stop) = result.stop {
            let reasons = Array::String(vec![StringValue::from(word(stop))]);
            said.push(KeyValue::new("gen_ai.response.finish_reasons", Value::Array(reasons)));
        }
        if result.usage.is_some() {
            let counts = [
                ("gen_ai.usage.input_tokens", usage.input, true),
                ("gen_ai.usage.output_tokens", usage.output, true),
                ("gen_ai.usage.cache_read.input_tokens", usage.cache_read, false),
                ("gen_ai.usage.cache_creation.input_tokens", usage.cache_write, false),
            ];
            let told = counts.into_iter().filter(|(_, count, always)| *always || *count > 0);
            said.extend(told.map(|(name, count, _)| KeyValue::new(name, i64::try_from(count).unwrap_or(i64::MAX))));
        }
        span.set_attributes(said);
        // Metrics take the model from a bounded set.
        attributes.push(KeyValue::new("gen_ai.request.model", result.label.to_owned()));
        if result.usage.is_some() {
            for (kind, count) in [("input", usage.input), ("output", usage.output)] {
                let own = [&attributes[..], &[KeyValue::new("gen_ai.token.type", kind)]].concat();
                self.token_usage.record(count, &own);
            }
        }
        if let Some(first) = result.first_token {
            self.first_token.record(first.as_secs_f64(), &attributes);
        }
        if let Some(error) = result.error {
            attributes.push(KeyValue::new("error.type", error));
            span.set_attribute(KeyValue::new("error.type", error));
            span.set_status(Status::error(""));
        }
        self.operation_duration.record(result.time.as_secs_f64(), &attributes);
        span.end();
    }
}

/// In the words of the conventions.
fn word(stop: StopReason) -> &'static str {
    match stop {
        StopReason::Complete | StopReason::StopSequence => "stop",
        StopReason::Length => "length",
        StopReason::ToolCalls => "tool_calls",
        StopReason::Refusal => "content_filter",
        StopReason::Pause => "pause",
    }
}

fn short(name: &str) -> &str {
    name.get(..name.floor_char_boundary(LONGEST)).unwrap_or(name)
}
