//! Writing the body of a request.

use super::super::request::{HINT, effort, native_tool, refuse_several};
use super::super::{DIALECT, Options, RESPONSES, names};
use super::input;
use crate::chat::{Field, Part, Request, ResponseFormat, Tool, ToolChoice};
use crate::json::{Array, Object};
use crate::provider::Error;

/// What must be asked for to have the reasoning back, sealed.
const SEALED: &str = "reasoning.encrypted_content";

/// Fields of chat completions that mean the same here.
const SHARED: [&str; 6] =
    ["metadata", "service_tier", "prompt_cache_key", "prompt_cache_retention", "safety_identifier", "store"];

/// What every part of the writing needs to know.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) options: &'a Options,
    /// Whether the caller spoke this dialect.
    pub(super) same_dialect: bool,
    /// Whether the caller spoke chat completions, whose fields are partly those of this dialect.
    chat: bool,
}

pub(super) fn body(request: &Request, options: &Options) -> Result<Vec<u8>, Error> {
    let context = Context { options, same_dialect: request.speaks(RESPONSES), chat: request.speaks(DIALECT) };
    refuse(request)?;
    let mut bytes = Vec::with_capacity(1024);
    let mut body = Object::open(&mut bytes);
    body.put("model", &request.model);
    input::write(&mut body, &request.messages, context)?;
    if !request.tools.is_empty() || !request.native_tools.is_empty() {
        let mut tools = body.array("tools");
        for tool in &request.tools {
            write_tool(&mut tools, tool, context)?;
        }
        for tool in &request.native_tools {
            native_tool(&mut tools, tool, context.same_dialect)?;
        }
    }
    match &request.tool_choice {
        None => {}
        Some(ToolChoice::Auto) => drop(body.put("tool_choice", "auto")),
        Some(ToolChoice::Never) => drop(body.put("tool_choice", "none")),
        Some(ToolChoice::Required) => drop(body.put("tool_choice", "required")),
        Some(ToolChoice::Named(name)) => {
            body.object("tool_choice").put("type", "function").put("name", &*names::name(name));
        }
    }
    body.put_some("parallel_tool_calls", request.parallel_tool_calls);
    body.put_some("max_output_tokens", request.max_tokens);
    body.put_some("temperature", request.temperature);
    body.put_some("top_p", request.top_p);
    if request.reasoning.is_some() || options.reasoning_summary.is_some() {
        let mut reasoning = body.object("reasoning");
        reasoning.put_some("effort", request.reasoning.as_ref().map(effort));
        reasoning.put_some("summary", options.reasoning_summary.map(|summary| summary.name()));
    }
    write_text(&mut body, request, context)?;
    write_include(&mut body, request, context)?;
    body.put_some("user", request.user.as_deref());
    if !request.extra.iter().any(|field| field.name == "store") {
        body.put("store", false);
    }
    if request.streaming {
        body.put("stream", true);
    }
    for field in &request.extra {
        match field.name.as_str() {
            "text.verbosity" | "verbosity" | "include" => {}
            "n" if context.chat => refuse_several(&field.value)?,
            // Usage is told unasked here.
            "stream_options" if context.chat => {}
            name if context.chat && SHARED.contains(&name) => drop(body.raw(name, &field.value)?),
            _ => context.extra(&mut body, "request", field)?,
        }
    }
    drop(body);
    Ok(bytes)
}

/// What chat completions have and this endpoint hasn't.
fn refuse(request: &Request) -> Result<(), Error> {
    let missing = [
        ("top_k", request.top_k.is_some()),
        ("frequency_penalty", request.frequency_penalty.is_some()),
        ("presence_penalty", request.presence_penalty.is_some()),
        ("stop", !request.stop.is_empty()),
        ("seed", request.seed.is_some()),
    ];
    match missing.iter().find(|(_, given)| *given) {
        Some((name, _)) => Err(Error::unsupported(format!(
            "`{name}` does not exist where this vendor serves this model (`/responses`): leave it out"
        ))),
        None => Ok(()),
    }
}

impl Context<'_> {
    /// Passes on a field that the chat model has no name for, or says that it can't be.
    pub(super) fn extra(self, object: &mut Object<'_>, place: &str, field: &Field) -> Result<(), Error> {
        match field.name.as_str() {
            _ if self.same_dialect => drop(object.raw(&field.name, &field.value)?),
            HINT => {}
            name => {
                return Err(Error::unsupported(format!(
                    "the field `{name}` of the {place} means nothing where this vendor serves this model \
                     (`/responses`): leave it out"
                )));
            }
        }
        Ok(())
    }
}

fn write_tool(tools: &mut Array<'_>, tool: &Tool, context: Context<'_>) -> Result<(), Error> {
    let mut object = tools.object();
    object.put("type", "function").put("name", &*names::name(&tool.name));
    object.put_some("description", tool.description.as_deref());
    object.raw_named("parameters", format_args!("`parameters` of the tool `{}`", tool.name), &tool.parameters)?;
    let strict = |field: &&Field| field.name == "strict" && (context.chat || context.same_dialect);
    match tool.extra.iter().find(strict) {
        Some(field) => drop(object.raw("strict", &field.value)?),
        // What is strict unless said otherwise here is not elsewhere.
        None => drop(object.put("strict", false)),
    }
    tool.extra.iter().filter(|field| !strict(field)).try_for_each(|field| context.extra(&mut object, "tool", field))
}

fn write_text(body: &mut Object<'_>, request: &Request, context: Context<'_>) -> Result<(), Error> {
    let name = if context.chat { "verbosity" } else { "text.verbosity" };
    let verbosity = request.extra.iter().find(|field| field.name == name);
    if request.response_format.is_none() && verbosity.is_none() {
        return Ok(());
    }
    let mut text = body.object("text");
    if let Some(format) = &request.response_format {
        let mut object = text.object("format");
        match format {
            ResponseFormat::Text => drop(object.put("type", "text")),
            ResponseFormat::JsonObject => drop(object.put("type", "json_object")),
            ResponseFormat::JsonSchema(schema) => {
                object.put("type", "json_schema").put("name", schema.name.as_deref().unwrap_or("response"));
                object.put_some("description", schema.description.as_deref());
                object.raw("schema", &schema.schema)?;
                object.put("strict", schema.strict.unwrap_or(false));
            }
        }
    }
    if let Some(field) = verbosity {
        text.raw("verbosity", &field.value)?;
    }
    Ok(())
}

/// Asks for sealed reasoning where there may be any: of a model that doesn't reason, the vendor refuses it.
fn write_include(body: &mut Object<'_>, request: &Request, context: Context<'_>) -> Result<(), Error> {
    let asked = request.extra.iter().find(|field| field.name == "include" && context.same_dialect);
    let asked: Vec<String> = match asked {
        Some(field) => {
            serde_json::from_str(&field.value).map_err(|_| Error::invalid("`include` must be a list of strings"))?
        }
        None => Vec::new(),
    };
    let parts = request.messages.iter().flat_map(|message| &message.parts);
    let mut sealed = parts
        .filter(|part| matches!(part, Part::Thinking(thinking) if thinking.redacted || thinking.signature.is_some()));
    let reasons = request.reasoning.as_ref().is_some_and(|reasoning| effort(reasoning) != "none");
    let wanted = reasons || context.options.reasoning_summary.is_some() || sealed.next().is_some();
    let wanted = wanted && !asked.iter().any(|known| known == SEALED);
    if wanted || !asked.is_empty() {
        let mut list = body.array("include");
        for known in &asked {
            list.put(known);
        }
        if wanted {
            list.put(SEALED);
        }
    }
    Ok(())
}
