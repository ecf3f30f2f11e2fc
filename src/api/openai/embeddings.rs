//! `POST /openai/v1/embeddings`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::request::unsupported;
use crate::api::{State, served};
use crate::http::{Fields, Reply, Request};
use crate::model::Result;
use crate::model::provider::EmbedRequest;
use crate::service::Choice;

#[derive(Deserialize)]
#[serde(untagged)]
enum Inputs {
    One(String),
    More(Vec<String>),
}

pub(super) async fn embeddings(http: Request<State>) -> Result<Reply> {
    let caller = http.caller.clone();
    let (state, mut body) = http.fields()?;
    let (request, base64) = read(&mut body)?;
    let asked = EmbedRequest { extra: body.into_extra(), ..request };
    let model = asked.model.clone();
    let (chosen, embedding) = state.chat.embed(Choice { provider: None, model: Some(&model) }, asked, &caller).await?;
    let vectors = embedding.vectors.iter();
    let data: Vec<View<'_>> = vectors
        .map(|(index, values)| View { object: "embedding", index: *index, embedding: written(values, base64) })
        .collect();
    let usage = embedding.usage.unwrap_or_default();
    let reply = Reply::json(&List {
        object: "list",
        data,
        model: &chosen.model,
        usage: Used { prompt_tokens: usage.input, total_tokens: usage.total() },
    })?;
    Ok(served::dress(reply, &embedding.served))
}

pub(super) fn read(body: &mut Fields) -> Result<(EmbedRequest, bool)> {
    let model = body.require("model")?;
    let raw = body.take_raw("input").ok_or_else(|| body.missing("input"))?;
    let inputs = match serde_json::from_str::<Inputs>(raw.get()) {
        Ok(Inputs::One(text)) => vec![text],
        Ok(Inputs::More(texts)) => texts,
        // Another vendor's model counts in other tokens.
        Err(_) if is_tokens(raw.get()) => {
            return Err(unsupported(
                body,
                "input",
                "tokens mean something to one model only; send the texts themselves",
            ));
        }
        Err(_) => return Err(body.wrong("input", "expected a string or a list of strings")),
    };
    if inputs.is_empty() {
        return Err(body.wrong("input", "it is empty"));
    }
    let base64 = match body.take::<String>("encoding_format")?.as_deref() {
        None | Some("float") => false,
        Some("base64") => true,
        Some(_) => return Err(body.wrong("encoding_format", "expected float or base64")),
    };
    let dimensions = body.take_integer("dimensions")?;
    let user = body.take("user")?;
    Ok((EmbedRequest { model, inputs, dimensions, user, extra: Vec::new() }, base64))
}

/// Whether a list begins with a number, or with a list: one text as tokens, or several.
fn is_tokens(list: &str) -> bool {
    let first = list.strip_prefix('[').and_then(|rest| rest.trim_start().chars().next());
    first.is_some_and(|first| first == '[' || first.is_ascii_digit())
}

/// Vectors, one for each text.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "EmbeddingList")]
pub(super) struct List<'a> {
    /// `list`.
    object: &'static str,
    /// The vectors.
    data: Vec<View<'a>>,
    /// Which model made them.
    model: &'a str,
    /// What they took.
    usage: Used,
}

/// The vector of one text.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Embedding")]
struct View<'a> {
    /// `embedding`.
    object: &'static str,
    /// Which text it belongs to, counted from 0.
    index: u32,
    /// The vector.
    embedding: Written<'a>,
}

/// What vectors took.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "EmbeddingUsage")]
struct Used {
    /// Tokens that the model read.
    prompt_tokens: u64,
    /// The same: it writes none.
    total_tokens: u64,
}

/// A vector as numbers, or as the bytes of its 32-bit floats, least significant first, in base64.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "EmbeddingVector")]
enum Written<'a> {
    /// Numbers.
    Numbers(&'a [f32]),
    /// Bytes in base64.
    Base64(String),
}

fn written(values: &[f32], base64: bool) -> Written<'_> {
    if base64 {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Written::Base64(STANDARD.encode(bytes))
    } else {
        Written::Numbers(values)
    }
}
