//! What Anthropic's clients send, read into the chat model. What has no name there is kept as it came.

use http::HeaderMap;
use serde_json::value::RawValue;

use super::message;
use crate::http::Fields;
use crate::model::Result;
use crate::model::chat::{self, ANTHROPIC_BETA, Field, Reasoning, ResponseFormat, Tool, ToolChoice};

/// The dialect's name, for providers that speak it too.
pub(super) const DIALECT: &str = "anthropic";

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// An answer.
    Answer,
    /// How many tokens the request has: nobody has to say how long an answer may be.
    Count,
}

/// Reads the body of `messages` or `messages/count_tokens`.
///
/// # Errors
/// Names the field that is wrong.
pub(super) fn read(mut body: Fields, purpose: Purpose) -> Result<chat::Request> {
    let model: String = body.require("model")?;
    if model.is_empty() {
        return Err(body.wrong("model", "it is empty"));
    }
    let mut messages = Vec::from_iter(message::system(&mut body)?);
    messages.append(&mut message::read_all(&mut body)?);
    let max_tokens = body.take_integer("max_tokens")?;
    if max_tokens.is_none() && purpose == Purpose::Answer {
        return Err(body.missing("max_tokens"));
    }
    let (tools, native_tools) = tools(&mut body)?;
    let (tool_choice, parallel_tool_calls) = tool_choice(&mut body)?;
    let mut kept = Vec::new();
    let Output { effort, response_format } = output(&mut body, &mut kept)?;
    let reasoning = thinking(&mut body, &mut kept)?.or(effort.map(Reasoning::Effort));
    Ok(chat::Request {
        model,
        messages,
        tools,
        native_tools,
        tool_choice,
        parallel_tool_calls,
        max_tokens,
        temperature: within_one(&mut body, "temperature")?,
        top_p: within_one(&mut body, "top_p")?,
        top_k: body.take_integer("top_k")?,
        stop: body.take("stop_sequences")?.unwrap_or_default(),
        response_format,
        reasoning,
        user: metadata(&mut body, &mut kept)?,
        dialect: Some(DIALECT.into()),
        streaming: body.take("stream")?.unwrap_or_default(),
        extra: kept.into_iter().chain(body.into_extra()).collect(),
        ..chat::Request::default()
    })
}

/// The beta versions that the headers ask for, whatever they are, as a field.
pub(super) fn betas(headers: &HeaderMap) -> Option<Field> {
    let lists = headers.get_all("anthropic-beta").iter().filter_map(|value| value.to_str().ok());
    let names: Vec<&str> =
        lists.flat_map(|list| list.split(',')).map(str::trim).filter(|name| !name.is_empty()).collect();
    if names.is_empty() {
        return None;
    }
    Some(Field { name: ANTHROPIC_BETA.into(), value: serde_json::to_string(&names).ok()? })
}

fn within_one(body: &mut Fields, name: &str) -> Result<Option<f64>> {
    let value: Option<f64> = body.take(name)?;
    match value {
        Some(value) if !(0.0..=1.0).contains(&value) => Err(body.wrong(name, "it must lie between 0.0 and 1.0")),
        value => Ok(value),
    }
}

/// Tools of the caller's own, and those that only the vendor knows.
fn tools(body: &mut Fields) -> Result<(Vec<Tool>, Vec<String>)> {
    let (mut tools, mut native) = (Vec::new(), Vec::new());
    let path = body.path_of("tools");
    for (index, raw) in body.take::<Vec<Box<RawValue>>>("tools")?.unwrap_or_default().into_iter().enumerate() {
        let mut tool = Fields::parse_at(&raw, &format!("{path}[{index}]"))?;
        if tool.take::<String>("type")?.is_some_and(|kind| kind != "custom") {
            native.push(text(raw));
            continue;
        }
        let name: String = tool.require("name")?;
        if name.is_empty() {
            return Err(tool.wrong("name", "it is empty"));
        }
        tools.push(Tool {
            name,
            description: tool.take("description")?,
            parameters: tool.take_object_raw("input_schema")?.ok_or_else(|| tool.missing("input_schema"))?,
            extra: tool.into_extra(),
        });
    }
    Ok((tools, native))
}

fn tool_choice(body: &mut Fields) -> Result<(Option<ToolChoice>, Option<bool>)> {
    let Some(mut choice) = body.take_object("tool_choice")? else { return Ok((None, None)) };
    let kind: String = choice.require("type")?;
    let parallel = choice.take::<bool>("disable_parallel_tool_use")?.map(|disabled| !disabled);
    let choice = match kind.as_str() {
        "auto" => ToolChoice::Auto,
        "any" => ToolChoice::Required,
        "none" => ToolChoice::Never,
        "tool" => ToolChoice::Named(choice.require("name")?),
        _ => return Err(choice.wrong("type", "expected auto, any, tool or none")),
    };
    Ok((Some(choice), parallel))
}

/// How much to think. What is not told by a number is kept too.
fn thinking(body: &mut Fields, kept: &mut Vec<Field>) -> Result<Option<Reasoning>> {
    let Some((mut config, raw)) = both(body, "thinking")? else { return Ok(None) };
    let kind: String = config.require("type")?;
    let reasoning = match kind.as_str() {
        "enabled" => {
            let budget = config.take_integer("budget_tokens")?.ok_or_else(|| config.missing("budget_tokens"))?;
            Some(Reasoning::Budget(budget))
        }
        "disabled" => Some(Reasoning::Budget(0)),
        // Adaptive: as much as the model finds right, which is what others do who are told nothing.
        _ => None,
    };
    if reasoning.is_none() || !config.into_extra().is_empty() {
        kept.push(Field { name: "thinking".into(), value: raw });
    }
    Ok(reasoning)
}

/// What an answer is to be like.
struct Output {
    effort: Option<String>,
    response_format: Option<ResponseFormat>,
}

/// Takes `output_config`, and `output_format`, as its format was called before.
fn output(body: &mut Fields, kept: &mut Vec<Field>) -> Result<Output> {
    let mut output = Output { effort: None, response_format: None };
    if let Some((mut config, raw)) = both(body, "output_config")? {
        output.effort = config.take("effort")?;
        let (format, whole) = config.take_object("format")?.map_or(Ok((None, true)), format)?;
        output.response_format = format;
        if !whole || !config.into_extra().is_empty() {
            kept.push(Field { name: "output_config".into(), value: raw });
        }
    }
    if let Some((fields, raw)) = both(body, "output_format")? {
        let (format, whole) = format(fields)?;
        output.response_format = output.response_format.or(format);
        if !whole {
            kept.push(Field { name: "output_format".into(), value: raw });
        }
    }
    Ok(output)
}

/// A format, and whether nothing of it is left.
fn format(mut format: Fields) -> Result<(Option<ResponseFormat>, bool)> {
    let kind: String = format.require("type")?;
    if kind != "json_schema" {
        return Ok((None, false));
    }
    let schema = format.take_object_raw("schema")?.ok_or_else(|| format.missing("schema"))?;
    // Not strict: there, other vendors ask more of a schema than this dialect does.
    let read = ResponseFormat::JsonSchema { name: None, description: None, schema, strict: None };
    Ok((Some(read), format.into_extra().is_empty()))
}

/// The caller's own name for its end user.
fn metadata(body: &mut Fields, kept: &mut Vec<Field>) -> Result<Option<String>> {
    let Some((mut metadata, raw)) = both(body, "metadata")? else { return Ok(None) };
    let user = metadata.take("user_id")?;
    if !metadata.into_extra().is_empty() {
        kept.push(Field { name: "metadata".into(), value: raw });
    }
    Ok(user)
}

/// Takes the object `name`, and how it came.
fn both(body: &mut Fields, name: &str) -> Result<Option<(Fields, String)>> {
    let Some(raw) = body.take_raw(name) else { return Ok(None) };
    let fields = Fields::parse_at(&raw, &body.path_of(name))?;
    Ok(Some((fields, text(raw))))
}

/// A value as it came.
pub(super) fn text(raw: Box<RawValue>) -> String {
    String::from(Box::<str>::from(raw))
}
