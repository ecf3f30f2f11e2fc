//! An answer in the Responses API's words: what frames its items, and the items of a whole one.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::request::Shown;
use super::sealed::Sealed;
use super::tools::{Kind, Known, Names};
use super::wire::{
    Content, Extras, Failure, Incomplete, Item, ReasoningView, Response, Summary, TextView, UsageView, Verbatim,
};
use crate::api::openai::citation::Citation;
use crate::api::openai::custom;
use crate::model::chat::{Field, Json, Part, StopReason, Thinking, ToolCall, Usage};
use crate::service::clock;

/// What frames the items of an answer.
pub(super) struct Frame {
    pub(super) id: String,
    pub(super) created: i64,
    pub(super) model: String,
    pub(super) shown: Shown,
    pub(super) names: Names,
    /// Whether the provider was given the caller's own body, so that its words are those of this dialect.
    pub(super) spoken: bool,
    /// Whether the answer is kept.
    pub(super) store: bool,
    /// The answer that this one goes on from.
    pub(super) previous: Option<String>,
    service_tier: Option<String>,
    extra: Vec<Field>,
}

/// How far an answer has come.
#[derive(Clone, Default)]
pub(super) struct Progress<'a> {
    pub(super) status: &'static str,
    pub(super) output: &'a [Item],
    pub(super) error: Option<Failure<'a>>,
    pub(super) incomplete: Option<Incomplete>,
    pub(super) usage: Option<Usage>,
}

/// Fields of an answer, which no vendor's field may stand beside a second time.
const OWN: [&str; 27] = [
    "id",
    "object",
    "created_at",
    "status",
    "background",
    "error",
    "incomplete_details",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "model",
    "output",
    "parallel_tool_calls",
    "previous_response_id",
    "prompt_cache_key",
    "reasoning",
    "safety_identifier",
    "store",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
    "usage",
];

// === impl Frame ===

impl Frame {
    pub(super) fn new(model: String, created: i64, shown: Shown, names: Names, spoken: bool) -> Self {
        Self {
            id: clock::fresh("resp_"),
            created,
            model,
            shown,
            names,
            spoken,
            store: false,
            previous: None,
            service_tier: None,
            extra: Vec::new(),
        }
    }

    /// Takes what the vendor calls the answer. Another dialect's id is none.
    pub(super) fn named(&mut self, id: Option<String>, model: Option<String>) {
        if let Some(id) = id.filter(|id| id.starts_with("resp_")) {
            self.id = id;
        }
        if let Some(model) = model {
            self.model = model;
        }
    }

    /// Takes a vendor's field.
    pub(super) fn add(&mut self, field: Field) {
        if field.name == "service_tier" {
            self.service_tier = serde_json::from_str(&field.value).unwrap_or(self.service_tier.take());
        } else if !OWN.contains(&field.name.as_str()) && field.name != "user" {
            self.extra.retain(|known| known.name != field.name);
            self.extra.push(field);
        }
    }

    pub(super) fn response<'a>(&'a self, progress: Progress<'a>) -> Response<'a> {
        let shown = &self.shown;
        let tier = self.service_tier.as_deref().or(shown.service_tier.as_deref());
        Response {
            id: &self.id,
            object: "response",
            created_at: self.created,
            status: progress.status,
            background: false,
            error: progress.error,
            incomplete_details: progress.incomplete,
            instructions: shown.instructions.as_deref(),
            max_output_tokens: shown.max_output_tokens,
            max_tool_calls: shown.max_tool_calls,
            metadata: given(shown.metadata.as_deref(), || json!({})),
            model: &self.model,
            output: progress.output,
            parallel_tool_calls: shown.parallel_tool_calls.unwrap_or(true),
            previous_response_id: self.previous.as_deref(),
            prompt_cache_key: shown.prompt_cache_key.as_deref(),
            reasoning: ReasoningView { effort: shown.effort.as_deref(), summary: shown.summary.as_deref() },
            safety_identifier: shown.safety_identifier.as_deref(),
            service_tier: tier.unwrap_or("default"),
            store: self.store,
            temperature: shown.temperature,
            text: TextView {
                format: given(shown.format.as_deref(), || json!({"type": "text"})),
                verbosity: shown.verbosity.as_deref(),
            },
            tool_choice: given(shown.tool_choice.as_deref(), || "auto".into()),
            tools: given(shown.tools.as_deref(), || json!([])),
            top_logprobs: shown.top_logprobs,
            top_p: shown.top_p,
            truncation: shown.truncation.as_deref().unwrap_or("disabled"),
            usage: progress.usage.map(UsageView::from),
            user: shown.user.as_deref(),
            extra: crate::api::openai::wire::Members(&self.extra),
        }
    }

    /// What the caller's tool is that the provider calls `name`.
    pub(super) fn known(&self, name: &str) -> Known {
        let plain = |kind| Known { kind, name: name.to_owned(), namespace: None };
        if self.spoken {
            // A namespace is one of the call's own fields.
            return plain(self.names.kind(name));
        }
        self.names.offered(name).cloned().unwrap_or_else(|| plain(Kind::Function))
    }

    /// The item of a call.
    pub(super) fn call(&self, id: String, status: &'static str, known: Known, call: ToolCall) -> Item {
        let Known { kind, name, namespace } = known;
        let ToolCall { id: call_id, arguments, extra, .. } = call;
        let extra = Extras(extra);
        match kind {
            Kind::Function => Item::FunctionCall { id, status, call_id, name, namespace, arguments, extra },
            Kind::Custom => {
                let input = if self.spoken { arguments } else { custom::unwrap(&arguments) };
                Item::CustomToolCall { id, status, call_id, name, namespace, input, extra }
            }
            Kind::Search => {
                let arguments = serde_json::from_str(&arguments).unwrap_or_else(|_| Value::from(arguments));
                Item::ToolSearchCall { id, status, call_id, execution: "client", arguments }
            }
        }
    }

    /// The item that brings a vendor's fields of a call back, from clients too that keep only what they know.
    pub(super) fn keepsake(&self, call_id: &str, extra: &[Field]) -> Option<Item> {
        (!self.spoken && !extra.is_empty()).then(|| {
            let sealed = Sealed::Call { id: call_id.to_owned(), extra: extra.to_vec() };
            Item::Reasoning { id: clock::fresh("rs_"), summary: Vec::new(), encrypted_content: Some(sealed.write()) }
        })
    }

    /// The item of a thought.
    pub(super) fn thought(&self, id: String, thinking: Thinking) -> Item {
        let Thinking { text, signature, redacted } = thinking;
        if self.spoken {
            // What is sealed opens only under the vendor's own id, which stands in front of it.
            let (text, sealed) = if redacted { (String::new(), Some(text)) } else { (text, signature) };
            let named = sealed.as_deref().and_then(named);
            let (id, sealed) = named.map_or((id, sealed.as_deref()), |(id, sealed)| (id.to_owned(), Some(sealed)));
            let encrypted_content = sealed.filter(|sealed| !sealed.is_empty()).map(str::to_owned);
            let summary = if text.is_empty() { Vec::new() } else { vec![Summary::SummaryText { text }] };
            return Item::Reasoning { id, summary, encrypted_content };
        }
        let (summary, encrypted_content) = match redacted {
            true => (Vec::new(), Some(Sealed::Redacted(text).write())),
            false if text.is_empty() => (Vec::new(), signature),
            false => (vec![Summary::SummaryText { text }], signature),
        };
        Item::Reasoning { id, summary, encrypted_content }
    }

    /// The items of a whole answer.
    pub(super) fn items(&self, parts: Vec<Part>, annotations: &[(u32, Json)], status: &'static str) -> Vec<Item> {
        let mut items = Vec::new();
        let mut content = Vec::new();
        let last = parts.len().saturating_sub(1);
        let close = |content: &mut Vec<Content>, items: &mut Vec<Item>, status| {
            if !content.is_empty() {
                items.push(Item::message(clock::fresh("msg_"), status, std::mem::take(content)));
            }
        };
        for (place, part) in parts.into_iter().enumerate() {
            let status = if place == last { status } else { "completed" };
            match part {
                Part::Text(text) => {
                    let own = annotations.iter().filter(|(of, _)| usize::try_from(*of) == Ok(place));
                    let end = text.chars().count();
                    let annotations = own.filter_map(|(_, text)| Citation::read(text, 0, end)).map(Citation::into_flat);
                    content.push(Content::OutputText { annotations: annotations.collect(), text, logprobs: [] });
                    continue;
                }
                Part::Refusal(refusal) => {
                    content.push(Content::Refusal { refusal });
                    continue;
                }
                part => {
                    close(&mut content, &mut items, "completed");
                    match part {
                        Part::Thinking(thinking) => items.push(self.thought(clock::fresh("rs_"), thinking)),
                        Part::Call(mut call) => {
                            items.extend(self.keepsake(&call.id, &call.extra));
                            let known = self.known(&call.name);
                            if call.arguments.is_empty() && known.kind != Kind::Custom {
                                call.arguments = "{}".into();
                            }
                            items.push(self.call(clock::fresh(known.kind.prefix()), status, known, call));
                        }
                        Part::Other(text) => items.extend(Item::other(text)),
                        _ => {}
                    }
                }
            }
        }
        close(&mut content, &mut items, status);
        items
    }
}

// === impl Kind ===

impl Kind {
    /// How ids of its items begin.
    pub(super) fn prefix(self) -> &'static str {
        match self {
            Self::Function => "fc_",
            Self::Custom => "ctc_",
            Self::Search => "tsc_",
        }
    }
}

/// The vendor's id of a reasoning item, and what it has sealed.
pub(super) fn named(signature: &str) -> Option<(&str, &str)> {
    signature.split_once(':').filter(|(id, _)| id.starts_with("rs_"))
}

/// How an answer ended: its status, and why it isn't complete.
pub(super) fn end(reason: StopReason) -> (&'static str, Option<Incomplete>) {
    match reason {
        StopReason::Length => ("incomplete", Some(Incomplete { reason: "max_output_tokens" })),
        StopReason::Refusal => ("incomplete", Some(Incomplete { reason: "content_filter" })),
        StopReason::Complete | StopReason::StopSequence | StopReason::ToolCalls | StopReason::Pause => {
            ("completed", None)
        }
    }
}

fn given(raw: Option<&RawValue>, otherwise: impl FnOnce() -> Value) -> Verbatim<'_> {
    raw.map_or_else(|| Verbatim::Otherwise(otherwise()), Verbatim::Given)
}
