//! What OpenAI's clients send, read into the chat model. What has no name there is kept as it came.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::message;
use super::tools::{Offer, Style};
use crate::http::Fields;
use crate::model::chat::{self, Reasoning, ResponseFormat};
use crate::model::{Error, Kind, Result};

/// The dialect's name, for providers that speak it too.
pub(super) const DIALECT: &str = "openai";

/// A request, and what is the server's own business of it.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) request: chat::Request,
    /// Whether a stream ends in a chunk with the usage.
    pub(super) include_usage: bool,
    /// How calls are written.
    pub(super) style: Style,
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
    let Offer { tools, native, choice, style } = Offer::read(&mut body)?;
    let user: Option<String> = body.take("user")?;
    let user = match user {
        None if body.has("safety_identifier") => body.take("safety_identifier")?,
        user => user,
    };
    let parallel: Option<bool> = body.take("parallel_tool_calls")?;
    let request = chat::Request {
        model,
        messages,
        tools,
        native_tools: native,
        tool_choice: choice,
        // Who reads `function_call` reads one call.
        parallel_tool_calls: parallel.or(style.legacy.then_some(false)),
        max_tokens: max_completion_tokens.or(max_tokens),
        max_output: None,
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
        user,
        dialect: Some(DIALECT.into()),
        streaming,
        extra: body.into_extra(),
        raw: None,
    };
    Ok(Asked { request, include_usage, style })
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

/// A `T` that is an object: what is derived for one takes a list of its fields too.
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        let members = serde_json::Map::deserialize(from)?;
        T::deserialize(serde_json::Value::Object(members)).map(Self).map_err(serde::de::Error::custom)
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
