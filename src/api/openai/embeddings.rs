//! `POST /openai/v1/embeddings`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::State;
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
    let principal = http.principal.clone();
    let (state, mut body) = http.fields().await?;
    let (request, base64) = read(&mut body)?;
    let asked = EmbedRequest { extra: body.into_extra(), ..request };
    let model = asked.model.clone();
    let (chosen, embedding) =
        state.chat.embed(Choice { provider: None, model: Some(&model) }, asked, &principal).await?;
    let data: Vec<Value> = embedding
        .vectors
        .iter()
        .map(|(index, values)| json!({"object": "embedding", "index": index, "embedding": written(values, base64)}))
        .collect();
    let usage = embedding.usage.unwrap_or_default();
    Reply::json(&json!({
        "object": "list",
        "data": data,
        "model": chosen.model,
        "usage": {"prompt_tokens": usage.input, "total_tokens": usage.total()},
    }))
}

fn read(body: &mut Fields) -> Result<(EmbedRequest, bool)> {
    let model = body.require("model")?;
    let inputs = body
        .take::<Inputs>("input")
        .map_err(|_| body.wrong("input", "expected a string or a list of strings"))?
        .ok_or_else(|| body.missing("input"))?;
    let inputs = match inputs {
        Inputs::One(text) => vec![text],
        Inputs::More(texts) => texts,
    };
    if inputs.is_empty() {
        return Err(body.wrong("input", "it is empty"));
    }
    let base64 = match body.take::<String>("encoding_format")?.as_deref() {
        None | Some("float") => false,
        Some("base64") => true,
        Some(_) => return Err(body.wrong("encoding_format", "expected float or base64")),
    };
    let dimensions = body.take("dimensions")?;
    let user = body.take("user")?;
    Ok((EmbedRequest { model, inputs, dimensions, user, extra: Vec::new() }, base64))
}

/// A vector as numbers, or as the bytes of its 32-bit floats, least significant first, in base64.
fn written(values: &[f32], base64: bool) -> Value {
    if base64 {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Value::String(STANDARD.encode(bytes))
    } else {
        json!(values)
    }
}
