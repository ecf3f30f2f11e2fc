//! Texts to vectors, at most a hundred at a time.

use mortise_sdk::chat::Usage;
use mortise_sdk::fields::Fields;
use mortise_sdk::foreign;
use mortise_sdk::http::{Frame, Head, Request};
use mortise_sdk::json::Object;
use mortise_sdk::provider::{EmbedRequest, Error, Exchange, Out, Vector};

use crate::{failure, model};

/// The most that the API takes at once.
const BATCH: usize = 100;

struct Embed {
    /// What is still to be sent, the next one last.
    batches: Vec<(Request, usize)>,
    /// How many vectors the answer under way must hold.
    expected: usize,
    /// How many have come.
    done: u32,
    tokens: u64,
}

pub(crate) fn embed(request: &EmbedRequest) -> Result<Box<dyn Exchange>, Error> {
    request.extra.iter().try_for_each(|field| foreign::check("Gemini", "request", field))?;
    let resource = model::resource(&request.model);
    let path = model::path(&request.model, "batchEmbedContents");
    let mut batches: Vec<_> = request
        .inputs
        .chunks(BATCH)
        .map(|inputs| {
            let mut bytes = Vec::new();
            let mut body = Object::open(&mut bytes);
            let mut list = body.array("requests");
            for input in inputs {
                let mut one = list.object();
                one.put("model", &resource).object("content").array("parts").object().put("text", input);
                one.put_some("outputDimensionality", request.dimensions);
            }
            drop(list);
            drop(body);
            (Request::post(path.clone(), bytes), inputs.len())
        })
        .collect();
    batches.reverse();
    Ok(Box::new(Embed { batches, expected: 0, done: 0, tokens: 0 }))
}

impl Exchange for Embed {
    fn begin(&mut self, out: &mut Out) -> Result<(), Error> {
        match self.batches.pop() {
            Some((request, expected)) => {
                self.expected = expected;
                out.send(request);
            }
            None => out.finish(),
        }
        Ok(())
    }

    fn refused(&mut self, head: &Head, body: &[u8], _: &mut Out) -> Result<(), Error> {
        Err(failure::from_response(head, body))
    }

    fn frame(&mut self, frame: Frame, out: &mut Out) -> Result<(), Error> {
        let mut answer: Fields<'_> = frame.json()?;
        let vectors = answer.take::<Vec<Fields<'_>>>("embeddings")?.unwrap_or_default();
        if vectors.len() != self.expected {
            let (count, expected) = (vectors.len(), self.expected);
            return Err(Error::upstream(format!("the vendor sent {count} vectors for {expected} inputs")));
        }
        self.expected = 0;
        for mut vector in vectors {
            let values = vector.take("values")?.ok_or_else(Error::unreadable)?;
            out.emit(Vector { index: self.done, values });
            self.done += 1;
        }
        if let Some(mut usage) = answer.take::<Fields<'_>>("usageMetadata")? {
            self.tokens += usage.take::<u64>("promptTokenCount")?.unwrap_or(0);
        }
        if self.batches.is_empty() {
            if self.tokens > 0 {
                out.emit(Usage { input: self.tokens, ..Usage::default() });
            }
            out.finish();
        }
        Ok(())
    }

    /// This batch is over, and there is another.
    fn end(&mut self, out: &mut Out) -> Result<(), Error> {
        match self.expected {
            0 => self.begin(out),
            _ => Err(Error::unreadable()),
        }
    }
}
