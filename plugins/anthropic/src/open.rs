//! A block of an answer, from its beginning to its end.

use mortise_sdk::chat::{CallStarted, Delta as Piece, Event, Field};
use mortise_sdk::json::Splice;
use mortise_sdk::names::Names;
use mortise_sdk::provider::{Error, Out};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::fields::{Delta, Fields};

/// A block that has begun and not ended.
#[derive(Debug)]
pub(crate) enum Open {
    Text,
    Thinking {
        signature: String,
    },
    Redacted,
    /// `whole`: the input that stood at the beginning, until a piece of it comes.
    Call {
        whole: Option<String>,
    },
    /// A block that the chat model has no name for: as it began, and what came since.
    Other {
        begun: String,
        input: String,
        more: Vec<String>,
    },
}

// === impl Open ===

impl Open {
    /// Begins a block. The beginning may hold all of it.
    pub(crate) fn begin(block: u32, value: &RawValue, names: &Names, out: &mut Out) -> Result<Self, Error> {
        let mut fields = Fields::read(value)?;
        let kind = fields.text("type")?.unwrap_or_default();
        let mut say = |wrap: fn(Piece) -> Event, text: Option<std::borrow::Cow<'_, str>>| {
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                out.emit(wrap(Piece { block, text: text.into_owned() }));
            }
        };
        match &*kind {
            "text" => {
                say(Event::Text, fields.text("text")?);
                for citation in fields.value::<Vec<&RawValue>>("citations")?.unwrap_or_default() {
                    say(Event::Annotation, Some(citation.get().into()));
                }
                Ok(Self::Text)
            }
            "thinking" => {
                say(Event::Thinking, fields.text("thinking")?);
                Ok(Self::Thinking { signature: fields.text("signature")?.unwrap_or_default().into_owned() })
            }
            "redacted_thinking" => {
                say(Event::Redacted, fields.text("data")?);
                Ok(Self::Redacted)
            }
            "tool_use" => {
                let (id, name) = (fields.text("id")?.unwrap_or_default(), fields.text("name")?.unwrap_or_default());
                if id.is_empty() || name.is_empty() {
                    return Err(Error::upstream("the vendor sent a tool call without an id or a name"));
                }
                let whole = fields.take("input").map(|input| input.get().to_owned());
                let extra = fields.rest().filter(|(name, value)| !is_usual(name, value));
                let extra = extra.map(|(name, value)| Field::new(name, value.get())).collect();
                let (id, name) = (id.into_owned(), names.whole(&name).to_owned());
                out.emit(Event::CallStarted(CallStarted { block, id, name, extra }));
                Ok(Self::Call { whole })
            }
            _ => Ok(Self::Other { begun: value.get().to_owned(), input: String::new(), more: Vec::new() }),
        }
    }

    /// Takes a piece in.
    pub(crate) fn add(&mut self, block: u32, value: &RawValue, out: &mut Out) -> Result<(), Error> {
        let delta: Delta<'_> = serde_json::from_str(value.get()).map_err(|_| Error::unreadable())?;
        if let Self::Other { input, more, .. } = self {
            match delta.partial_json {
                Some(piece) if delta.kind.0 == "input_json_delta" => input.push_str(&piece.0),
                _ => more.push(value.get().to_owned()),
            }
            return Ok(());
        }
        let mut say = |wrap: fn(Piece) -> Event, text: std::borrow::Cow<'_, str>| {
            if !text.is_empty() {
                out.emit(wrap(Piece { block, text: text.into_owned() }));
            }
        };
        match (&*delta.kind.0, self) {
            ("text_delta", Self::Text) => say(Event::Text, delta.text.unwrap_or_default().0),
            ("citations_delta", Self::Text) => {
                say(Event::Annotation, delta.citation.map(RawValue::get).unwrap_or_default().into());
            }
            ("thinking_delta", Self::Thinking { .. }) => say(Event::Thinking, delta.thinking.unwrap_or_default().0),
            ("signature_delta", Self::Thinking { signature }) => {
                signature.push_str(&delta.signature.unwrap_or_default().0);
            }
            ("input_json_delta", Self::Call { whole }) => {
                let piece = delta.partial_json.unwrap_or_default().0;
                if !piece.is_empty() {
                    *whole = None;
                }
                say(Event::CallArguments, piece);
            }
            ("text_delta" | "thinking_delta" | "signature_delta" | "input_json_delta", _) => {
                return Err(Error::upstream("the vendor sent a piece that doesn't belong into its block"));
            }
            // Kinds may be added at any time.
            _ => {}
        }
        Ok(())
    }

    /// Ends the block.
    pub(crate) fn end(self, block: u32, out: &mut Out) {
        let (wrap, text): (fn(Piece) -> Event, String) = match self {
            Self::Text | Self::Redacted => return,
            Self::Thinking { signature } => (Event::Signature, signature),
            // An empty input is said by saying nothing.
            Self::Call { whole } => match whole.filter(|input| input != "{}") {
                Some(input) => (Event::CallArguments, input),
                None => return,
            },
            Self::Other { begun, input, more } => (Event::Other, completed(begun, &input, &more)),
        };
        if !text.is_empty() {
            out.emit(wrap(Piece { block, text }));
        }
    }
}

/// A call that the model makes itself is nothing to tell of.
fn is_usual(name: &str, value: &RawValue) -> bool {
    let kind = || serde_json::from_str::<Value>(value.get()).ok();
    name == "caller" && kind().is_some_and(|caller| caller == serde_json::json!({"type": "direct"}))
}

fn with_input(block: &str, input: &str) -> Option<String> {
    let mut block = Splice::of("a block", block).ok()?;
    block.set("input", input).ok()?;
    String::from_utf8(block.into_bytes()).ok()
}

/// A block as it would have stood in a whole answer. Untouched, unless there came more.
fn completed(begun: String, input: &str, more: &[String]) -> String {
    // What was cut within its input keeps none.
    let begun = with_input(&begun, input).unwrap_or(begun);
    if more.is_empty() {
        return begun;
    }
    let Ok(Value::Object(mut block)) = serde_json::from_str(&begun) else { return begun };
    let deltas = more.iter().filter_map(|delta| serde_json::from_str(delta).ok());
    for (name, new) in
        deltas.filter_map(|delta| if let Value::Object(new) = delta { Some(new) } else { None }).flatten()
    {
        match (block.get_mut(&name), new) {
            _ if name == "type" => {}
            (Some(Value::String(text)), Value::String(new)) => text.push_str(&new),
            (_, new) => drop(block.insert(name, new)),
        }
    }
    Value::Object(block).to_string()
}
