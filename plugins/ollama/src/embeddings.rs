//! Texts to vectors.

use mortise_sdk::chat::Usage;
use mortise_sdk::fields::Fields;
use mortise_sdk::foreign;
use mortise_sdk::http::Request;
use mortise_sdk::json::Object;
use mortise_sdk::provider::{EmbedRequest, Error, Exchange, Vector, once};

use crate::config::Settings;
use crate::request;

pub(crate) fn embed(request: &EmbedRequest, settings: &Settings) -> Result<Box<dyn Exchange>, Error> {
    request.extra.iter().try_for_each(|field| foreign::check("Ollama", "request", field))?;
    let mut bytes = Vec::new();
    let mut body = Object::open(&mut bytes);
    body.put("model", &request.model);
    let mut inputs = body.array("input");
    for input in &request.inputs {
        inputs.put(input);
    }
    drop(inputs);
    // A text that was cut short would have another's vector.
    body.put("truncate", false).put_some("dimensions", request.dimensions);
    let options: Vec<_> = settings.options.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    request::write_options(&mut body, &options)?;
    request::write_keep_alive(&mut body, settings);
    drop(body);
    let expected = request.inputs.len();
    Ok(once(Request::post("/api/embed", bytes), move |frame, out| {
        let mut answer: Fields<'_> = frame.json()?;
        let vectors = answer.take::<Vec<Vec<f32>>>("embeddings")?.unwrap_or_default();
        if vectors.len() != expected {
            let count = vectors.len();
            return Err(Error::upstream(format!("the vendor sent {count} vectors for {expected} inputs")));
        }
        for (index, values) in (0..).zip(vectors) {
            out.emit(Vector { index, values });
        }
        if let Some(input) = answer.take::<u64>("prompt_eval_count")? {
            out.emit(Usage { input, ..Usage::default() });
        }
        Ok(())
    }))
}
