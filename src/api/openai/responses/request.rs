//! What the Responses API's clients send, read into the chat model.

use serde_json::value::RawValue;

use super::items::Conversation;
use super::tools::{Names, Offer};
use crate::api::openai::request::{object, unsupported, within};
use crate::http::Fields;
use crate::model::Result;
use crate::model::chat::{self, Field, Message, Reasoning, ResponseFormat, Role};

/// The dialect's name, for providers that speak it too.
pub(super) const DIALECT: &str = "openai-responses";

/// A request, and what the answer needs of it.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) request: chat::Request,
    pub(super) names: Names,
    pub(super) shown: Shown,
    /// The answer that this goes on from.
    pub(super) previous: Option<String>,
    /// Whether the answer may be kept.
    pub(super) store: bool,
}

/// What an answer repeats of its request.
#[derive(Debug, Default)]
pub(super) struct Shown {
    pub(super) instructions: Option<String>,
    pub(super) max_output_tokens: Option<u32>,
    pub(super) max_tool_calls: Option<u32>,
    pub(super) metadata: Option<Box<RawValue>>,
    pub(super) parallel_tool_calls: Option<bool>,
    pub(super) prompt_cache_key: Option<String>,
    pub(super) effort: Option<String>,
    pub(super) summary: Option<String>,
    pub(super) safety_identifier: Option<String>,
    pub(super) service_tier: Option<String>,
    pub(super) temperature: Option<f64>,
    pub(super) format: Option<Box<RawValue>>,
    pub(super) verbosity: Option<String>,
    pub(super) tool_choice: Option<Box<RawValue>>,
    pub(super) tools: Option<Box<RawValue>>,
    pub(super) top_logprobs: Option<u32>,
    pub(super) top_p: Option<f64>,
    pub(super) truncation: Option<String>,
    pub(super) user: Option<String>,
}

/// What an answer is the same without: providers of other dialects aren't told.
const HINTS: [&str; 4] = ["stream_options", "prompt_cache_retention", "prompt_cache_options", "client_metadata"];

/// What every answer includes here, or what only tools include that the vendor runs itself.
const INCLUDED: [&str; 6] = [
    "reasoning.encrypted_content",
    "code_interpreter_call.outputs",
    "computer_call_output.output.image_url",
    "file_search_call.results",
    "web_search_call.results",
    "web_search_call.action.sources",
];

/// Reads the body. `lenient`: the client offers tools out of habit.
///
/// # Errors
/// Names the field that is wrong.
pub(super) fn read(mut body: Fields, lenient: bool) -> Result<Asked> {
    let model: String = body.require("model")?;
    if model.is_empty() {
        return Err(body.wrong("model", "it is empty"));
    }
    refuse_what_needs_memory(&mut body)?;
    let previous = body.take::<String>("previous_response_id")?;
    let store = body.take::<bool>("store")?.unwrap_or(true);
    let mut shown = shown(&mut body)?;
    let mut offer = Offer { lenient, ..Offer::default() };
    shown.tools = body.take_raw("tools");
    if let Some(raw) = &shown.tools {
        let list: Vec<Box<RawValue>> =
            serde_json::from_str(raw.get()).map_err(|_| body.wrong("tools", "expected a list"))?;
        offer.add_all(&list, "tools", None)?;
    }
    let mut conversation = Conversation::default();
    conversation.messages.extend(shown.instructions.as_ref().map(|text| Message::text(Role::System, text)));
    conversation.read(&mut body, &mut offer)?;
    shown.tool_choice = body.take_raw("tool_choice");
    let chosen = offer.choose(&mut body, shown.tool_choice.as_deref())?;
    let response_format = format(&mut body, &mut shown)?;
    let include = include(&mut body)?;
    let streaming = body.take::<bool>("stream")?.unwrap_or_default();
    for hint in HINTS {
        drop(body.take_raw(hint));
    }
    let mut extra = body.into_extra();
    extra.extend(chosen.extra);
    extra.extend(include);
    if let Some(verbosity) = &shown.verbosity {
        extra.push(Field { name: "text.verbosity".into(), value: serde_json::Value::from(&**verbosity).to_string() });
    }
    if let Some(number) = shown.top_logprobs.filter(|number| *number > 0) {
        extra.push(Field { name: "top_logprobs".into(), value: number.to_string() });
    }
    let request = chat::Request {
        model,
        messages: conversation.messages,
        tools: offer.tools,
        native_tools: offer.native,
        tool_choice: chosen.choice,
        parallel_tool_calls: shown.parallel_tool_calls,
        max_tokens: shown.max_output_tokens,
        temperature: shown.temperature,
        top_p: shown.top_p,
        response_format,
        reasoning: shown.effort.clone().map(Reasoning::Effort),
        user: shown.safety_identifier.clone().or_else(|| shown.user.clone()),
        dialect: Some(DIALECT.into()),
        extra,
        streaming,
        ..chat::Request::default()
    };
    Ok(Asked { request, names: offer.names, shown, previous, store })
}

/// Conversations are not kept, and nothing runs in the background.
fn refuse_what_needs_memory(body: &mut Fields) -> Result<()> {
    if body.has("conversation") {
        let cure = "conversations are not kept here; go on with `previous_response_id`, or send their items in `input`";
        return Err(unsupported(body, "conversation", cure));
    }
    if body.take::<bool>("background")?.unwrap_or_default() {
        return Err(unsupported(body, "background", "nothing runs in the background; ask with `stream` instead"));
    }
    Ok(())
}

fn shown(body: &mut Fields) -> Result<Shown> {
    let max_output_tokens = body.take_integer("max_output_tokens")?;
    if max_output_tokens == Some(0) {
        return Err(body.wrong("max_output_tokens", "it must be at least 1"));
    }
    let mut reasoning = body.take_object("reasoning")?.unwrap_or_default();
    let metadata = object(body, "metadata")?.and_then(|text| RawValue::from_string(text).ok());
    Ok(Shown {
        instructions: body.take("instructions")?,
        max_output_tokens,
        max_tool_calls: body.take_integer("max_tool_calls")?,
        metadata,
        parallel_tool_calls: body.take("parallel_tool_calls")?,
        prompt_cache_key: body.take("prompt_cache_key")?,
        effort: reasoning.take("effort")?,
        summary: reasoning.take("summary")?,
        safety_identifier: body.take("safety_identifier")?,
        service_tier: body.take("service_tier")?,
        temperature: within(body, "temperature", 0.0, 2.0)?,
        top_logprobs: body.take_integer("top_logprobs")?,
        top_p: within(body, "top_p", 0.0, 1.0)?,
        truncation: body.take("truncation")?,
        user: body.take("user")?,
        ..Shown::default()
    })
}

fn format(body: &mut Fields, shown: &mut Shown) -> Result<Option<ResponseFormat>> {
    let Some(mut text) = body.take_object("text")? else { return Ok(None) };
    shown.verbosity = text.take("verbosity")?;
    let path = text.path_of("format");
    let Some(raw) = text.take_raw("format") else { return Ok(None) };
    let mut format = Fields::parse_at(&raw, &path)?;
    shown.format = Some(raw);
    let kind: String = format.require("type")?;
    Ok(Some(match kind.as_str() {
        "text" => ResponseFormat::Text,
        "json_object" => ResponseFormat::JsonObject,
        "json_schema" => ResponseFormat::JsonSchema {
            name: format.take("name")?,
            description: format.take("description")?,
            strict: format.take("strict")?,
            schema: object(&mut format, "schema")?.ok_or_else(|| format.missing("schema"))?,
        },
        _ => return Err(format.wrong("type", "expected text, json_object or json_schema")),
    }))
}

/// What the answer is to include beside what it always does.
fn include(body: &mut Fields) -> Result<Option<Field>> {
    let wanted: Vec<String> = body.take("include")?.unwrap_or_default();
    let wanted: Vec<String> = wanted.into_iter().filter(|name| !INCLUDED.contains(&name.as_str())).collect();
    Ok((!wanted.is_empty()).then(|| Field { name: "include".into(), value: serde_json::json!(wanted).to_string() }))
}
