//! Writing the body of a request.

use mortise_sdk::chat::{MediaSource, Part, Reasoning, Request, ResponseFormat, ResultPart};
use mortise_sdk::foreign::is_anothers;
use mortise_sdk::json::{Object, Splice};
use mortise_sdk::provider::Error;

use crate::config::Settings;
use crate::foreign::{self, Fate};
use crate::generation::Generation;
use crate::thinking::{self, Thinking};
use crate::turns::Conversation;
use crate::{blocks, tools};

/// The name of this vendor's dialect.
pub(crate) const DIALECT: &str = "anthropic";
/// The limit of an answer, beside its thoughts, where neither the caller nor the operator sets one, and the model's own isn't
/// known.
const MAX_TOKENS: u32 = 4_096;

/// What the body is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Answer,
    /// Counting takes only what the model reads.
    Count,
}

/// Writes the body anew, or changes in the caller's what must be changed. Anew too where thoughts of other vendors are to be left
/// out, which an earlier answer came with.
pub(crate) fn body(request: &Request, settings: &Settings, purpose: Purpose) -> Result<Vec<u8>, Error> {
    match &request.raw {
        Some(raw) if !request.messages.iter().flat_map(|message| &message.parts).any(is_anothers_thought) => {
            changed(request, raw, purpose)
        }
        _ => written(request, settings, purpose),
    }
}

fn is_anothers_thought(part: &Part) -> bool {
    matches!(part, Part::Thinking(thinking) if is_anothers(thinking))
}

fn changed(request: &Request, raw: &str, purpose: Purpose) -> Result<Vec<u8>, Error> {
    let mut body = Splice::of("the body", raw)?;
    body.put("model", &request.model);
    let stream = if request.streaming { "true" } else { "false" };
    if purpose == Purpose::Answer && body.get("stream").unwrap_or("false") != stream {
        body.set("stream", stream)?;
    }
    Ok(body.into_bytes())
}

fn written(request: &Request, settings: &Settings, purpose: Purpose) -> Result<Vec<u8>, Error> {
    let same_dialect = request.speaks(DIALECT);
    let generation = Generation::of(&request.model);
    let conversation = Conversation::of(&request.messages, same_dialect)?;
    let room =
        || MAX_TOKENS.saturating_add(if let Some(Reasoning::Budget(tokens)) = request.reasoning { tokens } else { 0 });
    let limit = request.max_tokens.or(settings.max_tokens).or(request.max_output).or(generation.max_output());
    let limit = limit.unwrap_or_else(room);
    let answers = purpose == Purpose::Answer;
    let thinking = thinking::choose(request, answers.then_some(limit), conversation.lost_its_thoughts())?;
    refuse_what_it_has_not(request)?;

    let mut bytes = Vec::with_capacity(expected_size(request));
    let mut body = Object::open(&mut bytes);
    body.put("model", &request.model);
    if answers {
        body.put("max_tokens", limit);
    }
    blocks::write(&mut body, &conversation)?;
    tools::write(&mut body, request, same_dialect)?;
    write_thinking(&mut body, thinking);
    write_output_config(&mut body, request, generation, thinking)?;
    let user = write_extra(&mut body, request, same_dialect, purpose)?;
    if answers {
        write_sampling(&mut body, request, settings, generation, thinking)?;
        write_stop(&mut body, request)?;
        if let Some(user) = request.user.as_ref().or(user.as_ref()) {
            body.object("metadata").put("user_id", user);
        }
        if request.streaming {
            body.put("stream", true);
        }
    }
    drop(body);
    Ok(bytes)
}

/// Zero is what it does anyway.
fn refuse_what_it_has_not(request: &Request) -> Result<(), Error> {
    let penalty = |value: Option<f64>| value.is_some_and(|value| value != 0.0);
    let asked = [
        ("frequency_penalty", penalty(request.frequency_penalty)),
        ("presence_penalty", penalty(request.presence_penalty)),
        ("seed", request.seed.is_some()),
    ];
    match asked.iter().find(|(_, asked)| *asked) {
        None => Ok(()),
        Some((name, _)) => Err(Error::unsupported(format!("`{name}` does not exist for this vendor: leave it out"))),
    }
}

fn write_thinking(body: &mut Object<'_>, thinking: Thinking<'_>) {
    let kind = match thinking {
        Thinking::Unsaid => return,
        Thinking::Off => "disabled",
        Thinking::BetweenTools => "between_tools",
        Thinking::Budget(_) => "enabled",
        Thinking::Effort { .. } => "adaptive",
    };
    let mut object = body.object("thinking");
    object.put("type", kind);
    match thinking {
        Thinking::Budget(tokens) => drop(object.put("budget_tokens", tokens)),
        Thinking::Effort { shown: true, .. } => drop(object.put("display", "summarized")),
        _ => {}
    }
}

fn write_output_config(
    body: &mut Object<'_>,
    request: &Request,
    generation: Generation<'_>,
    thinking: Thinking<'_>,
) -> Result<(), Error> {
    let effort = if let Thinking::Effort { word, .. } = thinking { Some(word) } else { None };
    let schema = match &request.response_format {
        None | Some(ResponseFormat::Text) => None,
        Some(ResponseFormat::JsonSchema(format)) if generation.keeps_to_schemas() => Some(&format.schema),
        Some(ResponseFormat::JsonSchema(_)) => {
            return Err(Error::unsupported(
                "`response_format`: this model can't keep to a schema: ask a newer one, or let it call a tool",
            ));
        }
        Some(ResponseFormat::JsonObject) => {
            return Err(Error::unsupported("`response_format`: this vendor wants a schema: send `json_schema`"));
        }
    };
    if effort.is_none() && schema.is_none() {
        return Ok(());
    }
    let mut config = body.object("output_config");
    config.put_some("effort", effort);
    if let Some(schema) = schema {
        config.object("format").put("type", "json_schema").raw_named(
            "schema",
            "the schema of `response_format`",
            schema,
        )?;
    }
    Ok(())
}

/// Writes what can be passed on. Returns a name of the caller's end user that stood among it.
fn write_extra(
    body: &mut Object<'_>,
    request: &Request,
    same_dialect: bool,
    purpose: Purpose,
) -> Result<Option<String>, Error> {
    let mut user = None;
    for field in &request.extra {
        match foreign::in_request(field, same_dialect)? {
            Fate::Hint => {}
            // Counting takes no tier.
            Fate::Written(_) if field.name == "service_tier" && purpose == Purpose::Count => {}
            Fate::Written(value) => drop(body.raw(&field.name, &value)?),
            Fate::User(name) => user = Some(name),
        }
    }
    Ok(user)
}

fn write_sampling(
    body: &mut Object<'_>,
    request: &Request,
    settings: &Settings,
    generation: Generation<'_>,
    thinking: Thinking<'_>,
) -> Result<(), Error> {
    let fixed = if !settings.samples() {
        Some("this version of the API")
    } else if generation.samples_its_own_way() {
        Some("this model")
    } else {
        None
    };
    let budgeted = matches!(thinking, Thinking::Budget(_));
    for (name, value) in [("temperature", request.temperature), ("top_p", request.top_p)] {
        match (value, fixed) {
            (None, _) => {}
            // The default.
            (Some(1.0), Some(_)) => {}
            (Some(_), Some(what)) => return Err(Error::unsupported(format!("{what} has no `{name}`: leave it out"))),
            (Some(value), None) if value > 1.0 => {
                return Err(Error::unsupported(format!("`{name}` may be at most 1 for this vendor")));
            }
            (Some(value), None) if budgeted && value < if name == "top_p" { 0.95 } else { 1.0 } => {
                return Err(Error::unsupported(format!(
                    "this model can't think with such a `{name}`: leave one of them out"
                )));
            }
            (Some(value), None) => drop(body.put(name, value)),
        }
    }
    match (request.top_k, fixed) {
        (Some(_), Some(what)) => Err(Error::unsupported(format!("{what} has no `top_k`: leave it out"))),
        (Some(_), None) if budgeted => {
            Err(Error::unsupported("this model can't think with `top_k`: leave one of them out"))
        }
        (top_k, _) => {
            body.put_some("top_k", top_k);
            Ok(())
        }
    }
}

fn write_stop(body: &mut Object<'_>, request: &Request) -> Result<(), Error> {
    if request.stop.iter().any(|sequence| sequence.trim().is_empty()) {
        return Err(Error::unsupported("`stop`: this vendor takes no sequence of nothing but blanks"));
    }
    if !request.stop.is_empty() {
        let mut stop = body.array("stop_sequences");
        for sequence in &request.stop {
            stop.put(sequence);
        }
    }
    Ok(())
}

/// Whether the request names files that the vendor holds.
pub(crate) fn names_files(request: &Request) -> bool {
    let file = |source: &MediaSource| matches!(source, MediaSource::File(_));
    request.messages.iter().flat_map(|message| &message.parts).any(|part| match part {
        Part::Media(media) => file(&media.source),
        Part::Outcome(result) => {
            result.parts.iter().any(|part| matches!(part, ResultPart::Media(media) if file(&media.source)))
        }
        _ => false,
    })
}

/// A little more than the texts of the request need, so that writing seldom moves them.
fn expected_size(request: &Request) -> usize {
    let parts = request.messages.iter().flat_map(|message| &message.parts);
    let texts: usize = parts.map(|part| if let Part::Text(text) = part { text.len() + 64 } else { 256 }).sum();
    let tools: usize = request.tools.iter().map(|tool| tool.parameters.len() + 256).sum();
    512 + texts + texts / 16 + tools
}
