//! What OpenAI's clients send, read into the chat model. What has no name there is kept as it came.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::message;
use crate::http::Fields;
use crate::model::chat::{self, Reasoning, ResponseFormat, Tool, ToolChoice};
use crate::model::{Error, Kind, Result};

/// The dialect's name, for providers that speak it too.
pub(super) const DIALECT: &str = "openai";

/// A request, and what is the server's own business of it.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) request: chat::Request,
    /// Whether a stream ends in a chunk with the usage.
    pub(super) include_usage: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

/// Reads the body of `chat/completions`.
///
/// # Errors
/// Names the field that is wrong.
pub(super) fn read(mut body: Fields) -> Result<Asked> {
    let model: String = body.require("model")?;
    if model.is_empty() {
        return Err(body.wrong("model", "it is empty"));
    }
    let messages = message::read_all(&mut body)?;
    // One answer a request is what every provider can do; a wrong number of them would be a lie.
    if body.take_integer::<u32>("n")?.is_some_and(|n| n != 1) {
        return Err(unsupported(&body, "n", "one answer a request is supported; leave it out or set it to 1"));
    }
    let streaming = body.take::<bool>("stream")?.unwrap_or_default();
    let mut stream_options = body.take_object("stream_options")?.unwrap_or_default();
    let include_usage = stream_options.take::<bool>("include_usage")?.unwrap_or_default();
    let max_completion_tokens = body.take_integer::<u32>("max_completion_tokens")?;
    let max_tokens = body.take_integer::<u32>("max_tokens")?;
    for (name, value) in [("max_completion_tokens", max_completion_tokens), ("max_tokens", max_tokens)] {
        if value == Some(0) {
            return Err(body.wrong(name, "it must be at least 1"));
        }
    }
    let request = chat::Request {
        model,
        messages,
        tools: tools(&mut body)?,
        native_tools: Vec::new(),
        tool_choice: tool_choice(&mut body)?,
        parallel_tool_calls: body.take("parallel_tool_calls")?,
        max_tokens: max_completion_tokens.or(max_tokens),
        temperature: within(&mut body, "temperature", 0.0, 2.0)?,
        top_p: within(&mut body, "top_p", 0.0, 1.0)?,
        top_k: body.take_integer("top_k")?,
        frequency_penalty: within(&mut body, "frequency_penalty", -2.0, 2.0)?,
        presence_penalty: within(&mut body, "presence_penalty", -2.0, 2.0)?,
        stop: match body
            .take::<OneOrMore>("stop")
            .map_err(|_| body.wrong("stop", "expected a string or a list of strings"))?
        {
            None => Vec::new(),
            Some(OneOrMore::One(stop)) => vec![stop],
            Some(OneOrMore::More(stops)) => stops,
        },
        seed: body.take_integer("seed")?,
        response_format: response_format(&mut body)?,
        reasoning: body.take::<String>("reasoning_effort")?.map(Reasoning::Effort),
        user: body.take("user")?,
        dialect: Some(DIALECT.into()),
        streaming,
        extra: body.into_extra(),
        raw: None,
    };
    Ok(Asked { request, include_usage })
}

pub(super) fn within(body: &mut Fields, name: &str, low: f64, high: f64) -> Result<Option<f64>> {
    let value: Option<f64> = body.take(name)?;
    match value {
        Some(value) if !(low..=high).contains(&value) => {
            Err(body.wrong(name, &format!("it must lie between {low:.1} and {high:.1}")))
        }
        value => Ok(value),
    }
}

pub(super) fn unsupported(body: &Fields, name: &str, what: &str) -> Error {
    let path = body.path_of(name);
    Error::caller(Kind::Unsupported, format!("Unsupported value for {path}: {what}")).with_param(path)
}

fn tools(body: &mut Fields) -> Result<Vec<Tool>> {
    let Some(list) = body.take_objects("tools")? else { return Ok(Vec::new()) };
    list.into_iter()
        .map(|mut entry| {
            let kind: String = entry.require("type")?;
            if kind != "function" {
                return Err(unsupported(
                    &entry,
                    "type",
                    &format!("tools of type `{kind}` are not known; `function` is"),
                ));
            }
            let mut function = entry.take_object("function")?.ok_or_else(|| entry.missing("function"))?;
            let name: String = function.require("name")?;
            if name.is_empty() {
                return Err(function.wrong("name", "it is empty"));
            }
            Ok(Tool {
                name,
                description: function.take("description")?,
                // A function without parameters takes an empty object.
                parameters: object(&mut function, "parameters")?.unwrap_or_else(|| EMPTY_SCHEMA.to_owned()),
                extra: function.into_extra(),
            })
        })
        .collect()
}

/// What a function without parameters takes.
pub(super) const EMPTY_SCHEMA: &str = r#"{"type":"object","properties":{}}"#;

fn tool_choice(body: &mut Fields) -> Result<Option<ToolChoice>> {
    let Some(raw) = body.take_raw("tool_choice") else { return Ok(None) };
    let wrong = |body: &Fields| {
        body.wrong("tool_choice", "expected auto, none, required, or {\"type\":\"function\",\"function\":{\"name\":…}}")
    };
    if let Ok(word) = serde_json::from_str::<String>(raw.get()) {
        return match word.as_str() {
            "auto" => Ok(Some(ToolChoice::Auto)),
            "none" => Ok(Some(ToolChoice::Never)),
            "required" => Ok(Some(ToolChoice::Required)),
            _ => Err(wrong(body)),
        };
    }
    #[derive(Deserialize)]
    struct Named {
        #[serde(rename = "type")]
        _kind: Option<Word>,
        function: Name,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Word {
        Function,
    }
    #[derive(Deserialize)]
    struct Name {
        name: String,
    }
    match serde_json::from_str::<Named>(raw.get()) {
        Ok(named) => Ok(Some(ToolChoice::Named(named.function.name))),
        Err(_) => Err(wrong(body)),
    }
}

fn response_format(body: &mut Fields) -> Result<Option<ResponseFormat>> {
    let Some(mut format) = body.take_object("response_format")? else { return Ok(None) };
    let kind: String = format.require("type")?;
    match kind.as_str() {
        "text" => Ok(Some(ResponseFormat::Text)),
        "json_object" => Ok(Some(ResponseFormat::JsonObject)),
        "json_schema" => {
            let mut schema = format.take_object("json_schema")?.ok_or_else(|| format.missing("json_schema"))?;
            Ok(Some(ResponseFormat::JsonSchema {
                name: schema.take("name")?,
                description: schema.take("description")?,
                strict: schema.take("strict")?,
                schema: object(&mut schema, "schema")?.ok_or_else(|| schema.missing("schema"))?,
            }))
        }
        _ => Err(format.wrong("type", "expected text, json_object or json_schema")),
    }
}

/// Takes the object `name` as it came.
pub(super) fn object(fields: &mut Fields, name: &str) -> Result<Option<String>> {
    match fields.take_raw(name).map(text) {
        Some(text) if !text.starts_with('{') => Err(fields.wrong(name, "expected an object")),
        text => Ok(text),
    }
}

/// A value as it came.
pub(super) fn text(raw: Box<RawValue>) -> String {
    String::from(Box::<str>::from(raw))
}
