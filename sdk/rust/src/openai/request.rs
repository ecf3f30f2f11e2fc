//! Writing the body of a chat request.

use super::{DIALECT, Options, ReasoningField, RequiredTool, messages, names};
use crate::chat::{Field, Part, Reasoning, Request, ResponseFormat, Tool, ToolChoice};
use crate::json::{Array, Object, member};
use crate::provider::Error;

/// Hints about caching: vendors of this dialect cache by themselves.
pub(super) const HINT: &str = "cache_control";

/// What every part of the writing needs to know.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) options: &'a Options,
    /// Whether the caller spoke this dialect too.
    pub(super) same_dialect: bool,
}

pub(super) fn body(request: &Request, options: &Options) -> Result<Vec<u8>, Error> {
    refuse(request, options)?;
    let context = Context { options, same_dialect: request.speaks(DIALECT) };
    let mut bytes = Vec::with_capacity(expected_size(request));
    let mut body = Object::open(&mut bytes);
    body.put("model", &request.model);
    messages::write(&mut body.array("messages"), &request.messages, context)?;
    if !request.tools.is_empty() || !request.native_tools.is_empty() {
        let mut tools = body.array("tools");
        for tool in &request.tools {
            write_tool(&mut tools, tool, context)?;
        }
        for tool in &request.native_tools {
            native_tool(&mut tools, tool, context.same_dialect)?;
        }
    }
    if let Some(choice) = &request.tool_choice {
        write_tool_choice(&mut body, choice, options.required_tool);
    }
    body.put_some("parallel_tool_calls", request.parallel_tool_calls.filter(|_| options.parallel_tool_calls));
    body.put_some(options.max_tokens_field.name(), request.max_tokens);
    body.put_some("temperature", request.temperature);
    body.put_some("top_p", request.top_p);
    body.put_some("top_k", request.top_k);
    body.put_some("frequency_penalty", request.frequency_penalty);
    body.put_some("presence_penalty", request.presence_penalty);
    if !request.stop.is_empty() {
        let mut stop = body.array("stop");
        for sequence in &request.stop {
            stop.put(sequence);
        }
    }
    body.put_some(options.seed_field.name(), request.seed);
    if let Some(format) = &request.response_format {
        write_response_format(&mut body, format)?;
    }
    if let Some(reasoning) = &request.reasoning {
        for (name, value) in how_to_reason(reasoning, options.reasoning) {
            body.raw(name, &value)?;
        }
    }
    body.put_some("user", request.user.as_deref());
    if request.streaming {
        body.put("stream", true);
        if options.stream_options {
            write_stream_options(&mut body, &request.extra)?;
        }
    }
    for field in &request.extra {
        match field.name.as_str() {
            "stream_options" if context.same_dialect && request.streaming => {}
            "n" if context.same_dialect => {
                refuse_several(&field.value)?;
                context.extra(&mut body, "request", field)?;
            }
            _ => context.extra(&mut body, "request", field)?,
        }
    }
    drop(body);
    Ok(bytes)
}

/// What a vendor would take for a mistake or, worse, would not notice.
pub(super) fn refuse(request: &Request, options: &Options) -> Result<(), Error> {
    let schema = matches!(request.response_format, Some(ResponseFormat::JsonSchema(_)));
    let what = match () {
        () if request.top_k.is_some() && !options.top_k => "`top_k` does not exist for this vendor: leave it out",
        () if request.parallel_tool_calls == Some(false) && !options.parallel_tool_calls => {
            "`parallel_tool_calls` can't be switched off for this vendor: leave it out"
        }
        () if schema && !options.json_schema => {
            "this vendor holds no answer to a schema: ask for `json_object` and put the schema into the prompt"
        }
        () => return Ok(()),
    };
    Err(Error::unsupported(what))
}

/// An answer is one.
pub(super) fn refuse_several(n: &str) -> Result<(), Error> {
    match n.trim() {
        "1" | "null" => Ok(()),
        _ => Err(Error::unsupported("`n` must be 1: ask several times for several answers")),
    }
}

/// The members that tell a model how much to think.
pub(super) fn how_to_reason(reasoning: &Reasoning, field: ReasoningField) -> Vec<(&'static str, String)> {
    let word = effort(reasoning);
    let text = |word: &str| serde_json::Value::from(word).to_string();
    let effort = ("reasoning_effort", text(word));
    let switch = |word: &str| ("thinking", format!("{{\"type\":{}}}", text(word)));
    match (field, reasoning) {
        (ReasoningField::Effort, _) => vec![effort],
        (ReasoningField::Object, Reasoning::Budget(tokens @ 1..)) => {
            vec![("reasoning", format!("{{\"max_tokens\":{tokens}}}"))]
        }
        (ReasoningField::Object, _) => vec![("reasoning", format!("{{\"effort\":{}}}", text(word)))],
        _ if word == "none" => vec![switch("disabled")],
        (ReasoningField::Switch, _) => vec![switch("enabled")],
        (ReasoningField::SwitchAndEffort, _) => vec![switch("enabled"), effort],
    }
}

/// Passes on a tool that is no function, or says that it can't be.
pub(super) fn native_tool(tools: &mut Array<'_>, tool: &str, same_dialect: bool) -> Result<(), Error> {
    if same_dialect {
        tools.raw("a tool", tool)?;
        return Ok(());
    }
    let kind = member(tool, "type").unwrap_or_default();
    Err(Error::unsupported(format!("the tool of type `{kind}` means nothing to this vendor: leave it out")))
}

impl Context<'_> {
    /// Passes on a field that the chat model has no name for, or says that it can't be.
    pub(super) fn extra(self, object: &mut Object<'_>, place: &str, field: &Field) -> Result<(), Error> {
        match field.name.as_str() {
            _ if self.same_dialect => drop(object.raw(&field.name, &field.value)?),
            HINT => {}
            name => {
                return Err(Error::unsupported(format!(
                    "the field `{name}` of the {place} means nothing to this vendor: leave it out"
                )));
            }
        }
        Ok(())
    }
}

fn write_tool(tools: &mut Array<'_>, tool: &Tool, context: Context<'_>) -> Result<(), Error> {
    let mut outer = tools.object();
    outer.put("type", "function");
    let mut function = outer.object("function");
    function.put("name", &*names::name(&tool.name));
    function.put_some("description", tool.description.as_deref());
    function.raw_named("parameters", format_args!("`parameters` of the tool `{}`", tool.name), &tool.parameters)?;
    for field in &tool.extra {
        context.extra(&mut function, "tool", field)?;
    }
    Ok(())
}

fn write_tool_choice(body: &mut Object<'_>, choice: &ToolChoice, required: RequiredTool) {
    let word = match choice {
        ToolChoice::Auto => "auto",
        ToolChoice::Never => "none",
        ToolChoice::Required => required.name(),
        ToolChoice::Named(name) => {
            let mut choice = body.object("tool_choice");
            choice.put("type", "function").object("function").put("name", &*names::name(name));
            return;
        }
    };
    body.put("tool_choice", word);
}

fn write_response_format(body: &mut Object<'_>, format: &ResponseFormat) -> Result<(), Error> {
    let mut outer = body.object("response_format");
    match format {
        ResponseFormat::Text => drop(outer.put("type", "text")),
        ResponseFormat::JsonObject => drop(outer.put("type", "json_object")),
        ResponseFormat::JsonSchema(schema) => {
            let mut inner = outer.put("type", "json_schema").object("json_schema");
            // The dialect requires a name.
            inner.put("name", schema.name.as_deref().unwrap_or("response"));
            inner.put_some("description", schema.description.as_deref());
            inner.raw("schema", &schema.schema)?;
            inner.put_some("strict", schema.strict);
        }
    }
    Ok(())
}

/// Always asks for usage, whatever else the caller wants of the stream.
fn write_stream_options(body: &mut Object<'_>, extra: &[Field]) -> Result<(), Error> {
    let mut options = body.object("stream_options");
    options.put("include_usage", true);
    if let Some(field) = extra.iter().find(|field| field.name == "stream_options") {
        let wanted: std::collections::BTreeMap<String, &serde_json::value::RawValue> =
            serde_json::from_str(&field.value).map_err(|_| Error::invalid("`stream_options` must be an object"))?;
        for (name, value) in wanted.iter().filter(|(name, _)| *name != "include_usage") {
            options.raw(name, value.get())?;
        }
    }
    Ok(())
}

/// The vendors' word for how much to think.
pub(super) fn effort(reasoning: &Reasoning) -> &str {
    match reasoning {
        Reasoning::Effort(word) => word,
        Reasoning::Budget(0) => "none",
        Reasoning::Budget(1..=2048) => "low",
        Reasoning::Budget(2049..=8192) => "medium",
        Reasoning::Budget(_) => "high",
    }
}

/// A little more than the texts of the request need, so that writing seldom moves them.
fn expected_size(request: &Request) -> usize {
    let parts = request.messages.iter().flat_map(|message| &message.parts);
    let texts: usize = parts.map(|part| if let Part::Text(text) = part { text.len() + 64 } else { 256 }).sum();
    let tools: usize = request.tools.iter().map(|tool| tool.parameters.len() + 256).sum();
    512 + texts + texts / 16 + tools
}
